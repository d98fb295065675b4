"""What is looked up in a record more than once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["behaviour_of"]


def behaviour_of(record: Mapping[str, Any], expectation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the behaviour of an expectation; ids are unique within a file, which the node id names."""
    found = [b for b in record["behaviours"] if b["id"] == expectation["behaviour"]]
    file = str(expectation["id"]).partition("::")[0]
    return next((b for b in found if b.get("file") == file), found[0])
