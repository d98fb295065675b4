"""Commands that read a run refuse a record that is not as its run wrote it."""

from __future__ import annotations

import pytest

from synnodtest.cli import main
from synnodtest.integrity import manifest
from synnodtest.record import results
from tests.report import example


@pytest.mark.parametrize(
    "words", [["sbom", "run"], ["replay", "0123", "--report", "run"], ["promote", "fuzz-0123", "--report", "run"]]
)
def test_a_record_that_was_changed_is_refused(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    path = results.write(example.record(20), tmp_path / "run")
    manifest.write(tmp_path / "run")
    main(words)
    assert "not as its run wrote it" not in capsys.readouterr().err
    path.write_text(path.read_text().replace('"seed":7', '"seed":8', 1))
    assert main(words) != 0
    assert "not as its run wrote it" in capsys.readouterr().err
