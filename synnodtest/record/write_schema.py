"""``python -m synnodtest.record.write_schema``: write ``record.schema.json`` anew from the dataclasses."""

from __future__ import annotations

import json
from pathlib import Path

from synnodtest.decoding import definition
from synnodtest.record.model import Record

_PROMISE = (
    "results.json of one run, version 1. Keys named here keep their meaning within version 1; keys may be added, and "
    "readers ignore those they do not know."
)


def built() -> dict[str, object]:
    """Return the JSON Schema (2020-12) of the record."""
    known: dict[str, object] = {}
    schema = definition(Record, known) | {"description": _PROMISE}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "synnodtest record"}
    return head | schema | {"$defs": dict(sorted(known.items()))}


def text() -> str:
    """Return the schema as it stands in the file."""
    return json.dumps(built(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("record.schema.json").write_text(text(), encoding="utf-8")
