"""A run's two entries in the ledger: its begin, before the first scene, and its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from synnodtest.errors import RecordError
from synnodtest.integrity import ledger
from synnodtest.record.assemble import Fragment
from synnodtest.record.model.authored import AnomalyEntry
from synnodtest.record.model.run import contents_of
from synnodtest.shell.settings import Settings


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
