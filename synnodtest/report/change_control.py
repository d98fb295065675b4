"""The page of a change control plan: what was foreseen, what was asked for, and what a new version came to."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from synnodtest import __version__
from synnodtest.files import write_atomic
from synnodtest.integrity.protocol import Protocol
from synnodtest.record.pccp import OUTSIDE, WITHIN, Judged
from synnodtest.record.statuses import STATUSES
from synnodtest.record.words import LIMITATION, date

__all__ = ["write_change_control"]

_LOOKS = {WITHIN: "PASSED", OUTSIDE: "FAILED"}


def write_change_control(protocol: Protocol, frozen: str, judged: Judged, path: Path) -> Path:
    """Write the page, one offline file without a script, and return its path."""
    style = "".join(f".s-{look.key}{{--status:{look.colour}}}\n" for look in STATUSES.values())
    for name in ("history.css", "change_control.css"):
        style += resources.files("synnodtest.report").joinpath(name).read_text(encoding="utf-8")
    sha = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=PackageLoader("synnodtest.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.globals["STATUSES"] = STATUSES
    environment.filters["date"] = date
    text = environment.get_template("change_control.html.j2").render(
        style=Markup(style),
        policy=f"default-src 'none'; style-src 'sha256-{sha}'; base-uri 'none'; form-action 'none'",
        plan=protocol,
        frozen=frozen,
        judged=judged,
        look=_LOOKS.get(judged.verdict, "INCONCLUSIVE"),
        counts={word: sum(c.status == word for c in judged.clauses) for word in ("PASSED", "FAILED", "INCONCLUSIVE")},
        limitation=LIMITATION,
        version=__version__,
    )
    return write_atomic(Path(path), text)
