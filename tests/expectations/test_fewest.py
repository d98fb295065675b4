"""The fewest backgrounds that can pass: perfect data pass on so many, and not on one fewer."""

from dataclasses import replace

import pytest

from synnodtest.expectations import Status, find_check
from tests.expectations.evidence import evidence, trial

ARMS = {"arm": "a", "reference": "r"}


def nodules(n, arm="default", score=0.9, each=1):
    return [trial(f"b{i}", score, arm=arm, replicate=r) for i in range(n) for r in range(each)]


def untouched(n, each=1):
    return [trial(f"b{i}", arm="@untouched") for i in range(n)]


def found(n, each=1):
    return nodules(n, each=each) + untouched(n)


def missed(n, each=1):
    return nodules(n, score=0.0, each=each)


def alike(n, each=1):
    return nodules(n, "a", each=each) + nodules(n, "r", each=each)


def quiet(n, each=1):
    return nodules(n, score=0.0) + nodules(n, "@outside")


def distractors(n, each=1):
    mimic = replace(trial("w", 0.0).nodules[0], requested={"mimic": "lead"})
    return [replace(trial(f"b{i}", replicate=r), mimics=(mimic,)) for i in range(n) for r in range(each)]


def grown(n, now, prior):
    (nodule,) = trial("b", now).nodules
    nodule = replace(nodule, requested={**nodule.requested, "doubling_days": 100.0})
    priors = [trial(f"b{i}", prior, arm="@prior:default") for i in range(n)]
    return [*priors, *(replace(trial(f"b{i}", now), nodules=(nodule,)) for i in range(n))]


def rising(n, each=1):
    sizes = [[4.0 + i] if each == 1 else [4.0, 8.0, 12.0, 16.0, 20.0] for i in range(n)]
    per_mm = 0.001 if each == 1 else 0.04
    return [trial(f"b{i}", mm * per_mm, diameter_mm=mm, replicate=r) for i in range(n) for r, mm in enumerate(sizes[i])]


def steep(n, each):
    """Nodules of more than 6 mm are found, and of those of 5 and 6 mm a few on the wrong side."""
    sizes = {4.0: 0, 5.0: 1, 6.0: 3, 7.0: 4, 8.0: 4, 10.0: 4, 12.0: 4, 16.0: 4}  # on so many of four backgrounds
    return [trial(f"b{i}", 0.9 * (i % 4 < of), diameter_mm=mm) for i in range(n) for mm, of in sizes.items()]


@pytest.mark.parametrize(
    ("kind", "given", "perfect", "each"),
    [
        ("sensitivity", {"at_least": 0.8}, found, 1),
        ("sensitivity", {"at_least": 0.9}, found, 3),
        ("sensitivity", {"at_most": 0.1}, missed, 1),
        ("specificity", {"at_least": 0.9}, untouched, 1),
        ("detected", {"rate_at_least": 0.9}, found, 1),
        ("no_detection", {"region": "hilar", "at_most": 0.05}, quiet, 1),
        ("no_detection", {"region": "hilar", "at_most": 0.9, "sensitivity_outside_at_least": 0.9}, quiet, 1),
        ("distractor", {"at_most": 0.1}, distractors, 1),
        ("distractor", {"at_most": 0.1}, distractors, 2),
        ("non_inferior", {**ARMS, "margin": 0.1}, alike, 1),
        ("non_inferior", {**ARMS, "margin": 0.1}, alike, 2),
        ("non_inferior", {**ARMS, "margin": 0.5, "reference_at_least": 0.9}, alike, 1),
        ("equivalent", {**ARMS, "margin": 0.1, "metric": "confidence"}, alike, 1),
        ("froc", {"at_least": 0.9}, found, 1),
        ("average_precision", {"at_least": 0.8}, found, 1),
        ("localization", {"at_least": 0.8}, found, 1),
        ("growth", {"at_least": 0.5}, lambda n, each: grown(n, 1.0, 0.0), 1),
        ("growth", {"at_least": -0.5, "reference_at_least": 0.9}, lambda n, each: grown(n, 1.0, 0.0), 1),
        ("correlation", {"over": "diameter_mm", "at_least": 0.9}, rising, 1),
        ("correlation", {"over": "diameter_mm", "at_least": 0.9}, rising, 5),
        ("monotone", {"over": "diameter_mm", "min_spearman": 0.9, "max_drop": 0.5}, rising, 5),
        ("size_at_sensitivity", {"at_most": 12, "level": 0.9}, steep, 8),
        ("size_at_sensitivity", {"at_most": 12, "level": 0.95}, steep, 8),
        ("growth", {"at_most": 0.5}, lambda n, each: grown(n, 0.3, 1.0), 1),
    ],
)
def test_perfect_data_pass_on_the_fewest_backgrounds_and_not_on_one_fewer(kind, given, perfect, each):
    check = find_check(kind)
    fewest = check.fewest_gated(check.read(given), 0.05, float(each))

    def status(n):
        return check.judge(given, evidence(perfect(n, each))).status

    assert status(fewest) is Status.PASSED
    assert status(fewest - 1) is not Status.PASSED
