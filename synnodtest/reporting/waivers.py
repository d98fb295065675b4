"""Accepted failures: ``waivers.yaml`` with id, reason, approver and expiry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from synnodtest.errors import RecordError

__all__ = ["Waiver", "Waivers", "load_waivers"]

LARGEST_BYTES = 1_000_000
KEYS = ("id", "expectation", "reason", "approver", "expiry")
HINT = "each waiver has id, expectation (a node id, or a behaviour's id), reason, approver and expiry (YYYY-MM-DD)"


@dataclass(frozen=True)
class Waiver:
    """One accepted failure.

    Args:
        id: Identifier of the waiver.
        expectation: Node id of the item (with or without the folders before the file), or a behaviour's id.
        reason: Why the failure is accepted.
        approver: Who accepted it.
        expiry: Last day on which it holds.
    """

    id: str
    expectation: str
    reason: str
    approver: str
    expiry: date

    def covers(self, node_id: str, behaviour: str) -> bool:
        """Return whether the waiver is about an item."""
        return self.expectation in (node_id, behaviour) or node_id.endswith("/" + self.expectation)

    def expired(self, today: date | None = None) -> bool:
        """Return whether the waiver no longer holds."""
        return (today or datetime.now(UTC).date()) > self.expiry

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ``expired`` among them."""
        return {
            "id": self.id,
            "expectation": self.expectation,
            "reason": self.reason,
            "approver": self.approver,
            "expiry": self.expiry.isoformat(),
            "expired": self.expired(),
        }


@dataclass(frozen=True)
class Waivers:
    """The waivers of a file."""

    entries: tuple[Waiver, ...]

    def find(self, node_id: str, behaviour: str) -> Waiver | None:
        """Return the waiver about an item: one that holds before one that expired."""
        found = [w for w in self.entries if w.covers(node_id, behaviour)]
        return next((w for w in found if not w.expired()), found[0] if found else None)


def load_waivers(path: Path) -> Waivers:
    """Read a waiver file.

    Raises:
        RecordError: it cannot be read, or an entry is malformed; names file and entry.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise RecordError(f"{path}: larger than {LARGEST_BYTES} bytes, hardly a list of waivers")
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecordError(f"{path}: cannot be read: {error}", hint=HINT) from error
    entries = data.get("waivers") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise RecordError(f"{path}: has no list under 'waivers'", hint=HINT)
    return Waivers(tuple(_waiver(path, number, entry) for number, entry in enumerate(entries)))


def _waiver(path: Path, number: int, entry: Any) -> Waiver:
    where = f"{path}: waivers[{number}]"
    if not isinstance(entry, dict) or set(entry) != set(KEYS):
        raise RecordError(f"{where}: does not have exactly {', '.join(KEYS)}", hint=HINT)
    expiry = entry["expiry"]
    try:
        last = expiry if isinstance(expiry, date) else date.fromisoformat(str(expiry))
    except ValueError:
        raise RecordError(f"{where}: {expiry!r} is no date", hint=HINT) from None
    texts = {key: str(entry[key] or "").strip() for key in KEYS[:-1]}
    if not all(texts.values()):
        raise RecordError(f"{where}: an entry is empty", hint=HINT)
    return Waiver(**texts, expiry=last)
