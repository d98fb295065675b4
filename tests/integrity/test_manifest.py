"""The manifest: every byte counts, and what differs is named."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from synnodtest.errors import RecordError
from synnodtest.integrity import manifest


@pytest.fixture
def run(filed, tmp_path):
    return shutil.copytree(filed, tmp_path / "run")


def test_an_untouched_run_verifies(run):
    assert manifest.verify(run) == []


def test_one_changed_byte_of_any_file_is_named(run):
    files = [p for p in run.rglob("*") if p.is_file() and p.name != "manifest.json"]
    assert len(files) > 10
    for path in files:
        whole = path.read_bytes()
        path.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
        assert any(path.relative_to(run).as_posix() in fault for fault in manifest.verify(run)), path
        path.write_bytes(whole)
    assert manifest.verify(run) == []


def test_missing_and_extra_files_are_named(run):
    gone = next((run / "evidence").glob("*.webp"))
    gone.unlink()
    (run / "evidence" / "extra.webp").write_bytes(b"x")
    (run / ".hidden").write_bytes(b"x")
    faults = manifest.verify(run)
    assert f"evidence/{gone.name}: missing" in faults
    assert "evidence/extra.webp: not in the manifest" in faults
    assert ".hidden: not in the manifest" in faults


def test_the_root_digest_can_be_recomputed_by_anyone(run):
    content = json.loads((run / "manifest.json").read_text())
    pairs = sorted([e["path"], hashlib.sha256((run / e["path"]).read_bytes()).hexdigest()] for e in content["files"])
    text = json.dumps(pairs, separators=(",", ":"), ensure_ascii=False)
    assert content["root"]["sha256"] == hashlib.sha256(text.encode()).hexdigest() == manifest.root_digest(run)


def test_the_report_carries_the_root_digest_and_is_listed_by_its_own_hash(run):
    report = (run / "report.html").read_bytes()
    assert report.count(manifest.root_digest(run).encode()) >= 2
    assert manifest.read(run).report == hashlib.sha256(report).hexdigest()
    assert "report.html" not in manifest.read(run).files


def test_a_manifest_edited_to_match_is_found_out(run):
    (run / "results.json").write_bytes((run / "results.json").read_bytes().replace(b"FAILED", b"PASSED", 1))
    manifest.write(run)
    assert manifest.verify(run) == ["report.html: does not carry the root digest of the manifest"]


@pytest.mark.parametrize("change", [
    lambda listed: listed["files"][0].update(bytes=1), lambda listed: listed["root"].update(covers="nothing"),
    lambda listed: listed["report"].update(path="another.html"), lambda listed: listed.update(approved="by all"),
])  # fmt: skip
def test_a_manifest_of_the_same_hashes_that_was_edited_is_found_out(run, change):
    path = run / manifest.FILE_NAME
    listed = json.loads(path.read_bytes())
    change(listed)
    path.write_text(json.dumps(listed))
    assert [fault.partition(":")[0] for fault in manifest.verify(run)] == [manifest.FILE_NAME]


def test_specs_are_held_against_the_record(run, tmp_path):
    (tmp_path / "specs").mkdir()
    assert manifest.verify(run, inputs=tmp_path) == ["specs/paper.yaml: the spec of the run is missing"]
    (tmp_path / "specs" / "paper.yaml").write_text("file!")
    assert manifest.verify(run, inputs=tmp_path) == ["specs/paper.yaml: is not the spec of the run"]
    (tmp_path / "specs" / "paper.yaml").write_text("file")
    assert manifest.verify(run, inputs=tmp_path) == []
    for bent in ("{", "null", '{"identification": {"specs": [{"sha256": ""}]}}'):
        (run / "results.json").write_text(bent)
        assert "results.json: does not say which specs" in manifest.verify(run, inputs=tmp_path)[-1]


def test_a_specification_whose_sha256_the_record_lacks_is_not_taken_for_that_of_the_run(run, tmp_path):
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "paper.yaml").write_text("whatever")
    for specs, fault in (
        ([{"file": "specs/paper.yaml", "file_sha256": ""}], "specs/paper.yaml: the record does not tell its sha256"),
        ([{"file": "specs/paper.yaml"}], "specs/paper.yaml: the record does not tell its sha256"),
        ([{"file": "a.yaml", "included": {"b.yaml": ""}}], "b.yaml: the record does not tell its sha256"),
        ([], "results.json: names no spec"),
    ):
        (run / "results.json").write_text(json.dumps({"identification": {"specs": specs}}))
        assert manifest.verify(run, inputs=tmp_path)[-1] == fault


def test_a_manifest_of_a_folder_without_a_run_does_not_verify(run):
    (run / "results.json").unlink()
    listed = json.loads((run / "manifest.json").read_text())
    listed["files"] = [entry for entry in listed["files"] if entry["path"] != "results.json"]
    (run / "manifest.json").write_text(json.dumps(listed))
    assert "results.json: missing" in manifest.verify(run)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"synnodtest_manifest": 9}', '{"files": 3}'])
def test_a_manifest_that_is_none_is_refused(run, content):
    (run / "manifest.json").unlink()
    if content is not None:
        (run / "manifest.json").write_text(content)
    with pytest.raises(RecordError, match=r"manifest\.json"):
        manifest.verify(run)


def test_a_manifest_that_lists_a_file_twice_is_refused(run):
    content = json.loads((run / "manifest.json").read_text())
    content["files"].append(content["files"][0])
    (run / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(RecordError, match="not a manifest"):
        manifest.verify(run)


def test_without_a_record_there_is_nothing_to_vouch_for(tmp_path):
    with pytest.raises(RecordError, match=r"no results\.json"):
        manifest.write(tmp_path)
