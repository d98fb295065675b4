"""Two arms compared on the units that they share: difference, gate, room, and the declaration of margins."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from synnodtest.errors import SynnodError
from synnodtest.evidence.arm import OWN, UNDER_ARM, UNTOUCHED_ARM, Arm
from synnodtest.evidence.ruling import Ruling, Side, Status
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations import sentences
from synnodtest.expectations.fewest import difference_backgrounds, sequential_pairs
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import NEXT_TO, Asked, Complaint, number, option
from synnodtest.expectations.limits import many_false_positives
from synnodtest.expectations.metrics import LOWER_IS_BETTER, ON_IMAGES, RATES, UNITS, difference
from synnodtest.expectations.pairing import Compared, Comparison, compare, is_arm
from synnodtest.expectations.power import paired_power
from synnodtest.expectations.rates import Units, detections, sensitivity_gate, verb, where_phrase
from synnodtest.expectations.rule import Held, hold, no_data, rule
from synnodtest.expectations.sequential import EarlyStop
from synnodtest.expectations.worst import FOUND, MISSED, WorstScore, with_worst_case
from synnodtest.statistics import Estimate


def hold_difference(name: str, compared: Comparison, evidence: Evidence, bound: float, side: Side) -> Held:
    """Hold a paired difference against its bound."""
    sides, clusters = (compared.arm, compared.reference), [trial.cluster for trial in compared.trials]

    def estimator(alpha: float) -> Estimate:
        return difference(compared.metric, *sides, clusters, alpha=alpha, seed=evidence.seed)

    unit = UNITS.get(compared.metric, "difference")
    return hold(name, compared.label, estimator, evidence.alpha, bound, side, unit=unit)


def judge_difference(parameters: Compared, evidence: Evidence, *, bound: float, side: Side) -> Ruling:
    """Hold the paired difference against its bound, gated by the reference's sensitivity."""
    compared = compare(parameters, evidence)
    criterion = _criterion(parameters, evidence, compared, bound, side)
    if not compared.trials:
        return no_data(criterion, "pair", evidence)
    component = hold_difference("difference", compared, evidence, bound, side)
    cells, failed = table(compared.arm, compared.reference), component.part.status is Status.FAILED
    figure = paired_figure(compared, evidence.operating_point)
    if side == "within":
        figure |= {"kind": "equivalence", "margin": bound}
    itself = _with_itself(compared)
    open_ = [] if parameters.under is None else itself  # two equal arms may be meant
    told = [] if open_ else itself
    return rule(
        [component, reference_gate(parameters, compared, evidence)],
        evidence,
        criterion,
        compared.trials,
        noun="pair",
        counts=f", {cells['n10'] + cells['n01']} of them discordant" if parameters.rates else "",
        reasons=[*compared.reasons(), *open_, *([] if failed else no_room_to_lose(compared, bound, side))],
        notes=[
            *compared.notes(),
            *told,
            *_of_all_pairs(compared, component.part.value),
            *(_not_the_same(cells, bound, side) if parameters.rates and component.part.status is Status.PASSED else ()),
        ],
        figure=figure,
    )


def _with_itself(compared: Comparison) -> list[str]:
    """Return that nothing was compared, where all pixels of one arm are those of the other."""
    there, of = compared.names
    words = f"every radiograph of {there!r} is that of {of!r}, pixel for pixel, so that any detector passes"
    return [words] if compared.identical else []


def _of_all_pairs(compared: Comparison, value: float) -> list[str]:
    """Return what a reader of the table of pairs would work out, where clusters of several pairs count otherwise."""
    pooled = (sum(compared.arm) - sum(compared.reference)) / len(compared.arm)
    there = sentences.number(pooled)
    if there == sentences.number(value) or math.isnan(value):
        return []
    return [f"every patient or background counts alike; over all pairs together the difference is {there}"]


def _not_the_same(cells: Mapping[str, int], bound: float, side: Side) -> list[str]:
    """Return that more pairs than the margin changed, one way and the other, of which a difference shows nothing."""
    gained, lost, every = cells["n10"], cells["n01"], sum(cells.values())
    allowed = abs(bound) if side == "within" else -bound
    if not (allowed > 0 and gained and lost and gained + lost > allowed * every):
        return []
    words = f"{gained} for the better and {lost} for the worse, of which the difference shows the balance alone"
    return [f"{gained + lost} of {every} pairs changed: {words}"]


def no_room_to_lose(compared: Comparison, bound: float, side: Side) -> list[str]:
    """Return why no loss of the margin could show: the reference has no more than that to lose; else nothing."""
    if not (side == "within" or (side == "above" and bound < 0)):
        return []
    mean = sum(compared.reference) / len(compared.reference)
    return no_room_left(compared.metric, compared.names[1], mean, abs(bound), "loss")


def no_room_left(metric: str, whose: str, shown: float, margin: float, step: str) -> list[str]:
    """Return why no step of the margin could show: of a metric whose more is better there is no more; else nothing."""
    if metric in LOWER_IS_BETTER or shown > margin:
        return []
    there = f"the {metric.replace('_', ' ')} of {whose}, {sentences.beside(shown, margin)},"
    return [f"{there} leaves no room for a {step} of {margin:g}"]


def _criterion(parameters: Compared, evidence: Evidence, compared: Comparison, bound: float, side: Side) -> str:
    arm, reference = compared.names
    metric = compared.metric.replace("_", " ")
    if compared.metric in ON_IMAGES and all(t.arm.is_own for t in compared.trials):
        metric += " (findings that hit no nodule, on images with nodules)"
    condition = f"lies within ±{bound:g}" if side == "within" else f"{verb(side)} {bound:g}"
    point = "" if compared.metric == "confidence" else f" at operating point {evidence.operating_point:g}"
    return f"{metric} in {arm!r} minus {reference!r} {condition}{point}{where_phrase(parameters)}"


def margin_below_1(parameters: Any, asked: Asked) -> Iterator[Complaint]:
    """Complain of a margin that no difference of rates reaches."""
    margin = parameters.margin
    if parameters.metric in RATES and isinstance(margin, (int, float)) and margin >= 1:
        message = f"a difference of rates is below 1, and the margin is {margin:g}"
        yield Complaint("margin", message, "0.10 means ten percentage points")


def wide_margin(parameters: Any) -> str:
    """Return why a margin lets a detector pass for little; empty if it does not."""
    if parameters.metric in LOWER_IS_BETTER:
        return many_false_positives(parameters.margin)
    wide = parameters.margin >= 1 - NEXT_TO  # of a search, too, whose margin is of the confidence
    return f"rates and scores of 0 to 1 differ by less than the margin, {parameters.margin:g}" if wide else ""


def sequential_units(parameters: Compared, evidence: Evidence) -> list[tuple[Trial, float]]:
    """Return scene and difference of each pair, for a sequential run.

    Raises:
        SynnodError: a cluster gives several pairs.
    """
    compared = compare(parameters, evidence)
    if len({t.cluster for t in compared.trials}) < len(compared.trials):
        raise SynnodError(
            "a sequential comparison of arms needs one pair per background (and patient)",
            hint="leave out 'replicates' and sweeps, or give a fixed n",
        )
    return [(t, a - r) for t, a, r in zip(compared.trials, compared.arm, compared.reference, strict=True)]


def sequential_gate(parameters: Compared, evidence: Evidence, bound: float) -> tuple[Units, float]:
    """Return scene and hit of each nodule of the reference, and the rate that it must show: more than it may lose."""
    may_lose = 0.0 if parameters.on_images else -bound
    least = max(float(parameters.reference_at_least), may_lose)
    return detections(compare(parameters, evidence).gate, evidence), least


def paired_needs(parameters: Compared) -> tuple[Arm, ...]:
    """Return the arms that a paired expectation needs."""
    needs = {OWN: True, UNDER_ARM: parameters.under is not None, UNTOUCHED_ARM: parameters.on_images}
    return tuple(arm for arm, needed in needs.items() if needed)


def reference_gate(parameters: Compared, compared: Comparison, evidence: Evidence) -> Held:
    """Return the gate that the reference detects anything at all, and where images are compared the arm, too."""
    least = float(parameters.reference_at_least)
    name, what = compared.names[compared.gated], ("arm", "reference arm")[compared.gated]
    label = f"sensitivity of the {what} {name!r}" if parameters.reference is not None else f"sensitivity {name}"
    planted = dict.fromkeys(str(trial.arm) for trial, _ in compared.gate)
    if planted and parameters.reference is not None and name not in planted:
        label = f"sensitivity for the nodules of {', '.join(map(repr, planted))}"
    return sensitivity_gate(compared.gate, evidence, least, label)


def table(arm: Sequence[float], reference: Sequence[float], least: float = 0.5) -> dict[str, int]:
    """Return how many reach ``least`` in both (n11), only in the arm (n10), only in the reference (n01), in neither."""
    cells = [(a >= least, r >= least) for a, r in zip(arm, reference, strict=True)]
    return {f"n{a:d}{r:d}": cells.count((a, r)) for a in (True, False) for r in (True, False)}


def paired_figure(compared: Comparison, operating_point: float) -> dict[str, object]:
    """Return the data of the figure of two arms: 2x2 table and confidence of each pair."""
    arm, reference = compared.arm, compared.reference
    cells = table(arm, reference)
    if compared.metric not in ON_IMAGES:
        sides = [[pair[k][1] for pair in compared.nodules] for k in (0, 1)]
        hits = [[float(n.detected(operating_point)) for n in side] for side in sides]
        cells = table(hits[0], hits[1])
        arm, reference = ([n.confidence for n in side] for side in sides)
    pairs = [list(pair) for pair in zip(arm, reference, strict=True)]
    return {"kind": "paired", "labels": list(compared.names), **cells, "pairs": pairs}


def against_arm(parameters: Compared, evidence: Evidence) -> list[WorstScore]:
    """Take excluded nodules as missed in the arm and found in the reference."""
    return [lambda trial, nodule: MISSED if is_arm(parameters, trial) else FOUND]


def against_both(parameters: Compared, evidence: Evidence) -> list[WorstScore]:
    """Take excluded nodules as found in one of the two arms only, either way."""
    return [*against_arm(parameters, evidence), lambda trial, nodule: FOUND if is_arm(parameters, trial) else MISSED]


@dataclass(frozen=True)
class Margined(Compared):
    """Parameters of an expectation that allows a difference below a margin."""

    margin: float = option("Margin, in units of the metric.", number(above=0))


M = TypeVar("M", bound=Margined)


def margin_kind(
    name: str,
    about: str,
    parameters: type[M],
    *,
    gain: Literal[-1, 1] | None,
    title: str,
    rules: Mapping[str, object],
    **further: Any,
) -> Kind[M]:
    """Return the kind.

    Args:
        name: Its name in specs.
        about: What it asks, in a sentence.
        parameters: Class of its parameters.
        gain: By how many margins the arm must be better than its reference; None: the difference is bounded either way.
        title: Its name in the report.
        rules: Further JSON Schema.
        further: Other fields of :class:`Kind`, in place of these.
    """

    def bound(p: M) -> tuple[float, Side]:
        if gain is None:
            return float(p.margin), "within"
        least = gain * float(p.margin)
        return (-least, "below") if p.metric in LOWER_IS_BETTER else (least, "above")

    @with_worst_case(against_both if gain is None else against_arm)
    def ruling(p: M, evidence: Evidence) -> Ruling:
        limit, side = bound(p)
        return judge_difference(p, evidence, bound=limit, side=side)

    early_stop: EarlyStop[M] = EarlyStop(
        bound=bound,
        units=sequential_units,
        label=lambda p: f"difference in {p.metric}",
        soonest=lambda p, alpha: sequential_pairs(float(p.margin), alpha) if gain == -1 else None,
        able=lambda p: p.rates,
        paired=True,
        one_pair_each=lambda p: not p.on_images,
        worst_scores=against_arm,
        gate=lambda p, evidence: sequential_gate(p, evidence, bound(p)[0]),
    )
    kind = Kind(
        name=name,
        about=about,
        parameters=parameters,
        ruling=ruling,
        title=title,
        rules=rules,
        arms=paired_needs,
        hits_alone=lambda p: not p.on_images,
        asks_little=wide_margin,
        unit=lambda p: "image" if p.on_images else "nodule",
        asks=margin_below_1,
        early_stop=None if gain is None else early_stop,
        fewest=lambda p, alpha, per: difference_backgrounds(float(p.margin), p.rates, alpha, per),
        gate=lambda p: float(p.reference_at_least),
        power=paired_power(lambda p: float(p.margin) if p.rates else None, both=gain is None),
    )
    return replace(kind, **further)
