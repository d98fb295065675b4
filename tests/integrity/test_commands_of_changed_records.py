"""Commands that read a run refuse a record that is not as its run wrote it."""

from __future__ import annotations

import io
import os
import sys

import pytest

from synnodtest.cli import main
from synnodtest.integrity import manifest
from synnodtest.record import results
from synnodtest.report import html
from tests.report import example


def test_a_record_that_no_manifest_vouches_for_is_told(tmp_path, capsys):
    where, words = results.write(example.record(20), tmp_path), ["sbom", str(tmp_path), "--out", str(tmp_path / "sbom")]
    assert main(words) == 0
    assert capsys.readouterr().err == f"{where}: no manifest.json tells whether it is as its run wrote it\n"
    manifest.write(tmp_path)
    assert main(words) == 0
    assert capsys.readouterr().err == ""


def test_a_report_whose_files_no_manifest_vouched_for_says_so(tmp_path, capsys, monkeypatch):
    results.write(example.record(20), tmp_path)
    monkeypatch.setattr(html, "render", lambda made, folder, **_: folder / "report.html")
    assert main(["report", str(tmp_path)]) == 0
    told = "no manifest.json told whether its files are as the run wrote them"
    assert told in capsys.readouterr().err
    assert main(["report", str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""


def test_a_run_is_verified_by_its_record_as_by_its_folder(tmp_path, capsys):
    where = results.write(example.record(20), tmp_path)
    manifest.write(tmp_path)
    assert main(["verify", str(where)]) == 0
    by_record = capsys.readouterr()
    assert main(["verify", str(tmp_path)]) == 0
    assert capsys.readouterr() == by_record


def test_a_record_whose_hash_was_edited_beside_it_is_refused(tmp_path, capsys):
    path = results.write(example.record(20), tmp_path)
    manifest.write(tmp_path)
    before = manifest.sha256_of_file(path)
    path.write_bytes(path.read_bytes().replace(b"FAILED", b"PASSED"))
    listed = tmp_path / manifest.FILE_NAME
    listed.write_text(listed.read_text().replace(before, manifest.sha256_of_file(path)))
    assert main(["sbom", str(tmp_path), "--out", str(tmp_path / "sbom")]) == 1
    assert "its root digest is not the digest of its own list" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="all file names are texts")
def test_a_folder_whose_name_is_no_text_is_told(tmp_path, monkeypatch):
    folder = results.write(example.record(20), tmp_path / os.fsdecode(b"run-\xff")).parent
    manifest.write(folder)
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict")
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["verify", str(folder)]) == 0
    out.flush()
    assert b"run-\\udcff: every file is as it was written" in out.buffer.getvalue()


def test_a_file_that_cannot_be_written_is_told_without_a_traceback(tmp_path, capsys):
    results.write(example.record(20), tmp_path)
    taken = tmp_path / "results.json" / "made.json"
    assert main(["compare", *[str(tmp_path)] * 2, "--json", str(taken)]) == 1
    assert f"synnodtest compare: {taken.parent}: File exists" in capsys.readouterr().err


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
