"""What two arms share: the same backgrounds, nodules and seeds, compared by one of four metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from synnodtest.errors import SynnodError
from synnodtest.evidence.arm import OWN, UNDER_ARM, UNTOUCHED_ARM, Arm
from synnodtest.evidence.ruling import Ruling, Side, Status
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, predicate
from synnodtest.expectations.asked import Asked, Complaint
from synnodtest.expectations.bounds import Held, hold
from synnodtest.expectations.fewest import difference_backgrounds, rate_units
from synnodtest.expectations.language import METRIC, option, reference, share
from synnodtest.expectations.limits import REFERENCE_AT_LEAST
from synnodtest.expectations.parameters import Selection
from synnodtest.expectations.rates import Pairs, hold_sensitivity, where_phrase
from synnodtest.expectations.rule import no_data, rule
from synnodtest.expectations.sequential import EarlyStop
from synnodtest.expectations.worst import FOUND, MISSED, Pretence
from synnodtest.statistics import Estimate, most_per_image, paired_mean, rate_difference_clustered

__all__ = [
    "LOWER_IS_BETTER",
    "ON_IMAGES",
    "RATES",
    "UNITS",
    "Compared",
    "Comparison",
    "against_arm",
    "against_both",
    "agreeing_backgrounds",
    "compare",
    "comparison_unit",
    "hold_difference",
    "judge_difference",
    "margin_below_1",
    "no_room_left",
    "paired_needs",
    "sequential_stop",
    "with_reference",
]

ON_IMAGES = frozenset({"specificity", "false_positives_per_image"})
LOWER_IS_BETTER = frozenset({"false_positives_per_image"})
RATES = frozenset({"sensitivity", "specificity"})
"""Metrics that are yes or no of each unit."""
UNITS = {"confidence": "score", "false_positives_per_image": "per image"}

NodulePair = tuple[tuple[Trial, NoduleTrial], tuple[Trial, NoduleTrial]]


@dataclass(frozen=True)
class Compared(Selection):
    """Parameters of a comparison of two arms."""

    arm: str | None = option("The arm under test.", reference("name"))
    metric: str = option(
        "What is compared: sensitivity (default), confidence, specificity or false_positives_per_image.",
        METRIC,
        "sensitivity",
        stated=True,
    )
    reference: str | None = option("The arm it is compared with.", reference("name"))
    reference_at_least: float = option(
        "Sensitivity of the reference must exceed this, else INCONCLUSIVE: two silent arms prove nothing. Default 0.2.",
        share(default=REFERENCE_AT_LEAST),
        REFERENCE_AT_LEAST,
    )

    @property
    def under(self) -> Sequence[tuple[str, Any]] | None:
        """Perturbations that make the arm out of the reference; None where the scenes have both arms."""
        return None

    @property
    def on_images(self) -> bool:
        """Whether images are compared, not nodules."""
        return self.metric in ON_IMAGES

    @property
    def rates(self) -> bool:
        """Whether the metric is yes or no of each unit."""
        return self.metric in RATES


C = TypeVar("C", bound=Compared)


@dataclass(frozen=True)
class Comparison:
    """One metric in two arms, unit by unit.

    Args:
        metric: ``sensitivity``, ``confidence``, ``specificity`` or ``false_positives_per_image``.
        names: What the arm and its reference are called.
        trials: The arm's scene of each unit (a nodule, or an image).
        arm: The metric of each unit in the arm.
        reference: The same in the reference.
        gate: Nodules of the reference, by which it shows that it detects anything.
        lost: Nodules that are in the reference but not (or no longer) in the arm.
        alone: Units of the reference that have no partner, though the arm has their like on other backgrounds.
    """

    metric: str
    names: tuple[str, str]
    trials: Sequence[Trial]
    arm: Sequence[float]
    reference: Sequence[float]
    gate: Pairs = field(default=(), repr=False)
    lost: int = 0
    alone: int = 0

    @property
    def label(self) -> str:
        """What the difference is called."""
        return f"difference in {self.metric.replace('_', ' ')} ({self.names[0]} - {self.names[1]})"

    @property
    def unit(self) -> str:
        """Unit of the difference."""
        return UNITS.get(self.metric, "difference")

    def notes(self) -> list[str]:
        """Return what a reader must know of the pairing."""
        if not self.lost:
            return []
        return [f"{self.lost} nodules of {self.names[1]} are not in {self.names[0]} and are not compared"]

    def reasons(self) -> list[str]:
        """Return why nothing can be decided: the pairs that are left do not speak for all where most dropped out."""
        if self.alone <= len(self.trials):
            return []
        every = self.alone + len(self.trials)
        return [f"{self.alone} of {every} of {self.names[1]} have no partner in {self.names[0]}"]


def hold_difference(name: str, compared: Comparison, evidence: Evidence, bound: float, side: Side) -> Held:
    """Hold a paired difference against its bound."""
    return hold(
        name,
        compared.label,
        lambda alpha: difference(compared, evidence, alpha),
        alpha=evidence.alpha,
        bound=bound,
        side=side,
        unit=compared.unit,
    )


def judge_difference(parameters: Compared, evidence: Evidence, *, bound: float, side: Side) -> Ruling:
    """Hold the paired difference against its bound, gated by the reference's sensitivity."""
    compared = compare(parameters, evidence)
    criterion = _criterion(parameters, evidence, compared, bound, side)
    if not compared.trials:
        return no_data(criterion, "pair", evidence)
    held = hold_difference("difference", compared, evidence, bound, side)
    _, n10, n01, _ = table(compared)
    figure = paired_figure(parameters, evidence, compared)
    if side == "within":
        figure |= {"kind": "equivalence", "margin": bound}
    return rule(
        [held, reference_gate(parameters, compared, evidence)],
        evidence,
        criterion,
        compared.trials,
        noun="pair",
        counts=f", {n10 + n01} of them discordant" if parameters.rates else "",
        reasons=[
            *compared.reasons(),
            *(_no_room(compared, bound, side) if held.part.status is not Status.FAILED else []),
        ],
        notes=compared.notes(),
        figure=figure,
    )


def _no_room(compared: Comparison, bound: float, side: Side) -> list[str]:
    """Return why no loss of the margin could show: the reference has no more than that to lose."""
    if not (side == "within" or (side == "above" and bound < 0)):
        return []
    mean = sum(compared.reference) / len(compared.reference)
    return no_room_left(compared.metric, compared.names[1], mean, abs(bound), "loss")


def no_room_left(metric: str, whose: str, shown: float, margin: float, step: str) -> list[str]:
    """Return why no step of the margin could show: of a metric whose more is better there is no more; else nothing."""
    if metric in LOWER_IS_BETTER or shown > margin:
        return []
    return [f"the {metric.replace('_', ' ')} of {whose}, {shown:.2f}, leaves no room for a {step} of {margin:g}"]


def _criterion(parameters: Compared, evidence: Evidence, compared: Comparison, bound: float, side: Side) -> str:
    arm, reference = compared.names
    metric = compared.metric.replace("_", " ")
    if compared.metric in ON_IMAGES and all(t.arm.is_own for t in compared.trials):
        metric += " (findings that hit no nodule, on images with nodules)"
    verb = {"above": f"exceeds {bound:g}", "below": f"stays below {bound:g}", "within": f"lies within ±{bound:g}"}[side]
    point = "" if compared.metric == "confidence" else f" at operating point {evidence.operating_point:g}"
    return f"{metric} in {arm!r} minus {reference!r} {verb}{point}{where_phrase(parameters)}"


def comparison_unit(parameters: Compared) -> Literal["nodule", "image"]:
    """Return what a comparison counts."""
    return "image" if parameters.on_images else "nodule"


def margin_below_1(parameters: Any, asked: Asked) -> Iterator[Complaint]:
    """Complain of a margin that no difference of rates reaches."""
    margin = parameters.margin
    if parameters.metric in RATES and isinstance(margin, (int, float)) and margin >= 1:
        message = f"a difference of rates is below 1, and the margin is {margin:g}"
        yield Complaint("margin", message, "0.10 means ten percentage points")


def with_reference(pairs: int | None, parameters: Compared, alpha: float) -> int | None:
    """Return the fewest backgrounds that show the difference and that the reference detects anything at all."""
    return None if pairs is None else max(pairs, rate_units(float(parameters.reference_at_least), alpha))


def agreeing_backgrounds(parameters: Compared, margin: float, alpha: float, per_background: float) -> int | None:
    """Return the fewest backgrounds that show arms that agree fully to differ by less than the margin."""
    return with_reference(difference_backgrounds(margin, parameters.rates, alpha, per_background), parameters, alpha)


def sequential_units(parameters: Compared, evidence: Evidence) -> list[tuple[str, float]]:
    """Return cluster and difference of each pair, for a sequential run.

    Raises:
        SynnodError: a cluster gives several pairs.
    """
    compared = compare(parameters, evidence)
    clusters = [t.cluster for t in compared.trials]
    if len(set(clusters)) < len(clusters):
        raise SynnodError(
            "a sequential comparison of arms needs one pair per background (and patient)",
            hint="leave out 'replicates' and sweeps, or give a fixed n",
        )
    return [(c, a - r) for c, a, r in zip(clusters, compared.arm, compared.reference, strict=True)]


def sequential_gate(parameters: Compared, evidence: Evidence, bound: float) -> tuple[list[tuple[str, float]], float]:
    """Return cluster and hit of each nodule of the reference, and the rate that it must show: more than it may lose."""
    point = evidence.operating_point
    units = [(t.cluster, float(n.detected(point))) for t, n in compare(parameters, evidence).gate]
    may_lose = 0.0 if parameters.on_images else -bound
    return units, max(float(parameters.reference_at_least), may_lose)


def sequential_stop(margin: Callable[[C], float], soonest: Callable[[C, float], int | None]) -> EarlyStop[C]:
    """Return how a sequential run decides a paired difference of rates that must exceed a bound."""
    return EarlyStop(
        bound=lambda p: (margin(p), "above"),
        units=sequential_units,
        trials=lambda p, evidence: list(compare(p, evidence).trials),
        label=lambda p: f"difference in {p.metric}",
        soonest=soonest,
        able=lambda p: p.rates,
        paired=True,
        one_pair_each=lambda p: not p.on_images,
        pretences=against_arm,
        gate=lambda p, evidence: sequential_gate(p, evidence, margin(p)),
    )


def paired_needs(parameters: Compared) -> tuple[Arm, ...]:
    """Return the arms that a paired expectation needs."""
    arms = [OWN]
    if parameters.under is not None:
        arms.append(UNDER_ARM)
    if parameters.metric in ON_IMAGES:
        arms.append(UNTOUCHED_ARM)
    return tuple(arms)


def compare(parameters: Compared, evidence: Evidence) -> Comparison:
    """Pair what the expectation compares, by background, replicate, swept values and nodule.

    ``where`` and ``of`` choose nodules of the reference; their partners follow. Images are compared on untouched
    backgrounds under each arm's perturbations, or on the arms' own scenes where the arms differ in their nodules.
    """
    metric = parameters.metric
    pairs, lost, alone = _nodule_pairs(parameters, evidence)
    names = _names(parameters)
    gate = [reference for _, reference in pairs] or _all_nodules(parameters, evidence)
    if metric in ON_IMAGES:
        images, single = _image_pairs(parameters, evidence)
        values = [tuple(_on_image(metric, t, evidence.operating_point) for t in pair) for pair in images]
        return Comparison(metric, names, [a for a, _ in images], *_columns(values), gate=gate, alone=single)
    values = [tuple(_on_nodule(metric, n, evidence.operating_point) for _, n in pair) for pair in pairs]
    return Comparison(metric, names, [t for (t, _), _ in pairs], *_columns(values), gate=gate, lost=lost, alone=alone)


def difference(compared: Comparison, evidence: Evidence, alpha: float) -> Estimate:
    """Estimate arm minus reference: Tango's bounds for rates (wider where clusters repeat), else guarded t."""
    clusters = [t.cluster for t in compared.trials]
    if compared.metric in RATES:
        return rate_difference_clustered(compared.arm, compared.reference, clusters, alpha=alpha)
    most = max([1.0, *compared.arm, *compared.reference])  # scores of some detectors exceed 1
    most = most_per_image(most) if compared.metric in LOWER_IS_BETTER else most
    shifts = [a - r for a, r in zip(compared.arm, compared.reference, strict=True)]
    return paired_mean(shifts, clusters, alpha=alpha, limits=(-most, most), guarded=True, seed=evidence.seed)


def reference_gate(parameters: Compared, compared: Comparison, evidence: Evidence) -> Held:
    """Return the gate that the reference detects anything at all."""
    least = float(parameters.reference_at_least)
    name = compared.names[1]
    label = f"sensitivity of the reference arm {name!r}" if parameters.reference is not None else f"sensitivity {name}"
    return hold_sensitivity(compared.gate, evidence, least, label=label, role="gate")


def table(compared: Comparison) -> tuple[int, int, int, int]:
    """Return n11, n10, n01, n00 of a yes/no metric: in both, only in the arm, only in the reference, in neither."""
    cells = [(a >= 0.5, r >= 0.5) for a, r in zip(compared.arm, compared.reference, strict=True)]
    n11, n10 = cells.count((True, True)), cells.count((True, False))
    n01, n00 = cells.count((False, True)), cells.count((False, False))
    return n11, n10, n01, n00


def paired_figure(parameters: Compared, evidence: Evidence, compared: Comparison) -> dict[str, object]:
    """Return the data of the figure of two arms: 2x2 table and confidence of each pair."""
    figure: dict[str, object] = {"kind": "paired", "labels": list(compared.names)}
    if compared.metric in ON_IMAGES:
        cells = compared
        pairs = [[a, r] for a, r in zip(compared.arm, compared.reference, strict=True)]
    else:
        nodules, *_ = _nodule_pairs(parameters, evidence)
        point = evidence.operating_point
        hits = [[float(n.detected(point)) for _, n in pair] for pair in nodules]
        cells = Comparison("sensitivity", compared.names, (), [h[0] for h in hits], [h[1] for h in hits])
        pairs = [[a.confidence, r.confidence] for (_, a), (_, r) in nodules]
    figure.update(zip(("n11", "n10", "n01", "n00"), table(cells), strict=True))
    return figure | {"pairs": pairs}


def against_arm(parameters: Compared, evidence: Evidence) -> list[Pretence]:
    """Take excluded nodules as missed in the arm and found in the reference."""
    return [lambda trial, nodule: MISSED if _is_arm(parameters, trial) else FOUND]


def against_both(parameters: Compared, evidence: Evidence) -> list[Pretence]:
    """Take excluded nodules as found in one of the two arms only, either way."""
    swapped: Pretence = lambda trial, nodule: FOUND if _is_arm(parameters, trial) else MISSED  # noqa: E731
    return [*against_arm(parameters, evidence), swapped]


def _is_arm(parameters: Compared, trial: Trial) -> bool:
    return trial.arm.is_from(UNDER_ARM) if parameters.under is not None else trial.arm == parameters.arm


def _names(parameters: Compared) -> tuple[str, str]:
    if parameters.under is not None:
        return "under " + ", ".join(kind for kind, _ in parameters.under), "unperturbed"
    return str(parameters.arm), str(parameters.reference)


def _columns(values: Sequence[tuple[float, ...]]) -> tuple[list[float], list[float]]:
    return [v[0] for v in values], [v[1] for v in values]


def _on_nodule(metric: str, nodule: NoduleTrial, point: float) -> float:
    return nodule.confidence if metric == "confidence" else float(nodule.detected(point))


def _on_image(metric: str, trial: Trial, point: float) -> float:
    count = trial.false_positives_at(point)
    return float(count == 0) if metric == "specificity" else float(count)


def _arms(parameters: Compared, evidence: Evidence) -> tuple[list[Trial], list[Trial]]:
    """Return the arm's and the reference's own scenes."""
    if parameters.under is not None:
        reference = list(evidence.own(parameters.arm))
        wanted = {UNDER_ARM.of(t.arm) for t in reference}
        return [t for t in evidence.trials if t.arm in wanted], reference
    return list(evidence.own(parameters.arm)), list(evidence.own(parameters.reference))


def _place(parameters: Compared, trial: Trial) -> tuple[Any, ...]:
    arm = trial.arm.before(UNDER_ARM) if parameters.under is not None else ""
    return trial.background, trial.replicate, tuple(sorted(trial.levels.items())), arm


def _nodule_pairs(parameters: Compared, evidence: Evidence) -> tuple[list[NodulePair], int, int]:
    """Return the same nodule in both arms, and how many of the reference's have no partner.

    First those whose scene the arm has, without them; then those of a name that the arm has elsewhere.
    """
    of, keep = parameters.of, predicate(parameters.where)
    arm, reference = _arms(parameters, evidence)
    partners = {(*_place(parameters, t), n.name): (t, n) for t in arm for n in t.nodules}
    scenes, known = {_place(parameters, t) for t in arm}, {n.name for t in arm for n in t.nodules}
    found: list[NodulePair] = []
    lost = alone = 0
    for trial in reference:
        for nodule in trial.nodules:
            if of not in (None, nodule.name) or not keep(trial, nodule):
                continue
            partner = partners.get((*_place(parameters, trial), nodule.name))
            if partner is not None:
                found.append((partner, (trial, nodule)))
            else:
                lost += _place(parameters, trial) in scenes
                alone += nodule.name in known
    return found, lost, alone


def _all_nodules(parameters: Compared, evidence: Evidence) -> Pairs:
    """Return whatever nodules there are, for the gate of a reference that plants none."""
    return evidence.nodules(of=parameters.of, where=parameters.where)


def _image_pairs(parameters: Compared, evidence: Evidence) -> tuple[list[tuple[Trial, Trial]], int]:
    """Return the same image in both arms, and how many of the reference's have no partner."""
    where, under = parameters.where, parameters.under is not None
    reference = list(evidence.untouched(parameters.arm if under else parameters.reference, where=where))
    if under:
        wanted = {UNDER_ARM.of(t.arm) for t in reference}
        arm = [t for t in evidence.trials if t.arm in wanted]
    else:
        arm = list(evidence.untouched(parameters.arm, where=where))
    if not reference:
        arm, reference = _arms(parameters, evidence)
    chosen = [t for t in reference if _selected(parameters, t)]
    joined = _join(parameters, arm, chosen)
    return joined, len(chosen) - len(joined)


def _selected(parameters: Compared, trial: Trial) -> bool:
    keep = predicate(parameters.where)
    return not trial.nodules or not parameters.where or any(keep(trial, n) for n in trial.nodules)


def _join(parameters: Compared, arm: Iterable[Trial], reference: Iterable[Trial]) -> list[tuple[Trial, Trial]]:
    partners = {_place(parameters, t): t for t in arm}
    return [(partners[place], t) for t in reference if (place := _place(parameters, t)) in partners]
