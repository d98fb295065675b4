"""What was claimed and not tested is told: ends, gaps, and what was asked for outside."""

from pathlib import Path

import pytest

from synnodtest.record.model import Record
from synnodtest.report.context import Context
from synnodtest.report.sections.envelope import Claim, envelope, envelope_figure
from tests.record import parts


@pytest.mark.parametrize(
    ("tested", "remark"),
    [
        ([4.0, 8.0, 12.0, 17.0, 22.0, 26.5, 31.0, 36.0, 40.0], "covered end to end"),
        ([4.0, 9.0, 14.0, 20.0, 25.0, 28.0, 40.0], "nothing tested between 28 and 40"),
        ([4.0, 15.0, 40.0], "nothing tested between 15 and 40"),
        ([4.0, 9.0, 14.0, 19.0, 24.0, 29.0, 31.0], "nothing tested from 31 to 40"),
        ([], "claimed and not tested"),
    ],
)
def test_the_remark_names_what_of_the_claim_has_no_data(tested, remark):
    assert Claim("diameter_mm", 4.0, 40.0, tested, tested).remark() == remark


def test_a_range_of_one_value_is_that_value():
    assert Claim("contrast", 0.1, 0.9, [0.5, 0.5], [0.5 + 1e-9, 0.5 - 1e-9]).tested_text() == "0.5; asked for 0.5"
    assert Claim("contrast", 0.1, 0.9, [], [0.4, 0.5, 0.5]).tested_text() == "0.4 to 0.5 (median 0.5)"


def test_what_was_asked_for_outside_the_claim_is_counted():
    realised = [0.1 + 0.01 * k for k in range(11)]
    assert Claim("contrast", 0.1, 0.2, [*realised, 0.4], realised).remark() == "1 asked for outside the claim"


def test_a_contrast_that_is_the_same_everywhere_but_for_rounding_is_one_bar():
    realised = [0.4 + 1e-8 * k for k in range(6)]
    figure = envelope_figure([Claim("contrast", None, None, [0.4] * 6, realised)], "f")
    (row,) = figure.twin.rows
    assert [*row] == ["contrast", "0.388 to 0.412", "6"]


def test_a_column_of_a_value_for_each_film_hides_no_other_of_what_is_known():
    scenes = {
        f"s{k}": parts.scene(background=f"b{k}", accepted=True, strata={"accession": f"A{k}", "view": "PA"})
        for k in range(100)
    }
    known = envelope(Context(Record.of(parts.record(scenes=scenes)), Path("."))).data["strata"]
    assert known.rows == [["accession", "100 values", "100", "100"], ["view", "PA", "100", "100"]]
    assert not known.left_out
