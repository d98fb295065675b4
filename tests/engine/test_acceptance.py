"""Acceptance of scenes, and what is ruled where synthesizers differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synnodtest.engine.acceptance import (
    _changed_far_away,
    _nodule_rejection,
    _place_rejection,
    contrast_to_noise,
    rejection,
)
from synnodtest.engine.judgement import agree
from synnodtest.evidence.ruling import Ruling, Status
from synnodtest.geometry import disc_mask
from synnodtest.radiograph import Radiograph, Truth, lung_range
from synnodtest.radiograph_codec import encode_radiograph, peek_radiograph
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.gaussian import GaussianSynthesizer


@pytest.fixture(scope="module")
def background() -> Radiograph:
    rng = np.random.default_rng(0)
    pixels = (0.4 + rng.normal(0, 0.05, (240, 240))).astype(np.float32)
    lung = disc_mask((240, 240), (60, 60), 110, (0.5, 0.5))
    return Radiograph(pixels, (0.5, 0.5), {"lung": lung}, background="noise")


@pytest.fixture(scope="module")
def good(background: Radiograph) -> Radiograph:
    scene = Scene("noise", (Nodule(14, (60, 60), 0.5),))
    return GaussianSynthesizer().synthesize([scene], [background])[0]


def spoiled(radiograph: Radiograph, **changes: object) -> Radiograph:
    truth = replace(radiograph.nodules[0], **changes)  # type: ignore[arg-type]
    return replace(radiograph, nodules=(truth,))


def test_a_nodule_as_asked_for_is_accepted(background: Radiograph, good: Radiograph) -> None:
    assert rejection(background, good) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"crop": np.zeros((4, 4), np.bool_)}, "left no mask"),
        ({"diameter_mm": 22.0}, "realised diameter 22.0 mm, requested 14.0 mm"),
        ({"contrast": 0.01}, "realised contrast 0.010, requested 0.500"),
        ({"contrast": 0.2}, "realised contrast 0.200, requested 0.500"),
        ({"contrast": 0.8}, "realised contrast 0.800, requested 0.500"),
        ({"origin": (60, 140)}, "from the place asked for"),
    ],
)
def test_a_nodule_that_is_not_as_asked_for_is_rejected(
    background: Radiograph, good: Radiograph, changes: dict[str, object], reason: str
) -> None:
    assert reason in rejection(background, spoiled(good, **changes))


def test_a_nodule_that_is_claimed_but_not_drawn_is_rejected(background: Radiograph, good: Radiograph) -> None:
    claimed = replace(good, pixels=background.pixels.copy())
    assert "no pixel of its mask changed" in rejection(background, claimed)
    assert rejection(background, spoiled(claimed, contrast=0.0, requested={})) == ""


def test_pixels_changed_far_away_and_lost_pixels_are_rejected(background: Radiograph, good: Radiograph) -> None:
    pixels = good.pixels.copy()
    pixels[3, 3] += 0.01
    assert "far from the nodules" in rejection(background, good.with_pixels(pixels))
    pixels[3, 3] = np.nan
    assert "not finite" in rejection(background, good.with_pixels(pixels))


@pytest.mark.parametrize("place", [(3, 3), (60, 60), (119, 119), (239, 239)])
@pytest.mark.parametrize("value", [0.01, np.nan, 0.0])
def test_it_is_enough_to_look_where_a_radiograph_may_differ(
    background: Radiograph, good: Radiograph, place: tuple[int, int], value: float
) -> None:
    pixels = good.pixels.copy()
    pixels[place] += np.float32(value)
    made = good.with_pixels(pixels)
    crops = peek_radiograph(encode_radiograph(made, background)).crops
    for sham in (False, True):
        assert rejection(background, made, sham=sham, crops=crops) == rejection(background, made, sham=sham)


def test_a_background_that_is_not_finite_is_noticed_beyond_what_changed(background: Radiograph) -> None:
    pixels = background.pixels.copy()
    pixels[200, 200] = np.nan
    torn = background.with_pixels(pixels)
    assert "not finite" in rejection(torn, replace(torn), crops=[])


def test_contrast_to_noise_is_added_brightness_over_the_noise_around(background: Radiograph, good: Radiograph) -> None:
    (truth,) = good.nodules
    assert contrast_to_noise(truth, background) == pytest.approx(0.5 * lung_range(background) / 0.05, rel=0.1)


def test_a_nodule_hidden_by_its_surroundings_is_legitimate(background: Radiograph, good: Radiograph) -> None:
    (truth,) = good.nodules
    rough = background.with_pixels(
        (background.pixels + np.where(good.nodules[0].mask((240, 240)), 0, 1.5) * np.sin(np.arange(240)))
        .astype(np.float32)
        .clip(-9, 9)
    )
    mask = truth.mask((240, 240))
    hidden = replace(rough, regions={"lung": mask})
    assert contrast_to_noise(truth, hidden) < 0.15
    made = np.where(mask, hidden.pixels + np.float32(0.1), hidden.pixels)
    assert rejection(hidden, replace(hidden, pixels=made, nodules=(truth,))) == ""


@pytest.mark.parametrize("contrast", [0.004, 0.01, 0.03])
def test_a_faint_nodule_that_is_what_was_asked_for_is_legitimate(background: Radiograph, contrast: float) -> None:
    scene = Scene("noise", (Nodule(14, (60, 60), contrast),))
    (made,) = GaussianSynthesizer().synthesize([scene], [background])
    assert rejection(background, made) == ""
    assert "requested" in rejection(background, spoiled(made, contrast=contrast + 0.02))


def test_a_white_patch_is_rejected(background: Radiograph, good: Radiograph) -> None:
    mask = good.nodules[0].mask((240, 240))
    pixels = np.where(mask, 1.0, background.pixels).astype(np.float32)
    assert "100% of its mask is white" in rejection(background, good.with_pixels(pixels))


@pytest.mark.parametrize(("share", "reason"), [(0.24, ""), (0.26, "26% of its mask is white")])
def test_up_to_a_quarter_of_a_nodule_may_be_white(
    background: Radiograph, good: Radiograph, share: float, reason: str
) -> None:
    rows, columns = np.nonzero(good.nodules[0].mask((240, 240)))
    some = slice(round(share * len(rows)))
    pixels = good.pixels.copy()
    pixels[rows[some], columns[some]] = 1.0
    assert rejection(background, good.with_pixels(pixels)).endswith(reason)
    assert bool(rejection(background, good.with_pixels(pixels))) is bool(reason)


@pytest.mark.parametrize("bad", [0, 1])
def test_one_nodule_of_two_is_enough_to_exclude_a_scene(background: Radiograph, bad: int) -> None:
    scene = Scene("noise", (Nodule(14, (40, 60), 0.5, name="one"), Nodule(14, (80, 60), 0.5, name="two")))
    (made,) = GaussianSynthesizer().synthesize([scene], [background])
    assert rejection(background, made) == ""
    truths = tuple(replace(t, contrast=0.1) if k == bad else t for k, t in enumerate(made.nodules))
    assert f"nodule '{('one', 'two')[bad]}': realised contrast 0.100" in rejection(
        background, replace(made, nodules=truths)
    )


def test_a_sham_edit_is_asked_for_no_nodule_and_a_radiograph_of_another_size_is_none(
    background: Radiograph, good: Radiograph
) -> None:
    assert rejection(background, replace(good, pixels=background.pixels.copy()), sham=True) == ""
    smaller = Radiograph(good.pixels[:-1], (0.5, 0.5), {}, background="noise", nodules=good.nodules)
    assert "changed the size" in rejection(background, smaller)


def ruling(status: Status) -> Ruling:
    return Ruling(status=status, sentence=f"{status} because", criterion="stated before")


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (Status.FAILED, Status.FAILED, Status.FAILED),
        (Status.PASSED, Status.PASSED, Status.PASSED),
        (Status.FAILED, Status.PASSED, Status.INCONCLUSIVE),
        (Status.PASSED, Status.FAILED, Status.INCONCLUSIVE),
        (Status.FAILED, Status.INCONCLUSIVE, Status.INCONCLUSIVE),
        (Status.PASSED, Status.INCONCLUSIVE, Status.INCONCLUSIVE),
    ],
)
def test_synthesizers_that_differ_decide_nothing(first: Status, second: Status, together: Status) -> None:
    made = agree({"diffusion": ruling(first), "ct-patch": ruling(second)})
    assert made.status is together
    assert ("depends on the synthesizer" in made.sentence) == (first is not second)
    assert [note.partition(":")[0] for note in made.notes[-2:]] == ["diffusion", "ct-patch"]


def _asked(realised: tuple[float, float], asked: dict[str, object], origin: tuple[int, int] = (40, 60)) -> Truth:
    diameter_mm, contrast = realised
    return Truth("n", np.ones((10, 6), bool), origin, diameter_mm, contrast, asked)


@pytest.mark.parametrize(
    ("realised", "asked", "accepted"),
    [
        ((13.9, 0.2), {"diameter_mm": 10.0}, True),  # a third and half a millimetre more
        ((14.1, 0.2), {"diameter_mm": 10.0}, False),
        ((6.1, 0.2), {"diameter_mm": 10.0}, True),
        ((5.9, 0.2), {"diameter_mm": 10.0}, False),
        ((5.8, 0.2), {"diameter_mm": 4.0}, True),
        ((6.0, 0.2), {"diameter_mm": 4.0}, False),
        ((99.0, 0.2), {}, True),  # nothing was asked for
        ((10.0, 0.29), {"contrast": 0.2}, True),  # half as much again
        ((10.0, 0.31), {"contrast": 0.2}, False),
        ((10.0, 0.11), {"contrast": 0.2}, True),
        ((10.0, 0.09), {"contrast": 0.2}, False),
        ((10.0, 0.0029), {"contrast": 0.001}, True),  # what 8 bits round to
        ((10.0, 0.0031), {"contrast": 0.001}, False),
        ((10.0, 0.021), {"contrast": 0.2, "radiomics": {"Sphericity": 0.5}}, True),  # a tenth, where features lead
        ((10.0, 0.019), {"contrast": 0.2, "radiomics": {"Sphericity": 0.5}}, False),
        ((10.0, 0.9), {"contrast": 0.2, "radiomics": {"Sphericity": 0.5}}, True),
    ],
)
def test_a_nodule_is_excluded_from_the_error_on_that_was_fixed_beforehand(
    realised: tuple[float, float], asked: dict[str, object], accepted: bool
) -> None:
    assert (_nodule_rejection(_asked(realised, asked)) == "") is accepted


@pytest.mark.parametrize(
    ("diameter_mm", "away_mm", "origin", "accepted"),
    [
        (9.0, 2.9, (40, 60), True),  # a third of its diameter
        (9.0, 3.1, (40, 60), False),
        (3.0, 1.9, (40, 60), True),  # two millimetres at least
        (3.0, 2.1, (40, 60), False),
        (9.0, 99.0, (0, 60), True),  # the border cuts it
        (9.0, 99.0, (40, 0), True),
        (9.0, 99.0, (90, 60), True),
        (9.0, 99.0, (40, 114), True),
        (9.0, 99.0, (1, 1), False),
        (9.0, 99.0, (89, 113), False),
    ],
)
def test_a_nodule_lies_where_it_was_asked_for(
    diameter_mm: float, away_mm: float, origin: tuple[int, int], accepted: bool
) -> None:
    plain = Radiograph(np.zeros((100, 120), np.float32), (0.5, 2.0))
    centre = ((origin[1] + 3) * 2.0, (origin[0] + 5) * 0.5)
    for x, y in ((away_mm, 0), (-away_mm, 0), (0, away_mm), (0, -away_mm)):
        truth = _asked((diameter_mm, 0.2), {"centre_mm": (centre[0] + x, centre[1] + y)}, origin)
        assert (_place_rejection(truth, plain) == "") is accepted


@pytest.mark.parametrize(("diameter_mm", "asked_mm", "reach"), [(8.0, 8.0, 20.0), (8.0, 12.0, 30.0), (1.0, 1.0, 10.0)])
def test_pixels_may_change_up_to_two_and_a_half_diameters_from_a_nodule(
    diameter_mm: float, asked_mm: float, reach: float
) -> None:
    """In a box of pixels of 0.5 mm by 2 mm about the middle of the nodule, (45, 63)."""
    plain = Radiograph(np.zeros((200, 120), np.float32), (0.5, 2.0))
    truth = _asked((diameter_mm, 0.2), {"diameter_mm": asked_mm})
    rows, columns = int(reach / 0.5), int(reach / 2.0)
    for row, column, far in [
        (45 + rows, 63, False),
        (45 + rows + 1, 63, True),
        (max(45 - rows, 0), 63, False),
        (45, 63 + columns, False),
        (45, 63 + columns + 1, True),
        (45, 63 - columns, False),
        (45, 63 - columns - 1, True),
        (45 + rows, 63 + columns, False),
    ]:
        pixels = plain.pixels.copy()
        pixels[row, column] = 0.5
        made = replace(plain, pixels=pixels, nodules=(truth,))
        assert _changed_far_away(plain, made, (0, 0, *plain.shape)) is far
