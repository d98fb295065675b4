"""Promotion adds one example and leaves every other byte of the spec alone."""

import copy

import pytest

from synnodtest.cli import main
from synnodtest.commands.promote import with_explicit
from synnodtest.commands.specs import spec_files
from synnodtest.errors import SynnodError
from synnodtest.record import results as records
from synnodtest.spec import load_spec
from tests.report import example

HEAD = """\
synnodtest: 1     # version
behaviours:
  - id: other
    statement: Another.
    fuzz: {vary: {diameter_mm: [5, 9]}}
    expect: [{detected: {rate_at_least: 0.8}}]
  - id: mine        # the one
    statement: "Mine:   odd   spacing"
"""
TAIL = """\
    expect:
      - detected: {rate_at_least: 0.8}   # bound
"""
EXAMPLE = {"diameter_mm": 7.25, "place": {"part": 1, "height": -0.5}, "perturbations": {"jpeg": 35.5}}


@pytest.mark.parametrize(
    "fuzz",
    [
        "    fuzz:\n      # ranges\n      vary: {diameter_mm: [5, 9]}   # mm\n",
        "    fuzz: { vary: {diameter_mm: [5, 9]} }\n",
        "    fuzz:\n      vary: {diameter_mm: [5, 9]}\n      explicit: [ {diameter_mm: 6} ]   # old\n",
        "    fuzz:\n      vary: {diameter_mm: [5, 9]}\n      explicit: []\n",
        "    fuzz:\n      explicit:\n        # an old one\n        - {diameter_mm: 6}\n"
        "        - diameter_mm: 8\n          contrast: 0.5\n"
        "      vary: {diameter_mm: [5, 9]}\n",
    ],
    ids=["none yet", "flow mapping", "flow list", "empty list", "block list"],
)
def test_an_example_is_added_and_nothing_else_changes(tmp_path, fuzz):
    old = HEAD + fuzz + TAIL
    new = with_explicit(old, "mine", EXAMPLE)
    path = tmp_path / "spec.yaml"
    path.write_text(old)
    before = load_spec(path)
    path.write_text(new)
    after = load_spec(path)
    assert after.behaviour("other") == before.behaviour("other")
    added = [e for e in after.behaviour("mine").fuzz.explicit if e not in before.behaviour("mine").fuzz.explicit]
    assert added == [{"diameter_mm": 7.25, "place.part": 1, "place.height": -0.5, "perturbations.jpeg": 35.5}]
    start = next(i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
    rest = len(old) - start
    assert new[:start] + new[len(new) - rest :] == old


def test_a_behaviour_without_a_search_of_its_own_is_refused():
    with pytest.raises(SynnodError, match="has no 'fuzz' of its own"):
        with_explicit(HEAD + TAIL, "mine", EXAMPLE)


FAILURE = {
    "id": "fuzz-0123456789ab",
    "behaviour": "mine",
    "expectation": "detected",
    "expectation_id": "spec.yaml::mine::detected",
    "kind": "detected",
    "parameters": {"rate_at_least": 0.8},
    "status": "FAILED",
    "example": {"diameter_mm": 7.25, "place": {"part": 0, "height": -0.5}},
    "set": "normal",
    "count": 4,
    "synthesizer": "gaussian",
    "trials": [],
    "counterexamples": [{"example": "diameter 7.25 mm, in the right lung", "replay": "fuzz-0123456789ab"}],
}


def test_a_counterexample_of_an_older_run_is_promoted_and_told_in_words(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(HEAD + "    fuzz: {vary: {diameter_mm: [5, 9]}}\n" + TAIL)
    newest = example.record(20)
    behaviour = newest["behaviours"][0]
    newest["behaviours"] = [*newest["behaviours"], behaviour | {"id": "mine", "file": "spec.yaml"}]
    older = copy.deepcopy(newest)
    older["fuzzing"], newest["fuzzing"] = [FAILURE], []
    records.write(older, tmp_path / "reports" / "20260101T000000Z-aaaaaa")
    records.write(newest, tmp_path / "reports" / "20260202T000000Z-bbbbbb")
    assert main(["promote", "fuzz-0123"]) == 0
    assert "in the right lung" in capsys.readouterr().out
    (explicit,) = load_spec(tmp_path / "spec.yaml").behaviour("mine").fuzz.explicit
    assert explicit["diameter_mm"] == 7.25


@pytest.mark.parametrize("more", [[], ["--region"]])
def test_a_behaviour_that_was_renamed_since_the_run_is_told_with_the_example(tmp_path, monkeypatch, capsys, more):
    monkeypatch.chdir(tmp_path)
    spec = (HEAD + "    fuzz: {vary: {diameter_mm: [5, 9]}}\n" + TAIL).replace("id: mine", "id: renamed")
    (tmp_path / "spec.yaml").write_text(spec)
    record = example.record(20)
    record["behaviours"] = [*record["behaviours"], record["behaviours"][0] | {"id": "mine", "file": "spec.yaml"}]
    record["fuzzing"] = [FAILURE]
    records.write(record, tmp_path / "reports" / "20260101T000000Z-aaaaaa")
    assert main(["promote", "fuzz-0123", *more]) == 1
    said = capsys.readouterr().err
    assert "spec.yaml: there is no behaviour 'mine' any more" in said
    assert "{diameter_mm: 7.25, place: {" in said
    assert (tmp_path / "spec.yaml").read_text() == spec


def test_what_was_promoted_before_is_not_added_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "spec.yaml"
    path.write_text(HEAD + "    fuzz: {vary: {diameter_mm: [5, 9]}}\n" + TAIL)
    record = example.record(20)
    record["behaviours"] = [*record["behaviours"], record["behaviours"][0] | {"id": "mine", "file": "spec.yaml"}]
    other = FAILURE | {"id": "fuzz-aaaaaaaaaaaa", "example": EXAMPLE}
    record["fuzzing"] = [FAILURE, other]
    records.write(record, tmp_path / "reports" / "20260101T000000Z-aaaaaa")
    assert [main(["promote", one]) for one in ("fuzz-0123", "fuzz-aaaa")] == [0, 0]
    before, told = path.read_bytes(), capsys.readouterr().out
    assert before.count(b"7.25") == 2
    assert [main(["promote", one]) for one in ("fuzz-0123", "fuzz-aaaa")] == [0, 0]
    assert path.read_bytes() == before
    assert capsys.readouterr().out.count("nothing to add") == 2
    assert "nothing to add" not in told


def test_a_promotion_that_is_killed_leaves_the_spec_as_it_was_and_no_second_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path, there = tmp_path / "spec.yaml", []
    path.write_text(HEAD + "    fuzz: {vary: {diameter_mm: [5, 9]}}\n" + TAIL)
    record = example.record(20)
    record["behaviours"] = [*record["behaviours"], record["behaviours"][0] | {"id": "mine", "file": "spec.yaml"}]
    record["fuzzing"] = [FAILURE]
    records.write(record, tmp_path / "reports" / "20260101T000000Z-aaaaaa")

    def killed(source, target):
        there.extend([sorted(spec_files([tmp_path])), sum("spec" in file.name for file in tmp_path.iterdir())])
        raise KeyboardInterrupt

    before = path.read_bytes()
    monkeypatch.setattr("synnodtest.files.os.replace", killed)
    assert main(["promote", "fuzz-0123"]) == 130
    assert there == [[path], 2]
    assert path.read_bytes() == before


def test_one_that_is_not_confirmed_is_refused_with_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    record = example.record(20)
    record["fuzzing"] = [FAILURE | {"status": "INCONCLUSIVE"}]
    records.write(record, tmp_path / "reports" / "20260101T000000Z-aaaaaa")
    assert main(["promote", "fuzz-0123"]) == 1
    said = capsys.readouterr().err
    assert "is INCONCLUSIVE: only confirmed ones are promoted" in said
    assert "more examples or backgrounds" in said


def test_the_example_goes_into_the_spec_that_failed_and_not_into_another_with_a_behaviour_of_its_name(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name in ("another.yaml", "spec.yaml"):
        (tmp_path / name).write_text(HEAD + "    fuzz: {vary: {diameter_mm: [5, 9]}}\n" + TAIL)
    record = example.record(20)
    of_id = [record["behaviours"][0] | {"id": "mine", "file": name} for name in ("another.yaml", "spec.yaml")]
    record["behaviours"] = [*record["behaviours"], *of_id]
    record["fuzzing"] = [FAILURE]
    records.write(record, tmp_path / "reports" / "20260101T000000Z-aaaaaa")
    assert main(["promote", "fuzz-0123"]) == 0
    held = [load_spec(tmp_path / name).behaviour("mine").fuzz.explicit for name in ("another.yaml", "spec.yaml")]
    assert [len(explicit) for explicit in held] == [0, 1]


def test_a_promoted_spec_keeps_its_line_ends_and_stays_readable_by_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "spec.yaml"
    path.symlink_to(tmp_path / "shared.yaml")
    old = (HEAD + "    fuzz:\n      vary: {diameter_mm: [5, 9]}\n" + TAIL).replace("\n", "\r\n").encode()
    path.write_bytes(old)
    path.chmod(0o644)
    record = example.record(20)
    record["behaviours"] = [*record["behaviours"], record["behaviours"][0] | {"id": "mine", "file": "spec.yaml"}]
    record["fuzzing"] = [FAILURE]
    records.write(record, tmp_path / "reports" / "20260101T000000Z-aaaaaa")
    assert main(["promote", "fuzz-0123"]) == 0
    new = path.read_bytes()
    assert new.count(b"\r\n") == new.count(b"\n") == old.count(b"\n") + 2
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.is_symlink()
    path.write_bytes("\ufeff".encode("utf-16-le") + old.decode().encode("utf-16-le"))
    assert main(["promote", "fuzz-0123"]) == 1
