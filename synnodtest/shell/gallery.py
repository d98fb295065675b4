"""Pictures of judged items: written for the report and the explorer, and named for other plugins' reports."""

from __future__ import annotations

from pathlib import Path

from synnodtest.planning.cases import Case
from synnodtest.shell.run import Run

__all__ = ["Gallery"]


class Gallery:
    """Pictures of one run.

    Args:
        run: Whose scenes.
        folder: Of the report.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self._run = run
        self._folder = folder
        self._explorable: set[str] = set()

    def write(self, case: Case) -> None:
        """Write the pictures of a judged case."""
        run = self._run
        if run.ready and run.settings.pixels and case.node_id in run.fragment.expectations:
            from synnodtest.report.pictures import keep_for_exploring, write_pictures

            behaviour, campaign = run.behaviour(case), run.campaign
            write_pictures(run.fragment, case.node_id, behaviour, campaign, self._folder)
            keep_for_exploring(run.fragment, case.node_id, behaviour, campaign, self._explorable)

    def of(self, case: Case) -> list[tuple[str, Path]]:
        """Return caption and path of the first pictures of a judged case."""
        from synnodtest.shell.ci import pictures_of

        return pictures_of(self._run.fragment.gallery, case.node_id, self._folder)
