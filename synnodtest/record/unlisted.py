"""Runs that left a report and that the ledger does not know: its end was cut off, or it is another ledger."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from synnodtest.decoding import decode
from synnodtest.integrity.manifest import RECORD as FILE_NAME
from synnodtest.record.model import Record
from synnodtest.record.model.run import LedgerEntry, contents_of

UNLISTED = "not in the ledger"
"""Word for how such a run ended, as far as the list of runs can tell."""


def unlisted(reports: Path, known: Collection[str], specs: Collection[str]) -> list[LedgerEntry]:
    """Return the runs of these specs in a folder of reports, oldest first, but for those that are known.

    Args:
        reports: Folder of reports.
        known: Identifiers of the runs that the ledger knows, and of the run itself.
        specs: sha256 of each resolved spec.
    """
    files = [path for path in reports.glob(f"*/{FILE_NAME}") if path.parent.name not in known]
    return [entry for path in sorted(files) for entry in _entries(path, specs)]


def _entries(path: Path, specs: Collection[str]) -> list[LedgerEntry]:
    text = path.read_bytes()
    if not any(sha256.encode() in text for sha256 in specs):
        return []
    try:
        record = decode(Record, json.loads(text))
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
