"""Counts and lists in words: ``1 background``, ``30 backgrounds``, ``a, b and c``."""

from __future__ import annotations


def counted(count: float, one: str, many: str = "", *, shown: str = "") -> str:
    """Return a count and what is counted, in the singular or plural.

    Args:
        count: How many.
        one: What is said of one: ``background``, ``film was left out``.
        many: What is said of any other number, where that is not ``one`` with an s: ``films were left out``.
        shown: The number as it is printed, if not by its digits.
    """
    return f"{shown or count} {one if count == 1 else many or one + 's'}"


def joined(parts: list[str]) -> str:
    """Return ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
