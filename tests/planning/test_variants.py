"""One item per stratum and operating point, under stable names."""

import pytest

from synnodtest.planning.variants import variants
from synnodtest.spec import load_spec

SPEC = """
synnodtest: 1
defaults: {{operating_point: {points}}}
behaviours:
  - id: b
    statement: s
    scenes:
      backgrounds: {{set: normal, count: 3}}
      nodules: [{{diameter_mm: {{sweep: [4, 6, 8, 12, 20]}}, location: {{region: lung}}}}]
    expect:
      - {expect}
"""


def items(tmp_path, expect, points="[0.25]"):
    path = tmp_path / "s.yaml"
    path.write_text(SPEC.format(expect=expect, points=points))
    behaviour = load_spec(path).behaviours[0]
    return variants(behaviour, behaviour.expectations[0])


def ids(*arguments, **options):
    return [v.id for v in items(*arguments, **options)]


def test_one_point_and_no_stratum_keep_the_plain_name(tmp_path):
    assert ids(tmp_path, "sensitivity: {at_least: 0.5}") == ["sensitivity"]


def test_several_operating_points_are_items_of_their_own(tmp_path):
    found = items(tmp_path, "sensitivity: {at_least: 0.5}", points="[0.15, 0.5]")
    assert [v.id for v in found] == ["sensitivity[0.15]", "sensitivity[0.5]"]
    assert [v.operating_point for v in found] == [0.15, 0.5]


def test_strata_are_crossed_and_narrow_where(tmp_path):
    text = (
        "sensitivity: {where: {diameter_mm: {at_least: 5}}, by: {sex: [F, M], diameter_mm: [4, 10, 20]}, at_least: 0.5}"
    )
    found = items(tmp_path, text)
    assert [v.id for v in found] == [
        f"sensitivity[sex={sex},diameter_mm={size}]" for sex in "FM" for size in ("4-10", "10-20")
    ]
    first = found[0].parameters["where"]
    assert first["sex"] == {"equals": "F"}
    assert (first["diameter_mm"]["at_least"], first["diameter_mm"]["at_most"]) == (5, pytest.approx(10))


def test_strata_and_operating_points_together(tmp_path):
    text = "sensitivity: {by: diameter_mm, operating_point: [0.1, 0.2], at_least: 0.5}"
    assert ids(tmp_path, text)[:2] == ["sensitivity[diameter_mm=4,0.1]", "sensitivity[diameter_mm=4,0.2]"]
    assert len(ids(tmp_path, text)) == 10


def test_the_groups_of_a_parity_stay_together(tmp_path):
    found = items(tmp_path, "parity: {across: {sex: [F, M]}, margin: 0.1}")
    assert [v.id for v in found] == ["parity"]
    assert len(found[0].parameters["strata"]) == 2


@pytest.mark.parametrize(
    "expect",
    [
        "froc: {at_least: 0.5}",
        "auc: {at_least: 0.5}",
        "afroc: {at_least: 0.5}",
        "average_precision: {at_least: 0.5}",
        "calibration: {at_most: 0.1}",
        "monotone: {over: diameter_mm, min_spearman: 0.5, max_drop: 0.1}",
    ],
)
def test_what_looks_at_raw_scores_is_one_item_whatever_the_points(tmp_path, expect):
    assert len(ids(tmp_path, expect, points="[0.15, 0.5]")) == 1


def test_a_trend_of_detections_is_judged_at_each_point(tmp_path):
    text = "monotone: {over: diameter_mm, response: detected, min_spearman: 0.5, max_drop: 0.1}"
    assert len(ids(tmp_path, text, points="[0.15, 0.5]")) == 2
