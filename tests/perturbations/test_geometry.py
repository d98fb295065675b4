"""Geometry of perturbations against dots, brute force and arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synnodtest import Nodule, Perturbation, Radiograph, Scene
from synnodtest.geometry import disc_mask
from synnodtest.perturbations import map_point, perturb
from synnodtest.synthesizers import GaussianSynthesizer

SHAPE = (120, 150)
SPACING = (0.6, 0.9)
GEOMETRY = [
    [("flip", True)],
    [("flip", "vertical")],
    [("shift_px", [7, -4])],
    [("shift_px", [2.5, 3.25])],
    [("rotate_deg", 5)],
    [("rotate_deg", -33.0)],
    [("rotate_deg", 90)],
    [("rotate_deg", 180)],
    [("scale", 1.3)],
    [("scale", 0.7)],
    [("flip", "horizontal"), ("rotate_deg", 12), ("scale", 1.1), ("shift_px", [-5, 6])],
    [("shift_px", [-5, 6]), ("scale", 1.1), ("gamma", 1.2), ("rotate_deg", 12), ("flip", True)],
]
IDS = ["+".join(f"{kind}={value}" for kind, value in steps) for steps in GEOMETRY]


def perturbations(steps):
    return tuple(Perturbation(kind, value) for kind, value in steps)


def radiograph(spacing=SPACING, *, nodules=True):
    rng = np.random.default_rng(3)
    pixels = (0.2 + 0.2 * rng.random(SHAPE)).astype(np.float32)
    lungs = {name: np.zeros(SHAPE, dtype=bool) for name in ("lung", "left_lung", "right_lung", "air_leak")}
    lungs["right_lung"][20:100, 15:60] = True
    lungs["left_lung"][30:100, 90:140] = True
    lungs["lung"] = lungs["left_lung"] | lungs["right_lung"]
    lungs["air_leak"][25:40, 15:30] = True
    untouched = Radiograph(
        pixels=pixels, spacing_mm=spacing, regions=lungs, background="b", estimated=frozenset({"left_lung", "lung"})
    )
    if not nodules:
        return untouched
    scene = Scene("b", (Nodule(14.0, (48.0, 40.0), 0.4, name="a"), Nodule(10.0, (100.0, 30.0), 0.4, name="b")))
    return GaussianSynthesizer().synthesize([scene], [untouched])[0]


def centroid(weights):
    rows, columns = np.indices(weights.shape) + 0.5
    return float((columns * weights).sum() / weights.sum()), float((rows * weights).sum() / weights.sum())


@pytest.mark.parametrize("steps", GEOMETRY, ids=IDS)
@pytest.mark.parametrize("spacing", [(1.0, 1.0), SPACING])
@pytest.mark.parametrize("dot", [(75.0, 60.0), (52.5, 49.5), (88.0, 71.0)])
def test_a_bright_dot_lands_where_map_point_says(steps, spacing, dot):
    pixels = np.zeros(SHAPE, dtype=np.float32)
    rows, columns = np.indices(SHAPE) + 0.5
    pixels += 0.9 * np.exp(-((columns - dot[0]) ** 2 + (rows - dot[1]) ** 2) / (2 * 2.5**2)).astype(np.float32)
    applied = perturbations(steps)
    moved = perturb(Radiograph(pixels=pixels, spacing_mm=spacing), applied, seed=0)
    weights = np.where(moved.pixels > 0.05, moved.pixels, 0)
    assert centroid(weights) == pytest.approx(map_point(applied, dot, SHAPE, spacing_mm=spacing), abs=0.12)


@pytest.mark.parametrize("steps", GEOMETRY, ids=IDS)
def test_masks_agree_with_pixels(steps):
    """A radiograph that is white exactly in one mask stays white exactly there, but for the pixels of its rim."""
    original = radiograph(nodules=False)
    mask = original.regions["right_lung"]
    drawn = Radiograph(pixels=mask.astype(np.float32), spacing_mm=SPACING, regions={"heart": mask})
    steps = [step for step in steps if step[0] != "gamma"]
    moved = perturb(drawn, perturbations(steps), seed=0)
    rim = (moved.pixels > 0.02) & (moved.pixels < 0.98)
    np.testing.assert_array_equal((moved.pixels >= 0.5)[~rim], moved.regions["heart"][~rim])
    assert moved.regions["heart"].any()
    assert rim.mean() < 0.1


@pytest.mark.parametrize("steps", GEOMETRY, ids=IDS)
def test_the_truth_moves_with_the_brightness_that_was_planted(steps):
    steps = [step for step in steps if step[0] != "gamma"]
    clean, planted = radiograph(nodules=False), radiograph()
    applied = perturbations(steps)
    moved, moved_clean = perturb(planted, applied, seed=0), perturb(clean, applied, seed=0)
    added = moved.pixels - moved_clean.pixels
    for truth in moved.nodules:
        mask = truth.mask(SHAPE)
        assert added[mask].min() > 0.2 * added[mask].max()
    elsewhere = ~np.logical_or.reduce([truth.mask(SHAPE) for truth in moved.nodules])
    assert added[elsewhere].max() < 0.75 * added.max()


@pytest.mark.parametrize("steps", GEOMETRY, ids=IDS)
def test_each_truth_mask_equals_the_whole_mask_moved_as_a_region(steps):
    planted = radiograph()
    as_regions = Radiograph(
        pixels=planted.pixels,
        spacing_mm=SPACING,
        regions={truth.name: truth.mask(SHAPE) for truth in planted.nodules},
        nodules=planted.nodules,
    )
    moved = perturb(as_regions, perturbations(steps), seed=0)
    assert len(moved.nodules) == 2
    for truth in moved.nodules:
        np.testing.assert_array_equal(truth.mask(SHAPE), moved.regions[truth.name])
        pixels = moved.regions[truth.name].sum() * SPACING[0] * SPACING[1]
        assert truth.diameter_mm == pytest.approx(2 * math.sqrt(pixels / math.pi))


@pytest.mark.parametrize("degrees", [5.0, -33.0, 90.0])
def test_a_rotated_disc_is_a_disc_in_millimetres(degrees):
    centre = (60.0, 33.0)
    mask = disc_mask(SHAPE, centre, 20.0, SPACING)
    still = Radiograph(pixels=np.zeros(SHAPE, np.float32), spacing_mm=SPACING, regions={"disc": mask})
    applied = (Perturbation("rotate_deg", degrees),)
    moved = perturb(still, applied, seed=0).regions["disc"]
    x, y = map_point(applied, (centre[0] / SPACING[1], centre[1] / SPACING[0]), SHAPE, spacing_mm=SPACING)
    expected = disc_mask(SHAPE, (x * SPACING[1], y * SPACING[0]), 20.0, SPACING)
    assert (moved & expected).sum() / (moved | expected).sum() > 0.95


def test_a_positive_rotation_is_counter_clockwise_as_seen():
    right_of_centre = (SHAPE[1] / 2 + 10, SHAPE[0] / 2)
    x, y = map_point((Perturbation("rotate_deg", 90),), right_of_centre, SHAPE)
    assert (x, y) == pytest.approx((SHAPE[1] / 2, SHAPE[0] / 2 - 10))


def test_a_quarter_turn_of_a_square_radiograph_is_numpys():
    pixels = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    square = Radiograph(pixels=pixels, spacing_mm=(1.0, 1.0), regions={"bright": pixels > 0.7})
    turned = perturb(square, (Perturbation("rotate_deg", 90),), seed=0)
    np.testing.assert_allclose(turned.pixels, np.rot90(pixels), atol=1e-5)
    np.testing.assert_array_equal(turned.regions["bright"], np.rot90(pixels > 0.7))


@pytest.mark.parametrize("direction", [True, "horizontal", "vertical"])
def test_a_flip_is_numpys_and_flipped_twice_is_identical(direction):
    original = radiograph()
    flip = Perturbation("flip", direction)
    once, twice = perturb(original, (flip,), seed=0), perturb(original, (flip, flip), seed=0)
    axis = 0 if direction == "vertical" else 1
    np.testing.assert_array_equal(once.pixels, np.flip(original.pixels, axis))
    assert twice.content_sha256() == original.content_sha256()
    assert twice.estimated == original.estimated


def test_a_horizontal_flip_swaps_the_names_of_the_sides():
    original = radiograph()
    flipped = perturb(original, (Perturbation("flip", "horizontal"),), seed=0)
    np.testing.assert_array_equal(flipped.regions["left_lung"], np.fliplr(original.regions["right_lung"]))
    np.testing.assert_array_equal(flipped.regions["right_lung"], np.fliplr(original.regions["left_lung"]))
    np.testing.assert_array_equal(flipped.regions["air_leak"], np.fliplr(original.regions["air_leak"]))
    assert flipped.estimated == {"right_lung", "lung"}
    columns = np.flatnonzero(flipped.regions["left_lung"].any(axis=0))
    assert columns.min() > SHAPE[1] / 2


def test_a_vertical_flip_keeps_the_names_of_the_sides():
    original = radiograph()
    flipped = perturb(original, (Perturbation("flip", "vertical"),), seed=0)
    np.testing.assert_array_equal(flipped.regions["left_lung"], np.flipud(original.regions["left_lung"]))


def test_a_whole_shift_moves_pixels_bit_for_bit_and_back():
    original = radiograph()
    there = perturb(original, (Perturbation("shift_px", [7, -4]),), seed=0)
    np.testing.assert_array_equal(there.pixels[:-4, 7:], original.pixels[4:, :-7])
    assert (there.pixels[-4:] == 0).all()
    assert (there.pixels[:, :7] == 0).all()
    back = perturb(there, (Perturbation("shift_px", (-7, 4)),), seed=0)
    np.testing.assert_array_equal(back.pixels[4:, :-7], original.pixels[4:, :-7])
    assert [truth.origin for truth in back.nodules] == [truth.origin for truth in original.nodules]


@pytest.mark.parametrize("steps", [[("rotate_deg", 17), ("rotate_deg", -17)], [("scale", 1.25), ("scale", 0.8)]])
def test_there_and_back_restores_points_and_truth(steps):
    original = radiograph()
    applied = perturbations(steps)
    assert map_point(applied, (40.0, 50.0), SHAPE, spacing_mm=SPACING) == pytest.approx((40.0, 50.0))
    back = perturb(original, applied, seed=0)
    for before, after in zip(original.nodules, back.nodules, strict=True):
        a, b = before.mask(SHAPE), after.mask(SHAPE)
        assert (a & b).sum() / (a | b).sum() > 0.9


def test_scaling_scales_the_realised_diameter_and_keeps_the_spacing():
    original = radiograph()
    bigger = perturb(original, (Perturbation("scale", 1.2),), seed=0)
    assert bigger.spacing_mm == original.spacing_mm
    for before, after in zip(original.nodules, bigger.nodules, strict=True):
        assert after.diameter_mm == pytest.approx(1.2 * before.diameter_mm, rel=0.04)
        assert after.requested == before.requested


def test_truth_that_leaves_is_cut_and_then_dropped():
    original = radiograph()
    first = original.nodules[0]
    x_min, _, x_max, _ = first.box
    middle = (x_min + x_max) / 2
    cut = perturb(original, (Perturbation("shift_px", [-round(middle), 0]),), seed=0)
    assert [truth.name for truth in cut.nodules] == ["a", "b"]
    assert cut.nodules[0].diameter_mm == pytest.approx(first.diameter_mm / math.sqrt(2), rel=0.08)
    gone = perturb(original, (Perturbation("shift_px", [-round(x_max + 1), 0]),), seed=0)
    assert [truth.name for truth in gone.nodules] == ["b"]


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("rotate_deg"), st.floats(-180, 180)),
            st.tuples(st.just("scale"), st.floats(0.2, 5)),
            st.tuples(st.just("shift_px"), st.tuples(st.floats(-30, 30), st.floats(-30, 30))),
            st.tuples(st.just("flip"), st.sampled_from([True, "vertical"])),
        ),
        max_size=4,
    ),
    point=st.tuples(st.floats(0, 40), st.floats(0, 30)),
)
def test_map_point_is_the_product_of_homogeneous_matrices(steps, point):
    shape, spacing = (30, 40), (0.5, 0.8)
    millimetres = np.diag([spacing[1], spacing[0], 1.0])
    centre = np.array([[1, 0, shape[1] / 2], [0, 1, shape[0] / 2], [0, 0, 1]])
    total = np.eye(3)
    for kind, value in steps:
        if kind == "flip":
            step = np.array([[-1.0, 0, shape[1]], [0, 1, 0], [0, 0, 1]])
            if value == "vertical":
                step = np.array([[1.0, 0, 0], [0, -1, shape[0]], [0, 0, 1]])
        elif kind == "shift_px":
            value = (max(min(value[0], 29.0), -29.0), max(min(value[1], 29.0), -29.0))
            step = np.array([[1.0, 0, value[0]], [0, 1, value[1]], [0, 0, 1]])
        elif kind == "scale":
            step = centre @ np.diag([value, value, 1.0]) @ np.linalg.inv(centre)
        else:
            angle = -math.radians(value)
            turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
            to_mm = millimetres @ np.linalg.inv(centre)
            step = np.linalg.inv(to_mm) @ turn @ to_mm
        total = step @ total
    clipped = [
        (k, (max(min(v[0], 29.0), -29.0), max(min(v[1], 29.0), -29.0)) if k == "shift_px" else v) for k, v in steps
    ]
    expected = total @ np.array([*point, 1.0])
    moved = map_point(perturbations(clipped), point, shape, spacing_mm=spacing)
    assert moved == pytest.approx(tuple(expected[:2]), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("step", [("rotate_deg", 0), ("scale", 1), ("shift_px", [0, 0])])
def test_a_neutral_change_returns_the_radiograph_itself(step):
    original = radiograph()
    assert perturb(original, perturbations([step]), seed=0) is original


def test_no_perturbation_returns_the_radiograph_itself():
    original = radiograph()
    assert perturb(original, (), seed=0) is original
    assert map_point((), (3.0, 4.0), SHAPE) == (3.0, 4.0)
