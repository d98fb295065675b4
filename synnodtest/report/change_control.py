"""The page of a change control plan: what was foreseen, what was asked for, and what a new version came to."""

from __future__ import annotations

from pathlib import Path

from synnodtest import __version__
from synnodtest.files import write_atomic
from synnodtest.integrity.protocol import Protocol
from synnodtest.record.change import OUTSIDE, WITHIN, Judged
from synnodtest.record.limitations import LIMITATION
from synnodtest.report.page import page, style_of

_LOOKS = {WITHIN: "PASSED", OUTSIDE: "FAILED"}


def write_change_control(protocol: Protocol, frozen: str, judged: Judged, path: Path) -> Path:
    """Write the page, one offline file without a script, and return its path."""
    text = page(
        "change_control.html.j2",
        style_of("history.css", "change_control.css"),
        plan=protocol,
        frozen=frozen,
        judged=judged,
        look=_LOOKS.get(judged.verdict, "INCONCLUSIVE"),
        counts={word: sum(c.status == word for c in judged.clauses) for word in ("PASSED", "FAILED", "INCONCLUSIVE")},
        limitation=LIMITATION,
        version=__version__,
    )
    return write_atomic(Path(path), text)
