"""What counts as found, as a false positive and as selected, against conditions written out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from synnodtest.evidence.conditions import holds
from synnodtest.evidence.regions import AllOf, AnyOf, NotIn, evaluate, lies_in, region_names, region_text
from synnodtest.evidence.trial import cluster_counts, predicate
from tests.expectations.evidence import evidence, trial


@pytest.mark.parametrize(("point", "found"), [(0.4999, True), (0.5, True), (0.5001, False)])
def test_a_finding_at_the_operating_point_counts_on_a_nodule_and_off_it(point, found):
    made = trial("b", 0.5, false_positives=[0.5, 0.1], fires=[("hilar", 0.5), ("apical", 0.9)])
    assert made.nodules[0].detected(point) is found
    assert made.false_positives_at(point) == found
    assert made.fires_in("hilar", point) is found
    assert not made.fires_in("hilar", 0.6)
    assert made.loudest == 0.9


def test_a_nodule_without_a_finding_is_missed_at_any_operating_point():
    missed = trial("b", 0.0)
    assert not missed.nodules[0].detected(0.0)
    assert missed.loudest == 0.0
    assert missed.nodule("other") is missed.nodule("nodule" * 2) is None
    assert missed.nodule(None) is missed.nodule("nodule") is missed.nodules[0]


def test_a_check_that_forgets_to_name_the_operating_point_is_told_so_in_place_of_finding_every_nodule_detected():
    missed = trial("b", 0.0)
    with pytest.raises(TypeError, match=r"nodule\.detected\(evidence\.operating_point\)"):
        all(nodule.detected for nodule in missed.nodules)


MASKS = {"lung": np.array([[True, True, False, False]]), "hilar": np.array([[False, True, True, False]])}
LUNG, HILAR = MASKS.values()


@pytest.mark.parametrize(
    ("expression", "mask", "text"),
    [
        ("lung", LUNG, "lung"),
        (NotIn("lung"), ~LUNG, "not lung"),
        (AnyOf(("lung", "hilar")), LUNG | HILAR, "lung or hilar"),
        (AllOf(("lung", NotIn("hilar"))), LUNG & ~HILAR, "lung and not hilar"),
        (NotIn(AnyOf(("lung", "hilar"))), ~(LUNG | HILAR), "not (lung or hilar)"),
        (AllOf((AnyOf(("lung", "hilar")), AnyOf(("hilar",)))), HILAR, "(lung or hilar) and hilar"),
    ],
)
def test_region_expressions_of_masks_are_logic_and_told_in_words(expression, mask, text):
    assert (evaluate(expression, MASKS) == mask).all()
    assert region_text(expression) == text
    assert region_names(expression) == {name for name in MASKS if name in text}
    for column, inside in enumerate(mask[0]):
        there = frozenset(name for name, held in MASKS.items() if held[0, column])
        assert lies_in(expression, there) is bool(inside)


REGIONS = frozenset({"lung", "hilar"})


@pytest.mark.parametrize(
    ("value", "condition", "kept"),
    [
        (8.0, {"at_least": 8}, True),
        (7.9, {"at_least": 8}, False),
        (8.0, {"at_most": 8}, True),
        (8.1, {"at_most": 8}, False),
        (8.0, {"at_least": 6, "at_most": 10}, True),
        (11.0, {"at_least": 6, "at_most": 10}, False),
        (5.0, {"at_least": 6, "at_most": 10}, False),
        ("81", {"at_least": 70}, True),
        ("unknown", {"at_least": 70}, False),
        (None, {"at_most": 70}, False),
        (None, {"equals": None}, False),
        (0.1 + 0.2, 0.3, True),
        (0.3001, {"equals": 0.3}, False),
        (-0.3, {"equals": 0.3}, False),
        ("PA", "PA", True),
        ("AP", {"equals": "PA"}, False),
        ("PA", {"in": ["AP", "PA"]}, True),
        ("LL", {"in": ["AP", "PA"]}, False),
        (10.0, {"in": [8, 10]}, True),
        (9.0, {"in": [8, 10]}, False),
        (REGIONS, "hilar", True),
        (REGIONS, {"equals": "rib"}, False),
        (REGIONS, {"in": ["rib", "lung"]}, True),
        (REGIONS, {"in": ["rib", "heart"]}, False),
    ],
)
def test_a_condition_of_where_holds(value, condition, kept):
    assert holds(value, condition) is kept


def _selected(trials, where, **options):
    return [n.confidence for _, n in evidence(trials).nodules(where=where, **options)]


def test_where_asks_of_nodule_sweep_and_background_what_its_names_say():
    first = trial("b0", 0.1, diameter_mm=8, levels={"blur": 2.0}, strata={"sex": "F", "blur": "9"})
    second = trial("b1", 0.2, arm="other", diameter_mm=12, levels={"blur": 4.0}, strata={"sex": "M"}, name="index")
    nodule = replace(
        second.nodules[0], regions=REGIONS, requested={**second.nodules[0].requested, "radiomics": {"Sphericity": 0.8}}
    )
    both = [first, replace(second, nodules=(nodule,))]
    assert _selected(both, None) == _selected(both, {}) == [0.1, 0.2]
    assert _selected(both, {"diameter_mm": {"at_least": 10}}) == [0.2]
    assert _selected(both, {"blur": 2}) == [0.1]
    assert _selected(both, {"sex": "M"}) == [0.2]
    assert _selected(both, {"arm": "other"}) == _selected(both, None, arm="other") == [0.2]
    assert _selected(both, {"name": "index"}) == _selected(both, None, of="index") == [0.2]
    assert _selected(both, {"region": "hilar"}) == [0.2]
    assert _selected(both, {"Sphericity": {"at_most": 0.9}}) == [0.2]
    assert _selected(both, {"lesion": "nodule"}) == [0.1, 0.2]
    assert _selected(both, {"sex": "M", "diameter_mm": {"at_most": 10}}) == []
    assert not predicate({"kvp": {"at_least": 1}})(first, first.nodules[0])


def test_mimics_are_chosen_by_arm_name_and_condition():
    lead, port = (
        replace(trial("b", 0.3, name=name).nodules[0], requested={"mimic": name}) for name in ("lead", "port")
    )
    made = [replace(trial("b0", 0.9), mimics=(lead, port)), replace(trial("b1", 0.8, arm="other"), mimics=(port,))]

    def names(arm=None, **options):
        return [(t.background, m.name) for t, m in evidence(made).mimics(arm, **options)]

    assert names() == [("b0", "lead"), ("b0", "port"), ("b1", "port")]
    assert names("other") == [("b1", "port")]
    assert names(of="port") == [("b0", "port"), ("b1", "port")]
    assert names(where={"mimic": "lead"}) == [("b0", "lead")]
    nodules = evidence(made).nodules(where={"mimic": "lead"})
    assert [t.background for t, _ in nodules] == ["b0"]


def test_untouched_backgrounds_are_those_of_the_arm_and_of_the_stratum_that_is_known():
    def seen(arm, sex):
        return trial(f"b{sex}{arm}", arm=arm, strata={"sex": sex})

    plain = [seen("@untouched", "F"), seen("@untouched", "M")]
    turned = [seen("@untouched:turned", "M")]
    made = evidence([*plain, *turned, trial("b", 0.9)])
    assert made.untouched() == (*plain, *turned)
    assert made.untouched("other") == tuple(plain)
    assert made.untouched("turned") == tuple(turned)
    assert made.untouched(where={"sex": "M", "diameter_mm": {"at_least": 8}}) == (plain[1], *turned)
    assert made.untouched(where={"diameter_mm": {"at_least": 8}}, strict=True) == ()
    assert evidence([seen("@untouched:*", "F"), *plain]).untouched()[0].arm == "@untouched:*"


def test_successes_and_trials_are_counted_per_cluster_as_they_come():
    successes, trials = cluster_counts([("b", True), ("a", False), ("b", False), ("b", True), ("c", False)])
    assert (successes.tolist(), trials.tolist()) == ([2, 0, 0], [3, 1, 1])
    assert [counts.tolist() for counts in cluster_counts([])] == [[], []]


@pytest.mark.parametrize(
    ("written", "cells"),
    [
        (True, {"true", "TRUE", "True"}),
        (False, {"FALSE"}),
        (7, {"007", "7", "7.0"}),
        (1000.0, {"1e3", "1000"}),
        ("7", {"7"}),
        ("true", {"true"}),
    ],
)
def test_a_number_or_truth_value_of_a_spec_is_met_by_the_texts_of_a_manifest_that_stand_for_it(written, cells):
    every = ("true", "TRUE", "True", "FALSE", "007", "7", "7.0", "1e3", "1000", "yes", "nan")
    assert {cell for cell in every if holds(cell, {"in": [written, "unknown"]})} == cells
    assert {cell for cell in every if holds(cell, written)} == cells
