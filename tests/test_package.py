# SPDX-License-Identifier: MIT
"""The Python package as a whole."""

import gc
import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import torchdrum_py as td

ROOT = Path(__file__).resolve().parent.parent


def test_the_version_is_the_headers():
    header = (ROOT / "core" / "include" / "torchdrum.h").read_text()
    assert td.__version__ == re.search(r'TD_VERSION "(.+)"', header)[1]


def test_everything_public_exists_and_is_documented():
    for name in td.__all__:
        thing = getattr(td, name)
        if inspect.isclass(thing) or inspect.isroutine(thing):
            assert inspect.getdoc(thing), name
            for method, member in inspect.getmembers(thing, inspect.isfunction) if inspect.isclass(thing) else ():
                assert method.startswith("_") or inspect.getdoc(member), f"{name}.{method}"


def test_importing_the_package_needs_no_torch_and_no_matplotlib():
    code = "import sys, torchdrum_py.cli; sys.exit(any(m in sys.modules for m in ('torch', 'matplotlib', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], cwd="/").returncode == 0


def test_tables_have_the_numbers_of_their_files():
    assert [p.name for p in td.PARAMS][:2] == ["osc1_freq", "osc1_mod"] and td.PARAMS[1].default == 0.4
    assert td.find_control("thresh").name == "onthreshold" and td.find_control("seed").max == 16777215
    assert td.find_param("osc1.freq") is td.PARAMS[0] and td.find_param("nothing") is None


def test_patches_live_as_long_as_the_engine_may_read_them():
    engine = td.Engine(48000, depth=0.0)
    reference = td.Engine(48000, depth=0.0)
    silence = np.zeros(64, np.float32)
    for k in range(1000):
        engine.set("osc1_freq", 100 + k)
        if k % 3 == 0:
            engine.load(td.Model.builtin())
            engine.set("osc1_freq", 100 + k)
        gc.collect(0)
        engine.trigger()
        engine.process(silence)
        assert len(engine._alive) <= 4
    assert [e.param[0] for e in engine.events[-3:]] == [1097, 1098, 1099]
    assert not reference.events


def test_wrong_words_and_numbers_are_one_sentence():
    engine = td.Engine(48000)
    for wrong in (
        lambda: engine.set("osc1_frek", 3),
        lambda: engine.set("gain", float("nan")),
        lambda: engine.normalize("loudly"),
        lambda: engine.preset("snare_9"),
        lambda: engine.load("snare_9"),
        lambda: engine.shape(mask=["nothing"]),
        lambda: td.Engine(4000),
        lambda: td.Engine(48000, loudness=3),
        lambda: td.onsets(np.zeros(10), 48000, speed=3),
    ):
        with pytest.raises(td.TorchdrumError) as error:
            wrong()
        assert "\n" not in str(error.value) and len(str(error.value)) > 15
    for wrong in (
        lambda: engine.process(np.zeros((10, 2))),
        lambda: td.features(np.zeros(300), 48000),
        lambda: td.features(np.zeros(0), 48000),
    ):
        with pytest.raises(ValueError):
            wrong()


def test_numbers_beyond_a_range_are_clipped():
    engine = td.Engine(48000, osc1_freq=1e9, depth=0)
    engine.trigger()
    engine.process(np.zeros(1, np.float32))
    assert engine.events[0].param[0] == 2000


def test_morph_goes_from_one_model_to_the_other():
    values = []
    for x in (0.0, 0.5, 1.0):
        engine = td.Engine(48000, model="snare_1", depth=0.0)
        engine.morph("noisy_snare", x)
        engine.trigger([0.5, 0.5, 0.5])
        engine.process(np.zeros(1, np.float32))
        values.append(engine.events[0].param[0])
    assert values == [180, 340, 500]


def test_a_source_distribution_holds_what_a_build_needs(tmp_path):
    command = [sys.executable, "setup.py", "-q", "sdist", "--dist-dir", tmp_path / "dist"]
    tree = tmp_path / "tree"
    subprocess.run(["git", "clone", "-q", ROOT, tree], check=True)
    # the tree as it is, not as it was committed
    changed = subprocess.run(
        ["git", "ls-files", "-z", "-m", "-o", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, changed.stdout.split("\0")):
        if (ROOT / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((ROOT / name).read_bytes())
    result = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    (archive,) = (tmp_path / "dist").glob("*.tar.gz")
    subprocess.run(["tar", "-xzf", archive, "-C", tmp_path], check=True)
    (source,) = [p for p in tmp_path.glob("torchdrum-*") if p.is_dir()]
    built = subprocess.run(
        [sys.executable, "setup.py", "-q", "build", "--build-lib", tmp_path / "lib"], cwd=source, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    code = "import torchdrum_py as td; assert td.Model.load('snare_1').info['name'] == 'snare_1'; print(td.__file__)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "lib", capture_output=True, text=True)
    assert ran.returncode == 0 and str(tmp_path) in ran.stdout, ran.stderr
