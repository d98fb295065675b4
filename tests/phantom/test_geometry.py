"""The phantom's solids, projection and regions against brute force and against anatomy."""

import numpy as np
import pytest

from synnodtest.errors import BackgroundError
from synnodtest.phantom import project, sample_anatomy
from synnodtest.phantom.exact_regions import BONE_MM, LUNG_MM
from synnodtest.phantom.grid import Grid
from synnodtest.phantom.projection import resampled
from synnodtest.phantom.solids import EMPTY, ellipsoid, hull, length, outside
from synnodtest.phantom.thorax import Thorax
from tests.loaded import loaded_after

PARTS = ("left_lung", "right_lung", "apical", "hilar", "retrocardiac", "subdiaphragmatic", "peripheral")


@pytest.fixture(scope="module", params=[3, 11])
def projection(request):
    return project(sample_anatomy(request.param), 256)


@pytest.fixture(scope="module")
def collapsed():
    return project(sample_anatomy(3, pneumothorax=True), 256)


def test_an_ellipsoids_chord_is_what_sampling_its_equation_gives():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-30, 30, (2, 60)).astype(np.float32)
    centre, semi, angle = (3.0, -4.0, 5.0), (25.0, 14.0, 9.0), 0.4
    z = np.linspace(-20, 30, 20001)
    u = (x - 3) * np.cos(angle) + (y + 4) * np.sin(angle)
    v = (y + 4) * np.cos(angle) - (x - 3) * np.sin(angle)
    inside = (u[:, None] / 25) ** 2 + (v[:, None] / 14) ** 2 + ((z[None, :] - 5) / 9) ** 2 < 1
    sampled = inside.sum(1) * (z[1] - z[0])
    np.testing.assert_allclose(length(ellipsoid(x, y, centre, semi, angle)), sampled, atol=0.01)


def test_length_outside_overlapping_obstacles_is_what_counting_gives():
    rng = np.random.default_rng(1)
    n, z = 80, np.linspace(-60, 60, 12001)
    ends = np.sort(rng.uniform(-50, 50, (5, n, 2)), axis=2)
    absent = rng.random((5, n)) < 0.3
    absent[0] = False
    intervals = [(np.where(a, EMPTY, e[:, 0]), np.where(a, -EMPTY, e[:, 1])) for a, e in zip(absent, ends, strict=True)]
    covered = np.zeros((n, z.size), dtype=bool)
    for low, high in intervals[1:]:
        covered |= (z > low[:, None]) & (z < high[:, None])
    low, high = intervals[0]
    free = (z > low[:, None]) & (z < high[:, None]) & ~covered
    np.testing.assert_allclose(outside(intervals[0], intervals[1:]), free.sum(1) * (z[1] - z[0]), atol=0.06)


def test_a_hull_with_an_empty_interval_is_the_other_one():
    empty = (np.array([EMPTY]), np.array([-EMPTY]))
    z0, z1 = hull(empty, (np.array([2.0]), np.array([5.0])))
    assert (z0[0], z1[0]) == (2.0, 5.0)


def test_splatting_conserves_mass():
    anatomy = sample_anatomy(5)
    grid = Grid(anatomy, 256)
    rng = np.random.default_rng(2)
    points = rng.normal([0, anatomy.height / 2, 0], 20, (5000, 3))
    volume = rng.uniform(0, 2, 5000)
    image, half = grid.blank(), grid.blank()
    grid.splat((image, half), points, (volume, volume / 2))
    assert image.sum() * grid.spacing**2 == pytest.approx(volume.sum(), rel=1e-5)
    np.testing.assert_allclose(half, image / 2, atol=1e-5)


def test_a_capsule_across_the_beam_has_the_chord_of_a_cylinder():
    anatomy = sample_anatomy(5)
    grid = Grid(anatomy, 512)
    image = grid.blank()
    y = anatomy.height / 2
    grid.capsule(image, (np.array([-40.0, y, 0.0]), np.array([40.0, y, 0.0])), (8.0, 8.0))
    column = int(grid.to_px(np.array([0.0, y, 0.0]))[0])
    away = grid.y[:, 0] - y
    expected = 2 * np.sqrt(np.maximum(64 - away**2, 0))
    np.testing.assert_allclose(image[:, column], expected, atol=0.05)


def test_doubling_keeps_a_linear_ramp():
    ramp = np.arange(8, dtype=np.float32)[None, :].repeat(8, axis=0)
    inner = resampled(ramp, 16)[4, 2:-2]
    np.testing.assert_allclose(np.diff(inner), 0.5, atol=1e-6)


def sampled_lung_mm(projection, rows, columns, step=0.25):
    """Count, point by point along each ray, how much of it lies in lung."""
    thorax = Thorax(projection.anatomy)
    z = np.arange(-160, 160, step)
    total = np.zeros(rows.size)
    for side in (-1, 1):
        x = projection.grid.x[rows, columns]
        y = projection.grid.y[rows, 0]
        points = np.stack([np.repeat(x, z.size), np.repeat(y, z.size), np.tile(z, rows.size)], axis=1)
        total += thorax.is_aerated(side, points).reshape(rows.size, z.size).sum(1) * step
    return total


def test_the_lung_mask_is_where_rays_cross_five_mm_of_lung(projection):
    assert_lung_is_where_lung_is(projection)


def test_the_mask_of_a_collapsed_lung_is_where_rays_cross_five_mm_of_it(collapsed):
    assert_lung_is_where_lung_is(collapsed)


def assert_lung_is_where_lung_is(projection):
    rng = np.random.default_rng(4)
    rows, columns = rng.integers(0, 256, (2, 250))
    mm = sampled_lung_mm(projection, rows, columns)
    clear = np.abs(mm - LUNG_MM) > 0.8
    assert clear.sum() > 225
    assert 50 < (mm >= LUNG_MM).sum() < 200
    np.testing.assert_array_equal(projection.regions["lung"][rows, columns][clear], (mm >= LUNG_MM)[clear])


def test_the_air_leak_has_no_lung_anywhere_along_its_rays(collapsed):
    rows, columns = np.nonzero(collapsed.regions["air_leak"])
    chosen = np.random.default_rng(5).integers(rows.size, size=300)
    assert sampled_lung_mm(collapsed, rows[chosen], columns[chosen]).max() == 0


def test_regions_nest_and_exclude_each_other(projection):
    regions = projection.regions
    for name in PARTS:
        assert regions[name].any()
        assert not (regions[name] & ~regions["lung"]).any(), name
    assert not (regions["left_lung"] & regions["right_lung"]).any()
    np.testing.assert_array_equal(regions["left_lung"] | regions["right_lung"], regions["lung"])
    for one, other in (("apical", "subdiaphragmatic"), ("apical", "retrocardiac"), ("hilar", "peripheral")):
        assert not (regions[one] & regions[other]).any(), (one, other)
    assert not (regions["mediastinum"] & regions["subdiaphragmatic"]).any()
    assert "air_leak" not in regions
    assert regions["rib"].any()
    assert regions["clavicle"].any()


def test_masks_are_read_only(projection):
    with pytest.raises(ValueError, match="read-only"):
        projection.regions["lung"][0, 0] = True


def test_the_air_leak_shares_nothing_with_lung_and_lies_in_the_former_lung(collapsed):
    regions = collapsed.regions
    expanded = project(sample_anatomy(3), 256).regions
    side = "left_lung" if collapsed.anatomy.pneumothorax > 0 else "right_lung"
    other = "right_lung" if collapsed.anatomy.pneumothorax > 0 else "left_lung"
    assert regions["air_leak"].sum() > 300
    for name in ("lung", "mediastinum", *PARTS):
        assert not (regions["air_leak"] & regions[name]).any(), name
    assert (regions["air_leak"] & expanded[side]).sum() > 0.97 * regions["air_leak"].sum()
    np.testing.assert_array_equal(regions[other], expanded[other])
    assert not (regions["lung"] & ~expanded["lung"]).any()


@pytest.mark.parametrize("seed", range(4))
def test_the_anatomy_is_on_its_proper_side(seed):
    projection = project(sample_anatomy(seed + 20), 128)
    regions, grid = projection.regions, projection.grid
    middle = float(np.mean(grid.to_px(np.array([[0.0, 100.0, 0.0]]))[0]))

    def columns(mask):
        return np.nonzero(mask)[1]

    assert columns(regions["left_lung"]).mean() > middle > columns(regions["right_lung"]).mean()
    lower = regions["mediastinum"].copy()
    lower[: int(grid.rows(0, 0.6 * projection.anatomy.height).stop)] = False
    assert columns(lower).max() - middle > 1.4 * (middle - columns(lower).min())
    assert projection.anatomy.dome_right < projection.anatomy.dome_left
    dome_top = {side: np.nonzero(regions["subdiaphragmatic"] & regions[side])[0].min() for side in PARTS[:2]}
    assert dome_top["right_lung"] < dome_top["left_lung"]
    hilum = {side: np.nonzero(regions["hilar"] & regions[side])[0].mean() for side in PARTS[:2]}
    assert hilum["left_lung"] < hilum["right_lung"]


def test_ribs_lie_where_bone_was_projected(projection):
    share = projection.regions["rib"][projection.regions["lung"]].mean()
    assert 0.3 < share < 0.85
    assert BONE_MM < 1


@pytest.mark.parametrize("size", [100, 64, 4096])
def test_an_impossible_size_is_refused(size):
    with pytest.raises(BackgroundError, match="multiple of 64"):
        project(sample_anatomy(1), size)


def test_the_same_person_projects_to_the_same_picture_at_any_size():
    anatomy = sample_anatomy(8)
    fine, coarse = project(anatomy, 384), project(anatomy, 192)
    binned = fine.line.reshape(192, 2, 192, 2).mean(axis=(1, 3))
    assert np.abs(binned - coarse.line).mean() < 0.02
    agree = fine.regions["lung"].reshape(192, 2, 192, 2).mean(axis=(1, 3)) - coarse.regions["lung"]
    assert np.abs(agree).mean() < 0.005


def test_any_multiple_of_64_is_a_size():
    assert project(sample_anatomy(8), 192).line.shape == (192, 192)
    assert project(sample_anatomy(8), 320).line.shape == (320, 320)


def test_projecting_a_phantom_loads_no_more_of_scipy_than_it_needs():
    code = "from synnodtest.phantom import project, sample_anatomy\nproject(sample_anatomy(1), 128)"
    assert loaded_after(code, "scipy.stats", "matplotlib") == []
