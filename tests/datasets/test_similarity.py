"""Copies of a radiograph are found whatever was done to them; other persons are not taken for copies."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from synnodtest.annotated.sets import PhantomSet
from synnodtest.datasets.similarity import DIGITS, SIGNS, near_duplicates, perceptual_hash
from synnodtest.errors import SynnodError


@pytest.fixture(scope="module")
def chests():
    persons = PhantomSet(12, 1, seed=400, size=256)
    nearest = (5, 11, 9, 10, 1, 2, 3, 8)  # pairs of persons who are easily taken for each other
    return [persons.load(persons.cases[k]).pixels for k in nearest]


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
    "cropped": lambda p: p[5:-5, 5:-5],
    "cropped, half the size, jpeg": lambda p: recompressed(p[4:-4, 4:-4][::2, ::2]),
    "a border added": lambda p: np.pad(p, 6),
    "a wide border added": lambda p: np.pad(p, p.shape[0] // 5),
    "a border on two sides, jpeg": lambda p: recompressed(np.pad(p, ((0, 0), (20, 25)), constant_values=1)),
    "cropped on one side": lambda p: p[:, 4:],
    "turned by a degree": lambda p: ndimage.rotate(p, 1, reshape=False, order=1),
    "noise": lambda p: np.clip(p + np.random.default_rng(0).normal(0, 0.02, p.shape), 0, 1).astype(np.float32),
}


@pytest.mark.parametrize("change", COPIES)
def test_a_copy_is_found(chests, change):
    copies = {f"copy {k}": perceptual_hash(COPIES[change](p)) for k, p in enumerate(chests[:4])}
    found = near_duplicates(copies, {str(k): perceptual_hash(p) for k, p in enumerate(chests)})
    assert {(twin.one, twin.other) for twin in found} == {(f"copy {k}", str(k)) for k in range(4)}


def test_a_picture_is_found_in_its_copy_in_a_border_and_the_other_way(chests):
    within = {"within": perceptual_hash(chests[0])}
    border = {"border": perceptual_hash(np.pad(chests[0], 40)), "other": perceptual_hash(np.pad(chests[1], 40))}
    for these, those in ((within, border), (border, within)):
        (twin,) = near_duplicates(these, those)
        assert {twin.one, twin.other} == {"within", "border"}
        assert twin.differing == 0
    assert len(near_duplicates(within | border)) == 1


def test_persons_are_not_taken_for_each_other(chests):
    assert near_duplicates({str(k): perceptual_hash(p) for k, p in enumerate(chests)}) == []


def test_a_copy_within_a_set_is_one_pair(chests):
    hashes = {str(k): perceptual_hash(p) for k, p in enumerate(chests)} | {"again": perceptual_hash(chests[5])}
    (twin,) = near_duplicates(hashes)
    assert (twin.one, twin.other, twin.differing) == ("5", "again", 0)


def test_the_hash_is_the_signs_of_the_steps_and_which_of_them_are_clear():
    """Cells of 4 x 4 pixels with steps drawn: the first 1024 bits are their signs, the next whether they are large."""
    rng = np.random.default_rng(0)
    sizes = rng.permutation(np.linspace(0.01, 1, SIGNS)).reshape(32, 32)
    steps = sizes * rng.choice([-1, 1], (32, 32))
    cells = np.concatenate([np.zeros((32, 1)), steps.cumsum(axis=1)], axis=1) + rng.random((32, 1))
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(perceptual_hash(np.kron(cells, np.ones((4, 4))))), np.uint8))
    assert bits.size == 4 * DIGITS
    np.testing.assert_array_equal(bits[:SIGNS].reshape(32, 32), steps > 0)
    clear = bits[SIGNS : 2 * SIGNS].reshape(32, 32).astype(bool)
    assert sizes[clear].min() > sizes[~clear].max()
    assert clear.mean() == pytest.approx(0.7, abs=0.01)


def test_an_empty_picture_is_nobodys_copy(chests):
    nothing = perceptual_hash(np.zeros((64, 64), dtype=np.float32))
    assert near_duplicates({"nothing": nothing}, {"one": perceptual_hash(chests[0]), "same": nothing}) == []


def test_no_hash_at_all_is_named(chests):
    with pytest.raises(SynnodError, match="of b is not of this version"):
        near_duplicates({"a": perceptual_hash(chests[0]), "b": "f" * 256})


def test_nothing_is_near_nothing():
    assert near_duplicates({}) == near_duplicates({}, {"a": perceptual_hash(np.eye(64, dtype=np.float32))}) == []
