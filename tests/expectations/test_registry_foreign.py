"""Rulings of somebody else's check: a pass must be borne out by its own numbers."""

import math
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from synnodtest.checks import Component, Ruling, Status, check, find_check
from synnodtest.decoding import encode
from synnodtest.errors import SynnodError
from synnodtest.expectations import registry
from synnodtest.record import results
from synnodtest.record.entries import ruling_entry
from tests.expectations.evidence import evidence, trial

MANY = evidence([trial(f"b{i}", 0.9) for i in range(20)])
HIGH = Component("s", "sensitivity", 0.9, 0.7, 0.98, 0.5, "above", Status.PASSED, "exact")
GOOD = Ruling(Status.PASSED, "PASSED well", "sensitivity exceeds 0.5", components=(HIGH,))

CONTRADICTIONS = {
    "interval holds the bound": replace(HIGH, lower=0.4),
    "wrong side": replace(HIGH, side="below"),
    "nothing is known": replace(HIGH, lower=math.nan),
    "gate": replace(HIGH, role="gate", status=Status.INCONCLUSIVE),
    "failed": replace(HIGH, status=Status.FAILED),
    "upper bound in place of the lower": replace(HIGH, lower=0.98, upper=0.4),
}


@pytest.fixture
def ruled(monkeypatch):
    """Return what a registered check's ruling becomes."""
    monkeypatch.setattr(registry._KINDS, "_registered", {})

    def rule(answer, seen=MANY, **parameters):
        check("somebodys")(answer if callable(answer) else lambda parameters, evidence: answer)
        return find_check("somebodys").judge(parameters, seen)

    yield rule
    registry.forget()


def test_a_pass_that_its_numbers_bear_out_stands(ruled):
    assert ruled(GOOD) == GOOD
    assert ruled(replace(GOOD, components=())).status is Status.PASSED
    shown = replace(HIGH, role="shown", status=Status.FAILED)
    assert ruled(replace(GOOD, components=(HIGH, shown))).status is Status.PASSED


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_pass_that_its_own_numbers_contradict_is_a_fault(ruled, case):
    with pytest.raises(SynnodError, match="'somebodys' says PASSED, but its 'sensitivity'"):
        ruled(replace(GOOD, components=(HIGH, CONTRADICTIONS[case])))


def test_what_does_not_pass_is_taken_as_it_is(ruled):
    odd = replace(HIGH, status=Status.INCONCLUSIVE, lower=math.nan)
    said = Ruling(Status.INCONCLUSIVE, "INCONCLUSIVE so", "c", components=(odd,))
    assert ruled(said).status is Status.INCONCLUSIVE


def test_a_status_may_be_its_word_and_nothing_else(ruled):
    assert ruled(replace(GOOD, status="PASSED")).status is Status.PASSED
    for answer in (replace(GOOD, status="OK"), replace(GOOD, status=True), True, None):
        with pytest.raises(SynnodError, match="check 'somebodys' returned"):
            ruled(answer)


TOO_MANY_DIGITS = 10**400
AROUND: dict = {}
AROUND["a"] = AROUND
RUBBISH = {
    **dict.fromkeys(
        ("n_nodules", "n_backgrounds", "n_clusters"),
        (-3, 2.5, math.nan, math.inf, "many", None, True, TOO_MANY_DIGITS, 2**53),
    ),
    **dict.fromkeys(("alpha", "icc", "p_value"), ("x", None, True, 1j, object(), np.zeros(3), TOO_MANY_DIGITS)),
    **dict.fromkeys(("sentence", "criterion"), (None, 5, b"PASSED")),
    "notes": (None, "abc", (1, 2)),
    "components": (None, "x", (1,)),
    **dict.fromkeys(("figure", "details"), (None, [1], {"a": object()}, {"a": TOO_MANY_DIGITS}, AROUND)),
}
IN_COMPONENT = {
    **dict.fromkeys(("name", "label", "method", "unit"), (None, 3)),
    **dict.fromkeys(("side", "role", "status"), (None, 3, "other", [])),
    **dict.fromkeys(("value", "lower", "upper", "bound", "lower95", "upper95"), ("x", None, 1j, TOO_MANY_DIGITS)),
}


@pytest.mark.parametrize("status", ["PASSED", "FAILED"])
@pytest.mark.parametrize("name", [*RUBBISH, *IN_COMPONENT])
def test_rubbish_in_a_ruling_is_a_fault_of_its_check_that_names_the_field(ruled, name, status):
    said = Ruling(Status(status), f"{status} so", "c")
    for value in RUBBISH.get(name) or IN_COMPONENT[name]:
        part = (replace(HIGH, **{name: value}),) if name in IN_COMPONENT else (HIGH,)
        own = {} if name in IN_COMPONENT else {name: value}
        with pytest.raises(SynnodError, match=f"no record can hold: .*{name} is "):
            ruled(replace(said, **({"components": part} | own)))


def test_numbers_of_any_make_are_taken_and_the_record_can_hold_them(ruled):
    odd = replace(HIGH, value=np.float32(0.9), lower=np.float64(0.7), upper=math.inf, lower95=math.nan, upper95=1)
    counts = {"n_nodules": np.int64(20), "n_backgrounds": 20.0, "n_clusters": np.float64(20)}
    said = replace(GOOD, components=[odd], notes=["n"], icc=-math.inf, figure={"x": np.arange(3)}, **counts)
    taken = ruled(said)
    assert taken.status is Status.PASSED
    form = {"$defs": results.schema()["$defs"], "$ref": "#/$defs/ruling"}
    jsonschema.validate(encode(ruling_entry(taken)), form)


def test_one_background_never_passes(ruled):
    ruling = ruled(GOOD, evidence([trial("b", 0.9)] * 5))
    assert ruling.status is Status.INCONCLUSIVE
    assert ruling.sentence == "INCONCLUSIVE well; a single background never decides"


def test_a_pass_rests_on_the_scenes_that_the_expectation_selects(ruled):
    hard = [trial(f"b{i}", 0.9, arm="hard", rejected="no mask" if i > 1 else "") for i in range(20)]
    easy = [trial(f"b{i}", 0.9, arm="easy") for i in range(20)]
    ruling = ruled(GOOD, evidence(hard + easy), arm="hard")
    assert ruling.sentence == "INCONCLUSIVE well; 18 scenes were excluded and 2 judged"
    assert ruled(GOOD, evidence(hard + easy), arm="easy").status is Status.PASSED
    sexes = [trial(f"b{i}", 0.9, strata={"sex": "M" if i else "F"}) for i in range(20)]
    ruling = ruled(GOOD, evidence(sexes), where={"sex": {"equals": "F"}})
    assert ruling.sentence == "INCONCLUSIVE well; a single background never decides"
    assert ruled(GOOD, evidence(sexes), where={"sex": {"equals": "M"}}).status is Status.PASSED


def all_found(parameters, seen):
    found = all(nodule.confidence > 0.5 for _, nodule in seen.nodules())
    return replace(GOOD, components=()) if found else Ruling(Status.FAILED, "FAILED one is missed", "all")


def test_a_bare_function_is_shown_what_the_expectation_selects_and_nothing_else(ruled):
    sexes = evidence([trial(f"b{i}", 0.9 if i % 2 else 0.1, strata={"sex": "FM"[i % 2]}) for i in range(20)])
    assert ruled(all_found, sexes, where={"sex": "M"}).status is Status.PASSED
    assert ruled(all_found, sexes, where={"sex": "F"}).status is Status.FAILED
    assert ruled(all_found, sexes, where={"sex": "X"}).status is Status.INCONCLUSIVE
    arms = evidence([trial(f"b{i}", {"a": 0.9, "b": 0.1}[arm], arm=arm) for i in range(5) for arm in "ab"])
    assert ruled(all_found, arms, arm="a").status is Status.PASSED
    assert ruled(all_found, arms, arm="b").status is Status.FAILED


ABSENT = {
    "arm 'dobule'": lambda seen: seen.arm("dobule"),
    "arm 'tripel'": lambda seen: seen.own("tripel") or seen.mimics("tripel"),
    "nodule 'indx'": lambda seen: seen.nodules(of="indx"),
    "quantity 'diametre_mm'": lambda seen: seen.nodules(where={"diametre_mm": {"at_least": 8}}),
    "arm '@untouched'": lambda seen: seen.untouched(),
}


@pytest.mark.parametrize("what", ABSENT)
def test_what_is_true_of_all_of_none_is_no_pass(ruled, what):
    def vacuous(parameters, seen):
        return GOOD if all(one is None for one in ABSENT[what](seen)) else None

    ruling = ruled(vacuous)
    assert ruling.sentence == f"INCONCLUSIVE well; it asked for the {what}, of which no scene was judged"


def test_what_is_there_is_found_by_its_name_as_ever(ruled):
    own = [trial(f"b{i}", 0.9, strata={"sex": "F"}) for i in range(9)]
    seen = evidence(own + [trial(f"b{i}", arm="@untouched:x") for i in range(9)])

    def looks(parameters, seen):
        assert len(seen.arm("default")) == len(seen.own("default")) == len(seen.nodules("default", of="nodule")) == 9
        assert not seen.nodules(where={"diameter_mm": {"at_least": 30}, "sex": "F"})
        assert len(seen.untouched("x")) == len(seen.untouched("default")) + 9 == 9
        return GOOD

    assert ruled(looks, seen) == GOOD


def test_a_part_of_the_evidence_may_lack_what_the_whole_of_it_has(ruled):
    seen = evidence(
        [trial(f"b{i}", 0.9, arm=arm) for i in range(9) for arm in ("easy", "hard")[: 1 + (i > 0)]]
        + [trial(f"b{i}", arm="@untouched") for i in range(8)]
    )

    def background_by_background(parameters, seen):
        for background in {t.background for t in seen.trials}:
            part = replace(seen, trials=tuple(t for t in seen.trials if t.background == background))
            assert len(part.arm("hard")) == len(part.nodules("hard", of="nodule")) == (background != "b0")
            assert len(part.untouched()) == (background != "b8")
        return GOOD

    assert ruled(background_by_background, seen) == GOOD


def test_what_a_check_writes_into_its_evidence_reaches_no_other_expectation(ruled):
    def careless(parameters, seen):
        for scene, nodule in seen.nodules():
            scene.strata["sex"] = "M"
            nodule.requested["diameter_mm"] = nodule.truth.requested["contrast"] = 99.0
            nodule.requested["radiomics"].clear()
        return GOOD

    asked = {"diameter_mm": 10.0, "contrast": 0.3, "radiomics": {"Sphericity": 0.8}}
    truth = replace(MANY.trials[0].nodules[0].truth, requested=asked)
    own = replace(MANY.trials[0].nodules[0], truth=truth, requested=asked)
    seen = evidence([replace(t, strata={"sex": "F"}, nodules=(own,)) for t in MANY.trials])
    assert ruled(careless, seen) == GOOD
    assert {t.strata["sex"] for t in seen.trials} == {"F"}
    assert asked == {"diameter_mm": 10.0, "contrast": 0.3, "radiomics": {"Sphericity": 0.8}}
