"""Records of several runs and the ledger, put together to one history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from synnodtest.canonical import sha256_of
from synnodtest.decoding import JsonObject, decode
from synnodtest.record.brief import settling
from synnodtest.record.model import ExpectationEntry, Record
from synnodtest.record.model.record import behaviour_of
from synnodtest.record.model.run import BackgroundsEntry, IdentityEntry, LedgerEntry
from synnodtest.record.outcomes import History, Outcome, RunLine
from synnodtest.record.words import titles_of

_Draws = dict[str, list[dict[object, str]]]
"""By question, the sets that are called alike in it, in the order of the runs: what each seed drew of each (sha256)."""


def history_of(records: Iterable[Record | JsonObject], ledger: Iterable[JsonObject] = ()) -> History:
    """Return the history of records, with the runs that only the ledger knows among them.

    Args:
        records: Records of runs, in any order.
        ledger: Entries of :func:`synnodtest.integrity.ledger.runs_of`, in their order.
    """
    known = {record.run.id: record for record in map(Record.of, records)}
    entered = {entry.run: entry for entry in (decode(LedgerEntry, one) for one in ledger)}
    versions = _versions(known.values())
    lines = [_line(record, entered.get(key), versions[key]) for key, record in known.items()]
    lines += [
        RunLine(key, e.started, e.detector, e.seed, e.status, {}) for key, e in entered.items() if key not in known
    ]
    lines = _in_order(lines, list(entered))
    outcomes: dict[str, list[Outcome]] = {}
    titles: dict[str, str] = {}
    draws: _Draws = {}
    for index, line in enumerate(lines):
        record = known.get(line.id)
        if record is None:
            continue
        told = titles_of(record.expectations)
        for entry in (e for e in record.expectations if e.status != "NOT RUN"):
            outcomes.setdefault(entry.id, []).append(_outcome(index, entry, _question(record, entry, draws)))
            titles[entry.id] = f"{entry.behaviour}: {told[entry.id]}"
    return History(lines, outcomes, titles)


def _in_order(lines: Iterable[RunLine], entered: Sequence[str]) -> list[RunLine]:
    """Return runs as the ledger entered them, whatever the clock said; what it does not know follows its time."""
    places, latest, placed = {run: n for n, run in enumerate(entered)}, -1, []
    for line in sorted(lines, key=lambda line: (line.started, line.id)):
        latest = max(latest, places.get(line.id, -1))
        placed.append((places.get(line.id, latest), line))
    return [line for _, line in sorted(placed, key=lambda one: one[0])]


def _outcome(index: int, entry: ExpectationEntry, question: str) -> Outcome:
    part = settling(entry.ruling)
    deciding = [c for c in entry.components if c.role == "decides"]
    gates = tuple(c for c in entry.components if c.role == "gate")
    return Outcome(index, entry.shown_status, part, question, tuple(deciding or filter(None, [part])), gates)


def _line(record: Record, entered: LedgerEntry | None, version: str) -> RunLine:
    run, counts = record.run, dict(Counter(e.shown_status for e in record.expectations))
    ended = (entered.status if entered is not None else "") or "finished"
    ended = "interrupted" if run.interrupted else ended
    return RunLine(run.id, run.started, version, run.seed, ended, counts, run.confirmatory)


def _versions(records: Iterable[Record]) -> dict[str, str]:
    """Return the label of the detector of each run by its id; settings tell apart what is otherwise called alike."""
    detectors = {record.run.id: record.identification.detector for record in records}
    settings = {run: sha256_of(detector.configuration)[:8] for run, detector in detectors.items()}
    alike: dict[str, set[str]] = {}
    for run, detector in detectors.items():
        alike.setdefault(detector.label, set()).add(settings[run])
    return {
        run: detector.label if len(alike[detector.label]) == 1 else f"{detector.label}, settings {settings[run]}"
        for run, detector in detectors.items()
    }


def _question(record: Record, entry: ExpectationEntry, draws: _Draws) -> str:
    """Return what two runs must share for their verdicts to answer one question; the seed is no part of it.

    Which radiographs of a folder are drawn depends on the seed, so that of a set its source and its size count; where
    all that there are were used, they are known by their contents, else by what one seed drew.
    """
    who = record.identification
    of_spec = next((s for s in who.specs if s.file == entry.spec_file), None)
    spec = "" if of_spec is None else of_spec.sha256 + (sha256_of(of_spec.sources) if of_spec.sources else "")
    makers = sorted(sha256_of([s.name, s.version, s.sha256, s.configuration]) for s in who.synthesizers)
    sets = sorted(sha256_of([b.name, b.count, _source(b.identity)]) for b in _sets(record, entry))
    question = "|".join([spec, *makers, *sets, record.run.profile])
    drawn = sha256_of(sorted(b.identity.sha256 for b in _sets(record, entry) if b.identity is not None))
    return f"{question}|{_place_of(draws.setdefault(question, [{}]), record.run.seed, drawn)}"


def _place_of(sets: list[dict[object, str]], seed: object, drawn: str) -> int:
    """Return which of the sets that are called alike was drawn from: of one set, one seed draws the same again.

    A seed that was not used before tells nothing: it is counted to the last set.
    """
    place = next((n for n, seen in enumerate(sets) if seen.get(seed) == drawn), len(sets) - 1)
    if sets[place].setdefault(seed, drawn) != drawn:
        sets.append({seed: drawn})
        return len(sets) - 1
    return place


def _sets(record: Record, entry: ExpectationEntry) -> Sequence[BackgroundsEntry]:
    """Return the backgrounds that an expectation stands on: other behaviours of a run may not have been run in another.

    All of the run, where its behaviour does not say.
    """
    named, every = [b for b in record.behaviours if b.id == entry.behaviour], record.identification.backgrounds
    resolved = behaviour_of(named, entry).resolved if named else {}
    asked = resolved.get("scenes") or resolved.get("fuzz")
    if not isinstance(asked, Mapping):
        return every
    of_name = [one for one in every if one.name == asked.get("set")]
    return [one for one in of_name if one.count == asked.get("count")] or of_name or every


def _source(made_by: IdentityEntry | None) -> list[Any]:
    if made_by is None:
        return []
    settings = {key: value for key, value in made_by.configuration.items() if key != "master_seed"}
    whole = settings.get("radiographs", "") == settings.get("available")
    return [made_by.name, made_by.version, settings, *([made_by.sha256] if whole else [])]
