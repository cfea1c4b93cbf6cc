# SPDX-License-Identifier: MIT
"""Strokes made here, for tests that need sound but no particular recording, and files of them; commands run in this process."""

import re
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

from torchdrum_py import cli

# A shell that runs the tests in the background makes them and all that they start deaf to Ctrl-C, which some of them send.
signal.signal(signal.SIGINT, signal.default_int_handler)


def bursts(rate: int = 48000, times=(0.1, 0.4, 0.75), seconds: float = 1.0) -> np.ndarray:
    """Bursts of decaying noise, each louder than the last, float32 mono. The same sound at every call."""
    rng, x = np.random.default_rng(808), np.zeros(round(seconds * rate), np.float32)
    for i, time in enumerate(times):
        at = round(time * rate)
        t = np.arange(min(round(0.05 * rate), len(x) - at)) / rate
        x[at : at + len(t)] += 0.2 * (i + 1) * rng.uniform(-1, 1, len(t)) * np.exp(-t / 0.008)
    return x


@pytest.fixture(name="bursts")
def bursts_fixture():
    return bursts


@pytest.fixture
def sound_file(tmp_path):
    """sound_file(name, x, rate, subtype): the path of a written audio file."""

    def write(name="in.wav", x=None, rate=48000, subtype="FLOAT") -> Path:
        soundfile.write(tmp_path / name, bursts(rate) if x is None else x, rate, subtype=subtype)
        return tmp_path / name

    return write


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """run(words…): exit code, stdout and stderr of a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def command(*words):
        try:
            code = cli.main([str(w) for w in words])
        except SystemExit as stopped:  # argparse
            code = stopped.code
        return code, *capsys.readouterr()

    return command


@pytest.fixture
def refused(run, tmp_path):
    """refused(words…): the one line of a command that must refuse, after seeing that it left every file as it was."""

    def files():
        return {p: p.read_bytes() if p.is_file() else None for p in tmp_path.rglob("*")}

    def command(*words):
        before = files()
        code, out, err = run(*words)
        assert (code, out) == (2, "")
        assert re.fullmatch(r"torchdrum: [^\n]+\n", err), err
        assert files() == before
        return err

    return command
