# SPDX-License-Identifier: MIT
"""On arm64 and armv7, cross-compiled and run under qemu-user: the same bits as on x86-64, the same refusals, no more symbols."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from native import CROSS_TOOLS, EMULATORS, ROOT, cross_build, emulated_instructions, instructions
from test_bits import CASES, GOLDEN, checksums, groove

ARM = ("arm64", "armv7")
BLOCKS = (1, 64, 7, 1000, 1000, 1)  # of each of CASES
MODEL = ROOT / "models" / "snare_1.safetensors"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """built(cpu): the folder of what make arm builds, which fails at the first warning."""
    folder, seen = tmp_path_factory.mktemp("cross"), {}

    def build(cpu: str) -> Path:
        if cpu not in seen:
            seen[cpu] = cross_build(cpu, folder)
        return seen[cpu]

    return build


def output(*command) -> str:
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("cpu", ARM)
def test_arm_plays_what_x86_plays_to_the_bit_at_any_block_size(built, cpu, tmp_path):
    """The golden vectors, each at another block size."""
    sums = {}
    for case, block in zip(CASES, BLOCKS, strict=True):
        sums |= checksums(tmp_path, *EMULATORS[cpu], built(cpu) / "render", block=block, cases=[case])
    assert sums == json.loads(GOLDEN.read_text())


def test_clang_for_arm64_plays_the_same_bits(tmp_path):
    """The compiler of a Mac, for Linux."""
    folder = cross_build("arm64", tmp_path, compiler="clang --target=aarch64-linux-gnu")
    sums = checksums(tmp_path, *EMULATORS["arm64"], folder / "render", cases=CASES[2:3])
    assert sums.items() <= json.loads(GOLDEN.read_text()).items()


@pytest.mark.parametrize("cpu", ARM)
@pytest.mark.parametrize("detector", "01")
def test_denormal_input_changes_no_bit_either(built, cpu, detector, tmp_path):
    """The vectors of armv7 take denormals for 0; those of the others do not."""
    x = np.fromfile(groove(tmp_path), np.float32)[:96000]
    for start, factor in ((15000, 1e-37), (45000, 1e-30), (75000, 1e-41)):
        x[start : start + 15000] *= np.float32(factor)
    x.tofile(tmp_path / "in.f32")
    results = []
    for command in ([built("x86-64") / "render"], [*EMULATORS[cpu], built(cpu) / "render"]):
        hits = output(*command, tmp_path / "in.f32", tmp_path / "out.f32", 48000, 64, detector)
        results.append((hits, (tmp_path / "out.f32").read_bytes()))
    assert results[0][0].count("\n") > 3
    assert results[0] == results[1]


@pytest.mark.parametrize("cpu", ARM)
@pytest.mark.parametrize("program", ["messages", "model_mutations"])
def test_random_messages_and_hostile_models_meet_the_same_answers(built, cpu, program):
    words = [MODEL, 1000]
    here, there = output(built("x86-64") / program, *words), output(*EMULATORS[cpu], built(cpu) / program, *words)
    assert here == there != ""


@pytest.mark.parametrize("cpu", ARM)
@pytest.mark.parametrize("floats", [32, 64])
def test_the_object_needs_the_symbols_that_it_needs_on_x86(built, cpu, floats):
    def symbols(machine: str, kind: str) -> set[str]:
        lines = output(CROSS_TOOLS[machine] + "nm", "-D", kind, built(machine) / f"torchdrum~-{floats}.so").splitlines()
        return {line.split()[-1].split("@")[0] for line in lines}

    of_libgcc = {"arm64": {"__getauxval"}, "armv7": {"raise"}}  # which atomic operations there are; division by 0
    assert symbols(cpu, "--undefined-only") - symbols("x86-64", "--undefined-only") <= of_libgcc[cpu]
    assert symbols(cpu, "--defined-only") == {"torchdrum_tilde_setup"}


def test_the_detector_computes_in_vectors_on_armv7(built):
    """gcc by itself makes none of floats there: one by one they are three times as many instructions, and slow ones."""
    ((_, count),) = emulated_instructions("armv7", built("armv7"), "onset_cost", 0)
    assert count["single"] < 2 * count["vector"]


@pytest.mark.parametrize("neon", ["yes", "no"])
@pytest.mark.parametrize("cpu", ARM)
def test_pd_lib_builder_is_told_of_neon_where_there_is_some(built, cpu, neon):
    built(cpu)  # skips without its compiler
    commands = output("make", "-n", "-B", "-C", ROOT / "pd_external", f"CC={CROSS_TOOLS[cpu]}gcc", f"NEON={neon}")
    assert "onset_rise.c" in commands
    assert ("-mfpu=neon" in commands) == (cpu == "armv7" and neon == "yes")


def test_instructions_under_qemu_are_those_of_callgrind(built):
    ((_, count),) = emulated_instructions("x86-64", built("x86-64"), "onset_cost", 0)
    assert instructions(built("x86-64") / "onset_cost", "0", only="main") == pytest.approx(count["all"], rel=0.01)
