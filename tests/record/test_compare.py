"""Two records side by side: only what both saw is compared, and a limit that is passed is said."""

from pathlib import Path

import numpy as np
import pytest

from synnodtest.decoding import decode, encode
from synnodtest.record import compare as comparing
from synnodtest.record.assemble import Fragment
from synnodtest.record.brief import comparison_lines
from synnodtest.record.compare import as_record
from synnodtest.record.limit import parse_limit
from synnodtest.record.model import Record
from synnodtest.record.model.compared import Comparison, DifferenceEntry
from synnodtest.record.model.side import Side
from synnodtest.report.context import Context
from synnodtest.report.sections.comparison import comparison
from tests.record import parts

N = 40


def record(hits, scores=None, *, status="PASSED", at_least=0.8, pixels="same"):
    scores = [0.9 * hit for hit in hits] if scores is None else scores
    scenes = {
        f"s{k}": parts.scene(
            behaviour="size",
            arm="default",
            cluster=f"b{k}",
            radiograph_sha256=f"{pixels}{k}",
            nodules=[parts.nodule(hit=bool(hit), confidence=score)],
        )
        for k, (hit, score) in enumerate(zip(hits, scores, strict=True))
    }
    item = parts.expectation(
        id="size.yaml::size::sensitivity", behaviour="size", parameters={"at_least": at_least}, status=status
    )
    return parts.record(expectations=[item], scenes=scenes, run=parts.run(started="2026-01-01T00:00:00Z"))


def compare(*records, **options):
    """Return a comparison as the record holds it."""
    return encode(comparing.compare(*records, **options))


def ruled(limit, made):
    """Return whether a comparison keeps a limit, and the sentence."""
    found = parse_limit(limit).verdict([decode(DifferenceEntry, row) for row in made["differences"]])
    return found.kept, found.sentence


def difference(made, metric):
    return next(row for row in made["differences"] if row["metric"] == metric and not row["behaviour"])


def test_differences_are_later_minus_earlier_on_the_same_nodules():
    rng = np.random.default_rng(1)
    before, after = rng.random(N) < 0.9, rng.random(N) < 0.6
    made = compare(record(before), record(after))
    row = difference(made, "sensitivity")
    assert row["value"] == pytest.approx(after.mean() - before.mean())
    assert row["lower"] < row["value"] < row["upper"]
    assert row["n"] == row["clusters"] == N
    assert difference(made, "confidence")["value"] == pytest.approx(0.9 * (after.mean() - before.mean()))


def test_a_detector_against_itself_differs_in_nothing():
    hits = np.arange(N) % 5 > 0
    made = compare(record(hits), record(hits))
    assert made["verdicts"] == made["margins"] == made["new"] == made["removed"] == []
    assert difference(made, "sensitivity")["value"] == 0
    assert not difference(made, "sensitivity")["shown"]


def test_scenes_whose_pixels_differ_are_not_paired():
    hits = np.ones(N)
    made = compare(record(hits, pixels="old"), record(hits, pixels="new"))
    assert made["differences"] == []
    kept, says = ruled("sensitivity:-0.03", made)
    assert not kept
    assert "no scene could be compared" in says


def test_scenes_of_which_no_content_is_known_are_not_paired():
    before, after = record(np.ones(N)), record(np.ones(N))
    for scene in (*before["scenes"].values(), *after["scenes"].values()):
        scene["radiograph_sha256"] = ""
    made = compare(before, after, limits=[parse_limit("sensitivity:-0.03")])
    assert made["differences"] == []
    assert not made["limits"][0]["kept"]


def test_scenes_that_only_one_has_are_counted_and_one_background_keeps_no_limit():
    before, after = record(np.ones(N)), record(np.ones(N))
    for key in list(after["scenes"])[1:]:
        del after["scenes"][key]
    made = compare(before, after, limits=[parse_limit("sensitivity:-0.03")])
    assert (made["unpaired"], difference(made, "sensitivity")["n"]) == (N - 1, 1)
    (limit,) = made["limits"]
    assert not limit["kept"]
    assert "single background" in limit["sentence"]
    assert compare(before, before)["unpaired"] == 0


@pytest.mark.parametrize(("which", "kept"), [("neither", True), ("earlier", True), ("now", False)])
def test_a_run_that_was_interrupted_keeps_no_limit(which, kept):
    """All that it came to is as before; of what it did not come to nobody knows."""
    records = record(np.ones(N)), record(np.ones(N))
    for one, name in zip(records, ("earlier", "now"), strict=True):
        one["run"]["interrupted"] = name == which
    (limit,) = compare(*records, limits=[parse_limit("sensitivity:-0.03")])["limits"]
    assert limit["kept"] is kept
    assert ("the run was interrupted" in limit["sentence"]) is not kept


def test_changed_verdicts_and_margins_are_named():
    hits = np.ones(N)
    made = compare(record(hits), record(hits, status="FAILED", at_least=0.5))
    (verdict,) = made["verdicts"]
    assert (verdict["before"], verdict["after"]) == ("PASSED", "FAILED")
    (margin,) = made["margins"]
    assert (margin["what"], margin["before"], margin["after"]) == ("at_least", 0.8, 0.5)


@pytest.mark.parametrize(("lost", "kept"), [(1, True), (2, False)])
def test_a_limit_bears_a_fall_up_to_itself(lost, kept):
    before, after = np.ones(N), np.ones(N)
    after[:lost] = 0
    made = compare(record(before), record(after))
    held, says = ruled("sensitivity:-0.03", made)
    assert held is kept
    assert ("keeps" if kept else "exceeds") in says


def test_an_interval_names_its_level():
    before, after = np.ones(N), np.ones(N)
    after[:2] = 0
    limits = [parse_limit("sensitivity:-0.03")]
    made = comparing.compare(record(before), record(after), alpha=0.01, limits=limits)
    assert "(98% interval" in made.limits[0].sentence
    assert any("98% interval" in line for line in comparison_lines(made, "now"))


@pytest.mark.parametrize(("before", "kept"), [(0, False), (1, False), (2, True)])
def test_a_baseline_that_finds_next_to_nothing_keeps_no_limit(before, kept):
    """Its adapter may be broken: whatever is compared with it does no worse by 0.03."""
    hits = np.arange(N) < before
    held, says = ruled("sensitivity:-0.03", compare(record(hits), record(np.ones(N))))
    assert held is kept
    assert ("leaves no room" in says) is not kept


def matched(tolerance_mm):
    made = record(np.ones(N))
    rule = {"criterion": "centre-in-nodule", "tolerance_mm": tolerance_mm}
    made["scenes"]["empty"] = parts.scene(behaviour="size", cluster="e", radiograph_sha256="e", nodules=[])
    return made | {"behaviours": [{"id": "size", "statement": "", "resolved": {"matching": rule}}]}


def test_hits_by_another_rule_are_not_compared():
    made = compare(matched(5), matched(50), limits=[parse_limit("sensitivity:-0.03")])
    (margin,) = made["margins"]
    assert (margin["id"], margin["what"]) == ("size", "matching")
    assert {row["metric"] for row in made["differences"]} == {"specificity", "false_positives_per_image"}
    assert not made["limits"][0]["kept"]
    assert compare(matched(5), matched(5), limits=[parse_limit("sensitivity:-0.03")])["limits"][0]["kept"]


def test_every_parameter_that_changed_is_named_but_for_its_rationale():
    before, after = record(np.ones(N)), record(np.ones(N))
    before["expectations"][0]["parameters"] |= {"where": {}, "rationale": "old"}
    after["expectations"][0]["parameters"] |= {
        "where": {"diameter_mm": {"at_least": 20}},
        "rationale": "new",
        "later": 1,
    }
    (margin,) = compare(before, after)["margins"]
    assert (margin["what"], margin["before"]) == ("where", {})


@pytest.mark.parametrize(
    ("item", "name"),
    [({"kind": "python", "parameters": {"function": "mine:few"}}, "mine:few"), ({"kind": "few"}, "few")],
)
def test_a_check_of_the_same_name_and_other_code_is_named(item, name):
    def judged_by(sha256):
        made = record(np.ones(N))
        made["expectations"][0] |= item
        spec = {"file": "size.yaml", "sha256": "same", "sources": {name: sha256} if sha256 else {}}
        made["identification"] |= {"specs": [spec]}
        return made

    (margin,) = compare(judged_by("a" * 64), judged_by("b" * 64))["margins"]
    assert (margin["what"], margin["before"], margin["after"]) == (f"code of {name}", "a" * 12, "b" * 12)
    assert not compare(judged_by("a" * 64), judged_by("a" * 64))["margins"]
    assert not compare(judged_by(""), judged_by("a" * 64))["margins"]  # a record that does not know it


@pytest.mark.parametrize(
    ("status", "there", "kept"),
    [("NOT RUN", 0, False), ("NOT RUN", N // 2 - 1, False), ("NOT RUN", N // 2, True), ("PASSED", 0, True)],
)
def test_a_run_that_left_a_behaviour_of_the_baseline_out_keeps_no_limit(status, there, kept):
    """Half of the nodules are of another behaviour, of which the later run does not hold each scene: -k left it out."""
    before, after = record(np.ones(N)), record(np.ones(N))
    for one, outcome in ((before, "PASSED"), (after, status)):
        one["expectations"].append(
            parts.expectation(id="size.yaml::other::sensitivity", behaviour="other", status=outcome)
        )
        for k in range(N // 2):
            one["scenes"][f"s{k}"]["behaviour"] = "other"
    for k in range(N // 2 - there):
        del after["scenes"][f"s{k}"]
    (limit,) = compare(before, after, limits=[parse_limit("sensitivity:-0.03")])["limits"]
    assert limit["kept"] is kept
    assert ("the run left 1 behaviour of the earlier one, or scenes of it, out" in limit["sentence"]) is not kept


@pytest.mark.parametrize(("common", "kept"), [(19, False), (20, True)])
def test_a_limit_is_not_kept_by_the_few_scenes_that_a_baseline_shares(common, kept):
    before, after = record([True] * N), record([True] * common + [False] * (N - common))
    for k in range(common, N):
        before["scenes"][f"s{k}"]["radiograph_sha256"] = f"other{k}"
    (limit,) = compare(before, after, limits=[parse_limit("sensitivity:-0.03")])["limits"]
    assert limit["kept"] is kept
    assert ("only 19 of 40 scenes can be compared" in limit["sentence"]) is not kept


@pytest.mark.parametrize(("common", "kept"), [(19, False), (20, True)])
def test_a_limit_is_not_kept_by_the_few_scenes_of_a_baseline_that_were_run_again(common, kept):
    before, after = record([True] * N), record([True] * common)
    (limit,) = compare(before, after, limits=[parse_limit("sensitivity:-0.03")])["limits"]
    assert limit["kept"] is kept
    assert ("only 19 of 40 scenes of the earlier run can be compared" in limit["sentence"]) is not kept
    for scene in before["scenes"].values():
        scene["behaviour"] = "of another file"
    assert compare(before, after, limits=[parse_limit("sensitivity:-0.03")])["limits"][0]["kept"]


def test_both_sides_and_their_difference_fit_together_where_one_patient_has_most_of_the_films():
    before, after = record(np.arange(N) >= 10), record(np.arange(N) >= 20)
    for side in (before, after):
        for k, scene in enumerate(side["scenes"].values()):
            scene["cluster"] = "p" if k < 20 else f"b{k}"  # half of the films are of one of 21 patients
    row = difference(compare(before, after), "sensitivity")
    assert (row["before"], row["after"]) == (pytest.approx(20.5 / 21), pytest.approx(20 / 21))
    assert row["after"] - row["before"] == pytest.approx(row["value"], abs=1e-6)


def test_nodules_that_are_to_be_missed_are_compared_apart_and_the_lines_and_the_report_say_how_many():
    made = record(np.ones(N))
    hidden = parts.expectation(id="h", behaviour="hidden", parameters={"at_most": 0.3})
    made["expectations"].append(hidden)
    for k in range(7):
        nodule = parts.nodule(hit=False, confidence=0.0)
        made["scenes"][f"h{k}"] = parts.scene(
            behaviour="hidden", arm="default", cluster=f"h{k}", radiograph_sha256=f"h{k}", nodules=[nodule]
        )
    compared = comparing.compare(made, made)
    told = "7 nodules are not among these: their behaviours hold that some nodules are not found, or searched for such"
    assert told in [*comparison_lines(compared, "d")]
    assert not any(
        "among these" in line for line in comparison_lines(comparing.compare(*[record(np.ones(N))] * 2), "d")
    )
    shown = parts.record(expectations=made["expectations"], comparison=encode(compared))
    assert comparison(Context(Record.of(shown), Path("."))).data["apart"] == f"Of all scenes, {told}."


def at_points(*points, scores, kind="sensitivity"):
    """Return a record whose behaviour is judged at several operating points."""
    made = record(np.ones(N), scores)
    made["expectations"] = [
        parts.expectation(id=f"e{k}", behaviour="size", kind=kind, parameters={"at_least": 0.8, "operating_point": p})
        for k, p in enumerate(points)
    ]
    return made


def test_a_loss_above_the_first_operating_point_breaks_a_limit():
    before, after = np.full(N, 0.9), np.where(np.arange(N) < 10, 0.4, 0.9)
    made = compare(at_points(0.25, 0.5, scores=before), at_points(0.25, 0.5, scores=after))
    rows = [r for r in made["differences"] if r["metric"] == "sensitivity" and not r["behaviour"]]
    assert [(r.get("operating_point"), r["value"]) for r in rows] == [(None, 0.0), (0.5, -0.25)]
    assert [r["metric"] for r in made["differences"] if not r["behaviour"]].count("confidence") == 1
    kept, sentence = ruled("sensitivity:-0.03", made)
    assert not kept
    assert "difference at operating point 0.5 -0.25" in sentence
    assert ruled("sensitivity:-0.3", made)[0]
    assert decode(Comparison, made).apart == 0
    assert any("sensitivity at operating point 0.5" in line for line in comparison_lines(decode(Comparison, made), "d"))


def test_a_behaviour_is_held_against_the_points_that_it_is_judged_at_and_not_against_those_of_its_curves():
    before, after = np.full(N, 0.9), np.where(np.arange(N) < 10, 0.4, 0.9)
    versions = [at_points(0.25, 0.5, scores=scores) for scores in (before, after)]
    for one in versions:
        one["expectations"][0]["kind"] = "auc"  # looks at all thresholds: its 0.25 is that of the behaviour
    assert difference(compare(*versions), "sensitivity")["value"] == -0.25


def test_nodules_that_a_search_chose_do_not_make_up_for_a_loss():
    before, after = record(np.ones(N)), record(np.arange(N) >= 4)
    for made, hit in ((before, False), (after, True)):
        ruled_by_search = parts.ruling(figure={"kind": "fuzz"})
        made["expectations"].append(
            parts.expectation(id="f", behaviour="weak", kind="detected", ruling=ruled_by_search)
        )
        for k in range(9):
            made["scenes"][f"f{k}"] = parts.scene(
                behaviour="weak",
                cluster=f"f{k}",
                radiograph_sha256=f"f{k}",
                nodules=[parts.nodule(hit=hit, confidence=0.9 * hit)],
            )
    made = compare(before, after)
    assert difference(made, "sensitivity")["value"] == -0.1
    assert decode(Comparison, made).apart == 9


def test_a_limit_on_nodules_that_were_all_searched_for_says_why_it_is_not_kept():
    """The detector against itself: whatever it is, none of its nodules may be held against a limit."""
    made = record(np.ones(N))
    made["expectations"] = [
        parts.expectation(id="f", behaviour="size", kind="detected", ruling=parts.ruling(figure={"kind": "fuzz"}))
    ]
    (limit,) = compare(made, made, limits=[parse_limit("sensitivity:-0.03")])["limits"]
    assert not limit["kept"]
    assert "nodules that are searched for, or ought not to be found, are held against no limit" in limit["sentence"]


def test_scenes_without_a_cluster_are_one_each_by_their_background():
    before, after = record(np.ones(N)), record(np.ones(N))
    for made in (before, after):
        for key, scene in made["scenes"].items():
            scene |= {"cluster": "", "background": key}
    assert difference(compare(before, after), "sensitivity")["clusters"] == N


@pytest.mark.parametrize("resolved", [{"fuzz": {"examples": 9}}, {"sampling": {"sequential": True}}, None])
def test_scenes_that_a_baseline_could_not_have_break_no_limit(resolved):
    before, after = record([True] * 10), record([True] * N)
    if resolved is None:  # a behaviour that the earlier record does not know
        for k in range(10, N):
            after["scenes"][f"s{k}"]["behaviour"] = "new"
    else:
        after["behaviours"] = [{"id": "size", "statement": "", "gate": "safety", "resolved": resolved}]
    assert compare(before, after, limits=[parse_limit("sensitivity:-0.03")])["limits"][0]["kept"]


def test_a_second_detector_s_side_knows_by_which_rule_its_findings_were_assigned():
    fragment = Fragment()
    behaviours = Side.of(matched(5)).behaviours
    fragment.behaviours = {f"a.yaml::{one.id}": one for one in behaviours}
    fragment.scenes = Side.of(matched(5)).scenes
    side = as_record(fragment, "detector d")
    assert side.behaviours == behaviours
    assert not side.short
    assert as_record(Fragment(shortfall={"the set has 12 of the 30 backgrounds asked for": 18}), "d").short
    limits = [parse_limit("sensitivity:-0.03")]
    assert compare(matched(5), side, limits=limits)["limits"][0]["kept"]
    assert not compare(matched(50), side, limits=limits)["limits"][0]["kept"]
