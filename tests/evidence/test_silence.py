"""A detector is silent where it reports on fewer than one picture in twenty, at the operating point."""

import math
from dataclasses import replace

import pytest

from synnodtest.evidence.ruling import Ruling, Status
from synnodtest.evidence.silence import SILENCE, Reported, loudest, on_nodules, reported_on, silenced, withheld
from synnodtest.expectations import find_check
from tests.expectations.evidence import evidence, trial


@pytest.mark.parametrize(
    ("reported", "pictures", "silent"),
    [(0, 0, True), (0, 1, True), (1, 1, False), (1, 2, True), (2, 2, False), (1, 20, True), (2, 40, False),
     (2, 41, True), (4, 81, True), (5, 100, False)],
)  # fmt: skip
def test_fewer_pictures_than_one_in_twenty_are_silence_and_so_are_none_and_one_of_several(reported, pictures, silent):
    assert Reported("anything", pictures, reported).silent is silent


def test_a_picture_is_reported_on_by_its_loudest_finding_at_the_operating_point():
    trials = [
        trial("hit", 0.3, false_positives=[0.2]),
        trial("beside", 0.0, false_positives=[0.1, 0.25]),
        trial("leak", fires=[("hilar", 0.24)]),
        trial("nothing", 0.0),
    ]
    scores = loudest(trials)
    assert list(scores.values()) == [0.3, 0.25, 0.24, -math.inf]
    for point, count in ((0.24, 3), (0.25, 2), (0.26, 1), (0.0, 3)):
        assert reported_on("these", scores, point) == Reported("these", 4, count)


def test_a_nodule_is_found_by_the_finding_on_it_alone():
    trials = [trial("hit", 0.3, false_positives=[0.9]), trial("beside", 0.0, false_positives=[0.9])]
    trials.append(replace(trial("healthy", 0.9), nodules=()))
    assert on_nodules(trials) == {trials[0].scene_id: 0.3, trials[1].scene_id: -math.inf}


def test_the_evidence_of_a_silent_detector_has_the_same_scenes_and_no_finding():
    heard = evidence([trial(f"b{i}", 0.9, false_positives=[0.8], fires=[("hilar", 0.7)]) for i in range(40)])
    unheard = silenced(heard)
    assert [t.scene_id for t in unheard.trials] == [t.scene_id for t in heard.trials]
    for one in unheard.trials:
        assert (one.sightings, one.false_positives, one.duplicates, one.loudest) == ((), (), (), 0.0)
        assert not one.fires_in("hilar", 0.0)
        assert [(n.finding, n.confidence, n.detected(0.0)) for n in one.nodules] == [(None, 0.0, False)]
    sensitivity = find_check("sensitivity").judge
    assert sensitivity({"at_least": 0.5}, heard).status is Status.PASSED
    assert sensitivity({"at_least": 0.5}, unheard).components[0].value == 0.0


def test_a_pass_that_silence_earns_is_open_and_tells_what_was_reported_on():
    passed = Ruling(Status.PASSED, "PASSED quiet", "it is quiet", details={"more": [{"a": 1}]}, notes=("before",))
    tallies = [Reported("its own", 40, 1), Reported("none", 0, 0), Reported("nodules", 20, 0)]
    ruling = withheld(passed, tallies, 0.25, "no lung")
    assert ruling.status is Status.INCONCLUSIVE
    assert ruling.sentence.endswith(
        "(findings of 0.25 or more: 1 of 40 pictures of its own, 0 of 20 pictures of nodules)"
    )
    assert list(ruling.details) == [SILENCE, "more"]
    assert ruling.details[SILENCE][0] == {"pictures of": "its own", "shown": 40, "with a finding": 1}
    assert ruling.notes[0] == "Without this: PASSED quiet"
    assert "No nodules could be planted to find out: no lung." in ruling.notes
    assert not any("No nodules could" in note for note in withheld(passed, tallies, 0.25).notes)


def test_a_silent_detector_may_need_a_lower_operating_point_and_a_blind_one_boxes_that_lie_on_nodules():
    passed, tallies = Ruling(Status.PASSED, "PASSED quiet", "it is quiet"), [Reported("its own", 40, 0)]
    silent, blind = (withheld(passed, tallies, 0.25, blind=blind).notes[-1] for blind in (False, True))
    assert "whether findings arrive at all" in silent
    assert "lower the operating point" in silent
    assert "whether its boxes lie on nodules" in blind
    assert "operating point" not in blind
    assert all("add an expectation on sensitivity in the same run" in one for one in (silent, blind))
