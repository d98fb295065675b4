"""The record of a run, completed with what lies in the project: inputs, deviations, runs, credibility, self-test."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from synnodtest.canonical import canonical_json
from synnodtest.decoding import JsonObject, encode
from synnodtest.errors import RecordError, SynnodError
from synnodtest.integrity import inputs, ledger
from synnodtest.integrity.lock import LOCK, deviation, deviations, locked, moved_sources
from synnodtest.integrity.manifest import RECORD
from synnodtest.record import credibility
from synnodtest.record.compare import compare
from synnodtest.record.limit import Limit
from synnodtest.record.model import Record
from synnodtest.record.model.authored import WaiverEntry
from synnodtest.record.model.run import LedgerEntry, SpecEntry, contents_of
from synnodtest.record.model.side import Side
from synnodtest.spec.loader import load_spec

SELFTEST = "selftest.json"
"""In the folder of the store: what ``synnodtest selftest`` found last."""


UNLISTED = "not in the ledger"
"""Word for how such a run ended, as far as the list of runs can tell."""
MOST_FAULTS = 5
"""Of the ledger, in the record: the first break of the chain is what matters."""


@dataclass(frozen=True)
class RunFacts:
    """Facts of the run itself.

    Args:
        root: Folder whose git commit is reported.
        run_id: Identifier of the run.
        command: The command line.
        seed: Master seed.
        interrupted: True if the run was stopped before its end.
        limit: Largest number of backgrounds per behaviour, if it was limited.
        left_out: Specifications of which pytest collected expectations and left some or all out.
        failed_last: Whether only what failed last was to run: pytest does not even collect other files.
        pixels: Whether pictures go into the report.
        waivers: Waivers as plain values.
        waiver_file: Where they stand; None: nowhere.
        cache: Folder of the store, where the self-test leaves its findings; None if there is none.
        baseline: An earlier record to compare with, or what a second detector did.
        limits: How far metrics may move from the baseline.
        known_regions: Regions beyond the built-in ones that the specs may name.
        options: Detector, synthesizer and backgrounds as they were asked for, whether on the command line or in an ini
            file, what replay starts from; and further options without which an item could end otherwise.
        credibility: Credibility reports of the synthesizers.
        ledger: The run ledger, beside that in ``root``; None: that alone.
        reports: Folder of reports, some of which may be of runs that the ledger does not know; None: not looked at.
        own: Paths below ``root`` that a run itself writes; they do not make a working tree unclean.
        checkout: Git's commit and whether the tree was clean when the run began; None: not looked at.
    """

    root: Path
    run_id: str
    command: tuple[str, ...]
    seed: int
    interrupted: bool = False
    limit: int | None = None
    left_out: tuple[str, ...] = ()
    failed_last: bool = False
    pixels: bool = True
    waivers: tuple[WaiverEntry, ...] = ()
    waiver_file: Path | None = None
    cache: Path | None = None
    baseline: Side | Record | None = None
    limits: tuple[Limit, ...] = ()
    known_regions: frozenset[str] = frozenset()
    options: Mapping[str, str] = field(default_factory=dict)
    credibility: tuple[Path, ...] = ()
    own: tuple[Path, ...] = ()
    checkout: tuple[str, bool | None] | None = None
    ledger: Path | None = None
    reports: Path | None = None

    @property
    def ledger_file(self) -> Path:
        """The ledger of the run."""
        return self.root / ledger.FILE_NAME if self.ledger is None else self.ledger


def complete(record: Record, facts: RunFacts) -> dict[str, Any]:
    """Return the record as plain JSON values, with what stands in the project's folder and not in the run.

    That is ``reports.yaml``, ``requirements.csv`` and ``hazards.csv``, the deviations of each spec from the spec lock,
    the runs of the same specs from the run ledger, the last self-test of the tool, and the comparison with an earlier
    record. Without credibility reports of its own the run has those that ``reports.yaml`` names, or those beside the
    models.

    Raises:
        RecordError: one of these files is there and cannot be used.
    """
    root, specs = facts.root, record.identification.specs
    authored = inputs.load(root)
    filled = authored.fill(encode(record))
    filled["credibility"] = _believed([*(facts.credibility or authored.credibility)], record, root)
    filled["deviations"] = [*filled["deviations"], *_changed(specs, root, facts.known_regions)]
    filled |= _runs(facts, {s.file: s.sha256 for s in specs}, filled["anomalies"])
    if facts.cache is not None and (facts.cache / SELFTEST).is_file():
        filled["tool_validation"] = _selftest(facts.cache / SELFTEST)
    if facts.baseline is not None:
        filled["comparison"] = encode(compare(facts.baseline, record, limits=facts.limits))
    return filled


def _runs(facts: RunFacts, files: Mapping[str, str], anomalies: list[JsonObject]) -> JsonObject:
    """Return the list of runs and the anomalies, with what is amiss with the ledger, which knows the run by now."""
    specs = [*files.values()]
    path, own = facts.ledger_file, facts.root / ledger.FILE_NAME
    paths = [own, path] if own.resolve() != path.resolve() else [path]
    entered = {str(entry["run"]) for one in paths for entry in ledger.runs_of(one)}
    known = (entry for one in paths for entry in ledger.runs_of(one, specs, files))
    runs = [*{canonical_json(entry): entry for entry in known}.values()]  # of a copied ledger, each once
    amiss = [fault for one in paths for fault in ledger.faults(one)][:MOST_FAULTS]
    if facts.reports is not None:
        left = _unlisted(facts.reports, {*entered, facts.run_id}, specs)
        others = list(dict.fromkeys(one.run for one in left))[:MOST_FAULTS]
        amiss += [f"the run {run} left a report and is not in the ledger" for run in others]
        told_before = any(str(one.get("id")) == path.name for one in anomalies)
        amiss += ["this run is not in the ledger"] * (facts.run_id not in entered and not told_before)
        runs += map(encode, left)
    faults = [{"id": ledger.FILE_NAME, "what": fault, "impact": "the list of runs"} for fault in amiss]
    return {"ledger": sorted(runs, key=lambda one: str(one["started"])), "anomalies": [*anomalies, *faults]}


def _unlisted(reports: Path, known: Collection[str], specs: Collection[str]) -> list[LedgerEntry]:
    """Return the runs of these specs in a folder of reports, oldest first, but for those that the ledger knows.

    Its end was cut off, or it is another ledger.

    Args:
        reports: Folder of reports.
        known: Identifiers of the runs that the ledger knows, and of the run itself.
        specs: sha256 of each resolved spec.
    """
    files = [path for path in reports.glob(f"*/{RECORD}") if path.parent.name not in known]
    return [entry for path in sorted(files) for entry in _entries_of(path, specs)]


def _entries_of(path: Path, specs: Collection[str]) -> list[LedgerEntry]:
    text = path.read_bytes()
    if not any(sha256.encode() in text for sha256 in specs):
        return []
    try:
        record = Record.of(json.loads(text))
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
    run, who = record.run, record.identification
    named = str(run.options.get("detector", who.detector.name))  # what a person edited may be anything
    if run.id != path.parent.name:  # a copy somebody put there, as reports/example
        return []
    ran = [s.sha256 for s in who.specs if s.sha256 in specs]
    chosen = {name: str(run.options[name]) for name in ("synthesizer", "backgrounds") if name in run.options}
    contents = {name: str(sha256) for name, sha256 in contents_of(who.backgrounds).items()}
    entry = LedgerEntry(run.id, str(run.started), UNLISTED, run.seed, named, **chosen, contents=contents)
    return [replace(entry, spec_sha256=sha256) for sha256 in ran]


def _believed(named: list[Path], record: Record, root: Path) -> JsonObject:
    """Return credibility reports and transfer results: those that are named, for each kind else those beside models."""
    run, who = record.run, record.identification
    found = [credibility.read(path) for path in named]
    believed: dict[str, object] = {}
    for key, file, of_transfer in (
        ("reports", credibility.FILE_NAME, False),
        ("transfers", credibility.TRANSFER, True),
    ):
        own = [one for one in found if credibility.is_transfer(one) is of_transfer]
        beside = () if own else credibility.beside_models(run, who, root, file)
        own += [credibility.read(path, of_transfer) for path in beside]
        believed |= {key: [credibility.held_against(one, who) for one in own]} if own else {}
    return believed


def _selftest(path: Path) -> JsonObject:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it holds no object")
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"{path}: not what a self-test writes ({error})", hint="synnodtest selftest") from error
    return content


def _changed(specs: Iterable[SpecEntry], root: Path, known_regions: frozenset[str]) -> list[JsonObject]:
    lock = locked(root / LOCK)
    moves: list[JsonObject] = []
    for spec in specs:
        entry = lock.get(spec.file)
        if entry is None or entry.sha256 == spec.sha256:
            known = {} if entry is None else entry.sources or {}
            moved = [] if entry is None else moved_sources(entry, spec.sources)
            moves += [deviation(spec.file, f"code of {n}", known.get(n, "")[:12], spec.sources[n][:12]) for n in moved]
            continue
        try:
            loaded = load_spec(there(spec.file, root), known_regions=known_regions)
        except SynnodError:
            loaded = None
        if loaded is None or loaded.sha256 != spec.sha256:
            moves.append(deviation(spec.file, "specification", entry.sha256[:12], spec.sha256[:12]))
        else:
            moves += deviations(loaded, entry)
    return moves


def there(file: str, root: Path) -> Path:
    """Return where a file of the record lies: as it is named, else below ``root``."""
    path = Path(file)
    return path if path.is_absolute() or path.exists() else root / path
