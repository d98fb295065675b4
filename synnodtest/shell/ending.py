"""The end of a run: what the terminal tells of it as a whole, and then its files.

The verdicts are printed first: where every scene is stored, record and report take as long as all else together.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from synnodtest.decoding import decode
from synnodtest.record.assemble import Fragment
from synnodtest.record.complete import RunFacts
from synnodtest.record.model import Comparison, Record
from synnodtest.record.model.run import RunEntry
from synnodtest.record.whole import run_entry, whole_record


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
