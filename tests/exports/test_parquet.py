"""``results.parquet``: section 8 can be recomputed from it, with pandas and SciPy alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from synnodtest.exports import parquet as trials

pandas = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")


@pytest.fixture
def table(made, tmp_path):
    return pandas.read_parquet(trials.write(made, tmp_path))


def ruled(made, kind, index=0):
    return [e for e in made["expectations"] if e["kind"] == kind and e["ruling"]][index]


def test_there_is_one_row_per_expectation_scene_and_nodule(made, table):
    expected = sum(max(1, len(made["scenes"][k]["nodules"])) for e in made["expectations"] for k in e["scenes"])
    assert len(table) == expected
    assert set(table.expectation.dropna()) == {e["id"] for e in made["expectations"] if e["scenes"]}


def test_sensitivity_and_its_bounds_are_recomputed(made, table):
    e = ruled(made, "sensitivity")
    mine = table[(table.expectation == e["id"]) & table.accepted & (table.requested_diameter_mm >= 14)]
    hits, n = int(mine.hit.astype(bool).sum()), len(mine)
    part = e["ruling"]["components"][0]
    assert (part["value"], e["ruling"]["n_nodules"]) == (pytest.approx(hits / n), n)
    exact = stats.binomtest(hits, n).proportion_ci(0.90, "exact")
    assert (part["lower"], part["upper"]) == (pytest.approx(exact.low), pytest.approx(exact.high))


def test_the_mean_spearman_is_recomputed(made, table):
    e = ruled(made, "monotone")
    mine = table[table.expectation == e["id"]]
    rho = [stats.spearmanr(g.requested_diameter_mm, g.confidence).statistic for _, g in mine.groupby("cluster")]
    assert e["ruling"]["components"][0]["value"] == pytest.approx(np.mean(rho), abs=0.02)


def test_false_positives_are_recomputed(made, table):
    e = ruled(made, "false_positives_per_image")
    mine = table[table.expectation == e["id"]]
    counts = [int((np.asarray(s) >= 0.25).sum()) for s in mine.finding_scores]
    assert e["ruling"]["components"][0]["value"] == pytest.approx(np.mean(counts))


def test_the_paired_table_is_recomputed(made, table):
    e = ruled(made, "non_inferior")
    mine = table[(table.expectation == e["id"]) & (table.nodule == "index")]
    wide = mine.assign(hit=mine.hit.astype(bool)).pivot(index="background", columns="arm", values="hit")
    cells = stats.contingency.crosstab(wide.double, wide.single).count
    figure = e["ruling"]["figure"]
    assert figure["n01"] == int((~wide.double & wide.single).sum())
    assert figure["n10"] == int((wide.double & ~wide.single).sum())
    assert cells.sum() == len(wide) == e["ruling"]["n_nodules"]


def test_columns_keep_their_kinds_without_a_single_trial(made, tmp_path):
    full = pandas.read_parquet(trials.write(made, tmp_path / "a"))
    for e in made["expectations"]:
        e["scenes"] = []
    made["scenes"] = {}
    empty = pandas.read_parquet(trials.write(made, tmp_path / "b"))
    assert list(empty.columns) == list(full.columns)
    assert not len(empty)


def test_an_excluded_scene_is_told_with_its_nodules_and_counts_for_no_expectation(made, tmp_path):
    of_two = (made["scenes"][k] for e in made["expectations"] for k in e["scenes"])
    scene = next(one for one in of_two if len(one["nodules"]) == 2)
    before = pandas.read_parquet(trials.write(made, tmp_path))
    made["scenes"]["f" * 64] = {**scene, "accepted": False, "rejected_because": "too far from what was asked for"}
    told = pandas.read_parquet(trials.write(made, tmp_path))
    mine = told[told.scene == "f" * 64]
    assert (list(mine.nodule), set(mine.behaviour)) == (["index", "companion"], {scene["behaviour"]})
    assert not mine.accepted.any()
    assert mine[["expectation", "confidence", "hit"]].isna().all(axis=None)
    pandas.testing.assert_frame_equal(told[told.scene != "f" * 64], before)
