"""A replayed scene whose pixels are rounded otherwise is told from one with other nodules."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from synnodtest.commands.recorded_run import feature_lines, id_of
from synnodtest.commands.replay import _alike
from synnodtest.commands.replayed_failures import find_failure
from synnodtest.errors import RecordError
from synnodtest.finding import Finding
from synnodtest.record.model import NoduleEntry
from synnodtest.report.crops import write_whole_pictures
from tests.report import example


def test_other_nodules_are_not_alike(small):
    scene = next(s for s in small["scenes"].values() if s["nodules"])
    _, radiograph, _ = example.radiographs(scene)
    first, *rest = (
        NoduleEntry(n.name, n.box, diameter_mm=n.diameter_mm, contrast=n.contrast) for n in radiograph.nodules
    )
    assert _alike(radiograph, [first, *rest])
    for key, value in (("diameter_mm", 0.2), ("contrast", 0.01)):
        assert not _alike(radiograph, [replace(first, **{key: getattr(first, key) + value}), *rest])
    x_min, *others = first.box
    assert not _alike(radiograph, [replace(first, box=(x_min - 3, *others)), *rest])
    assert not _alike(radiograph, [])


def test_what_was_asked_for_stands_beside_what_was_realised(small):
    scene = next(s for s in small["scenes"].values() if s["nodules"])
    _, radiograph, _ = example.radiographs(scene)
    nodule = radiograph.nodules[0]
    told = {line.split()[0]: line for line in feature_lines(radiograph, nodule)}
    asked = nodule.requested["diameter_mm"]
    assert f"requested {asked:.4g}" in told["diameter_mm"]
    assert f"realised {nodule.diameter_mm:.4g} ({100 * (nodule.diameter_mm / asked - 1):+.0f}%)" in told["diameter_mm"]
    assert "requested" in told["contrast"]


def test_a_second_detector_is_drawn_into_the_same_picture_in_its_own_colour(small, tmp_path):
    scene = next(s for s in small["scenes"].values() if s["nodules"])
    background, radiograph, _ = example.radiographs(scene)
    first, second = Finding((8.0, 8.0, 30.0, 30.0), 0.9), Finding((40.0, 40.0, 60.0, 60.0), 0.7)

    def colours(*others):
        paths = write_whole_pictures(tmp_path, background, radiograph, [first], others)
        drawn = np.asarray(Image.open(paths["boxes"])).astype(int)
        return {name: bool((np.abs(drawn - rgb).sum(axis=2) == 0).any()) for name, rgb in
                (("yellow", (255, 221, 0)), ("blue", (86, 180, 233)))}  # fmt: skip

    assert colours() == {"yellow": True, "blue": False}
    assert colours(second) == {"yellow": True, "blue": True}


@pytest.mark.parametrize(("wanted", "told"), [("01234", "2 scenes"), ("9aaaa", "1 scene "), ("8aaaaa", "0 scenes")])
def test_what_begins_not_one_id_is_refused_of_scenes_and_failures_alike(wanted, told):
    ids = ["0123456", "012345f", "9aaaaaa"]
    with pytest.raises(RecordError, match=told) as of_scenes:
        id_of(ids, wanted, "scene")
    with pytest.raises(RecordError, match=told.replace("scene", "failure")) as of_failures:
        find_failure(SimpleNamespace(fuzzing=[SimpleNamespace(id=one, raw={}) for one in ids]), wanted)
    assert of_scenes.value.hint == of_failures.value.hint
    assert id_of(ids, "9aaaaa", "scene") == "9aaaaaa"
