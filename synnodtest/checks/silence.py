"""Check of ``no_detection``: nothing is reported in a region where no nodule can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synnodtest.checks.common import component, counts_phrase, no_data, sentence_for, sizes
from synnodtest.checks.rates import sensitivity_component
from synnodtest.checks.registry import OWN, check
from synnodtest.checks.ruling import Component, Ruling, combine
from synnodtest.planning.control import control_name
from synnodtest.planning.recipe import CONTROL_ARM
from synnodtest.planning.trial import Evidence, Trial
from synnodtest.spec.regions import RegionExpression, region_text
from synnodtest.statistics import clustered_rate

__all__ = ["SENSITIVITY_OUTSIDE_AT_LEAST", "no_detection"]

SENSITIVITY_OUTSIDE_AT_LEAST = 0.2
"""Least sensitivity for the same nodules outside the region: an always silent detector passes nothing."""


@check("no_detection", arms=(OWN, CONTROL_ARM))
def no_detection(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Rate of images with any finding in the region, against the same nodules found outside it."""
    region, limit = parameters["region"], float(parameters["at_most"])
    name = region_text(region)
    outside_at_least = float(parameters.get("sensitivity_outside_at_least", SENSITIVITY_OUTSIDE_AT_LEAST))
    criterion = (
        f"the rate of images with a finding of at least {evidence.operating_point:g} in region {name} "
        f"stays below {limit:g}, while the same nodules outside it are found at a rate above {outside_at_least:g}"
    )
    trials = evidence.own(parameters.get("arm"))
    if not trials:
        return no_data(criterion, f"image with region {name}", evidence)
    firing, _ = component(
        "firing rate",
        f"rate of images with a finding in {name}",
        lambda alpha: _firing(trials, region, evidence, alpha),
        alpha=evidence.alpha,
        bound=limit,
        side="below",
    )
    outside = evidence.nodules(CONTROL_ARM)
    gate = sensitivity_component(outside, evidence, outside_at_least, label=f"sensitivity outside {name}", role="gate")
    shown = _control(trials, region, evidence, limit)
    parts = (firing, gate, shown)
    status = combine(parts)
    backgrounds, clusters = sizes(trials)
    return Ruling(
        status=status,
        sentence=sentence_for(status, parts, evidence.alpha, counts_phrase(len(trials), backgrounds, "image")),
        criterion=criterion,
        components=parts,
        n_nodules=len(trials),
        n_backgrounds=backgrounds,
        n_clusters=clusters,
        alpha=evidence.alpha,
        figure={"kind": "region", "region": name, "points": _points(trials, outside)},
    )


def _firing(trials: tuple[Trial, ...], region: RegionExpression, evidence: Evidence, alpha: float) -> Any:
    fires = [t.fires_in(region, evidence.operating_point) for t in trials]
    return clustered_rate(fires, [t.cluster for t in trials], alpha=alpha)


def _control(trials: tuple[Trial, ...], region: RegionExpression, evidence: Evidence, limit: float) -> Component:
    """Describe the same rate in an area-matched control region of the same images; nothing is decided on it."""
    name = region_text(region)
    return component(
        "control region",
        f"rate of images with a finding in the area-matched control region of {name}",
        lambda alpha: _firing(trials, control_name(region), evidence, alpha),
        alpha=evidence.alpha,
        bound=limit,
        side="below",
        role="shown",
    )[0]


def _points(trials: tuple[Trial, ...], outside: list[Any]) -> list[dict[str, Any]]:
    """Return place and confidence of every nodule, in fractions of the image, for the confidence map."""
    inside = [(t, n) for t in trials for n in t.nodules]
    points = []
    for is_inside, pairs in ((True, inside), (False, outside)):
        for trial, nodule in pairs:
            x_min, y_min, x_max, y_max = nodule.truth.box
            height, width = trial.shape
            points.append(
                {
                    "x": round((x_min + x_max) / 2 / width, 4),
                    "y": round((y_min + y_max) / 2 / height, 4),
                    "confidence": nodule.confidence,
                    "inside": is_inside,
                }
            )
    return points
