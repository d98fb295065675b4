"""Copies of a radiograph are found whatever was done to them; other persons are not taken for copies."""

import io

import numpy as np
import pytest
from PIL import Image

from synnodtest.datasets.similarity import BITS, NEAR, near_duplicates, perceptual_hash
from synnodtest.training.annotated import PhantomSet


@pytest.fixture(scope="module")
def chests():
    persons = PhantomSet(12, 1, seed=400, size=256)
    return [persons.load(case).pixels for case in persons.cases]


def recompressed(pixels):
    stream = io.BytesIO()
    Image.fromarray((pixels * 255).astype(np.uint8)).save(stream, format="JPEG", quality=40)
    return np.asarray(Image.open(stream)).astype(np.float32) / 255


COPIES = {
    "half the size": lambda p: p[::2, ::2],
    "jpeg": recompressed,
    "gamma": lambda p: p**0.7,
    "mirrored": lambda p: p[:, ::-1],
    "inverted": lambda p: 1 - p,
    "noise": lambda p: np.clip(p + np.random.default_rng(0).normal(0, 0.02, p.shape), 0, 1).astype(np.float32),
}


@pytest.mark.parametrize("change", COPIES)
def test_a_copy_is_found(chests, change):
    copies = {f"copy {k}": perceptual_hash(COPIES[change](p)) for k, p in enumerate(chests[:4])}
    found = near_duplicates(copies, {str(k): perceptual_hash(p) for k, p in enumerate(chests)})
    assert {(twin.one, twin.other) for twin in found} == {(f"copy {k}", str(k)) for k in range(4)}


def test_persons_are_not_taken_for_each_other(chests):
    assert near_duplicates({str(k): perceptual_hash(p) for k, p in enumerate(chests)}) == []


def test_the_hash_is_what_it_says_it_is():
    ramp = np.tile(np.linspace(0, 1, 66, dtype=np.float32), (64, 1))
    assert perceptual_hash(ramp) == "f" * (BITS // 4)
    assert perceptual_hash(1 - ramp) == "0" * (BITS // 4)
    assert 0 < NEAR < BITS / 8
