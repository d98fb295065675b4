from __future__ import annotations

import gc
import math
import threading
import time
import weakref
from dataclasses import replace

import numpy as np
import pytest

from synnodtest import Finding, Radiograph
from synnodtest.detectors import CallableDetector, Guard
from synnodtest.engine.sightings import regions_at
from synnodtest.errors import DetectorError, DetectorHung, ExpectationFailed
from synnodtest.geometry import bits_of
from synnodtest.identity import Identity
from synnodtest.masks import PackedMasks

GOOD = Finding((10.0, 10.0, 20.0, 20.0), 0.5)


def guarded(function, timeout_s=5.0):
    return Guard(CallableDetector(function, Identity("subject")), timeout_s)


def answering(finding):
    return guarded(lambda radiographs: [[finding] for _ in radiographs])


def test_findings_pass_through_unchanged(radiographs):
    assert answering(GOOD).detect(radiographs) == [[GOOD]] * 3


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf])
def test_a_time_in_which_nobody_can_answer_is_refused(seconds):
    with pytest.raises(DetectorError, match="no time that a call of the detector may take") as caught:
        guarded(lambda radiographs: [[] for _ in radiographs], seconds)
    assert "seconds above 0" in caught.value.hint


def test_no_radiograph_asks_nobody():
    assert guarded(lambda _: 1 / 0).detect([]) == []


def test_an_exception_names_the_line_of_the_users_own_file_that_it_came_through(radiographs, tmp_path, monkeypatch):
    (tmp_path / "wrapper").mkdir()
    file = tmp_path / "wrapper" / "mine.py"
    file.write_text("import json\n\n\ndef detect(radiographs):\n    return json.loads('{')\n")
    scope: dict = {}
    exec(compile(file.read_text(), str(file), "exec"), scope)
    for folder, name in ((tmp_path, r"wrapper/mine\.py"), (tmp_path / "wrapper", r"mine\.py"), ("/", r".*mine\.py")):
        monkeypatch.chdir(folder)
        with pytest.raises(DetectorError, match=rf"JSONDecodeError: .* \({name}:5\)$"):
            guarded(scope["detect"]).detect(radiographs)


def test_an_exception_names_the_detector_and_the_radiograph_and_is_chained(radiographs):
    def broken(_):
        raise ZeroDivisionError("no lungs")

    with pytest.raises(
        DetectorError, match=r"'subject' on chest-0.png and 2 more: ZeroDivisionError: no lungs"
    ) as info:
        guarded(broken).detect(radiographs)
    assert isinstance(info.value.__cause__, ZeroDivisionError)
    assert not issubclass(DetectorError, (AssertionError, ExpectationFailed))


def test_a_detector_that_exits_the_interpreter_is_an_error(radiographs):
    def leaving(_):
        raise SystemExit(3)

    with pytest.raises(DetectorError, match="SystemExit"):
        guarded(leaving).detect(radiographs)


def test_neither_thread_nor_detector_outlives_its_guard(radiographs):
    class Large:
        identity = Identity("large")

        def detect(self, radiographs):
            self.thread = threading.current_thread()
            return [[] for _ in radiographs]

    guard = Guard(Large(), 5.0)
    guard.detect(radiographs)
    thread, detector, seen = guard.detector.thread, weakref.ref(guard.detector), weakref.ref(radiographs[0])
    guard.detect([replace(radiographs[0], background="other")])
    radiographs.clear()
    gc.collect()
    assert seen() is None
    del guard
    gc.collect()
    thread.join(5.0)
    assert not thread.is_alive()
    assert detector() is None


def test_a_program_that_hung_is_told_from_one_that_failed(radiographs):
    def hung(_):
        raise DetectorHung("the program 'a' did not end within 300 s")

    with pytest.raises(DetectorHung, match=r"detector 'subject' on chest-0.png.*did not end within 300 s"):
        guarded(hung).detect(radiographs)


def test_a_detector_that_hangs_is_an_error_and_later_calls_fail_at_once(radiographs):
    release = threading.Event()
    detector = guarded(lambda _: release.wait(30), timeout_s=0.1)
    with pytest.raises(DetectorHung, match=r"'subject' on chest-0.png.*no answer within 0.1 s"):
        detector.detect(radiographs)
    start = time.monotonic()
    with pytest.raises(DetectorHung, match="no answer within"):
        detector.detect(radiographs)
    assert time.monotonic() - start < 0.05
    release.set()


def test_a_detector_recovers_after_an_exception(radiographs):
    calls = []

    def flaky(given):
        calls.append(1)
        if len(calls) == 1:
            raise OSError("busy")
        return [[] for _ in given]

    detector = guarded(flaky)
    with pytest.raises(DetectorError):
        detector.detect(radiographs)
    assert detector.detect(radiographs) == [[], [], []]


@pytest.mark.parametrize("result", [None, {}, "findings", 3, np.zeros((3, 5))])
def test_what_is_no_list_is_an_error(radiographs, result):
    with pytest.raises(DetectorError, match="not a list"):
        guarded(lambda _: result).detect(radiographs)


@pytest.mark.parametrize("count", [0, 2, 4])
def test_another_number_of_lists_is_an_error(radiographs, count):
    with pytest.raises(DetectorError, match=f"{count} lists for 3 radiographs"):
        guarded(lambda _: [[]] * count).detect(radiographs)


@pytest.mark.parametrize("item", [None, GOOD, {"boxes": []}])
def test_what_is_no_list_of_findings_is_an_error(radiographs, item):
    with pytest.raises(DetectorError, match="not a list"):
        guarded(lambda given: [item for _ in given]).detect(radiographs)


def test_a_tuple_of_box_and_score_is_an_error_that_says_what_to_return(radiographs):
    with pytest.raises(DetectorError, match=r"(?s)chest-0.png.*finding 0: is tuple, not a Finding.*x_min, y_min"):
        answering(((1, 1, 2, 2), 0.5)).detect(radiographs)


@pytest.mark.parametrize(
    ("box", "score", "message"),
    [
        ({0: 1, 1: 1, 5: 2, 6: 2}, 0.5, "of the type dict"),
        ("1234", 0.5, "of the type str"),
        ((math.nan, 0, 5, 5), 0.5, "not finite"),
        ((0, 0, math.inf, 5), 0.5, "not finite"),
        ((0, 0, 5, 5), math.nan, "not finite"),
        ((0, 0, 5, 5), -0.1, "negative"),
        ((5, 0, 5, 5), 0.5, "empty or inverted"),
        ((6, 0, 5, 5), 0.5, "empty or inverted"),
        ((0, 6, 5, 5), 0.5, "empty or inverted"),
        ((70, 0, 82, 5), 0.5, "outside the radiograph"),
        ((0, 50, 5, 61.5), 0.5, "outside the radiograph"),
        ((-1.5, 0, 5, 5), 0.5, "outside the radiograph"),
        ((-0.5, 0, -0.25, 5), 0.5, "outside the radiograph"),
        ((0, 0, 5), 0.5, "four edges"),
        ((0, 0, 5, 5), None, "four edges"),
        (("a", 0, 5, 5), 0.5, "four edges"),
    ],
)
def test_a_finding_that_cannot_be_is_an_error(radiographs, box, score, message):
    with pytest.raises(DetectorError, match=message):
        answering(Finding(box, score)).detect(radiographs)


def test_a_box_over_the_edge_by_a_pixel_is_clipped(radiographs):
    found = answering(Finding((-0.9, -0.1, 80.9, 60.2), 1.0)).detect(radiographs)
    assert found[0] == [Finding((0.0, 0.0, 80.0, 60.0), 1.0)]


def test_boxes_that_all_lie_in_the_corner_are_shares(radiographs):
    def answers(*boxes):
        return guarded(lambda given: [[Finding(box, 0.5)] for box in boxes][: len(given)])

    with pytest.raises(DetectorError, match=r"no edge of its 3 boxes is beyond 0\.74 pixels: they look like shares"):
        answers(*[(0.43, 0.67, 0.51, 0.74)] * 3).detect(radiographs)
    assert answers((0.0, 0.0, 1.5, 1.5), (9.0, 9.0, 20.0, 20.0)).detect(radiographs[:2])
    assert answers((0, 0, 1, 1)).detect(radiographs[:1]), "whole pixels are no shares"


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, int])
def test_numpy_and_whole_numbers_become_plain_floats(radiographs, kind):
    box = tuple(map(kind, (1, 2, 3, 4)))
    found = answering(Finding(box, kind(1))).detect(radiographs)[0][0]
    assert found == Finding((1.0, 2.0, 3.0, 4.0), 1.0)
    assert all(type(number) is float for number in (*found.box, found.score))


def test_a_detector_cannot_spoil_the_pixels_of_others(radiographs):
    def vandal(given):
        for radiograph in given:
            radiograph.pixels[:] = 0
        return [[] for _ in given]

    before = [radiograph.pixels.copy() for radiograph in radiographs]
    guarded(vandal).detect(radiographs)
    for radiograph, pixels in zip(radiographs, before, strict=True):
        assert np.array_equal(radiograph.pixels, pixels)


@pytest.mark.parametrize("only_reads", [False, True])
def test_a_detector_cannot_spoil_the_masks_of_others(radiographs, only_reads):
    lung = np.zeros((64, 48), dtype=np.bool_)
    lung[10:30, 10:20] = True
    packed = PackedMasks({"lung": bits_of(lung), "hilar": bits_of(~lung)}, lung.shape)
    shown = [replace(radiographs[0], regions=masks, strata={"sex": "F"}) for masks in ({"lung": lung.copy()}, packed)]
    seen = []

    class Spoiling:
        only_reads_pixels = only_reads
        identity = Identity("subject")

        def detect(self, given):
            for one in given:
                one.regions["lung"][:] = False
                one.strata["sex"] = "M"
                seen.append((one.regions["lung"].any(), regions_at(one, (15.5, 15.5)), one.content_sha256()))
            return [[] for _ in given]

    before = [one.content_sha256() for one in shown]
    Guard(Spoiling(), 5.0).detect(shown)
    assert [(spoilt, held) for spoilt, held, _ in seen] == [(False, frozenset())] * 2
    assert not {digest for *_, digest in seen} & set(before)
    assert [one.content_sha256() for one in shown] == before
    for one in shown:
        assert np.array_equal(one.regions["lung"], lung)
        assert regions_at(one, (15.5, 15.5)) == {"lung"}
        assert one.strata == {"sex": "F"}


def test_a_detector_that_says_it_only_reads_is_shown_the_pixels_themselves_and_cannot_write(radiographs):
    class Reader:
        identity = Identity("reader", "1")
        only_reads_pixels = True

        def detect(self, given):
            self.shared = [
                np.shares_memory(one.pixels, own.pixels) for one, own in zip(given, radiographs, strict=True)
            ]
            if self.writes:
                given[0].pixels[:] = 0
            return [[] for _ in given]

    reader = Reader()
    reader.writes = False
    Guard(reader, 60).detect(radiographs)
    assert all(reader.shared)
    reader.writes = True
    with pytest.raises(DetectorError, match="read-only"):
        Guard(reader, 60).detect(radiographs)
    assert all(radiograph.pixels.flags.writeable for radiograph in radiographs)


def test_a_radiograph_without_source_is_named_by_its_background():
    radiograph = Radiograph(np.zeros((9, 9), np.float32), (1, 1), background="phantom-7")
    with pytest.raises(DetectorError, match="phantom-7"):
        guarded(lambda _: None).detect([radiograph])
