"""A stage's judging: which scenes count, how many must keep the claim, and when a closer look ends."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from scipy.stats import binom

from synnodtest.engine.outcome import Outcome
from synnodtest.expectations.claim import BASE
from synnodtest.fuzzing import stage as stages
from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.judged import Replicate
from synnodtest.fuzzing.stage import LOOK, Stage, run_in_time
from synnodtest.planning.example import Example
from synnodtest.ports import Background
from tests.expectations.evidence import trial

EXAMPLE = Example.of({"diameter_mm": 12.0})
POOL = [Background(f"b{k}", content=str(k), strata={"view": "PA" if k % 2 else "AP"}) for k in range(20)]


class Told(Stage):
    """A stage whose scenes keep the claim where ``holds(n)`` says, ``n`` counting them; None: it cannot be planted."""

    def __init__(self, holds, rate=0.8, replicates=5, pixels=None):
        claim = Claim("detected", {"operating_point": 0.25, "rate_at_least": rate})
        super().__init__(None, SimpleNamespace(claim=claim), None, POOL, "search", replicates)
        self.told, self.pixels, self.asked = holds, pixels or (lambda n: n), []

    def run_all(self, wanted):
        for example, background, number in wanted:
            n = len(self.asked)
            self.asked.append((background.id, number))
            holds = self.told(n)
            if holds is not None:
                seen = {BASE: SimpleNamespace(radiograph_sha256=self.pixels(n))}
                yield Replicate(example, background, seen, 0.65 if holds else -0.25, holds)


@pytest.mark.parametrize(("rate", "replicates", "enough"), [(0.8, 5, 4), (0.8, 10, 8), (0.75, 4, 3), (1.0, 5, 5)])
def test_an_example_fails_where_fewer_of_its_scenes_keep_the_claim_than_asked(rate, replicates, enough):
    for holding in range(replicates + 1):
        judged = Told(lambda n, holding=holding: n < holding, rate, replicates).judge(EXAMPLE)
        assert judged.fails is (holding < enough)
        assert judged.margin == pytest.approx((0.65 * holding - 0.25 * (replicates - holding)) / replicates)


@pytest.mark.parametrize(("replicates", "planted", "tells"), [(5, 1, False), (5, 2, True), (4, 1, False), (1, 1, True)])
def test_an_example_of_which_fewer_than_half_the_scenes_could_be_planted_tells_nothing(replicates, planted, tells):
    judged = Told(lambda n: False if n < planted else None, replicates=replicates).judge(EXAMPLE)
    assert (judged is not None) is tells
    assert judged is None or (len(judged.replicates), judged.share) == (planted, 0.0)


def closer(holds, rate=0.8, pixels=None):
    """Whether an example fails after a closer look, and how many scenes it took in all."""
    stage = Told(holds, rate, pixels=pixels)
    fails = stage.surely_fails(stage.judge(EXAMPLE))
    assert len(set(stage.asked)) == len(stage.asked)
    return fails, len(stage.asked)


@pytest.mark.parametrize("rate", [0.8, 0.95])
@pytest.mark.parametrize("every", [1, 2, 3, 4, 5, 7, 10, 99])
def test_a_closer_look_ends_where_the_binomial_tells_failing_from_holding_and_after_thirty_scenes(rate, every):
    """Every so-many-th scene breaks the claim, the first one too."""
    fails, scenes = closer(lambda n: n % every > 0, rate)
    for n in range(5, scenes + 1, 8):
        holding = sum(k % every > 0 for k in range(n))
        short, kept = bool(binom.cdf(holding, n, rate) < 0.05), bool(binom.sf(holding - 1, n, 0.75 * rate) < 0.05)
        assert short or kept or n < scenes or n >= LOOK
        assert n == scenes or not (short or kept)
    assert fails is (short if short or kept else holding / n < 0.875 * rate)


def test_the_same_pixels_count_once_in_a_closer_look():
    """Of one picture that fails nobody knows whether others do: thirty scenes of it are one."""
    assert closer(lambda n: n > 0, pixels=lambda n: min(n, 1))[1] > LOOK
    assert closer(lambda n: n > 0)[1] < LOOK


def test_an_example_stands_on_backgrounds_of_its_view_or_on_the_one_that_it_pins():
    stage = Told(lambda n: True)
    assert [b.id for b in stage.pool(Example.of({"background": "b7"}))] == ["b7"]
    assert not stage.pool(Example.of({"background": "b7", "view": "AP"}))
    assert stage.pool(Example.of({"view": "AP"})) == POOL[::2]
    assert stage.pool(EXAMPLE) == POOL


@pytest.mark.parametrize("most", [1, 8, 13, 60])
def test_no_more_scenes_are_tried_in_time_than_will_do(most):
    stage = Told(lambda n: True)
    done = run_in_time(stage, [(EXAMPLE, POOL[k % 20], k // 20) for k in range(100)], lambda: False, most)
    assert len(done) == len(stage.asked) == most


def test_a_rejected_scene_and_one_that_lacks_a_nodule_tell_nothing(monkeypatch):
    stage = Told(lambda n: True)
    outcome = object.__new__(Outcome)
    both = SimpleNamespace(nodules=(1, 2))
    seen = replace(trial("b0", 0.9), arm=BASE, scene=SimpleNamespace(nodules=(1,)))
    for made, tells in ((seen, True), (replace(seen, rejected="it bleeds"), False), (replace(seen, scene=both), False)):
        monkeypatch.setattr(stages, "to_trial", lambda outcome, matching, made=made: made)
        assert (stage._replicate(EXAMPLE, POOL[0], [outcome]) is not None) is tells
    assert stage._replicate(EXAMPLE, POOL[0], ["no place"]) is None
