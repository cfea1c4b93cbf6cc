# SPDX-License-Identifier: MIT
"""Facts that stand in one place, and what is generated from them."""

import re
import subprocess
import sys

import pytest
import tree

ROOT = tree.ROOT
TEXT = {".py", ".c", ".h", ".def", ".sh", ".toml", ".yaml", ".in", ".md", ".pd", ".txt", ""}


FILES = [ROOT / path for path in tree.files()]


@pytest.mark.parametrize("tool", ["ruff", "clang-format"])
def test_pre_commit_runs_the_versions_of_make_check(tool):
    pinned = re.search(rf'"{tool}==([\d.]+)"', (ROOT / "pyproject.toml").read_text())[1]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.search(rf"{tool}(?:-pre-commit)?\n\s+rev: v{re.escape(pinned)}\n", hooks)


GENERATORS = ["embed.py", "example_patches.py", "help_patch.py", "message_reference.py", "panel_help.py", "panel_patch.py"]


@pytest.mark.parametrize("script", GENERATORS)
def test_generated_files_are_what_their_sources_say(script):
    result = subprocess.run([sys.executable, ROOT / "tools" / script, "--check"], capture_output=True, text=True, cwd=ROOT / "tools")
    assert result.returncode == 0, result.stderr


def test_every_source_file_names_its_licence():
    sources = [f for f in FILES if f.suffix in {".py", ".c", ".h", ".def", ".sh"} or f.name == "Makefile"]
    assert len(sources) > 40
    assert [f for f in sources if "SPDX-License-Identifier: MIT" not in f.read_text()[:200]] == []


def test_commands_that_the_readme_and_contributing_name_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"\bmake ([a-z-]+)", re.sub(r"make (things|it)\b", "", (ROOT / page).read_text())))
        assert named <= targets, page


def test_ci_runs_the_test_commands_of_the_readme():
    ci = (ROOT / ".ci" / "run").read_text()
    assert all(f"make {target}" in ci for target in ("test", "test-train", "check"))
    assert "make test" in (ROOT / "README.md").read_text()


def test_links_between_the_pages_lead_somewhere():
    for page in [f for f in FILES if f.suffix == ".md"]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_repository_is_small():
    assert sum(f.stat().st_size for f in FILES) < 10e6
