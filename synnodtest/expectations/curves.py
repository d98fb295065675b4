"""Curves over all thresholds: steps, bootstrap, figure, and the declaration that their kinds share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.evidence.arm import OWN, UNTOUCHED_ARM
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.sightings import scores_of
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial
from synnodtest.expectations.fewest import curve_backgrounds
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import CURVE, Selection
from synnodtest.expectations.limits import too_few_equal_clusters
from synnodtest.expectations.rates import sensitivity_gate, where_phrase
from synnodtest.expectations.rule import Estimator, hold, no_data, no_narrower, rule, selected, with_unseen
from synnodtest.expectations.worst import missed, with_worst_case
from synnodtest.matching import Matching, match
from synnodtest.statistics import Estimate, clustered_rate, delong
from synnodtest.statistics.bootstrap import resampled
from synnodtest.statistics.curves import thinned
from synnodtest.statistics.pooled import Figure, Marks, Pooled, Ranked, allowed, of_rows


@dataclass(frozen=True, eq=False)
class Ledger(Pooled):
    """The marks of an expectation's images, pooled.

    Findings on an already matched nodule, and those on nodules that are not judged, are neither hits nor false
    positives and stand in no ledger.

    Args:
        trials: Each image: scenes with a judged nodule first, then untouched backgrounds.
        positives: How many of the images hold a judged nodule.
    """

    trials: tuple[Trial, ...]
    positives: int

    @property
    def clusters(self) -> list[str]:
        """The statistical cluster of each image."""
        return [t.cluster for t in self.trials]


def ledger_of(parameters: Selection, evidence: Evidence, *, doubles: bool = False) -> Ledger:
    """Return the ledger of an expectation: its scenes with a judged nodule, and the untouched backgrounds.

    Args:
        parameters: What is judged.
        evidence: All trials.
        doubles: Take further findings on a judged nodule that is matched as false positives, as COCO does.
    """
    matching = Matching.from_dict(parameters.matching)
    judged: dict[int, tuple[Trial, list[NoduleTrial]]] = {}
    for trial, nodule in selected(parameters, evidence):
        judged.setdefault(id(trial), (trial, []))[1].append(nodule)
    images = list(judged.values())
    images += [(t, []) for t in evidence.untouched(parameters.arm, where=parameters.where)]
    marks = []
    for trial, nodules in images:
        more = _doubles(trial, nodules, matching) if doubles else set()
        scores = scores_of(trial.sightings)
        false = [scores[i] for i in (*trial.false_positives, *more)]
        found = [-math.inf if n.finding is None else n.confidence for n in nodules]
        marks.append(Marks(np.array(found, dtype=float), np.array(false, dtype=float)))
    return Ledger.of(marks, trials=tuple(trial for trial, _ in images), positives=len(judged))


def _doubles(trial: Trial, nodules: Sequence[NoduleTrial], matching: Matching) -> set[int]:
    truths = [nodule.truth for nodule in nodules]
    alone = {i: match([trial.sightings[i].finding], truths, trial.spacing_mm, matching) for i in trial.duplicates}
    return {i for i, outcome in alone.items() if not outcome.false_positives}


BAND_DRAWS = 400
"""Resamples behind the drawn band; nothing is decided on it."""
MOST_POINTS = 300
"""Points of a drawn curve: more cannot be told apart on a page."""
WIDEST_FPPI = 8.0
"""False positives per image up to which a curve is drawn."""


def bootstrapped(ledger: Ledger, figure: Figure, evidence: Evidence) -> Estimator:
    """Return the estimator by BCa over clusters of images."""
    return resampled(
        of_rows(figure, len(ledger.trials)), ledger.clusters, seed=evidence.seed, limits=(0.0, 1.0), guarded=True
    )


def beside_exact(
    ledger: Ledger, fppi: float, drawn_at: Estimator, join: Callable[[Estimate, Estimate], Estimate]
) -> Estimator:
    """Return an estimator by bootstrap that is joined with the exact rate of nodules hit at the observed threshold.

    Args:
        ledger: Of which the nodules are.
        fppi: False positives per image that the threshold allows.
        drawn_at: The bootstrap.
        join: From its estimate and the exact one to what is said; not asked where the exact one decides nothing.
    """
    hits, clusters = ledger.hits_at(fppi), [trial.cluster for trial in scenes_of_nodules(ledger)]

    def estimator(alpha: float) -> Estimate:
        drawn, exact = drawn_at(alpha), clustered_rate(hits, clusters, alpha=alpha)
        return join(drawn, exact) if exact.usable else replace(exact, value=drawn.value)

    return estimator


def curve_figure(ledger: Ledger, evidence: Evidence) -> dict[str, object]:
    """Return the curve with its pointwise percentile band, thinned for drawing."""
    true, false = ledger.steps(ledger.ones)
    fppi = false / len(ledger.trials)
    visible = np.flatnonzero(fppi <= max(WIDEST_FPPI, fppi[0]))
    points = visible[thinned(len(visible), MOST_POINTS)]
    grid = fppi[points]
    names, index = np.unique(ledger.clusters, return_inverse=True)
    rng = np.random.default_rng(seed_sequence("froc-band", evidence.seed))
    draws = []
    for _ in range(BAND_DRAWS):
        weights = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[index].astype(float)
        nodules = float(weights @ ledger.nodules)
        if nodules:
            hits, misses = ledger.steps(weights)
            draws.append(hits[allowed(misses, grid * weights.sum())] / nodules)
    band = np.quantile(draws, [evidence.alpha, 1 - evidence.alpha], axis=0)
    return {
        "fppi": np.round(grid, 5).tolist(),
        "sensitivity": np.round(true[points] / ledger.nodules.sum(), 5).tolist(),
        "band_lower": np.round(band[0], 5).tolist(),
        "band_upper": np.round(band[1], 5).tolist(),
        "band_level": round(1 - 2 * evidence.alpha, 6),
        "whole": len(visible) == len(fppi),
    }


def area_over(ledger: Ledger, evidence: Evidence, ranked: Ranked) -> Estimator:
    """Return the estimator of how often a score exceeds a rival's, ties half, from the one-sided error rate.

    The bootstrap over clusters, no narrower than DeLong's interval, which is guarded near 1, and than with a share of
    clusters that was not seen at the ends of the scale: both are deceived where on few radiographs nothing is found.
    """
    bootstrap = bootstrapped(ledger, ranked.area, evidence)

    def estimator(alpha: float) -> Estimate:
        drawn = bootstrap(alpha)
        if not drawn.usable:
            return drawn
        unseen = with_unseen(drawn, drawn.clusters, 0.0, 1.0)
        return no_narrower(unseen, delong(*ranked.sides, alpha=alpha, guarded=True))

    return estimator


SILENT_AREA = 0.5
"""The area under a curve of a detector that reports nothing: all tie."""

P = TypeVar("P", bound=Selection)


def curve_kind(
    name: str,
    about: str,
    parameters: type[P],
    *,
    label: Callable[[P], str],
    explained: str = "",
    estimator: Callable[[P, Ledger, Evidence], Estimator],
    figure: Callable[[P, Ledger, Evidence], Mapping[str, object]] = lambda p, ledger, evidence: {"kind": "rate"},
    area: bool = False,
    noun: Literal["nodule", "image"] = "nodule",
    nothing: str = "nodule",
    **further: Any,
) -> Kind[P]:
    """Return the kind: it needs all scores of a behaviour's own images and of untouched ones.

    Args:
        name: Its name in specs.
        about: What it asks, in a sentence.
        parameters: Class of its parameters, with the bound ``at_least``.
        label: What a reader calls the estimate.
        explained: Follows it in the criterion.
        estimator: From parameters and ledger to the estimate.
        figure: Data of the figure.
        area: Whether nodules or images are held against untouched images, so that there must be some; a silent detector
            has an area of 0.5: where the bound allows that, its sensitivity must exceed 0.2 too.
        noun: What is counted. Images are ranked by their loudest finding, so that the false positive of an excluded
            scene would count for the detector.
        nothing: What there was none of, where nothing can be judged.
        further: Other fields of :class:`Kind`, in place of these.
    """

    @with_worst_case(missed, alarms=noun == "nodule")
    def ruling(parameters: P, evidence: Evidence) -> Ruling:
        bound = _bound(parameters)
        criterion = f"{label(parameters)}{explained} exceeds {bound:g}{where_phrase(parameters)}"
        ledger = ledger_of(parameters, evidence)
        untouched = len(ledger.trials) - ledger.positives
        if not ledger.positives or (area and not untouched):
            return no_data(criterion, nothing, evidence)
        estimate = estimator(parameters, ledger, evidence)
        held = [hold(name, label(parameters), estimate, alpha=evidence.alpha, bound=bound, side="above")]
        if area and bound < SILENT_AREA:
            held.append(sensitivity_gate(selected(parameters, evidence), evidence))
        return rule(
            held,
            evidence,
            criterion,
            scenes_of_nodules(ledger) if noun == "nodule" else ledger.trials,
            noun=noun,
            counts=f", {untouched} untouched",
            reasons=too_few_equal_clusters(ledger.clusters),
            figure=figure(parameters, ledger, evidence),
        )

    kind = Kind(
        name=name,
        about=about,
        parameters=parameters,
        ruling=ruling,
        common=CURVE,
        rules={"required": ["at_least"]},
        arms=lambda p: (OWN, UNTOUCHED_ARM),
        threshold_free=lambda p: True,
        fewest=lambda p, alpha, per_background: curve_backgrounds(_bound(p), alpha),
        all_scores=True,
        curve=True,
    )
    return replace(kind, **further)


def _bound(parameters: Any) -> float:
    return float(parameters.at_least)


def scenes_of_nodules(ledger: Ledger) -> list[Trial]:
    """Return the scene of each judged nodule."""
    return [ledger.trials[i] for i in ledger.owner]
