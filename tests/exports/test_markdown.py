"""Markdown summary and badge of a run."""

import json
import xml.etree.ElementTree as ET

import pytest

from synnodtest.exports import markdown
from synnodtest.record.model import Record
from synnodtest.shell.gallery import write_step_summary


def test_every_expectation_stands_in_the_table_with_its_verdict(made):
    text = markdown.summary(made)
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(made["expectations"])
    entries = Record.of(made).expectations
    for row, entry in zip(rows, entries, strict=True):
        assert entry.shown_status in row
    failed = [e for e in entries if e.shown_status == "FAILED"]
    assert failed
    assert all(f"- `{e.id}`: FAILED" in text for e in failed)
    assert all(f"- `{e.id}`: WAIVED by R. Example" in text for e in entries if e.shown_status == "WAIVED")


def test_texts_of_a_spec_become_neither_markdown_nor_html(made):
    made["identification"]["detector"]["name"] = "<img src=x> [a](b) | **c**"
    text = markdown.summary(made)
    assert "<img" not in text
    assert "[a](b)" not in text
    assert "**c**" not in text


def test_numbers_of_another_estimate_than_the_one_of_the_title_are_named(made):
    entry = next(e for e in made["expectations"] if e["kind"] == "non_inferior")
    difference, reference = entry["ruling"]["components"]
    open_still = {"status": "INCONCLUSIVE", "lower": 0.1, "upper": 0.4}
    entry["ruling"] |= {
        "status": "INCONCLUSIVE",
        "components": [difference | {"status": "PASSED"}, reference | open_still],
    }
    (row,) = (
        line for line in markdown.summary(made).splitlines() if line.startswith("| ") and "Non-inferiority" in line
    )
    assert "| 0.10 to 0.40, bound 0.20 \\(sensitivity of the reference arm 'single'\\) |" in row.replace("&#x27;", "'")


def ruled(made, statuses):
    """Leave so many expectations, with these statuses, compared with nothing."""
    made |= {"expectations": made["expectations"][: len(statuses)], "comparison": None}
    made["run"]["profile"] = ""
    for entry, status in zip(made["expectations"], statuses, strict=True):
        entry |= {"status": status, "waived": None}


@pytest.mark.parametrize(
    ("statuses", "colour"),
    [
        (("PASSED", "PASSED"), markdown.GREEN),
        (("PASSED", "INCONCLUSIVE"), "#7a4f00"),
        (("INCONCLUSIVE", "FAILED"), "#a80f2d"),
        (("NOT RUN", "NOT RUN"), markdown.GREY),
        (("PASSED", "NOT RUN"), markdown.GREY),
    ],
)
def test_the_badge_has_the_colour_of_the_worst_verdict(made, tmp_path, statuses, colour):
    ruled(made, statuses)
    markdown.write(made, tmp_path)
    told = json.loads((tmp_path / "badge.json").read_text())
    assert (told["schemaVersion"], told["color"]) == (1, colour)
    drawing = ET.fromstring((tmp_path / "badge.svg").read_text())
    assert [rect.get("fill") for rect in drawing.iter("{http://www.w3.org/2000/svg}rect")][1] == colour
    assert told["message"] in drawing.get("aria-label")


def test_a_badge_is_not_green_where_backgrounds_were_left_out_or_a_limit_exceeded(made):
    ruled(made, ("PASSED", "PASSED"))
    assert markdown.GREEN in markdown.badge(made)
    made["comparison"] = {"limits": [{"limit": "sensitivity:-0.03", "kept": False, "sentence": "x"}]}
    assert markdown.RED in markdown.badge(made)
    assert "limit exceeded" in markdown.badge(made)
    made["comparison"] = None
    made["run"]["profile"] = "at most 3 backgrounds per behaviour"
    assert markdown.GREEN not in markdown.badge(made)
    assert "2 passed, on fewer backgrounds" in markdown.badge(made)


def test_a_badge_is_not_green_where_a_specification_was_left_out_whole(made):
    ruled(made, ("PASSED", "PASSED"))
    made["run"]["left_out"] = ["specs/unreadable.yaml"]
    assert markdown.GREEN not in markdown.badge(made)
    assert "2 passed, 1 specification was left out whole" in markdown.badge(made)


def test_an_interrupted_run_has_no_green_badge(made):
    made["run"]["interrupted"] = True
    assert "interrupted" in markdown.badge(made)
    assert markdown.GREEN not in markdown.badge(made)


def test_github_is_told_below_what_other_steps_have_said(made, tmp_path, monkeypatch):
    target = tmp_path / "step.md"
    target.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(target))
    write_step_summary(Record.of(made), tmp_path / "report.html")
    text = target.read_text()
    assert text.startswith("before\n")
    assert str(tmp_path / "report.html") in text
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    write_step_summary(Record.of(made), tmp_path / "report.html")
    assert target.read_text() == text
