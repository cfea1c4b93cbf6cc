# SPDX-License-Identifier: MIT
"""The C programs of tests/c, compiled and run: what can only be seen from C, or only with a sanitizer."""

import dataclasses
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys

import numpy as np
import pytest

import torchdrum_py as td
from torchdrum_py import model_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "core" / "src").glob("*.c"))
MODELS = sorted((ROOT / "models").glob("*.safetensors"))
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wdouble-promotion", "-Werror"]
FLAGS = ["-std=gnu11", "-g", "-O1", "-ffp-contract=off", "-fno-math-errno", f"-I{ROOT / 'core' / 'include'}"]
SANITIZE = {
    "": [],
    "address": ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    "thread": ["-fsanitize=thread"],
}
COMPILER = os.environ.get("CC", "cc")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="counts by means of the Linux kernel")


def run(*command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300, **options)


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """program(name, sanitizer, extra sources): the path of a compiled tests/c/<name>.c."""
    folder = tmp_path_factory.mktemp("c")

    def build(name, sanitizer="", *extra):
        target = folder / f"{name}-{sanitizer or 'plain'}"
        if not target.exists():
            sources = [ROOT / "tests" / "c" / f"{name}.c", *extra, *CORE]
            libraries = ["-lm", "-lpthread", *(["-ldl"] if sys.platform == "linux" else [])]
            built = run(COMPILER, *FLAGS, *SANITIZE[sanitizer], *sources, "-o", target, *libraries)
            assert built.returncode == 0, built.stderr
        return target

    return build


def passes(*command):
    result = run(*command)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize("source", CORE, ids=lambda p: p.name)
def test_core_compiles_without_a_warning(source, tmp_path):
    result = run(COMPILER, *FLAGS, *WARNINGS, "-c", source, "-o", tmp_path / "x.o")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("language", [["-xc", "-std=c99", "-pedantic"], ["-xc++", "-std=c++11", "-pedantic"]], ids=["c99", "c++"])
@pytest.mark.parametrize("header", ["torchdrum.h", "torchdrum_object.h"])
def test_public_headers_are_clean_c99_and_cxx(language, header, tmp_path):
    result = run(
        COMPILER,
        *language,
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsyntax-only",
        f"-I{ROOT / 'core' / 'include'}",
        "-",
        input=f"#include <{header}>\n",
    )
    assert result.returncode == 0, result.stderr


def test_core_needs_nothing_but_memory_functions_and_square_root(tmp_path):
    # gcc makes a strlen of a loop that is one; clang a bcmp of a memcmp that is only asked whether two things are equal
    allowed = {"strlen", "memcpy", "memmove", "memset", "memcmp", "bcmp", "sqrt", "sqrtf", "_GLOBAL_OFFSET_TABLE_"}
    objects = []
    for source in CORE:
        target = tmp_path / (source.stem + ".o")
        assert (
            run(
                COMPILER,
                *FLAGS,
                "-O3",
                "-fPIC",
                "-fno-stack-protector",
                "-U_FORTIFY_SOURCE",
                "-c",
                source,
                "-o",
                target,
            ).returncode
            == 0
        )
        objects.append(target)
    symbols = [line.split() for line in passes("nm", "-g", *objects).splitlines() if line and not line.endswith(":")]
    defined = {s[-1] for s in symbols if s[-2] != "U"}
    undefined = {s[-1] for s in symbols if s[-2] == "U"}
    assert undefined - defined <= allowed
    assert all(name.startswith("td_") for name in defined), "a global name without the prefix"


def test_stated_errors_of_our_math_hold(program):
    passes(program("math_errors"))


def test_json_numbers_are_what_python_reads(program):
    rng = random.Random(1)
    texts = []
    for _ in range(20000):
        bits = struct.unpack("<d", struct.pack("<Q", rng.getrandbits(64)))[0]
        value = rng.choice([rng.uniform(-1, 1), rng.uniform(-1e6, 1e6), rng.randint(-(10**9), 10**9), bits])
        if isinstance(value, float) and not 1e-250 < abs(value) < 1e250:
            value = 0.0
        texts.append(rng.choice([repr, lambda v: f"{v:.9g}", lambda v: f"{v:.25e}"])(value))
    result = run(program("json_numbers"), input="\n".join(texts) + "\n")
    ours = [float.fromhex(line) for line in result.stdout.split()]
    wrong = [(t, o) for t, o in zip(texts, ours, strict=True) if o != float(t)]
    assert not wrong, wrong[:5]


@pytest.mark.parametrize("text", ["01", "1.", ".5", "+1", "1e", "NaN", "Infinity", "1e999", "-", "0x1", "1 2", ""])
def test_json_numbers_that_are_none_are_refused(program, text):
    assert "0x" not in run(program("json_numbers"), input=text + "\n").stdout


@linux_only
def test_process_allocates_nothing_locks_nothing_and_calls_no_kernel(program):
    passes(program("process_is_quiet"))


@linux_only
@pytest.mark.parametrize("plant", ["malloc", "lock", "syscall"])
def test_the_counter_of_allocations_locks_and_system_calls_works(program, plant):
    assert run(program("process_is_quiet"), plant).returncode != 0


@pytest.mark.parametrize("model", MODELS, ids=lambda p: p.stem)
def test_a_shipped_model_that_is_cut_off_anywhere_or_has_any_bit_flipped_is_refused(program, model):
    passes(program("model_mutations"), model)


@pytest.mark.parametrize("words", [("snare_1",), ("snare_1", 100000), ("brush_noisy_snare", 100000)], ids=lambda w: " ".join(map(str, w)))
def test_hostile_models_of_either_size_touch_no_memory_that_is_not_theirs(program, words):
    name, *count = words
    passes(program("model_mutations", "address"), ROOT / "models" / f"{name}.safetensors", *count)


def test_random_messages_while_playing_never_crash_and_leak_nothing(program):
    passes(program("messages", "address"), MODELS[0], 50000)


def test_of_loads_that_are_answered_late_the_newest_wins_and_a_failure_takes_nothing_away(program):
    passes(program("loads", "address"), MODELS[0])


def test_the_state_of_one_object_makes_another_the_same(program, tmp_path):
    """Also where models differ in how far the network may move a parameter, which the shipped ones do not."""
    mobile = td.Preset.load("snare_2")
    mobile = dataclasses.replace(mobile, damping=np.full(len(td.PARAMS), 1.5, np.float32))
    weight = np.random.default_rng(1).normal(0, 0.2, (len(td.PARAMS), 3))
    data = model_file.to_bytes([(weight, None)], mobile, [-50, 60, -60], [-5, 120, -5], [0.5, 0.5, 0.5], name="mobile")
    (tmp_path / "mobile.safetensors").write_bytes(data)
    passes(program("state", "address"), *MODELS, tmp_path / "mobile.safetensors")


def test_control_and_audio_threads_share_patches_without_a_race(program):
    passes(program("threads", "thread"), 100000)


@pytest.mark.skipif(not shutil.which("pd") and "TD_REQUIRE_HOSTS" not in os.environ, reason="Pure Data's headers are not installed")
def test_models_are_read_beside_the_sound_without_a_race(program, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(MODELS[0].read_bytes()[:500])
    sources = [f"-I{ROOT / 'core' / 'host'}", ROOT / "core" / "host" / "loader.c", ROOT / "pd_external" / "files.c"]
    built = program("loader", "thread", "-I/usr/include/pd", "-I/usr/local/include/pd", *sources)
    passes(built, MODELS[0], broken)
