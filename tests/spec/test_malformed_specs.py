"""Every malformed spec is told apart by its exact lines and words."""

import time
from pathlib import Path

import pytest

from synnodtest.errors import SpecError
from synnodtest.expectations.registry import kinds
from synnodtest.spec import load_spec

FOLDER = Path(__file__).parents[2] / "fixtures" / "malformed_specs"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def complaint(path):
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    return caught.value


def test_there_are_many_and_each_says_what_to_expect():
    assert len(NAMES) >= 70
    assert sorted(path.stem for path in FOLDER.glob("*.expected")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_malformed_spec_is_told_by_line_and_word(name, monkeypatch):
    monkeypatch.chdir(FOLDER)
    error = complaint(Path(f"{name}.yaml"))
    expected = (FOLDER / f"{name}.expected").read_text(encoding="utf-8")
    assert str(error) + "\n" == expected.replace("{kinds}", ", ".join(sorted(kinds())))
    for problem in error.problems:
        assert 1 <= problem.line <= len((FOLDER / problem.file).read_text(encoding="utf-8").splitlines())


def test_the_documented_message_is_exact(tmp_path, monkeypatch):
    text = (FOLDER / "unknown_parameter_in_a_block.yaml").read_text(encoding="utf-8")
    lines = ["# a comment", "# another", *text.splitlines()]
    indented = [line if i < 5 else f"  {line}" for i, line in enumerate(lines)]
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "size.yaml").write_text("\n".join(indented), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert str(complaint(Path("specs/size.yaml"))) == (
        "specs/size.yaml:17:9: behaviours[0].expect[0].monotone: 'direcion' is not known; did you mean 'direction'?"
    )


def variable(number):
    return f"'${{v{number}}}'"


BOMBS = {
    "billions of laughs": "synnodtest: 1\n"
    + "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)),
    "merged laughs": "synnodtest: 1\na0: &a0 {x: 1}\n"
    + "".join(f"a{i}: &a{i} {{l: *a{i - 1}, r: *a{i - 1}, <<: *a{i - 1}}}\n" for i in range(1, 60)),
    "an alias within itself": "synnodtest: 1\nbehaviours: &a [*a]\n",
    "brackets without end": "synnodtest: 1\nscope: " + "[" * 400_000,
    "nested brackets": "synnodtest: 1\nscope: " + "[" * 5_000 + "]" * 5_000 + "\n",
    "nested indentation": "synnodtest: 1\nscope:\n" + "".join(f"{' ' * i}a:\n" for i in range(1, 1_000)),
    "a variable of variables": "synnodtest: 1\nvars:\n  v0: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
    + "".join(f"  v{i}: [{', '.join([variable(i - 1)] * 9)}]\n" for i in range(1, 12))
    + "scope: {a: '${v11}'}\n",
    "a text of texts": "synnodtest: 1\nvars:\n  v0: abcdefghij\n"
    + "".join(f"  v{i}: a{variable(i - 1) * 9}\n".replace("''", "").replace("a'", "'a") for i in range(1, 20))
    + "title: '${v19}'\n",
    "a chain of variables": "synnodtest: 1\nvars:\n  v0: 1\n"
    + "".join(f"  v{i}: ['${{v{i - 1}}}']\n" for i in range(1, 3_000))
    + "scope: {a: '${v2999}'}\n",
    "a matrix of everything": "synnodtest: 1\nbehaviours:\n  - id: a\n    statement: '${a}${b}${c}${d}'\n    matrix: {"
    + ", ".join(f"{key}: [{', '.join(map(str, range(900)))}]" for key in "abcd")
    + "}\n",
    "a long number": f"synnodtest: {'9' * 100_000}\n",
    "a long text": f"synnodtest: 1\ntitle: {'a' * 500_000}\n",
    "a megabyte and a byte": "synnodtest: 1\n" + "#" * 1_000_000,
    "many values": "synnodtest: 1\nscope: [" + "1," * 400_000 + "]\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once(name, tmp_path):
    path = tmp_path / "bomb.yaml"
    path.write_text(BOMBS[name], encoding="utf-8")
    start = time.process_time()
    complaint(path)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"# only a comment\n", "the file is empty"),
        (b"synnodtest: 1\ntitle: \xff\xfe\n", "not UTF-8"),
        (b"- synnodtest\n", "a spec is a mapping"),
        (b"synnodtest\n", "a spec is a mapping"),
        (b"synnodtest: 1\n", "'behaviours' is missing"),
        (b"synnodtest: 1\nbehaviours: {}\n", "must be a list"),
        (b"synnodtest: 1\nbehaviours:\n  - 3\n", "must be a mapping"),
        (b"synnodtest: 1\ntitle: a\x00b\n", "not valid YAML"),
        (b"{synnodtest: 1, ? [a]: b}\n", "a key must be a word"),
    ],
)
def test_files_that_are_hardly_yaml_are_told_too(content, words, tmp_path):
    path = tmp_path / "odd.yaml"
    path.write_bytes(content)
    assert words in str(complaint(path))


def test_a_location_that_is_a_word_is_told_how_to_name_a_region(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "synnodtest: 1\nbehaviours:\n  - id: a\n    statement: A.\n    scenes:\n"
        "      nodules: [{diameter_mm: 8, location: lung}]\n    expect:\n      - sensitivity: {at_least: 0.5}\n"
    )
    assert "location: must be a mapping such as {region: lung}, not the text" in str(complaint(tmp_path / "a.yaml"))


def test_a_file_that_is_not_there_is_a_spec_error(tmp_path):
    assert "cannot be read" in str(complaint(tmp_path / "nowhere.yaml"))


@pytest.mark.parametrize("tag", ["skip", "skipif", "xfail"])
@pytest.mark.parametrize("place", ["behaviours[0].tags[1]", "defaults.tags[1]"])
def test_a_tag_that_pytest_would_obey_is_refused(tag, place, tmp_path):
    """As a mark, it would keep an expectation from being judged, or end a run of failures with the status 0."""
    tags = f"tags: [size, {tag}]"
    own, common = (f"    {tags}\n", "") if place.startswith("behaviours") else ("", f"defaults: {{{tags}}}\n")
    (tmp_path / "a.yaml").write_text(
        f"synnodtest: 1\n{common}behaviours:\n  - id: a\n{own}    statement: A.\n    scenes:\n"
        "      backgrounds: {set: normal, count: 6}\n"
        "      nodules: [{diameter_mm: 8, location: {region: lung}}]\n"
        "    expect: [sensitivity: {at_least: 0.5}]\n"
    )
    words = str(complaint(tmp_path / "a.yaml"))
    assert place in words
    assert "pytest skips or excuses" in words
