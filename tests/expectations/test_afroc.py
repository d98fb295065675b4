"""The area under the AFROC against pairs counted one by one, and what must not pass by it."""

import itertools

import numpy as np
import pytest

from synnodtest import statistics
from synnodtest.expectations import Status, find_check
from tests.expectations.evidence import evidence, trial


def judge(parameters, trials, **options):
    return find_check("afroc").judge(parameters, evidence(trials, **options))


def detector(backgrounds=40, sensitivity=0.9, noise=1.0, seed=0, low=0.4):
    rng = np.random.default_rng(seed)
    trials = []
    for i in range(backgrounds):
        found = rng.random() < sensitivity
        score = round(low + (1 - low) * rng.random(), 1) if found else 0.0
        trials.append(trial(f"b{i}", score, false_positives=list(rng.random(rng.poisson(noise)) * 0.5)))
        loud = [round(x, 1) for x in rng.random(rng.poisson(noise)) * 0.6]
        trials.append(trial(f"b{i}", arm="@untouched", false_positives=loud))
    return trials


def by_pairs(trials):
    """Chakraborty and Winter's definition, pair by pair: 1 where the nodule is louder, a half where both are alike."""
    nodules = [
        t.sightings[n.finding].finding.score if n.finding is not None else -np.inf for t in trials for n in t.nodules
    ]
    normal = [max((s.finding.score for s in t.sightings), default=-np.inf) for t in trials if not t.nodules]
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in itertools.product(nodules, normal)]
    return np.mean(pairs), statistics.afroc(normal, nodules)


@pytest.mark.parametrize(("sensitivity", "noise"), [(0.9, 1.0), (0.5, 0.3), (1.0, 2.0)])
def test_the_area_is_the_share_of_pairs_that_the_nodule_wins(sensitivity, noise):
    trials = detector(30, sensitivity, noise, seed=3)
    part = judge({"at_least": 0.5}, trials).components[0]
    counted, own = by_pairs(trials)
    assert part.value == pytest.approx(counted) == pytest.approx(own)
    assert part.lower < part.value < part.upper


def test_a_good_detector_passes_and_one_that_is_louder_on_normal_images_fails():
    assert judge({"at_least": 0.7}, detector(60)).status is Status.PASSED
    loud = [trial(f"b{i}", 0.6) for i in range(40)]
    loud += [trial(f"b{i}", arm="@untouched", false_positives=[0.9]) for i in range(40)]
    ruling = judge({"at_least": 0.7}, loud)
    assert ruling.status is Status.FAILED
    assert ruling.components[0].value == 0


def test_a_detector_right_on_the_image_but_beside_the_nodule_fails_here_and_not_by_the_area_of_images():
    beside = [trial(f"b{i}", 0.0, false_positives=[0.9]) for i in range(40)]
    beside += [trial(f"b{i}", arm="@untouched") for i in range(40)]
    assert find_check("auc").judge({"at_least": 0.7}, evidence(beside)).status is Status.PASSED
    assert judge({"at_least": 0.7}, beside).status is Status.FAILED


def test_a_silent_detector_has_an_area_of_one_half_and_does_not_pass():
    silent = [trial(f"b{i}", 0.0) for i in range(40)] + [trial(f"b{i}", arm="@untouched") for i in range(40)]
    ruling = judge({"at_least": 0.3}, silent)
    assert ruling.components[0].value == 0.5
    assert ruling.status is not Status.PASSED


def test_a_perfect_detector_on_few_backgrounds_does_not_reach_a_high_bound():
    few = [trial(f"b{i}", 0.9) for i in range(6)] + [trial(f"b{i}", arm="@untouched") for i in range(6)]
    ruling = judge({"at_least": 0.95}, few)
    assert ruling.components[0].value == 1.0
    assert ruling.components[0].lower < 0.95
    assert ruling.status is not Status.PASSED


def test_excluded_scenes_that_could_turn_it_make_it_inconclusive():
    trials = detector(40, 1.0, 0.1)
    assert judge({"at_least": 0.75}, trials).status is Status.PASSED
    ruling = judge({"at_least": 0.75}, trials + [trial(f"x{i}", 0.9, rejected="contrast") for i in range(40)])
    assert ruling.status is Status.INCONCLUSIVE


def test_without_nodules_or_untouched_images_there_is_nothing_to_judge():
    assert judge({"at_least": 0.5}, [trial("b0", 0.9)]).status is not Status.PASSED
    assert judge({"at_least": 0.5}, [trial("b0", arm="@untouched")]).status is not Status.PASSED


@pytest.mark.parametrize("kind", ["afroc", "auc"])
def test_an_area_near_its_end_is_bounded_by_what_backgrounds_unlike_all_seen_may_show(kind):
    """A nodule of sixty is outscored once: bootstrap and DeLong know of next to no spread."""
    trials = [trial(f"b{i}", 0.9, replicate=r) for i in range(20) for r in range(3)]
    trials += [trial(f"b{i}", arm="@untouched", false_positives=[0.95 if i == 0 else 0.1]) for i in range(20)]
    for alpha in (0.05, 0.2):
        part = find_check(kind).judge({"at_least": 0.5}, evidence(trials, alpha=alpha)).components[0]
        assert part.value == pytest.approx(0.95)
        assert part.lower <= 0.95 * alpha ** (1 / 20) + 1e-12
    perfect = [t for t in trials if t.background != "b0"]
    part = find_check(kind).judge({"at_least": 0.5}, evidence(perfect)).components[0]
    assert (part.value, part.lower) == (1.0, pytest.approx(0.05 ** (1 / 19)))
