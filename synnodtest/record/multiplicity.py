"""Failure alarms over a whole run: each raw p-value beside Holm's.

That *all* expectations pass needs no correction: each of them must (intersection-union). But the more expectations are
judged, the likelier one of them fails by chance, so an alarm is read with both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from synnodtest.record.model import ExpectationEntry
from synnodtest.statistics import holm


def with_holm(expectations: Iterable[ExpectationEntry]) -> list[ExpectationEntry]:
    """Return the expectations of a record with ``p_holm`` filled in.

    The family are all expectations of the run whose ruling has a ``p_value`` (one-sided, against the bound, on the
    failing side); the others keep None.
    """
    entries = list(expectations)
    family = {entry.id: entry.p_value for entry in entries if entry.p_value is not None}
    adjusted = dict(zip(family, holm(list(family.values())), strict=True))
    return [replace(e, p_holm=float(adjusted[e.id])) if e.id in adjusted else e for e in entries]
