"""Two records side by side: verdicts that changed, and paired differences on the scenes that both have."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synnodtest.errors import SynnodError
from synnodtest.evidence.arm import Arm
from synnodtest.expectations import find_check
from synnodtest.record.assemble import Fragment
from synnodtest.statistics import Estimate, paired_mean, rate_difference_clustered

__all__ = ["METRICS", "Limit", "as_record", "compare", "faults_of", "parse_limit"]

METRICS = ("sensitivity", "confidence", "specificity", "false_positives_per_image")
"""What ``--compare-fail`` may name; each is the record's value minus the earlier one's."""
_BOUNDS = ("at_least", "at_most", "margin", "min_spearman", "max_drop", "rate_at_least", "operating_point", "alpha")

Record = Mapping[str, Any]
Row = tuple[float, float, str]


@dataclass(frozen=True)
class Limit:
    """How far a metric may move: a negative bound limits a fall, a positive one a rise.

    Args:
        metric: One of :data:`METRICS`.
        bound: As a difference: -0.03 are three percentage points.
    """

    metric: str
    bound: float

    def verdict(self, compared: Mapping[str, Any]) -> tuple[bool, str]:
        """Return whether the limit is kept, and the sentence; without scenes of two backgrounds in common it is not."""
        row = next((d for d in compared["differences"] if d["metric"] == self.metric and not d["behaviour"]), None)
        if row is None or row["value"] is None:
            return False, f"--compare-fail {self}: no scene could be compared"
        if row["clusters"] < 2:
            return False, f"--compare-fail {self}: scenes of a single background prove nothing"
        value, interval = row["value"], _interval(row)
        kept = value >= self.bound if self.bound < 0 else value <= self.bound
        words = "keeps" if kept else "exceeds"
        return (
            kept,
            f"--compare-fail {self}: difference {value:+.3f} {interval} {words} the limit",
        )

    def __str__(self) -> str:
        return f"{self.metric}:{self.bound:g}"


def parse_limit(text: str) -> Limit:
    """Read ``sensitivity:-0.03``.

    Raises:
        SynnodError: it is not ``metric:number``, or the metric is none that can be compared.
    """
    metric, _, number = text.partition(":")
    try:
        bound = float(number)
    except ValueError:
        bound = math.nan
    if metric not in METRICS or not math.isfinite(bound):
        raise SynnodError(
            f"--compare-fail {text!r} is not metric:difference",
            hint=f"such as sensitivity:-0.03; metrics are {', '.join(METRICS)}",
        )
    return Limit(metric, bound)


def as_record(fragment: Fragment, run_id: str) -> dict[str, Any]:
    """Return of a fragment what :func:`compare` reads of a record."""
    return {
        "expectations": list(fragment.expectations.values()),
        "scenes": fragment.scenes,
        "run": {"id": run_id, "started": fragment.started},
        "identification": {"detector": fragment.detector},
    }


def compare(
    earlier: Record, now: Record, *, name: str = "", alpha: float = 0.05, limits: Iterable[Limit] = ()
) -> dict[str, Any]:
    """Return the ``comparison`` of a record: plain JSON values.

    Only scenes whose radiographs are equal to the last bit in both records are paired. Both are held against the
    operating point of ``now``.

    Args:
        earlier: A record, or the part of one that holds ``expectations``, ``scenes``, ``run`` and ``identification``.
        now: The record under judgement.
        name: What the earlier one is called; its run's id by default.
        alpha: One-sided error rate of each bound.
        limits: How far metrics may move; each is in the answer with ``kept`` and a ``sentence``.
    """
    before, after = _by_id(earlier), _by_id(now)
    left_out = {*earlier.get("left_out", ()), *(key for key, entry in after.items() if _status(entry) == "NOT RUN")}
    common = [key for key in after if key in before]
    changed = [_verdict(key, before[key], after[key]) for key in common if _status(before[key]) != _status(after[key])]
    pairs = list(_common_scenes(earlier, now))
    made = {
        "earlier": name or earlier["run"]["id"],
        "started": earlier["run"].get("started", ""),
        "detector": earlier["identification"]["detector"].get("name", ""),
        "unchanged": len(common) - len(changed),
        "verdicts": changed,
        "margins": [m for key in common for m in _margins(key, before[key], after[key])],
        "new": [key for key in after if key not in before and key not in left_out],
        "removed": [key for key in before if key not in after],
        "differences": list(_differences(pairs, _wanted(now), alpha)),
        "unpaired": len({*earlier["scenes"], *now["scenes"]}) - len(pairs),
    }
    judged = [(limit, *limit.verdict(made)) for limit in limits]
    return made | {"limits": [{"limit": str(one), "kept": kept, "sentence": text} for one, kept, text in judged]}


def faults_of(expectations: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what broke in a run, a line per kind of fault: what was not run cannot be compared."""
    broken = [str(e.get("error") or "no reason given") for e in expectations if e["status"] == "ERROR"]
    lines = [text.splitlines()[0] for text in broken]
    return [f"{lines.count(line)} expectations: {line}" for line in dict.fromkeys(lines)]


def _by_id(record: Record) -> dict[str, Mapping[str, Any]]:
    return {entry["id"]: entry for entry in record["expectations"]}


def _status(entry: Mapping[str, Any]) -> str:
    return str(entry["status"])


def _verdict(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": key,
        "before": _status(before),
        "after": _status(after),
        "estimate_before": _estimate(before),
        "estimate_after": _estimate(after),
    }


def _estimate(entry: Mapping[str, Any]) -> float | None:
    parts = (entry.get("ruling") or {}).get("components") or []
    return parts[0]["value"] if parts else None


def _margins(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    old, new = before.get("parameters") or {}, after.get("parameters") or {}
    for what in _BOUNDS:
        if old.get(what) != new.get(what):
            yield {"id": key, "what": what, "before": old.get(what), "after": new.get(what)}


# --- paired differences ---------------------------------------------------------------------------------------------


def _differences(
    pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], wanted: dict[str, tuple[bool, float]], alpha: float
) -> Iterator[dict[str, Any]]:
    yield from _rows("", [p for p in pairs if _counts(p[1], wanted)], wanted, alpha)
    for behaviour in dict.fromkeys(scene["behaviour"] for _, scene in pairs):
        yield from _rows(behaviour, [p for p in pairs if p[1]["behaviour"] == behaviour], wanted, alpha)


def _common_scenes(earlier: Record, now: Record) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for key, scene in now["scenes"].items():
        other = earlier["scenes"].get(key)
        same = other is not None and other["radiograph_sha256"] == scene["radiograph_sha256"]
        if other is not None and same and scene["accepted"] and other["accepted"]:
            yield other, scene


def _wanted(record: Record) -> dict[str, tuple[bool, float]]:
    """Return per behaviour whether its nodules ought to be found, and its operating point."""
    known: dict[str, tuple[bool, float]] = {}
    for entry in record["expectations"]:
        parameters = entry.get("parameters") or {}
        kind = find_check(entry["kind"])
        against = kind is not None and kind.wants_silence(kind.read(parameters))
        found, point = known.get(entry["behaviour"], (True, float(parameters.get("operating_point", 0.25))))
        known[entry["behaviour"]] = (found and not against, point)
    return known


def _counts(scene: Mapping[str, Any], wanted: Mapping[str, tuple[bool, float]]) -> bool:
    return not scene["nodules"] or wanted.get(scene["behaviour"], (True, 0.25))[0]


def _rows(
    behaviour: str,
    pairs: list[tuple[Mapping[str, Any], Mapping[str, Any]]],
    wanted: Mapping[str, tuple[bool, float]],
    alpha: float,
) -> Iterator[dict[str, Any]]:
    hits: list[Row] = []
    scores: list[Row] = []
    quiet: list[Row] = []
    alarms: list[Row] = []
    for old, new in pairs:
        cluster, own = str(new["cluster"]), Arm(new["arm"]).is_own
        point = wanted.get(new["behaviour"], (True, 0.25))[1]
        for a, b in zip(new["nodules"] if own else (), old["nodules"], strict=False):
            hits.append((_hit(a, point), _hit(b, point), cluster))
            scores.append((a["confidence"], b["confidence"], cluster))
        if not new["nodules"]:
            a, b = (float(sum(f["score"] >= point for f in scene["findings"])) for scene in (new, old))
            quiet.append((float(a == 0), float(b == 0), cluster))
            alarms.append((a, b, cluster))
    for metric, rows in zip(METRICS, (hits, scores, quiet, alarms), strict=True):
        if rows:
            yield _row(behaviour, metric, rows, alpha)


def _hit(nodule: Mapping[str, Any], point: float) -> float:
    return float(nodule["confidence"] >= point and nodule["confidence"] > 0)


def _row(behaviour: str, metric: str, rows: list[Row], alpha: float) -> dict[str, Any]:
    now, before, clusters = [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]
    if metric in {"sensitivity", "specificity"}:
        estimate = rate_difference_clustered(now, before, clusters, alpha=alpha)
    else:
        shifts = [a - b for a, b in zip(now, before, strict=True)]
        most = max([1.0, *now, *before])
        estimate = paired_mean(shifts, clusters, alpha=alpha, limits=(-most, most), guarded=True)
    return {
        "behaviour": behaviour,
        "metric": metric,
        "n": len(rows),
        "clusters": len(set(clusters)),
        "before": _mean(before),
        "after": _mean(now),
        "value": _known(estimate.value),
        "lower": _known(estimate.lower),
        "upper": _known(estimate.upper),
        "shown": _shown(estimate),
        "usable": estimate.usable,
        "method": estimate.method,
    }


def _shown(estimate: Estimate) -> bool:
    """Return whether the interval excludes no difference."""
    return estimate.usable and (estimate.lower > 0 or estimate.upper < 0)


def _mean(values: Iterable[float]) -> float:
    held = list(values)
    return round(sum(held) / len(held), 6)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _interval(row: Mapping[str, Any]) -> str:
    if row["lower"] is None:
        return "(no interval)"
    return f"(90% interval {row['lower']:+.3f} to {row['upper']:+.3f}, {row['n']} pairs)"
