"""Fragment -> record: what the items of a run added up to, and what the record says of the run itself."""

from __future__ import annotations

import getpass
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import synnodtest
from synnodtest.engine.gather import fewer_backgrounds
from synnodtest.files import sha256_if_there
from synnodtest.integrity.lock import LOCK, Frozen, exploratory_reasons, locked
from synnodtest.record import results as record
from synnodtest.record.assemble import Fragment
from synnodtest.record.checkout import commit_of, lock_unkept, reasons_of_ledger
from synnodtest.record.complete import RunFacts, complete, there
from synnodtest.record.environment import environment
from synnodtest.record.limitations import limitations_of
from synnodtest.record.model import ExpectationEntry, Record
from synnodtest.record.model.run import Attrition, Identification, IdentityEntry, RunEntry, SpecEntry
from synnodtest.record.words import plural
from synnodtest.statistics import holm

DEMONSTRATION = "demonstration"
Lock = Mapping[str, Frozen]
"""Frozen specs by file."""
SHIPPED = ("diffusion",)
"""Texts of ``--synthesizer`` that stand for weights of ours."""


def whole_record(fragment: Fragment, facts: RunFacts, run: RunEntry | None = None) -> dict[str, Any]:
    """Return the record as plain JSON values, with what stands in the project and not in the run.

    Args:
        fragment: What the items added.
        facts: Of the run.
        run: What :func:`run_entry` returned before, where that has been shown already.

    Raises:
        RecordError: a file of the project that belongs into the report cannot be used.
    """
    return complete(build_record(fragment, facts, run or run_entry(fragment, facts)), facts)


def build_record(fragment: Fragment, facts: RunFacts, run: RunEntry) -> Record:
    """Return what the run itself knows."""
    every = fragment.every()
    lock = locked(facts.root / LOCK)
    places = {file: index for index, file in enumerate(fragment.specs)}
    return Record(
        synnodtest_record=record.VERSION,
        run=run,
        identification=Identification(
            synnodtest=synnodtest.__version__,
            detector=_with_demonstration(_named(fragment.detector, facts.options.get("detector", ""))),
            synthesizers=tuple(_with_demonstration(s, name in SHIPPED) for name, s in fragment.synthesizers.items()),
            backgrounds=tuple(fragment.backgrounds.values()),
            specs=tuple(_spec(spec, facts.root, lock) for spec in fragment.specs.values()),
        ),
        behaviours=tuple(replace(b, spec=places[b.file]) for b in fragment.behaviours.values()),
        expectations=tuple(with_holm(every)),
        scenes=fragment.scenes,
        attrition=_attrition(fragment),
        sham=tuple(fragment.sham.values()),
        gallery=tuple(fragment.gallery),
        environment=environment(),
        waivers=facts.waivers,
        deviations=tuple(fragment.deviations),
        anomalies=tuple(fragment.anomalies),
        limitations=tuple(limitations_of(fragment)),
        fuzzing=tuple(fragment.fuzzing),
    )


def with_holm(expectations: Sequence[ExpectationEntry]) -> list[ExpectationEntry]:
    """Return the expectations of a record with ``p_holm``, Holm's beside each raw p-value, filled in.

    The family are all expectations of the run whose ruling has a ``p_value`` (one-sided, against the bound, on the
    failing side); the others keep None. That *all* expectations pass needs no correction: each of them must
    (intersection-union). But the more are judged, the likelier one of them fails by chance.
    """
    family = {entry.id: entry.p_value for entry in expectations if entry.p_value is not None}
    adjusted = dict(zip(family, holm(list(family.values())), strict=True))
    return [replace(e, p_holm=float(adjusted[e.id])) if e.id in adjusted else e for e in expectations]


def _named(detector: IdentityEntry, asked: str) -> IdentityEntry:
    """Return who was tested; of a detector that could not be opened the words that asked for it."""
    return detector if detector.name else replace(detector, name=asked)


def run_entry(fragment: Fragment, facts: RunFacts) -> RunEntry:
    """Return the run as it ends now: whether it confirms anything, its commit, its command.

    Raises:
        RecordError: the spec lock cannot be read.
    """
    lock = locked(facts.root / LOCK)
    commit, clean, told = commit_of(facts.root, facts.own)
    specs = {file: spec.sha256 for file, spec in fragment.specs.items()}
    code = {file: spec.sources for file, spec in fragment.specs.items()}
    limited = facts.limit is not None
    reasons = exploratory_reasons(
        specs, lock, started=fragment.started, clean=clean, limited=limited, code=code, checkout=told
    )
    reasons += lock_unkept(facts.root) if clean and lock else []
    if clean and facts.checkout not in (None, (commit, clean)):
        reasons.append("git's checkout changed while the run went on")
    reasons += _edited(fragment.specs.values(), facts.root)
    reasons += _unfinished(fragment.every(), facts.interrupted)
    reasons += fewer_backgrounds(fragment.shortfall)
    left_out = tuple(file for file in facts.left_out if file not in fragment.specs)
    reasons += _left_out(left_out)
    reasons += ["only what failed last was run"] * facts.failed_last
    if facts.reports is not None:
        reasons += reasons_of_ledger(facts.ledger_file, facts.root, facts.run_id)
    return RunEntry(
        id=facts.run_id,
        started=fragment.started,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        command=facts.command,
        seed=facts.seed,
        confirmatory=not reasons,
        exploratory_reasons=tuple(reasons),
        interrupted=facts.interrupted,
        options=facts.options,
        user=_user(),
        commit=commit,
        tree_clean=clean,
        profile=f"at most {plural(facts.limit, 'background')} per behaviour" if facts.limit else "",
        frozen_unrun=tuple(sorted({*lock} - {*specs, *facts.left_out})),
        left_out=left_out,
    )


def _unfinished(every: Sequence[ExpectationEntry], interrupted: bool) -> list[str]:
    left = sum(e.status == "NOT RUN" for e in every)
    reasons = ["the run was interrupted"] * interrupted
    return reasons + [
        f"{left} of the {len(every)} expectations of its specifications {'was' if left == 1 else 'were'} not run"
    ] * bool(left)


def _left_out(files: Sequence[str]) -> list[str]:
    """Return a reason that names the first specification of which nothing was run, and counts the others."""
    more = f" and of {plural(len(files) - 1, 'more specification')}" if len(files) > 1 else ""
    return [f"all of {files[0]}{more} was left out"] if files else []


def _with_demonstration(identity: IdentityEntry, shipped: bool = False) -> IdentityEntry:
    """Mark weights that ship with synnodtest: they demonstrate, they claim nothing."""
    return replace(identity, demonstration=shipped or bool(identity.configuration.get(DEMONSTRATION, False)))


def _spec(spec: SpecEntry, root: Path, lock: Lock) -> SpecEntry:
    own, *included = (known or sha256_if_there(there(file, root)) for file, known in _digests(spec).items())
    with_digests = replace(spec, file_sha256=own, included=dict(zip(spec.included, included, strict=True)))
    if spec.file not in lock:
        return with_digests
    return replace(with_digests, frozen=lock[spec.file].frozen, frozen_sha256=lock[spec.file].sha256)


def _digests(spec: SpecEntry) -> dict[str, str]:
    """Return the sha256 of a spec's file and of those it includes, by file; empty where none was taken."""
    return {spec.file: spec.file_sha256, **spec.included}


def _edited(specs: Iterable[SpecEntry], root: Path) -> list[str]:
    """Return a reason for each file of the specs that is no longer as it was when the run began."""
    then = dict(each for spec in specs for each in _digests(spec).items())
    edited = [file for file, known in then.items() if known and known != sha256_if_there(there(file, root))]
    return [f"{file} was edited while the run went on, and was judged as it stood before" for file in edited]


def _attrition(fragment: Fragment) -> Attrition:
    scenes = fragment.scenes.values()
    accepted = [s for s in scenes if s.accepted]
    reasons: Counter[str] = Counter(s.rejected_because for s in scenes if not s.accepted)
    reasons |= Counter(fragment.shortfall)
    tally = Counter(fragment.tally)
    return Attrition(
        requested=len(accepted) + sum(reasons.values()),
        synthesized=len(fragment.scenes),
        accepted=len(accepted),
        evaluated=len(accepted),
        unique_backgrounds=len({s.background for s in accepted}),
        unique_patients=len({s.independent for s in accepted}),
        from_cache=int(tally["from_cache"]),
        redrawn=sum(any(n.requested.get("redrawn") for n in s.nodules) for s in scenes),
        reasons=dict(reasons),
        seconds={what: round(float(tally[f"{what}_seconds"]), 3) for what in ("synthesis", "detection")},
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
