"""What two arms share: the same backgrounds, nodules and seeds, compared by one of four metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synnodtest.evidence.arm import OWN, UNDER_ARM, UNTOUCHED_ARM
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, predicate
from synnodtest.expectations.common import Held
from synnodtest.expectations.rates import Pairs, hold_sensitivity
from synnodtest.expectations.worst import FOUND, MISSED, Pretence
from synnodtest.forecast.fewest import REFERENCE_AT_LEAST
from synnodtest.statistics import Estimate, paired_mean, rate_difference_clustered

__all__ = [
    "LOWER_IS_BETTER",
    "REFERENCE_AT_LEAST",
    "Comparison",
    "against_arm",
    "against_both",
    "compare",
    "difference",
    "paired_figure",
    "paired_needs",
    "reference_gate",
    "table",
]

ON_IMAGES = frozenset({"specificity", "false_positives_per_image"})
LOWER_IS_BETTER = frozenset({"false_positives_per_image"})
UNITS = {"confidence": "score", "false_positives_per_image": "per image"}

NodulePair = tuple[tuple[Trial, NoduleTrial], tuple[Trial, NoduleTrial]]


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
    """

    metric: str
    names: tuple[str, str]
    trials: Sequence[Trial]
    arm: Sequence[float]
    reference: Sequence[float]
    gate: Pairs = field(default=(), repr=False)
    lost: int = 0

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


def paired_needs(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the arms that a paired expectation needs."""
    arms = [OWN]
    if "under" in parameters:
        arms.append(UNDER_ARM)
    if parameters.get("metric") in ON_IMAGES:
        arms.append(UNTOUCHED_ARM)
    return tuple(arms)


def compare(parameters: Mapping[str, Any], evidence: Evidence) -> Comparison:
    """Pair what the expectation compares, by background, replicate, swept values and nodule.

    ``where`` and ``of`` choose nodules of the reference; their partners follow. Images are compared on untouched
    backgrounds under each arm's perturbations, or on the arms' own scenes where the arms differ in their nodules.
    """
    metric = str(parameters.get("metric", "sensitivity"))
    pairs, lost = _nodule_pairs(parameters, evidence)
    names = _names(parameters)
    gate = [reference for _, reference in pairs] or _all_nodules(parameters, evidence)
    if metric in ON_IMAGES:
        images = _image_pairs(parameters, evidence)
        values = [tuple(_on_image(metric, t, evidence.operating_point) for t in pair) for pair in images]
        return Comparison(metric, names, [a for a, _ in images], *_columns(values), gate=gate)
    values = [tuple(_on_nodule(metric, n, evidence.operating_point) for _, n in pair) for pair in pairs]
    return Comparison(metric, names, [t for (t, _), _ in pairs], *_columns(values), gate=gate, lost=lost)


def difference(compared: Comparison, evidence: Evidence, alpha: float) -> Estimate:
    """Estimate arm minus reference: Tango's bounds for rates (wider where clusters repeat), else guarded t."""
    clusters = [t.cluster for t in compared.trials]
    if compared.metric in {"sensitivity", "specificity"}:
        return rate_difference_clustered(compared.arm, compared.reference, clusters, alpha=alpha)
    most = 1.0
    if compared.metric == "false_positives_per_image":
        most = max([1.0, *compared.arm, *compared.reference])
    shifts = [a - r for a, r in zip(compared.arm, compared.reference, strict=True)]
    return paired_mean(shifts, clusters, alpha=alpha, limits=(-most, most), guarded=True, seed=evidence.seed)


def reference_gate(parameters: Mapping[str, Any], compared: Comparison, evidence: Evidence) -> Held:
    """Return the gate that the reference detects anything at all."""
    least = float(parameters.get("reference_at_least", REFERENCE_AT_LEAST))
    name = compared.names[1]
    label = f"sensitivity of the reference arm {name!r}" if "reference" in parameters else f"sensitivity {name}"
    return hold_sensitivity(compared.gate, evidence, least, label=label, role="gate")


def table(compared: Comparison) -> tuple[int, int, int, int]:
    """Return n11, n10, n01, n00 of a yes/no metric: in both, only in the arm, only in the reference, in neither."""
    cells = [(a >= 0.5, r >= 0.5) for a, r in zip(compared.arm, compared.reference, strict=True)]
    n11, n10 = cells.count((True, True)), cells.count((True, False))
    n01, n00 = cells.count((False, True)), cells.count((False, False))
    return n11, n10, n01, n00


def paired_figure(parameters: Mapping[str, Any], evidence: Evidence, compared: Comparison) -> dict[str, Any]:
    """Return the data of the figure of two arms: 2x2 table and confidence of each pair."""
    figure: dict[str, Any] = {"kind": "paired", "labels": list(compared.names)}
    if compared.metric in ON_IMAGES:
        cells = compared
        pairs = [[a, r] for a, r in zip(compared.arm, compared.reference, strict=True)]
    else:
        nodules, _ = _nodule_pairs(parameters, evidence)
        point = evidence.operating_point
        hits = [[float(n.detected(point)) for _, n in pair] for pair in nodules]
        cells = Comparison("sensitivity", compared.names, (), [h[0] for h in hits], [h[1] for h in hits])
        pairs = [[a.confidence, r.confidence] for (_, a), (_, r) in nodules]
    figure.update(zip(("n11", "n10", "n01", "n00"), table(cells), strict=True))
    return figure | {"pairs": pairs}


def against_arm(parameters: Mapping[str, Any], evidence: Evidence) -> list[Pretence]:
    """Take excluded nodules as missed in the arm and found in the reference."""
    return [lambda trial, nodule: MISSED if _is_arm(parameters, trial) else FOUND]


def against_both(parameters: Mapping[str, Any], evidence: Evidence) -> list[Pretence]:
    """Take excluded nodules as found in one of the two arms only, either way."""
    swapped: Pretence = lambda trial, nodule: FOUND if _is_arm(parameters, trial) else MISSED  # noqa: E731
    return [*against_arm(parameters, evidence), swapped]


def _is_arm(parameters: Mapping[str, Any], trial: Trial) -> bool:
    return trial.arm.startswith(UNDER_ARM) if "under" in parameters else trial.arm == parameters["arm"]


def _names(parameters: Mapping[str, Any]) -> tuple[str, str]:
    if "under" in parameters:
        return "under " + ", ".join(kind for kind, _ in parameters["under"]), "unperturbed"
    return parameters["arm"], parameters["reference"]


def _columns(values: Sequence[tuple[float, ...]]) -> tuple[list[float], list[float]]:
    return [v[0] for v in values], [v[1] for v in values]


def _on_nodule(metric: str, nodule: NoduleTrial, point: float) -> float:
    return nodule.confidence if metric == "confidence" else float(nodule.detected(point))


def _on_image(metric: str, trial: Trial, point: float) -> float:
    count = trial.false_positives_at(point)
    return float(count == 0) if metric == "specificity" else float(count)


def _arms(parameters: Mapping[str, Any], evidence: Evidence) -> tuple[list[Trial], list[Trial]]:
    """Return the arm's and the reference's own scenes."""
    if "under" in parameters:
        reference = list(evidence.own(parameters.get("arm")))
        wanted = {f"{UNDER_ARM}:{t.arm}" for t in reference}
        return [t for t in evidence.trials if t.arm in wanted], reference
    return list(evidence.own(parameters["arm"])), list(evidence.own(parameters["reference"]))


def _place(parameters: Mapping[str, Any], trial: Trial) -> tuple[Any, ...]:
    arm = trial.arm.removeprefix(f"{UNDER_ARM}:") if "under" in parameters else ""
    return trial.background, trial.replicate, tuple(sorted(trial.levels.items())), arm


def _nodule_pairs(parameters: Mapping[str, Any], evidence: Evidence) -> tuple[list[NodulePair], int]:
    """Return the same nodule in both arms, and how many of the reference's have no partner."""
    of, keep = parameters.get("of"), predicate(parameters.get("where"))
    arm, reference = _arms(parameters, evidence)
    partners = {(*_place(parameters, t), n.name): (t, n) for t in arm for n in t.nodules}
    scenes = {_place(parameters, t) for t in arm}
    found: list[NodulePair] = []
    lost = 0
    for trial in reference:
        for nodule in trial.nodules:
            if of not in (None, nodule.name) or not keep(trial, nodule):
                continue
            partner = partners.get((*_place(parameters, trial), nodule.name))
            if partner is not None:
                found.append((partner, (trial, nodule)))
            else:
                lost += _place(parameters, trial) in scenes
    return found, lost


def _all_nodules(parameters: Mapping[str, Any], evidence: Evidence) -> Pairs:
    """Return whatever nodules there are, for the gate of a reference that plants none."""
    return evidence.nodules(of=parameters.get("of"), where=parameters.get("where"))


def _image_pairs(parameters: Mapping[str, Any], evidence: Evidence) -> list[tuple[Trial, Trial]]:
    where, under = parameters.get("where"), "under" in parameters
    reference = list(evidence.untouched(parameters.get("arm") if under else parameters["reference"], where=where))
    if under:
        wanted = {f"{UNDER_ARM}:{t.arm}" for t in reference}
        arm = [t for t in evidence.trials if t.arm in wanted]
    else:
        arm = list(evidence.untouched(parameters["arm"], where=where))
    if not reference:
        arm, reference = _arms(parameters, evidence)
    return _join(parameters, arm, [t for t in reference if _selected(parameters, t)])


def _selected(parameters: Mapping[str, Any], trial: Trial) -> bool:
    keep = predicate(parameters.get("where"))
    return not trial.nodules or not parameters.get("where") or any(keep(trial, n) for n in trial.nodules)


def _join(parameters: Mapping[str, Any], arm: Iterable[Trial], reference: Iterable[Trial]) -> list[tuple[Trial, Trial]]:
    partners = {_place(parameters, t): t for t in arm}
    return [(partners[place], t) for t in reference if (place := _place(parameters, t)) in partners]
