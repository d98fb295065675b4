"""The lines of terminals and summaries: two numbers per verdict, exclusions, the kind of the run."""

from dataclasses import replace

import pytest

from synnodtest.decoding import decode
from synnodtest.evidence.ruling import Component, Status
from synnodtest.expectations.sentences import outcome_phrase
from synnodtest.record.brief import comparison_lines, exclusions, headline, kind_of_run, numbers
from synnodtest.record.model import ComponentEntry, ExpectationEntry, RulingEntry
from synnodtest.record.model.compared import ChangedVerdict, Comparison, DifferenceEntry
from synnodtest.record.model.run import RunEntry
from synnodtest.record.words import bound_text, estimate, interval
from synnodtest.report.figures.kinds import figure_of
from synnodtest.report.figures.pairs import equivalence
from tests.record import parts


def ruling(status, *found):
    return decode(RulingEntry, parts.ruling(status=status, components=[part(*one) for one in found]))


def part(status, side, lower, upper, bound):
    return parts.component(status=status, side=side, lower=lower, upper=upper, bound=bound)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (ruling("PASSED", ("PASSED", "above", 0.88, 0.97, 0.8)), "0.88 > 0.80"),
        (ruling("FAILED", ("FAILED", "above", 0.5, 0.71, 0.8)), "0.71 < 0.80"),
        (ruling("PASSED", ("PASSED", "below", 0.0, 0.19, 1.0)), "0.19 < 1.00"),
        (ruling("FAILED", ("FAILED", "below", 0.22, 1.0, 0.05)), "0.22 > 0.05"),
        (ruling("INCONCLUSIVE", ("INCONCLUSIVE", "above", 0.74, 0.9, 0.8)), "0.74 to 0.90, bound 0.80"),
        (ruling("PASSED", ("PASSED", "within", -0.02, 0.03, 0.1)), "-0.02 to 0.03, bound ±0.10"),
        (ruling("INCONCLUSIVE", ("FAILED", "below", 0.4, 1.0, 0.1), ("INCONCLUSIVE", "above", 0.1, 0.9, 0.5)),
         "0.10 to 0.90, bound 0.50"),
        (ruling("FAILED", ("PASSED", "above", 0.9, 1.0, 0.8), ("FAILED", "below", 3.0, 5.0, 1.0)), "3.00 > 1.00"),
        (ruling("INCONCLUSIVE", ("PASSED", "above", 0.73, 1.0, 0.4)), "0.73 to 1.00, bound 0.40"),
        (ruling("INCONCLUSIVE", ("INCONCLUSIVE", "below", 0.0, None, 12.0)), "0.00 to inf, bound 12.00"),
        (ruling("INCONCLUSIVE"), ""),
        (ruling("FAILED", ("FAILED", "above", 0.5, 0.8996, 0.9)), "0.8996 < 0.90"),
        (ruling("PASSED", ("PASSED", "above", 0.127, 0.97, 0.125)), "0.13 > 0.125"),
        (ruling("INCONCLUSIVE", ("INCONCLUSIVE", "within", -0.102, 0.03, 0.1)), "-0.102 to 0.03, bound ±0.10"),
    ],
)  # fmt: skip
def test_the_numbers_are_those_that_settle_the_verdict(made, told):
    assert numbers(made) == told


def test_table_and_sentence_do_not_round_an_end_to_its_bound_or_across_it():
    told = decode(ComponentEntry, part("FAILED", "above", 0.5, 0.8996, 0.9))
    assert (estimate(told)[1], bound_text(told)) == ("0.5000 to 0.8996", "> 0.90")
    judged = Component("a", "rate", 0.7, 0.5, 0.1249, 0.125, "above", Status.FAILED, "m")
    assert outcome_phrase(judged, 0.05).endswith("upper bound 0.12) falls short of the pre-specified 0.125")
    distance = decode(ComponentEntry, part("PASSED", "below", 0.2, 1.79, 1.8) | {"unit": "mm"})
    assert (estimate(distance)[1], bound_text(distance)) == ("0.20 mm to 1.79 mm", "< 1.80 mm")


def test_no_end_of_an_interval_is_rounded_to_or_across_what_it_is_held_against():
    assert interval(-0.31, -0.0004, "difference", bound=0.0) == "\N{MINUS SIGN}0.3100 to \N{MINUS SIGN}0.0004"
    assert interval(-0.31, -0.0004, "difference") == "\N{MINUS SIGN}0.31 to 0.00"
    row = DifferenceEntry("", "sensitivity", 9, 9, 0.9, 0.8, -0.1, -0.31, -0.0004, shown=True)
    assert "-0.310 to -0.0004" in "\n".join(comparison_lines(Comparison("a", differences=(row,)), "b"))
    twin = equivalence("f", decode(ComponentEntry, part("FAILED", "within", -0.3, -0.1003, 0.1) | {"value": -0.2}))
    assert twin.twin.rows == [["\N{MINUS SIGN}0.20", "\N{MINUS SIGN}0.3000", "\N{MINUS SIGN}0.1003", "±0.1"]]
    assert "interval \N{MINUS SIGN}0.3000 to \N{MINUS SIGN}0.1003, margins ±0.1" in twin.description


@pytest.mark.parametrize(("status", "named"), [("INCONCLUSIVE", "B - C"), ("PASSED", "A - B")])
def test_the_figure_of_groups_shows_the_difference_that_settles_the_ruling_and_names_it(status, named):
    pairs = [part("PASSED", "within", -0.1, 0.1, 0.4) | {"label": "A - B", "value": 0.0}]
    pairs += [part(status, "within", -0.3, 0.5, 0.4) | {"label": "B - C", "value": 0.1}]
    gate = part(status, "above", 0.1, 0.5, 0.2) | {"label": "sensitivity", "value": 0.3, "role": "gate"}
    made = parts.ruling(status=status, components=[*pairs, gate], figure={"kind": "equivalence"})
    entry = decode(ExpectationEntry, parts.expectation(kind="parity", status=status, ruling=made))
    assert figure_of(entry, "f", {}).description.startswith(f"{named} ")
    gated = made | {"components": [pairs[0], gate | {"status": "INCONCLUSIVE"}], "status": "INCONCLUSIVE"}
    entry = decode(ExpectationEntry, parts.expectation(kind="parity", status="INCONCLUSIVE", ruling=gated))
    assert figure_of(entry, "f", {}).description.startswith("A - B ")


def test_a_sentence_begins_with_a_capital_but_for_the_name_of_a_function():
    told = {"sensitivity 1.00": "Sensitivity 1.00", "checks:even: all is even": "checks:even: all is even"}
    for sentence, shown in told.items():
        assert decode(RulingEntry, parts.ruling(sentence=f"PASSED {sentence}")).told == shown


def test_no_number_of_a_sentence_is_a_zero_below_zero():
    equal = Component("a", "difference", -0.001, -0.004, 0.004, 0.1, "within", Status.PASSED, "m")
    told = outcome_phrase(equal, 0.05)
    assert "difference 0.00 (" in told
    assert "-0.00" not in told


def test_what_one_of_two_runs_left_out_is_no_verdict_that_differs():
    moved = [("PASSED", "FAILED"), ("PASSED", "NOT RUN"), ("NOT RUN", "FAILED")]
    verdicts = tuple(ChangedVerdict(f"e{k}", *words) for k, words in enumerate(moved))
    made = Comparison("run-7", unchanged=4, verdicts=verdicts)
    assert headline(made, "d") == "d against run-7: 1 verdict differs, 4 do not, 2 were run in one of them alone"
    told = headline(replace(made, verdicts=verdicts[:1]), "d")
    assert told == "d against run-7: 1 verdict differs, 4 do not"


def test_exclusions_are_told_from_other_notes():
    notes = ["not made: 2 x the region is empty", "with the 3 excluded scenes counted against the detector: ..", "flag"]
    assert exclusions(decode(RulingEntry, parts.ruling(notes=notes))) == notes[:2]


def test_a_run_says_whether_it_confirms_anything():
    assert kind_of_run(decode(RunEntry, parts.run(confirmatory=True))).startswith("confirmatory run: ")
    told = kind_of_run(decode(RunEntry, parts.run(exploratory_reasons=["a", "b"])))
    assert told == "exploratory run, which confirms nothing: a and b"


def test_an_estimate_that_is_only_shown_settles_no_verdict():
    """All that decides is passed, and the verdict is open for another reason, such as a silent detector."""
    decides, beside = part("PASSED", "below", 0.01, 0.2, 0.5), part("INCONCLUSIVE", "below", 0.1, 0.9, 0.5)
    told = parts.ruling(status="INCONCLUSIVE", components=[decides, beside | {"role": "shown"}])
    assert numbers(decode(RulingEntry, told)) == "0.01 to 0.20, bound 0.50"
