"""What a failure hangs on: parameters whose easing ends it, also where the example is not at the boundary."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from synnodtest.fuzzing.candidates import Candidates
from synnodtest.planning.difficulty import Space, ranged


@dataclass(frozen=True)
class Seen:
    fails: bool
    margin: float
    crash: object = None


def candidates_of(rule):
    """Candidates of a search over diameter and contrast, in which a point fails as the rule says."""
    space = Space((ranged("diameter_mm", 12.0, 40.0, 40.0), ranged("contrast", 0.4, 1.0, 1.0)))

    def judge(point):
        values = space.values(point)
        return Seen(rule(values), -0.25 if rule(values) else 0.65)

    hardest = tuple(high for _, high in (d.bounds for d in space.dimensions))
    search = SimpleNamespace(
        space=space,
        example_at=lambda point: point,
        stage=SimpleNamespace(judge=judge),
        judged={hardest: judge(hardest)},
        enough=lambda: False,
    )
    return Candidates(search), hardest


def test_what_may_be_eased_without_ending_the_failure_does_not_matter():
    candidates, hardest = candidates_of(lambda v: v["diameter_mm"] < 20)
    assert candidates._matters(hardest) == ("diameter_mm",)


def test_where_each_alone_may_be_eased_all_are_named():
    candidates, hardest = candidates_of(lambda v: v["diameter_mm"] < 20 or v["contrast"] < 0.5)
    assert set(candidates._matters(hardest)) == {"diameter_mm", "contrast"}


def test_a_crash_where_a_parameter_is_eased_is_noted_and_no_failure_that_persists():
    candidates, hardest = candidates_of(lambda v: v["diameter_mm"] < 20)
    dense = candidates.space.eased(hardest, frozenset({"contrast"}))
    judge, noted = candidates.search.stage.judge, []
    candidates.search.stage.judge = lambda point: (
        Seen(True, -1.0, "index out of range") if point == dense else judge(point)
    )
    candidates.search.crashed = lambda point, judged: noted.append((point, judged.crash))
    candidates._matters(hardest)
    assert noted == [(dense, "index out of range")]


@pytest.mark.parametrize(
    ("beside", "matters"),
    [
        ((1000, 400), ("contrast",)),  # holds, and is easier in contrast alone
        ((900, 400), ("contrast", "diameter_mm")),  # easier in both
        ((1000, 600), ("contrast", "diameter_mm")),  # fails
    ],
)
def test_where_the_easiest_has_no_place_an_easier_value_that_held_tells_what_matters(beside, matters):
    candidates, hardest = candidates_of(lambda v: v["contrast"] < 0.7)
    judge, search = candidates.search.stage.judge, candidates.search
    assert [judge((1000, k)).fails for k in (400, 600)] == [False, True]
    search.stage.judge = lambda point: None if point[1] == 0 else judge(point)
    search.judged[beside] = judge(beside)
    assert candidates._matters(hardest) == matters
