"""A box without a diameter gives place and size; with one it is where the centre is drawn."""

import math

import numpy as np
import pytest

from synnodtest.errors import SpecError
from synnodtest.planning.draw import own_recipes
from synnodtest.planning.place import NoPlace, Placer
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph
from synnodtest.spec import load_spec
from synnodtest.spec.plain import behaviour_dict

SPEC = """\
synnodtest: 1
behaviours:
  - id: b
    statement: s
    scenes:
      backgrounds: {{set: normal, count: 2}}
      nodules: [{nodule}]
    expect: [{{sensitivity: {{at_least: 0.5}}}}]
"""


@pytest.fixture
def load(tmp_path):
    def behaviour(nodule):
        path = tmp_path / "s.yaml"
        path.write_text(SPEC.format(nodule=nodule))
        return load_spec(path).behaviours[0]

    return behaviour


def placed(behaviour, spacing=(0.5, 0.25)):
    pixels = np.full((200, 300), 0.4, np.float32)
    radiograph = Radiograph(pixels, spacing, {"lung": np.ones((200, 300), bool)}, background="b0")
    recipe = next(iter(own_recipes(behaviour, [Background("b0", content="0" * 64)], 0)))
    (nodule,) = Placer(radiograph).place(recipe).nodules
    return nodule


def test_the_nodule_fills_the_box_on_each_radiograph(load):
    behaviour = load("{contrast: 0.5, location: {box_px: [100, 40, 180, 80]}}")
    nodule = placed(behaviour)
    assert nodule.centre_mm == (140 * 0.25, 60 * 0.5)
    assert nodule.diameter_mm == pytest.approx(math.sqrt(80 * 0.25 * 40 * 0.5))
    assert placed(behaviour, (1.0, 0.5)).diameter_mm == pytest.approx(2 * nodule.diameter_mm)


def test_with_a_diameter_the_centre_is_drawn_in_the_box_as_before(load):
    nodule = placed(load("{diameter_mm: 9, contrast: 0.5, location: {box_px: [100, 40, 180, 80]}}"))
    assert nodule.diameter_mm == 9
    x, y = nodule.centre_mm[0] / 0.25, nodule.centre_mm[1] / 0.5
    assert (100 <= x <= 180, 40 <= y <= 80) == (True, True)


def test_the_spec_comes_back_from_its_plain_values(load, tmp_path):
    behaviour = load("{contrast: 0.5, location: {box_px: [100, 40, 180, 80]}}")
    (nodule,) = behaviour_dict(behaviour)["scenes"]["nodules"]
    assert "diameter_mm" not in nodule
    assert nodule["location"] == {"box_px": [100.0, 40.0, 180.0, 80.0]}


@pytest.mark.parametrize(
    ("nodule", "message"),
    [
        ("{location: {region: lung}}", "'diameter_mm' is missing"),
        ("{location: {box_px: [1, 2, 30, 40], avoid: [hilar]}}", "'avoid' has nothing left to choose"),
        ("{location: {box_px: [1, 2, 30, 40], min_distance_mm: 5}}", "'min_distance_mm' has nothing left to choose"),
    ],
)
def test_what_contradicts_is_a_clear_error(load, nodule, message):
    with pytest.raises(SpecError, match=message):
        load(nodule)


def test_a_box_beside_the_radiograph_has_no_place(load):
    with pytest.raises(NoPlace, match="lies outside the radiograph of 300 x 200 pixels"):
        placed(load("{contrast: 0.5, location: {box_px: [400, 40, 480, 80]}}"))
