"""Pictures of judged items: drawn for the report and the explorer, and named for other plugins' reports.

An item's pictures are drawn when it has been judged, as far as the store lacks them, and written to the report's folder
at the end, after the verdicts. The reports of other plugins want them with the item.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synnodtest.planning.cases import Case
from synnodtest.shell.run import Run
from synnodtest.stages import stage

if TYPE_CHECKING:
    from synnodtest.report.pictures import ItemPictures

MOST_PICTURES = 6
"""Pictures per item in reports that are not ours."""


class Gallery:
    """Pictures of one run.

    Args:
        run: Whose scenes.
        folder: Of the report.
        at_once: Write the pictures of an item with it, not at the end.
    """

    def __init__(self, run: Run, folder: Path, at_once: bool) -> None:
        self._run = run
        self._folder = folder
        self._at_once = at_once
        self._explorable: set[str] = set()
        self._waiting: list[ItemPictures] = []

    @stage("pictures")
    def add(self, case: Case) -> None:
        """Draw the pictures of a judged case."""
        run = self._run
        if run.ready and run.settings.pixels and case.node_id in run.fragment.expectations:
            from synnodtest.report.pictures import ItemPictures

            pictures = ItemPictures(run.fragment, case.node_id, run.behaviour(case), run.campaign)
            pictures.draw()
            self._waiting.append(pictures)
            pictures.keep_for_exploring(self._explorable)
            if self._at_once:
                self.write()

    @stage("pictures")
    def write(self) -> None:
        """Write the pictures that were drawn and not written yet."""
        waiting, self._waiting = self._waiting, []
        for pictures in waiting:
            pictures.write(self._folder)

    def of(self, case: Case) -> list[tuple[str, Path]]:
        """Return caption and path of the first pictures of a judged case, boxes drawn."""
        mine = [one for one in self._run.fragment.gallery if one.expectation == case.node_id and one.boxes]
        return [(f"{one.rule}: {one.caption}", self._folder / one.boxes) for one in mine[:MOST_PICTURES]]
