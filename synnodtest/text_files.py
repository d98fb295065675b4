"""Text files whatever wrote them: UTF-8 with or without a mark, UTF-16 and UTF-32 of either byte order.

A byte order mark, or else the zero bytes among the first four, tell the encoding, as they do of JSON.
"""

from __future__ import annotations

import json

TEXT_ENCODINGS = ("UTF-8", "UTF-16", "UTF-32")
IN_UTF8 = "set PYTHONUTF8=1, or a locale of UTF-8 such as LC_ALL=C.UTF-8"
"""Remedy where the system's own encoding lacks a letter of a name or text."""


def decoded(data: bytes) -> str:
    """Return the text of a file without its byte order mark.

    Raises:
        UnicodeDecodeError: it is none of :data:`TEXT_ENCODINGS`.
    """
    return data.decode(json.detect_encoding(data))


def head_text(data: bytes) -> str:
    """Return the text of the first bytes of a file, cut wherever; what cannot be decoded is replaced."""
    return data.decode(json.detect_encoding(data), errors="replace")
