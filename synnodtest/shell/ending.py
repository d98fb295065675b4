"""The end of a run: what the terminal tells of it as a whole, and then its files; its two entries in the ledger.

The verdicts are printed first: where every scene is stored, record and report take as long as all else together.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from synnodtest.decoding import decode
from synnodtest.errors import RecordError
from synnodtest.integrity import ledger
from synnodtest.integrity.lock import LOCK
from synnodtest.record.assemble import Fragment
from synnodtest.record.checkout import commit_of
from synnodtest.record.complete import RunFacts
from synnodtest.record.model import Comparison, Record
from synnodtest.record.model.authored import AnomalyEntry
from synnodtest.record.model.run import RunEntry, contents_of
from synnodtest.record.whole import run_entry, whole_record
from synnodtest.shell.refusals import limits_of
from synnodtest.shell.repeat_commands import changed
from synnodtest.shell.settings import Settings


class Ending:
    """Facts of a run whose last item has been judged.

    Args:
        fragment: What the items added.
        facts: Of the run.
        folder: Of the report.
        write_gallery: Writes the pictures of the items, and enters them in the fragment.

    Raises:
        RecordError: a file of the project that belongs into the report cannot be used.
    """

    def __init__(self, fragment: Fragment, facts: RunFacts, folder: Path, write_gallery: Callable[[], None]) -> None:
        self._fragment = fragment
        self._facts = facts
        self._folder = folder
        self._write_gallery = write_gallery
        self.run: RunEntry = run_entry(fragment, facts)
        self.comparison: Comparison | None = None
        if facts.baseline is not None:
            self.comparison = decode(Comparison, self._made["comparison"])

    @cached_property
    def _made(self) -> dict[str, Any]:
        self._write_gallery()
        return whole_record(self._fragment, self._facts, self.run)

    def publish(self) -> tuple[Path, Record]:
        """Write record, report and manifest; return the path of the report and the record.

        Raises:
            RecordError: a file of the project that belongs into the report cannot be used.
        """
        from synnodtest.report.publish import publish

        return publish(self._made, self._facts, self._folder)


def facts_of(settings: Settings, run_id: str, folder: Path, runs: Path, written: Iterable[Path]) -> RunFacts:
    """Return the facts that hang on settings alone.

    Args:
        settings: What the user asked for.
        run_id: Identifier of the run.
        folder: Of the report.
        runs: The ledger of runs.
        written: Files that pytest itself writes.
    """
    return RunFacts(
        root=settings.root,
        run_id=run_id,
        command=settings.command,
        seed=settings.seed,
        limit=settings.limit,
        pixels=settings.pixels,
        waiver_file=settings.waivers,
        cache=settings.cache,
        limits=limits_of(settings),
        credibility=settings.credibility,
        options={
            "detector": settings.detector_told,
            "synthesizer": settings.synthesizer,
            "backgrounds": str(settings.backgrounds or ""),
            "report": os.path.relpath(folder, settings.root),
            **changed(settings),
        },
        ledger=runs,
        reports=settings.reports,
        own=(settings.reports, settings.cache, runs, settings.root / "replay", *written),
    )


def checkout_of(facts: RunFacts) -> tuple[str, bool | None] | None:
    """Return git's commit and whether the tree is clean; None without a lock, as only a frozen spec hangs on them."""
    return commit_of(facts.root, facts.own)[:2] if (facts.root / LOCK).is_file() else None


class LedgerEntries:
    """Enters a run; where that cannot be done the run goes on, and terminal and record say so.

    Args:
        settings: What the user asked for.
        run_id: Identifier of the run.
        fragment: Takes the anomaly, which the terminal tells of.
    """

    def __init__(self, settings: Settings, run_id: str, fragment: Fragment) -> None:
        self._settings = settings
        self._run_id = run_id
        self._fragment = fragment
        self._broken = False

    @property
    def file(self) -> Path:
        """The ledger."""
        return self._settings.ledger or self._settings.root / ledger.FILE_NAME

    def begin(self, files: Mapping[str, str]) -> None:
        """Enter that the run begins, with the sha256 of its specs by their files."""
        asked = self._settings
        words = (asked.synthesizer, str(asked.backgrounds or ""), str(asked.limit or ""))
        chosen = dict(zip(ledger.CHOSEN, words, strict=True))
        specs = {*files.values()}
        self._enter(
            lambda: ledger.begin(
                self.file,
                self._run_id,
                specs=specs,
                seed=asked.seed,
                detector=asked.detector_told,
                chosen=chosen,
                files=files,
            )
        )

    def end(self, how: str) -> None:
        """Enter how the run ended, and which radiographs it had."""
        contents = contents_of(self._fragment.backgrounds.values())
        self._enter(lambda: ledger.end(self.file, self._run_id, how, contents))

    def _enter(self, write: Callable[[], None]) -> None:
        if self._broken:
            return
        try:
            write()
        except RecordError as error:
            self._broken = True
            impact = "this run is not in the ledger; --synnod-ledger FILE names another place"
            self._fragment.anomalies.append(AnomalyEntry(self.file.name, error.message, impact))
