# SPDX-License-Identifier: MIT
"""What a stage asks for, in real Pd: messages at their own time, a patch that remembers, a drum for each channel, calibration, files."""

import re
import shutil
import subprocess

import numpy as np
import pytest
import soundfile as sf
from pd_host import ROOT, Patch, play, run_patch
from test_sound_in_pd import core, recording

import torchdrum_py as td
from torchdrum_py import model_file

MODELS = ROOT / "models"
SILENCE = np.zeros(4800, np.float32)
TIMES_MS = (10.0, 13.7, 17.35, 20.0, 23.004, 31.99)


@pytest.mark.parametrize("rate", [48000, 44100])
def test_triggers_play_at_the_sample_of_their_message(host, where, tmp_path, rate):
    run = play(host, where, tmp_path, SILENCE, rate, messages=[(at, "trigger 0.9 0.5 0.5") for at in TIMES_MS])
    at = np.flatnonzero(run.trigger)
    assert len(at) == len(TIMES_MS) and not run.errors
    # the clock of the messages starts in the middle of a block, so that all may be one sample early or late
    late = at - np.array(TIMES_MS) * rate / 1000
    assert np.ptp(late) <= 1.0, late


def test_triggers_in_a_larger_block_keep_their_distances_too(host, where, tmp_path):
    run = play(host, where, tmp_path, SILENCE, messages=[(at, "trigger") for at in TIMES_MS], block=1024)
    late = np.flatnonzero(run.trigger) - np.array(TIMES_MS) * 48
    assert len(late) == len(TIMES_MS) and np.ptp(late) <= 1.0, late


# ---- saved with the patch

CHANGES = (
    "load snare_2, morph snare_2 snare_3 0.25, preset noisy_snare, osc1_freq 300, mask osc1_mod 1, depth osc2_freq 0.5, scale centroid 2, "
    "offset loudness -0.5, calibrate 12 -40 -20 70 90 -70 -50, store 2, detector classic, onthreshold 20, gain -6, normalize adapt, seed 9"
)


def saving(where, arguments: str, changes: str, folder) -> Patch:
    """A patch that makes an object in a subpatch, changes it and saves the subpatch."""
    p = Patch(declare=[where])
    inside = Patch()
    inside.obj("inlet")
    p.sub(inside, "nest")
    start, order = p.obj("loadbang"), p.obj("t b b b")
    p.cord(start, 0, order)
    td_object, quit_ = (
        f"; pd-nest obj 10 10 torchdrum~ {arguments}; pd-nest connect 0 0 1 0",
        f"; pd-nest savetofile saved.pd {folder}; pd quit",
    )
    p.cord(order, 2, p.msg(td_object))
    changed = p.msg(changes)
    p.cord(order, 1, changed)
    p.cord(changed, 0, 0, 0)
    p.cord(order, 0, p.msg(quit_))
    return p


def state_of(host, where, folder) -> list[str]:
    """What the object of saved.pd says that it is."""
    lines = (folder / "saved.pd").read_text().replace("\n", " ").split(";")
    assert any(line.strip().startswith("#X obj 10 10 torchdrum~") for line in lines)
    text = (folder / "saved.pd").read_text()
    head, rest = text.split("\n", 1)
    text = f"{head}\n#X declare -path {where};\n{rest}"
    count = len(re.findall(r"^#X (obj|msg|floatatom|text)", text, re.M))
    text += (
        "#X obj 10 200 loadbang;\n#X msg 10 220 state;\n#X obj 10 240 print info;\n#X obj 10 260 delay 100;\n#X msg 10 280 \\; pd quit;\n"
    )
    for a, outlet, b in ((count, 0, count + 1), (count + 1, 0, 1), (1, 5, count + 2), (count, 0, count + 3), (count + 3, 0, count + 4)):
        text += f"#X connect {a} {outlet} {b} 0;\n"
    (folder / "again.pd").write_text(text)

    command = [str(host.program), "-batch", "-noaudio", "-nogui", "-noprefs", "-stderr", "-open", "again.pd"]
    log = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60).stderr.splitlines()
    assert not [line for line in log if "torchdrum~:" in line or "no method" in line], log
    return [line.removeprefix("info: state ") for line in log if line.startswith("info: state ")]


@pytest.mark.parametrize("arguments", ["", "snare_3", "-seed 4"])
def test_a_patch_that_is_saved_and_opened_again_sounds_as_it_did(host, where, tmp_path, arguments):
    for name in ("snare_2", "snare_3"):
        shutil.copy(MODELS / f"{name}.safetensors", tmp_path)
    run_patch(host, tmp_path, saving(where, arguments, CHANGES, tmp_path))
    state = state_of(host, where, tmp_path)
    wanted = {
        "morph snare_2 snare_3 0.25", "preset 808_noisy_snare", "osc1_freq 300", "mask osc1_mod 1", "depth osc2_freq 0.5",
        "scale centroid 2", "offset loudness -0.5", "calibrate 12 -40 -20 70 90 -70 -50", "normalize adapt", "seed 9", "detector classic",
        "onthreshold 20", "gain -6",
    }  # fmt: skip
    assert wanted <= set(state) and any(line.startswith("store 2 300 ") for line in state)


def test_a_patch_in_which_nothing_was_changed_is_saved_as_it_was(host, where, tmp_path):
    run_patch(host, tmp_path, saving(where, "", "bang", tmp_path))
    assert "#A" not in (tmp_path / "saved.pd").read_text() and state_of(host, where, tmp_path) == []


def test_a_model_beside_the_patch_is_saved_without_its_folder(host, where, tmp_path):
    shutil.copy(MODELS / "snare_2.safetensors", tmp_path / "my own.safetensors")
    run_patch(host, tmp_path, saving(where, "", f"load {tmp_path}/my\\ own.safetensors", tmp_path))
    assert str(tmp_path) not in (tmp_path / "saved.pd").read_text()
    assert [line.replace("\\", "") for line in state_of(host, where, tmp_path)] == ["load my own.safetensors"]


def test_state_restores_nothing_into_an_object_of_somebody_else(host, where, tmp_path):
    """Lines of #A go to the object that was made last, also when ours was deleted meanwhile."""
    p = Patch(declare=[where])
    p.sub(Patch(), "nest")
    start, order = p.obj("loadbang"), p.obj("t b b")
    p.cord(start, 0, order)
    p.cord(order, 1, p.msg("; pd-nest obj 10 10 torchdrum~; pd-nest clear; pd-nest obj 10 10 array define -k mine 3; #A 0 1 2 3"))
    p.cord(order, 0, p.msg("; pd quit"))
    log = run_patch(host, tmp_path, p)
    assert not [line for line in log if "torchdrum~" in line or "no method" in line], log


# ---- channels


def channels(where, arguments: str, files: int) -> Patch:
    """Recordings in0.wav … through [torchdrum~ -m], every channel to drum0.wav …"""
    p = Patch(declare=[where])
    start, order = p.obj("loadbang"), p.obj("t b b b b")
    p.cord(start, 0, order)
    filer = p.obj("soundfiler")
    p.cord(order, 2, p.msg("; pd dsp 1"))
    merge, td_object, part = p.obj(f"snake~ in {files}"), p.obj(f"torchdrum~ -m {arguments}"), p.obj(f"snake~ out {files}")
    p.cord(merge, 0, td_object)
    p.cord(td_object, 0, part)
    for outlet, name in ((2, "hit"), (3, "features"), (4, "params"), (5, "info")):
        p.cord(td_object, outlet, p.obj(f"print {name}"))
    done = p.obj("delay 2500")
    finish = p.obj("t b b")
    p.cord(order, 0, done)
    p.cord(done, 0, finish)
    p.cord(finish, 0, p.msg("; pd quit"))
    for k in range(files):
        p.obj(f"table in{k}")
        p.obj(f"table drum{k} 96000")
        read, write = p.msg(f"read -resize in{k}.wav in{k}"), p.msg(f"write -wave -bytes 4 drum{k}.wav drum{k}")
        player, recorder = p.obj(f"tabplay~ in{k}"), p.obj(f"tabwrite~ drum{k}")
        p.cord(order, 3, read)
        p.cord(read, 0, filer)
        p.cord(player, 0, merge, k)
        p.cord(part, k, recorder)
        p.cord(order, 1, player)
        p.cord(order, 1, recorder)
        p.cord(finish, 1, write)
        p.cord(write, 0, filer)
    return p


def has_channels(host) -> bool:
    """Pd 0.54 and newer."""
    said = subprocess.run([host.program, "-version"], capture_output=True, text=True)
    version = re.search(r"Pd-(\d+)\.(\d+)", said.stdout + said.stderr)
    return (int(version[1]), int(version[2])) >= (0, 54)


def test_every_channel_has_a_drum_of_its_own_or_it_is_said_that_pd_has_none(host, where, tmp_path):
    if not has_channels(host):
        run = play(host, where, tmp_path, recording("loop_compus", seconds=1.0), arguments="-m -seed 5")
        assert len([line for line in run.log if "torchdrum~: -m needs Pd 0.54 or newer, one channel is played" in line]) == 1
        np.testing.assert_array_equal(run.drum, core(recording("loop_compus", seconds=1.0))[1])
        return
    x = np.stack([recording("loop_compus", seconds=2.0), recording("loop_tabla", seconds=2.0), np.zeros(96000, np.float32)])
    for k, channel in enumerate(x):
        sf.write(tmp_path / f"in{k}.wav", channel, 48000, subtype="FLOAT")
    log = run_patch(host, tmp_path, channels(where, "-seed 5 snare_1", 3))
    hits = [line.removeprefix("hit: ") for line in log if line.startswith("hit: ")]
    for k, channel in enumerate(x):
        engine = td.Engine(48000, seed=5 + k)
        drum, _ = engine.process(np.pad(channel, (0, 24000)))
        np.testing.assert_array_equal(sf.read(tmp_path / f"drum{k}.wav", dtype="float32")[0], drum[:96000])
        assert hits.count(str(k + 1)) == len(engine.events)
    features = [line.split()[1:] for line in log if line.startswith("features: ")]
    assert {len(row) for row in features} == {4} and {row[0] for row in features} == {"1", "2"}
    assert not [line for line in log if "torchdrum~:" in line]


# ---- calibration


def strokes(gain_db: float = 0.0) -> np.ndarray:
    """Twelve strokes of a snare, soft to hard."""
    hit = recording("drum_snare_hard", seconds=0.4)
    hit = hit * np.minimum(1.0, np.linspace(4.0, 0.0, len(hit)))
    out = np.zeros(12 * 24000, np.float32)
    for k in range(12):
        out[k * 24000 + 4800 : k * 24000 + 4800 + len(hit)] = hit * 10 ** ((-22 + 2 * k) / 20)
    return out * np.float32(10 ** (gain_db / 20))


def test_calibrate_hears_strokes_and_brings_a_soft_microphone_to_where_a_loud_one_was(host, where, tmp_path):
    def params(gain_db: float) -> tuple[np.ndarray, list[str]]:
        x = np.concatenate([strokes(gain_db), strokes(gain_db)])
        run = play(host, where, tmp_path, x, messages=[(0, "calibrate 12")])
        assert not run.errors
        rows = np.array([[float(v) for v in line.split()] for line in run.said("params:")])
        assert len(rows) == 24
        return rows[12:], run.said("info:")

    span = np.array([p.max - p.min for p in td.PARAMS])
    loud, said = params(0.0)
    counted = [line for line in said if line.startswith("calibrate ")]
    assert counted == [f"calibrate {k} 12" for k in range(13)]
    assert len([line for line in said if line.startswith("calibrated 12 ")]) == 1
    assert (np.abs(params(-18.0)[0] - loud) / span).max() < 0.02


def test_preset_files_are_written_beside_the_patch_and_read_again(host, where, tmp_path):
    words = "osc1_freq 217.3, write mine, osc1_freq 99, read mine, get osc1_freq, preset snare_1, read mine.json, get osc1_freq"
    run = play(host, where, tmp_path, SILENCE, messages=[(0, words)])
    assert run.said("info:") == ["written mine.json", "read mine", "osc1_freq 217.3", "read mine.json", "osc1_freq 217.3"]
    assert td.Preset.load(tmp_path / "mine.json").value[0] == np.float32(217.3) and not list(tmp_path.glob("*.part"))


def test_a_file_that_cannot_be_written_leaves_the_old_one(host, where, tmp_path):
    (tmp_path / "mine.json").mkdir()
    run = play(host, where, tmp_path, SILENCE, messages=[(0, "write mine")])
    assert len([line for line in run.log if "write: mine.json: " in line and "nothing was written" in line]) == 1
    assert (tmp_path / "mine.json").is_dir() and not list(tmp_path.glob("*.part"))


def model_in(folder, name: str, least_db: float = -30, **kind):
    """A model beside the patch, of a linear network that moves nothing; its loudness goes from least_db to 0 dB."""
    layers = [(np.zeros((len(td.PARAMS), 3)), None)]
    data = model_file.to_bytes(layers, td.Preset.load("snare_2"), [least_db, 60, -50], [0, 120, -5], [0.5] * 3, name=name, **kind)
    (folder / f"{name}.safetensors").write_bytes(data)


def test_a_microphone_that_is_too_soft_for_the_model_is_told_once_with_what_to_do(host, where, tmp_path):
    model_in(tmp_path, "loud", -10)
    run = play(host, where, tmp_path, np.tile(recording("loop_tabla", 48000), 2) * np.float32(0.1), arguments="loud")
    assert len(run.hits) > 16 and not run.errors
    (level,) = [line for line in run.said("info:") if line.startswith("level")]
    assert re.fullmatch(r"level input is [1-9]\d* dB below the model: send calibrate", level)


def test_two_models_of_which_one_heard_another_part_of_the_strokes_are_morphed_with_a_warning(host, where, tmp_path):
    model_in(tmp_path, "whole")
    model_in(tmp_path, "half", window=128)
    run = play(host, where, tmp_path, SILENCE, messages=[(0, "morph whole half 0.5"), (80, "trigger")])
    warned = "morph: half learned from another part of the strokes than whole, whose window both hear"
    assert sum(warned in line for line in run.log) == 1 and len(run.hits) == 1
