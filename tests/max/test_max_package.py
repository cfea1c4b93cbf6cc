# SPDX-License-Identifier: MIT
"""The package for Max says what the object is: help, reference and files agree with what the class registered in the mock host."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest
from mock_max import ROOT
from test_messages_in_mock_max import described

import torchdrum_py as td

TABS = ["basic", "play", "models", "mapping", "live", "?"]


def make(folder: Path, *options) -> Path:
    command = [sys.executable, ROOT / "tools" / "max_package.py", folder / "torchdrum", "--zip", folder / "torchdrum.zip", *options]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return folder / "torchdrum"


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def registered(mock, tmp_path_factory) -> tuple[set[str], dict]:
    """The words that a message may begin with, and the attributes."""
    methods, attributes = described(mock, tmp_path_factory.mktemp("described"))
    return {name for name, kind in methods.items() if kind == "message"} | set(attributes), attributes


def patches(package: Path) -> list[Path]:
    return sorted([*package.rglob("*.maxpat"), *package.rglob("*.maxhelp")])


def boxes(patcher: dict):
    """All boxes of a patcher and its subpatchers."""
    for entry in patcher["boxes"]:
        yield entry["box"]
        if "patcher" in entry["box"]:
            yield from boxes(entry["box"]["patcher"])


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))["patcher"]


def tabs(package: Path) -> dict[str, dict]:
    root = read(package / "help" / "torchdrum~.maxhelp")
    return {e["box"]["text"].removeprefix("p "): e["box"]["patcher"] for e in root["boxes"] if "patcher" in e["box"]}


def test_everything_that_the_class_registers_is_in_the_reference_and_the_other_way_round(package, registered):
    words, attributes = registered
    root = ET.parse(package / "docs" / "torchdrum~.maxref.xml").getroot()
    assert (root.tag, root.get("name")) == ("c74object", "torchdrum~")
    methods = [m.get("name") for m in root.iter("method")]
    listed = {a.get("name"): a for a in root.iter("attribute")}
    assert len(methods) == len(set(methods)) and not set(methods) & set(listed)
    assert set(methods) - {"signal"} | set(listed) == words and "signal" in methods
    assert {name: a.get("type") for name, a in listed.items()} == {name: a["type"] for name, a in attributes.items()}
    for name, attribute in listed.items():
        assert [e.get("name") for e in attribute.iter("enum")] == attributes[name].get("enumvals", "").split()
    for tag in ("method", "attribute", "inlet", "outlet", "objarg"):
        for element in root.iter(tag):
            assert element.findtext("digest") and element.findtext("description"), (tag, element.attrib)
    assert len(list(root.iter("outlet"))) == 6
    given = {m.get("name"): [a.get("type") for a in m.iter("arg")] for m in root.iter("method")}
    assert given["morph"] == ["symbol", "symbol", "float"] and given["mask"] == given["scale"] == ["symbol", "float"]
    assert (given["store"], given["write"], given["trigger"]) == (["float"], ["symbol"], ["list"])


def test_everything_that_the_class_registers_is_in_the_help_and_the_other_way_round(package, registered):
    words, attributes = registered
    shown = tabs(package)
    comments = [
        b["text"].split()[0]
        for b in boxes(shown["?"])
        if b["maxclass"] == "comment" and b["patching_rect"][0] == 20 and not b.get("fontface")
    ]
    outlets = {"drum", "trigger", "hit", "features", "params", "info"}
    assert set(comments) - outlets - {"<model>", "signal"} == words - {"trigger"} and "trigger" in comments
    shown_attributes = [b["attr"] for tab in shown.values() for b in boxes(tab) if b["maxclass"] == "attrui"]
    assert set(shown_attributes) == set(attributes) - {"sound"}


def test_the_help_has_its_tabs_and_every_one_of_them_can_be_heard(package):
    shown = tabs(package)
    assert list(shown) == TABS and all(tab["showontab"] == 1 for tab in shown.values())
    for name in TABS[:-1]:
        kinds = [b.get("text", "").split(" ")[0] if b["maxclass"] == "newobj" else b["maxclass"] for b in boxes(shown[name])]
        assert kinds.count("torchdrum~") == 1 and {"ezdac~", "gain~", "noise~"} <= set(kinds)
    root = read(package / "help" / "torchdrum~.maxhelp")
    assert [b["jsarguments"] for b in boxes(root) if b["maxclass"] == "jsui" and b["filename"] == "helpname.js"] == [["torchdrum~"]]


def test_py2max_finds_nothing_wrong_with_any_patch(package):
    found = patches(package)
    assert len(found) == 7
    for path in found:
        result = subprocess.run([sys.executable, "-m", "py2max", "validate", path], capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        warnings = [
            line for line in result.stdout.splitlines() if "WARNING" in line and "'torchdrum~' is not in the Max reference" not in line
        ]
        assert not warnings and ("0 error(s)" in result.stdout or "clean" in result.stdout), path.name


def test_the_object_understands_every_message_of_the_patches(package, mock, tmp_path, registered):
    words, _ = registered
    sent = set()
    for path in patches(package):
        for patcher in [read(path), *(b["patcher"] for b in boxes(read(path)) if "patcher" in b)]:
            texts = {e["box"]["id"]: e["box"] for e in patcher["boxes"]}
            objects = {i for i, b in texts.items() if b.get("text", "").startswith("torchdrum~")}
            for line in patcher["lines"]:
                source, to = (line["patchline"][end][0] for end in ("source", "destination"))
                if to in objects and texts[source]["maxclass"] == "message":
                    sent.add(texts[source]["text"])
    assert len(sent) > 30 and {message.split()[0] for message in sent} <= words
    first = sorted(sent, key=lambda message: (not message.startswith(("store", "write")), message))
    log = mock.run(tmp_path, [("new", "x"), *(("send", "x", *message.split()) for message in first), ("pump",)])
    assert log.errors == ["calibrate: play at least 4 strokes, soft and hard, before done"]


def test_every_message_of_the_object_can_be_sent_from_the_help(package, registered):
    words, _ = registered
    sent = set()
    for tab in tabs(package).values():
        sent |= {box["text"].split()[0] for box in boxes(tab) if box["maxclass"] == "message"}
        sent |= {box["attr"] for box in boxes(tab) if box["maxclass"] == "attrui"}
        sent |= {box["text"].split()[1] for box in boxes(tab) if box.get("text", "").startswith("prepend ")}
    aliases = {"bang", "anything", "enable", "sound", "version"} | {a for c in td.CONTROLS for a in c.aliases}
    assert words - aliases <= sent


def test_every_file_that_a_patch_names_exists(package):
    models = {path.stem for path in (package / "media").glob("*.safetensors")}
    assert models == {path.stem for path in (ROOT / "models").glob("*.safetensors")}
    named = 0
    for path in patches(package):
        for box in boxes(read(path)):
            text = box.get("text", "")
            if box["maxclass"] == "comment":
                continue
            for file in re.findall(r"[\w~-]+\.(?:maxpat|maxhelp|safetensors|wav|aif|json)\b", text):
                assert list(package.rglob(file)), file
                named += 1
            model = re.match(r"(?:load|torchdrum~) ([a-z_0-9]+)(?: keep)?$", text)
            assert not model or model[1] in models, text
            named += bool(model)
    assert named > 15


def test_the_package_has_what_max_looks_for_and_the_projects_version(package):
    info = json.loads((package / "package-info.json").read_text())
    assert (info["name"], info["version"]) == (package.name, td.__version__)
    assert list(package.rglob(info["homepatcher"]))
    assert info["os"]["macintosh"]["platform"] == ["x64", "aarch64"] and info["os"]["windows"]["platform"] == ["x64"]
    mapping = (package / "init" / "torchdrum-objectmappings.txt").read_text()
    assert mapping == "max objectfile mc.torchdrum~ mc.wrapper~ torchdrum~;\n"
    assert (package / "icon.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "MIT" in (package / "license.md").read_text() and td.__version__ in (package / "README.md").read_text()
    plist = (ROOT / "max_external" / "Info.plist.in").read_text()
    assert plist.count("${TORCHDRUM_VERSION}") == 2


def test_the_same_sources_give_the_same_archive(package, tmp_path):
    make(tmp_path)
    assert (tmp_path / "torchdrum.zip").read_bytes() == (package.parent / "torchdrum.zip").read_bytes()


def test_externals_of_both_systems_go_into_the_archive(tmp_path):
    mac, windows = tmp_path / "mac", tmp_path / "windows"
    (mac / "torchdrum~.mxo" / "Contents" / "MacOS").mkdir(parents=True)
    (mac / "torchdrum~.mxo" / "Contents" / "MacOS" / "torchdrum~").write_bytes(b"binary")
    windows.mkdir()
    (windows / "torchdrum~.mxe64").write_bytes(b"binary")
    folder = make(tmp_path, "--externals", mac, windows)
    names = zipfile.ZipFile(tmp_path / "torchdrum.zip").namelist()
    assert {"torchdrum/externals/torchdrum~.mxo/Contents/MacOS/torchdrum~", "torchdrum/externals/torchdrum~.mxe64"} <= set(names)
    assert "torchdrum~.mxe64, torchdrum~.mxo" in (folder / "README.md").read_text()


def test_a_folder_of_externals_that_is_not_there_is_said(tmp_path):
    command = [sys.executable, ROOT / "tools" / "max_package.py", tmp_path / "torchdrum", "--externals", tmp_path / "nothere"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 2 and "there is no folder" in result.stderr and not (tmp_path / "torchdrum").exists()
