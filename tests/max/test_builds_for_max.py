# SPDX-License-Identifier: MIT
"""The object compiles, links and runs as for Windows (with mingw, and in wine where it is), and our picture of Max's API is the real one's
where MAX_SDK_BASE says where Cycling '74's max-sdk-base lies."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from mock_max import FLAGS, OBJECT, ROOT, SDK, STRICT, Mock, build, includes
from native import missing_host

import torchdrum_py as td

CONFORMANCE = ROOT / "tests" / "max" / "conformance.c"
WINDOWS = ["-DWIN_VERSION", "-DMAXAPI_USE_MSCRT"]
MINGW = "x86_64-w64-mingw32"


def run(*command):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def mingw(tool: str = "gcc") -> str:
    if not shutil.which(f"{MINGW}-{tool}"):
        missing_host(f"{MINGW}-{tool}")
    return f"{MINGW}-{tool}"


@pytest.fixture(params=["stand-in", "real"])
def sdk(request) -> Path:
    """The folder of the headers. The real ones are nobody's duty: without them it is a skip everywhere."""
    if request.param == "real":
        if "MAX_SDK_BASE" not in os.environ:
            pytest.skip("layer L2: MAX_SDK_BASE does not say where max-sdk-base lies")
        return Path(os.environ["MAX_SDK_BASE"]).resolve()
    return SDK


def with_libraries(sdk: Path, tmp_path: Path) -> Path:
    """The headers with what Windows links to: the stand-ins' import libraries are made here."""
    if sdk != SDK:
        return sdk
    copy = tmp_path / "sdk"
    shutil.copytree(SDK, copy)
    for folder, name in (("max-includes", "MaxAPI"), ("msp-includes", "MaxAudio")):
        (copy / "c74support" / folder / "x64").mkdir()
        run(mingw("dlltool"), "-d", SDK / f"{name}.def", "-l", copy / "c74support" / folder / "x64" / f"{name}.lib")
    return copy


@pytest.mark.parametrize("windows", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["native", "windows"])
def test_what_we_believe_of_the_api_holds(sdk, tmp_path, windows):
    compiler = [mingw(), *WINDOWS] if windows else ["cc"]
    run(*compiler, "-std=gnu11", "-w", *includes(sdk), "-c", CONFORMANCE, "-o", tmp_path / "x.o")


@pytest.mark.parametrize("windows", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["native", "windows"])
def test_the_object_compiles_without_a_warning_of_its_own(sdk, tmp_path, windows):
    compiler = [mingw(), *WINDOWS] if windows else ["cc"]
    warnings = ["-O2", "-Wall", "-Wextra", "-Wshadow", "-Wno-cast-function-type", *STRICT]
    system = [flag.replace("-I", "-isystem") if "c74support" in flag else flag for flag in includes(sdk)]
    run(*compiler, "-std=gnu11", *warnings, "-Werror", *system, "-c", OBJECT, "-o", tmp_path / "x.o")


def test_a_wrong_belief_does_not_compile(tmp_path):
    wrong = tmp_path / "wrong.c"
    wrong.write_text(
        CONFORMANCE.read_text().replace(
            "(outlet_list, void *, t_outlet *, t_symbol *, short", "(outlet_list, void *, t_outlet *, t_symbol *, long"
        )
    )
    result = subprocess.run(["cc", "-std=gnu11", "-w", *includes(), "-c", wrong, "-o", tmp_path / "x.o"], capture_output=True, text=True)
    assert result.returncode and "static assertion failed" in result.stderr and "outlet_list" in result.stderr


def test_every_function_of_the_api_that_the_object_calls_is_in_conformance_and_in_the_libraries(tmp_path):
    run("cc", *FLAGS, "-U_FORTIFY_SOURCE", *includes(), "-c", OBJECT, "-o", tmp_path / "x.o")
    undefined = {line.split()[-1] for line in run("nm", "-u", tmp_path / "x.o").splitlines()}
    own = "".join(path.read_text() for path in (ROOT / "core").rglob("*.h"))
    libc = {"malloc", "calloc", "realloc", "free", "snprintf", "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"}
    called = {name for name in undefined if not re.search(rf"\b{name}\(", own) and not name.startswith(("mem", "str")) and name not in libc}
    checked = set(re.findall(r"^FUNCTION\((\w+),", CONFORMANCE.read_text(), re.M))
    exported = set(re.findall(r"^    (\w+)$", (SDK / "MaxAPI.def").read_text() + (SDK / "MaxAudio.def").read_text(), re.M)) - {"DllMain"}
    assert len(called) > 50 and called == checked == exported


def binary(base: Path, tmp_path: Path, source: Path = ROOT / "max_external") -> Path:
    """Built with our CMake file for Windows."""
    if not shutil.which("cmake"):
        missing_host("cmake")
    folder = tmp_path / "build"
    run("cmake", "-S", source, "-B", folder, f"-DMAX_SDK_BASE={base}", "-DCMAKE_SYSTEM_NAME=Windows", f"-DCMAKE_C_COMPILER={mingw()}")
    run("cmake", "--build", folder)
    return folder / "externals" / "torchdrum~.mxe64"


def tables(file: Path) -> tuple[set[str], dict[str, set[str]]]:
    """What a binary exports, and what it imports from which library."""
    text = run(mingw("objdump"), "-p", file)
    exported = set(re.findall(r"^\s+\[\s*\d+\](?: \+base\[\s*\d+\]\s+[0-9a-f]+)? (\w+)$", text, re.M))
    parts = text.split("DLL Name: ")[1:]
    return exported, {part.splitlines()[0]: set(re.findall(r"^\s+[0-9a-f]+\s+\d+\s+(\w+)$", part, re.M)) for part in parts}


@pytest.mark.slow
def test_the_object_for_windows_exports_ext_main_and_imports_nobodys_dllmain(sdk, tmp_path):
    exported, imported = tables(binary(with_libraries(sdk, tmp_path), tmp_path))
    assert exported == {"ext_main"}
    assert set(imported) == {"MaxAPI.dll", "MaxAudio.dll", "KERNEL32.dll", "msvcrt.dll"}
    assert "class_dspinit" in imported["MaxAudio.dll"] and "class_new" in imported["MaxAPI.dll"]
    assert not [name for names in imported.values() for name in names if name == "DllMain"]


@pytest.mark.slow
def test_without_a_dllmain_of_our_own_the_linker_takes_max_audios(tmp_path):
    """The trap is there: the test before this one would see it."""
    for part in ("core", "max_external"):
        shutil.copytree(ROOT / part, tmp_path / part)
    source = tmp_path / "max_external" / "torchdrum~.c"
    source.write_text(source.read_text().replace("WINAPI DllMain(", "WINAPI NotDllMain("))
    base = with_libraries(SDK, tmp_path)
    assert "DllMain" in tables(binary(base, tmp_path, tmp_path / "max_external"))[1]["MaxAudio.dll"]


def test_cmake_without_an_sdk_says_what_it_needs(tmp_path):
    if not shutil.which("cmake"):
        missing_host("cmake")
    result = subprocess.run(["cmake", "-S", ROOT / "max_external", "-B", tmp_path], capture_output=True, text=True)
    assert result.returncode and "-DMAX_SDK_BASE=<folder" in result.stderr


@pytest.fixture(scope="module")
def in_wine(tmp_path_factory) -> Mock:
    """The mock host and the object compiled for Windows; wine is nobody's duty."""
    wine = shutil.which("wine64") or shutil.which("wine64", path="/usr/lib/wine")
    if not wine:
        pytest.skip("layer L1 is compiled and linked here, and not run: there is no wine64")
    folder = tmp_path_factory.mktemp("wine")
    program = build(folder / "script.exe", "script", compiler=f"{mingw()} -static {' '.join(WINDOWS)}")
    return Mock(program, [ROOT / "models"], ["env", "WINEDEBUG=-all", f"WINEPREFIX={folder / 'prefix'}", wine])


@pytest.mark.slow
def test_in_wine_the_object_for_windows_plays_what_the_core_plays(in_wine, tmp_path, bursts):
    x = bursts(48000)
    engine = td.Engine(48000, seed=5)
    drum, trigger = engine.process(np.concatenate([x, np.zeros(24000, np.float32)]))
    for vector in (1, 64, 4096):
        log = in_wine.play(tmp_path, x, vector=vector)
        np.testing.assert_allclose(log.drum, drum, atol=1e-4)
        np.testing.assert_array_equal(np.flatnonzero(log.trigger), np.flatnonzero(trigger))


@pytest.mark.slow
def test_in_wine_messages_attributes_models_and_state_work(in_wine, tmp_path):
    changes = [("send", "x", "load", "snare_2"), ("send", "x", "osc1_freq", 300), ("set", "x", "seed", 16777215), ("set", "x", "bypass", 1)]
    log = in_wine.run(
        tmp_path, [("new", "x", "@gain", -3), *changes, ("getvalueof", "x"), ("get", "x", "seed"), ("leaks",), ("churn", 100), ("leaks",)]
    )
    (value,) = log.of("value")
    assert value[:6] == ["1", "load", "snare_2", "1", "osc1_freq", "300"] and ["seed", "16777215"] in log.of("attribute")
    before, after = log.of("leaks")
    assert before == after and not log.errors
    again = in_wine.run(tmp_path, [("new", "y"), ("setvalueof", "y", *value), ("getvalueof", "y")])
    assert again.of("value") == [value]
