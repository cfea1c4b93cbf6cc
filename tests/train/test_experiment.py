# SPDX-License-Identifier: MIT
"""The experiment trains what was asked for, once, and its table says what came out."""

import csv

import distributed
import numpy as np
import pytest
import soundfile

import torchdrum_py as td
from torchdrum_py import cli, data, experiment, long_features

STROKES = 20


@pytest.fixture(scope="module")
def drum(tmp_path_factory):
    """A recording of drums of the voice, louder and noisier from stroke to stroke."""
    preset, names = td.Preset.load("snare_1").value, [p.name for p in td.PARAMS]
    sounds = []
    for i in range(STROKES):
        params = preset.copy()
        params[names.index("tanh_gain")] += i - 10
        params[names.index("noise_gain")] += 0.5 * (i - 10)
        sounds.append(td.render_snare808(params, data.SAMPLE_RATE, 4, i, data.SAMPLE_RATE))
    path = tmp_path_factory.mktemp("drum") / "drum.wav"
    soundfile.write(path, np.concatenate(sounds), data.SAMPLE_RATE, subtype="FLOAT")
    return path


def rows_of(table) -> list[dict]:
    return list(csv.DictReader(table.read_text().splitlines()))


def run(drum, table, *words) -> int:
    return cli.main(["experiment", str(drum), "--output", str(table), "--epochs", "1", "--jobs", "1", "--seeds", "1", *words])


def test_every_kind_is_trained_once_and_what_is_there_is_not_done_again(drum, tmp_path, capsys):
    table = tmp_path / "table.csv"
    words = ["--preset", "snare_1", "--folds", "2", "--kind", "linear", "mlp", "--recipe", "default", "original"]
    assert run(drum, table, *words) == 0
    out, err = capsys.readouterr()
    rows = rows_of(table)
    assert len(rows) == 2 * 2 * 2
    assert {(row["recipe"], row["kind"], row["judged"]) for row in rows} == {
        (recipe, kind, {"default": "object", "original": "training"}[recipe])
        for recipe in ("default", "original")
        for kind in ("linear", "mlp")
    }
    for row in rows:
        errors = [[float(row[f"{kind}_{name}"]) for name in long_features.NAMES] for kind in ("preset", "trained", "played")]
        assert np.isfinite(errors).all() and (np.array(errors) >= 0).all()
        assert float(row["ratio"]) == pytest.approx(np.mean(np.divide(errors[2], errors[0])))
        assert int(row["strokes"]) == STROKES
    mean = np.mean([float(row["ratio"]) for row in rows if (row["recipe"], row["kind"]) == ("original", "linear")])
    assert f"| original linear 256 (training) | {mean:.3f} ± " in out and "8/8" in err
    before = table.read_bytes()
    assert run(drum, table, *words) == 0
    again, err = capsys.readouterr()
    assert again == out and "8 of 8 trainings are in" in err and table.read_bytes() == before


def test_direct_optimisation_and_long_windows_are_judged_in_training(drum, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(experiment, "DIRECT_STEPS", 15)
    table = tmp_path / "table.csv"
    assert run(drum, table, "--preset", "snare_2", "--folds", "2", "--kind", "direct", "mlp", "--window", "256", "2048") == 0
    rows = {(row["kind"], row["window"], row["fold"]): row for row in rows_of(table)}
    assert len(rows) == 2 + 2 * 2
    assert {key[:2]: row["judged"] for key, row in rows.items()} == {
        ("direct", "256"): "training",
        ("mlp", "256"): "object",
        ("mlp", "2048"): "training",
    }
    for fold in "01":
        before, after = (float(rows["direct", "256", fold][f"{kind}_transient_loudness"]) for kind in ("preset", "played"))
        assert after < 0.5 * before


def test_a_dask_cluster_does_the_same(drum, tmp_path, capsys):
    words = ["--preset", "snare_1", "--folds", "2", "--kind", "linear"]
    assert run(drum, tmp_path / "here.csv", *words) == 0
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
        assert run(drum, tmp_path / "there.csv", *words, "--dask", cluster.scheduler_address) == 0
    here, there = ({row["fold"]: row["ratio"] for row in rows_of(tmp_path / f"{name}.csv")} for name in ("here", "there"))
    assert here == there and len(here) == 2


def test_parts_share_no_stroke_and_each_stroke_is_tested_once():
    hits = [data.Hit(np.zeros(1, np.float32), np.array([i, 0, 0], np.float32), f"{i}") for i in range(40)]
    tested = []
    for fold in range(5):
        learn, choose, test = data.parts(hits, 5, fold, seed=3)
        assert sorted(hit.group for hit in (*learn, *choose, *test)) == sorted(hit.group for hit in hits)
        assert len(test) == 8 and len(choose) == 4
        tested += test
    assert sorted(hit.group for hit in tested) == sorted(hit.group for hit in hits)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--folds", "1"], "--folds"),
        (["--folds", "21"], "fewer different strokes"),
        (["--preset", "snare_9"], "snare_9"),
        (["--epochs", "0"], "--epochs"),
        (["--device", "moon"], "no device moon"),
    ],
)
def test_what_cannot_be_is_one_sentence(drum, tmp_path, capsys, words, reason):
    assert run(drum, tmp_path / "table.csv", *words) == 2
    err = capsys.readouterr()[1].strip().splitlines()
    assert err[-1].startswith("torchdrum: ") and reason in err[-1]
    assert not (tmp_path / "table.csv").exists() or not (tmp_path / "table.csv").read_text()


def test_a_row_that_was_not_written_whole_is_done_again(drum, tmp_path, capsys):
    table, words = tmp_path / "table.csv", ["--preset", "snare_1", "--folds", "2", "--kind", "linear"]
    assert run(drum, table, *words) == 0
    whole = table.read_bytes()
    table.write_bytes(whole[:-20])
    assert run(drum, table, *words) == 0
    assert "1 of 2 trainings are in" in capsys.readouterr()[1]
    assert len(rows_of(table)) == 2 and all(row["seconds"] for row in rows_of(table))


def test_other_folds_and_epochs_are_other_trainings(drum, tmp_path, capsys):
    table, words = tmp_path / "table.csv", ["--preset", "snare_1", "--kind", "linear"]
    assert run(drum, table, *words, "--folds", "2") == 0
    assert run(drum, table, *words, "--folds", "3") == 0
    assert len(rows_of(table)) == 5 and "already" not in capsys.readouterr()[1]


def test_a_file_that_is_no_table_is_left_alone(drum, tmp_path, capsys):
    table = tmp_path / "table.csv"
    for content in (b"time,level\n1,2\n", b"a note", bytes(range(256))):
        table.write_bytes(content)
        assert run(drum, table) == 2
        assert "not the table of an experiment" in capsys.readouterr()[1]
        assert table.read_bytes() == content
