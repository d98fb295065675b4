"""A replayed scene whose pixels are rounded otherwise is told from one with other nodules."""

from __future__ import annotations

import copy

from synnodtest.commands.replay import _alike
from tests.report import example


def test_other_nodules_are_not_alike(small):
    scene = next(s for s in small["scenes"].values() if s["nodules"])
    _, radiograph, _ = example.radiographs(scene)
    recorded = [
        {"name": n.name, "diameter_mm": n.diameter_mm, "contrast": n.contrast, "box": list(n.box)}
        for n in radiograph.nodules
    ]
    assert _alike(radiograph, recorded)
    for key, value in (("diameter_mm", 0.2), ("contrast", 0.01)):
        other = copy.deepcopy(recorded)
        other[0][key] += value
        assert not _alike(radiograph, other)
    moved = copy.deepcopy(recorded)
    moved[0]["box"][0] -= 3
    assert not _alike(radiograph, moved)
    assert not _alike(radiograph, [])
