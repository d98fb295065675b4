"""The spec lock: what was fixed before the run, and what was changed afterwards."""

from __future__ import annotations

import json
import sys

import pytest

from synnodtest.canonical import sha256_of
from synnodtest.cli import main
from synnodtest.errors import RecordError
from synnodtest.integrity import lock
from synnodtest.integrity.sources import sources
from synnodtest.spec.loader import load_spec

SPEC = """\
synnodtest: 1
title: Size
behaviours:
  - id: grows
    statement: Larger is surer.
    scenes:
      backgrounds: {set: normal, count: 30}
      nodules: [{diameter_mm: {sweep: [4, 6, 8, 10, 14]}, location: {region: lung}}]
    expect:
      - sensitivity: {at_least: 0.8}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "a.yaml").write_text(SPEC)
    return tmp_path


def load(project):
    return load_spec(project / "specs" / "a.yaml")


def reasons(project, spec, started="2999-01-01T00:00:00+00:00"):
    entries = lock.locked(project / lock.LOCK)
    return lock.exploratory_reasons(
        {spec.path.as_posix(): spec.sha256}, entries, started=started, clean=True, limited=False
    )


def deviations(project, spec):
    return lock.deviations(spec, lock.locked(project / lock.LOCK)[spec.path.as_posix()])


def changed(project, old, new):
    path = project / "specs" / "a.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_frozen_spec_that_is_unchanged_is_confirmatory(project):
    lock.freeze([load(project)], project / lock.LOCK)
    assert reasons(project, load(project)) == []
    assert deviations(project, load(project)) == []


def test_comments_and_layout_do_not_matter_and_freezing_twice_keeps_the_date(project):
    first = lock.freeze([load(project)], project / lock.LOCK).read_text()
    changed(project, "title: Size\n", "# a remark\ntitle:   Size\n")
    assert lock.freeze([load(project)], project / lock.LOCK).read_text() == first


def test_a_margin_changed_after_freezing_is_exploratory_and_listed(project):
    lock.freeze([load(project)], project / lock.LOCK)
    changed(project, "at_least: 0.8", "at_least: 0.7")
    assert "was changed after it was frozen" in reasons(project, load(project))[0]
    (deviation,) = deviations(project, load(project))
    assert deviation["expectation"].endswith("specs/a.yaml::grows")
    assert deviation["what"].endswith("sensitivity.at_least")
    assert (deviation["planned"], deviation["actual"]) == (0.8, 0.7)


def test_new_and_removed_behaviours_are_deviations(project):
    lock.freeze([load(project)], project / lock.LOCK)
    changed(project, "id: grows", "id: shrinks")
    assert [(d["planned"], d["actual"]) for d in deviations(project, load(project))] == [
        ("present", "absent"),
        ("absent", "present"),
    ]


def test_a_spec_that_was_never_frozen_or_frozen_later_is_exploratory(project):
    lock.freeze([], project / lock.LOCK)
    assert "was not frozen" in reasons(project, load(project))[0]
    lock.freeze([load(project)], project / lock.LOCK)
    assert "after the run began" in reasons(project, load(project), "2020-01-01T00:00:00+00:00")[0]


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, "0.yaml was not frozen before the run"),
        (3, "0.yaml, 1.yaml and 2.yaml were not frozen before the run"),
        (12, "12 of 13 specifications were not frozen before the run"),
    ],
)
def test_specs_that_were_never_frozen_are_one_reason(count, told):
    specs = {f"{k}.yaml": "s" for k in range(count)} | {"held.yaml": "s"}
    held = {"held.yaml": lock.Frozen("s", "2026-01-01T00:00:00+00:00")}
    late = "2999-01-01T00:00:00+00:00"
    assert lock.exploratory_reasons(specs, held, started=late, clean=True, limited=False) == [told]


NAMED = """\
      - python: {function: "judges_of_lock:judge"}
      - python: {function: "judges_of_lock:taken_over"}
"""


def with_judges(project, text, monkeypatch):
    """Return the spec of a project in which judges_of_lock.py and what it imports say this."""
    (project / "specs" / "a.yaml").write_text(SPEC + NAMED)
    (project / "judges_of_lock.py").write_text("from judged_elsewhere import taken_over\n\n\ndef judge(e):\n" + text)
    if not (project / "judged_elsewhere.py").exists():
        (project / "judged_elsewhere.py").write_text("def taken_over(e):\n    return None\n")
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", [str(project), *sys.path])
    for name in ("judges_of_lock", "judged_elsewhere"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return load(project)


def said_of_code(project, spec):
    entries, file = lock.locked(project / lock.LOCK), spec.path.as_posix()
    code = {file: sources(spec)}
    late = "2999-01-01T00:00:00+00:00"
    return lock.exploratory_reasons({file: spec.sha256}, entries, started=late, clean=True, limited=False, code=code)


def test_a_check_whose_code_was_changed_after_freezing_is_exploratory(project, monkeypatch):
    lock.freeze([with_judges(project, "    return False\n", monkeypatch)], project / lock.LOCK)
    same = with_judges(project, "    return False\n", monkeypatch)
    assert said_of_code(project, same) == []
    moved = with_judges(project, "    return True  # whatever was found\n", monkeypatch)
    assert moved.sha256 == same.sha256
    told = said_of_code(project, moved)
    assert any("the code of judges_of_lock:judge" in reason for reason in told)
    (project / "judges_of_lock.py").unlink()
    monkeypatch.delitem(sys.modules, "judges_of_lock")
    assert any("judges_of_lock:judge" in reason for reason in said_of_code(project, moved))


def test_a_spec_whose_check_cannot_be_loaded_is_not_frozen(project, monkeypatch, capsys):
    spec = with_judges(project, "    return False\n", monkeypatch)
    (project / "judged_elsewhere.py").unlink()
    assert set(sources(spec).values()) == {""}
    assert main(["freeze", "specs"]) == 1
    told = capsys.readouterr().err
    assert "specs/a.yaml: cannot be frozen: check 'judges_of_lock:judge': no module named 'judged_elsewhere'" in told
    assert not (project / lock.LOCK).exists()


def test_a_check_that_is_defined_in_another_file_is_known_by_that_too(project, monkeypatch):
    lock.freeze([with_judges(project, "    return False\n", monkeypatch)], project / lock.LOCK)
    (project / "judged_elsewhere.py").write_text("def taken_over(e):\n    return True\n")
    told = said_of_code(project, with_judges(project, "    return False\n", monkeypatch))
    assert ["judges_of_lock:judge" in told[0], "judges_of_lock:taken_over" in told[1]] == [True, True]


def test_freezing_again_takes_the_code_as_it_is_and_the_time(project, monkeypatch):
    lock.freeze([with_judges(project, "    return False\n", monkeypatch)], project / lock.LOCK)
    first = (project / lock.LOCK).read_text()
    lock.freeze([with_judges(project, "    return False\n", monkeypatch)], project / lock.LOCK)
    assert (project / lock.LOCK).read_text() == first
    moved = with_judges(project, "    return True\n", monkeypatch)
    lock.freeze([moved], project / lock.LOCK)
    assert said_of_code(project, moved) == []


def test_a_lock_that_does_not_tell_of_code_still_serves(project, monkeypatch):
    spec = with_judges(project, "    return False\n", monkeypatch)
    lock.freeze([spec], project / lock.LOCK)
    content = json.loads((project / lock.LOCK).read_text())
    for entry in content["specs"].values():
        del entry["sources"]
    content["sha256"] = sha256_of(content["specs"])
    (project / lock.LOCK).write_text(json.dumps(content))
    assert said_of_code(project, spec) == []


def test_a_lock_edited_by_hand_is_refused(project):
    path = lock.freeze([load(project)], project / lock.LOCK)
    content = json.loads(path.read_text())
    next(iter(content["specs"].values()))["frozen"] = "2020-01-01T00:00:00+00:00"
    path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match="was changed after it was written"):
        lock.read_lock(path)


def test_a_lock_edited_by_hand_is_refused_without_its_digest_too(project):
    path = lock.freeze([load(project)], project / lock.LOCK)
    content = json.loads(path.read_text())
    del content["sha256"]
    path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match="was changed after it was written"):
        lock.read_lock(path)


def test_a_lock_without_the_resolved_specs_still_serves(project):
    spec = load(project)
    entries = {spec.path.as_posix(): {"sha256": "0" * 64, "frozen": "2020-01-01T00:00:00+00:00"}}
    (project / lock.LOCK).write_text(json.dumps({"synnodtest_lock": 1, "specs": entries}))
    (deviation,) = deviations(project, spec)
    assert deviation["what"] == "specification"


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"synnodtest_lock": 7, "specs": {}}', "[" * 100_000,
                '{"synnodtest_lock": 1, "specs": {"a": {"sha256": "", "frozen": "soon"}}}',
                '{"synnodtest_lock": 1, "specs": {"a": {"sha256": "", "frozen": "2026-01-01T00:00:00"}}}'],
)  # fmt: skip
def test_a_lock_that_is_none_is_refused(project, content):
    (project / lock.LOCK).write_text(content)
    with pytest.raises(RecordError, match="lock"):
        lock.locked(project / lock.LOCK)
