"""Subgroups: estimates of parts of the scenes, for description."""

from __future__ import annotations

from collections.abc import Iterable

from synnodtest.expectations import find_check
from synnodtest.record.model import ExpectationEntry
from synnodtest.record.words import joined
from synnodtest.report.context import Context
from synnodtest.report.figures.forest import MOST_VALUES, forest_figure, groups_of
from synnodtest.report.model import Section


def subgroups(context: Context) -> Section:
    """Return the rate of detected nodules by region, size, sex, age and view; descriptive."""
    expectations = context.record.expectations
    silent = _not_to_be_found(expectations)
    searched = list(dict.fromkeys(e.behaviour for e in expectations if e.is_search))
    groups, many = groups_of(s for s in context.record.scenes.values() if s.behaviour not in (*silent, *searched))
    told = "Behaviours with an expectation that their nodules are not found are left out whole"
    left_out = f" {told} ({joined(silent)})." if silent else ""
    left_out += f" Nodules of searches, chosen for failing, are left out ({joined(searched)})." if searched else ""
    left_out += f" Properties of more than {MOST_VALUES} values are not drawn: {joined(many)}." if many else ""
    data = {
        "lead": "Detected nodules of all accepted scenes of the behaviours' own arms, at the operating point. "
        "Descriptive: nothing is decided here, groups overlap, and scenes of one background are not independent, "
        f"which the intervals allow for (Korn-Graubard).{left_out}",
        "figures": [forest_figure(groups, "f-forest")] if groups else [],
    }
    empty = "" if groups else f"No planted nodule {'is counted.' if left_out else 'was evaluated.'}{left_out}"
    return Section("Subgroups", "figure_only", data, empty)


def _not_to_be_found(expectations: Iterable[ExpectationEntry]) -> list[str]:
    """Return the behaviours that hold that their nodules are missed: a hit is no success there."""
    names = [
        e.behaviour
        for e in expectations
        if (kind := find_check(e.kind)) is not None and kind.wants_silence(kind.read(e.parameters))
    ]
    return list(dict.fromkeys(names))
