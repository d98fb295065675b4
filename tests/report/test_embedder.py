"""Pictures are embedded once, and an item that has only small ones of a scene shows them."""

import pytest

from synnodtest.record.model import PictureEntry
from synnodtest.report.embedder import Embedder


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
