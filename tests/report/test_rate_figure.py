"""The figure of rates by requested diameter: it draws the bound only where the bound is one on these nodules."""

import pytest

from synnodtest.record.model import Record
from synnodtest.report.figures.kinds import figure_of


def drawing(record, node):
    return figure_of(next(e for e in Record.of(record).expectations if e.id == node), "f", {})


@pytest.mark.parametrize(("of_each", "bound_is_drawn"), [(1, True), (3, False)], ids=["nodules", "scenes of three"])
def test_a_bound_on_scenes_of_several_nodules_is_not_drawn_beside_rates_of_nodules(made, of_each, bound_is_drawn):
    entry = next(e for e in made["expectations"] if e["kind"] == "sensitivity")
    rows = [{"diameter": "10 to 15 mm", "nodules": 8 * of_each, "detected": 6 * of_each}]
    entry["ruling"] |= {"figure": {"kind": "rate"}, "details": {"by requested diameter": rows}, "n_nodules": 8}
    drawn = drawing(made, entry["id"])
    entry["ruling"]["components"] = []
    without = drawing(made, entry["id"]).svg
    assert (drawn.svg.split("</desc>")[1] != without.split("</desc>")[1]) is bound_is_drawn
    assert ("bound is one on scenes" in drawn.description) is not bound_is_drawn
