# SPDX-License-Identifier: MIT
"""The notebook runs from its first cell to its last, as it stands but for the number of epochs."""

import re
from pathlib import Path

import nbclient
import nbformat

import torchdrum_py as td

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "train_your_own.ipynb"


def test_the_notebook_runs_and_leaves_a_model_and_its_report(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    (cell,) = [cell for cell in notebook.cells if "EPOCHS = " in cell.source]
    cell.source = re.sub(r"EPOCHS = \d+", "EPOCHS = 2", cell.source)
    (tmp_path / "tests").symlink_to(NOTEBOOK.parents[1] / "tests")
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()
    assert td.Model.from_file(tmp_path / "mine.safetensors").info["name"] == "mine"
    assert "<audio" in (tmp_path / "mine.html").read_text()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("text/html" in output.get("data", {}) for output in shown) >= 4  # the strokes and three players


def test_the_notebook_is_committed_without_what_it_shows():
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None
