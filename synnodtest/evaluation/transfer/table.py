"""A transfer result as text for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from synnodtest.record.words import interval, number, p_text, plural
from synnodtest.templates import templates_of


def as_text(result: Mapping[str, object]) -> str:
    """Return what a reader wants first: sensitivity planted and real, their difference, band by band."""
    templates = templates_of("synnodtest.evaluation.transfer", "", last_newline=True)
    templates.filters |= {word.__name__: word for word in (interval, number, p_text, plural)}
    return templates.get_template("table.txt.j2").render(result)
