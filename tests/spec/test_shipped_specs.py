from pathlib import Path

import pytest

from synnodtest.spec import is_spec, load_spec, resolved
from synnodtest.statistics import clopper_pearson, tango

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_shipped_spec_loads(path):
    assert is_spec(path)
    assert load_spec(path).behaviours


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_resolved_spec_loads_again_to_the_same(path, tmp_path):
    spec = load_spec(path)
    copy = tmp_path / "resolved.yaml"
    copy.write_text(resolved(spec), encoding="utf-8")
    again = load_spec(copy)
    assert again.sha256 == spec.sha256
    assert resolved(again) == resolved(spec)


def test_the_paper_s_three_behaviours_ship():
    spec = load_spec(Path(__file__).parents[2] / "specs" / "paper.yaml")
    assert [(b.id, b.gate) for b in spec.behaviours] == [
        ("confidence-rises-with-size", "performance"),
        ("silent-in-the-air-leak", "safety"),
        ("companion-keeps-sensitivity", "safety"),
    ]
    for behaviour in spec.behaviours:
        for expectation in behaviour.expectations:
            assert expectation.parameters["rationale"], (
                f"{behaviour.id}: {expectation.id} gives no reason for its bound"
            )


def asks_for_nodules(expectation):
    """Whether a detector that reports nothing cannot pass."""
    if expectation.kind in {"specificity", "false_positives_per_image"}:
        return False
    return not (expectation.kind == "sensitivity" and "at_most" in expectation.parameters)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_no_behaviour_is_passed_by_silence(path):
    for behaviour in load_spec(path).behaviours:
        assert any(map(asks_for_nodules, behaviour.expectations)), behaviour.id


def expectations():
    for path in SPECS:
        yield from ((b, e) for b in load_spec(path).behaviours for e in b.expectations)


def test_at_least_twenty_behaviours_ship_and_each_says_why_it_is_and_why_its_margins_are_what_they_are():
    behaviours = {b.id.split("[")[0]: b for b, _ in expectations()}
    assert len(behaviours) >= 20
    for behaviour in behaviours.values():
        assert len(behaviour.rationale.split()) >= 8, behaviour.id
    for behaviour, expectation in expectations():
        why = expectation.parameters.get("rationale", "")
        assert len(why.split()) >= 8, f"{behaviour.id}: {expectation.id}: {why!r}"
        assert "margin above" not in why, "a reader of the report does not see the file"


def least_hits(n, bound):
    return next(k for k in range(n + 1) if clopper_pearson(k, n).lower > bound)


def most_events(n, bound):
    return max(k for k in range(n + 1) if clopper_pearson(k, n).upper < bound)


def test_the_numbers_that_rationales_cite_are_those_of_the_rules():
    said = {(b.id.split("[")[0], e.id): e.parameters["rationale"] for b, e in expectations()}
    for key, words in {
        ("found", "sensitivity"): f"{least_hits(30, 0.5)} hits of 30 show it",
        ("spiculated-nodules-are-found", "sensitivity"): f"{least_hits(30, 0.5)} hits of 30 show it",
        ("unmissable", "sensitivity"): f"{least_hits(30, 0.8)} hits of 30 show it",
        ("invisible", "sensitivity"): {4: "at most four hits"}[most_events(30, 0.3)],
        ("quiet-when-healthy", "specificity"): f"{least_hits(40, 0.4)} of 40 show 0.4",
        ("nodules-are-found", "sensitivity"): f"100 nodules show it from {least_hits(100, 0.4)} hits on",
        ("silent-in-the-air-leak", "no_detection"): {1: "at most one event"}[most_events(100, 0.05)],
        ("conspicuous-in-the-air-leak", "no_detection"): {1: "at most one event"}[most_events(60, 0.1)],
        ("same-twice", "equivalent"): f"below {tango(40, 0, 0, 0).upper + 0.0005:.3f}",
        ("position", "tilted"): f"below {tango(40, 0, 0, 0).upper + 0.0005:.3f}",
    }.items():
        assert words in said[key], (key, words, said[key])
    assert tango(38, 0, 2, 0).lower > -0.15 > tango(37, 0, 3, 0).lower
