# SPDX-License-Identifier: MIT
"""What make dist makes, as a stranger has it: in a folder with spaces and umlauts in its name, in an empty environment, in every Pd."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile

import numpy as np
import pd_host
import pytest
import release
import tree
from native import ROOT, missing_host

import torchdrum_py as td

ELSEWHERE = "folder Größe/torchdrum~ für 808"  # where the packages are put
PD = ("pd-installed", "pd-0.55", "pd-0.55-double", "pd-arm64", "pd-arm64-double", "pd-armv7", "pd-armv7-double")
LINUX = [f"Linux-{cpu}-{size}" for cpu in release.PLATFORMS for size in (32, 64)]
VERSION = td.__version__


def make(*arguments):
    return subprocess.run([sys.executable, ROOT / "tools" / "release.py", *map(str, arguments)], capture_output=True, text=True)


def test_a_release_never_empties_a_folder_that_was_there(tmp_path):
    (tmp_path / "mine.wav").write_bytes(b"mine")
    made = make("--output", tmp_path)
    assert made.returncode and re.fullmatch(r"release.py: .* is not empty: .*\n", made.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.wav"]


def test_a_folder_of_objects_that_is_not_there_is_named(tmp_path):
    made = make("--output", tmp_path / "dist", "--objects", tmp_path / "nowhere")
    assert made.returncode and made.stderr == f"release.py: there is no folder {tmp_path / 'nowhere'}\n"
    assert not (tmp_path / "dist").exists()


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """The folder of a release, with an object for Windows that nobody has run."""
    for tool in (*(f"{platform}-gcc" for platform in release.PLATFORMS.values()), *pd_host.EMULATORS.values()):
        if shutil.which(tool) is None:
            missing_host(tool)
    folder = tmp_path_factory.mktemp("release")
    (folder / "objects").mkdir()
    (folder / "objects" / "torchdrum~.m_amd64").write_bytes(b"from another machine")
    made = make("--output", folder / "dist", "--objects", folder / "objects")
    assert made.returncode == 0, made.stdout + made.stderr
    return folder / "dist"


@pytest.fixture(scope="module")
def deken(dist, tmp_path_factory):
    """The folder into which deken's package was unpacked."""
    folder = tmp_path_factory.mktemp("deken") / ELSEWHERE
    (package,) = dist.glob("*Linux*.dek")
    zipfile.ZipFile(package).extractall(folder)
    assert [path.name for path in folder.iterdir()] == ["torchdrum~"]
    return folder


def ran(*command, **how) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **how)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_there_is_a_package_for_each_host_and_a_right_checksum_of_it(dist):
    names = {path.name for path in dist.iterdir()}
    machines = "".join(f"({machine})" for machine in (*LINUX, "Windows-amd64-32"))
    wanted = {"SHA256SUMS", f"torchdrum-{VERSION}.tar.gz", f"torchdrum-max-{VERSION}-without-externals.zip"}
    for package in (f"torchdrum~[v{VERSION}]{machines}.dek", f"torchdrum~[v{VERSION}](Sources).dek"):
        wanted |= {package, f"{package}.sha256", f"{package}.txt"}
    (wheel,) = names - wanted
    assert wanted < names and re.fullmatch(rf"torchdrum-{re.escape(VERSION)}-cp\d+-cp\d+-manylinux.*\.whl", wheel)
    for sums in (dist / "SHA256SUMS", *dist.glob("*.sha256")):
        checked = ran("sha256sum", "--check", "--strict", sums, cwd=dist)
        assert checked.count(": OK") == (len(names) - 1 if sums.name == "SHA256SUMS" else 1)
    for objects in dist.glob("*.txt"):
        assert [line.split("\t")[0] for line in objects.read_text().splitlines()] == ["torchdrum~", "torchdrum~/torchdrum-panel"]


@pytest.mark.slow
def test_the_package_says_of_each_object_where_it_was_run_or_that_it_was_not(deken):
    text = " ".join((deken / "torchdrum~" / "README.deken.pd").read_text().split())
    found = dict(re.findall(r"((?:Linux|Windows)-\w+-\d\d): (run in Pd|NOT RUN YET)", text))
    assert found["Windows-amd64-32"] == "NOT RUN YET"
    played = {f"Linux-{host.cpu}-{64 if host.double else 32}" for host in pd_host.find_hosts().values()}
    assert {machine for machine, where in found.items() if where == "run in Pd"} == played & set(LINUX)


@pytest.mark.slow
@pytest.mark.parametrize("name", PD)
def test_deken_s_folder_plays_the_core_s_bits_in_every_pd_wherever_it_lies(deken, name, tmp_path):
    host = pd_host.find_hosts().get(name)
    if host is None:
        missing_host(name)
    x = release.strokes()
    wanted, _ = td.Engine(release.RATE, "stick_snare_2", seed=5).process(np.concatenate([x, np.zeros(48000, np.float32)]))
    last = 1000 * len(wanted) / release.RATE
    messages = [(0, "version"), (last, "load rim_snare_1")]
    played = pd_host.play(host, deken, tmp_path, x, release.RATE, "-seed 5 stick_snare_2", messages, tail=48000)
    assert not played.errors
    assert any(VERSION in line for line in played.said("info:")) and "loaded rim_snare_1" in played.said("info:")
    np.testing.assert_array_equal(played.drum[: len(wanted)], wanted[: len(played.drum)])
    assert np.abs(wanted).max() > 0.1


@pytest.mark.slow
def test_help_panel_readme_and_examples_of_the_package_open_without_an_error(deken, tmp_path):
    host = pd_host.find_hosts().get("pd-0.55")
    if host is None:
        missing_host("pd-0.55")
    patches = sorted(path for path in (deken / "torchdrum~").rglob("*.pd"))
    assert {"README.deken.pd", "torchdrum~-help.pd", "torchdrum-panel.pd", "microphone.pd"} <= {path.name for path in patches}
    for path in patches:
        command = [host.program, "-nogui", "-noaudio", "-noprefs", "-stderr", "-path", deken, "-open", path, "-send", "pd quit"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and not [line for line in done.stderr.splitlines() if pd_host.ERRORS.search(line)], done.stderr


@pytest.mark.slow
def test_the_source_distribution_is_the_whole_tree(dist):
    with tarfile.open(dist / f"torchdrum-{VERSION}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {path.as_posix() for path in tree.files()} <= names
    assert not [name for name in names if name.endswith((".o", ".so", ".pd_linux")) or name.startswith((".git/", "build", "dist"))]


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A virtual environment with nothing in it, and the words that run its Python in a folder of its own."""
    folder = tmp_path_factory.mktemp("python") / ELSEWHERE
    venv.create(folder / "venv", with_pip=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}

    def python(*words) -> str:
        return ran(folder / "venv" / "bin" / "python", *words, cwd=folder, env=environment | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"})

    return folder, python


@pytest.mark.slow
def test_the_wheel_plays_in_an_empty_environment(dist, empty):
    folder, python = empty
    (wheel,) = dist.glob("*.whl")
    python("-m", "pip", "install", "-q", "--only-binary", ":all:", wheel)
    shutil.copy(ROOT / "tests" / "audio" / "drum_snare_hard.flac", folder / "schläge.flac")
    torchdrum = folder / "venv" / "bin" / "torchdrum"
    ran(torchdrum, "render", "schläge.flac", "trömmel.wav", "--model", "rim_snare_1", cwd=folder)
    assert (folder / "trömmel.wav").stat().st_size > 1000
    assert VERSION in ran(torchdrum, "--version", cwd=folder)
    assert "Traceback" not in subprocess.run([torchdrum, "doctor"], capture_output=True, text=True, cwd=folder).stderr


@pytest.mark.slow
def test_what_is_built_from_the_source_distribution_in_an_empty_environment_passes_the_tests(dist, empty):
    """Some of them here; all of them: unpack it, make test."""
    folder, python = empty
    archive = dist / f"torchdrum-{VERSION}.tar.gz"
    with tarfile.open(archive) as sources:
        sources.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    source = folder / archive.name.removesuffix(".tar.gz")
    python("-m", "pip", "install", "-q", "-c", source / "constraints.txt", "--force-reinstall", "--no-deps", archive)
    python("-m", "pip", "install", "-q", "-c", source / "constraints.txt", f"torchdrum[test] @ {archive.as_uri()}")
    tests = [source / "tests" / f"test_{name}.py" for name in ("package", "bits", "model_file", "repository")]
    assert " passed" in python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests)


@pytest.mark.slow
def test_without_a_compiler_the_build_says_what_to_install(tmp_path):
    tree.copy(tmp_path / "tree")
    command = [sys.executable, "setup.py", "-q", "build"]
    built = subprocess.run(command, cwd=tmp_path / "tree", capture_output=True, text=True, env=os.environ | {"CC": "/nowhere/cc"})
    assert built.returncode
    assert re.search(
        r"^torchdrum is partly written in C, and here is no compiler .*Install them .*then run pip install again", built.stderr, re.M
    )
