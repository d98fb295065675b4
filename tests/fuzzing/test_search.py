"""The search proper: how many examples it tries, in which order, what it is drawn to, and when it is over."""

import pytest

from synnodtest.errors import DetectorError, DetectorHung
from synnodtest.fuzzing.coverage import coverage_points
from synnodtest.fuzzing.judged import Crashed, Judged
from synnodtest.fuzzing.search import ROUNDS, Search
from synnodtest.planning.difficulty import Dimension, Space, ranged
from synnodtest.planning.example import Example
from synnodtest.ports import Background

SPACE = Space(
    (ranged("place.height", -1, 1, 0.0), ranged("contrast", 0.2, 1), Dimension("view", levels=("PA", "AP", "LL")))
)


class Judging:
    """A stage that judges by the parameters alone, and notes what it was asked."""

    def __init__(self, margin=lambda v: 0.5, planted=lambda v: True, crashes=lambda v: None):
        self.margin, self.planted, self.crashes, self.asked = margin, planted, crashes, []

    def judge(self, example):
        self.asked.append(example)
        values = example.values
        if not self.planted(values):
            return None
        error = self.crashes(values)
        if error is not None:
            return Judged(example, (), 0.0, -1.0, True, Crashed(error, [(example, Background("b"), 0)]))
        margin = self.margin(values)
        return Judged(example, (), float(margin >= 0), margin, margin < 0)


def searched(stage, examples=40, seed=0, space=SPACE, enough=lambda: False, explicit=(), stored=()):
    search = Search(stage, space, lambda point: Example.of(space.values(point)), examples, seed, enough)
    search.run(explicit, stored)
    return search


@pytest.mark.parametrize("examples", [4, 9, 30, 60])
@pytest.mark.parametrize("planted", [lambda v: True, lambda v: v["contrast"] < 0.45])
def test_as_many_examples_are_tried_as_asked_at_most_half_of_them_by_coverage(examples, planted):
    stage = Judging(planted=planted)
    search = searched(stage, examples)
    assert search.tried == examples
    assert search.phases.get("coverage", 0) <= examples // 2
    assert search.stopped == "examples"
    assert search.unplaced == sum(not planted(SPACE.values(p)) for p in coverage_points(SPACE, examples // 2, 0))
    assert len({one.key() for one in stage.asked}) == len(stage.asked)


def test_a_space_of_few_examples_is_gone_through_and_said_to_be_exhausted():
    space = Space((Dimension("view", levels=("PA", "AP", "LL")), Dimension("margin", levels=("smooth", "spiculated"))))
    stage = Judging()
    search = searched(stage, 40, space=space)
    assert search.stopped == "space exhausted"
    assert len({one.key() for one in stage.asked}) == search.tried == 6


@pytest.mark.parametrize(("planted", "rounds"), [(False, 1), (True, ROUNDS)])
def test_where_nothing_can_be_planted_one_round_of_draws_is_enough_to_say_so(monkeypatch, planted, rounds):
    draws = []
    monkeypatch.setattr(Search, "_draw", lambda self, *asked: draws.append(asked))
    search = searched(Judging(planted=lambda v: planted))
    assert (bool(search.tried), search.stopped) == (planted, "space exhausted")
    assert len(draws) == rounds


def test_explicit_examples_come_first_then_stored_failures_then_the_easiest():
    explicit, stored = Example.of({"contrast": 0.77}), (17, 23, 2)
    stage = Judging(margin=lambda v: -0.1 if v["contrast"] == 0.77 else 0.5)
    search = searched(stage, explicit=[explicit], stored=[stored])
    first, second, third, *_ = stage.asked
    assert (first, second.values) == (explicit, SPACE.values(stored))
    assert third.values == SPACE.values(SPACE.easiest)
    assert search.phases["stored"] == search.phases["explicit"] == search.first_failing == 1
    assert search.tried == 40


def test_what_hypothesis_draws_is_drawn_to_where_the_margin_is_small():
    """A hole of 1% of the space, towards which the margin falls: without that draws of these seeds never hit it."""

    def margin(values):
        return abs(values["contrast"] - 0.613) + abs(values["place.height"] - 0.377) / 2 - 0.05

    space = Space(SPACE.dimensions[:2])
    found = [searched(Judging(margin), 80, seed, space=space).first_failing for seed in (0, 2, 3)]
    assert sum(number is not None for number in found) >= 2, found


@pytest.mark.parametrize("after", [0, 3, 14])
def test_a_search_whose_time_is_up_before_its_coverage_is_not_covered(after):
    stage = Judging()
    search = searched(stage, 30, enough=lambda: len(stage.asked) >= after)
    assert (search.stopped, search.covered, len(stage.asked)) == ("time budget", False, after)
    whole = Judging()
    assert searched(whole, 30, enough=lambda: len(whole.asked) >= 20).covered


@pytest.mark.parametrize(("error", "shrunk"), [(DetectorError("index"), True), (DetectorHung("60 s"), False)])
def test_a_crash_is_shrunk_but_a_detector_that_hung_is_not_called_again(error, shrunk):
    stage = Judging(crashes=lambda v: error if v["contrast"] < 0.8 else None)
    search = searched(stage)
    assert search.stopped == "crash"
    asked = len(stage.asked)
    crash = search.shrunk_crash()
    assert (len(stage.asked) > asked) is shrunk
    first, easiest = search.crash[1].example.values, crash.example.values
    assert easiest == (SPACE.values((0, 254, 0)) if shrunk else first) or 0.79 < easiest["contrast"] < 0.8


def test_a_space_without_parameters_is_its_one_example():
    search = searched(Judging(), space=Space(()))
    assert (search.tried, search.covered, search.stopped) == (1, True, "examples")
    assert search.phases == {"coverage": 1}
