"""Conformance: the honest adapter passes every question, and each of the planted faults is named by its own."""

from __future__ import annotations

import itertools
import re
from functools import cache, lru_cache

import numpy as np
import pytest
from scipy import ndimage

from synnodtest import Finding, Radiograph
from synnodtest.detectors import CallableDetector, Guard
from synnodtest.detectors.conform import AT_ONCE, conform
from synnodtest.detectors.conform import answers as answered_in_turn
from synnodtest.detectors.conform_pictures import conspicuous_radiographs
from synnodtest.detectors.frames import Frame
from synnodtest.detectors.preflight import refuse_misfits
from synnodtest.engine.findings import BATCH
from synnodtest.errors import DetectorError
from synnodtest.geometry import disc_mask
from synnodtest.identity import Identity
from synnodtest.radiograph import Truth


@cache
def picture(number):
    """A smooth radiograph, never square, with one bright disc and a fainter one that is no nodule of the truth."""
    rng = np.random.default_rng(number)
    shape = (200, 260) if number % 2 else (240, 180)
    spacing = (0.8, 0.6)
    y, x = np.mgrid[: shape[0], : shape[1]]
    pixels = 0.2 + 0.1 * x / shape[1] + 0.1 * y / shape[0] + rng.normal(0, 0.003, shape)
    centre = (rng.uniform(40, 100), rng.uniform(40, 110))
    mask = disc_mask(shape, centre, 22.0, spacing)
    pixels[mask] += 0.3
    rows, columns = np.nonzero(mask)
    crop = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    truth = Truth("nodule", crop, (int(rows.min()), int(columns.min())), 22.0, 0.5)
    return Radiograph(pixels.astype(np.float32), spacing, source=f"picture-{number}", nodules=(truth,))


def blobs(pixels):
    """An honest detector: what is brighter than its surroundings."""
    return list(_blobs(pixels.tobytes(), pixels.shape, pixels.dtype))


@lru_cache(maxsize=128)
def _blobs(content, shape, dtype):
    """Look at each picture once: all tests show the same, and as they are, mirrored, smaller and black."""
    pixels = np.frombuffer(content, dtype).reshape(shape)
    high = ndimage.gaussian_filter(pixels, 2) - ndimage.gaussian_filter(pixels, 30)
    labels, _ = ndimage.label(high > 0.5 * max(float(high.max()), 0.02))
    found = []
    for index, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        score = float(high[labels == index].mean())
        found.append(
            Finding((float(columns.start), float(rows.start), float(columns.stop), float(rows.stop)), min(score, 1.0))
        )
    return found


def honest(radiographs):
    return [blobs(radiograph.pixels) for radiograph in radiographs]


def moved(convert):
    def detect(radiographs):
        found = honest(radiographs)
        return [
            [Finding(convert(f.box, radiograph), f.score) for f in items]
            for radiograph, items in zip(radiographs, found, strict=True)
        ]

    return detect


def seen_through(change):
    return lambda radiographs: [blobs(change(radiograph.pixels)) for radiograph in radiographs]


def in_network_pixels(box, radiograph):
    _, frame = Frame.letterbox(radiograph.pixels, (512, 512))
    left, top = frame.offset
    scale = frame.scale[0]
    return (box[0] * scale + left, box[1] * scale + top, box[2] * scale + left, box[3] * scale + top)


def misread_inside(frame_of, misread):
    """Boxes of another order in the network's input, brought back into the radiograph as if it were the right one."""

    def convert(box, radiograph):
        _, frame = frame_of(radiograph.pixels, (512, 512))
        (across, down), (left, top) = frame.scale, frame.offset
        scales, padding = (across, down, across, down), (left, top, left, top)
        shown = misread([v * scale + pad for v, scale, pad in zip(box, scales, padding, strict=True)])
        return tuple((v - pad) / scale for v, scale, pad in zip(shown, scales, padding, strict=True))

    return moved(convert)


calls = itertools.count(1)


def restless(radiographs):
    jitter = 0.01 * next(calls)
    return [[Finding(f.box, f.score + jitter) for f in items] for items in honest(radiographs)]


def stale(radiographs):
    """Keeps the pixels of the first radiograph of a batch for all."""
    return [blobs(radiographs[0].pixels) for _ in radiographs]


def crashing_on_empty(radiographs):
    return [
        [Finding(f.box, f.score / one.pixels.max()) for f in blobs(one.pixels)] if one.pixels.max() else None
        for one in radiographs
    ]


FAULTS = {
    "x and y swapped": (moved(lambda b, r: (b[1], b[0], b[3], b[2])), "box", "y_min, x_min"),
    "corner and size": (
        moved(lambda b, r: (b[0], b[1], b[2] - b[0], b[3] - b[1])),
        "box",
        "x_min, y_min, width, height",
    ),
    "centre and size": (
        moved(lambda b, r: ((b[0] + b[2]) / 2, (b[1] + b[3]) / 2, b[2] - b[0], b[3] - b[1])),
        "box",
        "around the centre",
    ),
    "millimetres": (
        moved(lambda b, r: (b[0] * 0.6, b[1] * 0.8, b[2] * 0.6, b[3] * 0.8)),
        "box",
        "millimetres",
    ),
    "shares": (
        moved(lambda b, r: (b[0] / r.shape[1], b[1] / r.shape[0], b[2] / r.shape[1], b[3] / r.shape[0])),
        "box",
        "shares of width",
    ),
    "shares, y first": (
        moved(lambda b, r: (b[1] / r.shape[0], b[0] / r.shape[1], b[3] / r.shape[0], b[2] / r.shape[1])),
        "box",
        "y_min, x_min, y_max, x_max.*, in shares of width",
    ),
    "thousandths": (
        moved(lambda b, r: tuple(1000 * v / side for v, side in zip(b, r.shape[::-1] * 2, strict=True))),
        "box",
        "thousandths of width",
    ),
    "corners as centre and size": (
        moved(lambda b, r: (b[0] - b[2] / 2, b[1] - b[3] / 2, b[0] + b[2] / 2, b[1] + b[3] / 2)),
        "box",
        "corners that were taken for centre and size",
    ),
    "network pixels": (moved(in_network_pixels), "box", "padded input of 512 x 512"),
    "x and y swapped in a padded input": (
        misread_inside(Frame.letterbox, lambda b: (b[1], b[0], b[3], b[2])),
        "box",
        "y_min, x_min, y_max, x_max.*, in a padded input",
    ),
    "x and y swapped in a stretched input": (
        misread_inside(Frame.stretch, lambda b: (b[1], b[0], b[3], b[2])),
        "box",
        "y_min, x_min, y_max, x_max.*, in a stretched input",
    ),
    "pixels of an input of the radiographs' own size": (
        moved(lambda b, r: tuple(v * 260 / max(r.shape) for v in b)),
        "size",
        "8 of 8 boxes lie where they did, and 0 on the nodules",
    ),
    "counted from one": (
        moved(lambda b, r: (b[0] + 1, b[1] + 1, b[2] + 1, b[3] + 1)),
        "flip",
        r"all are \+1\.0 too far",
    ),
    "eight bits": (
        seen_through(lambda p: np.rint(p * 255).astype(np.uint8).astype(np.float32) / 255),
        "bit depth",
        "8 bits",
    ),
    "eight bits after smoothing": (
        seen_through(lambda p: np.rint(ndimage.gaussian_filter(p, 1) * 255).astype(np.uint8).astype(np.float32) / 255),
        "bit depth",
        "within one of 256",
    ),
    "inverted": (seen_through(lambda p: 1 - p), "grey values", "inverted radiographs"),
    "another at every call": (restless, "repeatable", "other findings"),
    "answers reversed": (lambda radiographs: honest(radiographs)[::-1], "batch", "another order"),
    "first of the batch for all": (stale, "batch", "within a batch"),
    "a second box that leaves the radiograph": (
        lambda rs: [[*items, Finding((-5.0, 0.0, 20.0, 20.0), 0.01)] for items in honest(rs)],
        "edges",
        r"box \(-5, 0, 20, 20\) lies outside the radiograph",
    ),
    "percentages": (
        lambda rs: [[Finding(f.box, 100 * f.score) for f in items] for items in honest(rs)],
        "scores",
        "scores reach",
    ),
    "nothing for an empty radiograph": (crashing_on_empty, "empty radiograph", "NoneType"),
    "no list": (lambda radiographs: None, "answer", "not a list"),
}


@pytest.fixture(scope="module")
def pictures():
    return [picture(number) for number in range(8)]


def asked(function, pictures):
    return conform(Guard(CallableDetector(function, Identity("adapter")), 20.0), pictures)


def test_the_honest_adapter_passes_every_question(pictures):
    checks = asked(honest, pictures)
    assert [check.name for check in checks if check.passed is not True] == []
    assert {check.name for check in checks} == {
        "answer", "findings", "box", "size", "flip", "offset", "empty radiograph", "picture", "repeatable", "batch",
        "bit depth", "scores",
    }  # fmt: skip


def test_each_answer_is_told_before_the_next_question_is_asked(pictures):
    shown, seen = [], []

    def detect(radiographs):
        shown.append(len(radiographs))
        return honest(radiographs)

    guard = Guard(CallableDetector(detect, Identity("slow")), 20.0)
    told = answered_in_turn(guard, pictures, progress=lambda done, total: seen.append((done, total)))
    assert next(told).name == "answer"
    assert shown == [1] * 8, "the questions after the first one are not asked yet"
    assert seen == [(n, 8) for n in range(1, 9)]
    assert [check.name for check in told][-1] == "scores"


LOST = {
    "more than four": lambda rs: [*honest(rs[:4]), *([] for _ in rs[4:])],
    "the last of eight": lambda rs: [*honest(rs[:7]), *([] for _ in rs[7:])],
    "halves from two devices that change places": lambda rs: honest([*rs[4:], *rs[:4]]) if len(rs) > 4 else honest(rs),
    "reversed beyond four": lambda rs: honest(rs)[::-1] if len(rs) > 4 else honest(rs),
    "even and odd ones apart": lambda rs: honest([*rs[::2], *rs[1::2]]) if len(rs) > 4 else honest(rs),
    "all but the first of those of one size": lambda rs: (
        [*honest(rs[:1]), *([] for _ in rs[1:])] if stacked(rs) else honest(rs)
    ),
    "places within those of one size": lambda rs: honest([*rs[1:], rs[0]]) if stacked(rs) else honest(rs),
    "those of one size reversed": lambda rs: honest(rs[::-1]) if stacked(rs) else honest(rs),
}


def stacked(radiographs):
    return len(radiographs) > 1 and len({one.shape for one in radiographs}) == 1


@pytest.mark.parametrize("fault", LOST)
def test_what_goes_wrong_in_batches_as_large_as_those_of_a_run_alone_stops_it(pictures, fault):
    assert AT_ONCE == BATCH
    checks = asked(LOST[fault], pictures[:4])
    assert [check.name for check in checks if check.passed is False] == ["batch"]
    with pytest.raises(DetectorError, match="batch"):
        refuse_misfits("it", checks)


def earlier(radiographs, priors):
    return honest([prior or one for one, prior in zip(radiographs, priors, strict=True)])


PAIRS = {
    "of the radiograph": (lambda radiographs, priors: honest(radiographs), True),
    "of the prior": (earlier, False),
    "none beside a prior": (lambda radiographs, priors: [[] for _ in radiographs], None),
}


@pytest.mark.parametrize("which", PAIRS)
def test_a_detector_that_takes_pairs_reports_what_lies_on_the_radiograph_and_not_on_its_prior(pictures, which):
    pairs, passed = PAIRS[which]
    checks = {check.name: check for check in conform(CallableDetector(honest, Identity(which, "1"), pairs), pictures)}
    assert checks["pair"].passed is passed, checks["pair"].says
    assert "pair" not in {check.name for check in conform(CallableDetector(honest, Identity("alone", "1")), pictures)}
    if passed is False:
        with pytest.raises(DetectorError, match="does not conform: pair: beside a prior"):
            refuse_misfits(which, list(checks.values()))


def test_saturated_scores_are_no_sign_of_eight_bits(pictures):
    saturated = asked(lambda rs: [[Finding(f.box, 1.0) for f in items] for items in honest(rs)], pictures)
    found = {check.name: check for check in saturated}["bit depth"]
    assert found.passed is None
    assert "all scores are the same" in found.says


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named_and_has_a_remedy(pictures, fault):
    function, name, says = FAULTS[fault]
    failed = {check.name: check for check in asked(function, pictures) if check.passed is False}
    assert name in failed
    assert re.search(says, failed[name].says)
    assert failed[name].remedy or name in ("answer", "empty radiograph")


def test_of_a_detector_that_finds_nothing_only_that_is_said(pictures):
    checks = {check.name: check for check in asked(lambda radiographs: [[] for _ in radiographs], pictures)}
    assert checks["box"].passed is None
    assert checks["scores"].passed is None
    assert [name for name, check in checks.items() if check.passed is False] == ["findings"]


def test_the_default_radiographs_show_one_large_nodule_and_are_not_square():
    for radiograph in conspicuous_radiographs(2, size=256):
        assert len(radiograph.nodules) == 1
        assert radiograph.shape[0] != radiograph.shape[1]
        assert all(mask.shape == radiograph.shape for mask in radiograph.regions.values())
        x_min, y_min, x_max, y_max = (round(edge) for edge in radiograph.nodules[0].box)
        inside = radiograph.pixels[y_min:y_max, x_min:x_max]
        assert inside.size > 0
        assert inside.mean() > np.median(
            radiograph.pixels[max(y_min - 15, 0) : y_max + 15, max(x_min - 15, 0) : x_max + 15]
        )


def test_a_detector_may_look_at_regions_and_finds_them_mirrored_with_the_picture():
    shown = conspicuous_radiographs(2, size=256)
    seen = []

    def detect(radiographs):
        for one in radiographs:
            centres = [np.nonzero(one.regions[f"{side}_lung"])[1].mean() for side in ("left", "right")]
            seen.append(centres[0] > centres[1])
        return [[] for _ in radiographs]

    checks = {check.name: check for check in asked(detect, shown)}
    assert checks["answer"].passed
    assert checks["empty radiograph"].passed
    assert all(seen), "the left lung is on the right of the picture, mirrored or not"


def answers(function, radiographs=None):
    guard = Guard(CallableDetector(function, Identity("it")), 30.0)
    return {check.name: check for check in conform(guard, radiographs or [picture(n) for n in range(6)])}


@pytest.mark.parametrize(
    ("shifts", "passed"),
    [
        ((-1.5,) * 8, False),
        ((-2.9, -2.6, -1.8, -1.5, -1.2, 0.7, 3.0, -1.5), None),  # of the demo, exported for another size
        ((-0.4, 0.3, -0.2, 0.4, 0.0, -0.1, 0.2, -0.3), True),
    ],
)
def test_boxes_that_scatter_are_not_said_to_lie_all_too_far(shifts, passed):
    """Half of what a box and that on the mirrored radiograph disagree by: each is shifted by so much itself."""
    shown = [picture(n) for n in range(8)]
    by = {len(blobs(one.pixels)) and float(one.pixels.sum()): shift for one, shift in zip(shown, shifts, strict=True)}

    def detect(radiographs):
        nearest = [min(by, key=lambda total: abs(total - float(one.pixels.sum()))) for one in radiographs]
        return [
            [Finding((f.box[0] + by[n], f.box[1], f.box[2] + by[n], f.box[3]), f.score) for f in blobs(one.pixels)]
            for one, n in zip(radiographs, nearest, strict=True)
        ]

    check = answers(detect, shown)["flip"]
    assert check.passed is passed
    assert ("too far" in check.says) is (passed is False)
    assert ("-5.8 to +6.0 one by one" in check.says) is (passed is None)


def centred(box, radiograph):
    height, width = radiograph.shape
    return (box[0] * width, box[1] * height, box[2] * width, box[3] * height)


BLIND = {
    "a constant box": lambda rs: [[Finding((10.0, 10.0, 30.0, 30.0), 0.9)] for _ in rs],
    "a constant share of the picture": lambda rs: [[Finding(centred((0.4, 0.4, 0.5, 0.5), r), 0.7)] for r in rs],
    "a constant box with a score of its own": lambda rs: [
        [Finding((10.0, 10.0, 30.0, 30.0), 0.5 + float(r.pixels.mean()) / 10)] for r in rs
    ],
    "a grid": lambda rs: [
        [Finding((x, y, x + 20.0, y + 20.0), 0.5) for x in (5.0, 90.0) for y in (9.0, 99.0)] for _ in rs
    ],
    "what an empty picture gives": lambda rs: [
        [Finding(centred((0.1 * len(r.background or "aa"), 0.2, 0.5, 0.5), r), 0.8)] for r in rs
    ],
}


@pytest.mark.parametrize("kind", BLIND)
def test_a_detector_that_ignores_the_picture_is_wrong(kind):
    checks = answers(BLIND[kind])
    check = checks.get("black picture") or checks["picture"]
    assert check.passed is False
    assert "pixels" in check.remedy


@pytest.mark.parametrize("key", [lambda r: r.source, lambda r: r.shape], ids=["name", "size"])
def test_answers_kept_by_name_or_size_are_no_answers_and_stop_a_run(key):
    kept = {}

    def detect(radiographs):
        return [kept.setdefault(key(one), honest([one])[0]) for one in radiographs]

    checks = answers(detect)
    assert checks["black picture"].passed is False
    with pytest.raises(DetectorError, match="a black picture gives the same findings"):
        refuse_misfits("it", list(checks.values()))


def test_an_honest_detector_sees_the_picture():
    checks = answers(honest)
    assert checks["picture"].passed is True
    assert checks["findings"].passed is True


@pytest.mark.parametrize(
    ("function", "passed", "says"),
    [
        (lambda rs: [[] for _ in rs], False, "NO FINDING ON ANY PHANTOM"),
        (
            lambda rs: [[Finding(f.box, f.score / 100) for f in items] for items in honest(rs)],
            None,
            "NO FINDING of 0.05",
        ),
    ],
)
def test_a_detector_without_findings_is_said_loudly(function, passed, says, monkeypatch, capsys, tmp_path):
    check = answers(function)["findings"]
    assert (check.passed, check.says.startswith(says)) == (passed, True)
    assert "worthless" in check.remedy


def test_the_command_says_it_on_standard_error_and_ends_with_1(tmp_path, capsys, monkeypatch):
    from synnodtest.cli import main

    (tmp_path / "silent.py").write_text("def make():\n    return lambda radiographs: [[] for _ in radiographs]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("synnodtest.detectors.conform.conspicuous_radiographs", lambda: [picture(n) for n in range(4)])
    assert main(["conform", "silent.py:make"]) == 1
    said = capsys.readouterr()
    assert "findings" in said.out
    assert "WRONG" in said.out
    assert "NO FINDING ON ANY PHANTOM" in said.err
