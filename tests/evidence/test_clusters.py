"""A radiograph that lies in a set twice is one radiograph."""

from synnodtest.evidence.clusters import with_copies_joined
from synnodtest.ports import Background


def clusters(*backgrounds):
    return [b.cluster for b in with_copies_joined(backgrounds)]


def test_copies_under_two_names_are_one_cluster():
    assert clusters(
        Background("a.png", content="1"), Background("b.png", content="2"), Background("c.png", content="1")
    ) == [
        "a.png",
        "b.png",
        "a.png",
    ]


def test_a_copy_brings_all_images_of_its_patient_with_it():
    got = clusters(
        Background("a.png", content="1"),
        Background("b.png", "p", content="2"),
        Background("c.png", "p", content="1"),
        Background("d.png", "q", content="3"),
    )
    assert got == ["a.png", "a.png", "a.png", "q"]


def test_backgrounds_of_unknown_content_are_told_apart_by_name():
    assert clusters(Background("a"), Background("b"), Background("c", "p"), Background("d", "p")) == [
        "a",
        "b",
        "p",
        "p",
    ]


def test_nothing_else_of_a_background_changes():
    held = (Background("a", "p", {"sex": "F"}, "1"), Background("b", "", {}, "2"))
    assert with_copies_joined(held) == held
    copies = with_copies_joined((*held, Background("c", "", {"sex": "M"}, "2")))
    assert copies[2] == Background("c", "b", {"sex": "M"}, "2")


def test_a_film_with_another_mask_or_spacing_is_the_same_film():
    got = clusters(
        Background("a.png", content="1", film="x"),
        Background("b.png", content="2", film="x"),
        Background("c.png", content="2", film="y"),
    )
    assert got == ["a.png", "a.png", "c.png"]
