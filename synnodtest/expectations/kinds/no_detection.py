"""``no_detection``: nothing is reported in a region where no nodule can be."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.counted import counted
from synnodtest.errors import InvalidEvidence
from synnodtest.evidence.arm import CONTROL_ARM, OWN
from synnodtest.evidence.regions import RegionExpression, control_name, lies_in, region_text, shown_name
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence, Trial, nodules_of
from synnodtest.expectations.fewest import rate_backgrounds
from synnodtest.expectations.kind import Kind, finding_in_region
from synnodtest.expectations.language import REGION, Selection, option, share
from synnodtest.expectations.limits import REFERENCE_AT_LEAST
from synnodtest.expectations.power import rate_power
from synnodtest.expectations.rates import Pairs, hold_rate, sensitivity_gate
from synnodtest.expectations.rule import Held, no_data, rule
from synnodtest.expectations.worst import MISSED, as_worst, beside, concerns


@dataclass(frozen=True)
class NoDetection(Selection):
    """Parameters of ``no_detection``."""

    region: RegionExpression = option(*REGION)
    at_most: float = option("Share of images with a finding in the region must stay below this.", share(above=0))
    sensitivity_outside_at_least: float = option(
        "Sensitivity outside the region must exceed this, else INCONCLUSIVE. Default 0.2.",
        share(default=REFERENCE_AT_LEAST),
        REFERENCE_AT_LEAST,
    )


def no_detection(parameters: NoDetection, evidence: Evidence) -> Ruling:
    """Rate of images with any finding in the region, against the same nodules found outside it.

    An image that shows nothing of the region is no evidence of silence there, and is not counted.

    Raises:
        InvalidEvidence: no image shows the region.
    """
    region, limit, name = parameters.region, float(parameters.at_most), region_text(parameters.region)
    outside_at_least = float(parameters.sensitivity_outside_at_least)
    criterion = (
        f"the rate of images with a finding of at least {evidence.operating_point:g} in region {name} "
        f"stays below {limit:g}, while the same nodules outside it are found at a rate above {outside_at_least:g}"
    )
    asked = [t for t in evidence.own(parameters.arm) if _asked(t, parameters)]
    trials = [t for t in asked if t.regions is None or shown_name(region) in t.regions]
    if asked and not trials:
        raise InvalidEvidence(
            f"none of {counted(len(asked), 'image')} shows the region {name}", hint="name a set that has it"
        )
    if not trials:
        return no_data(criterion, f"image with region {name}", evidence)
    fires, outside = _fires(trials, region, evidence), _outside(parameters, evidence)
    label = f"rate of images with a finding in the area-matched control region of {name}"
    beside_it = _fires(trials, control_name(region), evidence)
    control = hold_rate("control region", label, beside_it, evidence, limit, "below", role="shown")
    ruling = rule(
        [_firing(parameters, fires, evidence), _gate(outside, parameters, evidence), control],
        evidence,
        criterion,
        trials,
        noun="image",
        notes=[counted(len(asked) - len(trials), *_LACKING)] if len(asked) > len(trials) else (),
        figure={"kind": "region", "region": name, "points": _points(trials, outside, region)},
    )
    return _with_excluded(ruling, fires, parameters, evidence)


def _fires(trials: list[Trial], region: RegionExpression, evidence: Evidence) -> list[tuple[Trial, bool]]:
    return [(t, t.fires_in(region, evidence.operating_point)) for t in trials]


def _firing(parameters: NoDetection, fires: list[tuple[Trial, bool]], evidence: Evidence) -> Held:
    label = f"rate of images with a finding in {region_text(parameters.region)}"
    return hold_rate("firing rate", label, fires, evidence, float(parameters.at_most), "below")


def _asked(trial: Trial, parameters: NoDetection) -> bool:
    """Return whether ``of`` and ``where`` select a nodule of the scene."""
    of, where = parameters.of, parameters.where
    return not (of or where) or bool(nodules_of([trial], of, where))


def _outside(parameters: NoDetection, evidence: Evidence) -> Pairs:
    """Return the judged nodules at their places outside the region.

    ``where`` speaks of them as they are planned in the behaviour's own scenes: their region is another outside.
    """
    pairs = evidence.nodules(CONTROL_ARM, of=parameters.of)
    if not parameters.where:
        return pairs
    own = [t for t in (*evidence.trials, *evidence.rejected) if t.arm.is_own and parameters.arm in (None, t.arm)]
    judged = {(*t.place, n.name) for t, n in nodules_of(own, where=parameters.where)}
    return [(t, n) for t, n in pairs if (*t.place, n.name) in judged]


def _gate(outside: Pairs, parameters: NoDetection, evidence: Evidence) -> Held:
    least = float(parameters.sensitivity_outside_at_least)
    label = f"sensitivity outside {region_text(parameters.region)}"
    return sensitivity_gate(outside, evidence, least, label)


def _with_excluded(
    ruling: Ruling, fires: list[tuple[Trial, bool]], parameters: NoDetection, evidence: Evidence
) -> Ruling:
    """Count every excluded scene as firing, or as missed outside; a pass that does not survive is INCONCLUSIVE."""
    excluded = [t for t in evidence.rejected if concerns(parameters, t)]
    worst = as_worst(evidence, lambda trial, nodule: MISSED)
    outside, with_missed = _outside(parameters, evidence), _outside(parameters, worst)
    count = len(excluded) + len({t.scene_id for t, _ in with_missed}) - len({t.scene_id for t, _ in outside})
    if not count:
        return ruling
    rate = _firing(parameters, fires + [(t, True) for t in excluded], evidence)
    gate = _gate(with_missed, parameters, evidence)
    return beside(ruling, rule([rate, gate], evidence, ruling.criterion, [t for t, _ in fires]), count)


def _points(trials: list[Trial], outside: Pairs, region: RegionExpression) -> list[dict[str, object]]:
    """Return place and confidence of every nodule, in fractions of the image, for the confidence map."""
    points: list[dict[str, object]] = []
    for trial, nodule in [*((t, n) for t in trials for n in t.nodules), *outside]:
        x_min, y_min, x_max, y_max = nodule.truth.box
        height, width = trial.shape
        points.append(
            {
                "x": round((x_min + x_max) / 2 / width, 4),
                "y": round((y_min + y_max) / 2 / height, 4),
                "confidence": nodule.confidence,
                "inside": lies_in(region, nodule.regions),
            }
        )
    return points


_LACKING = (
    "image shows nothing of the region and is not counted",
    "images show nothing of the region and are not counted",
)


KIND = Kind(
    name="no_detection",
    about="Nothing is reported in a region. A control arm with the same nodule elsewhere in the lung shows that the "
    "detector is not simply silent.",
    parameters=NoDetection,
    ruling=no_detection,
    title="No detection",
    rules={"required": ["region", "at_most"]},
    arms=lambda p: (OWN, CONTROL_ARM),
    unit=lambda p: "scene",
    hits_alone=lambda p: True,
    wants_silence=lambda p: True,
    fewest=lambda p, alpha, per_background: rate_backgrounds(float(p.at_most), "below", alpha, per_background),
    gate=lambda p: float(p.sensitivity_outside_at_least),
    power=rate_power(lambda p: (float(p.at_most), "below")),
    grade=finding_in_region,
    control_region=lambda p: p.region,
)
