# SPDX-License-Identifier: MIT
"""The command torchdrum, as a person runs it: good input works, bad input is one line and exit code 2."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile as sf
from recordings import FOLDER

import torchdrum_py as td

LOOP = FOLDER / "loop_compus.flac"
PYTHON = [sys.executable, "-m", "torchdrum_py.cli"]


def torchdrum(*words, cwd, **options):
    # from another folder than the repository's: the package, not its sources
    return subprocess.run([*PYTHON, *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=120, **options)


def strokes(n=24000, rate=48000, channels=1):
    rng = np.random.default_rng(1)
    t = np.arange(n) % (rate // 4)
    x = rng.standard_normal((n, channels)) * 0.2 * np.exp(-t / (0.02 * rate))[:, None]
    return x.astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    sf.write(tmp_path / "good.wav", strokes(), 48000, subtype="FLOAT")
    sf.write(tmp_path / "none.wav", np.zeros((0, 1)), 48000)
    sf.write(tmp_path / "slow.wav", strokes(4000), 4000)
    sf.write(tmp_path / "fast.wav", strokes(4000), 384000)
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("I am a text, not a sound.\n")
    (tmp_path / "dir.wav").mkdir()
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    (tmp_path / "preset.json").write_text('{"preset": {"osc1.freq": 180, "osc1.speed": 3}}')
    return tmp_path


BAD = [
    ("render missing.wav out.wav", "there is no file missing.wav"),
    ("render dir.wav out.wav", "is a folder"),
    ("render empty.wav out.wav", "is empty"),
    ("render text.wav out.wav", "cannot be read as audio"),
    ("render none.wav out.wav", "has no samples"),
    ("render slow.wav out.wav", "4000 Hz is not supported"),
    ("render fast.wav out.wav", "384000 Hz is not supported"),
    ("render good.wav nowhere/out.wav", "cannot be written"),
    ("render good.wav good.wav/out.wav", "cannot be written"),
    ("render good.wav dir.wav", "is a folder"),
    ("render good.wav out.txt", "audio ending"),
    ("render good.wav out", "audio ending"),
    ("render good.wav good.wav", "same file"),
    ("render good.wav out.wav --preset snare_9", "did you mean"),
    ("render good.wav out.wav --preset missing.json", "missing.json"),
    ("render good.wav out.wav --preset preset.json", "unknown parameter: osc1.speed"),
    ("render good.wav out.wav --model snare_9", "did you mean"),
    ("render good.wav out.wav --model missing.safetensors", "missing.safetensors"),
    ("render good.wav out.wav --model cut.safetensors", "cut short"),
    ("render good.wav out.wav --model text.wav", "not a safetensors model"),
    ("render good.wav out.wav --depth 9", "--depth takes a number from 0 to 4"),
    ("render good.wav out.wav --depth nan", "--depth takes a number from 0 to 4"),
    ("render good.wav out.wav --set osc1_freq=5", "takes a number from 20 to 2000 Hz"),
    ("render good.wav out.wav --set osc1_freq", "takes a number from 20 to 2000 Hz"),
    ("render good.wav out.wav --set osc1_frek=5", "did you mean osc1_freq"),
    ("render good.wav out.wav --tail -1", "--tail takes 0 to 60 seconds"),
    ("onsets missing.wav", "there is no file missing.wav"),
    ("onsets dir.wav", "is a folder"),
    ("onsets empty.wav", "is empty"),
    ("onsets none.wav", "has no samples"),
    ("onsets text.wav", "cannot be read as audio"),
    ("onsets good.wav --hold -5", "--hold takes a number from 0 to 1000"),
    ("inspect snare_9", "did you mean"),
    ("inspect missing.safetensors", "missing.safetensors"),
    ("inspect dir.wav", "Is a directory"),
    ("inspect empty.wav", "cut short"),
    ("doctor --install --from dir.wav", "there is no built object"),
]


@pytest.mark.parametrize(("words", "says"), BAD, ids=[words for words, _ in BAD])
def test_bad_input_is_one_line_exit_code_2_and_nothing_half_written(folder, words, says):
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    result = torchdrum(*words.split(), cwd=folder)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("torchdrum: ") and result.stderr.count("\n") == 1, result.stderr
    assert says in result.stderr
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before


def test_an_unknown_option_or_command_is_exit_code_2_without_a_traceback(folder):
    for words in ("render good.wav out.wav --loud", "dance", "", "render", "render good.wav out.wav --depth loud"):
        result = torchdrum(*words.split(), cwd=folder)
        assert result.returncode == 2 and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("ending", "rate", "channels"), [("wav", 8000, 3), ("wav", 192000, 1), ("flac", 44100, 2), ("aiff", 22050, 1), ("ogg", 48000, 2)]
)
def test_render_takes_any_format_rate_and_number_of_channels(tmp_path, ending, rate, channels):
    source = tmp_path / f"in.{ending}"
    sf.write(source, strokes(rate // 2, rate, channels), rate)
    result = torchdrum("render", source, "out.wav", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    x, _own = sf.read(source, dtype="float32", always_2d=True)
    out, out_rate = sf.read(tmp_path / "out.wav", dtype="float32", always_2d=True)
    assert out_rate == rate and out.shape[1] == channels and len(out) >= len(x)
    for c in range(channels):
        engine = td.Engine(rate, seed=c)
        expected, _ = engine.process(np.concatenate([x[:, c], np.zeros(len(out) - len(x), np.float32)]))
        np.testing.assert_array_equal(out[:, c], expected)
        assert engine.events


def test_render_rings_out_unless_a_tail_is_given(tmp_path):
    x = strokes(12000)
    x[-300:] = strokes(300) * 2  # a stroke at the very end
    sf.write(tmp_path / "in.wav", x, 48000, subtype="FLOAT")
    assert torchdrum("render", "in.wav", "long.wav", cwd=tmp_path).returncode == 0
    long = sf.read(tmp_path / "long.wav")[0]
    assert len(long) > 12000 + 4800 and long[-1] != 0
    assert torchdrum("render", "in.wav", "cut.wav", "--tail", "0", cwd=tmp_path).returncode == 0
    assert len(sf.read(tmp_path / "cut.wav")[0]) == 12000
    assert torchdrum("render", "in.wav", "fixed.wav", "--tail", "2", cwd=tmp_path).returncode == 0
    assert len(sf.read(tmp_path / "fixed.wav")[0]) == 12000 + 96000


CHANGED = {
    "depth": "0",
    "mix": "0.5",
    "gain": "-6",
    "onthreshold": "40",
    "offthreshold": "0",
    "hold": "900",
    "floor": "-10",
    "highpass": "9000",
    "bypass": "1",
    "enable": "0",
    "seed": "7",
}


@pytest.mark.parametrize("control", [c.name for c in td.CONTROLS])
def test_every_control_is_an_option_with_an_effect(tmp_path, control):
    for name, options in (("plain", []), ("changed", [f"--{control}", CHANGED[control]])):
        assert torchdrum("render", LOOP, f"{name}.wav", "--tail", "0", *options, cwd=tmp_path).returncode == 0
    plain, changed = (sf.read(tmp_path / f"{name}.wav", dtype="float32")[0] for name in ("plain", "changed"))
    assert plain.shape == changed.shape and np.any(plain != changed)


def test_preset_parameters_normalize_and_trigger_file(tmp_path):
    preset = td.Preset.load("noisy_snare").to_dict()
    (tmp_path / "mine.json").write_text(json.dumps(preset))
    runs = {
        "a": ["--preset", "noisy_snare"],
        "b": ["--preset", "mine.json"],
        "c": ["--preset", "mine.json", "--set", "osc1_freq=900"],
        "d": ["--normalize", "adapt"],
        "e": ["--model", "snare_1", "--trigger", "t.flac"],
    }
    for name, options in runs.items():
        result = torchdrum("render", LOOP, f"{name}.wav", "--tail", "0", *options, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
    a, b, c, d, e = (sf.read(tmp_path / f"{name}.wav", dtype="float32")[0] for name in "abcde")
    np.testing.assert_array_equal(a, b)
    assert np.any(b != c) and np.any(d != e)
    trigger = sf.read(tmp_path / "t.flac")[0]
    assert (trigger > 0).sum() == len(td.onsets(sf.read(LOOP, dtype="float32")[0], 44100)[0])


def test_samples_that_are_not_finite_count_as_silence_and_are_said(tmp_path):
    x = strokes()
    x[100:110] = np.nan
    x[200] = np.inf
    sf.write(tmp_path / "in.wav", x, 48000, subtype="FLOAT")
    result = torchdrum("render", "in.wav", "out.wav", cwd=tmp_path)
    assert result.returncode == 0 and "11 samples" in result.stderr
    assert np.isfinite(sf.read(tmp_path / "out.wav")[0]).all()
    result = torchdrum("onsets", "in.wav", cwd=tmp_path)
    assert result.returncode == 0 and "11 samples" in result.stderr and "nan" not in result.stdout


def test_onsets_prints_causal_times_with_six_decimals_and_nothing_else(tmp_path):
    result = torchdrum("onsets", LOOP, cwd=tmp_path)
    x, rate = sf.read(LOOP, dtype="float32")
    assert result.stdout == "".join(f"{s / rate:.6f}\n" for s in td.onsets(x, rate)[0])
    assert result.stderr == "" and result.stdout.count("\n") > 20
    sf.write(tmp_path / "cut.wav", x[: 3 * rate], rate, subtype="FLOAT")
    cut = torchdrum("onsets", "cut.wav", cwd=tmp_path).stdout
    assert cut and result.stdout.startswith(cut)


def test_onsets_mixes_channels_by_their_mean(tmp_path):
    x = strokes(48000, channels=2)
    sf.write(tmp_path / "two.wav", x, 48000, subtype="FLOAT")
    sf.write(tmp_path / "mean.wav", x.mean(axis=1), 48000, subtype="FLOAT")
    two, mean = (torchdrum("onsets", name, cwd=tmp_path).stdout for name in ("two.wav", "mean.wav"))
    assert two == mean and two


def test_onsets_of_silence_is_empty_and_no_error(tmp_path):
    sf.write(tmp_path / "silence.wav", np.zeros(48000), 48000)
    result = torchdrum("onsets", "silence.wav", cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("name", td.model_names())
def test_inspect_shows_shipped_models_for_people_and_as_json(tmp_path, name):
    shown = torchdrum("inspect", name, cwd=tmp_path)
    assert shown.returncode == 0 and all(p.name in shown.stdout for p in td.PARAMS)
    info = json.loads(torchdrum("inspect", name, "--json", cwd=tmp_path).stdout)
    assert info["name"] == name and info["license"] and info["source"]
    assert set(info["preset"]) == {p.key for p in td.PARAMS}


def test_doctor_finds_pd_and_the_object_and_says_what_is_missing(tmp_path):
    program = tmp_path / "bin" / "pd"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "Pd-0.99 of a test" >&2\n')
    program.chmod(0o755)
    built = tmp_path / "pd_external"
    built.mkdir()
    environment = {**os.environ, "HOME": str(tmp_path), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    first = torchdrum("doctor", cwd=tmp_path, env=environment)
    assert first.returncode == 1 and "Pd-0.99 of a test" in first.stdout and "doctor --install" in first.stdout
    (built / "torchdrum~.pd_linux").write_text("binary")
    target = tmp_path / "ex ternals"
    second = torchdrum("doctor", "--install", "--to", target, cwd=tmp_path, env=environment)
    assert (target / "torchdrum~" / "torchdrum~.pd_linux").read_text() == "binary", second.stderr
    assert {p.stem for p in (target / "torchdrum~" / "models").iterdir()} == set(td.model_names())
    third = torchdrum("doctor", "--install", cwd=tmp_path, env=environment)
    assert third.returncode == 0 and "sounds" in third.stdout, third.stdout


def test_progress_is_shown_when_it_is_wanted_and_on_a_pipe_only_then(tmp_path):
    sf.write(tmp_path / "in.wav", np.zeros(48000 * 8), 48000)
    assert "100 %" in torchdrum("render", "in.wav", "out.wav", "--progress", cwd=tmp_path).stderr
    assert "%" not in torchdrum("render", "in.wav", "out.wav", cwd=tmp_path).stderr


def test_an_interrupted_render_leaves_nothing_behind(tmp_path):
    sf.write(tmp_path / "in.wav", np.zeros((48000 * 120, 4)), 48000)
    before = sorted(tmp_path.iterdir())
    process = subprocess.Popen([*PYTHON, "render", "in.wav", "out.wav", "--progress"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    process.stderr.read(6)  # progress: it is at work
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    said = process.stderr.read()
    assert process.wait(timeout=30) == 130 and "stopped" in said and "Traceback" not in said
    assert sorted(tmp_path.iterdir()) == before


def test_a_reader_that_stops_reading_is_no_error(tmp_path):
    command = " ".join([*PYTHON, "inspect", "snare_1", "|", "head", "-n", "1"])
    result = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], cwd=tmp_path, capture_output=True, text=True)
    assert "Traceback" not in result.stderr and result.stdout.startswith("name")


@pytest.mark.parametrize("command", ["", "render", "onsets", "inspect", "doctor"])
def test_help_is_there_for_every_command(tmp_path, command):
    result = torchdrum(*command.split(), "--help", cwd=tmp_path)
    assert result.returncode == 0 and len(result.stdout) > 200
