"""The committed schema is the one that the kinds give; the record's ranges have one source."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from synnodtest.expectations.registry import claims, kinds
from synnodtest.spec.language import built_in, text
from synnodtest.spec.write_schema import KINDS, tables, with_rows


def test_the_committed_schema_is_what_the_kinds_give():
    committed = files("synnodtest.spec").joinpath("schema.json").read_text(encoding="utf-8")
    assert committed == text(built_in()), "write it anew: python -m synnodtest.spec.write_schema"


@pytest.mark.parametrize(("file", "head", "rows"), tables(), ids=lambda part: part if isinstance(part, str) else "")
def test_the_tables_of_the_documentation_name_every_kind(file, head, rows):
    page = (Path(__file__).parents[2] / "docs" / file).read_text(encoding="utf-8")
    assert head in page
    assert with_rows(page, head, rows) == page, "add the rows: python -m synnodtest.spec.write_schema"


def test_a_kind_that_the_tables_do_not_name_gets_a_row_and_the_others_stay():
    rows = {name: f"| `{name}` | it holds | |" for name in (*kinds(), "unheard_of")}
    written = (Path(__file__).parents[2] / "docs" / "spec.md").read_text(encoding="utf-8")
    page = with_rows(written, KINDS, {name: rows[name] for name in kinds()})
    longer = with_rows(page, KINDS, rows)
    (new,) = set(longer.split("\n")) - set(page.split("\n"))
    assert new == rows["unheard_of"]
    assert longer.replace(new + "\n", "") == page
    lines = longer.split("\n")
    assert lines[lines.index(new) - 1].startswith("| `")
    assert with_rows(longer, KINDS, rows) == longer


def test_a_kind_reads_back_every_default_that_the_schema_states():
    for kind in [*kinds().values(), *claims().values()]:
        stated = {n: rule["default"] for n, rule in kind.schema["properties"].items() if "default" in rule}
        assert kind.read(stated) == kind.read({})


def test_the_schema_is_valid_itself():
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(json.loads(text(built_in())))
