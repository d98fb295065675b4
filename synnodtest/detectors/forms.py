"""The tables of docs/detectors.md: which networks are read and which are refused, made from the code's own lists.

``python -m synnodtest.detectors.forms docs/detectors.md`` writes them anew between their two marks.
"""

from __future__ import annotations

import sys
from pathlib import Path

from synnodtest.detectors.export_metadata import READ_KEYS
from synnodtest.detectors.heads import HEADS, REFUSED_HEADS

BEGIN = "<!-- tables of synnodtest.detectors.forms -->"
END = "<!-- end of the tables -->"


def tables() -> str:
    """Return the tables in Markdown."""
    read = [f"| `{head.name}` | {head.fit} | {head.says} |" for head in HEADS.values()]
    refused = [f"| `{'`, `'.join(names)}` | {gives} |" for gives, names in REFUSED_HEADS.items()]
    keys = [f"| `{key}` | {says} |" for key, says in READ_KEYS.items()]
    refused.append("| any other name | something that is not known |")
    parts = [
        ["| head that is read | input | what it is |", "|---|---|---|", *read],
        ["| head that is refused | because it gives |", "|---|---|", *refused],
        ["| metadata of an export | what becomes of it |", "|---|---|", *keys],
    ]
    return "\n\n".join(map("\n".join, parts))


def with_tables(text: str) -> str:
    """Return a page with the tables between their marks replaced.

    Raises:
        ValueError: the marks are not there.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")
