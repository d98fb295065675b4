"""A new version of a detector against a predetermined change control plan: every clause of the protocol, judged.

The plan is kept only where every clause is PASSED; so no adjustment for their number is needed (an intersection-union
test). Every clause is held against every earlier version that is given, the first of them the reference, so that small
losses do not add up from version to version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from synnodtest.decoding import JsonObject, encode
from synnodtest.evidence.arm import SHAM_ARM, Arm
from synnodtest.expectations.metrics import LOWER_IS_BETTER
from synnodtest.expectations.sentences import signed
from synnodtest.integrity.lock import moment
from synnodtest.integrity.protocol import Margin, Protocol
from synnodtest.record.change import OPEN, OUTSIDE, WITHIN, Clause, Held, Judged, Ran, Version
from synnodtest.record.compare import compare
from synnodtest.record.model import Comparison, ExpectationEntry, NoduleEntry, SceneEntry
from synnodtest.record.model.compared import DifferenceEntry
from synnodtest.record.model.record import behaviour_of
from synnodtest.record.model.side import Side
from synnodtest.record.words import date, number, plural, titles_of

NOT_RUN = "NOT RUN"
MOST_OTHERS = 0.02
"""Share of a behaviour's scenes that may be others than the reference's; set by hand: the rounding of a network on
another machine takes hardly a nodule beyond :func:`_alike`, and few films can be exchanged unseen;
of fewer than 50 scenes none may be another, as a single one could carry a gate."""
_APART = {"diameter_mm": 0.05, "contrast": 0.002, "contrast_in_place": 0.002, "conspicuity": 0.02}
"""Most that rounding moves of a nodule; set by hand, below what another seed changes."""
_UNTOLD = (
    "judged by code of which nothing was noted when the plan was frozen: freeze the plan anew "
    "(synnodtest freeze SPECS --protocol FILE), then run the new version"
)


def judge_change(
    protocol: Protocol, frozen: str, old: Sequence[Version], new: Version, code: Mapping[str, str] | None = None
) -> Judged:
    """Return what the plan says of a new version.

    Args:
        protocol: The plan.
        frozen: When it was frozen (ISO); empty where that is not known.
        old: Earlier versions, the reference first.
        new: The version under judgement.
        code: sha256 of the code that its specifications name, as frozen with it; None where that is not known.
    """
    clauses = [_frozen(frozen, new), _specs(protocol, (*old, new), code), _changes(protocol, old[0], new)]
    clauses += [_passed(protocol, new)] if protocol.passed else []
    clauses += [_kept(protocol, old, new)]
    earlier_ones, now = old if protocol.margins else (), new.within(protocol.specs)
    compared = [compare(earlier.within(protocol.specs), now, alpha=protocol.alpha) for earlier in earlier_ones]
    clauses += [
        _not_worse(margin, protocol, earlier, row, first=earlier is old[0])
        for margin in protocol.margins
        for earlier, comparison in zip(earlier_ones, compared, strict=True)
        for row in _rows_of(margin, comparison)
    ]
    statuses = {clause.status for clause in clauses}
    verdict = OUTSIDE if "FAILED" in statuses else WITHIN if statuses == {"PASSED"} else OPEN
    roles = ("reference", *["earlier"] * (len(old) - 1), "new")
    return Judged(
        verdict,
        new.label,
        tuple(v.label for v in old),
        tuple(clauses),
        tuple(_ran(v, role) for v, role in zip((*old, new), roles, strict=True)),
        tuple(_held_by(old, new)),
    )


def _ran(version: Version, role: str) -> Ran:
    side = version.side
    passed = sum(entry.shown_status == "PASSED" for entry in side.expectations)
    return Ran(version.label, role, side.run, side.started, passed, len(side.expectations))


def _held_by(old: Sequence[Version], new: Version) -> Iterator[Held]:
    """Yield every expectation with its status under every version, those that were lost first."""
    every = [version.statuses() for version in (*old, new)]
    rows = []
    asked = {entry.id: entry for version in (*old, new) for entry in version.side.expectations}
    titles = titles_of(asked.values())
    for key, entry in asked.items():
        statuses = tuple(statuses.get(key, NOT_RUN) for statuses in every)
        lost = statuses[-1] != "PASSED" and "PASSED" in statuses[:-1]
        rows.append(Held(entry.behaviour, titles[key], statuses, lost))
    yield from sorted(rows, key=lambda row: not row.lost)


def _frozen(frozen: str, new: Version) -> Clause:
    asks = "The plan was frozen before the new version was run."
    started = new.side.started
    if not frozen:
        finding = "the plan is not in synnodtest.lock as it stands: synnodtest freeze --protocol FILE before the run"
        return Clause("plan", asks, "INCONCLUSIVE", finding)
    try:
        before = moment(frozen) <= moment(started)
    except ValueError:
        return Clause("plan", asks, "INCONCLUSIVE", f"frozen {date(frozen)}; when the new version was run is not known")
    words = f"frozen {date(frozen)}, the new version was run {date(started)}"
    return Clause("plan", asks, "PASSED" if before else "FAILED", words)


def _specs(protocol: Protocol, versions: Sequence[Version], code: Mapping[str, str] | None) -> Clause:
    asks = (
        "Every version ran the specifications that the plan names, unchanged, on all backgrounds and the same scenes."
    )
    rows, short = [*_specs_otherwise(protocol, versions, code)], [*_scenes_otherwise(protocol, versions)]
    if code is None:
        short += [_of(file, v, _UNTOLD) for v in versions for file in protocol.specs if v.code.get(file)]
    status = "FAILED" if rows else "INCONCLUSIVE" if short else "PASSED"
    finding = f"{plural(len(protocol.specs), 'specification')}, {plural(len(versions), 'version')}"
    return Clause("specifications", asks, status, finding, (*rows, *short))


def _specs_otherwise(
    protocol: Protocol, versions: Sequence[Version], code: Mapping[str, str] | None
) -> Iterator[dict[str, str]]:
    """Yield each version that ran another specification, or was judged by other code."""
    reference, *others = versions
    for version in versions:
        for file, sha in protocol.specs.items():
            if version.specs.get(file) != sha:
                yield _of(file, version, "another" if file in version.specs else "not run")
            if code is not None and not version.code.get(file, {}).items() <= code.items():
                yield _of(file, version, "judged by code that is not what was frozen with the plan")
    for version in others:
        for file in protocol.specs:
            if (own := reference.code.get(file)) and version.code.get(file, own) != own:
                yield _of(file, version, "judged by other code than the reference")


def _scenes_otherwise(protocol: Protocol, versions: Sequence[Version]) -> Iterator[dict[str, str]]:
    """Yield each version that was shown other scenes than the reference, or was not asked everything."""
    every = {e.id for v in versions for e in v.side.expectations if e.spec_file in protocol.specs}
    shown = versions[0].within(protocol.specs)
    for version in versions:
        if version.limited:
            yield _of("all", version, "on fewer backgrounds")
        others = [] if version is versions[0] else [*_other_scenes(shown, version.within(protocol.specs))]
        if others:
            more = f"; so it is with {plural(len(others) - 1, 'more behaviour')}" if others[1:] else ""
            yield _of("all", version, f"on other scenes than the reference: {others[0]}{more}")
        if lost := len(every - version.side.entries().keys()):
            yield _of("all", version, f"without {plural(lost, 'expectation')} of the others")
        if left := sum(e.id in every and e.status == NOT_RUN for e in version.side.expectations):
            yield _of("all", version, f"with {plural(left, 'expectation')} not run")


def _of(specification: str, version: Version, word: str) -> dict[str, str]:
    return {"specification": specification, "version": version.label, "is": word}


def _other_scenes(one: Side, other: Side) -> Iterator[str]:
    """Yield of each behaviour of both sides whose scenes are not the same: other seed, synthesizer or films.

    A sequential run may stop before another does, so that its scenes are some of the other's.
    """
    ours, theirs = _by_behaviour(one), _by_behaviour(other)
    sequential = {b.id for side in (one, other) for b in side.behaviours if b.is_sequential}
    for behaviour in filter(theirs.__contains__, ours):
        both = sorted([(ours[behaviour], other), (theirs[behaviour], one)], key=lambda of: len(of[0]))
        for scenes, known in both[:1] if behaviour in sequential else both:
            unlike = [key for key, scene in scenes.items() if not _alike(scene, known.scenes.get(key))]
            if len(unlike) > MOST_OTHERS * len(scenes):
                bare = sum(key in known.scenes and not scenes[key].nodules for key in unlike)
                yield _unlike(behaviour, len(unlike), len(scenes), bare)
                break


def _unlike(behaviour: str, unlike: int, count: int, bare: int) -> str:
    """Say how many scenes of a behaviour are others, how many may be, and what ``bare`` ones of both must share."""
    told = (
        f"{unlike} of {plural(count, 'scene')} of {behaviour!r}, where {int(MOST_OTHERS * count) or 'none'} may differ"
    )
    remedy = "run both versions on the same files, with the same seed and installed packages, on one kind of machine"
    of_bare = f"; {bare} without nodules, which must match bit for bit, perturbed ones too: {remedy}"
    return told + (of_bare if bare else "")


def _by_behaviour(side: Side) -> dict[str, dict[str, SceneEntry]]:
    """Return the scenes of each behaviour; those of a search hang on what the detector does."""
    searched = {e.behaviour for e in side.expectations if e.is_search}
    by_behaviour: dict[str, dict[str, SceneEntry]] = {}
    for key, s in side.scenes.items():
        if s.behaviour not in searched and (s.of_own_arm if s.nodules else not Arm(s.arm).is_from(SHAM_ARM)):
            by_behaviour.setdefault(s.behaviour, {})[key] = s
    return by_behaviour


def _alike(one: SceneEntry, other: SceneEntry | None) -> bool:
    """Return whether two scenes of one recipe are the same picture, but for the rounding of a network's arithmetic."""
    if other is None or one.synthesizer != other.synthesizer or len(one.nodules) != len(other.nodules):
        return False
    if not one.nodules:
        return one.radiograph_sha256 == other.radiograph_sha256
    return all(map(_same_nodule, one.nodules, other.nodules))


def _same_nodule(one: NoduleEntry, other: NoduleEntry) -> bool:
    """Return whether two nodules are one on the same film, of which contrast in place and conspicuity tell."""
    return all(_near(getattr(one, name), getattr(other, name), most) for name, most in _APART.items())


def _near(one: float | None, other: float | None, most: float) -> bool:
    return one == other or (one is not None and other is not None and abs(one - other) <= most)


def _changes(protocol: Protocol, reference: Version, new: Version) -> Clause:
    allowed = ["sha256" if name == "weights" else name for name in protocol.may_change]
    asks = f"Nothing differs from the reference but {', '.join(protocol.may_change) or 'nothing'}."
    detectors = (version.side.detector for version in (reference, new))
    before, after = (_flat(encode(replace(one, demonstration=None))) for one in detectors)  # which records alone say
    rows = []
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            foreseen = any(name == a or name.startswith(f"{a}.") for a in allowed)
            one, other = (str(side.get(name, "absent")) for side in (before, after))
            rows.append({"field": name, "reference": one, "new": other, "foreseen": "yes" if foreseen else "no"})
    outside = [row for row in rows if row["foreseen"] == "no"]
    finding = f"{plural(len(rows), 'difference')}, {len(outside)} not foreseen" if rows else "nothing differs"
    return Clause("changes", asks, "FAILED" if outside else "PASSED", finding, tuple(rows))


def _flat(value: JsonObject, head: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, item in value.items():
        name = f"{head}{key}"
        flat |= _flat(item, f"{name}.") if isinstance(item, Mapping) else {name: item}
    return flat


def _gate(entry: ExpectationEntry, version: Version) -> str | None:
    named = [b for b in version.side.behaviours if b.id == entry.behaviour]
    return behaviour_of(named, entry).gate if named else None


def _passed(protocol: Protocol, new: Version) -> Clause:
    gates = f"gate{'s' if protocol.passed[1:] else ''} {', '.join(protocol.passed)}"
    asks = f"Every expectation of the {gates} passes under the new version."
    entries = [e for e in new.side.expectations if _gate(e, new) in protocol.passed]
    titles = titles_of(new.side.expectations)
    rows = [
        {"behaviour": e.behaviour, "expectation": titles[e.id], "is": e.shown_status}
        for e in entries
        if e.shown_status != "PASSED"
    ]
    failed = any(e.shown_status == "FAILED" for e in entries)
    status = "FAILED" if failed else "INCONCLUSIVE" if rows or not entries else "PASSED"
    return Clause("gates", asks, status, f"{len(entries) - len(rows)} of {len(entries)} pass", tuple(rows))


def _kept(protocol: Protocol, old: Sequence[Version], new: Version) -> Clause:
    allowed = f"all but {protocol.lost_at_most}" if protocol.lost_at_most else "all"
    asks = f"Of the expectations that any earlier version passed, {allowed} pass under the new one."
    now = new.statuses()
    passed: dict[str, str] = {}
    for version in old:
        passed |= dict.fromkeys(version.passed(), version.label)
    lost = {key: now.get(key, NOT_RUN) for key in passed if now.get(key) != "PASSED"}
    rows = tuple({"expectation": key, "passed under": passed[key], "is": word} for key, word in lost.items())
    status = "INCONCLUSIVE"
    if passed and [*lost.values()].count("FAILED") > protocol.lost_at_most:
        status = "FAILED"
    elif passed and len(lost) <= protocol.lost_at_most:
        status = "PASSED"
    steps = "; ".join(_step(version, now) for version in old)
    finding = f"{len(passed) - len(lost)} of {len(passed)} still pass ({steps})"
    return Clause("retention", asks, status, finding, rows)


def _step(version: Version, now: Mapping[str, str]) -> str:
    passed = version.passed()
    return f"{version.label}: {sum(now.get(key) == 'PASSED' for key in passed)} of {len(passed)}"


def _rows_of(margin: Margin, made: Comparison) -> Sequence[DifferenceEntry | None]:
    """Return the differences that a margin limits, one per operating point; None where there is none."""
    return [d for d in made.differences if (d.metric, d.behaviour) == (margin.metric, margin.behaviour)] or [None]


def _not_worse(
    margin: Margin, protocol: Protocol, earlier: Version, row: DifferenceEntry | None, *, first: bool
) -> Clause:
    """Return the clause on one margin: non-inferior where the bound of the difference lies within the margin."""
    less_is_better = margin.metric in LOWER_IS_BETTER
    what = margin.metric.replace("_", " ") + (f" of {margin.behaviour}" if margin.behaviour else "")
    what += row.at if row is not None else ""
    whom = f"{earlier.label}{', the reference' if first else ''}"
    direction = "higher" if less_is_better else "lower"
    asks = f"The {what} is less than {margin.margin:g} {direction} than under {whom}."
    name = f"{what} against {earlier.label}"
    if row is None or row.value is None:
        return Clause(name, asks, "INCONCLUSIVE", "no scene could be compared: the same specs, seed and backgrounds?")
    worst, best = (row.upper, row.lower) if less_is_better else (row.lower, row.upper)
    sign = 1 if less_is_better else -1
    level = f"one-sided {100 * (1 - protocol.alpha):g}% bounds"
    value, low, high = (signed(of, margin.margin) for of in (row.value, row.lower, row.upper))
    finding = (
        f"{number(row.before)} before, {number(row.after)} now, difference {value} ({level} {low} and {high}, "
        f"{plural(row.n, 'pair')} on {plural(row.clusters, 'background')})"
    )
    if row.n < protocol.pairs_at_least or not row.usable or worst is None or best is None:
        return Clause(name, asks, "INCONCLUSIVE", f"{finding}; {protocol.pairs_at_least} pairs are asked for")
    if not less_is_better and row.before <= margin.margin:
        return Clause(name, asks, "INCONCLUSIVE", f"{finding}; so little before leaves no room for such a loss")
    if sign * worst < margin.margin:
        return Clause(name, asks, "PASSED", finding)
    return Clause(name, asks, "FAILED" if sign * best > margin.margin else "INCONCLUSIVE", finding)
