"""Pictures of judged items, and entries in other people's reports: GitHub's step summary, allure-pytest, pytest-html.

An item's pictures are drawn when it has been judged, as far as the store lacks them, and written to the report's folder
at the end, after the verdicts. The reports of other plugins want them with the item.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synnodtest.planning.cases import Case
from synnodtest.record.model import Record
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


def write_step_summary(record: Record, report: Path) -> None:
    """Append the run's Markdown to the file that ``GITHUB_STEP_SUMMARY`` names; nothing where it names none."""
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if not target:
        return
    from synnodtest.exports.markdown import summary

    with Path(target).open("a", encoding="utf-8") as file:
        file.write(summary(record, str(report)) + "\n")


def attach_to_allure(properties: Iterable[tuple[str, str]], pictures: Iterable[tuple[str, Path]]) -> None:
    """Give the running item of allure-pytest its verdict and numbers as parameters, and its pictures."""
    import allure

    for name, value in properties:
        if name == "synnodtest.sentence":
            allure.attach(value, "verdict", allure.attachment_type.TEXT)
        else:
            allure.dynamic.parameter(name, value)
    for caption, path in pictures:
        if path.is_file():
            allure.attach(path.read_bytes(), caption, "image/webp", "webp")


def html_extras(properties: Iterable[tuple[str, str]], pictures: Iterable[tuple[str, Path]]) -> list[Any]:
    """Return what pytest-html shows below an item: a table of verdict and numbers, and pictures."""
    import base64

    from pytest_html import extras

    rows = "".join(f"<tr><th>{html.escape(n)}</th><td>{html.escape(v)}</td></tr>" for n, v in properties)
    extras_made = [extras.html(f"<table>{rows}</table>")] if rows else []
    for caption, path in pictures:
        if path.is_file():
            data = base64.b64encode(path.read_bytes()).decode()
            extras_made.append(
                extras.html(
                    f'<figure><img alt="{html.escape(caption)}" src="data:image/webp;base64,{data}">'
                    f"<figcaption>{html.escape(caption)}</figcaption></figure>"
                )
            )
    return extras_made
