# SPDX-License-Identifier: MIT
"""Objects come and go while the sound runs; the binary is what it should be."""

import re
import shutil
import subprocess

import pytest
from pd_host import ROOT, Patch, build_object, run_patch


def many_objects(where, count: int) -> Patch:
    """Creates count objects in a subpatch while DSP runs, plays them, deletes them, toggles DSP 100 times."""
    p = Patch(declare=[where])
    inside = Patch()
    inside.obj("noise~")
    sub = p.sub(inside, "nest")
    assert sub == 0
    script = ["; pd dsp 1"]
    for k in range(count):
        script.append(f"; pd-nest obj 10 10 torchdrum~ -seed {k}; pd-nest connect 0 0 {k + 1} 0")
    script.append(f"; pd-nest obj 10 10 print played; pd-nest connect {count} 2 {count + 1} 0")
    start, order = p.obj("loadbang"), p.obj("t b b b b b")
    p.cord(start, 0, order)
    create = p.msg("".join(script))
    p.cord(order, 4, create)
    for k in range(100):
        delay, toggle = p.obj(f"delay {200 + 4 * k}"), p.msg(f"; pd dsp {k % 2}")
        p.cord(order, 3, delay)
        p.cord(delay, 0, toggle)
    for at, words in ((700, "; pd dsp 1; pd-nest clear"), (720, "; pd-nest obj 10 10 torchdrum~ -seed 1"), (1000, "; pd done; pd quit")):
        delay, message = p.obj(f"delay {at}"), p.msg(words)
        p.cord(order, 2, delay)
        p.cord(delay, 0, message)
    last = p.obj("delay 999")
    p.cord(order, 1, last)
    p.cord(last, 0, p.obj("print alive"))
    return p


def sanitizer() -> tuple[str, ...]:
    """The words before a command that runs an object built with -fsanitize=address,undefined."""
    names = ("libasan.so", "libubsan.so")
    found = [subprocess.run(["cc", f"-print-file-name={name}"], capture_output=True, text=True).stdout.strip() for name in names]
    return ("env", f"LD_PRELOAD={' '.join(found)}", "ASAN_OPTIONS=detect_leaks=0")


def survives(log: list[str]):
    assert any(line.startswith("alive:") for line in log) and any(line.startswith("played:") for line in log)
    assert not [line for line in log if "couldn't create" in line or "torchdrum~:" in line]


def test_300_objects_are_created_and_deleted_and_dsp_toggled_100_times_while_the_sound_runs(host, where, tmp_path):
    survives(run_patch(host, tmp_path, many_objects(where, 300)))


@pytest.mark.slow
def test_objects_come_and_go_without_a_memory_error(host, where, tmp_path):
    if not shutil.which("valgrind"):
        pytest.fail("valgrind is needed (tools/setup.sh check)")
    # Pd's own leaks are not ours: only what is done wrong counts
    valgrind = ("valgrind", "--error-exitcode=9", "--leak-check=no", "--undef-value-errors=yes", "-q")
    survives(run_patch(host, tmp_path, many_objects(where, 20), before=valgrind, timeout=550))


@pytest.mark.slow
def test_objects_come_and_go_under_the_address_and_undefined_behaviour_sanitizers(host, tmp_path):
    build_object(tmp_path, host.double, "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    survives(run_patch(host, tmp_path, many_objects(tmp_path, 100), before=sanitizer(), timeout=550))


@pytest.fixture(scope="module")
def stripped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stripped")
    binary = build_object(folder, False)
    subprocess.run(["strip", binary], check=True)
    return binary


def test_the_stripped_object_with_its_model_is_under_200_kilobytes(stripped):
    assert 20_000 < stripped.stat().st_size < 200_000


def test_the_object_leaves_the_processors_float_mode_alone(stripped):
    code = subprocess.run(["objdump", "-d", stripped], capture_output=True, text=True, check=True).stdout
    assert len(code) > 10_000 and not re.search(r"\bv?ldmxcsr\b|\bfldcw\b", code)


def test_the_object_exports_its_setup_and_nothing_else(stripped):
    listed = subprocess.run(["nm", "-D", "--defined-only", stripped], capture_output=True, text=True, check=True).stdout
    assert [line.split()[-1] for line in listed.splitlines()] == ["torchdrum_tilde_setup"]


def test_the_makefile_with_pd_lib_builder_builds_the_object(tmp_path):
    for folder in ("core", "pd_external", "models", "help_patches"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.o", "*.pd_linux", "*.so"))
    (tmp_path / "LICENSE").write_text("")
    result = subprocess.run(["make", "-C", tmp_path / "pd_external"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "pd_external" / "torchdrum~.pd_linux").exists()
    assert "-ffast-math" not in result.stdout
    result = subprocess.run(
        ["make", "-C", tmp_path / "pd_external", "install", f"PDLIBDIR={tmp_path / 'lib'}"], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert list((tmp_path / "lib" / "torchdrum~" / "models").glob("*.safetensors"))
    assert (tmp_path / "lib" / "torchdrum~" / "examples" / "microphone.pd").exists()


@pytest.mark.parametrize("name", ["torchdrum~", "torchdrum-panel"])
def test_a_help_patch_opens_whole_and_its_drummer_plays(host, where, tmp_path, name):
    shutil.copytree(where, tmp_path, dirs_exist_ok=True)  # as it is installed: the help beside the object
    shutil.copy(ROOT / "help_patches" / "torchdrum-panel.pd", tmp_path)
    text = (ROOT / "help_patches" / f"{name}-help.pd").read_text()
    assert text.count(" dac~;") == 1
    (tmp_path / f"{name}-help.pd").write_text(text.replace(" dac~;", " test-ear;"))
    ear = Patch()
    left, level = ear.obj("inlet~"), ear.obj("env~ 4096")
    ear.boxes.append("#X obj 100 10 inlet~;")
    ear.cord(left, 0, level)
    ear.cord(level, 0, ear.obj("s test-level"))
    (tmp_path / "test-ear.pd").write_text(ear.text())
    p = Patch()
    start, order, dsp, peak = p.obj("loadbang"), p.obj("t b b b"), p.msg("; pd dsp 1"), p.obj("r test-level")
    opened, stop, end, shown = p.msg(f"; pd open {name}-help.pd ."), p.obj("delay 3000"), p.msg("; pd quit"), p.obj("print level")
    p.cord(start, 0, order)
    p.cord(order, 2, opened)
    p.cord(order, 1, dsp)
    p.cord(order, 0, stop)
    p.cord(stop, 0, end)
    p.cord(peak, 0, shown)
    log = run_patch(host, tmp_path, p)
    assert not [line for line in log if "couldn't create" in line or "error" in line]
    assert max(float(line.split()[1]) for line in log if line.startswith("level:")) > 60
