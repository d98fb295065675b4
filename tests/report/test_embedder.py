"""Pictures are embedded once, and an item that has only small ones of a scene shows them."""

import pytest

from synnodtest.decoding import encode
from synnodtest.record.model import PictureEntry, Record
from synnodtest.report.cards import by_rule
from synnodtest.report.context import Context
from synnodtest.report.embedder import Embedder
from tests.record import parts


@pytest.mark.parametrize("failing_first", [True, False])
def test_a_pass_shows_its_thumbnail_though_the_same_scene_fails_elsewhere(tmp_path, failing_first):
    (tmp_path / "s.webp").write_bytes(b"small")
    (tmp_path / "l.webp").write_bytes(b"large and larger")
    passed = PictureEntry("s", "a", "random pass", boxes="s.webp")
    failed = PictureEntry("s", "b", "worst failure", boxes="s.webp", boxes_crop="l.webp")
    gallery = [failed, passed] if failing_first else [passed, failed]
    embedded = Embedder(tmp_path, gallery)
    assert embedded.holds("l.webp")
    assert bool(embedded.data("s.webp")) is not failing_first  # after the large cut it is told to stand above
    assert embedded.data("l.webp")
    assert not embedded.data("s.webp")


def test_a_card_shows_what_no_earlier_card_of_the_scene_shows_and_names_the_rest(tmp_path):
    for name in ("s", "b", "b-0.5"):
        (tmp_path / f"{name}.webp").write_bytes(name.encode())
    gallery = [
        PictureEntry("s", "a", "shown", synthetic="s.webp", boxes="b.webp"),
        PictureEntry("s", "b", "shown", synthetic="s.webp", boxes="b-0.5.webp"),
        PictureEntry("s", "c", "shown", synthetic="s.webp", boxes="b.webp"),
    ]
    context = Context(Record.of(parts.record(gallery=list(map(encode, gallery)))), tmp_path)
    cards = [by_rule(context, [item])[0]["cards"][0] for item in gallery]
    assert [[p["word"] for p in card["panels"]] for card in cards] == [["synthetic", "boxes"], ["boxes"], []]
    assert [[p["word"] for p in card["above"]] for card in cards] == [[], ["synthetic"], ["synthetic", "boxes"]]
    assert [card["again"] for card in cards] == ["", "s-s", "s-s"]
    assert [card["anchor"] for card in cards] == ["s-s", "", ""]
