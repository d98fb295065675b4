"""Masks kept as bits answer as the arrays they were made from, read or unread."""

import pickle

import numpy as np
import pytest

from synnodtest.canonical import sha256_of_array
from synnodtest.geometry import bits_of
from synnodtest.masks import PackedMasks, digests_of, held_at, shown_among
from synnodtest.radiograph import Radiograph

SHAPE = (37, 29)  # not a whole number of bytes


@pytest.fixture
def masks():
    rng = np.random.default_rng(0)
    made = {name: rng.random(SHAPE) < share for name, share in (("lung", 0.5), ("heart", 0.1), ("abdomen", 0.9))}
    return made | {"leak": np.zeros(SHAPE, bool)}


def packed(masks):
    return PackedMasks({name: bits_of(mask) for name, mask in masks.items()}, SHAPE)


@pytest.mark.parametrize("read", [False, True], ids=["unread", "read"])
def test_they_answer_as_the_arrays(masks, read):
    kept = packed(masks)
    if read:
        assert all(np.array_equal(kept[name], masks[name]) for name in masks)
    assert list(kept) == list(masks)
    assert len(kept) == 4
    assert "heart" in kept
    assert "liver" not in kept
    assert digests_of(kept, masks) == digests_of(masks, masks)
    assert digests_of(kept, ["lung"]) == {"lung": sha256_of_array(np.packbits(masks["lung"]))}
    assert shown_among(kept) == shown_among(masks) == {"lung", "heart", "abdomen"}
    rows, columns = np.divmod(np.arange(SHAPE[0] * SHAPE[1]), SHAPE[1])
    np.testing.assert_array_equal(held_at(kept, rows, columns), [mask.ravel() for mask in masks.values()])
    np.testing.assert_array_equal(held_at(masks, rows, columns), held_at(kept, rows, columns))
    for name in masks:
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(kept))[name], masks[name])
    with pytest.raises(KeyError):
        kept["liver"]


def test_what_is_written_into_one_that_was_read_counts(masks):
    kept = packed(masks)
    kept["heart"][:] = False
    kept["leak"][3, 4] = True
    assert shown_among(kept) == {"lung", "abdomen", "leak"}
    assert held_at(kept, np.array([3, 4]), np.array([4, 3]))[list(kept).index("leak")].tolist() == [True, False]
    assert digests_of(kept, ["heart"]) == digests_of({"heart": np.zeros(SHAPE, bool)}, ["heart"])


def test_the_content_of_a_radiograph_is_the_same_either_way(masks):
    pixels = np.zeros(SHAPE, np.float32)
    given, kept = (Radiograph(pixels, (1.0, 1.0), regions) for regions in (masks, packed(masks)))
    assert kept.content_sha256() == given.content_sha256()
    assert kept.content_sha256(like=kept) == given.content_sha256(like=given) == given.content_sha256()
    assert kept.shown_regions == given.shown_regions
