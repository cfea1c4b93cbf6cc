# SPDX-License-Identifier: MIT
"""What a patch and a file system may do to [torchdrum~] in real Pd: the sound goes on, and what is wrong is one line."""

import json
import shutil

import numpy as np
import pytest
import soundfile as sf
from pd_host import ROOT, Patch, play, run_patch
from test_sound_in_pd import recording

MODEL = ROOT / "models" / "snare_2.safetensors"
MISTAKES = {  # a file's name and what is wrong with it
    "cut short": lambda path: path.write_bytes(MODEL.read_bytes()[:700]),
    "empty": lambda path: path.write_bytes(b""),
    "a folder": lambda path: path.mkdir(),
    "larger than any model": lambda path: path.write_bytes(bytes(1 << 21)),
    "one bit flipped": lambda path: path.write_bytes(MODEL.read_bytes()[:-1] + bytes([MODEL.read_bytes()[-1] ^ 1])),
    "a text": lambda path: path.write_text("la la la"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_file_that_is_no_model_is_one_line_and_the_drum_plays_on_as_it_did(host, where, tmp_path, what):
    MISTAKES[what](tmp_path / "bad.safetensors")
    x = recording("loop_compus", seconds=2.0)
    plain = play(host, where, tmp_path, x)
    run = play(host, where, tmp_path, x, messages=[(200, "load bad.safetensors"), (300, "load nowhere"), (400, "reload")])
    lines = [line for line in run.log if "torchdrum~:" in line]
    assert len([line for line in lines if "bad.safetensors" in line]) == 1 and len([line for line in lines if "nowhere" in line]) == 1
    np.testing.assert_array_equal(run.drum, plain.drum)


@pytest.mark.parametrize("name", ["trommel für zwei hände", "太鼓", "a, b; c $1", "model with  two spaces"])
def test_a_model_is_found_whatever_its_name_and_folder_are(host, where, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    shutil.copy(MODEL, folder / f"{name}.safetensors")
    symbol = f"{name}/{name}".replace(",", "\\,").replace(";", "\\;").replace("$", "\\$").replace(" ", "\\ ")
    (tmp_path / "load.txt").write_text(f"load {symbol};\n")
    p = Patch(declare=[where])
    start, file, td, end = p.obj("loadbang"), p.obj("text define -k list"), p.obj("torchdrum~"), p.obj("del 100")
    order, read, get = p.obj("t b b b"), p.msg("read -c load.txt"), p.obj("text get list")
    p.cord(start, 0, order)
    p.cord(order, 2, read)
    p.cord(read, 0, file)
    line = p.msg("0")
    p.cord(order, 1, line)
    p.cord(line, 0, get)
    p.cord(get, 0, p.obj("list trim"))
    p.cord(len(p.boxes) - 1, 0, td)
    p.cord(td, 5, p.obj("print info"))
    p.cord(order, 0, end)
    p.cord(end, 0, p.msg("; pd quit"))
    log = run_patch(host, tmp_path, p)
    assert [line for line in log if line.startswith("info: loaded ")], log


def test_a_full_disk_is_one_line_and_the_old_file_is_whole(host, where, tmp_path):
    old = {"preset": {}, "old": True}
    (tmp_path / "mine.json").write_text(json.dumps(old))
    p = Patch(declare=[where])
    start, td, end, order, write = p.obj("loadbang"), p.obj("torchdrum~"), p.obj("del 100"), p.obj("t b b"), p.msg("write mine")
    p.cord(start, 0, order)
    p.cord(order, 1, write)
    p.cord(write, 0, td)
    p.cord(order, 0, end)
    p.cord(end, 0, p.msg("; pd quit"))
    full = ("bash", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "bash")  # no file may have a byte
    log = run_patch(host, tmp_path, p, before=full)
    (line,) = [line for line in log if "torchdrum~:" in line]
    assert "write: mine.json" in line and "nothing was written" in line
    assert json.loads((tmp_path / "mine.json").read_text()) == old and not list(tmp_path.glob("*.part"))


def test_rate_and_block_size_change_while_it_plays(host, where, tmp_path):
    """A quarter to 4 times the rate, blocks of 1 to 2048, overlap, off now and then: always a finite sound; 8 times is refused."""
    x = np.tile(recording("loop_compus", seconds=2.0), 2)
    inside = Patch()
    signal, td, out, switch, words = (inside.obj(w) for w in ("inlet~", "torchdrum~ -seed 5", "outlet~", "switch~ 64 1 1", "r switch"))
    inside.cord(signal, 0, td)
    inside.cord(td, 0, out)
    inside.cord(words, 0, switch)
    inside.cord(td, 2, inside.obj("s played"))
    p = Patch(declare=[where])
    sub = p.sub(inside, "inside")
    start, order, filer = p.obj("loadbang"), p.obj("t b b b b"), p.obj("soundfiler")
    p.cord(start, 0, order)
    p.obj("table in")
    p.obj(f"table out {len(x)}")
    sf.write(tmp_path / "in.wav", x, 48000, subtype="FLOAT")
    read, dsp, player, write = p.msg("read -resize in.wav in"), p.msg("; pd dsp 1"), p.obj("tabplay~ in"), p.obj("tabwrite~ out")
    p.cord(order, 3, read)
    p.cord(read, 0, filer)
    p.cord(order, 2, dsp)
    p.cord(player, 0, sub)
    p.cord(sub, 0, write)
    for box in (player, write):
        p.cord(order, 1, box)
    p.cord(p.obj("r played"), 0, p.obj("print played"))
    changes = ["set 64 1 1", "set 2048 1 4", "set 64 1 8", "0", "1", "set 1 1 1", "set 64 1 0.25", "set 64 4 2", "set 64 1 1"]
    for k in range(60):
        delay, message = p.obj(f"del {50 * (k + 1)}"), p.msg(f"; switch {changes[k % len(changes)]}")
        p.cord(order, 0, delay)
        p.cord(delay, 0, message)
    end, last, save = p.obj("del 3900"), p.obj("t b b"), p.msg("write -wave -bytes 4 out.wav out")
    p.cord(order, 0, end)
    p.cord(end, 0, last)
    p.cord(last, 1, save)
    p.cord(save, 0, filer)
    p.cord(last, 0, p.msg("; pd quit"))
    log = run_patch(host, tmp_path, p)
    y = sf.read(tmp_path / "out.wav", dtype="float32")[0]
    assert np.isfinite(y).all() and 0.01 < np.abs(y).max() < 8.0
    assert len([line for line in log if line.startswith("played:")]) > 5
    wrong = {line for line in log if "error" in line.lower()}
    assert wrong == {"error: torchdrum~: a sample rate of 384000 Hz is not supported (8000 to 192000)"}


@pytest.mark.slow
def test_a_thousand_objects_play_in_one_patch(host, where, tmp_path):
    p = Patch(declare=[where])
    start, order, noise, end = p.obj("loadbang"), p.obj("t b b"), p.obj("noise~"), p.obj("del 300")
    p.cord(start, 0, order)
    p.cord(order, 1, p.msg("; pd dsp 1"))
    objects = [p.obj("torchdrum~") for _ in range(1000)]
    for td in objects:
        p.cord(noise, 0, td)
    p.cord(objects[-1], 2, p.obj("print last"))
    p.cord(order, 0, end)
    p.cord(end, 0, p.msg("; pd quit"))
    log = run_patch(host, tmp_path, p)
    assert [line for line in log if line.startswith("last:")]
    assert not [line for line in log if "couldn't create" in line or "torchdrum~:" in line]
