"""``parity``: groups differ from one another by less than the margin."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import Any

import numpy as np

from synnodtest.evidence.arm import OWN, UNTOUCHED_ARM
from synnodtest.evidence.ruling import Ruling, Status
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, cluster_counts, predicate
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import EVERY, METRIC, Asked, Complaint, Selection, number, option, reference
from synnodtest.expectations.metrics import ON_IMAGES, RATES, UNITS, of_image, of_nodule
from synnodtest.expectations.paired import margin_below_1, no_room_left, wide_margin
from synnodtest.expectations.power import parity_power
from synnodtest.expectations.rates import sensitivity_gate
from synnodtest.expectations.rule import Held, hold, naming_unheard, no_data, rule
from synnodtest.expectations.worst import FOUND, MISSED, WorstScore, with_worst_case
from synnodtest.statistics import Estimate, clustered_rate, count_rate, holm, korn_graubard, paired_mean
from synnodtest.statistics.differences import miettinen_nurminen, squared_and_added
from synnodtest.statistics.distributions import t_isf


@dataclass(frozen=True)
class Group:
    """The metric of one group, unit by unit.

    Args:
        label: What a reader calls it.
        values: One per nodule or image.
        trials: The scene of each.
    """

    label: str
    values: Sequence[float]
    trials: Sequence[Trial]

    @property
    def clusters(self) -> list[str]:
        """The statistical cluster of each unit."""
        return [t.cluster for t in self.trials]


@dataclass(frozen=True)
class Parity(Selection):
    """Parameters of ``parity``; ``strata`` are the groups of ``across``."""

    metric: str = option(*METRIC, stated=True)
    across: Any = option("The groups that are compared with each other, such as {sex: [F, M]}.", reference("strata"))
    margin: float = option("Margin, in units of the metric.", number(above=0))


def _against_groups(parameters: Parity, evidence: Evidence) -> list[WorstScore]:
    """Take the excluded nodules of one group as missed and all others as found, or the reverse; for every group."""

    def one(where: Mapping[str, object], inside: float) -> WorstScore:
        keep = predicate(where)
        return lambda trial, nodule: inside if keep(trial, nodule) else FOUND - inside

    return [one(stratum.where, inside) for stratum in parameters.strata for inside in (MISSED, FOUND)]


@with_worst_case(_against_groups)
def parity(parameters: Parity, evidence: Evidence) -> Ruling:
    """Every pair of groups differs by less than the margin.

    PASSED where each pair's interval lies within (intersection-union: no correction); FAILED needs a pair that lies
    outside after Holm's correction. Silent groups are equal, so the sensitivity over all groups must exceed 0.2; where
    images are compared that of each, as a silent group has no false positive; one without nodules may be silent.
    """
    margin, metric = float(parameters.margin), parameters.metric
    groups = _groups(parameters, evidence, metric)
    names = ", ".join(g.label for g in groups)
    point = "" if metric == "confidence" else f" at operating point {evidence.operating_point:g}"
    criterion = f"{metric.replace('_', ' ')}{point} differs by less than {margin:g} between any two of {names}"
    empty = [g.label for g in groups if not g.values]
    if len(empty) == len(groups):
        return _no_group(parameters, criterion, evidence)
    pairs = [_pair(a, b, metric, margin, evidence) for a, b in combinations(groups, 2)]
    held, p_value = _corrected(pairs, evidence.alpha)
    ruling = rule(
        [*held, _gate(parameters, evidence)],
        evidence,
        criterion,
        [t for g in groups for t in g.trials],
        noun="image" if metric in ON_IMAGES else "nodule",
        counts=_in_no_group(parameters, evidence),
        reasons=[*(f"no unit in {label}" for label in empty), *_no_room(groups, metric, margin)],
        figure={"kind": "equivalence", "margin": margin},
        details={"by group": [_row(g) for g in groups]},
    )
    return replace(ruling, p_value=math.nan if empty else p_value)


def _gate(parameters: Parity, evidence: Evidence) -> Held:
    """Return the gate that anything is detected; where images are compared, in the group that is least so."""
    groups = {s.label: _nodules(parameters, evidence, s.where) for s in parameters.strata}
    if parameters.metric in ON_IMAGES:
        point = evidence.operating_point
        least = min(groups, key=lambda label: np.mean([float(n.detected(point)) for _, n in groups[label]] or [0.0]))
        return sensitivity_gate(groups[least], evidence, label=f"sensitivity of {least}, the least of all groups")
    return sensitivity_gate([*chain(*groups.values())], evidence, label="sensitivity over all groups")


def _no_group(parameters: Parity, criterion: str, evidence: Evidence) -> Ruling:
    """Return the ruling where all groups are empty; of nodules it says which groups there are."""
    if parameters.metric in ON_IMAGES:
        return no_data(criterion, "image", evidence)
    own = {name: asked for name, asked in parameters.strata[0].where.items() if name not in (parameters.where or {})}
    return naming_unheard(no_data(criterion, "nodule", evidence), own, evidence, key="across")


def _in_no_group(parameters: Parity, evidence: Evidence) -> str:
    """Return how many nodules, or images, are compared with nothing: of no group that is named, or of none known."""
    wheres = [parameters.where, *(stratum.where for stratum in parameters.strata)]
    if parameters.metric in ON_IMAGES:
        told = [{t.scene_id for t in evidence.untouched(parameters.arm, where=w, strict=True)} for w in wheres]
    else:
        told = [{f"{t.scene_id} {n.name}" for t, n in _nodules(parameters, evidence, w or {})} for w in wheres]
    left = len(told[0].difference(*told[1:]))
    return f", {left} in no group" if left else ""


def _no_room(groups: Sequence[Group], metric: str, margin: float) -> list[str]:
    """Return why no difference of the margin could show: the best group has no more than that."""
    best = max((float(np.mean(g.values)) for g in groups if g.values), default=math.inf)
    return no_room_left(metric, "the best group", best, margin, "difference")


def _row(group: Group) -> dict[str, object]:
    mean = round(float(np.mean(group.values)), 4) if group.values else None
    backgrounds = len({t.background for t in group.trials})
    return {"group": group.label, "n": len(group.values), "backgrounds": backgrounds, "mean": mean}


def _nodules(parameters: Parity, evidence: Evidence, where: Mapping[str, object]) -> list[tuple[Trial, NoduleTrial]]:
    return evidence.nodules(parameters.arm, of=parameters.of, where=where)


def _groups(parameters: Parity, evidence: Evidence, metric: str) -> list[Group]:
    point, groups = evidence.operating_point, []
    for stratum in parameters.strata:
        if metric in ON_IMAGES:
            trials = list(evidence.untouched(parameters.arm, where=stratum.where, strict=True))
            values = [of_image(metric, t, point) for t in trials]
        else:
            pairs = _nodules(parameters, evidence, stratum.where)
            trials = [t for t, _ in pairs]
            values = [of_nodule(metric, n, point) for _, n in pairs]
        groups.append(Group(stratum.label, values, trials))
    return groups


def _pair(first: Group, second: Group, metric: str, margin: float, evidence: Evidence) -> Held:

    def estimator(alpha: float) -> Estimate:
        return group_difference(first, second, metric, alpha, evidence.seed)

    name, unit = f"{first.label} - {second.label}", UNITS.get(metric, "difference")
    label = f"difference in {metric.replace('_', ' ')} ({name})"
    return hold(name, label, estimator, evidence.alpha, margin, "within", unit=unit)


def _corrected(held: list[Held], alpha: float) -> tuple[list[Held], float]:
    """Take back failures that do not survive Holm's correction; return the least adjusted p-value beside."""
    raw = {i: p for i, p in enumerate(h.p_value for h in held) if not math.isnan(p)}
    adjusted = dict(zip(raw, map(float, holm(list(raw.values()))), strict=True))
    open_ = [i for i, h in enumerate(held) if h.part.status is Status.FAILED and adjusted.get(i, 1.0) >= alpha]
    for i in open_:
        held[i] = replace(held[i], part=replace(held[i].part, status=Status.INCONCLUSIVE))
    return held, min(adjusted.values(), default=math.nan)


def group_difference(first: Group, second: Group, metric: str, alpha: float, seed: int) -> Estimate:
    """Estimate the metric of the first group minus that of the second.

    Rates with one unit per cluster: Miettinen and Nurminen. Else the widest of Newcombe's hybrid of each group's own
    bounds, of rates Miettinen and Nurminen at the effective sizes of Korn and Graubard, and Student's t over clusters,
    which sees that groups share backgrounds.
    """
    rates = metric in RATES
    owners = first.clusters + second.clusters
    if rates and len(set(owners)) == len(owners):
        counts = sum(first.values), len(first.values), sum(second.values), len(second.values)
        return miettinen_nurminen(*counts, alpha=alpha)
    most = max([1.0, *first.values, *second.values])  # scores of some detectors exceed 1
    own = [_of_group(g, metric, alpha, seed, most) for g in (first, second)]
    if not all(e.usable for e in own):
        return next(e for e in own if not e.usable)
    between = [squared_and_added(*own), *([_effective(first, second, alpha)] if rates else [])]
    value = float(np.mean(first.values) - np.mean(second.values))
    half = _spread(first, second, alpha)
    return Estimate(
        value,
        min(value - half, *(lower for lower, _ in between)),
        max(value + half, *(upper for _, upper in between)),
        alpha=alpha,
        method="hybrid, miettinen-nurminen at effective sizes, cluster-t" if rates else "hybrid, cluster-t",
        n=len(owners),
        clusters=len(set(owners)),
    )


def _of_group(group: Group, metric: str, alpha: float, seed: int, most: float) -> Estimate:
    if metric == "confidence":
        return paired_mean(group.values, group.clusters, alpha=alpha, limits=(0.0, most), guarded=True, seed=seed)
    if metric == "false_positives_per_image":
        return count_rate(group.values, group.clusters, alpha=alpha, seed=seed, guarded=True)
    return clustered_rate(group.values, group.clusters, alpha=alpha)


def _effective(first: Group, second: Group, alpha: float) -> tuple[float, float]:
    counts: list[float] = []
    for group in (first, second):
        successes, trials = cluster_counts(
            (c, value > 0) for c, value in zip(group.clusters, group.values, strict=True)
        )
        estimate = korn_graubard(successes, trials, alpha=alpha, guarded=True)
        size = estimate.extra["effective_n"]
        counts += [estimate.value * size, size]
    score = miettinen_nurminen(*counts, alpha=alpha)
    return score.lower, score.upper


def _spread(first: Group, second: Group, alpha: float) -> float:
    """Return half the width of Student's t interval of the difference, linearized over all clusters."""
    pull: dict[str, float] = {}
    for group, sign in ((first, 1.0), (second, -1.0)):
        mean, count = float(np.mean(group.values)), len(group.values)
        for cluster, value in zip(group.clusters, group.values, strict=True):
            pull[cluster] = pull.get(cluster, 0.0) + sign * (value - mean) / count
    squares = sum(v**2 for v in pull.values())
    fewest = min(len(set(first.clusters)), len(set(second.clusters)))
    variance = len(pull) / (len(pull) - 1) * squares
    return t_isf(alpha, fewest - 1) * math.sqrt(variance)


def _asks(parameters: Parity, asked: Asked) -> Iterator[Complaint]:
    yield from margin_below_1(parameters, asked)
    if asked.strata == 1:
        yield Complaint("across", "a comparison needs at least two groups")


def _planned(parameters: Parity) -> tuple[float, int] | None:
    return (float(parameters.margin), len(parameters.strata)) if parameters.metric in RATES else None


KIND = Kind(
    name="parity",
    about="A metric differs between groups by less than the margin.",
    parameters=Parity,
    ruling=parity,
    common=tuple(name for name in EVERY if name != "by"),
    rules={"required": ["across", "margin"]},
    arms=lambda p: (OWN, UNTOUCHED_ARM) if p.metric in ON_IMAGES else (OWN,),
    hits_alone=lambda p: p.metric not in ON_IMAGES,
    unit=lambda p: "image" if p.metric in ON_IMAGES else "nodule",
    asks_little=wide_margin,
    asks=_asks,
    power=parity_power(_planned),
)
