# SPDX-License-Identifier: MIT
"""torchdrum doctor: is everything in place for [torchdrum~] in Pd?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .audio import whole_file
from .errors import TorchdrumError, cannot
from .model import SUFFIX, models_folder

OBJECT = "torchdrum~"
ENDINGS = {
    "linux": (
        ".l_amd64",
        ".l_arm64",
        ".pd_linux",
        ".linux-amd64-32.so",
        ".linux-amd64-64.so",
        ".linux-arm64-32.so",
        ".so",
    ),
    "darwin": (".d_fat", ".d_amd64", ".d_arm64", ".pd_darwin", ".darwin-fat-32.so"),
    "win32": (".dll", ".m_amd64", ".windows-amd64-32.dll"),
}.get(sys.platform, (".so",))


def external_folders() -> list[Path]:
    """Where Pd looks for externals that a user installs; the first is where doctor --install puts the object."""
    home = Path(os.path.expanduser("~"))  # "~" itself where nobody knows it
    if sys.platform == "darwin":
        return [home / "Documents/Pd/externals", home / "Library/Pd", Path("/Library/Pd")]
    if sys.platform == "win32":
        data = Path(os.environ.get("APPDATA", home / "AppData/Roaming"))
        return [
            home / "Documents/Pd/externals",
            data / "Pd",
            Path(os.environ.get("COMMONPROGRAMFILES", "C:/Program Files/Common Files")) / "Pd",
        ]
    return [
        home / ".local/lib/pd/extra",
        home / "Documents/Pd/externals",
        home / "pd-externals",
        Path("/usr/local/lib/pd-externals"),
        Path("/usr/lib/pd/extra"),
    ]


def find_pd() -> tuple[Path | None, str]:
    """Pd's program and what it says about its version."""
    places = [Path(p) for p in (shutil.which("pd"), shutil.which("pd64")) if p]
    if sys.platform == "darwin":
        places += sorted(Path("/Applications").glob("Pd*.app/Contents/Resources/bin/pd"), reverse=True)
    for place in places:
        try:
            said = subprocess.run([place, "-version"], capture_output=True, text=True, timeout=20)
            return place, (said.stdout + said.stderr).strip().splitlines()[0]
        except (OSError, subprocess.TimeoutExpired, IndexError):
            continue
    return None, ""


def find_object() -> list[Path]:
    """Installed objects, in the order in which Pd looks."""
    return [
        path
        for folder in external_folders()
        for where in (folder, folder / OBJECT)
        for ending in ENDINGS
        if (path := where / (OBJECT + ending)).exists()
    ]


def built_objects(source: Path) -> list[Path]:
    """Objects that make pd has built in a folder."""
    return [path for ending in ENDINGS if (path := source / (OBJECT + ending)).exists()]


def install(source: Path, to: Path | None = None) -> list[Path]:
    """Copies built objects, the help patch, the examples and the models to where Pd looks. Returns what was copied.

    A file that is there already is replaced, not written over: a Pd that has it loaded plays on."""
    objects = built_objects(source)
    if not objects:
        raise TorchdrumError(f"there is no built object in {source}: run make pd in the project's folder, or give --from its folder")
    folder = (to or external_folders()[0]) / OBJECT
    patches = source.parent / "help_patches"
    wanted = {folder / path.name: path for path in (*objects, *sorted(patches.glob("*.pd")))}
    wanted |= {folder / "examples" / path.name: path for path in sorted((patches / "examples").glob("*.*")) if path.is_file()}
    for entry in models_folder().iterdir():
        if entry.name.endswith(SUFFIX):
            wanted[folder / "models" / entry.name] = entry
    try:
        for place in {path.parent for path in wanted}:
            place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot(folder, "written", error) from None
    for target, origin in wanted.items():
        with whole_file(target) as temporary:
            temporary.write_bytes(origin.read_bytes())
    return list(wanted)


def report() -> tuple[list[str], bool]:
    """Lines to print, and whether everything is in place."""
    pd, version = find_pd()
    lines = [
        f"Pd       {version} ({pd})"
        if pd
        else "Pd       not found: install it (Debian, Ubuntu: apt install puredata; macOS, Windows: puredata.info)"
    ]
    found = find_object()
    lines += [f"object   {path}" for path in found]
    if not found:
        lines.append(f"object   {OBJECT} is not where Pd looks: run make pd, then torchdrum doctor --install")
    else:
        folder = found[0].parent
        count = len(list((folder / "models").glob(f"*{SUFFIX}")))
        lines.append(
            f"models   {count} in {folder / 'models'}"
            if count
            else "models   none beside the object (the built-in one plays; torchdrum doctor --install adds the others)"
        )
        lines.append(f"in Pd    create [{OBJECT}] in a patch; right click, Help shows what it can do")
        if (folder / "examples").is_dir():
            lines.append(f"examples {folder / 'examples'}: microphone, sequencer, OSC, morphing, another synthesizer")
    return lines, bool(pd and found)
