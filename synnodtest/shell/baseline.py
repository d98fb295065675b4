"""Baseline of a run: the record of an earlier run, or a second detector on the same scenes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from synnodtest.engine.scene_outcomes import Progress
from synnodtest.errors import SynnodError
from synnodtest.integrity.manifest import RECORD, refuse_changed
from synnodtest.planning.cases import Case
from synnodtest.record import results as record
from synnodtest.record.compare import as_record, faults_of
from synnodtest.record.model import Record
from synnodtest.record.model.side import Side
from synnodtest.shell.run import Run
from synnodtest.shell.settings import Settings


def is_record(text: str) -> bool:
    """Return whether a text names the ``results.json`` of a run, or its folder, and not a detector."""
    path = Path(text).expanduser()
    if path.is_dir():
        return (path / RECORD).is_file()
    if path.suffix != ".json" or not path.is_file():
        return False
    try:
        return "synnodtest_record" in json.loads(path.read_bytes())
    except (ValueError, TypeError, RecursionError):
        return path.name == RECORD


def run_of(text: str) -> str:
    """Return a run, the newest where a folder of runs is named; a detector as it is."""
    folder = Path(text).expanduser()
    runs = record.runs_in(folder) if folder.is_dir() and not is_record(text) else []
    return str(runs[-1]) if runs else text


def kept_record(text: str) -> Record:
    """Return the record that a text names; where no manifest vouches for it, say so.

    Raises:
        RecordError: it cannot be read, or is not as its run wrote it.
    """
    path = Path(text).expanduser()
    untold, kept = refuse_changed(path), record.load(path)
    if untold:
        print(untold, file=sys.stderr)
    return kept


class SecondDetector(Run):
    """A detector that sees the scenes of every expectation after the one under test; they are made once.

    What breaks it is noted and leaves the expectation itself alone. Searches are left out: their scenes hang on what
    the detector under test does.

    Args:
        detector: As ``--detector`` names it.
        settings: Of the run.
        progress: Wraps streams of outcomes for a progress bar.
    """

    def __init__(self, detector: str, settings: Settings, progress: Progress | None = None) -> None:
        super().__init__(replace(settings, detector=detector, conform="off"), progress)
        self.name = self.settings.detector_told
        self._left_out: list[str] = []

    def meet(self, case: Case) -> None:
        """Run and judge one expectation."""
        if case.behaviour.fuzz is not None:
            self._left_out.append(case.node_id)
            return
        try:
            gathered = self.gather(case)
        except SynnodError:
            return  # noted in the fragment by gather
        self.rule(case, gathered)

    def faults(self) -> list[str]:
        """Return what broke, a line per kind of fault."""
        return [f"baseline {self.name}: {fault}" for fault in faults_of(self.as_record().expectations)]

    def as_record(self) -> Side:
        """Return the part of a record that :func:`synnodtest.record.compare.compare` reads."""
        return as_record(self.fragment, f"detector {self.name}", self._left_out)


def record_of(text: str, settings: Settings, cases: Iterable[Case], progress: Progress | None = None) -> Side:
    """Return the record that a text names; where it names a detector, what that does in these cases.

    Raises:
        SynnodError: the record cannot be read or was changed, or the detector broke in every case.
    """
    if is_record(text):
        return Side.of(kept_record(text))
    tried = SecondDetector(text, settings, progress)
    for case in cases:
        tried.meet(case)
    tried.close()
    record = tried.as_record()
    if all(entry.status == "ERROR" for entry in record.expectations):
        reasons = tried.faults() or ["no expectation with scenes"]
        raise SynnodError(f"nothing to compare for {text!r}: {reasons[0]}")
    return record
