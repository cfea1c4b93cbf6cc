# SPDX-License-Identifier: MIT
"""The example patches in real Pd: each opens whole and sounds; the sequencer keeps its times, OSC comes and goes in real packets."""

import importlib.util
import shutil
import socket
import subprocess
import time

import numpy as np
import pytest
import soundfile as sf
from pd_host import ROOT, Patch, run_patch

EXAMPLES = ROOT / "help_patches" / "examples"
RATE, SECONDS = 48000, 3
STROKES = (0.3, 0.9, 1.6)  # seconds, of the recording that stands in for a microphone
WRONG = ("couldn't create", "error", "can't", "no such", "failed", "already", "bad ", "torchdrum~:")


def wrong(log: list[str]) -> list[str]:
    return [line for line in log if any(word in line for word in WRONG) and "pd-watchdog" not in line]


def place(text: str, words: str) -> int:
    """The number of the first box with these words in the patch itself, as connect counts."""
    depth, count = 0, 0
    for line in text.splitlines():
        kind = line.split(" ", 2)[1] if line.startswith("#") else ""
        depth += {"canvas": 1, "restore": -1}.get(kind, 0)
        if depth == 1 and line.startswith("#X") and kind not in ("connect", "coords", "declare", "array"):
            if kind != "restore" and line.split(" ", 4)[4].rstrip(";") == words:
                return count
            count += 1
    raise AssertionError(f"no {words}")


def ear() -> str:
    """Stands in for dac~: what comes goes to the recorder of the test."""
    p = Patch()
    for k, side in enumerate(("left", "right")):
        inlet = p.obj("inlet~")
        p.boxes[inlet] = f"#X obj {10 + 100 * k} 10 inlet~;"
        p.cord(inlet, 0, p.obj(f"throw~ test-{side}"))
    return p.text()


def hand() -> str:
    """Stands in for the microphone: a recording."""
    p = Patch()
    p.obj("outlet~")
    p.cord(p.obj("tabplay~ test-hand"), 0, 0)
    p.cord(p.obj("r test-start"), 0, 1)
    return p.text()


def set_up(where, folder, name: str) -> str:
    """The object with its models and the examples below it, as they are installed; the patch gets ears and hands. Returns its text."""
    shutil.copytree(where, folder, dirs_exist_ok=True)
    shutil.copytree(ROOT / "models", folder / "models", ignore=shutil.ignore_patterns("*.md", "cards", "presets"), dirs_exist_ok=True)
    shutil.copytree(EXAMPLES, folder / "examples", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "examples" / "test-ear.pd").write_text(ear())
    (folder / "examples" / "test-hand.pd").write_text(hand())
    path = folder / "examples" / f"{name}.pd"
    text = path.read_text().replace(" dac~;", " test-ear;").replace(" adc~ 1;", " test-hand;")
    # the impulse on the sample on which a drum starts
    last = place(text + "#X obj 0 0 the end;\n", "the end")
    text += f"#X obj 0 0 throw~ test-impulse;\n#X connect {place(text, 'torchdrum~')} 1 {last} 0;\n"
    path.write_text(text)
    return text


def record(host, where, folder, name: str, *sends: str, seconds: float = SECONDS):
    """Console, both ears and the impulses of an example that plays alone. sends: messages at the start, such as "sequencer-play 1"."""
    text = set_up(where, folder, name)
    hand = np.zeros(2 * RATE, np.float32)
    for at in STROKES:
        burst = np.random.default_rng(808).uniform(-0.5, 0.5, RATE // 20) * np.exp(-np.arange(RATE // 20) / (0.008 * RATE))
        hand[int(at * RATE) : int(at * RATE) + len(burst)] += burst.astype(np.float32)
    sf.write(folder / "hand.wav", hand, RATE, subtype="FLOAT")
    signals, length = ("left", "right", "impulse"), int(seconds * RATE)
    p = Patch()
    start, order, filer = p.obj("loadbang"), p.obj("t b b b b"), p.obj("soundfiler")
    p.cord(start, 0, order)
    p.obj("table test-hand")
    p.obj("r test-start")  # not every example has a microphone
    read = p.msg("read -resize hand.wav test-hand")
    p.cord(order, 3, read)
    p.cord(read, 0, filer)
    p.cord(order, 2, p.msg(f"; pd open {name}.pd examples"))
    p.cord(order, 1, p.msg("; pd dsp 1; test-start bang" + "".join(f"; {send}" for send in sends)))
    end, finish = p.obj(f"delay {1000 * seconds + 10}"), p.obj("t b b")
    p.cord(order, 0, end)
    p.cord(end, 0, finish)
    p.cord(finish, 0, p.msg("; pd quit"))
    for signal in signals:
        p.obj(f"table got-{signal} {length}")
        write, message = p.obj(f"tabwrite~ got-{signal}"), p.msg(f"write -wave -bytes 4 {signal}.wav got-{signal}")
        p.cord(p.obj(f"catch~ test-{signal}"), 0, write)
        p.cord(order, 1, write)
        p.cord(finish, 1, message)
        p.cord(message, 0, filer)
    log = run_patch(host, folder, p, RATE)
    return text, log, *(sf.read(folder / f"{signal}.wav", dtype="float32")[0] for signal in signals)


@pytest.mark.parametrize(
    ("name", "sends"),
    [
        ("microphone", ""),
        ("sequencer", "sequencer-play 1"),
        ("morph", "morph-amount 0.5"),
        ("features", ""),
        ("features", "features-808 0"),
    ],
)
def test_an_example_opens_whole_and_sounds(host, where, tmp_path, name, sends):
    _, log, left, right, impulse = record(host, where, tmp_path, name, *filter(None, [sends]))
    assert wrong(log) == []
    assert np.isfinite(left).all() and 0.05 < np.abs(left).max() < 1
    np.testing.assert_array_equal(left, right)
    assert np.count_nonzero(impulse) >= 3


def test_a_microphone_is_heard_at_every_stroke(host, where, tmp_path):
    impulse = record(host, where, tmp_path, "microphone")[-1]
    starts = np.flatnonzero(impulse) / RATE
    assert len(starts) == 3 and np.allclose(np.diff(starts), np.diff(STROKES), atol=0.005)


@pytest.mark.parametrize(("tempo", "swing"), [(120, 50), (105, 58), (187.5, 75)])
def test_steps_of_the_sequencer_come_on_their_sample(host, where, tmp_path, tempo, swing):
    sends = (f"sequencer-tempo {tempo}", f"sequencer-swing {swing}", "sequencer-play 1")
    text, log, *_, impulse = record(host, where, tmp_path, "sequencer", *sends)
    assert wrong(log) == []
    loudness = np.array([float(v) for v in text.split("$0-loudness 16 float")[1].split("#A 0 ")[1].split(";")[0].split()])
    pair = 30 / tempo * RATE
    steps = [k for k in range(int(2 * SECONDS * RATE / pair) - 4) if loudness[k % 16] > 0]
    due = np.array([pair * (k // 2) + pair * swing / 100 * (k % 2) for k in steps])
    starts = np.flatnonzero(impulse)[: len(due)]
    assert np.abs((starts - starts[0]) - due).max() <= 1  # rounded to a sample at both ends
    np.testing.assert_allclose(impulse[starts], loudness[[k % 16 for k in steps]], atol=0.02)


def test_morph_loads_two_models_and_moves_between_them(host, where, tmp_path):
    sounds = []
    for k, amount in enumerate((0, 1)):
        folder = tmp_path / str(k)
        folder.mkdir()
        sounds.append(record(host, where, folder, "morph", f"morph-amount {amount}", seconds=2)[2])
    assert np.abs(sounds[0] - sounds[1]).max() > 0.05


def python_example():
    spec = importlib.util.spec_from_file_location("osc_example", EXAMPLES / "osc.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def listening(host, where, tmp_path):
    """osc.pd in a Pd that runs in real time, its port, and the level of what it plays in its log."""
    set_up(where, tmp_path, "osc")
    port, log = free_port(), tmp_path / "log.txt"
    p = Patch(declare=[tmp_path / "examples"])
    p.obj(f"osc {port}")
    p.cord(p.obj("loadbang"), 0, p.msg("; pd dsp 1"))
    level, loud = p.obj("env~ 1024"), p.obj("moses 60")
    p.cord(p.obj("catch~ test-left"), 0, level)
    p.cord(level, 0, loud)
    p.cord(loud, 1, p.obj("print level"))
    (tmp_path / "test.pd").write_text(p.text())
    command = [str(host.program), "-noaudio", "-nogui", "-noprefs", "-stderr", "-r", str(RATE), "-open", "test.pd"]
    with log.open("w") as out:
        pd = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=out)
        try:
            yield port, lambda: log.read_text(errors="replace").splitlines()
        finally:
            pd.terminate()
            pd.wait(20)


def test_osc_packets_play_and_change_the_808_and_strokes_come_back(listening):
    port, log = listening
    osc = python_example()
    drum, came = osc.Drum(port), []

    def until(wanted, *message, seconds=60):
        """Sends the message, again while nothing comes, until something wanted came back."""
        deadline, again = time.monotonic() + seconds, 0
        while time.monotonic() < deadline:
            if message and time.monotonic() > again:
                drum.send("reply", drum.socket.getsockname()[1])  # Pd may have begun to listen only now
                drum.send(*message)
                again = time.monotonic() + 2
            if answer := drum.answer(0.2):
                came.append(answer)
                if wanted(*answer):
                    return answer
        raise AssertionError(f"{message}: only {came[-5:]}\n" + "\n".join(log()))

    def answered(*words):
        return lambda address, arguments: address == "/torchdrum/info" and arguments[: len(words)] == list(words)

    until(answered("version"), "version")
    drum.send("depth", 2)
    until(answered("depth", 2.0), "get", "depth")
    until(answered("loaded", "open_snare"), "load", "open_snare")
    came.clear()
    strokes = list(osc.rhythm(1, tempo=240))
    osc.play(drum, strokes, lambda *answer: came.append(answer))
    until(lambda address, _: sum(a == "/torchdrum/hit" for a, _ in came) >= len(strokes))
    assert [a for a, _ in came] == ["/torchdrum/features", "/torchdrum/hit"] * len(strokes)
    loud = [arguments[0] for address, arguments in came if address.endswith("features")]
    np.testing.assert_array_equal(np.argsort(np.argsort(loud)), np.argsort(np.argsort([s[1] for s in strokes])))
    drum.send("preset", "noisy_snare")
    until(answered("osc1_freq", 500.0), "get", "osc1_freq")
    assert wrong(log()) == [] and any(line.startswith("level:") for line in log())
