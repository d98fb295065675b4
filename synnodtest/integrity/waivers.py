"""Waivers: failures that a named person accepts, for a reason, until a date.

They stand in ``waivers.yaml``::

    waivers:
      - id: W-4
        expectation: specs/paper.yaml::companion-keeps-sensitivity::non_inferior    # an item, or a behaviour's id
        reason: Companion nodules are read twice until release 2.
        approver: R. Example, regulatory affairs
        expiry: 2027-03-31

Without ``expectation`` the ``id`` names the item or behaviour. A waiver covers FAILED and INCONCLUSIVE, never an error;
from the day after its expiry it covers nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from synnodtest.decoding import Schema
from synnodtest.errors import RecordError
from synnodtest.integrity.forms import read_nodes
from synnodtest.spec.nodes import Node, plain

HINT = "each waiver has id, expectation (a node id, or a behaviour's id), reason, approver and expiry (YYYY-MM-DD)"
_TEXT = {"type": "string", "pattern": r"\S", "x-expected": "a text", "maxLength": 2000}
_DAY = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$", "x-expected": "a date (YYYY-MM-DD)"}
_FORM: Schema = {
    "type": "object",
    "required": ["waivers"],
    "additionalProperties": False,
    "properties": {
        "waivers": {
            "type": ["array", "null"],
            "items": {
                "type": "object",
                "required": ["id", "reason", "approver", "expiry"],
                "additionalProperties": False,
                "properties": {"id": _TEXT, "expectation": _TEXT, "reason": _TEXT, "approver": _TEXT, "expiry": _DAY},
            },
        }
    },
}


@dataclass(frozen=True)
class Waiver:
    """One accepted failure.

    Args:
        id: Identifier of the waiver.
        expectation: Node id of the item (with or without the folders before the file), of its behaviour
            (``specs/a.yaml::behaviour``), or a behaviour's id, which covers all its expectations.
        reason: Why the failure is accepted.
        approver: Who accepted it.
        expiry: Last day on which it holds (UTC).
        line: Where its file names what it covers.
    """

    id: str
    expectation: str
    reason: str
    approver: str
    expiry: date
    line: int = field(default=0, compare=False)

    def covers(self, node_id: str, behaviour: str) -> bool:
        """Return whether the waiver is about an item."""
        names = (node_id, node_id.rpartition("::")[0])
        return self.expectation in (*names, behaviour) or any(n.endswith("/" + self.expectation) for n in names)

    def expired(self, today: date | None = None) -> bool:
        """Return whether the waiver no longer holds."""
        return (today or datetime.now(UTC).date()) > self.expiry

    def as_dict(self, today: date | None = None) -> dict[str, object]:
        """Return plain values, ``expired`` among them."""
        fields_ = {name: value for name, value in vars(self).items() if name != "line"}
        return {**fields_, "expiry": self.expiry.isoformat(), "expired": self.expired(today)}


@dataclass(frozen=True)
class Waivers:
    """The waivers of a file."""

    entries: tuple[Waiver, ...]

    def find(self, node_id: str, behaviour: str) -> Waiver | None:
        """Return the waiver about an item: one that holds before one that expired, one about the item itself first."""
        return min(
            (w for w in self.entries if w.covers(node_id, behaviour)),
            key=lambda w: (w.expired(), not node_id.endswith(w.expectation), w.expectation == behaviour),
            default=None,
        )

    def idle(self, items: Iterable[tuple[str, str]]) -> list[Waiver]:
        """Return the waivers that cover none of the items ``(node id, behaviour)``."""
        known = list(items)
        return [waiver for waiver in self.entries if not any(waiver.covers(*item) for item in known)]

    def ambiguous(self, items: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Return by id which waivers cover items ``(node id, behaviour)`` of several specs, a sentence each.

        Behaviours of one id in two specs are two things; who approved one of them approved nothing of the other.
        """
        files: dict[str, dict[str, None]] = {w.id: {} for w in self.entries}
        for node_id, behaviour in items:
            for waiver in self.entries:
                if waiver.covers(node_id, behaviour):
                    files[waiver.id][node_id.partition("::")[0]] = None
        return {id: f"the waiver {id!r} covers {' and '.join(of)}: name one" for id, of in files.items() if len(of) > 1}


def load_waivers(path: Path) -> Waivers:
    """Read a waiver file.

    Raises:
        RecordError: it cannot be read, an entry is malformed, a date is none, or an id stands twice; names file and
            line or entry.
    """
    listed = read_nodes(path, _FORM, f"a list under 'waivers'; {HINT}").mapping["waivers"].sequence
    waivers = tuple(_waiver(path, node) for node in listed)
    ids = [waiver.id for waiver in waivers]
    twice = next((i for i in ids if ids.count(i) > 1), None)
    if twice is not None:
        raise RecordError(f"{path}: the waiver {twice!r} stands twice", hint="keep one entry of each id")
    return Waivers(waivers)


def _waiver(path: Path, node: Node) -> Waiver:
    entry = plain(node)
    named = "expectation" if "expectation" in entry else "id"
    line = node.mapping[named].place.line
    return Waiver(entry["id"], entry[named], entry["reason"], entry["approver"], _day(path, entry), line)


def _day(path: Path, entry: dict[str, Any]) -> date:
    try:
        return date.fromisoformat(entry["expiry"])
    except ValueError:
        raise RecordError(
            f"{path}: {entry['id']!r} expires on {entry['expiry']!r}, which is no date", hint=HINT
        ) from None
