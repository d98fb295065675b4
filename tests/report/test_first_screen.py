"""The first screen and the sample sizes: what was not run, confirmatory in so many words, the baseline, the least n."""

from pathlib import Path

import pytest

from synnodtest.expectations.language import Selection
from synnodtest.expectations.rates import where_phrase
from synnodtest.exports.markdown import summary
from synnodtest.record.model import Record
from synnodtest.record.model.authored import LIMITED_COUNT
from synnodtest.record.model.run import contents_of
from synnodtest.record.rejections import by_kind
from synnodtest.record.rejections import kind_of_rejection as _kind
from synnodtest.record.words import expectation_title, titles_of, value_text
from synnodtest.report.context import Context
from synnodtest.report.order import number_of
from synnodtest.report.sections.attrition import attrition
from synnodtest.report.sections.credibility import _rejected
from synnodtest.report.sections.limitations import limitations
from synnodtest.report.sections.sample_size import sample_size
from synnodtest.report.sections.verdict import outcome, verdict
from synnodtest.spec.quantities import bins
from tests.record import parts
from tests.report.facts import facts_of


def screen(record):
    return verdict(Context(Record.of(record), Path("."))).data


def test_what_was_not_selected_was_not_run_and_not_untestable(made):
    made["expectations"] = made["expectations"][:3]
    for entry, status in zip(made["expectations"], ("PASSED", "NOT RUN", "NOT RUN"), strict=True):
        entry |= {"status": status, "waived": None}
    assert outcome(Context(Record.of(made), Path("."))).endswith("meets 1 of 3 expectations; 2 were not run.")


def test_a_waived_failure_stands_on_the_first_screen_beside_another_failure(made):
    waived = next(e for e in made["expectations"] if e["waived"])
    made["expectations"] = [made["expectations"][0] | {"status": "FAILED", "waived": None}, waived]
    shown = screen(made)
    assert shown["outcome"].endswith("does not meet 1 of 2 expectations; 1 is waived.")
    assert dict(shown["notices"])["Waived"] == "Sensitivity (FAILED); see section 18."


@pytest.mark.parametrize(
    ("ruled", "told"),
    [
        (
            ("INCONCLUSIVE",),
            "Nothing is shown about {}: none of 3 expectations could be settled; 1 is waived.",
        ),
        (
            ("FAILED",),
            "{} does not meet 1 of 3 expectations, for which there is a waiver; 2 are inconclusive.",
        ),
        (
            ("FAILED", "FAILED", "INCONCLUSIVE"),
            "{} does not meet 2 of 3 expectations, for which there are waivers; 1 is waived.",
        ),
    ],
)
def test_where_only_what_is_waived_was_settled_the_outcome_does_not_say_that_the_detector_meets_none(made, ruled, told):
    waiver = next(e for e in made["expectations"] if e["waived"])["waived"]
    made["expectations"] = made["expectations"][:3]
    for k, entry in enumerate(made["expectations"]):
        waived = k < len(ruled)
        entry |= {"status": ruled[k] if waived else "INCONCLUSIVE", "waived": waiver if waived else None}
    name = Record.of(made).identification.detector.name
    assert outcome(Context(Record.of(made), Path("."))) == told.format(name)


def test_the_outcome_of_a_single_expectation_is_told_of_the_one(small):
    name, told = Record.of(small).identification.detector.name, {}
    for status in ("PASSED", "FAILED", "ERROR"):
        small["expectations"][0] |= {"status": status, "waived": None}
        told[status] = outcome(Context(Record.of(small), Path(".")))
    assert told == {
        "PASSED": f"{name} meets the one expectation.",
        "FAILED": f"{name} does not meet the one expectation.",
        "ERROR": f"Nothing is shown about {name}: the one expectation could not be settled.",
    }


def test_only_a_confirmatory_run_calls_its_expectations_pre_specified(small):
    small["expectations"][0] |= {"status": "PASSED", "waived": None}
    told = {}
    for confirmatory in (True, False):
        small["run"]["confirmatory"] = confirmatory
        told[confirmatory] = outcome(Context(Record.of(small), Path("."))).split(" meets ")[1]
    assert told == {True: "the one pre-specified expectation.", False: "the one expectation."}


def test_the_outcome_says_which_specifications_were_left_out_whole(small):
    small["expectations"][0] |= {"status": "PASSED", "waived": None}
    small["run"]["left_out"] = ["specs/a.yaml", "specs/b.yaml"]
    told = outcome(Context(Record.of(small), Path(".")))
    assert told.endswith("meets the one expectation; 2 specifications were left out whole.")


def test_a_confirmatory_run_says_how_many_of_its_expectations_ended_in_an_error(small):
    small["run"] |= {"confirmatory": True, "exploratory_reasons": []}
    one = small["expectations"][0] | {"waived": None}
    for statuses, ending in (
        (("PASSED", "FAILED"), "all of them was run."),
        (("PASSED", "ERROR"), "all of them was run; 1 expectation ended in an error and says nothing."),
        (("ERROR", "ERROR"), "all of them was run; 2 expectations ended in an error and say nothing."),
    ):
        small["expectations"] = [one | {"id": f"{one['id']}{k}", "status": s} for k, s in enumerate(statuses)]
        assert dict(screen(small)["notices"])["Confirmatory"].endswith(ending)


def test_a_confirmatory_run_says_so_and_an_exploratory_one_why_not(small):
    for confirmatory, word in ((True, "Confirmatory"), (False, "Exploratory")):
        small["run"] |= {"confirmatory": confirmatory, "exploratory_reasons": [] if confirmatory else ["reason X"]}
        told = dict(screen(small)["notices"])
        assert (word in told, len({"Confirmatory", "Exploratory"} & {*told})) == (True, 1)
    assert "reason X" in told["Exploratory"]


def test_other_choices_of_what_chance_can_favour_are_told_of_before_a_confirmation(small):
    small["run"] |= {"id": "now", "started": "2026-03-01T00:00:00+00:00", "seed": 2, "confirmatory": True}
    small["run"]["options"] = {"backgrounds": "cxr", "synthesizer": "gaussian"}
    sha = small["identification"]["specs"][0]["sha256"]
    run = {"run": "first", "started": "2026-02-01", "status": "finished", "seed": 0, "spec_sha256": sha}
    same = run | {"run": "same", "seed": 2, "backgrounds": "cxr", "synthesizer": "gaussian"}
    beside = run | {"run": "later by its clock", "started": "2026-04-01"}
    small["run"]["finished"] = "2026-02-28T22:00:00+00:00"  # the clock was set back
    small["ledger"] = [run, same, run | {"run": "now", "seed": 2}, beside]
    assert not any("took" in line for _, lines, _ in screen(small)["facts"] for line in lines)
    told = dict(screen(small)["notices"])
    assert told["Other seeds"].startswith("2 runs of these specifications began before this one ended, with other s")
    small["ledger"] = [run, same, same | {"run": "on others", "backgrounds": ""}]
    assert "Other seeds and backgrounds" in dict(screen(small)["notices"])
    small["ledger"], small["run"]["frozen_unrun"] = [], ["a.yaml", "b.yaml", "c.yaml", "d.yaml"]
    assert dict(screen(small)["notices"])["Frozen and not run"].startswith("a.yaml, b.yaml, c.yaml and 1 more spec")
    small["ledger"] = [same, same | {"run": "by another", "synthesizer": "diffusion"}]
    assert "Other synthesizers" in dict(screen(small)["notices"])
    films = next(s for s in small["identification"]["backgrounds"] if s["identity"]["sha256"])
    small["ledger"] = [same | {"contents": {films["name"]: films["identity"]["sha256"]}}]
    assert not [word for word, _ in screen(small)["notices"] if word.startswith("Other")]
    small["ledger"] = [same, same | {"run": "on fewer films", "contents": {films["name"]: "of others"}}]
    assert "Other backgrounds" in dict(screen(small)["notices"])
    small["ledger"] = [
        same,
        same | {"run": "old", "spec_sha256": "0"},
        run | {"spec_sha256": "0", "backgrounds": "cxr"},
    ]
    told = {word: text for word, text in screen(small)["notices"] if word.startswith("Other")}
    assert [*told] == ["Other versions"]
    assert told["Other versions"].startswith("1 run of other versions of these specifications had this seed and these")
    small["ledger"] = [same]
    assert not [word for word, _ in screen(small)["notices"] if word.startswith("Other")]
    small["ledger"] = [run]
    small["run"]["confirmatory"] = False
    assert not [word for word, _ in screen(small)["notices"] if word.startswith("Other")]


def test_the_baseline_stands_on_the_first_screen(small):
    row = {"behaviour": "", "metric": "sensitivity", "value": -0.2, "lower": -0.3, "upper": -0.1,
           "n": 9, "clusters": 9, "before": 0.5, "after": 0.3}  # fmt: skip
    limit = {"limit": "sensitivity:-0.03", "kept": False, "sentence": "sensitivity exceeds the limit"}
    small["comparison"] = {
        "earlier": "run-7", "verdicts": [{}], "unchanged": 4, "differences": [row], "limits": [limit]
    }  # fmt: skip
    (lines,) = (lines for word, lines, _ in screen(small)["facts"] if word == "Against the baseline")
    assert "against run-7: 1 verdict differs, 4 do not" in lines[0]
    assert "sensitivity \N{MINUS SIGN}0.20 (\N{MINUS SIGN}0.30 to \N{MINUS SIGN}0.10)" in lines
    assert lines[-1] == "sensitivity exceeds the limit"


def test_the_fewest_backgrounds_and_the_planned_power_stand_in_section_4(small):
    small["expectations"][0]["plan"] = {"assume": "equal arms", "power": 0.83, "least_backgrounds": 16}
    data = sample_size(Context(Record.of(small), Path("."))).data
    (row,) = data["table"].rows
    assert dict(zip(data["table"].columns, row, strict=True))["Fewest backgrounds that can pass"] == "16"
    assert [getattr(c, "text", c) for c in data["plans"].rows[0]][1:] == ["equal arms", "0.83"]


@pytest.mark.parametrize("name", ["{sensitivity: ..}", "{monotone: .., spread: ..}"])
def test_a_default_that_was_planned_with_is_told_to_the_reader_and_not_to_the_author(small, name):
    """In the words of a record that still asks the author."""
    asked = "a default; say what you expect with sampling: {assume: "
    asks = f"a rate of 0.6 ({asked}{name}}}), and two levels ({asked}{{drop: ..}}}})"
    small["expectations"][0]["plan"] = {"assume": asks, "power": 0.83, "least_backgrounds": 16}
    told = "a default of synnodtest: the specification assumes nothing"
    (row,) = sample_size(Context(Record.of(small), Path("."))).data["plans"].rows
    assert row[1] == f"a rate of 0.6 ({told}), and two levels ({told})"


def test_the_chance_of_passing_is_drawn_of_what_can_pass_and_says_how_many_are_left_out(made):
    rate = next(e for e in made["expectations"] if e["kind"] == "sensitivity")
    rate["ruling"] |= {"components": rate["ruling"]["components"][:1], "n_backgrounds": 40}
    for count, least, rows, told in ((1, 40, 8, ""), (1, 41, 0, ""), (8, 5, 48, "The first 6 of 8 rates.")):
        made["expectations"] = [
            rate | {"id": f"s.yaml::b::e{k}", "plan": {"least_backgrounds": least}} for k in range(count)
        ]
        figure = sample_size(Context(Record.of(made), Path("."))).data["figure"]
        assert len(figure.twin.rows if figure else ()) == rows
        assert told in (figure.description if figure else "")


def test_a_ruling_of_several_estimates_says_of_which_its_numbers_are(small):
    (entry,) = small["expectations"]
    assert (entry["kind"], len(entry["ruling"]["components"])) == ("monotone", 2)
    shown = screen(small)
    (row,) = shown["groups"][0]["rows"]
    assert row["what"] == "mean within-background Spearman correlation"
    assert row["also"] == "largest drop of the mean curve <\N{NO-BREAK SPACE}0.10"
    (against,) = (lines for word, lines, _ in shown["facts"] if word == "Against what")
    assert against[1].endswith(" >\N{NO-BREAK SPACE}0.50 and largest drop of the mean curve <\N{NO-BREAK SPACE}0.10")
    (lines,) = (lines for word, lines, _ in shown["facts"] if word == "Against what")
    assert lines[1].startswith("Monotone response: mean within-background Spearman correlation >")
    entry["ruling"]["components"][1]["status"] = entry["ruling"]["status"] = "FAILED"
    assert screen(small)["groups"][0]["rows"][0]["what"] == "largest drop of the mean curve"
    entry["ruling"]["components"] = entry["ruling"]["components"][:1]
    assert screen(small)["groups"][0]["rows"][0]["what"] == ""


def test_an_open_verdict_beside_an_estimate_that_is_settled_says_that_something_else_holds_it_open(small):
    ruling = small["expectations"][0]["ruling"]
    ruling["components"] = ruling["components"][:1]
    ruling["status"] = small["expectations"][0]["status"] = "INCONCLUSIVE"
    for status in ("FAILED", "PASSED"):
        ruling["components"][0]["status"] = status
        (row,) = screen(small)["groups"][0]["rows"]
        assert row["what"] == "held open for another reason than its bound"
    worst = "with the 4 excluded scenes counted against the detector: sensitivity 0.46 (bounds 0.29 to 0.64)"
    for settled, told in (("INCONCLUSIVE", f"{worst}, INCONCLUSIVE"), ("PASSED", "for another reason than its bound")):
        ruling["notes"] = [f"{worst}, {settled}", "not made: 2 scenes"]
        assert screen(small)["groups"][0]["rows"][0]["what"].removeprefix("held open").strip(": ") == told
    ruling["components"].append(
        ruling["components"][0] | {"role": "gate", "label": "sensitivity", "status": "INCONCLUSIVE"}
    )
    assert screen(small)["groups"][0]["rows"][0]["what"] == "sensitivity"


def test_what_stays_open_says_how_many_more_stay_open(made):
    entry = made["expectations"][0] | {"status": "INCONCLUSIVE", "waived": None}
    for count, told in ((7, ""), (9, "and 3 more")):
        made["expectations"] = [entry | {"id": f"s.yaml::b::e{k}"} for k in range(count)]
        data = screen(made)
        assert (len(data["open"]), data["more_open"]) == (7 if not told else 6, told)


def test_untouched_radiographs_are_not_counted_as_synthetic_scenes(made):
    arms = [scene["arm"] for scene in made["scenes"].values() if scene["accepted"]]
    bare, lines = arms.count("@untouched"), {word: lines for word, lines, _ in screen(made)["facts"]}["On what"]
    assert 0 < bare < made["attrition"]["evaluated"]
    assert f"{made['attrition']['evaluated'] - bare} synthetic scenes" in lines
    assert f"{bare} untouched radiographs" in lines


def test_backgrounds_are_called_independent_only_where_no_two_are_of_one_patient(made):
    for patients, told in ((34, "34 independent backgrounds of 34 patients"), (30, "34 backgrounds of 30 patients")):
        made["attrition"] |= {"unique_backgrounds": 34, "unique_patients": patients}
        assert {word: lines for word, lines, _ in screen(made)["facts"]}["On what"][0] == told


def test_films_whose_patients_nobody_names_are_said_to_be_counted_by_film(made):
    scenes = [scene for scene in made["scenes"].values() if scene["accepted"]]
    films = sorted({scene["background"] for scene in scenes})
    made["attrition"] |= {"unique_backgrounds": len(films), "unique_patients": len(films)}
    for count in (3, len(films)):
        for scene in scenes:
            if scene["background"] in films[:count]:
                scene |= {"patient": "", "cluster": scene["background"]}
        on_what = {word: lines for word, lines, _ in screen(made)["facts"]}["On what"][0]
        how = f"{count} of them counted by film, as nobody names the patient"
        assert on_what == f"{len(films)} backgrounds of {len(films)} patients, {how}"
        said = limitations(Context(Record.of(made), Path("."))).data["said"]
        assert any(f"patient of {count} films" in line for line in said)
    for entry in made["identification"]["backgrounds"]:
        entry["identity"]["name"] = "phantom"  # each of which is a patient
    assert "independent" in {word: lines for word, lines, _ in screen(made)["facts"]}["On what"][0]


@pytest.mark.parametrize(
    ("now", "before", "others"),
    [
        (("a", "b"), "a b", False),
        (("b", "a"), "a b", False),
        (("a", "b"), "b", False),  # the other run came to one behaviour, or its ledger kept the last alone
        (("a",), "a b", False),
        (("a", "b"), "a c", True),
        (("a", "b"), "c", True),
    ],
)
def test_runs_of_behaviours_that_take_different_numbers_of_one_set_have_its_films_all(small, now, before, others):
    (films, *_) = small["identification"]["backgrounds"]
    small["identification"]["backgrounds"] = [
        films | {"name": "normal", "identity": {"name": "f", "sha256": s}} for s in now
    ]
    small["run"] |= {"id": "now", "confirmatory": True, "options": {}}
    sha = small["identification"]["specs"][0]["sha256"]
    small["ledger"] = [
        {"run": "first", "seed": small["run"]["seed"], "spec_sha256": sha, "contents": {"normal": before}}
    ]
    assert ("Other backgrounds" in dict(screen(small)["notices"])) is others
    assert contents_of(Record.of(small).identification.backgrounds) == {"normal": " ".join(sorted(now))}


def test_deviations_from_the_protocol_are_told_at_once_but_for_a_limit_that_is_told_anyway(small):
    small["deviations"] = [
        {"what": "scenes not made", "expectation": "e", "planned": "0", "actual": "26: the set has 4 of 30"},
        {"what": LIMITED_COUNT, "expectation": "e", "planned": "30", "actual": "4"},
    ]
    told = dict(screen(small)["notices"])
    assert told["Deviations"] == f"scenes not made (1 time); see section {number_of('deviations')}."
    small["deviations"] = small["deviations"][1:]
    assert "Deviations" not in dict(screen(small)["notices"])


def test_rejections_are_counted_by_kind_and_a_short_set_keeps_its_numbers():
    reasons = {"nodule 'a': 91% of its mask is white": 2, "nodule 'b': 95% of its mask is white": 1,
               "the set has 12 of the 30 backgrounds asked for": 18}  # fmt: skip
    assert by_kind(reasons) == {
        "the set has 12 of the 30 backgrounds asked for": 18, "too much of its mask is white": 3,
    }  # fmt: skip


def test_reasons_of_rejection_have_no_gaps_where_numbers_stood():
    assert _kind("nodule 'a': realised contrast 0.251, requested 0.595") == (
        "realised contrast far from the one requested"
    )
    assert _kind("nodule 'a': 43% of its mask is white") == "too much of its mask is white"
    assert _kind("nodule 'a': realised diameter 3.1 mm, requested 12.0 mm") == (
        "realised diameter far from the one requested"
    )
    assert _kind("nodule 'a': lies 3.2 mm from the place asked for") == "lies away from the place asked for"
    told = _rejected({"realised contrast , requested": 3, "pixels changed far from the nodules": 1})
    assert told == "3: realised contrast far from the one requested; 1: pixels changed far from the nodules"


def test_a_bin_that_does_not_hold_its_upper_edge_says_below(made):
    rate = next(e for e in made["expectations"] if e["kind"] == "sensitivity")
    first, last = bins("diameter_mm", [10, 20, 30])
    made["expectations"] = [rate | {"parameters": {"where": dict(part.where)}} for part in (first, last)]
    titles = [expectation_title(e) for e in Record.of(made).expectations]
    assert [title.removeprefix("Sensitivity, diameter ≥ ") for title in titles] == [
        "10 mm, diameter < 20 mm",
        "20 mm, diameter ≤ 30 mm",
    ]
    assert value_text({"diameter_mm": dict(first.where["diameter_mm"])}) == "diameter_mm: at_least: 10; below: 20"
    assert where_phrase(Selection(where=first.where)) == " where diameter_mm at least 10 and diameter_mm below 20"


def test_two_invariances_and_two_parities_are_told_apart_by_their_titles(made):
    asked = [
        ("invariant", {"metric": "sensitivity", "under": [["flip", {"value": "horizontal"}]]}),
        (
            "invariant",
            {"metric": "sensitivity", "under": [["rotate_deg", {"value": 8.0}], ["noise", {"uniform": [0, 1]}]]},
        ),
        ("parity", {"metric": "sensitivity", "across": {"sex": ["F", "M"]}}),
        ("parity", {"metric": "confidence", "across": {"region": ["apical"], "diameter_mm": [4, 8]}}),
    ]
    (entry, *_) = made["expectations"]
    made["expectations"] = [entry | {"kind": kind, "parameters": told} for kind, told in asked]
    assert [expectation_title(e) for e in Record.of(made).expectations] == [
        "Invariance of sensitivity, under flip horizontal",
        "Invariance of sensitivity, under rotate deg 8 and noise",
        "Parity of sensitivity, across sex",
        "Parity of confidence, across region and diameter",
    ]


def test_a_verdict_that_a_gate_holds_open_names_the_gate(small):
    (entry,) = small["expectations"]
    low = parts.component(label="sensitivity of the reference arm", bound=0.2, role="gate", status="FAILED")
    met = parts.component(label="difference", bound=-0.2, unit="difference")
    entry["ruling"] |= {"status": "INCONCLUSIVE", "components": [met, low]}
    (row,) = screen(small)["groups"][0]["rows"]
    assert row["what"] == "held open: sensitivity of the reference arm not shown to be >\N{NO-BREAK SPACE}0.20"


def test_two_expectations_of_one_kind_are_told_apart_by_their_ids(made):
    rate = next(e for e in made["expectations"] if e["kind"] == "sensitivity")
    node = rate["id"].rpartition("::")[0]
    asked = {"sensitivity": {}, "strict": {}, "large": {"where": {"diameter_mm": {"at_least": 14}}}}
    made["expectations"] = [rate | {"id": f"{node}::{name}", "parameters": told} for name, told in asked.items()]
    record = Record.of(made)
    assert list(titles_of(record.expectations).values()) == [
        "Sensitivity (sensitivity)",
        "Sensitivity (strict)",
        "Sensitivity, diameter ≥ 14 mm",
    ]
    told = [line for line in summary(record).splitlines() if line.startswith("| ") and rate["behaviour"] in line]
    assert len(set(told)) == len(told) == 3
    other = made["behaviours"][0] | {"id": "other"}
    made["behaviours"].append(other)
    made["expectations"][1] |= {"behaviour": "other", "id": node.rpartition("::")[0] + "::other::sensitivity"}
    context = Context(Record.of(made), Path("."))
    first, second, third = context.record.expectations
    assert (context.title(first), context.title(second)) == ("Sensitivity", "Sensitivity")
    assert context.clear_title(second) == "other: Sensitivity"
    assert context.clear_title(third) == context.title(third)


def test_the_scenes_of_the_first_screen_are_those_of_the_attrition(made):
    record = Record.of(made)
    bare = sum(arm.partition(":")[0] == "@untouched" for arm in (s.arm for s in record.accepted))
    context = Context(record, Path("."))
    (facts,) = facts_of(attrition(context), context)
    assert facts["Evaluated untouched"] == str(bare)
    planted = facts["Evaluated with something planted, each arm counted"]
    assert int(planted) + bare == record.attrition.evaluated
    lines = next(lines for word, lines, _ in screen(made)["facts"] if word == "On what")
    assert f"{planted} synthetic scenes" in lines


def test_the_attrition_says_that_a_search_tried_more_scenes_than_it_counts(small):
    def note():
        return attrition(Context(Record.of(small), Path("."))).data["note"]

    assert note() == ""
    small["expectations"][0]["ruling"]["figure"] = {"kind": "fuzz"}
    searched = small["expectations"][0]["behaviour"]
    assert note().startswith(f"Of searches ({searched}) only the scenes that confirm and describe what they found")


def test_a_search_asks_for_its_criterion_and_not_for_the_examples_that_it_found(small):
    (entry,) = small["expectations"]
    example = parts.component(
        label="rate at diameter 4 mm", bound=0.8, side="above", status="FAILED", method="clopper-pearson"
    )
    told = {"components": [example], "criterion": "every example is hit", "figure": {"kind": "fuzz"}}
    entry["ruling"] |= told
    (_, line) = {word: lines for word, lines, _ in screen(small)["facts"]}["Against what"]
    assert line.endswith(": every example is hit")
    (row,) = sample_size(Context(Record.of(small), Path("."))).data["table"].rows
    assert row[-2] == "\N{EN DASH}"  # what passes is that nothing is found, whatever the n of an example


def test_of_a_single_patient_no_chance_of_a_pass_is_drawn(made):
    made["expectations"] = [e for e in made["expectations"] if e["kind"] == "sensitivity"][:1]
    assert sample_size(Context(Record.of(made), Path("."))).data["figure"] is not None
    made["expectations"][0]["ruling"]["n_clusters"] = 1
    assert sample_size(Context(Record.of(made), Path("."))).data["figure"] is None


def test_areas_under_curves_and_what_e_values_decide_have_no_n_nor_chance_of_clopper_and_pearson(made):
    made["expectations"] = [e for e in made["expectations"] if e["kind"] == "sensitivity"][:1]
    (ruling,) = (e["ruling"] for e in made["expectations"])
    usual, none = ruling["components"][0]["method"], "\N{EN DASH}"
    others = "cluster-bootstrap-bca, no narrower than delong, guarded", "confidence-sequence"
    for told, least in ((usual, "14"), *((other, none) for other in others)):
        ruling["components"][0] |= {"bound": 0.8, "method": told}
        data = sample_size(Context(Record.of(made), Path("."))).data
        (row,) = data["table"].rows
        assert dict(zip(data["table"].columns, row, strict=True))["Least n that can pass"] == least
        assert (data["figure"] is None) is (told != usual)


def test_the_condition_of_a_title_does_not_run_into_the_bound(made):
    (lines,) = (lines for word, lines, _ in screen(made)["facts"] if word == "Against what")
    assert "Sensitivity, diameter ≥ 14 mm: >\N{NO-BREAK SPACE}0.80" in lines
    assert "False positives per image <\N{NO-BREAK SPACE}1.00" in lines
