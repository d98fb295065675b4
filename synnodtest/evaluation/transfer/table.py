"""A transfer result as text for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

from jinja2 import Environment


def as_text(result: Mapping[str, object]) -> str:
    """Return what a reader wants first: sensitivity planted and real, their difference, band by band."""
    text = resources.files("synnodtest.evaluation.transfer").joinpath("table.txt.j2").read_text(encoding="utf-8")
    page = Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True).from_string(text)
    return page.render(result)
