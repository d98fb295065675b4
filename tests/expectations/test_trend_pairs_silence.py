"""Trends, paired arms and silence: what passes, what fails, and what no silence can pass."""

import numpy as np
import pytest

from synnodtest.evidence.regions import control_name
from synnodtest.expectations import Status, find_check
from synnodtest.planning.control import control_region
from tests.expectations.evidence import evidence, trial

SIZES = [4.0, 6.0, 8.0, 10.0, 14.0, 20.0]
MONOTONE = {
    "response": "confidence",
    "over": "diameter_mm",
    "direction": "increasing",
    "min_spearman": 0.5,
    "max_drop": 0.1,
}
PAIRED = {"of": "nodule", "arm": "double", "reference": "single", "margin": 0.1, "reference_at_least": 0.2}
SILENT = {"region": "air_leak", "at_most": 0.05, "sensitivity_outside_at_least": 0.2}


def judge(kind, parameters, trials):
    return find_check(kind).judge(parameters, evidence(trials))


def sweep(backgrounds, curve, noise=0.02, seed=1):
    rng = np.random.default_rng(seed)
    return [
        trial(
            f"b{i}",
            float(np.clip(curve(d) + noise * rng.standard_normal(), 0.001, 1)),
            diameter_mm=d,
            levels={"diameter_mm": d},
        )
        for i in range(backgrounds)
        for d in SIZES
    ]


def test_a_rising_response_passes():
    assert judge("monotone", MONOTONE, sweep(30, lambda d: d / 25)).status is Status.PASSED


@pytest.mark.parametrize("curve", [lambda d: 1 - d / 25, lambda d: 0.0], ids=["falling", "flat"])
def test_a_falling_or_silent_response_never_passes(curve):
    assert judge("monotone", MONOTONE, sweep(30, curve)).status is Status.FAILED


def test_a_response_that_collapses_for_large_nodules_fails_by_its_drop():
    ruling = judge("monotone", MONOTONE, sweep(30, lambda d: 0.9 * d / 14 if d <= 14 else 0.3))
    drop = ruling.components[1]
    assert drop.status is Status.FAILED
    assert drop.value == pytest.approx(0.6, abs=0.03)


@pytest.mark.parametrize("backgrounds", [15, 28, 29])
def test_few_backgrounds_say_that_a_rare_loss_may_be_unseen(backgrounds):
    ruling = judge("monotone", MONOTONE, sweep(backgrounds, lambda d: d / 25))
    assert ruling.status is Status.PASSED
    assert any("may have lost it on none" in note for note in ruling.notes) == (0.9**backgrounds >= ruling.alpha)


def test_fourteen_backgrounds_are_too_few():
    ruling = judge("monotone", MONOTONE, sweep(14, lambda d: d / 25))
    assert ruling.status is Status.INCONCLUSIVE
    assert "15 are needed" in ruling.sentence


@pytest.mark.parametrize("kind", ["monotone", "correlation"])
def test_the_figure_holds_the_detection_rates_of_the_paper_and_of_the_operating_point(kind):
    parameters = MONOTONE if kind == "monotone" else {"response": "confidence", "over": "diameter_mm", "at_least": 0.5}
    figure = judge(kind, parameters, sweep(30, lambda d: d / 25, noise=0.0)).figure
    assert figure["levels"] == SIZES
    assert list(figure["detection_rates"]) == ["0.15", "0.25", "0.5"]
    assert figure["detection_rates"]["0.25"] == [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]
    assert figure["detection_rates"]["0.5"] == [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    assert figure["mean_confidence"] == pytest.approx([d / 25 for d in SIZES])


def pairs(n11, n10, n01, n00):
    outcomes = [(1, 1)] * n11 + [(1, 0)] * n10 + [(0, 1)] * n01 + [(0, 0)] * n00
    return [
        trial(f"b{i}", 0.9 * hit, arm=arm)
        for i, (double, single) in enumerate(outcomes)
        for arm, hit in (("double", double), ("single", single))
    ]


def test_non_inferiority_is_decided_by_tangos_bound():
    ruling = judge("non_inferior", PAIRED, pairs(80, 3, 2, 15))
    assert ruling.status is Status.PASSED
    assert ruling.components[0].value == pytest.approx(0.01)
    assert (ruling.figure["n10"], ruling.figure["n01"]) == (3, 2)


def test_a_second_nodule_that_hides_the_first_fails():
    assert judge("non_inferior", PAIRED, pairs(20, 0, 60, 20)).status is Status.FAILED


def test_no_discordant_pair_among_ten_is_inconclusive():
    assert judge("non_inferior", {**PAIRED, "margin": 0.05}, pairs(10, 0, 0, 0)).status is Status.INCONCLUSIVE


def test_two_silent_arms_prove_nothing():
    ruling = judge("non_inferior", PAIRED, pairs(0, 0, 0, 100))
    assert ruling.components[0].status is Status.PASSED
    assert ruling.status is Status.INCONCLUSIVE
    assert "reference arm" in ruling.sentence


def leak(fires, silent, outside_hits, outside_misses):
    inside = [trial(f"b{i}", 0.0, fires=[("air_leak", 0.9)] if i < fires else []) for i in range(fires + silent)]
    outside = [
        trial(f"b{i}", 0.9 if i < outside_hits else 0.0, arm="@outside") for i in range(outside_hits + outside_misses)
    ]
    return inside + outside


@pytest.mark.parametrize(
    ("fires", "silent", "status"),
    [(0, 59, "PASSED"), (0, 58, "INCONCLUSIVE"), (1, 92, "PASSED"), (1, 91, "INCONCLUSIVE"), (20, 80, "FAILED")],
)
def test_silence_needs_59_images_without_and_93_with_one_event(fires, silent, status):
    assert judge("no_detection", SILENT, leak(fires, silent, 50, 10)).status == status


def test_an_always_silent_detector_does_not_pass_silence():
    ruling = judge("no_detection", SILENT, leak(0, 100, 0, 100))
    assert ruling.status is Status.INCONCLUSIVE
    assert "sensitivity outside" in ruling.sentence


def test_silence_without_a_control_arm_does_not_pass():
    assert judge("no_detection", SILENT, leak(0, 100, 0, 0)).status is not Status.PASSED


def test_the_control_region_has_the_same_area_and_lies_in_the_lung_outside():
    lung = np.zeros((60, 80), dtype=bool)
    lung[10:50, 5:35] = lung[10:50, 45:75] = True
    region = np.zeros_like(lung)
    region[10:20, 5:20] = True
    control = control_region(region, lung)
    assert control.sum() == region.sum()
    assert not (control & region).any()
    assert (control <= lung).all()
    assert np.argwhere(control)[:, 1].mean() > 40
    assert control_name("air_leak").startswith("@")
