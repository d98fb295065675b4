"""The figure of what is looked at background by background says what the ruling says."""

import pytest

from synnodtest.record.model import Record
from synnodtest.report.figures.kinds import figure_of


@pytest.mark.parametrize(
    ("status", "judged", "told", "rows"),
    [
        ("INCONCLUSIVE", 4, "Not decided by n = 4.", ["4"]),  # the reference was not shown to see anything
        ("PASSED", 3, "Decided at n = 3.", ["3", "4"]),  # it was shown to after three, evidence sufficed after two
        ("FAILED", 4, "Decided at n = 4.", ["4"]),
    ],
)
def test_evidence_beyond_the_threshold_decides_only_when_the_ruling_is_settled(made, status, judged, told, rows):
    entry = next(e for e in made["expectations"] if e["kind"] == "sensitivity")
    evidence = {"n": [1, 2, 3, 4], "log_e_above": [1.0, 3.5, 4.0, 4.5], "log_e_below": [-1.0, -2.0, -3.0, 3.2]}
    figure = {"kind": "sequential", "threshold": 2.99573, **evidence}
    entry["ruling"] |= {"figure": figure, "status": status, "n_clusters": judged}
    drawn = figure_of(next(e for e in Record.of(made).expectations if e.id == entry["id"]), "f", {})
    assert drawn.description == told
    assert [row[0] for row in drawn.twin.rows] == rows
    if judged == 3:
        assert drawn.twin.rows[0][1:] == ["4.00", "\N{MINUS SIGN}3.00", "3.00"]
