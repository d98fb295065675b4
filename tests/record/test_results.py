"""The record: what is written is read back; whatever is corrupt is refused with file and remedy."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
from importlib import resources

import jsonschema
import pytest

from synnodtest.canonical import canonical_json, plain
from synnodtest.decoding import encode
from synnodtest.errors import RecordError
from synnodtest.evidence.ruling import Component, Ruling, Status
from synnodtest.files import write_atomic
from synnodtest.record import results as record
from synnodtest.record.model import Record
from synnodtest.record.write_schema import text


def test_what_is_written_is_read_back(made, tmp_path):
    path = record.write(made, tmp_path)
    assert record.read(path) == record.read(tmp_path) == plain(made)
    assert path.read_text() == canonical_json(plain(made)) + "\n"
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def test_a_folder_whose_name_is_no_text_is_recorded_and_drawn(made, tmp_path):
    folder = os.fsdecode(b"films of K\xf6ln")
    made["run"]["options"] = {"backgrounds": folder}
    assert record.read(record.write(made, tmp_path))["run"]["options"] == {"backgrounds": folder}
    assert write_atomic(tmp_path / "report.html", folder).read_text() == r"films of K\udcf6ln"


def test_dataclasses_and_nan_become_objects_and_null(made, tmp_path):
    part = Component("s", "s", 0.5, 0.4, math.inf, 0.8, "above", Status.FAILED, "exact")
    made["expectations"][0]["ruling"] = Ruling(Status.FAILED, "FAILED", "s exceeds 0.8", (part,))
    made["expectations"][0]["status"] = Status.FAILED
    read = record.read(record.write(made, tmp_path))["expectations"][0]["ruling"]
    assert read["icc"] is None
    assert read["components"][0]["upper"] is None
    assert read["components"][0]["status"] == "FAILED"
    assert set(read) == {f.name for f in dataclasses.fields(Ruling)}


def test_the_published_schema_accepts_the_example(made):
    jsonschema.Draft202012Validator.check_schema(record.schema())
    jsonschema.validate(plain(made), record.schema())


def test_the_published_schema_is_made_from_the_dataclasses():
    path = resources.files("synnodtest.record").joinpath("record.schema.json")
    assert path.read_text(encoding="utf-8") == text(), "python -m synnodtest.record.write_schema"


def test_a_record_is_read_into_dataclasses(made, tmp_path):
    """What has a key in the record has an attribute of that name, down to the findings."""
    values = plain(made)
    read = record.load(record.write(made, tmp_path))
    assert read == Record.of(values)
    assert [e.id for e in read.expectations] == [e["id"] for e in values["expectations"]]
    for key, scene in values["scenes"].items():
        assert [n.confidence for n in read.scenes[key].nodules] == [n["confidence"] for n in scene["nodules"]]
        assert [f.score for f in read.scenes[key].findings] == [f["score"] for f in scene["findings"]]
        assert read.scenes[key].raw == scene


def test_what_is_written_of_the_dataclasses_loses_nothing(made):
    values = plain(made)
    assert not list(_lost(values, encode(Record.of(values)), ""))


def _lost(before, after, place):
    """Yield keys and values of plain data that are not in another."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from _lost(value, after[key], f"{place}.{key}") if key in after else [f"{place}.{key}"]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from _lost(one, other, f"{place}[]")
    elif before != after:
        yield f"{place}: {before!r} became {after!r}"


SPOILS = {
    "a missing key": lambda r: r["run"].pop("seed"),
    "a wrong type": lambda r: r["run"].update(seed="seven"),
    "a bool for a number": lambda r: r["run"].update(seed=True),
    "an unknown status": lambda r: r["expectations"][0].update(status="GREEN"),
    "a short hash": lambda r: r["identification"]["specs"][0].update(sha256="abc"),
    "a box of three": lambda r: next(iter(r["scenes"].values()))["nodules"][0]["box"].pop(),
    "a negative count": lambda r: r["attrition"].update(accepted=-1),
    "a list for an object": lambda r: r.update(environment=[]),
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_what_jsonschema_refuses_is_refused(made, spoil):
    ready = plain(made)
    record.validate(ready)
    spoil(ready)
    assert not jsonschema.Draft202012Validator(record.schema()).is_valid(ready)
    with pytest.raises(RecordError, match="not a valid record"):
        record.validate(ready)


def test_references_that_lead_nowhere_are_refused(made):
    made["expectations"][0]["worst"] = ["0" * 64]
    with pytest.raises(RecordError, match="there is no scene"):
        record.validate(plain(made))


def test_a_pass_beside_a_ruling_that_is_none_is_refused(made, tmp_path):
    failing = next(e for e in made["expectations"] if e["ruling"] and e["status"] == "FAILED")
    changed = {**made, "expectations": [{**e, "status": "PASSED"} if e is failing else e for e in made["expectations"]]}
    (tmp_path / "results.json").write_text(json.dumps(plain(changed)))
    with pytest.raises(RecordError, match="status: PASSED, and its ruling is FAILED"):
        record.load(tmp_path)
    changed["expectations"] = [{**e, "ruling": None} for e in changed["expectations"]]
    (tmp_path / "results.json").write_text(json.dumps(plain(changed)))
    with pytest.raises(RecordError, match="status: PASSED, and its ruling is not there"):
        record.load(tmp_path)


def test_half_a_character_is_told(made, tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(plain({**made, "sham": "\ud800"})))
    with pytest.raises(RecordError, match=r"a text holds '\\ud800', which is no character"):
        record.load(tmp_path)


def test_keys_that_a_later_release_adds_are_ignored(made, tmp_path):
    made["later"] = {"x": 1}
    made["expectations"][0]["later"] = 1
    assert record.read(record.write(made, tmp_path))["later"] == {"x": 1}


CORRUPT = {
    "empty": b"",
    "cut off": b'{"synnodtest_record": 1, "run": {',
    "not JSON": b"\x89PNG\r\n",
    "another object": b'{"hello": 1}',
    "a list": b"[1, 2]",
    "a later version": b'{"synnodtest_record": 2}',
    "no number": b'{"synnodtest_record": true}',
    "NaN": b'{"synnodtest_record": 1, "run": NaN}',
    "a key twice": b'{"synnodtest_record": 1, "synnodtest_record": 1}',
    "nested too deeply": b'{"synnodtest_record": ' + b"[" * 200_000,
    "no text": b'{"synnodtest_record": "\xff\xfe"}',
    "nothing in it": b'{"synnodtest_record": 1}',
}


@pytest.mark.parametrize("content", CORRUPT.values(), ids=CORRUPT)
def test_a_corrupt_record_is_refused_with_file_and_remedy(content, tmp_path):
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(RecordError) as caught:
        record.read(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_a_missing_and_a_huge_record_are_refused(made, tmp_path):
    with pytest.raises(RecordError, match="cannot be read"):
        record.read(tmp_path / "nowhere")
    path = record.write(made, tmp_path)
    with pytest.raises(RecordError, match="more than"):
        record.read(path, largest_bytes=1000)


def test_a_number_of_400_digits_is_refused(made, tmp_path):
    path = record.write(made, tmp_path)
    path.write_text(path.read_text().replace(f'"seed":{made["run"]["seed"]}', f'"seed":{10**400}', 1))
    with pytest.raises(RecordError, match="a number of 401 digits"):
        record.read(path)


def test_a_record_that_cannot_be_written_leaves_the_old_one(made, tmp_path):
    path = record.write(made, tmp_path)
    before = path.read_bytes()
    made["run"].pop("id")
    with pytest.raises(RecordError):
        record.write(made, tmp_path)
    assert path.read_bytes() == before
    shutil.rmtree(tmp_path)


def test_every_released_key_is_in_the_schema():
    """The promise of version 1: no key vanishes."""
    top = set(record.schema()["properties"])
    assert top >= {
        "synnodtest_record", "run", "identification", "behaviours", "expectations", "scenes", "attrition", "sham",
        "gallery", "environment", "waivers", "deviations", "anomalies", "limitations",
    }  # fmt: skip
    assert json.loads(json.dumps(record.schema()))["properties"]["synnodtest_record"] == {"const": 1}
