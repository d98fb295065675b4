"""The interval strip: round ends of its axis, no score above 1, and an interval without an end drawn to the edge."""

import re

import pytest

from synnodtest.record.model import ComponentEntry
from synnodtest.report.figures.strip import domain_of, strip


def component(unit, value, lower, upper, bound, side="above"):
    ends = {"lower": lower, "upper": upper, "lower95": lower, "upper95": upper}
    return ComponentEntry(
        name="x", label="x", value=value, **ends, bound=bound, side=side, unit=unit, status="INCONCLUSIVE", method="m"
    )


@pytest.mark.parametrize(
    ("part", "domain"),
    [
        (component("score", 0.42, -0.222276, 0.763, 0.1), (-0.25, 1.0)),
        (component("score", 0.49, 0.0, 1.0, 0.3), (0.0, 1.0)),
        (component("score", 0.003, 0.002, 0.005, 0.2, "below"), (0.0, 0.25)),
        (component("per image", 0.17, 0.01, 0.79, 1.0, "below"), (0.0, 1.5)),
        (component("mm", 16.9, 0.0, None, 14.0, "below"), (0.0, 20.0)),
    ],
)
def test_an_axis_ends_at_round_numbers_and_one_of_scores_at_1(part, domain):
    assert domain_of([part]) == pytest.approx(domain)


@pytest.mark.parametrize(("lower", "upper", "ends"), [(3.0, None, (46.0, 250.0)), (None, 12.0, (10.0, 154.0))])
def test_an_interval_without_an_end_is_drawn_to_the_edge(lower, upper, ends):
    drawn = strip(component("mm", 10.0, lower, upper, 14.0, "below"), (0.0, 20.0))
    wide = [re.search(r'x1="([\d.]+)".*x2="([\d.]+)"', line) for line in drawn.split("<line") if 'width="5"' in line]
    assert [tuple(map(float, found.groups())) for found in wide] == [ends]


def test_no_interval_is_no_line():
    assert 'width="5"' not in strip(component("mm", 10.0, None, None, 14.0, "below"), (0.0, 20.0))


@pytest.mark.parametrize(
    ("low", "labels"), [(-0.01, ["\N{MINUS SIGN}0.01", "0.4"]), (-0.4, ["\N{MINUS SIGN}0.4", "0", "0.4"])]
)
def test_zero_is_labelled_where_no_label_of_an_end_stands(low, labels):
    drawn = strip(component("score", 0.1, -0.005, 0.3, 0.1), (low, 0.4))
    assert re.findall(r"<text[^>]*>([^<]*)</text>", drawn) == labels
