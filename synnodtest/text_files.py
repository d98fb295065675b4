"""Text files whatever wrote them: UTF-8 with or without a mark, UTF-16 and UTF-32 of either byte order."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks, longer ones first: that of UTF-32 LE begins with that of UTF-16 LE."""

TEXT_ENCODINGS = ("UTF-8", "UTF-16", "UTF-32")


def decoded(data: bytes) -> str:
    """Return the text of a file; its byte order mark, or else its zero bytes, tell the encoding.

    Raises:
        UnicodeDecodeError: it is none of :data:`TEXT_ENCODINGS`.
    """
    encoding, skipped = _encoding(data)
    return data[skipped:].decode(encoding)


def head_text(data: bytes) -> str:
    """Return the text of the first bytes of a file, cut wherever; what cannot be decoded is replaced."""
    encoding, skipped = _encoding(data)
    return data[skipped:].decode(encoding, errors="replace")


def _encoding(data: bytes) -> tuple[str, int]:
    """Return the encoding and the length of its mark."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name, len(mark)
    start = data[:4]
    if len(start) < 4 or 0 not in start:
        return "utf-8", 0
    if start[:3] == b"\0\0\0":
        return "utf-32-be", 0
    if start[1:] == b"\0\0\0":
        return "utf-32-le", 0
    return ("utf-16-be", 0) if start[0] == 0 else ("utf-16-le", 0)
