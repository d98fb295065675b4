"""Encoded radiographs: bit-exact, small, and never decoded on another background."""

from dataclasses import replace

import numpy as np
import pytest

from synnodtest.errors import StoreError
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.radiograph_codec import decode_radiograph, encode_radiograph, peek_radiograph


def background(shape=(300, 260), seed=0):
    rng = np.random.default_rng(seed)
    lung = np.zeros(shape, dtype=np.bool_)
    lung[40:200, 30:120] = True
    return Radiograph(
        pixels=rng.random(shape, dtype=np.float32),
        spacing_mm=(0.41, 0.336),
        regions={"lung": lung},
        background="a.png",
        patient="p1",
        strata={"view": "PA"},
        estimated=frozenset({"lung"}),
        source="a.png",
    )


def with_nodules(base, places=((60, 50), (150, 80)), size=21):
    pixels, truths = base.pixels.copy(), []
    y, x = np.mgrid[:size, :size] - size // 2
    disc = y**2 + x**2 <= (size // 2) ** 2
    for index, (row, column) in enumerate(places):
        pixels[row : row + size, column : column + size] += np.where(disc, 0.1, 0).astype(np.float32)
        truths.append(Truth(f"n{index}", disc, (row, column), 8.123456789, 0.3, {"diameter_mm": 8, "radiomics": {}}))
    return base.with_pixels(pixels, tuple(truths))


def assert_same(a, b):
    np.testing.assert_array_equal(a.pixels.view(np.uint32), b.pixels.view(np.uint32))
    assert a.content_sha256() == b.content_sha256()
    for name in ("spacing_mm", "background", "patient", "strata", "estimated", "source"):
        assert getattr(a, name) == getattr(b, name)
    for first, second in zip(a.nodules, b.nodules, strict=True):
        np.testing.assert_array_equal(first.crop, second.crop)
        for name in ("name", "origin", "diameter_mm", "contrast", "requested"):
            assert getattr(first, name) == getattr(second, name)


def test_a_synthesized_radiograph_comes_back_bit_by_bit():
    base = background()
    radiograph = with_nodules(base)
    assert_same(decode_radiograph(encode_radiograph(radiograph, base), base), radiograph)


def test_it_takes_little_more_than_what_changed():
    base = background((1024, 1024))
    data = encode_radiograph(with_nodules(base), base)
    assert len(data) < 2 * 48 * 48 * 4


def test_an_untouched_radiograph_takes_almost_nothing():
    base = background()
    data = encode_radiograph(base, base)
    assert len(data) < 700
    assert_same(decode_radiograph(data, base), base)


def test_odd_values_survive():
    base = background()
    pixels = base.pixels.copy()
    pixels[5, 5:9] = [-0.0, np.nan, np.inf, 1e-40]
    pixels[-1, -1] = -1.0
    radiograph = base.with_pixels(pixels)
    back = decode_radiograph(encode_radiograph(radiograph, base), base)
    np.testing.assert_array_equal(back.pixels.view(np.uint32), pixels.view(np.uint32))


@pytest.mark.parametrize("seed", range(20))
def test_any_scattered_change_survives(seed):
    rng = np.random.default_rng(seed)
    base = background((97, 131), seed)
    pixels = base.pixels.copy()
    for _ in range(rng.integers(1, 30)):
        row, column = rng.integers(0, 97), rng.integers(0, 131)
        pixels[row : row + rng.integers(1, 40), column : column + rng.integers(1, 40)] += np.float32(rng.normal())
    radiograph = base.with_pixels(pixels)
    assert_same(decode_radiograph(encode_radiograph(radiograph, base), base), radiograph)


def test_another_shape_and_other_regions_are_stored_whole():
    base = background()
    other = with_nodules(background((200, 240), seed=3))
    scar = np.eye(200, 240, dtype=bool)
    radiograph = replace(other, regions={"lung": base.regions["lung"][:200, :240], "scar": scar})
    back = decode_radiograph(encode_radiograph(radiograph, base), base)
    assert_same(back, radiograph)
    np.testing.assert_array_equal(back.regions["scar"], scar)


def test_the_content_is_known_without_the_background():
    base = background()
    radiograph = with_nodules(base)
    assert peek_radiograph(encode_radiograph(radiograph, base)).content_sha256 == radiograph.content_sha256()


def test_equal_radiographs_give_equal_bytes():
    base = background()
    assert encode_radiograph(with_nodules(base), base) == encode_radiograph(with_nodules(base), base)


def test_another_background_is_noticed():
    base = background()
    data = encode_radiograph(with_nodules(base), base)
    with pytest.raises(StoreError, match="does not fit"):
        decode_radiograph(data, background(seed=1))


@pytest.mark.parametrize("data", [b"", b"rubbish", b"SNRG\x01\0\0\0\x02{}nonsense"])
def test_other_bytes_are_refused(data):
    with pytest.raises(StoreError, match="not an encoded radiograph"):
        decode_radiograph(data, background())


@pytest.mark.parametrize("regions", ["the background's", "others"])
def test_pixels_at_hand_stand_in_for_those_encoded(regions):
    base = background()
    made = with_nodules(base)
    if regions == "others":
        made = replace(made, regions={"lung": ~base.regions["lung"]})
    data = encode_radiograph(made, base)
    back = decode_radiograph(data, base, pixels=made.pixels)
    assert back.pixels is made.pixels
    assert_same(back, made)
    np.testing.assert_array_equal(back.regions["lung"], made.regions["lung"])


def test_beyond_its_crops_a_radiograph_is_its_background():
    base = background()
    made = with_nodules(base)
    beyond = np.ones(base.shape, bool)
    for row, column, height, width in peek_radiograph(encode_radiograph(made, base)).crops:
        beyond[row : row + height, column : column + width] = False
    assert (made.pixels != base.pixels).any()
    np.testing.assert_array_equal(made.pixels[beyond], base.pixels[beyond])
    assert beyond.mean() > 0.9


def test_a_nodule_without_a_mask_comes_back():
    base = background()
    empty = Truth("n", np.zeros((0, 0), bool), (3, 4), 0.0, 0.0, {})
    made = base.with_pixels(base.pixels.copy(), (empty,))
    assert_same(decode_radiograph(encode_radiograph(made, base), base), made)
