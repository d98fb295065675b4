"""Two detectors on the same annotated radiographs: differences of their figures, paired by patient."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from synnodtest.counted import counted, joined
from synnodtest.evaluation.answers import Answer, coco_marks, marks_of
from synnodtest.evaluation.figures import FALSE_POSITIVE_RATES, Bounds, as_dict, node21, tops_of
from synnodtest.expectations.limits import LEAST_CLUSTERS, fewer, too_few_equal_clusters
from synnodtest.expectations.rule import no_narrower
from synnodtest.matching import Matching
from synnodtest.statistics import Estimate, delong_paired, rate_difference_clustered
from synnodtest.statistics.distributions import t_isf
from synnodtest.statistics.pooled import Figure, Pooled, Ranked

_RATES = {f"sensitivity_at_{rate:g}_fp": rate for rate in FALSE_POSITIVE_RATES}
LABELS = {
    "average_precision_at_0.50": "average precision at IoU 0.50",
    **{
        name: f"sensitivity at {counted(rate, 'false positive', shown=f'{rate:g}')} per image"
        for name, rate in _RATES.items()
    },
    "auc": "AUC of images",
    "afroc": "area under the AFROC",
    "node21_score": "NODE21 score",
}
"""Figures that are compared, as a reader calls them, in the order of the table."""


@dataclass(frozen=True)
class Comparison:
    """Figures of a detector minus those of another on the same images.

    Attributes:
        images: Number of the images.
        patients: Number of the patients, who are resampled for both at once.
        same_answers: Whether both gave the same findings on every image.
        alpha: One-sided error rate of each bound.
        differences: By the names of :data:`LABELS`; NaN where the images do not define the figure.
    """

    images: int
    patients: int
    same_answers: bool
    alpha: float
    differences: Mapping[str, Estimate]

    @property
    def intervals(self) -> int:
        """Number of differences of which an interval can tell something."""
        return sum(map(_tells, self.differences.values()))

    def words(self, name: str, against: str) -> list[str]:
        """Return the differences whose intervals leave 0 out, and the others, in sentences."""
        by_word: dict[str, list[str]] = {}
        for figure, found in self.differences.items():
            if not math.isnan(found.value):
                by_word.setdefault(_word(found, against), []).append(figure)
        said = [f"{name} gives the same answers as {against} on every image"] if self.same_answers else []
        said += [f"{word}: {_listed(figures)}" for word, figures in sorted(by_word.items())]
        flags = {flag for found in self.differences.values() if _tells(found) for flag in found.flags}
        return said + [f"approximate: {flag}" for flag in sorted(flags)]

    def as_dict(self, name: str, against: str) -> dict[str, object]:
        """Return it as plain JSON values, ``words`` among them."""
        found = {figure: _told(estimate) for figure, estimate in self.differences.items()}
        known = {"images": self.images, "patients": self.patients, "same_answers": self.same_answers}
        return {"name": name, "against": against, **known, "differences": found, "words": self.words(name, against)}


def compare(
    answers: Sequence[Answer], reference: Sequence[Answer], *, alpha: float = 0.05, resamples: int = 500
) -> Comparison:
    """Compare a detector's answers with a reference's to the same annotated radiographs.

    Every figure is counted as :func:`synnodtest.evaluation.detector.measure` counts it; sensitivities each at the
    detector's own threshold for the rate of false positives. Bounds come from resampling patients, the same for both.
    Beside them stand others, and the wider are told: Tango's for sensitivities and DeLong's for areas, neither of which
    knows patients or thresholds, and the jackknife's for average precision and NODE21 score. Where each patient has one
    image, DeLong's alone bound the difference of AUC.

    Where fewer than 15 patients stand behind a side of a figure, or as many as tell no more, its estimate says so as
    reason: DeLong's 90% interval leaves a difference of 0 out 21% of the time with 2 patients on a side, 11% with 8.

    Args:
        answers: One per image.
        reference: Of the other detector, to the same images in the same order.
        alpha: One-sided error rate of each bound.
        resamples: Of the bootstrap; 0 leaves its bounds out.
    """
    clusters = [answer.cluster for answer in answers]
    bounds = Bounds(clusters, alpha, resamples, limits=(-1.0, 1.0), guarded=True)
    sides = answers, reference
    tops = [tops_of(side) for side in sides]
    coco, curves, loose = (
        [Pooled.of([marks(answer) for answer in side]) for side in sides]
        for marks in (
            partial(coco_marks, level=0.5),
            partial(marks_of, rule=Matching()),
            partial(marks_of, rule=Matching(criterion="iou", at_least=0.2)),
        )
    )
    scores = _gap(*(node21(*side) for side in zip(tops, loose, strict=True)))
    found = {
        "average_precision_at_0.50": _jackknifed(_gap(*(side.precision for side in coco)), bounds),
        **{name: _sensitivity(curves, rate, bounds) for name, rate in _RATES.items()},
        "auc": _auc(tops, bounds),
        "afroc": _afroc(curves, bounds),
        "node21_score": _jackknifed(scores, bounds),
    }
    told = {name: replace(one, reason=one.reason or _too_few(answers, name)) for name, one in found.items()}
    same = all(one.findings == other.findings for one, other in zip(*sides, strict=True))
    return Comparison(len(clusters), len(set(clusters)), same, alpha, told)


def unadjusted(comparisons: Sequence[Comparison]) -> str:
    """Return the caution that several intervals are not adjusted for one another; nothing where there is only one."""
    intervals = sum(one.intervals for one in comparisons)
    if intervals < 2:
        return ""
    chance = f"{2 * comparisons[0].alpha:.0%}"
    return (
        f"{intervals} intervals, not adjusted for one another: where two detectors are equally good, each interval "
        f"still leaves 0 out in {chance} of samples"
    )


def _gap(one: Figure, other: Figure) -> Figure:
    """Return the figure of the one minus that of the other."""
    return lambda weights: one(weights) - other(weights)


def _jackknifed(gap: Figure, bounds: Bounds) -> Estimate:
    """Return the estimate, no narrower than Student's t by leaving out each patient in turn.

    BCa alone leaves a difference of none in average precision out of its 90% interval 15 to 18% of the time.
    """
    drawn = bounds.around(gap)
    error = drawn.extra.get("jackknife_error", 0.0)
    if not error:
        return drawn
    value, half = drawn.value, t_isf(bounds.alpha, drawn.clusters - 1) * error
    return no_narrower(drawn, Estimate(value, max(-1.0, value - half), min(1.0, value + half), method="jackknife-t"))


def _sensitivity(curves: Sequence[Pooled], rate: float, bounds: Bounds) -> Estimate:
    """Return the difference with the wider of bootstrap's bounds and those of the hits at the observed thresholds."""
    hits, others = (side.hits_at(rate) for side in curves)
    owners = np.repeat(bounds.clusters, curves[0].nodules)
    least = rate_difference_clustered(hits, others, owners, alpha=bounds.alpha)
    return bounds.around(_gap(*(partial(side.sensitivity, rate=rate) for side in curves)), least=least)


def _auc(tops: Sequence[Ranked], bounds: Bounds) -> Estimate:
    """Return the difference with DeLong's bounds; where patients repeat, the wider of them and the bootstrap's."""
    own, other = tops
    plain = delong_paired(*own.sides, *other.sides, alpha=bounds.alpha)
    return bounds.around(_gap(own.area, other.area), least=plain) if bounds.repeat else plain


def _afroc(curves: Sequence[Pooled], bounds: Bounds) -> Estimate:
    own, other = (side.against_normal for side in curves)
    plain = delong_paired(*own.sides, *other.sides, alpha=bounds.alpha)
    return bounds.around(_gap(own.area, other.area), least=plain)


def _too_few(answers: Sequence[Answer], figure: str) -> str:
    """Return why a figure tells nothing where so few patients stand behind either of its sides; empty if it may."""
    ill, full = [one for one in answers if one.nodules], [one for one in answers if one.exhaustive]
    sides = {"with a nodule": ill}
    if figure in _RATES:
        sides |= {"with a film marked in full": full}
    elif figure == "average_precision_at_0.50":
        sides = {"with a nodule on a film marked in full": [one for one in ill if one.exhaustive]}
    else:
        sides |= {"with a normal film": [one for one in answers if one.normal]}
    for who, some in sides.items():
        if few := fewer(len({one.cluster for one in some}), LEAST_CLUSTERS, f"patient {who} is", f"patients {who} are"):
            return few[0]
    unequal = too_few_equal_clusters([one.cluster for one in answers])
    return unequal[0] if unequal else ""


def _tells(found: Estimate) -> bool:
    return found.usable and not math.isnan(found.value) and not math.isnan(found.lower)


def _word(found: Estimate, against: str) -> str:
    if not _tells(found):
        return f"not told ({found.reason or 'nothing was resampled'})"
    if found.lower > 0:
        return f"higher than {against}, intervals without 0"
    if found.upper < 0:
        return f"lower than {against}, intervals without 0"
    return "no difference shown, intervals with 0"


def _listed(figures: Sequence[str]) -> str:
    """Return the figures' labels, several sensitivities as one."""
    rates = [name for name in figures if name in _RATES]
    together = f"sensitivity at {joined([f'{_RATES[name]:g}' for name in rates])} false positives per image"
    first = [together] if len(rates) > 1 else [LABELS[name] for name in rates]
    return "; ".join([*first, *(LABELS[name] for name in figures if name not in _RATES)])


def _told(found: Estimate) -> dict[str, object]:
    if math.isnan(found.value):
        return {"value": None}
    apart = bool(found.lower > 0 or found.upper < 0) if _tells(found) else None
    return {**as_dict(found), "excludes_0": apart, **({"reason": found.reason} if found.reason else {})}
