"""What a failure hangs on: parameters whose easing ends it, also where the example is not at the boundary."""

from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from synnodtest.fuzzing.candidates import MOST_CONFIRMATIONS, Candidates
from synnodtest.planning.difficulty import Space, ranged
from tests.fuzzing.test_search import Judging, searched


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


# --- what is followed up --------------------------------------------------------------------------------------------

PLANE = Space((ranged("place.height", -1, 1, 0.0), ranged("contrast", 0.2, 1)))


class Looking(Judging):
    """A stage whose closer look sees what the first one saw."""

    def surely_fails(self, judged):
        return judged.fails


def followed_up(margin, confirms):
    """The candidates of a search for what has a negative margin, and whether each was said to be confirmed."""
    candidates = Candidates(searched(Looking(margin), 60, 1, space=PLANE))
    seen = []
    for candidate in candidates.distinct():
        seen.append((candidate, confirms(candidate.example.values)))
        candidates.settle(candidate, seen[-1][1])
    return candidates, seen


def test_a_confirmed_failure_is_followed_up_once_and_from_its_easiest_point():
    candidates, [(only, _)] = followed_up(lambda v: v["contrast"] - 0.5, lambda v: True)
    assert only.matters == ("contrast",)
    assert only.example.get("place.height") == 0.0
    assert 0.495 < only.example.get("contrast") < 0.5
    assert only.point not in candidates.open()


def test_two_causes_are_two_candidates_and_what_both_share_is_no_third():
    _, seen = followed_up(lambda v: min(v["contrast"] - 0.5, 0.6 - abs(v["place.height"])), lambda v: True)
    assert Counter(candidate.matters for candidate, _ in seen) == {("contrast",): 1, ("place.height",): 1}


def test_what_is_not_confirmed_is_approached_from_its_hard_side_without_asking_anything_twice():
    """The failure holds as often as asked down to a contrast of 0.4, as confirmations tell."""
    _, seen = followed_up(lambda v: v["contrast"] - 0.5, lambda v: v["contrast"] < 0.4)
    points = [candidate.point for candidate, _ in seen]
    assert len(set(points)) == len(points) > 1
    assert [confirmed for _, confirmed in seen] == [False] * (len(seen) - 1) + [True]


def test_where_easy_failures_prove_unsure_the_surest_is_next_and_confirmations_come_to_an_end():
    """All but the densest fail by a hair, and by much where faint ones lie high."""

    def margin(values):
        return -0.9 if values["contrast"] < 0.4 and values["place.height"] > 0.5 else (values["contrast"] - 0.99) / 9

    candidates, seen = followed_up(margin, lambda v: False)
    assert len(seen) == MOST_CONFIRMATIONS
    assert any(margin(candidate.example.values) == -0.9 for candidate, _ in seen)
    assert candidates.open()
