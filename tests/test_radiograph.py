"""Figures of a radiograph that are computed the short way, against the plain one."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from synnodtest.geometry import disc_mask, disc_window
from synnodtest.radiograph import Radiograph, lung_range, quantile_of

SIZES = [1, 2, 3, 10, 777, 40_960, 41_000, 300_000]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["even", "normal", "few values", "sorted", "constant"])
def test_a_quantile_is_numpys_to_the_last_bit(size, kind):
    rng = np.random.default_rng(size)
    values = {
        "even": rng.random(size),
        "normal": rng.normal(size=size),
        "few values": np.round(rng.random(size) * 8) / 8,
        "sorted": np.sort(rng.random(size)),
        "constant": np.full(size, 0.3),
    }[kind].astype(np.float32)
    for percent in (0, 5, 50, 95, 100):
        assert quantile_of(values, percent / 100) == np.percentile(values, [percent])[0]


def test_a_pixel_that_is_no_number_leaves_no_quantile():
    values = np.ones(50_000, np.float32)
    values[7] = np.nan
    assert np.isnan(quantile_of(values, 0.5))


def test_the_range_of_the_lung_is_that_of_its_pixels():
    rng = np.random.default_rng(3)
    lung = np.zeros((400, 380), bool)
    lung[30:370, 20:350] = True
    radiograph = Radiograph(rng.random(lung.shape, dtype=np.float32), (0.4, 0.4), {"lung": lung})
    low, high = np.percentile(radiograph.pixels[lung], [5, 95])
    assert lung_range(radiograph) == float(high - low)


@pytest.mark.parametrize("centre", [(20.0, 30.0), (0.5, 0.2), (55.9, 39.0), (-3.0, 20.0), (90.0, 20.0)])
@pytest.mark.parametrize("diameter", [0.3, 8.0, 31.0])
def test_a_disc_is_the_same_in_its_window(centre, diameter):
    shape, spacing = (80, 70), (0.5, 0.8)
    cut, inside = disc_window(shape, centre, diameter, spacing)
    whole = np.zeros(shape, bool)
    whole[cut] = inside
    np.testing.assert_array_equal(whole, disc_mask(shape, centre, diameter, spacing))


def digest(array):
    return hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()


def test_the_content_is_the_same_whosever_regions_were_digested_before():
    rng = np.random.default_rng(0)
    masks = {name: rng.random((64, 48)) < 0.5 for name in ("lung", "hilar", "@control")}
    base = Radiograph(rng.random((64, 48), dtype=np.float32), (0.5, 0.4), masks)
    made = replace(base, pixels=base.pixels + np.float32(0.01))
    parts = {
        "pixels": digest(made.pixels),
        "spacing_mm": [0.5, 0.4],
        "regions": {name: digest(np.packbits(masks[name])) for name in ("hilar", "lung")},
        "nodules": [],
    }
    plain = hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    assert made.content_sha256(like=base) == made.content_sha256() == plain
    other = replace(made, regions={**masks, "lung": ~masks["lung"]})
    assert other.content_sha256(like=base) == other.content_sha256() != plain
