"""What is meant as a spec is loaded or complained of, whatever wrote the file."""

import codecs
import json

import pytest
import yaml

from synnodtest.cli import main
from synnodtest.commands.specs import spec_files
from synnodtest.errors import SpecError
from synnodtest.spec import is_spec, load_spec

TEXT = """synnodtest: 1
title: Größe
behaviours:
  - id: seen
    statement: Nodules are seen.
    scenes:
      backgrounds: {set: normal, count: 6}
      nodules: [{diameter_mm: 20, location: {region: lung}}]
    expect:
      - sensitivity: {at_least: 0.5}
"""
WRITTEN = {
    "utf-8": TEXT.encode(),
    "utf-8 with a mark": codecs.BOM_UTF8 + TEXT.encode(),
    "utf-16 as PowerShell writes it": TEXT.encode("utf-16"),
    "utf-16 big-endian with a mark": codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    "utf-16 little-endian without a mark": TEXT.encode("utf-16-le"),
    "utf-16 big-endian without a mark": TEXT.encode("utf-16-be"),
    "utf-32": TEXT.encode("utf-32"),
    "utf-32 big-endian": codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"),
    "windows line ends": TEXT.replace("\n", "\r\n").encode(),
    "indented": "".join(f"  {line}\n" for line in TEXT.splitlines()).encode(),
    "blank lines and comments first": b"\n\n# a comment\n   # another\n\n" + TEXT.encode(),
    "a document mark first": b"%YAML 1.2\n---\n" + TEXT.encode(),
    "JSON": json.dumps(yaml.safe_load(TEXT)).encode(),
    "JSON without blanks": json.dumps(yaml.safe_load(TEXT), separators=(",", ":")).encode(),
    "JSON in lines": b"\n" + json.dumps(yaml.safe_load(TEXT), indent=2).encode(),
    "JSON in order of its keys": json.dumps(yaml.safe_load(TEXT), indent="\t", sort_keys=True).encode(),
    "quoted key": TEXT.replace("synnodtest:", '"synnodtest" :').encode(),
}


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("name", ["a.yaml", "a.YAML", "a.Yml"])
def test_a_spec_is_found_and_loaded_however_it_is_written(tmp_path, how, name):
    (tmp_path / name).write_bytes(WRITTEN[how])
    assert list(spec_files([tmp_path])) == [tmp_path / name]
    spec = load_spec(tmp_path / name)
    assert (spec.title, spec.behaviours[0].id) == ("Größe", "seen")


def test_specs_of_a_linked_folder_are_found_as_pytest_finds_them_and_circles_end(tmp_path):
    shared, specs = tmp_path / "shared", tmp_path / "specs"
    for folder in (shared, specs):
        folder.mkdir()
        (folder / "a.yaml").write_text(TEXT)
    (specs / "common").symlink_to("../shared")
    (specs / "again").symlink_to(".")
    (shared / "back").symlink_to("../specs")
    assert list(spec_files([specs])) == [specs / "a.yaml", specs / "common" / "a.yaml"]


def test_a_folder_that_cannot_be_read_is_told_of(tmp_path, monkeypatch, capsys):
    def refused(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("synnodtest.commands.specs.os.scandir", refused)
    assert main(["check", str(tmp_path)]) == 1
    assert f"{tmp_path}: Permission denied" in capsys.readouterr().err


BROKEN = {
    "latin-1": TEXT.encode("latin-1"),
    "a slip of the key": TEXT.replace("synnodtest", "synodtest").encode(),
    "no key": TEXT.replace("synnodtest: 1\n", "").encode(),
    "neither key nor statement": TEXT.replace("synnodtest: 1\n", "")
    .replace("    statement: Nodules are seen.\n", "")
    .encode(),
    "no blank behind the key": TEXT.replace("test: 1", "test:1")
    .replace("    statement: Nodules are seen.\n", "")
    .encode(),
    "American, without the key": TEXT.replace("synnodtest: 1\n", "").replace("behaviours", "behaviors").encode(),
    "another key": TEXT.replace("synnodtest", "version").encode(),
    "no behaviours": b"synnodtest: 1\nbehaviours: []\n",
    "capitals": TEXT.replace("synnodtest", "Synnodtest").encode(),
    "tabs": TEXT.replace("\n  ", "\n\t").encode(),
    "key after behaviours": TEXT.replace("synnodtest: 1\n", "").encode() + b"synnodtest: 2\n",
    "unequal indentation": b"  " + TEXT.encode(),
    "utf-16 cut off": TEXT.encode("utf-16")[:-1],
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_cannot_be_loaded_is_complained_of_not_passed_over(tmp_path, how):
    (tmp_path / "a.yml").write_bytes(BROKEN[how])
    assert is_spec(tmp_path / "a.yml")
    with pytest.raises(SpecError):
        load_spec(tmp_path / "a.yml")


@pytest.mark.parametrize(
    "text",
    [
        "services:\n  synnodtest:\n    image: a\n",
        "pytest: 1\n",
        "# synnodtest: 1\na: 1\n",
        "",
        "- synnodtest\n",
        '{"name": "a: synnodtest", "synnodtests": [{"b": 1}]}',
        "behaviours:\n  - walk\n",
        "behaviors:\n  - expect: nothing\n",
    ],
)
def test_other_yaml_files_are_left_alone(tmp_path, text):
    (tmp_path / "compose.yaml").write_text(text)
    assert not is_spec(tmp_path / "compose.yaml")


def test_a_text_that_is_too_long_is_told_in_characters(tmp_path):
    (tmp_path / "a.yaml").write_text(TEXT.replace("id: seen", f"id: {'x' * 300}"))
    with pytest.raises(SpecError, match="at most 200 characters, not 300"):
        load_spec(tmp_path / "a.yaml")
