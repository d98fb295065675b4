"""What people add: device, people, requirements, hazards; and copies of everything that went in."""

from __future__ import annotations

import pytest

from synnodtest.canonical import plain
from synnodtest.errors import RecordError
from synnodtest.integrity import inputs
from synnodtest.record import results as record
from synnodtest.report import html

REPORTS = """\
device: {name: NodeFinder, version: "2.10"}
manufacturer: Example GmbH
intended_use: Second reader.
people:
  - {role: author, name: A. Author}
  - {role: reviewer, name: B. Reviewer, organisation: Example GmbH}
anomalies:
  - {id: ANO-12, what: Crashes above 4096 px, impact: none in this run}
deviations:
  - {what: fewer backgrounds, planned: 100, actual: 80}
limitations: [Phantoms have no motion blur.]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "reports.yaml").write_text(REPORTS)
    (tmp_path / "requirements.csv").write_text(
        'id,title,source\nSRS-014,"Size, monotone",SRS 1.2\nSRS-099,Nobody tests me,\n'
    )
    (tmp_path / "hazards.csv").write_text(
        "ID, Title ,severity\nHAZ-003,Missed nodule,serious\n\nHAZ-099,Fire,critical\n"
    )
    return tmp_path


def test_inputs_reach_the_report(folder, made, tmp_path, drawings):
    filled = inputs.load(folder).fill(made)
    record.validate(plain(filled))
    text = html.render(filled, tmp_path / "run", store=drawings).read_text()
    for said in ("NodeFinder", "2.10", "Example GmbH", "Second reader.", "A. Author", "B. Reviewer", "ANO-12",
                 "fewer backgrounds", "Phantoms have no motion blur.", "SRS-014 Size, monotone"):  # fmt: skip
        assert said in text, said


def test_orphans_are_named_both_ways(folder, made, tmp_path, drawings):
    text = html.render(inputs.load(folder).fill(made), tmp_path / "run", store=drawings).read_text()
    assert "No behaviour tests requirement SRS-099 Nobody tests me." in text
    assert "No behaviour tests hazard HAZ-099 Fire." in text
    assert "The list of requirements does not hold SRS-015, SRS-021 and SRS-031." in text
    assert "The list of hazards does not hold HAZ-001 and HAZ-007." in text
    assert "Tied to no requirement: free-response and retrocardiac." in text
    assert "nothing tests this hazard" in text


def test_no_file_is_needed(tmp_path, made):
    assert inputs.load(tmp_path) == inputs.Inputs()
    assert inputs.load(tmp_path).fill(made)["anomalies"] == []


BAD_YAML = {
    "a misspelt key": ("manufactuer: x\n", r"reports.yaml:1:1: .*did you mean 'manufacturer'"),
    "a person without a role": ("people:\n  - {name: A}\n", r":2:5: people\[0\]: 'role' is missing"),
    "a version that is a number": (
        "device: {version: 2.10}\n",
        r":1:19: device.version: must be a text, but YAML reads 2.1 as a number",
    ),
    "a number that loses its zeros": (
        "anomalies:\n  - {id: 007, what: x}\n",
        r":2:10: anomalies\[0\].id: must be a text, but YAML reads 7 as a number",
    ),
    "a text for a list": ("people: Alice\n", ":1:.*people: must be a list, not the text 'Alice'"),
}


@pytest.mark.parametrize(("text", "said"), BAD_YAML.values(), ids=BAD_YAML)
def test_a_reports_file_that_is_none_is_refused_by_line(tmp_path, text, said):
    (tmp_path / "reports.yaml").write_text(text)
    with pytest.raises(RecordError, match=said):
        inputs.load(tmp_path)


BAD_CSV = {
    "no id column": (b"name,title\na,b\n", "no column 'id'"),
    "empty": (b"", "no column 'id'"),
    "an id twice": (b"id\nA\nA\n", ":3: the id 'A' stands twice"),
    "a row without id": (b"id,title\n,x\n", ":2: a row without an id"),
    "a comma in a title": (b"id,title\nA,Finds nodules, and nothing else\n", "line 2: 3 cells under 2 columns"),
    "no UTF-8": (b"id\n\xff\xfe\n", "UTF-8"),
}


@pytest.mark.parametrize(("data", "said"), BAD_CSV.values(), ids=BAD_CSV)
def test_a_list_that_is_none_is_refused_by_line(tmp_path, data, said):
    (tmp_path / "hazards.csv").write_bytes(data)
    with pytest.raises(RecordError, match=said):
        inputs.load(tmp_path)


def test_inputs_are_kept_where_the_manifest_covers_them(folder, tmp_path):
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "a.yaml").write_text("synnodtest: 1\n")
    elsewhere = tmp_path.parent / f"{tmp_path.name}-x.yaml"
    elsewhere.write_text("x")
    run = tmp_path / "run"
    kept = inputs.keep(run, [tmp_path / "specs" / "a.yaml", elsewhere, tmp_path / "missing"], root=tmp_path)
    assert kept == ["inputs/specs/a.yaml", f"inputs/{elsewhere.name}"]
    assert (run / kept[0]).read_text() == "synnodtest: 1\n"


def test_inputs_of_one_name_from_elsewhere_are_all_kept(tmp_path):
    files = [tmp_path / place / "a.yaml" for place in "xyx"]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_text(file.parent.name)
    run = tmp_path / "project" / "run"
    kept = inputs.keep(run, files, root=tmp_path / "project")
    assert [(name, (run / name).read_text()) for name in kept] == [("inputs/a.yaml", "x"), ("inputs/_a.yaml", "y")]


def test_a_list_as_a_spreadsheet_saves_it_in_utf_16_is_read(tmp_path):
    (tmp_path / "requirements.csv").write_bytes("id,title\r\nR-1,Größe\r\n".encode("utf-16"))
    assert inputs.load(tmp_path).requirements == ({"id": "R-1", "title": "Größe"},)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_list_as_a_spreadsheet_saves_it_where_the_comma_parts_decimals_is_read(tmp_path, delimiter):
    rows = [["id", "title", "source"], ["R-1", "Größe, 1,5 mm", "SRS"]]
    (tmp_path / "requirements.csv").write_text("\r\n".join(map(delimiter.join, rows)), encoding="utf-8-sig")
    assert inputs.load(tmp_path).requirements == ({"id": "R-1", "title": "Größe, 1,5 mm", "source": "SRS"},)


def test_a_quoted_cell_after_a_blank_is_one_cell_without_its_quotes(tmp_path):
    path = tmp_path / "requirements.csv"
    path.write_text('id, title, source\nREQ-1, "Finds nodules, small ones too", SRS 4.2\n')
    assert inputs.read_titles(path) == [{"id": "REQ-1", "title": "Finds nodules, small ones too", "source": "SRS 4.2"}]
