"""Two records side by side: verdicts that changed, and paired differences on the scenes that both have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from synnodtest.canonical import plain
from synnodtest.counted import counted
from synnodtest.decoding import JsonObject
from synnodtest.engine.gather import fewer_backgrounds
from synnodtest.expectations import kind_of
from synnodtest.expectations.metrics import METRICS, ON_IMAGES, difference
from synnodtest.record.assemble import Fragment
from synnodtest.record.limit import Limit
from synnodtest.record.model import Comparison, ExpectationEntry, Record, SceneEntry
from synnodtest.record.model.compared import ChangedParameter, ChangedVerdict, DifferenceEntry
from synnodtest.record.model.judged import DEFAULT_POINT, BehaviourEntry
from synnodtest.record.model.members import StatusWord
from synnodtest.record.model.side import Side
from synnodtest.statistics.clusters import cluster_means, codes

_BOUNDS = ("at_least", "at_most", "margin", "min_spearman", "max_drop", "rate_at_least", "operating_point", "alpha")
_SAYS_NOTHING = frozenset({"rationale"})
"""Parameters that no verdict hangs on."""

_APART = (
    "nodules that are searched for, or ought not to be found, are held against no limit; give it a behaviour whose "
    "'scenes' have nodules that ought to be found"
)
Row = tuple[float, float, str]
Pair = tuple[SceneEntry, SceneEntry]
"""A scene of the earlier record and the same of this one."""


@dataclass
class Asked:
    """Questions of a behaviour's expectations.

    Args:
        together: Whether its nodules count among all: they ought to be found, and no search chose them.
        points: Operating points, in the order of the expectations.
        spare: Operating point of those that look at all thresholds.
    """

    together: bool = True
    points: list[float] = field(default_factory=list)
    spare: float = DEFAULT_POINT

    @property
    def further(self) -> list[float]:
        """Operating points beyond the first."""
        return [p for p in dict.fromkeys(self.points) if p != self.points[0]]

    def point(self, further: float | None = None) -> float:
        """Return the operating point: the further one where an expectation states it, else the first."""
        if further in self.points:
            return float(further)
        return self.points[0] if self.points else self.spare


Wanted = Mapping[str, Asked]
"""Questions by behaviour."""
_USUAL = Asked()


def as_record(fragment: Fragment, run_id: str, left_out: Iterable[str] = ()) -> Side:
    """Return of a fragment what :func:`compare` reads of a record."""
    return Side(
        run=run_id,
        started=fragment.started,
        detector=fragment.detector,
        expectations=tuple(fragment.expectations.values()),
        scenes=fragment.scenes,
        left_out=tuple(left_out),
        behaviours=tuple(fragment.behaviours.values()),
        short=bool(fewer_backgrounds(fragment.shortfall)),
        sources={file: spec.sources for file, spec in fragment.specs.items()},
    )


def compare(
    earlier: Side | Record | JsonObject,
    now: Side | Record | JsonObject,
    *,
    name: str = "",
    alpha: float = 0.05,
    limits: Iterable[Limit] = (),
) -> Comparison:
    """Return the ``comparison`` of a record.

    Only scenes whose radiographs are equal to the last bit in both records are paired, and whose findings were
    assigned to nodules by the same rule. Both are held against the operating point of ``now``.

    Args:
        earlier: A record, or the side of one.
        now: The record under judgement.
        name: What the earlier one is called; its run's id by default.
        alpha: One-sided error rate of each bound.
        limits: How far metrics may move; each is in the answer with ``kept`` and a ``sentence``.
    """
    then, here = Side.of(earlier), Side.of(now)
    before, after = then.entries(), here.entries()
    left_out = {*then.left_out, *(key for key, entry in after.items() if entry.status == "NOT RUN")}
    common = [key for key in after if key in before]
    changed = [_verdict(key, before[key], after[key]) for key in common if before[key].status != after[key].status]
    otherwise = _matched_otherwise(then, here)
    every = _common_scenes(then, here)
    pairs = [(old, new) for old, new in every if not new.nodules or new.behaviour not in otherwise]
    differences = tuple(_differences(pairs, _wanted(here), alpha))
    alone = _unmet(then, here, pairs)
    return Comparison(
        earlier=name or then.run,
        started=then.started,
        detector=then.detector.name,
        unchanged=len(common) - len(changed),
        verdicts=tuple(changed),
        margins=(
            *otherwise.values(),
            *(m for key in common for m in _margins(key, before[key], after[key])),
            *(m for key in common for m in _other_code(after[key], then, here)),
        ),
        new=tuple(key for key in after if key not in before and key not in left_out),
        removed=tuple(key for key in before if key not in after),
        differences=differences,
        unpaired=len({*then.scenes, *here.scenes}) - len(pairs),
        limits=tuple(limit.verdict(differences, alone[limit.metric not in ON_IMAGES]) for limit in limits),
    )


def faults_of(expectations: Iterable[ExpectationEntry], status: StatusWord = "ERROR") -> list[str]:
    """Return what broke in a run, or is INVALID in it, a line per reason: what was not ruled on cannot be compared."""
    broken = [e.error or "no reason given" for e in expectations if e.status == status]
    lines = [text.splitlines()[0] for text in broken]
    return [f"{counted(lines.count(line), 'expectation')}: {line}" for line in dict.fromkeys(lines)]


def _verdict(key: str, before: ExpectationEntry, after: ExpectationEntry) -> ChangedVerdict:
    return ChangedVerdict(key, before.status, after.status, _estimate(before), _estimate(after))


def _estimate(entry: ExpectationEntry) -> float | None:
    return entry.components[0].value if entry.components else None


def _margins(key: str, before: ExpectationEntry, after: ExpectationEntry) -> Iterator[ChangedParameter]:
    both = (what for what in before.parameters if what in after.parameters)  # a later version may know more of them
    for what in dict.fromkeys([*_BOUNDS, *both]):
        old, new = before.parameters.get(what), after.parameters.get(what)
        if old != new and what not in _SAYS_NOTHING:
            yield ChangedParameter(key, what, old, new)


def _other_code(entry: ExpectationEntry, earlier: Side, now: Side) -> Iterator[ChangedParameter]:
    """Yield that a check which this package does not bring is another one under the same name."""
    name = str(entry.parameters.get("function") or entry.kind)
    old, new = (side.sources.get(entry.spec_file, {}).get(name, "")[:12] for side in (earlier, now))
    if old and new and old != new:
        yield ChangedParameter(entry.id, f"code of {name}", old, new)


def _matched_otherwise(earlier: Side, now: Side) -> dict[str, ChangedParameter]:
    """Return the behaviours whose findings were assigned to nodules by another rule: their hits are not comparable."""
    before, after = ({b.id: b.resolved.get("matching") for b in side.behaviours} for side in (earlier, now))
    return {
        key: ChangedParameter(key, "matching", before[key], rule)
        for key, rule in after.items()
        if rule is not None and before.get(key, rule) not in (None, rule)
    }


# --- paired differences ---------------------------------------------------------------------------------------------


def _differences(pairs: Sequence[Pair], wanted: Wanted, alpha: float) -> Iterator[DifferenceEntry]:
    counted_ones = [p for p in pairs if not p[1].nodules or wanted.get(p[1].behaviour, _USUAL).together]
    yield from _rows("", counted_ones, wanted, alpha)
    for behaviour in dict.fromkeys(scene.behaviour for _, scene in pairs):
        yield from _rows(behaviour, [p for p in pairs if p[1].behaviour == behaviour], wanted, alpha)


def _unmet(earlier: Side, now: Side, pairs: Sequence[Pair]) -> dict[bool, str]:
    """Return why the pairs do not speak for a side's scenes: more have no partner than have one; else nothing.

    Nor do they for what a run did not come to that was interrupted, or left it out.

    By whether scenes have nodules; where all of these were searched for, none speaks for a limit. Left out are
    behaviours that the other side does not have, and those whose scenes hang on the detector: searches and sequential
    runs.
    """
    known = {scene.behaviour for scene in earlier.scenes.values()} & {entry.behaviour for entry in now.expectations}
    known -= {b.id for side in (earlier, now) for b in side.behaviours if _hangs_on_the_detector(b)}
    wanted = _wanted(now)
    apart = bool(wanted) and not any(asked.together for asked in wanted.values())
    short = _left_out(now, known, earlier.scenes.values(), pairs)
    reasons = {True: short or (_APART if apart else ""), False: short}
    for whose, side, paired in (
        (" of the earlier run", earlier, [old for old, _ in pairs]),
        ("", now, [new for _, new in pairs]),
    ):
        for planted in reasons:
            there, met = (
                sum(bool(s.nodules) is planted and s.accepted and s.behaviour in known for s in scenes)
                for scenes in (side.scenes.values(), paired)
            )
            if met < there - met:
                reasons[planted] = f"only {met} of {counted(there, 'scene')}{whose} can be compared"
    return reasons


def _left_out(now: Side, known: Collection[str], earlier: Iterable[SceneEntry], pairs: Sequence[Pair]) -> str:
    """Return why a run says nothing of scenes that the earlier one has; empty where it came to all of them."""
    if now.interrupted:
        return "the run was interrupted, and says nothing of what it did not come to"
    not_run = {entry.behaviour for entry in now.expectations if entry.status == "NOT RUN"} & {*known}
    there, met = (Counter(s.behaviour for s in scenes if s.accepted) for scenes in (earlier, [old for old, _ in pairs]))
    absent = [behaviour for behaviour in not_run if met[behaviour] < there[behaviour]]
    what = f"{counted(len(absent), 'behaviour')} of the earlier one, or scenes of it,"
    return f"the run left {what} out (-k, -m, -x), and says nothing of them" if absent else ""


def _hangs_on_the_detector(behaviour: BehaviourEntry) -> bool:
    """Return whether which scenes a behaviour has depends on what was found in them."""
    return bool(behaviour.resolved.get("fuzz")) or behaviour.is_sequential


def _common_scenes(earlier: Side, now: Side) -> Iterator[Pair]:
    for key, scene in now.scenes.items():
        other = earlier.scenes.get(key)
        if other is None or not (scene.accepted and other.accepted):
            continue
        if scene.radiograph_sha256 and scene.radiograph_sha256 == other.radiograph_sha256:
            yield other, scene


def _wanted(side: Side) -> Wanted:
    wanted: dict[str, Asked] = {}
    for entry in side.expectations:
        kind = kind_of(entry.kind)
        asked = wanted.setdefault(entry.behaviour, Asked(spare=entry.operating_point))
        if entry.is_search or kind.wants_silence(kind.read(entry.parameters)):
            asked.together = False
        if "operating_point" in kind.common:
            asked.points.append(entry.operating_point)
    return wanted


def _rows(behaviour: str, pairs: Sequence[Pair], wanted: Wanted, alpha: float) -> Iterator[DifferenceEntry]:
    """Yield each metric at the first operating point of each behaviour, then rates at each further one."""
    for metric, rows in _values(pairs, wanted).items():
        yield _row(behaviour, metric, rows, alpha)
    there = dict.fromkeys(scene.behaviour for _, scene in pairs)
    for point in dict.fromkeys(p for name in there for p in wanted.get(name, _USUAL).further):
        for metric, rows in _values(pairs, wanted, point).items():
            if metric != "confidence":
                yield _row(behaviour, metric, rows, alpha, point)


def _values(pairs: Sequence[Pair], wanted: Wanted, further: float | None = None) -> dict[str, list[Row]]:
    """Return now, before and cluster of each pair, by metric; metrics without any are left out."""
    rows_of: dict[str, list[Row]] = {metric: [] for metric in METRICS}
    hits, scores, quiet, alarms = rows_of.values()
    for old, new in pairs:
        cluster, point = new.independent, wanted.get(new.behaviour, _USUAL).point(further)
        for a, b in zip(new.nodules if new.of_own_arm else (), old.nodules, strict=False):
            if a.confidence is not None and b.confidence is not None:
                hits.append((_hit(a.confidence, point), _hit(b.confidence, point), cluster))
                scores.append((a.confidence, b.confidence, cluster))
        if not new.nodules:
            now, before = (float(sum(f.score >= point for f in scene.findings)) for scene in (new, old))
            quiet.append((float(now == 0), float(before == 0), cluster))
            alarms.append((now, before, cluster))
    return {metric: rows for metric, rows in rows_of.items() if rows}


def _hit(confidence: float, point: float) -> float:
    return float(confidence >= point and confidence > 0)


def _row(
    behaviour: str, metric: str, rows: Sequence[Row], alpha: float, operating_point: float | None = None
) -> DifferenceEntry:
    now, before, clusters = [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]
    estimate = difference(metric, now, before, clusters, alpha=alpha)
    return DifferenceEntry(
        behaviour=behaviour,
        metric=metric,
        n=len(rows),
        clusters=len(set(clusters)),
        before=_mean(before, clusters),
        after=_mean(now, clusters),
        value=plain(estimate.value),
        lower=plain(estimate.lower),
        upper=plain(estimate.upper),
        shown=estimate.usable and (estimate.lower > 0 or estimate.upper < 0),
        usable=estimate.usable,
        method=estimate.method,
        alpha=alpha,
        operating_point=operating_point,
    )


def _mean(values: Sequence[float], clusters: Sequence[str]) -> float:
    """Return the mean of the clusters' means, as the difference is one: both sides and it then fit together."""
    return round(float(cluster_means(np.asarray(values, dtype=np.float64), *codes(clusters)).mean()), 6)
