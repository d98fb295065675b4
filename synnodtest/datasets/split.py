"""Which patients and CT series are held out: by name alone, for good."""

from __future__ import annotations

import zlib

__all__ = ["HELD_OUT", "is_held_out"]

HELD_OUT = 0.15
"""Share of patients and of CT series that training never sees."""


def is_held_out(name: str) -> bool:
    """Return whether a patient or CT series belongs to the share kept for evaluation."""
    return zlib.crc32(name.encode()) % 100 < 100 * HELD_OUT
