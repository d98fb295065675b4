"""Two readers' boxes of one nodule are told; two nodules that touch are not."""

import numpy as np
import pytest

from synnodtest.datasets.pixels import notes_on_twins
from synnodtest.geometry import iou


class Marked:
    def __init__(self, name, *boxes):
        self.id = name
        self.boxes = [type("Box", (), {"box": box})() for box in boxes]


def test_overlap_is_that_of_the_pixels():
    rng = np.random.default_rng(2)
    for _ in range(20):
        boxes = [(x, y, x + w, y + h) for x, y, w, h in rng.integers(1, 20, (2, 4))]
        drawn = np.zeros((2, 45, 45), bool)
        for layer, (x0, y0, x1, y1) in zip(drawn, boxes, strict=True):
            layer[y0:y1, x0:x1] = True
        assert iou(*boxes) == pytest.approx(drawn.all(0).sum() / drawn.any(0).sum())


def test_marks_of_one_nodule_are_noted_and_neighbours_are_not():
    twice = Marked("a.png", (10, 10, 40, 40), (12, 11, 41, 42))
    touching = Marked("b.png", (10, 10, 40, 40), (38, 10, 70, 40))
    (note,) = notes_on_twins([twice, touching])
    assert note.startswith("a.png: 1 pair of boxes nearly coincide")
