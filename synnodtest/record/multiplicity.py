"""Failure alarms over a whole run: each raw p-value beside Holm's.

That *all* expectations pass needs no correction: each of them must (intersection-union). But the more expectations are
judged, the likelier one of them fails by chance, so an alarm is read with both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synnodtest.statistics import holm

__all__ = ["with_holm"]


def with_holm(expectations: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the expectations of a record with ``p_holm`` filled in.

    The family are all expectations of the run whose ruling has a ``p_value`` (one-sided, against the bound, on the
    failing side); the others keep None.
    """
    entries = [dict(entry) for entry in expectations]
    family = [entry for entry in entries if (entry.get("ruling") or {}).get("p_value") is not None]
    adjusted = holm([entry["ruling"]["p_value"] for entry in family])
    for entry, p in zip(family, adjusted, strict=True):
        entry["p_holm"] = float(p)
    return entries
