"""Figures of a radiograph that are computed the short way, against the plain one; masks that are kept as bits."""

import copy
import hashlib
import json
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from synnodtest.canonical import DigestedArray, sha256_of_array
from synnodtest.geometry import disc_mask, disc_window
from synnodtest.quantiles import quantile_in
from synnodtest.radiograph import Radiograph, Truth, lung_range, lung_range_after

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
        assert quantile_in(np.sort(values), percent / 100) == np.percentile(values, [percent])[0]


def test_a_pixel_that_is_no_number_leaves_no_quantile():
    values = np.ones(50_000, np.float32)
    values[7] = np.nan
    assert np.isnan(quantile_in(np.sort(values), 0.5))


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


@pytest.mark.parametrize("rows", [1, 31, 32, 33, 100])
def test_an_array_that_begins_as_a_digested_one_has_its_own_digest(rows):
    rng = np.random.default_rng(rows)
    base = rng.random((rows, 7), dtype=np.float32)
    digested = DigestedArray(base)
    for same in range(rows + 1):
        other = base.copy()
        other[same:] += 1
        assert digested.sha256_of(other, same) == digest(other)
        assert digested.sha256_of(np.asfortranarray(other), same) == digest(other)
    for unlike in (base.astype(np.float64), base[:-1], base.T):
        assert digested.sha256_of(unlike, len(unlike)) == sha256_of_array(unlike)


@pytest.mark.parametrize("masks", [("lung",), (), ("hilar",)])
def test_the_range_of_an_edited_lung_is_that_of_all_its_pixels(masks):
    rng = np.random.default_rng(7)
    regions = {name: disc_mask((90, 80), (40, 45), 60, (1.0, 1.0)) for name in masks}
    base = Radiograph(rng.random((90, 80), dtype=np.float32), (1.0, 1.0), regions)
    crops = [(30, 20, 16, 32), (60, 64, 30, 16)]
    for amount in (0.0, 0.01, 3.0, np.nan):
        pixels = base.pixels.copy()
        for row, column, height, width in crops:
            pixels[row : row + height, column : column + width] += np.float32(amount)
        made = base.with_pixels(pixels)
        np.testing.assert_equal(lung_range_after(made, base, crops), lung_range(made))
    assert lung_range_after(base, base, []) == lung_range(base)
    other = replace(base, regions={"lung": np.ones((90, 80), bool)})
    assert lung_range_after(other, base, []) == lung_range(other)


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (3, 5), (8, 8), (17, 9)])
def test_a_truth_keeps_its_mask_as_bits(shape):
    mask = np.random.default_rng(1).random(shape) < 0.5
    truth = Truth("nodule", mask.copy(), (2, 3), 5.0, 0.1)
    changed = replace(truth, contrast=0.2)
    for one in (truth, changed, copy.deepcopy(truth), pickle.loads(pickle.dumps(truth))):
        assert one.crop.dtype == np.bool_
        assert np.array_equal(one.crop, mask)
        assert one.crop.shape == shape
    assert len(truth._bits[0]) == -(-mask.size // 8)


def test_what_is_done_to_a_mask_that_was_given_or_read_leaves_the_truth_as_it_is():
    mask = np.zeros((4, 4), dtype=bool)
    truth = Truth("nodule", mask, (0, 0), 5.0, 0.1)
    mask[1, 1] = True
    truth.crop[2, 2] = True
    assert not truth.crop.any()
    with pytest.raises(FrozenInstanceError):
        truth.crop = ~mask
