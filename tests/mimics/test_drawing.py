"""Mimics against physics and geometry: what they stop of the beam, what they leave alone, what their masks say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from synnodtest import Perturbation, Radiograph, SynthesizerError
from synnodtest.attenuation.beam import beam_of
from synnodtest.mimics import mimic_kinds, mimic_mask, with_mimics
from synnodtest.mimics.draw import BLUR_MM, SCATTER
from synnodtest.mimics.parts import BRASS, CALCIUM, PLASTIC, SOFT, tube
from synnodtest.perturbations import perturb
from synnodtest.phantom import PhantomSet
from synnodtest.scene import Mimic, Scene

CENTRE = (60.0, 90.0)


@pytest.fixture(scope="module")
def film():
    phantoms = PhantomSet("normal", 1, 0, size=256)
    return phantoms.load(phantoms.backgrounds[0])


@pytest.fixture
def flat():
    """A film that is even: 0.5 mm pixels, and a lung whose range is 0.4."""
    pixels = np.full((240, 240), 0.3, dtype=np.float32)
    pixels[:10], pixels[10:20] = 0.1, 0.5
    lung = np.zeros(pixels.shape, dtype=bool)
    lung[:40] = True
    return Radiograph(pixels, (0.5, 0.5), {"lung": lung})


def usual(kind, radiograph, seed=0):
    rows, columns = np.nonzero(kind.usual_place(radiograph))
    pick = np.random.default_rng(seed).integers(rows.size)
    centre = ((columns[pick] + 0.5) * radiograph.spacing_mm[1], (rows[pick] + 0.5) * radiograph.spacing_mm[0])
    return Mimic(kind.name, centre, sum(kind.sizes_mm) / 2, seed=seed)


@pytest.mark.parametrize("name", mimic_kinds())
def test_a_mimic_is_brighter_than_what_was_there_and_leaves_the_rest_bit_for_bit(name, film):
    mimic = usual(mimic_kinds()[name], film, seed=3)
    made = with_mimics(film, [mimic], seed=1)
    (truth,) = made.mimics
    mask = truth.mask(film.shape)
    assert mask.any()
    assert (mask == mimic_mask(film, mimic)).all()
    assert truth.contrast > 0.01
    changed = made.pixels != film.pixels
    assert changed.any()
    if name != "rib-crossing":  # its mask is the overlap alone
        reach = int(np.ceil((4 * BLUR_MM + 60 * (name == "vessel-end-on") + 10) / film.spacing_mm[0]))
        assert not (changed & ~ndimage.binary_dilation(mask, iterations=reach)).any()
    assert made.altered
    assert made.nodules == film.nodules
    again = with_mimics(film, [mimic], seed=1)
    assert (again.pixels == made.pixels).all()
    assert again.content_sha256() == made.content_sha256()
    other = with_mimics(film, [replace(mimic, seed=4)], seed=1)
    assert (other.pixels != made.pixels).any()


def stopped(before, after, where):
    """The share of the exposure that is gone at some pixels."""
    return 1 - beam_of(after).intensity[where].mean() / beam_of(before).intensity[where].mean()


def test_metal_plastic_and_gel_of_an_electrode_stop_what_beer_and_lambert_say(flat):
    made = with_mimics(replace(flat), [Mimic("ecg-electrode", CENTRE, 22.0)])
    middle = np.s_[179:182, 119:122]  # twice as large as usual: 5 mm of brass, 6 of plastic, 2 of gel
    log = BRASS * 5.0 + PLASTIC * 6.0 + SOFT * 2.0
    assert stopped(flat, made, middle) == pytest.approx((1 - SCATTER) * (1 - np.exp(-log)), rel=0.02)


def test_a_granuloma_stops_what_a_ball_of_calcium_with_a_core_does(flat):
    made = with_mimics(flat, [Mimic("calcified-granuloma", CENTRE, 20.0, seed=2)])
    middle = np.s_[178:182, 118:122]
    least, most = ((1 - np.exp(-CALCIUM * 20.0 * (1 + k))) * (1 - SCATTER) for k in (0.45, 0.56))
    assert least < stopped(flat, made, middle) < most


def test_the_mask_of_a_granuloma_has_the_area_of_its_ball(flat):
    (truth,) = with_mimics(flat, [Mimic("calcified-granuloma", CENTRE, 20.0)]).mimics
    assert 20.0 <= truth.diameter_mm < 21.5, "crumbs at the edge add a little"
    (truth,) = with_mimics(flat, [Mimic("nipple", CENTRE, 12.0)]).mimics
    assert 9.5 < truth.diameter_mm <= 12.0, "the inner side fades"


def test_a_nipple_is_sharp_on_its_outer_side(flat):
    for x, outward in ((40.0, -1), (80.0, 1)):
        made = with_mimics(flat, [Mimic("nipple", (x, 90.0), 12.0)])
        row = (made.pixels - flat.pixels)[180]
        centre = int(x / 0.5)
        outer, inner = (row[centre + side * 9].mean() for side in (outward, -outward))
        assert outer > 2 * inner


def test_lead_and_line_reach_the_border(film):
    for name in ("ecg-electrode", "line"):
        mask = with_mimics(film, [Mimic(name, (150.0, 160.0), 11.0 if name != "line" else 2.3)]).mimics[0]
        x0, y0, x1, y1 = mask.box
        assert x0 == 0 or y0 == 0 or x1 == film.shape[1] or y1 == film.shape[0] or _ends_in_air(film, mask)


def _ends_in_air(film, truth):
    """Beyond the body the radiograph is black, and nothing shows there."""
    black = ndimage.binary_dilation(film.pixels <= 0, iterations=2)
    return bool((black & truth.mask(film.shape)).any())


def test_a_tube_has_no_thickness_beyond_its_radius_whatever_that_is():
    """The square of 1.3795 by multiplication exceeds that by power in the last bit."""
    part = tube(np.array([[0.0, 0.0], [5.0, 0.0]]), 1.3795, 0.5, bore=0.5)
    thickness = part.thickness(np.array([0.0, 2.0, 2.0]), np.array([0.0, 1.3795, 9.0]))
    assert thickness[0] == pytest.approx(2 * (1.3795 - 0.5), abs=0.01)
    np.testing.assert_array_equal(thickness[1:], 0)


def test_masks_move_with_the_radiograph_and_are_cut_by_the_shutter(film):
    made = with_mimics(film, [Mimic("nipple", (150.0, 200.0), 12.0)])
    mask = made.mimics[0].mask(film.shape)
    flipped = perturb(made, (Perturbation("flip", "horizontal"),), 0)
    assert (flipped.mimics[0].mask(film.shape) == mask[:, ::-1]).all()
    assert flipped.mimics[0].name == "distractor"
    assert flipped.nodules == ()
    gone = perturb(made, (Perturbation("collimation", 170),), 0)
    assert gone.mimics == ()


def test_impossible_mimics_are_told(film):
    for mimic, words in (
        (Mimic("nippel", CENTRE, 9.0), "not known"),
        (Mimic("nipple", CENTRE, 0.0), "size_mm"),
        (Mimic("nipple", (-3.0, 9.0), 9.0), "outside"),
    ):
        with pytest.raises(SynthesizerError, match=words):
            with_mimics(film, [mimic])


def test_a_scene_without_mimics_keeps_its_key_and_one_with_them_is_rebuilt():
    plain = Scene("b")
    assert plain.key() == "27cf49cbe071006dffd1dc09d79c2254a6cb7348570aa64209ccbe1ecbd5d6f3"
    scene = replace(plain, mimics=(Mimic("clip", (3.0, 4.0), 7.0, "c", 5),))
    assert Scene.from_dict(scene.as_dict()) == scene
    assert scene.key() != plain.key()
