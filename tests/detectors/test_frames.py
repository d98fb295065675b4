from __future__ import annotations

import numpy as np
import pytest

from synnodtest import Finding
from synnodtest.detectors.frames import PADDING, Frame, findings_of, resized, suppress


def test_the_letterbox_keeps_the_aspect_and_pads_with_grey():
    picture, frame = Frame.letterbox(np.ones((300, 500), np.float32), (1000, 1000))
    assert (frame.scale, frame.offset) == ((2.0, 2.0), (0, 200))
    assert picture[:200].max() == pytest.approx(PADDING)
    assert picture[200:800].min() == 1.0
    same = np.random.default_rng(0).random((64, 64), dtype=np.float32)
    assert np.array_equal(Frame.letterbox(same, (64, 64))[0], same)


@pytest.mark.parametrize("shape", [(32, 32), (64, 40), (100, 130), (17, 200), (48, 64)])
def test_resizing_is_that_of_opencv(shape):
    cv2 = pytest.importorskip("cv2")
    picture = np.random.default_rng(1).random((64, 80), dtype=np.float32)
    reference = cv2.resize(picture, shape[::-1], interpolation=cv2.INTER_LINEAR)
    assert np.allclose(resized(picture, shape), reference, atol=2e-6)


@pytest.mark.parametrize("fit", [Frame.letterbox, Frame.stretch])
def test_boxes_come_back_to_where_they_were(fit):
    pixels = np.zeros((300, 500), np.float32)
    pixels[90:150, 200:260] = 1
    picture, frame = fit(pixels, (600, 640))
    rows, columns = np.nonzero(picture > 0.7)
    box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]])
    assert findings_of(box, np.array([0.5]), frame)[0].box == pytest.approx((200, 90, 260, 150), abs=1.0)


@pytest.mark.parametrize("shape", [(2991, 2400), (480, 512), (301, 1207)])
def test_boxes_come_back_as_those_of_ultralytics(shape):
    pytest.importorskip("ultralytics")
    from ultralytics.utils.ops import scale_boxes

    _, frame = Frame.letterbox(np.zeros(shape, np.float32), (192, 256))
    row, column = frame.offset[1] + 2.5, frame.offset[0] + 1.5
    box = np.array([[column, row, column + 40.25, row + 30.5]], np.float32)
    assert findings_of(box, np.array([0.5]), frame)[0].box == pytest.approx(
        scale_boxes((192, 256), box.copy(), shape)[0], abs=0.01
    )


def test_what_lies_in_the_padding_alone_is_cut_off():
    _, frame = Frame.letterbox(np.zeros((300, 500), np.float32), (500, 500))
    assert findings_of(np.array([[10, 10, 20, 40], [10, 90, 20, 110]]), np.array([0.9, 0.8]), frame) == [
        Finding((10.0, 0.0, 20.0, 10.0), 0.8)
    ]


def test_suppression_is_that_of_torchvision():
    torch = pytest.importorskip("torch")
    ops = pytest.importorskip("torchvision.ops")
    rng = np.random.default_rng(2)
    corner = rng.uniform(0, 80, (200, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(5, 40, (200, 2))], axis=1)
    scores = rng.random(200)
    reference = ops.nms(torch.from_numpy(boxes), torch.from_numpy(scores), 0.5).numpy()
    assert np.array_equal(suppress(boxes, scores, 0.5, 300), reference)
    assert np.array_equal(suppress(boxes, scores, 0.5, 7), reference[:7])
    assert suppress(boxes[:0], scores[:0], 0.5, 7).size == 0


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_box_that_is_not_finite_is_left_for_the_guard_and_not_cut_off(broken):
    _, frame = Frame.letterbox(np.zeros((40, 60), np.float32), (64, 64))
    found = findings_of(np.array([[5, 15, 20, 30], [broken, 15, broken, 30]]), np.array([0.9, 0.8]), frame)
    assert [bool(np.isfinite(one.box).all()) for one in found] == [True, False]
