"""Subgroups count what is to be found; nodules that are to be missed stand in no rate."""

from pathlib import Path

import pytest

from synnodtest.record.model import Record
from synnodtest.record.model.searched import CoverageEntry, ParameterEntry
from synnodtest.report import html
from synnodtest.report.context import Context
from synnodtest.report.figures.coverage import coverage_figure
from synnodtest.report.figures.curves import froc
from synnodtest.report.sections.attrition import attrition
from synnodtest.report.sections.curves import curves
from synnodtest.report.sections.fuzzing import fuzzing
from synnodtest.report.sections.hazards import hazards
from synnodtest.report.sections.protocol import protocol
from synnodtest.report.sections.results import results
from synnodtest.report.sections.subgroups import subgroups
from synnodtest.report.sections.traceability import traceability
from synnodtest.report.sections.verdict import verdict
from tests.record import parts
from tests.report.facts import facts_of


def shown(kind, figure="", **parameters):
    told = {
        "behaviour": "leak",
        "kind": kind,
        "parameters": parameters,
        "ruling": parts.ruling(figure={"kind": figure}),
    }
    scenes = {
        f"s{k}": parts.scene(
            behaviour="leak" if k < 4 else "size",
            background=f"b{k}",
            arm="default",
            accepted=True,
            nodules=[parts.nodule(hit=k % 2 == 0, diameter_mm=12.0, regions=["lung"])],
        )
        for k in range(10)
    }
    made = parts.record(scenes=scenes, expectations=[parts.expectation(**told), parts.expectation(behaviour="size")])
    data = subgroups(Context(Record.of(made), Path("."))).data
    return data["lead"], data["figures"][0].twin.rows[0][2:6]


def test_nodules_that_are_to_be_missed_are_left_out_and_the_page_says_so():
    lead, row = shown("no_detection", region="air_leak", at_most=0.05)
    assert "an expectation that their nodules are not found are left out whole (leak)." in lead
    assert row == ["6", "6", "3", "0.50"]
    lead, row = shown("sensitivity", at_least=0.5)
    assert "left out" not in lead
    assert row[0] == "10"


def test_scenes_that_a_search_chose_for_failing_are_left_out_too():
    lead, row = shown("detected", figure="fuzz", rate_at_least=0.8)
    assert "Nodules of searches, chosen for failing, are left out (leak)." in lead
    assert row[0] == "6"


def properties_of(strata, *, asked=()):
    """Return the properties that are drawn and the lead, of one nodule on each of as many films as there are strata."""
    scenes = {
        f"s{k}": parts.scene(
            behaviour="size", background=f"b{k}", arm="default", accepted=True, strata=one,
            nodules=[parts.nodule(hit=True)],
        )
        for k, one in enumerate(strata)
    }  # fmt: skip
    expectations = [parts.expectation(behaviour="size", parameters=one) for one in asked or ({},)]
    made = parts.record(scenes=scenes, expectations=expectations)
    data = subgroups(Context(Record.of(made), Path("."))).data
    return {row[0] for row in data["figures"][0].twin.rows}, data["lead"]


@pytest.mark.parametrize(("sites", "drawn"), [(12, True), (13, False)])
def test_a_property_of_too_many_values_is_named_where_it_is_not_drawn(sites, drawn):
    kinds, lead = properties_of([{"site": f"site {k % sites}"} for k in range(2 * sites)])
    assert ("site" in kinds) is drawn
    assert ("Properties of more than 12 values are not drawn: site (13)." in lead) is not drawn


NOT_DRAWN = "are not drawn unless a spec asks by or across them"


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        (["2021", "2048", "2500", "2544", "2992", "3056"] * 4, False),
        (["1", "2", "3", "4", "5"] * 4, True),
        (["19-01-03", "19-02-07", "19-04-11", "19-05-30", "19-05-30"], False),
        (["north", "north", "south", "south", "west", "west"], True),
        (["north", "south"], True),
    ],
)
@pytest.mark.parametrize("column", ["orig_w", "sex"])
def test_a_column_that_parts_films_and_not_groups_is_named_where_it_is_not_drawn(column, values, drawn):
    kinds, lead = properties_of([{column: value} for value in values])
    assert (column in kinds) is (drawn or column == "sex")
    assert (f"{NOT_DRAWN}: orig_w ({len(set(values))})." in lead) is not (drawn or column == "sex")


@pytest.mark.parametrize("asked", [{"where": {"kvp": {"at_least": 70}}}, {"across": {"kvp": [60, 90, 130]}}])
def test_a_column_that_a_spec_asks_for_is_drawn(asked):
    strata = [{"kvp": str(60 + 10 * k), "mas": str(k)} for k in range(7)]
    kinds, lead = properties_of(strata, asked=[asked])
    assert "kvp" in kinds
    assert f"{NOT_DRAWN}: mas (7)." in lead


def test_a_run_of_searches_alone_says_that_their_nodules_are_not_counted():
    search = parts.expectation(kind="detected", ruling=parts.ruling(figure={"kind": "fuzz"}))
    scene = parts.scene(behaviour="b", accepted=True, nodules=[parts.nodule(hit=True)])
    made = parts.record(scenes={"s": scene}, expectations=[search])
    empty = subgroups(Context(Record.of(made), Path("."))).empty
    assert empty == "No planted nodule is counted. Nodules of searches, chosen for failing, are left out (b)."
    assert subgroups(Context(Record.of(parts.record()), Path("."))).empty == "No planted nodule was evaluated."


def test_an_area_without_a_curve_says_so_where_its_curve_would_be(small, tmp_path, drawings):
    (entry,) = small["expectations"]
    entry["kind"] = "afroc"
    entry["ruling"] |= {"components": entry["ruling"]["components"][:1], "figure": {"kind": "rate"}, "details": {}}
    page = html.render(small, tmp_path, store=drawings).read_text()
    assert "Of this area no curve is drawn; its value stands in the table above." in page


def test_a_curve_without_a_false_positive_is_drawn_and_says_where_it_ends():
    figure = froc({"kind": "froc", "fppi": [0.0, 0.0], "sensitivity": [0.5, 0.75]}, "f")
    assert figure.description.endswith("The curve ends, with all findings counted, at 0.")
    assert figure.twin.rows == [["0", "0.75"]]
    assert "all findings" in figure.svg
    beyond = froc({"kind": "froc", "fppi": [0.0, 1.5], "sensitivity": [0.5, 0.75]}, "f")
    assert beyond.description == "Sensitivity 0.50 at one false positive per image."
    cut = froc({"kind": "froc", "fppi": [0.0, 7.9], "sensitivity": [0.5, 0.75], "whole": False}, "f")
    assert cut.description.endswith("It is drawn as far as 7.9.")
    whole = froc({"kind": "froc", "fppi": [0.0, 7.9], "sensitivity": [0.5, 0.75], "whole": True}, "f")
    assert whole.svg.count("<use") > cut.svg.count("<use")  # the point at which all findings are counted


def test_a_search_without_units_tells_of_none():
    search = parts.expectation(kind="detected", ruling=parts.ruling(figure={"kind": "fuzz"}))
    judged = parts.expectation(kind="detected", id="s.yaml::b::f", ruling=parts.ruling(n_nodules=2))
    made = parts.record(behaviours=[{"id": "b", "statement": "s"}], expectations=[search, judged])
    context = Context(Record.of(made), Path("."))
    first, second = facts_of(results(context), context)
    assert "n" not in first
    assert second["n"].startswith("2 units on")


def test_a_run_of_errors_says_that_nothing_was_judged_and_not_that_nothing_was_asked():
    every = [
        parts.expectation(id=f"s.yaml::b::{kind}", kind=kind, status="ERROR", error="out of memory",
                          parameters={"at_least": 0.5, "where": {}, "strata": [["a", {}]]})
        for kind in ("sensitivity", "froc", "detected")
    ]  # fmt: skip
    behaviour = {"id": "b", "statement": "s", "hazard": ["H"], "resolved": {"fuzz": {"examples": 9}}}
    none = {"requested": 0, "synthesized": 0, "accepted": 0, "evaluated": 0}
    made = parts.record(behaviours=[behaviour], expectations=every, attrition=none)
    context = Context(Record.of(made), Path("."))
    assert curves(context).empty == "No expectation that draws a curve was judged."
    assert fuzzing(context).empty == "No search of this run came to a verdict."
    lost = attrition(context).data
    assert lost["note"] == "Scenes of 3 expectations without a ruling are not counted, unless others share them."
    assert lost["figure"] is None
    assert not verdict(context).data["judged"]
    assert [row[4] for row in traceability(context).data["table"].rows] == ["–"] * 3
    (group,) = protocol(context).data["groups"]
    assert [row[1] for row in group["table"].rows] == ["at_least: 0.5"] * 3
    waived = {"id": "W", "reason": "", "approver": "", "expiry": "2999-01-01"}
    made["expectations"][0] |= {
        "status": "INCONCLUSIVE",
        "ruling": parts.ruling(status="INCONCLUSIVE"),
        "waived": waived,
    }
    context = Context(Record.of(made), Path("."))
    assert verdict(context).data["judged"]
    assert hazards(context).data["table"].rows[0][-1] == "2 of 3 expectations not settled, 1 waived"


def test_behaviours_of_no_hazard_are_told_apart_with_their_worst_verdicts():
    named = {"h": ["H"], "leak": [], "pair": []}
    behaviours = [{"id": b, "statement": "s", "hazard": h} for b, h in named.items()]
    asked = [("h", "PASSED"), ("leak", "PASSED"), ("leak", "FAILED"), ("pair", "INCONCLUSIVE")]
    every = [
        parts.expectation(id=f"s.yaml::{b}::{i}", behaviour=b, status=status, ruling=parts.ruling(status=status))
        for i, (b, status) in enumerate(asked)
    ]
    context = Context(Record.of(parts.record(behaviours=behaviours, expectations=every)), Path("."))
    section = hazards(context)
    assert [row[0] for row in section.data["table"].rows] == ["H"]
    assert section.data["apart"] == "leak (FAILED) and pair (INCONCLUSIVE)"


def test_the_caption_of_what_a_search_tried_counts_in_singular_and_plural():
    of = ParameterEntry("density", range=(0.0, 1.0))
    tried = ["holds"] * 3 + ["fails"] + ["crashes"] * 2 + ["not planted"]
    figure = coverage_figure(CoverageEntry((of,), tuple((k / 9, word) for k, word in enumerate(tried))), "c")
    assert figure.description.startswith(
        "7 examples, those of shrinking included: 3 hold, 1 fails, 2 crash, 1 not planted."
    )


def test_scenes_that_a_synthesizer_drew_again_are_told_beside_those_of_the_engine():
    def facts(*redraws):
        scenes = {
            f"{k}": parts.scene(nodules=[{"name": "n", "box": [0, 0, 1, 1], "requested": {"redraws": times}}])
            for k, times in enumerate(redraws)
        }
        made = parts.record(scenes=scenes, attrition={"redrawn": 0})
        context = Context(Record.of(made), Path("."))
        (told,) = facts_of(attrition(context), context)
        return told

    told = "Drawn again by the synthesizer, far from what was asked for"
    assert facts(0, 2, 1)[told] == "2"
    assert told not in facts(0, 0)
    assert facts(0, 2, 1)["Drawn again, as a nodule was rejected at first"] == "0"


def test_a_time_that_was_not_taken_in_this_process_is_not_told_as_none(small):
    small["attrition"]["seconds"] = {"synthesis": 0.0, "detection": 2.0}
    context = Context(Record.of(small), Path("."))
    (told,) = facts_of(attrition(context), context)
    assert {"Time within the synthesizer", "Time within the detector"} & {*told} == {"Time within the detector"}
