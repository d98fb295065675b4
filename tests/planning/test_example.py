"""Examples in words: sides of the patient, whatever the region."""

import pytest

from synnodtest.planning.example import Example


@pytest.mark.parametrize(
    ("part", "sides_of", "told"),
    [
        (0, "lung", "in the right lung"),
        (1, "lung", "in the left lung"),
        (0, "air_leak", "in the right air leak"),
        (1, "", "in part 2 from the image's left"),
        (2, "lung", "in part 3 from the image's left"),
    ],
)
def test_the_image_s_left_is_the_patient_s_right(part, sides_of, told):
    assert str(Example.of({"place.part": part}, sides_of)) == told


def test_words_are_no_part_of_what_an_example_is():
    one, other = Example.of({"place.part": 0}, "lung"), Example.of({"place.part": 0})
    assert one == other
    assert hash(one) == hash(other)
    assert one.key() == other.key()
    assert str(Example.of(one.values | {"diameter_mm": 12.0}, one.sides_of)) == "diameter 12 mm, in the right lung"
