"""A change control plan: each clause is broken on its own, and the plan is kept only where all hold."""

import copy
import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import yaml

from synnodtest.canonical import sha256_of
from synnodtest.errors import RecordError
from synnodtest.integrity.lock import write_lock
from synnodtest.integrity.protocol import freeze_protocol, frozen_at, read_protocol
from synnodtest.record.change import Version
from synnodtest.record.pccp import judge_change
from synnodtest.statistics import rate_difference_clustered
from tests.record import parts

PLAN = """\
synnodtest_pccp: 1
title: Plan
specs: {specs/size.yaml: abc}
may_change: [version, weights]
must_hold:
  passed: [safety]
  non_inferior:
    - {metric: sensitivity, margin: 0.1}
    - {metric: false_positives_per_image, margin: 0.2}
"""
FROZEN = "2026-01-01T00:00:00+00:00"


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return read_protocol(path)


def version(hits, *, name="d", number="1", statuses=("PASSED", "PASSED"), alarms=0, configuration=None, specs=None):
    scenes = {
        f"s{k}": parts.scene(
            behaviour="size",
            arm="default",
            cluster=f"b{k}",
            radiograph_sha256=f"same{k}",
            nodules=[parts.nodule(hit=bool(hit), confidence=0.9 * hit)],
        )
        for k, hit in enumerate(hits)
    }
    alarm = {"box": [0, 0, 1, 1], "score": 0.8}
    scenes |= {f"u{k}": scenes[f"s{k}"] | {"nodules": [], "findings": [alarm] * alarms} for k in range(len(hits))}
    expectations = [
        parts.expectation(id=f"specs/size.yaml::size::e{k}", behaviour="size", status=status)
        for k, status in enumerate(statuses)
    ]
    who = {"name": name, "version": number, "sha256": number * 8, "configuration": configuration or {"size": 512}}
    record = parts.record(
        expectations=expectations,
        behaviours=[{"id": "size", "statement": "", "gate": "safety"}],
        scenes=scenes,
        run=parts.run(id=number, started="2026-02-01T00:00:00+00:00"),
        identification=parts.identification(detector=who),
    )
    return Version(number, record, {"specs/size.yaml": "abc"} if specs is None else specs)


def hits(share, n=200, seed=0):
    return list(np.random.default_rng(seed).random(n) < share)


def judged(plan, old, new, frozen=FROZEN):
    """Judge the records as they are now: a version reads its own once, and tests change them in between."""
    olds = old if isinstance(old, list) else [old]
    made = judge_change(plan, frozen, [replace(one) for one in olds], replace(new))
    return made, {clause.name: clause for clause in made.clauses}


def test_an_equal_version_keeps_the_plan(plan):
    made, clauses = judged(plan, version(hits(0.9)), version(hits(0.9), number="2"))
    assert made.verdict == "WITHIN THE PLAN"
    assert made.within
    assert {c.status for c in made.clauses} == {"PASSED"}
    assert [row["field"] for row in clauses["changes"].rows] == ["version", "sha256"]


def test_a_version_that_was_judged_by_other_code_does_not_keep_the_plan(plan):
    def under(code, number="1"):
        return replace(version(hits(0.9), number=number), code={"specs/size.yaml": {"judges:judge": code}})

    code = {"judges:judge": "c1"}
    assert judge_change(plan, FROZEN, [under("c1")], under("c1", "2"), code).within
    untold = version(hits(0.9), number="2")  # a record of before does not tell
    assert judge_change(plan, FROZEN, [under("c1")], untold, code).within
    made, clauses = judged(plan, under("c1"), under("c2", "2"))
    assert (made.within, clauses["specifications"].status) == (False, "FAILED")
    assert "other code" in clauses["specifications"].rows[0]["is"]


def test_a_plan_that_was_frozen_when_code_was_not_noted_leaves_it_open(plan, tmp_path):
    """The lock of an earlier release has no ``sources``: whether the code is the same is not known."""
    lock, entry = tmp_path / "synnodtest.lock", {"sha256": plan.sha256, "frozen": FROZEN}
    write_lock(lock, {"synnodtest_lock": 1, "specs": {}, "sha256": sha256_of({}), "protocols": {"plan.yaml": entry},
                      "protocols_sha256": sha256_of({"plan.yaml": entry})})  # fmt: skip
    when, code = frozen_at(plan, lock)
    pair = [replace(version(hits(0.9), number=n), code={"specs/size.yaml": {"judges:judge": "c1"}}) for n in "12"]
    made = judge_change(plan, when, pair[:1], pair[1], code)
    clause = next(c for c in made.clauses if c.name == "specifications")
    assert (made.verdict, clause.status) == ("NOT SHOWN TO BE WITHIN THE PLAN", "INCONCLUSIVE")
    assert "freeze the plan anew" in clause.rows[0]["is"]
    assert judge_change(plan, when, [version(hits(0.9))], version(hits(0.9), number="2"), code).within, "no code at all"


def test_versions_that_were_all_judged_by_other_code_than_was_frozen_do_not_keep_the_plan(plan):
    """A lenient check, put in place after the plan, with which the reference was run again."""
    file = "specs/size.yaml"
    pair = [replace(version(hits(0.9), number=n), code={file: {"judges:judge": "lenient"}}) for n in "12"]
    assert judge_change(plan, FROZEN, pair[:1], pair[1], {"judges:judge": "lenient"}).within
    for frozen in ({"judges:judge": "strict"}, {}):
        made = judge_change(plan, FROZEN, pair[:1], pair[1], frozen)
        clause = next(c for c in made.clauses if c.name == "specifications")
        assert (made.within, clause.status) == (False, "FAILED")
        assert clause.rows[0]["is"] == "judged by code that is not what was frozen with the plan"


def test_a_behaviour_of_the_same_id_in_another_specification_does_not_lend_its_gate(plan):
    old, new = version(hits(0.9)), version(hits(0.9), number="2", statuses=("PASSED", "FAILED"))
    entries = [replace(e, id=e.id.replace("size.yaml", f"{k}.yaml")) for k, e in enumerate(new.side.expectations)]
    first = new.side.behaviours[0]
    both = (replace(first, file="specs/1.yaml"), replace(first, file="specs/0.yaml", gate="exploratory"))
    new = Version("2", replace(new.side, expectations=tuple(entries), behaviours=both), new.specs)
    _, clauses = judged(plan, old, new)
    assert (clauses["gates"].status, clauses["gates"].sentence) == ("FAILED", "0 of 1 pass")


def test_a_loss_beyond_the_margin_fails_as_the_bound_says(plan):
    before, after = hits(0.9), hits(0.6, seed=1)
    made, clauses = judged(plan, version(before), version(after, number="2"))
    bound = rate_difference_clustered(
        [float(a) for a in after], [float(b) for b in before], [f"b{k}" for k in range(200)], alpha=0.05
    )
    clause = clauses["sensitivity against d 1 (11111111)"]
    assert (clause.status == "FAILED") == (bound.upper < -0.1)
    assert clause.status == "FAILED"
    assert f"{bound.lower:+.3f} and {bound.upper:+.3f}" in clause.sentence
    assert made.verdict == "OUTSIDE THE PLAN"


def test_a_loss_at_the_second_operating_point_of_a_behaviour_fails(plan):
    def at_two_points(number, faint):
        made = version(hits(0.9), number=number)
        scenes = {
            key: replace(s, nodules=tuple(replace(n, confidence=min(0.4, n.confidence)) for n in s.nodules))
            if k % 3 < faint
            else s
            for k, (key, s) in enumerate(made.side.scenes.items())
        }
        points = [{"operating_point": 0.25}, {"operating_point": 0.5}]
        asked = [replace(e, parameters=p) for e, p in zip(made.side.expectations, points, strict=True)]
        return Version(number, replace(made.side, scenes=scenes, expectations=tuple(asked)), made.specs)

    made, clauses = judged(plan, at_two_points("1", 0), at_two_points("2", 2))
    assert not made.within
    first, second = (clauses[f"sensitivity{at} against d 1 (11111111)"] for at in ("", " at operating point 0.5"))
    assert (first.status, second.status) == ("PASSED", "FAILED")


def test_a_loss_that_may_or_may_not_lie_within_the_margin_is_left_open(plan):
    kept = np.arange(200)
    made, _ = judged(plan, version(list(kept >= 10)), version(list(kept >= 28), number="2"))
    assert made.verdict == "NOT SHOWN TO BE WITHIN THE PLAN"
    assert not made.within


def test_more_false_positives_fail(plan):
    _, clauses = judged(plan, version(hits(0.9)), version(hits(0.9), number="2", alarms=1))
    assert clauses["false positives per image against d 1 (11111111)"].status == "FAILED"


def test_small_losses_do_not_add_up_over_versions(plan):
    """Each version loses 8 points to the one before, and the reference is 24 away."""
    kept = np.arange(200)
    versions = [version(list(kept >= k), number=str(n)) for n, k in enumerate((10, 24, 38, 58), start=1)]
    steps = [judge_change(plan, FROZEN, [a], b) for a, b in itertools.pairwise(versions)]
    assert all(step.verdict != "OUTSIDE THE PLAN" for step in steps)
    made, clauses = judged(plan, versions[:-1], versions[-1])
    assert made.verdict == "OUTSIDE THE PLAN"
    assert clauses["sensitivity against d 1 (11111111)"].status == "FAILED"


def test_what_any_earlier_version_passed_must_be_kept(plan):
    old = [
        version(hits(0.9), statuses=("PASSED", "FAILED")),
        version(hits(0.9), number="2", statuses=("FAILED", "PASSED")),
    ]
    _, clauses = judged(plan, old, version(hits(0.9), number="3", statuses=("FAILED", "PASSED")))
    assert clauses["retention"].status == "FAILED"
    assert clauses["retention"].sentence == "1 of 2 still pass (d 1 (11111111): 0 of 1; d 2 (22222222): 1 of 1)"
    assert clauses["gates"].status == "FAILED"
    _, clauses = judged(plan, old, version(hits(0.9), number="3", statuses=("INCONCLUSIVE", "PASSED")))
    assert clauses["retention"].status == clauses["gates"].status == "INCONCLUSIVE"


def test_every_expectation_is_followed_over_every_version_and_what_was_lost_comes_first(plan, tmp_path):
    from synnodtest.report.change_control import write_change_control

    old = [version(hits(0.9), statuses=("PASSED", "PASSED")), version(hits(0.9), number="2", statuses=("PASSED",))]
    made, _ = judged(plan, old, version(hits(0.9), number="3", statuses=("PASSED", "INCONCLUSIVE")))
    assert [(v.role, v.run, v.passed, v.of) for v in made.versions] == [
        ("reference", "1", 2, 2),
        ("earlier", "2", 1, 1),
        ("new", "3", 1, 2),
    ]
    lost, kept = made.expectations
    assert (lost.lost, lost.statuses) == (True, ("PASSED", "NOT RUN", "INCONCLUSIVE"))
    assert (kept.lost, kept.statuses) == (False, ("PASSED", "PASSED", "PASSED"))
    text = write_change_control(plan, FROZEN, made, tmp_path / "page.html").read_text()
    assert "1 January 2026, 00:00 UTC" in text
    assert "Verdicts from version to version" in text
    assert "NOT RUN" in text
    assert "(lost)" in text
    banner = text.partition('class="banner')[2].partition("</div>")[0]
    assert all(clause.sentence in banner for clause in made.clauses if clause.status != "PASSED")


def test_a_waived_expectation_and_one_that_was_not_run_are_no_pass(plan):
    new = version(hits(0.9), number="2")
    new.record["expectations"][0] |= {
        "status": "FAILED",
        "waived": {"id": "w", "reason": "known", "approver": "a", "expiry": "2099-01-01"},
    }
    made, clauses = judged(plan, version(hits(0.9)), new)
    assert clauses["retention"].status == clauses["gates"].status == "INCONCLUSIVE"
    del new.record["expectations"][0]
    made, clauses = judged(plan, version(hits(0.9)), new)
    assert clauses["retention"].status == "INCONCLUSIVE"
    assert not made.within


def test_a_version_without_an_expectation_that_another_failed_did_not_run_its_specifications(plan):
    old = version(hits(0.9), statuses=("PASSED", "FAILED"))
    new = version(hits(0.9), number="2", statuses=("PASSED",))
    made, clauses = judged(plan, old, new)
    assert clauses["specifications"].rows[0]["is"] == "without 1 expectation of the others"
    assert made.verdict == "NOT SHOWN TO BE WITHIN THE PLAN"
    old.record["expectations"][1]["id"] = "specs/other.yaml::size::e1"  # which the plan does not name
    assert judged(plan, old, new)[0].within


def test_a_reference_of_which_a_part_was_not_run_does_not_vouch_for_that_part(plan):
    """With -k or -x: what it might have passed there would be lost by no version."""
    kept_alone = replace(plan, passed=())
    old, new = version(hits(0.9), statuses=("PASSED", "NOT RUN")), version(hits(0.9), number="2")
    new.record["expectations"][1] |= {"status": "FAILED"}
    made, clauses = judged(kept_alone, old, new)
    assert clauses["retention"].status == "PASSED"
    assert [row["is"] for row in clauses["specifications"].rows] == ["with 1 expectation not run"]
    assert made.verdict == "NOT SHOWN TO BE WITHIN THE PLAN"


@pytest.mark.parametrize("started", ["", "soon", "2026-02-01", "2026-02-01T00:00:00"])
def test_without_the_time_of_its_run_a_version_is_not_shown_to_come_after_the_plan(plan, started):
    new = version(hits(0.9), number="2")
    new.record["run"]["started"] = started
    assert judged(plan, version(hits(0.9)), new)[1]["plan"].status == "INCONCLUSIVE"


def test_a_change_that_was_not_foreseen_fails(plan):
    _made, clauses = judged(plan, version(hits(0.9)), version(hits(0.9), number="2", configuration={"size": 640}))
    assert clauses["changes"].status == "FAILED"
    row = clauses["changes"].rows[-1]
    assert (row["field"], row["reference"], row["new"], row["foreseen"]) == ("configuration.size", "512", "640", "no")


def test_a_setting_called_weights_may_change_where_it_is_named(plan):
    changed = version(hits(0.9), number="2", configuration={"size": 512, "weights": "b.pt"})
    foreseen = replace(plan, may_change=("version", "weights", "configuration.weights"))
    reference = version(hits(0.9), configuration={"size": 512, "weights": "a.pt"})
    assert judged(foreseen, reference, changed)[1]["changes"].status == "PASSED"
    assert judged(plan, reference, changed)[1]["changes"].status == "FAILED"


def test_a_detector_in_place_of_a_run_does_not_differ_in_what_a_record_alone_says(plan):
    """That weights are no demonstration stands in a record; of a detector that is run now nothing is said yet."""
    old = version(hits(0.9))
    old.record["identification"]["detector"] |= {"demonstration": False}
    made, clauses = judged(plan, old, version(hits(0.9), number="2"))
    assert [row["field"] for row in clauses["changes"].rows] == ["version", "sha256"]
    assert made.within


def test_other_specifications_fail_and_fewer_backgrounds_leave_it_open(plan):
    _, clauses = judged(plan, version(hits(0.9)), version(hits(0.9), number="2", specs={"specs/size.yaml": "other"}))
    assert clauses["specifications"].status == "FAILED"
    short = version(hits(0.9), number="2")
    short = Version(short.name, short.record, short.specs, limited=True)
    made, clauses = judged(plan, version(hits(0.9)), short)
    assert clauses["specifications"].status == "INCONCLUSIVE"
    assert not made.within


def test_few_pairs_and_other_scenes_show_nothing(plan):
    few = [version(hits(0.9, n=40), number=n) for n in "12"]
    _, clauses = judged(plan, *few)
    assert clauses["sensitivity against d 1 (11111111)"].status == "INCONCLUSIVE"
    other = version(hits(0.9), number="2")
    for scene in other.record["scenes"].values():
        scene["radiograph_sha256"] += "x"
    made, clauses = judged(plan, version(hits(0.9)), other)
    assert clauses["sensitivity against d 1 (11111111)"].status == "INCONCLUSIVE"
    assert not made.within


def test_the_plan_must_have_been_frozen_before_the_run(plan):
    pair = version(hits(0.9)), version(hits(0.9), number="2")
    assert judged(plan, *pair, frozen="")[0].verdict == "NOT SHOWN TO BE WITHIN THE PLAN"
    assert judged(plan, *pair, frozen="2026-03-01T00:00:00+00:00")[1]["plan"].status == "FAILED"


def test_a_plan_without_comparable_metrics_is_never_kept_in_silence(plan):
    nothing = version([], number="2", statuses=())
    made, _ = judged(plan, version(hits(0.9)), nothing)
    assert not made.within
    made, _ = judged(plan, version([], statuses=()), nothing)
    assert not made.within


# --- the file -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "instead", "fault"),
    [
        ("synnodtest_pccp: 1", "synnodtest_pccp: 2", "1:18: synnodtest_pccp: must be 1, not 2"),
        ("title: Plan", "titel: Plan", "2:1: 'titel' is not known; did you mean 'title'"),
        ("specs: {specs/size.yaml: abc}", "specs: {}", "3:8: specs: must not be empty"),
        ("passed: [safety]", "passed: [safe]", "6:12: must_hold.passed.0.: 'safe' is not known; did you mean 'safety'"),
        (
            "metric: sensitivity, margin: 0.1",
            "metric: recall, margin: 0.1",
            "8:16: .*'recall' is not known; known",
        ),
        ("metric: sensitivity, margin: 0.1", "metric: sensitivity, margin: -0.1", "8:37: .*margin: must be above 0"),
        ("passed: [safety]", "alpha: 0.7", "6:10: must_hold.alpha: must be below 0.5"),
        ("passed: [safety]", "lost_at_most: -1", "6:17: must_hold.lost_at_most: must be at least 0"),
        (
            "metric: sensitivity, margin: 0.1",
            "metric: sensitivity, margin: 1_0",
            "8:37: .*must be a number, not",
        ),
        ("passed: [safety]", "passed: [safety]\n  passed: [exploratory]", "7:3: 'passed' is given twice"),
        (PLAN[PLAN.index("  passed") :], "  alpha: 0.05\n", "5:1: must_hold: asks for nothing"),
        ("passed: [safety]", f"alpha: 1{'0' * 400}", "too large"),
    ],
)
def test_faults_of_a_protocol_are_named_with_their_line(tmp_path, line, instead, fault):
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.replace(line, instead))
    with pytest.raises(RecordError, match=fault) as raised:
        read_protocol(path)
    assert str(path) in str(raised.value)
    assert raised.value.hint


def test_a_protocol_is_known_by_what_it_says_as_any_reader_of_yaml_reads_it(plan):
    """Locks of earlier releases name this sha256."""
    assert plan.sha256 == sha256_of(yaml.safe_load(PLAN))


def test_a_folder_is_no_protocol_to_be_drafted(tmp_path):
    with pytest.raises(RecordError, match="cannot be read: Is a directory"):
        freeze_protocol(tmp_path, [], tmp_path / "synnodtest.lock")


def test_a_protocol_is_drafted_frozen_and_told_when_it_changed(tmp_path, monkeypatch):
    from synnodtest.integrity.lock import freeze, read_lock
    from synnodtest.spec.loader import load_spec

    monkeypatch.chdir(tmp_path)
    (tmp_path / "size.yaml").write_text(SPEC)
    spec = load_spec(tmp_path / "size.yaml")
    lock, path = tmp_path / "synnodtest.lock", tmp_path / "plan.yaml"
    freeze([spec], lock)
    drafted, protocol = freeze_protocol(path, [spec], lock)
    assert drafted
    assert protocol.specs == {spec.path.as_posix(): spec.sha256}
    assert frozen_at(protocol, lock)[0]
    path.write_text(path.read_text().replace("margin: 0.2", "margin: 0.3"))
    assert frozen_at(read_protocol(path), lock) == ("", None)
    assert not freeze_protocol(path, [spec], lock)[0]
    assert frozen_at(read_protocol(path), lock)[0]
    freeze([spec], lock)
    assert frozen_at(read_protocol(path), lock)[0], "freezing specs again keeps the plan"
    assert read_lock(lock)
    year = frozen_at(read_protocol(path), lock)[0][:4]
    earlier = tmp_path / "earlier.lock"
    earlier.write_text(lock.read_text().replace(f'"frozen": "{year}', '"frozen": "2001', 1))
    with pytest.raises(RecordError, match="was changed after it was written"):
        frozen_at(read_protocol(path), earlier)
    with pytest.raises(RecordError, match="was changed after it was written"):
        freeze_protocol(path, [spec], earlier)
    raw = json.loads(lock.read_text())
    raw["protocols"][path.as_posix()]["frozen"] = "2001-01-01T00:00:00+00:00"
    del raw["protocols_sha256"]
    earlier.write_text(json.dumps(raw))
    with pytest.raises(RecordError, match="was changed after it was written"):
        frozen_at(read_protocol(path), earlier)
    for bent in ("null", '{"protocols": null}', '{"protocols": {"a": {"frozen": "2026-01-01", "sha256": ""}}}'):
        earlier.write_text(bent)
        with pytest.raises(RecordError, match="is no spec lock"):
            frozen_at(protocol, earlier)
    (tmp_path / "size.yaml").write_text(SPEC.replace("0.5", "0.4"))
    with pytest.raises(RecordError, match="is not the spec that the protocol names"):
        freeze_protocol(path, [load_spec(tmp_path / "size.yaml")], lock)


def test_a_plan_that_names_what_is_not_there_is_not_frozen(tmp_path, monkeypatch):
    from synnodtest.integrity.lock import freeze
    from synnodtest.spec.loader import load_spec

    monkeypatch.chdir(tmp_path)
    (tmp_path / "size.yaml").write_text(SPEC)
    spec, lock, path = load_spec(tmp_path / "size.yaml"), tmp_path / "synnodtest.lock", tmp_path / "plan.yaml"
    freeze([spec], lock)
    freeze_protocol(path, [spec], lock)
    sound = path.read_text()
    bent = sound.replace("may_change: [version,", "may_change: [verson, configuration.size,")
    bent = bent.replace("metric: sensitivity, margin: 0.05", "metric: sensitivity, behaviour: fuond, margin: 5")
    path.write_text(bent)
    with pytest.raises(RecordError) as raised:
        freeze_protocol(path, [spec], lock)
    assert str(raised.value).splitlines()[:-1] == [
        f"{path}: may_change: 'verson' is not known; did you mean 'version'?",
        f"{path}: non_inferior: the behaviour 'fuond' is not known; did you mean 'found'?",
        f"{path}: non_inferior: a margin of 5 is all of sensitivity; 0.05 is five points",
    ]
    assert frozen_at(read_protocol(path), lock) == ("", None)
    path.write_text(sound.replace("metric: sensitivity, margin", "metric: sensitivity, behaviour: found, margin"))
    freeze_protocol(path, [spec], lock)


def test_a_plan_is_frozen_anew_where_the_code_of_a_check_was_changed(tmp_path, monkeypatch):
    from synnodtest.integrity.lock import freeze
    from synnodtest.spec.loader import load_spec

    monkeypatch.chdir(tmp_path)
    (tmp_path / "judges.py").write_text("def judge(evidence):\n    return False\n")
    judged_by_it = SPEC.replace("sensitivity: {at_least: 0.5}", 'python: {function: "judges.py:judge"}')
    (tmp_path / "size.yaml").write_text(judged_by_it)
    spec, lock, path = load_spec(tmp_path / "size.yaml"), tmp_path / "synnodtest.lock", tmp_path / "plan.yaml"
    freeze([spec], lock)
    _, protocol = freeze_protocol(path, [spec], lock)
    when, code = frozen_at(protocol, lock)
    assert [*code] == ["judges.py:judge"]
    freeze_protocol(path, [spec], lock)
    assert frozen_at(protocol, lock) == (when, code)
    (tmp_path / "judges.py").write_text("def judge(evidence):\n    return True\n")
    assert frozen_at(protocol, lock)[1] == code, "what was frozen stands"
    freeze_protocol(path, [spec], lock)
    assert frozen_at(protocol, lock)[1] != code


SPEC = """\
synnodtest: 1
behaviours:
  - id: found
    statement: Nodules are found.
    gate: safety
    scenes: {backgrounds: {set: normal, count: 60}, nodules: [{diameter_mm: 12}]}
    expect: [sensitivity: {at_least: 0.5}]
"""


def test_the_page_says_it_all_and_escapes(tmp_path, plan):
    from synnodtest.report.change_control import write_change_control

    new = version(hits(0.7, seed=1), name="<b>d</b>", number="2", statuses=("FAILED", "PASSED"))
    made, _ = judged(plan, version(hits(0.9)), new)
    text = write_change_control(plan, FROZEN, made, tmp_path / "page.html").read_text()
    assert "OUTSIDE THE PLAN" in text
    assert plan.sha256 in text
    assert "<b>d" not in text
    for clause in made.clauses:
        assert clause.status in text
    assert "<script" not in text


def test_judging_does_not_change_a_record(plan):
    pair = version(hits(0.9)), version(hits(0.9), number="2")
    before = copy.deepcopy(pair)
    judged(plan, *pair)
    assert pair == before


def test_a_version_that_was_shown_other_nodules_is_not_within_a_plan_that_margins_alone_would_pass(plan):
    """Easier nodules (another synthesizer, seed or folder) pass every gate, and untouched radiographs stay the same."""
    plan = replace(plan, margins=tuple(m for m in plan.margins if m.metric == "false_positives_per_image"))

    def shown(**other):
        new = version(hits(0.9), number="2")
        planted = {key: s | other if key.startswith("s") else s for key, s in new.record["scenes"].items()}
        return replace(new, record=new.record | {"scenes": planted})

    assert judged(plan, version(hits(0.9)), shown())[0].within
    for other in ({"synthesizer": "easy"}, {"nodules": [parts.nodule(confidence=0.9, diameter_mm=30.0)]}):
        made, clauses = judged(plan, version(hits(0.9)), shown(**other))
        assert clauses["specifications"].status == "INCONCLUSIVE"
        assert made.verdict == "NOT SHOWN TO BE WITHIN THE PLAN"
    reseeded = version(hits(0.9), number="2")
    scenes = {f"other-{key}": s for key, s in reseeded.record["scenes"].items()}
    _, clauses = judged(plan, version(hits(0.9)), replace(reseeded, record=reseeded.record | {"scenes": scenes}))
    (row,) = clauses["specifications"].rows
    assert row["is"].startswith("on other scenes than the reference: ")
    assert "bit for bit" not in row["is"], "they are not there at all"
    few = version(hits(0.9)[:80], number="2")
    assert judged(plan, version(hits(0.9)), few)[1]["specifications"].status == "INCONCLUSIVE"
    sequential = {"behaviours": [few.record["behaviours"][0] | {"resolved": {"sampling": {"sequential": True}}}]}
    stopped_early = replace(few, record=few.record | sequential)
    assert judged(plan, version(hits(0.9)), stopped_early)[1]["specifications"].status == "PASSED"


def test_untouched_radiographs_of_other_films_are_other_scenes(plan):
    """Easier films under the names of the others pass a gate of specificity; no nodule tells them apart."""
    gates_alone = replace(plan, margins=())
    new = version(hits(0.9), number="2")
    for key, scene in new.record["scenes"].items():
        scene["radiograph_sha256"] += "x" if key.startswith("u") else ""
    made, clauses = judged(gates_alone, version(hits(0.9)), new)
    (row,) = clauses["specifications"].rows
    assert "without nodules, which must match bit for bit, perturbed ones too: run both versions on" in row["is"]
    assert not made.within


@pytest.mark.parametrize(("count", "others", "within"), [(49, 1, False), (50, 1, True), (50, 2, False), (99, 1, True)])
def test_one_scene_in_fifty_may_be_another_and_of_fewer_none_which_is_told(plan, count, others, within):
    """One exchanged film among a few could carry a gate: of so few no share is small."""
    gates_alone, pair = replace(plan, margins=()), [version(hits(0.9)), version(hits(0.9), number="2")]
    for side in pair:
        side.record["scenes"] = {f"q{k}": parts.scene(behaviour="q", radiograph_sha256=f"{k}") for k in range(count)}
        for entry in side.record["expectations"]:
            entry["scenes"] = list(side.record["scenes"])
    for k in range(others):
        pair[1].record["scenes"][f"q{k}"]["radiograph_sha256"] = "x"
    made, clauses = judged(gates_alone, *pair)
    assert made.within is within
    allowed = "none" if count < 50 else str(count // 50)
    told = [row["is"] for row in clauses["specifications"].rows]
    assert (
        within or f"{others} of {count} scenes of 'q', where {allowed} may differ; {others} without nodules" in told[0]
    )


def test_nodules_of_the_same_size_on_other_films_are_other_scenes(plan):
    gates_alone, sides = replace(plan, margins=()), [version(hits(0.9)), version(hits(0.9), number="2")]
    for side, conspicuity in zip(sides, (1.2, 3.4), strict=True):
        for scene in side.record["scenes"].values():
            for nodule in scene["nodules"]:
                nodule |= {"diameter_mm": 12.0, "contrast": 0.2, "conspicuity": conspicuity}
    rounded, other = sides[1], copy.deepcopy(sides[1])
    for one, last in ((rounded, "r"), (other, "x")):
        for scene in one.record["scenes"].values():
            scene["radiograph_sha256"] += last if scene["nodules"] else ""
    for scene in rounded.record["scenes"].values():
        for nodule in scene["nodules"]:
            nodule["conspicuity"] = 1.2001
    assert judged(gates_alone, sides[0], rounded)[0].within, "a network's arithmetic rounds otherwise elsewhere"
    assert not judged(gates_alone, sides[0], other)[0].within


def test_scenes_of_one_behaviour_do_not_vouch_for_those_of_another(plan):
    gates_alone = replace(plan, margins=())

    def with_hard_ones(number, sha256):
        made = version(hits(0.9), number=number)
        hard = {f"h{k}": parts.scene(behaviour="hard", radiograph_sha256=f"{sha256}{k}") for k in range(60)}
        return replace(made, record=made.record | {"scenes": made.record["scenes"] | hard})

    assert judged(gates_alone, with_hard_ones("1", "h"), with_hard_ones("2", "h"))[0].within
    assert not judged(gates_alone, with_hard_ones("1", "h"), with_hard_ones("2", "easy"))[0].within


def test_scenes_of_a_specification_that_the_plan_does_not_name_do_not_thin_out_a_loss(plan):
    """Easy scenes beside those of the plan, which both versions find, would make any difference small."""

    def beside_easy_ones(share, number, seed=0):
        made = version(hits(share, seed=seed), number=number)
        easy = {
            f"easy{k}": parts.scene(
                behaviour="easy",
                arm="default",
                cluster=f"e{k}",
                radiograph_sha256=f"easy{k}",
                nodules=[parts.nodule(hit=True, confidence=0.9)],
            )
            for k in range(4000)
        }
        entry = parts.expectation(
            id="specs/easy.yaml::easy::sensitivity", behaviour="easy", status="PASSED", scenes=[*easy]
        )
        own = [e | {"scenes": [*made.record["scenes"]]} for e in made.record["expectations"]]
        behaviours = [*made.record["behaviours"], {"id": "easy", "statement": "", "gate": "safety"}]
        more = {"scenes": made.record["scenes"] | easy, "expectations": [*own, entry], "behaviours": behaviours}
        return replace(made, record=made.record | more, specs={**made.specs, "specs/easy.yaml": "def"})

    made, clauses = judged(plan, beside_easy_ones(0.9, "1"), beside_easy_ones(0.6, "2", seed=1))
    clause = clauses["sensitivity against d 1 (11111111)"]
    assert clause.status == "FAILED"
    assert "200 pairs" in clause.sentence
    assert not made.within


def test_a_reference_that_finds_next_to_nothing_shows_no_loss(plan):
    _, clauses = judged(plan, version(hits(0.06)), version(hits(0.06), number="2"))
    clause = next(c for name, c in clauses.items() if name.startswith("sensitivity"))
    assert clause.status == "INCONCLUSIVE"
    assert "no room" in clause.sentence
