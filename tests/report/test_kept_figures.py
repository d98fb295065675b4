"""Drawings that are kept: drawn once per store, equal to the drawn ones, and anew where data or store are others."""

from __future__ import annotations

import pytest

from synnodtest.canonical import plain
from synnodtest.report.figures.kept import drawn, kept_in
from synnodtest.report.model import Figure, Table
from synnodtest.report.sections.attrition import flow_figure
from synnodtest.store import Store

STEPS = [("requested", 12), ("accepted", 11)]


def counted():
    calls = []

    @drawn
    def figures(rows, name, *, empty=False):
        calls.append(rows)
        twin = Table("t", ("a", "b"), [("x", str(r)) for r in rows])
        return [] if empty else [Figure("T", "d", None), Figure("T", "d", flow_figure(STEPS, name).svg, twin, True)]

    return figures, calls


def test_what_is_kept_is_what_was_drawn(tmp_path):
    figures, calls = counted()
    fresh = figures([1, 2], "f")
    with kept_in(Store(tmp_path)):
        first, second = figures([1, 2], "f"), figures([1, 2], "f")
        assert plain(fresh) == plain(first) == plain(second)
        assert type(second[1].svg) is type(fresh[1].svg)
        assert len(calls) == 2
        assert plain(figures([1, 3], "f")) != plain(fresh)
        assert figures([1, 2], "f", empty=True) == []
        assert len(calls) == 4
    with kept_in(Store(tmp_path / "other")):
        assert plain(figures([1, 2], "f")) == plain(fresh)
    assert plain(figures([1, 2], "f")) == plain(fresh)
    assert len(calls) == 6


def test_a_store_that_cannot_be_written_costs_only_the_drawing(tmp_path):
    figures, calls = counted()
    blocked = tmp_path / "file"
    blocked.write_text("")
    with kept_in(Store(blocked)):
        assert figures([1], "f")[0] == Figure("T", "d", None)
    assert len(calls) == 1


def test_what_a_drawing_raises_is_raised_and_not_kept(tmp_path):
    @drawn
    def broken(name):
        raise KeyError(name)

    with kept_in(Store(tmp_path)):
        for _ in range(2):
            with pytest.raises(KeyError):
                broken("f")
