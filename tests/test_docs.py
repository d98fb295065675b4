"""Pages that readers can follow: links lead somewhere, blocks are what they say, commands exist, the site builds."""

import argparse
import importlib.util
import json
import re
import shlex
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
import yaml

from synnodtest import pytest_plugin
from synnodtest.cli import COMMANDS, EXAMPLES, configure, main
from synnodtest.report.order import number_of
from synnodtest.spec import load_spec

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
GUIDES = [page for page in PAGES if page.parent.name in ("tutorials", "how-to")]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def load(name):
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / "build" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


run_pages = load("run_pages")


def named(page):
    return str(page.relative_to(ROOT))


def targets(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return [link.partition("#")[0] for link in LINK.findall(text) if "://" not in link and not link.startswith("#")]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_leads_to_a_file(page):
    generated = {"spec.md", "commands.md", "python.md", "record.md"}
    missing = [
        target
        for target in targets(page)
        if not (page.parent / target).exists() and not ("reference/" in target and Path(target).name in generated)
    ]
    assert missing == []


def test_no_row_of_a_table_is_cut_off_from_its_head():
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        tables = re.findall(r"^(?:\|.*\n)+", text, flags=re.MULTILINE)
        assert [t for t in tables if not re.match(r".*\n\|[-:| ]+\|\n", t)] == [], named(page)


def test_the_index_lists_every_page_of_the_documentation():
    listed = {(ROOT / "docs" / target).resolve() for target in targets(ROOT / "docs" / "index.md")}
    assert set((ROOT / "docs").rglob("*.md")) - {ROOT / "docs" / "index.md"} <= listed


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_yaml_block_is_yaml_and_every_whole_spec_loads(page, tmp_path):
    for number, block in enumerate(b for b in run_pages.blocks_of(page) if b.kind == "yaml"):
        held = yaml.safe_load(block.text)
        if isinstance(held, dict) and "synnodtest" in held:
            path = tmp_path / f"{number}.yaml"
            path.write_text(block.text)
            assert load_spec(path).behaviours or "defaults" in held


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_python_block_compiles(page):
    for block in run_pages.blocks_of(page):
        if block.kind == "python":
            compile(block.text, named(page), "exec")


def pytest_options():
    class Everything(argparse.ArgumentParser):
        def getgroup(self, *_):
            return self

        def addoption(self, *flags, **options):
            self.add_argument(*flags, **options)

    parser = Everything(add_help=False)
    pytest_plugin.pytest_addoption(parser)
    for flag in ("-k", "-m", "-n", "--junitxml", "--alluredir", "--html", "--color"):
        parser.add_argument(flag)
    parser.add_argument("--self-contained-html", action="store_true")
    parser.add_argument("specs", nargs="*")
    return parser


def commands(page):
    return [command for block in run_pages.blocks_of(page) for command in block.commands]


def parser_of(name):
    parser = argparse.ArgumentParser(prog=name)
    configure(name, parser)
    return parser


@pytest.mark.parametrize("page", [*GUIDES, ROOT / "README.md"], ids=named)
def test_every_command_of_a_guide_is_one_that_the_parsers_take(page):
    for command in commands(page):
        words = shlex.split(command)
        if words[0] == "pytest":
            pytest_options().parse_args(words[1:])
        elif words[0] == "synnodtest" and words[1:] and words[1] in COMMANDS:
            parser = parser_of(words[1])
            if "--help" not in words:
                parser.parse_args(words[2:])
        else:
            assert words[0] in (
                "python",
                "python3.11",
                ".",
                "pip",
                "mkdir",
                "cd",
                "git",
                "sbatch",
                "accelerate",
                "make",
                "sed",
            )


def test_the_help_of_every_command_ends_in_an_example_that_it_takes(capsys):
    assert {*COMMANDS} - {*EXAMPLES} == {"plant"}  # which has its own
    for example in EXAMPLES.values():
        name, *words = shlex.split(example.split(" >")[0])
        if name != "paper":  # loads the studies
            parser_of(name).parse_args(words)
    with pytest.raises(SystemExit):
        main(["schema", "--help"])
    assert capsys.readouterr().out.rstrip().endswith(f"example:  synnodtest {EXAMPLES['schema']}")


def test_the_runner_of_pages_knows_what_a_comment_says(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- file: a.txt -->\n```text\nhello\n```\n```sh\ncat a.txt  # shows it\nfalse\n```\n"
        "<!-- exit: 1 -->\n```sh\nfalse\n```\n<!-- not run: too dear -->\n```sh\nfalse\n```\n"
    )
    (fault,) = run_pages.follow(page, tmp_path)
    assert "'false' ended with 1" in fault
    assert (tmp_path / "a.txt").read_text() == "hello\n"


def test_the_runner_of_pages_holds_what_a_page_says_is_printed_against_what_is(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "```sh\necho run 20261128T033330Z-c990b0: 0.59   of 60\necho and more\n```\nIt prints (shortened):\n"
        "```text\nrun 20250101T000000Z-aaaaaa: 0.59 of\n...\nand  more\n```\n```text\nrun 0.58 of 60\n```\n"
    )
    assert run_pages.follow(page, tmp_path) == ["page.md: not printed: run 0.58 of 60"]


def test_the_site_builds_without_a_warning_and_asks_for_nothing_outside(tmp_path):
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (extra docs)")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 30
    outside = re.compile(r'<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?//')
    for page in pages:
        assert not outside.search(page.read_text()), page
    reference = (tmp_path / "site" / "reference" / "commands.html").read_text()
    assert all(f'id="{name}"' in reference for name in COMMANDS)
    search = tmp_path / "site" / "search"
    index = (search / "index.js").read_text().removeprefix("const SEARCH_INDEX = ").rstrip(";\n")
    assert len(json.loads(index)["docs"]) > len(pages)  # a page of a file may start no worker and send no request
    assert "Worker(" not in (search / "main.js").read_text()


def test_the_files_that_another_lesion_would_need_are_there():
    table = (ROOT / "docs/synthesizers.md").read_text().split("would still need, by file:")[1]
    named = {name for name in re.findall(r"`([a-z_/]+(?:\.py|\.json|/))`", table)}
    assert len(named) > 20
    assert not [name for name in named if not (ROOT / "synnodtest" / name).exists()]


SECTIONS = {
    3: "protocol", 4: "sample_size", 5: "attrition", 7: "traceability", 8: "results", 9: "multiplicity", 12: "fuzzing",
    13: "credibility", 16: "anomalies", 17: "deviations", 21: "tool_validation", 23: "sign_off",
}  # fmt: skip
"""Sections of the report that pages mean by their numbers."""


REPORTED = [page for page in PAGES if "kill-table" not in page.name and page.name != "CHANGELOG.md"]


@pytest.mark.parametrize("page", REPORTED, ids=named)
def test_sections_of_the_report_have_the_numbers_that_a_page_names(page):
    told = re.findall(r"\bsections? (\d+)(?: and (\d+))?", page.read_text(encoding="utf-8"))
    numbers = {number_of(key): number for number, key in SECTIONS.items()}
    wrong = [number for number in filter(None, chain(*told)) if numbers.get(number) != int(number)]
    assert wrong == [], "name the section's present number, here and in SECTIONS"
