"""No end of an interval is printed on or beyond a bound that it has not reached, wherever it stands."""

import re
from pathlib import Path

import numpy as np
import pytest

from synnodtest.record.model import Record
from synnodtest.record.model.scenes import NoduleEntry
from synnodtest.report.context import Context
from synnodtest.report.figures.agreement import agreement_figure
from synnodtest.report.figures.credibility import sham
from synnodtest.report.page import templates
from synnodtest.report.sections.credibility import credibility
from synnodtest.report.sections.results import results
from synnodtest.report.sections.sample_size import power_figure
from tests.remembered import UNDRAWN
from tests.report.example import transferred


@pytest.fixture
def undrawn(monkeypatch):
    """Drawings are left empty, for tests of the tables beside them."""
    monkeypatch.setenv(UNDRAWN, "1")


@pytest.mark.usefixtures("undrawn")
def test_the_95_percent_interval_is_not_rounded_to_the_bound(made):
    entry = next(e for e in made["expectations"] if e["kind"] == "equivalent")
    part = entry["ruling"]["components"][0]
    entry["ruling"]["components"] = [
        part | {"value": 0.0, "lower": -0.251, "upper": 0.251, "lower95": -0.3029, "upper95": 0.2996, "bound": 0.3}
    ]
    groups = results(Context(Record.of(made), Path("."))).data["groups"]
    (item,) = (one for group in groups for one in group["items"] if one["entry"].id == entry["id"])
    assert item["components"].rows[0][3] == "\N{MINUS SIGN}0.3029 to +0.2996"


@pytest.mark.usefixtures("undrawn")
def test_whether_planted_nodules_stand_for_real_ones_is_not_rounded_to_the_margin(made):
    told = transferred()
    made["credibility"] = {"transfers": [told], "reports": []}
    rate = told["detectors"][0]["rates"][0]
    gap = rate["difference"]
    rate["difference"] = gap | {"lower": -0.1004, "upper": 0.07}
    rate["bands"][0]["difference"] = gap | {"lower": -0.09, "upper": 0.0996}
    data = credibility(Context(Record.of(made), Path("."))).data
    table = data["transfers"][0][1][0]
    assert [row[5] for row in table.rows] == ["\N{MINUS SIGN}0.1004 to +0.0700", "\N{MINUS SIGN}0.0900 to +0.0996"]


@pytest.mark.usefixtures("undrawn")
def test_a_transfer_is_told_of_one_false_positive_and_zero_has_no_sign(made):
    told = transferred()
    made["credibility"] = {"transfers": [told], "reports": []}
    rate = told["detectors"][0]["rates"][0]
    rate["difference"] |= {"value": 0.0002, "lower": -0.0002, "upper": 0.0}
    rate["p_equivalence"] = 1e-9
    made_of = told["made_of"]
    made_of |= {"films": 1, "patients": 1, "masses_left_out": 1}
    section = credibility(Context(Record.of(made), Path(".")))
    assert section.data["transfers"][0][1][0].rows[0][4:] == ["0.000", "0.000 to 0.000", "not shown (p < 0.0001)"]
    text = templates().get_template("sections/credibility.html.j2").render(d=section.data)
    assert "At 1 false positive per film it finds" in text
    assert "60 annotated nodules on 1 film of 1 patient, " in text
    assert "; 1 box above 45 mm left out" in text


def test_nor_is_the_sham_control_of_a_model():
    measured = {"mean_difference": 0.01, "margin": 0.05, "interval_90": [-0.02, 0.0498], "n": 60, "equivalent": True}
    drawn = sham([("phantoms", {"sham": measured})], "f")
    assert drawn.twin.rows[0][3] == "\N{MINUS SIGN}0.0200 to +0.0498"


def test_curves_of_power_are_told_apart_without_colour(made):
    part = next(e for e in Record.of(made).expectations if e.kind == "sensitivity").ruling.components[0]
    drawn = power_figure([(f"curve {k}", 20 + 8 * k, part, 0.05) for k in range(6)], "f")
    dashes = set(re.findall(r'stroke-dasharray="([\d.,]+)"', drawn.svg))
    assert len(dashes) == 5 + 1  # all curves but the first, which is solid, and the lines of the bounds


def test_contrasts_that_are_alike_but_for_rounding_are_ranked_alike():
    noise = np.random.default_rng(5).normal(0, 1e-8, 40)
    asked = [0.1, 0.2, *[0.3] * 38]
    nodules = [
        NoduleEntry("n", (), requested={"contrast": a}, contrast=a + n) for a, n in zip(asked, noise, strict=True)
    ]
    assert agreement_figure(nodules, "contrast", "f").twin.rows[0][-1] == "1.00"
    assert agreement_figure(nodules[2:], "contrast", "f").twin.rows[0][-1] == "–"


@pytest.mark.usefixtures("undrawn")
def test_each_row_of_a_transfer_names_its_rate_as_on_a_narrow_screen_it_stands_alone(made):
    made["credibility"] = {"transfers": [transferred()], "reports": []}
    table = credibility(Context(Record.of(made), Path("."))).data["transfers"][0][1][0]
    assert [row[:2] for row in table.rows] == [["1.00", "all"], ["1.00", "under 15"]]
