# SPDX-License-Identifier: MIT
"""torchdrum bench: what it measures is there, whole and consistent. How fast anything is, no test says."""

import json
import math
import shutil

import pytest
from native import missing_host

from torchdrum_py import bench
from torchdrum_py.cli import main


@pytest.fixture
def result(capsys):
    def measure(*options):
        assert main(["bench", "--seconds", "0.5", "--json", *options]) == 0
        return json.loads(capsys.readouterr().out)

    return measure


def test_every_part_has_a_time_and_the_engine_beside_the_reference_plays_the_same(result):
    measured = result()
    names = [row["name"] for row in measured["rows"]]
    assert len(set(names)) == len(names) and {bench.PLAYING, *bench.NETWORKS} <= set(names)
    for row in measured["rows"]:
        assert row["core"] > 0
        assert (row["reference"] is None) == (row["name"] in bench.NETWORKS)
        beside = row["reference"] or row["torch"]
        assert math.isclose(row["ratio"], beside / row["core"]) if beside else row["ratio"] is None
    assert measured["block"]["core"]["worst"] >= measured["block"]["core"]["mean"] > 0
    assert measured["instances"] > 0 and measured["difference"] < 1e-4


def test_the_table_has_a_line_for_each_part(capsys):
    assert main(["bench", "--seconds", "0.5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(list(bench.cases())) + 3
    assert all(any(line.startswith(name) for line in lines) for _, name in bench.cases())


def test_a_network_with_nothing_to_compare_with_has_no_ratio(monkeypatch, result):
    monkeypatch.setattr(bench, "torch_network_ns", lambda *_: None)
    assert [row["name"] for row in result()["rows"] if row["ratio"] is None] == list(bench.NETWORKS)


@pytest.mark.slow
def test_instructions_are_counted_the_same_twice(result):
    if not shutil.which("valgrind"):
        missing_host("valgrind")
    counts = [[row["instructions"] for row in result("--instructions")["rows"]] for _ in range(2)]
    assert counts[0] == counts[1]
    assert all(count["core"] > 1 for count in counts[0])


def test_without_valgrind_instructions_are_refused_in_a_sentence(monkeypatch, capsys):
    monkeypatch.setattr(bench.shutil, "which", lambda name: None)
    assert main(["bench", "--seconds", "0.5", "--instructions"]) == 2
    assert "valgrind, which is not installed" in capsys.readouterr().err
