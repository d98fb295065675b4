"""Entries in other people's reports: GitHub's step summary, allure-pytest, pytest-html."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from synnodtest.record.model import Record


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
