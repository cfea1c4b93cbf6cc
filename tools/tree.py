# SPDX-License-Identifier: MIT
"""The files of this tree: those that git keeps or does not know yet; in an unpacked source distribution, all that was not built there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILT_FOLDERS = {".git", ".venv", "build", "dist", "__pycache__"}
BUILT_SUFFIXES = {".o", ".so", ".pd_linux", ".pyc"}
BUILT_FILES = {Path("torchdrum_py", name) for name in ("_core.c", "batch.c")}


def files() -> list[Path]:
    """Relative to ROOT, sorted."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    has_git = (ROOT / ".git").exists() and shutil.which("git")
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True) if has_git else None
    if listed and listed.returncode == 0:
        found = {Path(name) for name in listed.stdout.split("\0") if name}
    else:
        found = {path.relative_to(ROOT) for path in ROOT.rglob("*")}
        found = {path for path in found if not BUILT_FOLDERS & set(path.parts) and path.suffix not in BUILT_SUFFIXES}
        found -= BUILT_FILES
    return sorted(path for path in found if (ROOT / path).is_file())


def copy(folder: Path):
    """All of them into a folder, which must not be there yet."""
    for path in files():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target)
