# SPDX-License-Identifier: MIT
"""Ten thousand sequences of random messages to [torchdrum~] in real Pd while it plays, under the address sanitizer."""

import random
import shutil

import numpy as np
import pytest
import soundfile as sf
from message_cases import CASES
from pd_host import ROOT, Patch, build_object, run_patch
from test_life_in_pd import sanitizer
from test_sound_in_pd import recording

import torchdrum_py as td

SEQUENCES, EVERY_MS = 10_000, 1
ANYTHING = "snare_2 snare_3 open_snare snare_1 all centroid keep off done -1e+30 1e+30 0 0.5 1 7 200"


def words(rng: random.Random) -> str:
    """A message: one that the table has, or a word with anything behind it."""
    if rng.random() < 0.5:
        return rng.choice(rng.choice(list(CASES)).split(", "))
    names = [*(c.name for c in td.CONTROLS), *(p.name for p in td.PARAMS), "load", "morph", "calibrate", "store", "recall", "trigger",
             "mask", "scale", "offset", "depth", "preset", "normalize", "state", "reset", "reload", "read", "get", "set"]  # fmt: skip
    anything = ANYTHING.split()
    return " ".join([rng.choice(names), *(rng.choice(anything) for _ in range(rng.choice((0, 1, 1, 2, 3, 3, 7, 28))))])


def test_random_messages_are_from_every_kind():
    rng = random.Random(1)
    seen = {words(rng).split()[0] for _ in range(20000)}
    assert seen >= {"load", "morph", "calibrate", "trigger", "write", "meter", "gain", "osc1_freq", "nonsense"}


@pytest.mark.slow
def test_10000_sequences_of_random_messages_crash_nothing_and_the_output_stays_finite(host, tmp_path):
    rng = random.Random(808)
    build_object(tmp_path, host.double, "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    (tmp_path / "models").mkdir()
    for name in ("snare_2", "snare_3", "open_snare"):
        shutil.copy(ROOT / "models" / f"{name}.safetensors", tmp_path / "models")
    lines = [f"{EVERY_MS} td {'; td '.join(words(rng) for _ in range(rng.randint(1, 4)))};" for _ in range(SEQUENCES)]
    (tmp_path / "storm.txt").write_text("\n".join([*lines, "1 stormed bang;"]))
    sf.write(tmp_path / "in.wav", recording("loop_compus", seconds=4.0), 48000, subtype="FLOAT")
    length = 48 * (SEQUENCES * EVERY_MS + 100)
    p = Patch(declare=[tmp_path])
    start, order, filer = p.obj("loadbang"), p.obj("t b b b b b"), p.obj("soundfiler")
    p.obj("table in")
    p.obj(f"table out {length}")
    read, storm, play, each = p.msg("read -resize in.wav in"), p.obj("qlist"), p.obj("tabplay~ in"), p.obj("metro 4000")
    td_object, out, got = p.obj("torchdrum~ -seed 5"), p.obj("tabwrite~ out"), p.obj("r td")
    end, finish, hits = p.obj("r stormed"), p.obj("t b b b b"), p.obj("print hit")
    p.cord(start, 0, order)
    for outlet, words_, to in ((4, None, read), (3, "; pd dsp 1", None), (2, "read storm.txt", storm)):
        box = to if words_ is None else p.msg(words_)
        p.cord(order, outlet, box)
        if words_ and to is not None:
            p.cord(box, 0, to)
    p.cord(read, 0, filer)
    for to in (out, each):
        p.cord(order, 1, to)
    p.cord(each, 0, play)
    p.cord(order, 0, storm)
    p.cord(play, 0, td_object)
    p.cord(td_object, 0, out)
    p.cord(td_object, 2, hits)
    p.cord(got, 0, td_object)
    p.cord(end, 0, finish)
    write = p.msg("write -wave -bytes 4 out.wav out")
    p.cord(finish, 2, write)
    p.cord(write, 0, filer)
    p.cord(finish, 1, p.obj("print stormed"))
    p.cord(finish, 0, p.msg("; pd quit"))
    log = run_patch(host, tmp_path, p, before=sanitizer(), timeout=550)
    y = sf.read(tmp_path / "out.wav", dtype="float32")[0]
    assert any(line.startswith("stormed") for line in log) and not [line for line in log if "Sanitizer" in line or "runtime error" in line]
    assert len(y) == length and np.isfinite(y).all() and np.abs(y).max() > 0.1
    assert len([line for line in log if line.startswith("hit:")]) > 100 and len([line for line in log if "torchdrum~:" in line]) > 1000
