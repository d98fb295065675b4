"""Numbers of sections come from their order, and a section of one's own takes its place among them."""

import pytest

from synnodtest.errors import SynnodError
from synnodtest.report import order
from synnodtest.report.figures.kept import kept_in
from synnodtest.report.html import build, to_text
from synnodtest.report.model import Section

NUMBERED = len(order.ORDER) - len(order.LETTERED) + len(order.ADDED.all())


@pytest.fixture(autouse=True)
def fresh():
    yield
    order.builders.cache_clear()
    order.number_of.cache_clear()


def test_numbers_follow_the_order():
    assert [order.number_of(key) for key in order.builders()] == [*map(str, range(NUMBERED)), "A"]
    assert order.anchor_of("guide") == "section-a"


def test_a_section_of_ones_own_moves_those_behind_it(monkeypatch, small, tmp_path, drawings):
    weather = order.Added(
        "weather", "envelope", lambda context: Section("Weather", "limitations", {"fixed": "It rained.", "said": []})
    )
    monkeypatch.setattr(order.ADDED, "all", lambda: {"weather": weather})
    order.builders.cache_clear()
    order.number_of.cache_clear()
    with kept_in(drawings):
        report = build(small, tmp_path)
    assert [s.number for s in report.sections] == [*map(str, range(len(order.ORDER))), "A"]
    assert (report.sections[3].title, report.sections[4].title) == ("Weather", "Protocol")
    page = to_text(report)
    assert 'href="#section-4"' in page  # the protocol, named by the verdict
    assert "It rained." in page


@pytest.mark.parametrize(
    ("key", "after", "told"),
    [("weather", "atrition", "'weather'.*follow 'atrition'"), ("results", "attrition", "'results'.*key of another")],
)
def test_a_section_without_a_place_or_with_the_key_of_another_is_refused(monkeypatch, key, after, told):
    """One of a taken key would not be shown, and nobody would be told."""
    added = order.Added(key, after, lambda context: Section("Weather", "tables_only"))
    monkeypatch.setattr(order.ADDED, "all", lambda: {key: added})
    order.builders.cache_clear()
    with pytest.raises(SynnodError, match=told) as refused:
        order.builders()
    assert "attrition, scoring" in refused.value.hint
