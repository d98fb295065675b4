"""Phantom radiographs: determinism, nodules, pneumothorax, the background set."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from synnodtest.errors import BackgroundError
from synnodtest.geometry import equal_area_diameter_mm
from synnodtest.phantom import (
    VERSION,
    PhantomNodule,
    PhantomSet,
    expose,
    project,
    render,
    sample_anatomy,
    sample_nodules,
)
from synnodtest.phantom.nodules import SHAPES, nodule_chord
from synnodtest.radiograph import lung_range


@pytest.fixture(scope="module")
def projection():
    return project(sample_anatomy(7), 512)


def roomy(projection):
    """A place in mm deep inside free lung: far from heart, diaphragm and chest wall."""
    regions = projection.regions
    free = regions["lung"] & ~regions["retrocardiac"] & ~regions["subdiaphragmatic"] & ~regions["mediastinum"]
    row, column = np.unravel_index(np.argmax(ndimage.distance_transform_edt(free)), free.shape)
    spacing = projection.grid.spacing
    return ((column + 0.5) * spacing, (row + 0.5) * spacing)


@pytest.mark.usefixtures("made_anew")
def test_equal_seeds_give_equal_people_and_pictures():
    assert sample_anatomy(4) == sample_anatomy(4)
    one, other = (render(sample_anatomy(4), size=128) for _ in range(2))
    assert one.content_sha256() == other.content_sha256()


def test_different_seeds_give_different_people():
    people = [sample_anatomy(seed) for seed in range(40)]
    assert len({person.width for person in people}) == 40
    assert {person.sex for person in people} == {"F", "M"}
    assert render(people[0], size=128).content_sha256() != render(people[1], size=128).content_sha256()
    for person in people:
        assert 20 <= person.age < 90
        assert 350 <= person.field <= 430
        assert (person.breast > 0) == (person.sex == "F")


def test_a_pneumothorax_changes_only_the_collapse():
    healthy, ill = sample_anatomy(9), sample_anatomy(9, pneumothorax=True)
    assert dataclasses.replace(ill, pneumothorax=0, collapse=0.0) == healthy
    assert ill.pneumothorax in (-1, 1)


def test_a_radiograph_looks_like_one(projection):
    radiograph = expose(projection)
    assert radiograph.pixels.dtype == np.float32
    assert radiograph.pixels.min() >= 0
    assert radiograph.pixels.max() <= 1
    assert radiograph.spacing_mm == pytest.approx((projection.anatomy.field / 512,) * 2)
    assert radiograph.strata == {"sex": projection.anatomy.sex, "age": str(projection.anatomy.age), "view": "PA"}
    assert radiograph.source == f"phantom:{VERSION}/normal/7"
    regions = radiograph.regions
    lung = radiograph.pixels[regions["lung"] & ~regions["retrocardiac"] & ~regions["subdiaphragmatic"]].mean()
    assert radiograph.pixels[:8, :8].mean() < 0.1 < lung < 0.45 < 0.6 < radiograph.pixels[regions["mediastinum"]].mean()


def test_another_noise_seed_is_another_exposure_of_the_same_chest(projection):
    one, other = expose(projection, noise_seed=1), expose(projection, noise_seed=2)
    difference = one.pixels - other.pixels
    assert (difference != 0).mean() > 0.5
    assert abs(float(difference.mean())) < 1e-4
    assert 0.001 < difference[one.regions["lung"]].std() < 0.02


@pytest.mark.parametrize("shape", SHAPES)
def test_a_nodule_changes_only_its_neighbourhood(projection, shape):
    plain = expose(projection)
    planted = expose(projection, [PhantomNodule(18, roomy(projection), shape=shape, seed=3)])
    (truth,) = planted.nodules
    spicules = 13 if shape == "spiculated" else 0  # pixels that they reach beyond the body
    near = ndimage.binary_dilation(truth.mask(plain.shape), iterations=4 + spicules)
    np.testing.assert_array_equal(planted.pixels[~near], plain.pixels[~near])
    assert (planted.pixels - plain.pixels)[truth.mask(plain.shape)].mean() > 0.005


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("diameter", [4, 8, 16, 30])
def test_the_realised_diameter_is_the_requested_one_where_there_is_room(projection, shape, diameter):
    nodule = PhantomNodule(diameter, roomy(projection), shape=shape, seed=diameter)
    (truth,) = expose(projection, [nodule]).nodules
    assert truth.diameter_mm == pytest.approx(diameter, rel=0.03, abs=projection.grid.spacing / 2)
    mask = truth.mask((512, 512))
    assert truth.diameter_mm == pytest.approx(equal_area_diameter_mm(int(mask.sum()), projection.spacing_mm))
    assert truth.requested["shape"] == shape


def test_a_round_nodule_attenuates_as_a_ball():
    radius = 12.0
    away = np.linspace(-15, 15, 301)
    half, density = nodule_chord(PhantomNodule(2 * radius, (0, 0), seed=2), away[None, :], away[:, None])
    volume = (2 * half * density).sum() * 0.1**2
    assert volume == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.2)
    assert half[150, 150] == half.max() == pytest.approx(radius, rel=0.17)


def test_contrast_is_the_mean_added_brightness_over_the_lung_range(projection):
    plain = expose(projection)
    planted = expose(projection, [PhantomNodule(20, roomy(projection))])
    (truth,) = planted.nodules
    mask = truth.mask(plain.shape)
    by_hand = float((planted.pixels - plain.pixels)[mask].mean()) / lung_range(plain)
    assert truth.contrast == pytest.approx(by_hand, rel=0.02)


@pytest.mark.parametrize("contrast", [0.05, 0.1, 0.2])
def test_a_wanted_contrast_is_realised(projection, contrast):
    nodule = PhantomNodule(22, roomy(projection), contrast=contrast)
    (truth,) = expose(projection, [nodule]).nodules
    assert truth.contrast == pytest.approx(contrast, rel=0.03)


def test_larger_nodules_are_brighter_and_ground_glass_is_fainter(projection):
    place = roomy(projection)

    def contrast(diameter, **more):
        return expose(projection, [PhantomNodule(diameter, place, **more)]).nodules[0].contrast

    assert contrast(6) < contrast(12) < contrast(24)
    assert contrast(20, density=0.5) < 0.6 * contrast(20)


def test_nodules_are_planted_in_order_and_overlap_adds(projection):
    x, y = roomy(projection)
    pair = [PhantomNodule(14, (x - 4, y), name="one"), PhantomNodule(14, (x + 4, y), name="two", depth=0.2)]
    both = expose(projection, pair)
    alone = [expose(projection, [nodule]) for nodule in pair]
    assert [truth.name for truth in both.nodules] == ["one", "two"]
    overlap = both.nodules[0].mask(both.shape) & both.nodules[1].mask(both.shape)
    assert overlap.any()
    brightest = np.maximum(alone[0].pixels, alone[1].pixels)[overlap].mean()
    assert both.pixels[overlap].mean() > brightest + 0.005


def test_a_nodule_outside_the_lung_is_none(projection):
    plain = expose(projection)
    planted = expose(projection, [PhantomNodule(10, (5.0, 5.0)), PhantomNodule(10, (-50.0, 9999.0))])
    np.testing.assert_array_equal(planted.pixels, plain.pixels)
    for truth in planted.nodules:
        assert truth.diameter_mm == 0
        assert truth.contrast == 0
        assert not truth.mask(plain.shape).any()


def test_the_chest_wall_cuts_a_nodule(projection):
    lung = projection.regions["lung"]
    row = int(np.nonzero(lung)[0].mean())
    column = int(np.flatnonzero(lung[row])[0])
    spacing = projection.grid.spacing
    (truth,) = expose(projection, [PhantomNodule(20, (column * spacing, row * spacing))]).nodules
    assert 0 < truth.diameter_mm < 18
    assert (truth.mask((512, 512)) & lung).sum() > 0.9 * truth.crop.sum()


@pytest.mark.parametrize("wrong", [{"diameter_mm": 0.2}, {"diameter_mm": 500}, {"shape": "square"}])
def test_an_impossible_nodule_is_refused(wrong):
    with pytest.raises(BackgroundError):
        PhantomNodule(**{"diameter_mm": 10, "centre_mm": (1, 1), **wrong})


def test_the_air_leak_is_darker_than_the_lung_it_replaces():
    healthy, ill = (expose(project(sample_anatomy(7, pneumothorax=p), 256)) for p in (False, True))
    leak = ill.regions["air_leak"]
    assert leak.any()
    assert ill.pixels[leak].mean() < 0.8 * healthy.pixels[leak].mean()
    assert ill.source == f"phantom:{VERSION}/pneumothorax/7"


def test_drawn_nodules_lie_in_lung_apart_from_each_other(projection):
    nodules = sample_nodules(projection, 5, "test")
    assert nodules == sample_nodules(projection, 5, "test")
    assert nodules != sample_nodules(projection, 5, "another")
    assert len(nodules) == 5
    truths = expose(projection, nodules).nodules
    assert min(truth.contrast for truth in truths) >= 0.029
    for truth, nodule in zip(truths, nodules, strict=True):
        assert 5 <= nodule.diameter_mm <= 40
        assert truth.diameter_mm > 0.8 * nodule.diameter_mm
    masks = sum(truth.mask((512, 512)).astype(int) for truth in truths)
    assert masks.max() == 1


def test_a_phantom_set_is_known_without_rendering():
    phantoms = PhantomSet("normal", 3, master_seed=5, size=128)
    assert [background.id for background in phantoms.backgrounds] == [f"phantom-normal-000{k}" for k in range(3)]
    assert all(background.patient == background.id for background in phantoms.backgrounds)
    assert len({background.content for background in phantoms.backgrounds}) == 3
    assert phantoms.identity.name == "phantom"
    assert phantoms.backgrounds == PhantomSet("normal", 9, master_seed=5, size=128).backgrounds[:3]
    elsewhere = (PhantomSet("normal", 3, 6, size=128), PhantomSet("normal", 3, 5), PhantomSet("pneumothorax", 3, 5))
    for other in elsewhere:
        assert not {b.content for b in other.backgrounds} & {b.content for b in phantoms.backgrounds}
        assert other.identity.key() != phantoms.identity.key()


def test_a_phantom_set_loads_what_it_lists():
    phantoms = PhantomSet("pneumothorax", 2, size=128)
    background = phantoms.backgrounds[1]
    radiograph = phantoms.load(background)
    assert radiograph.background == radiograph.patient == background.id
    assert radiograph.strata == background.strata
    assert radiograph.regions["air_leak"].any()
    assert radiograph.nodules == ()
    assert radiograph.content_sha256() == phantoms.load(background).content_sha256()
    with pytest.raises(BackgroundError, match="no background of the phantom set"):
        phantoms.load(PhantomSet("normal", 2, size=128).backgrounds[0])
    with pytest.raises(BackgroundError, match="no background of the phantom set"):
        phantoms.load(dataclasses.replace(background, id="phantom-pneumothorax-0002"))


def test_an_unknown_phantom_set_is_refused():
    with pytest.raises(BackgroundError, match="normal, pneumothorax"):
        PhantomSet("pneumonia", 1)


@pytest.mark.usefixtures("made_anew")
def test_the_pixels_are_the_same_with_any_number_of_threads():
    """A stored radiograph is bits apart from its background; that must be the same on the next machine's cores."""
    limits = pytest.importorskip("threadpoolctl").threadpool_limits
    pixels = []
    for threads in (1, 3):
        with limits(threads):
            pixels.append(render(sample_anatomy(5), size=256).pixels)
    assert all(np.array_equal(pixels[0], other) for other in pixels[1:])
