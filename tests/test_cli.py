# SPDX-License-Identifier: MIT
"""The command torchdrum, as a person runs it: good input works, bad input is one line and exit code 2."""

import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from recordings import FOLDER

import torchdrum_py as td
from torchdrum_py import doctor, model_file

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
    "onthreshold": "60",
    "offthreshold": "0",
    "hold": "900",
    "floor": "-10",
    "highpass": "9000",
    "detector": "classic",
    "input": "contact",
    "sensitivity": "0",
    "selfmask": "100",
    "loudness": "1",
    "bypass": "1",
    "enable": "0",
    "seed": "7",
}


@pytest.mark.parametrize("control", [c.name for c in td.CONTROLS])
def test_every_control_is_an_option_with_an_effect(tmp_path, control):
    classic = ["--detector", "classic"] if control == "offthreshold" else []
    for name, options in (("plain", classic), ("changed", [*classic, f"--{control}", CHANGED[control]])):
        assert torchdrum("render", LOOP, f"{name}.wav", "--tail", "0", *options, cwd=tmp_path).returncode == 0
    plain, changed = (sf.read(tmp_path / f"{name}.wav", dtype="float32")[0] for name in ("plain", "changed"))
    assert plain.shape == changed.shape and np.any(plain != changed)


def test_onsets_draws_what_it_hears(tmp_path):
    result = torchdrum("onsets", LOOP, "--plot", "heard.png", cwd=tmp_path)
    assert result.returncode == 0 and len(result.stdout.splitlines()) > 5
    assert (tmp_path / "heard.png").read_bytes()[:4] == b"\x89PNG"
    refused = torchdrum("onsets", LOOP, "--plot", "heard.wav", cwd=tmp_path)
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1 and "Traceback" not in refused.stderr


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
    command = f"{shlex.join([*PYTHON, 'inspect', 'snare_1'])} | head -n 1"
    result = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], cwd=tmp_path, capture_output=True, text=True)
    assert "Traceback" not in result.stderr and result.stdout.startswith("name")


@pytest.mark.parametrize(
    "command", ["", "render", "onsets", "inspect", "hear", "train", "report", "experiment", "convert", "bench", "doctor"]
)
def test_help_is_there_for_every_command(tmp_path, command):
    result = torchdrum(*command.split(), "--help", cwd=tmp_path)
    assert result.returncode == 0 and len(result.stdout) > 200


# ---- called in this process ----

SR = 48000


def test_trigger_impulses_go_to_a_file_of_their_own(run, sound_file, bursts):
    path = sound_file(x=bursts(SR, times=(0.1, 0.999)))
    assert run("render", path, "out.wav", "--trigger", "trigger.wav", "--mix", 0)[0] == 0
    y, _ = sf.read("out.wav")
    impulses, _ = sf.read("trigger.wav", dtype="float32")
    engine = td.Engine(SR)
    engine.process(np.concatenate([bursts(SR, times=(0.1, 0.999)), np.zeros(SR)]))
    assert len(engine.events) == 2
    assert engine.events[1].time >= SR  # its window ends after the file
    assert np.flatnonzero(impulses).tolist() == [e.time for e in engine.events]
    assert len(y) == len(impulses)


def test_a_file_that_is_there_is_replaced_with_the_usual_rights(run, sound_file):
    path = sound_file()
    before = os.umask(0o027)
    try:
        Path("out.wav").write_text("old")
        assert run("render", path, "out.wav")[0] == 0
        assert stat.S_IMODE(os.stat("out.wav").st_mode) == 0o640
    finally:
        os.umask(before)
    assert sf.info("out.wav").frames >= SR
    assert sorted(os.listdir()) == ["in.wav", "out.wav"]


def no_file(path):
    pass


def text(path):
    path.write_text("this is no audio\n" * 100)


@pytest.mark.parametrize("command", [["render", "{}", "out.wav"], ["onsets", "{}"]], ids=["render", "onsets"])
@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("x.raw", text, "does not say its sample rate"),
        ("x.wav", lambda p: p.symlink_to("nowhere.wav"), "cannot be read"),
        ("x" * 5000 + ".wav", no_file, "there is no file"),
        ("two\nlines.wav", no_file, "there is no file"),
    ],
    ids=["raw", "dangling", "long-name", "newline"],
)
def test_input_that_is_no_sound_is_one_line(refused, tmp_path, command, name, make, reason):
    make(tmp_path / name)
    assert re.search(reason, refused(*[word.format(name) for word in command]))


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("no/such/folder/out.wav", "there is no folder"),
        ("in.wav/out.wav", "there is no folder"),
        ("folder.wav", "is a folder"),
        ("out", "audio ending such as .wav"),
        ("out.txt", "audio ending such as .wav"),
        ("out.raw", "audio ending such as .wav"),
        ("x" * 300 + ".wav", "cannot be written"),
        ("in.wav", "same file"),
        ("./in.wav", "same file"),
        ("link.wav", "same file"),
    ],
)
def test_output_that_cannot_be_is_one_line(refused, sound_file, tmp_path, output, reason):
    path = sound_file()
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "link.wav").symlink_to("in.wav")
    assert reason in refused("render", path, output)
    assert reason in refused("render", path, "out.wav", "--trigger", output)


def test_two_outputs_in_one_file_are_refused(refused, sound_file):
    assert "same file" in refused("render", sound_file(), "out.wav", "--trigger", "./out.wav")


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("files", [["OUT"], ["OUT", "--trigger", "trigger.flac"]], ids=["one", "two"])
def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(sound_file, tmp_path, ending, files):
    rng = np.random.default_rng(0)
    path = sound_file(x=rng.uniform(-1, 1, (2 * SR, 2)))
    out = tmp_path / f"out.{ending}"
    out.write_bytes(b"old")
    words = [sys.executable, "-m", "torchdrum_py.cli", "render", path, "--mix", "0.5", *(w.replace("OUT", str(out)) for w in files)]
    result = subprocess.run(["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", *words], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    assert re.fullmatch(r"torchdrum: \S+ cannot be written \([^\n]+\)\n", result.stderr)
    assert sorted(os.listdir(tmp_path)) == ["in.wav", out.name]
    assert out.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--model", "x" * 5000], "there is no model"),
        (["--preset", "x" * 5000], "there is no preset"),
        (["--model", "."], "Is a directory"),
        (["--mix", "loud"], "--mix"),
        (["--mix"], "--mix"),
        (["--seed", "1.5"], "--seed takes a whole number"),
        (["--seed", "-1"], "--seed takes a number from 0 to 16777215"),
        (["--bypass", "0.5"], "--bypass takes a whole number"),
        (["--tail", "nan"], "--tail takes 0 to 60"),
        (["--normalize", "loud"], "adapt"),
        (["--laud", "1"], "--laud"),
    ],
    ids=lambda v: None if isinstance(v, str) else " ".join(v)[:30],
)
def test_an_option_that_cannot_be_is_one_line(refused, sound_file, words, reason):
    assert reason in refused("render", sound_file(), "out.wav", *words)


@pytest.mark.parametrize("words", [[], ["paly"], ["render"], ["render", "in.wav"], ["onsets"], ["onsets", "a", "b"]], ids=str)
def test_a_command_that_is_not_whole_is_one_line_that_names_the_help(refused, words):
    assert "--help" in refused(*words)


def test_a_models_texts_cannot_move_the_cursor(tmp_path):
    layers, preset = [(np.zeros((14, 3)), None)], td.Preset.load("snare_1")
    with pytest.raises(td.TorchdrumError, match="control character"):
        td.Model.from_bytes(model_file.to_bytes(layers, preset, [-50, 60, -60], [-5, 120, -5], [0] * 3, name="\x1b[2Jgone\nname good"))


@pytest.mark.parametrize(
    "words",
    [["train", "a.wav", "--preset", "snare_1", "-o", "a.safetensors"], ["report", "a.safetensors"], ["experiment", "a"]],
    ids=lambda words: words[0],
)
def test_what_needs_torch_says_without_it_what_to_install(tmp_path, words):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('no torch', name='torch')")
    code = f"import sys; sys.path.insert(0, '.'); from torchdrum_py.cli import main; sys.exit(main({words}))"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 2 and result.stderr.count("\n") == 1
    assert 'pip install "torchdrum[' in result.stderr


def test_hear_tells_what_is_in_recordings_and_draws_it(tmp_path):
    loop = str(FOLDER / "loop_compus.flac")
    shown = torchdrum("hear", loop, "--plot", "strokes.png", cwd=tmp_path)
    assert shown.returncode == 0 and "26 strokes in 1 recording: loudness -" in shown.stdout
    assert (tmp_path / "strokes.png").read_bytes().startswith(b"\x89PNG")
    few = torchdrum("hear", str(FOLDER / "drum_snare_hard.flac"), cwd=tmp_path)
    assert few.returncode == 2 and "1 stroke" in few.stdout and "too few to learn from" in few.stderr


def test_inspect_lists_the_models(tmp_path):
    assert torchdrum("inspect", cwd=tmp_path).stdout.split() == td.model_names()


class Terminal:
    """stderr as a terminal that remembers what was shown."""

    def __init__(self):
        self.shown = ""

    def isatty(self):
        return True

    def write(self, text):
        self.shown += text

    def flush(self):
        pass


def test_progress_is_shown_on_a_terminal_for_long_files_only(run, sound_file, monkeypatch):
    for seconds, words, shown in ((6, [], True), (1, [], False), (1, ["--progress"], True), (6, ["--no-progress"], False)):
        path = sound_file(x=np.zeros(seconds * SR))
        monkeypatch.setattr(sys, "stderr", terminal := Terminal())
        assert run("render", path, "out.wav", *words)[0] == 0
        assert ("100 %\n" in terminal.shown) == shown, (seconds, words)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A machine with nothing on it: an own home folder and no Pd, and no folder for everybody."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    own = doctor.external_folders
    monkeypatch.setattr(doctor, "external_folders", lambda: [p for p in own() if folder in p.parents])
    return folder


def build_object(tmp_path, content=b"object"):
    built = tmp_path / "project" / "pd_external"
    built.mkdir(parents=True, exist_ok=True)
    (built / (doctor.OBJECT + doctor.ENDINGS[0])).write_bytes(content)
    help_patch = tmp_path / "project" / "help_patches" / "torchdrum~-help.pd"
    help_patch.parent.mkdir(exist_ok=True)
    help_patch.write_text("#N canvas;\n")
    return built


def test_installing_again_leaves_a_loaded_object_as_it_was(run, home, tmp_path):
    built = build_object(tmp_path, b"first")
    run("doctor", "--install", "--from", built)
    target = doctor.external_folders()[0] / doctor.OBJECT / (doctor.OBJECT + doctor.ENDINGS[0])
    with open(target, "rb") as loaded:  # as Pd has it mapped
        build_object(tmp_path, b"2nd")
        run("doctor", "--install", "--from", built)
        assert loaded.read() == b"first"
    assert target.read_bytes() == b"2nd"
    assert not list(home.rglob(".torchdrum-*"))


def test_installing_brings_the_help_and_the_examples_beside_the_object(run, home, tmp_path):
    built, patches = build_object(tmp_path), Path(__file__).resolve().parent.parent / "help_patches"
    shutil.copytree(patches, tmp_path / "project" / "help_patches", dirs_exist_ok=True)
    installed = doctor.external_folders()[0] / doctor.OBJECT
    assert str(installed / "examples") in run("doctor", "--install", "--from", built)[1]
    wanted = [path.relative_to(patches) for path in patches.rglob("*.*") if "__pycache__" not in path.parts]
    assert {path.name for path in wanted} >= {"torchdrum~-help.pd", "microphone.pd", "osc.py", "osc.scd", "osc.tidal"}
    assert all((installed / path).read_bytes() == (patches / path).read_bytes() for path in wanted)


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "cp1252"])
def test_any_terminal_can_show_a_model(tmp_path, encoding):
    result = torchdrum("inspect", "snare_1", cwd=tmp_path, env={**os.environ, "PYTHONIOENCODING": encoding}, encoding=encoding)
    assert (result.returncode, result.stderr) == (0, "")
    assert "network" in result.stdout


@pytest.mark.parametrize("words", [["onsets", "in.wav"], ["inspect", "snare_1"]], ids=lambda w: w[0])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_no_error(sound_file, tmp_path, words, unbuffered):
    sound_file()
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "torchdrum_py.cli", *words]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    result = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment)
    os.close(writer)
    assert (result.returncode, result.stderr) == (0, "")


def test_commands_run_where_nobody_knows_the_home_folder(tmp_path):
    code = "import os, sys; os.path.expanduser = lambda p: p; from torchdrum_py import cli; sys.exit(cli.main(['inspect', 'snare_1']))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
