"""A synthesizer whose truth is not that of its pixels is a fault: it would be believed in verdicts and reports."""

import re
from dataclasses import replace

import numpy as np
import pytest

from synnodtest import Identity
from synnodtest.engine.synthesis import synthesize
from synnodtest.engine.tally import Tally
from synnodtest.errors import SynthesizerError
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from synnodtest.synthesizers.registry import FunctionSynthesizer
from tests.engine.parts import Squares

SCENE = Scene("square-0", (Nodule(14, (60, 60), 0.5), Nodule(8, (90, 60), 0.4, name="other")))


def background():
    squares = Squares()
    return squares.load(squares.backgrounds[0])


def honest(scenes, backgrounds):
    return GaussianSynthesizer().synthesize(scenes, backgrounds)


def nothing(scenes, backgrounds):
    made = zip(honest(scenes, backgrounds), backgrounds, strict=True)
    return [radiograph.with_pixels(untouched.pixels.copy()) for radiograph, untouched in made]


def brighter(scenes, backgrounds):
    made = zip(honest(scenes, backgrounds), backgrounds, strict=True)
    return [r.with_pixels(r.pixels + 2 * (r.pixels - untouched.pixels)) for r, untouched in made]


def telling(**changes):
    def synthesizer(scenes, backgrounds):
        made = honest(scenes, backgrounds)
        return [replace(r, nodules=(replace(r.nodules[0], **changes), *r.nodules[1:])) for r in made]

    return synthesizer


def in_place(scenes, backgrounds):
    for scene, untouched in zip(scenes, backgrounds, strict=True):
        untouched.pixels[:] = honest([scene], [untouched])[0].pixels
    return list(backgrounds)


def call(function, scene=SCENE, of=None, sham_is_identity=True):
    made = FunctionSynthesizer(function, Identity("mine", "1"), sham_is_identity=sham_is_identity)
    return synthesize(made, [scene], [of or background()], Tally())


def test_a_truth_that_is_that_of_the_pixels_is_taken():
    assert [t.name for t in call(honest)[0].radiograph.nodules] == ["nodule", "other"]
    near = replace(SCENE, nodules=(SCENE.nodules[0], replace(SCENE.nodules[1], centre_mm=(62, 62))))
    assert call(honest, near)[0].reason is not None


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (brighter, r"said to have a contrast of 0.500, its pixels 1.500"),
        (telling(contrast=0.3), r"said to have a contrast of 0.300, its pixels 0.500"),
        (telling(contrast=float("nan")), r"said to have a contrast of nan"),
        (telling(diameter_mm=10.0), r"said to have 10.0 mm, its mask has 14"),
        (telling(origin=(-3, 50)), r"leaves the radiograph"),
        (telling(origin=(50, -1)), r"leaves the radiograph"),
        (telling(origin=(120, 50)), r"leaves the radiograph"),
        (telling(origin=(50, 120)), r"leaves the radiograph"),
        (in_place, r"read-only"),
    ],
)
def test_another_truth_than_that_of_mask_and_pixels_is_a_fault(function, told):
    with pytest.raises(SynthesizerError, match=told):
        call(function)


@pytest.mark.parametrize("axis", [0, 1])
def test_nodules_are_measured_alone_from_two_diameters_of_the_larger_on(axis):
    def beside(mm):
        centre = [60, 60]
        centre[axis] += mm
        return replace(SCENE, nodules=(SCENE.nodules[0], replace(SCENE.nodules[1], centre_mm=tuple(centre))))

    assert call(brighter, beside(27))[0].reason is not None
    with pytest.raises(SynthesizerError, match="its pixels"):
        call(brighter, beside(30))


@pytest.mark.parametrize("sham_is_identity", [True, False])
def test_a_synthesizer_that_plants_nothing_has_its_scenes_excluded(sham_is_identity):
    assert "no pixel of its mask changed" in call(nothing, sham_is_identity=sham_is_identity)[0].reason


@pytest.mark.parametrize(
    ("function", "told"),
    [(brighter, "its pixels 1.500"), (telling(contrast=0.1), "its pixels 0.500")],
)
def test_where_what_lies_beneath_is_redrawn_the_truth_is_held_to_its_order_of_magnitude(function, told):
    assert not call(telling(contrast=0.7), sham_is_identity=False)[0].reason
    with pytest.raises(SynthesizerError, match=told):
        call(function, sham_is_identity=False)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"diameter_mm": 26.0}, "realised diameter 14.* mm, requested 26.0 mm"),
        ({"contrast": 0.1}, "realised contrast 0.500, requested 0.100"),
        ({"centre_mm": (40, 60)}, "lies 20.0 mm from the place asked for"),
    ],
)
def test_acceptance_judges_by_what_was_asked_for_not_by_what_the_synthesizer_says_was(asked, reason):
    def stubborn(scenes, backgrounds):
        return telling(requested={})([SCENE] * len(scenes), backgrounds)

    edit = call(stubborn, replace(SCENE, nodules=(replace(SCENE.nodules[0], **asked), SCENE.nodules[1])))[0]
    assert re.search(reason, edit.reason)


def test_no_synthesizer_spoils_the_untouched_radiograph_for_others():
    untouched = background()
    before = untouched.pixels.copy()
    with pytest.raises(SynthesizerError):
        call(in_place, of=untouched)
    assert np.array_equal(untouched.pixels, before)
