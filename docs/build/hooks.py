"""Hooks of MkDocs: the reference is made from schema, parsers and docstrings; links out of ``docs/`` become names."""

from __future__ import annotations

import argparse
import inspect
import json
import re
from collections.abc import Iterator
from importlib import import_module, resources
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

import synnodtest
from synnodtest.cli import COMMANDS, configure
from synnodtest.spec.validation import schema

DOCS = Path(__file__).resolve().parents[1]
OUTWARD = re.compile(r"(?<!!)\[([^\]]+)\]\((?:\.\./)+([^)\s]+)\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages."""
    for name, make in PAGES.items():
        files.append(File.generated(config, f"reference/{name}.md", content=make()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links to files of the checkout that are no part of the site into their names."""
    here = (DOCS / page.file.src_path).parent

    def named(match: re.Match[str]) -> str:
        target = (here / re.search(r"\(([^)\s]+)\)", match.group()).group(1).partition("#")[0]).resolve()  # type: ignore[union-attr]
        if DOCS in target.parents:
            return match.group()
        return f"{match.group(1)} (`{match.group(2)}` in the checkout)"

    return OUTWARD.sub(named, markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Let the keyboard reach blocks of code, which scroll."""
    return re.sub(r"<pre><code(?=[ >])", '<pre><code tabindex="0"', html)


def on_post_build(config: Any) -> None:
    """Let the search work from a folder: the index becomes a script, and the worker goes."""
    folder = Path(config["site_dir"]) / "search"
    index = (folder / "search_index.json").read_text(encoding="utf-8")
    (folder / "index.js").write_text(f"const SEARCH_INDEX = {index};\n", encoding="utf-8")
    (folder / "main.js").write_text((DOCS / "build" / "search.js").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "worker.js").unlink()


def spec_page() -> str:
    """Return the spec language, from its JSON Schema."""
    lines = ["# Spec language: reference", "", "From `synnodtest schema`; editors complete from the same file.", ""]
    held = schema()
    for name in sorted(held.get("$defs", {})):
        node = held["$defs"][name]
        if not isinstance(node, dict) or not _properties(node):
            continue
        lines += [f"## {name}", "", str(node.get("description", "")), "", "| key | what it says |", "|---|---|"]
        lines += [f"| `{key}` | {_cell(value)} |" for key, value in _properties(node).items()]
        lines.append("")
    return "\n".join(lines)


def _properties(node: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = dict(node.get("properties") or {})
    for option in node.get("anyOf") or []:
        if isinstance(option, dict):
            found |= option.get("properties") or {}
    return found


def _cell(value: Any) -> str:
    text = value.get("description", "") if isinstance(value, dict) else ""
    if not text and isinstance(value, dict) and "$ref" in value:
        text = f"see {value['$ref'].rsplit('/', 1)[-1]}"
    return str(text).replace("|", "\\|").replace("\n", " ").replace("[", "\\[").replace("<", "&lt;")


def commands_page() -> str:
    """Return every command with its options, from the parsers, and the options of pytest."""
    lines = ["# Commands: reference", "", "## pytest", "", "```text", *_pytest_options(), "```", ""]
    for name, (_, text) in COMMANDS.items():
        parser = argparse.ArgumentParser(
            prog=f"synnodtest {name}",
            description=text,
            formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=100),
        )
        configure(name, parser)
        lines += [
            f"## {name}",
            "",
            f"{text[:1].upper()}{text[1:]}.",
            "",
            "```text",
            parser.format_help().rstrip(),
            "```",
            "",
        ]
    return "\n".join(lines)


def _pytest_options() -> Iterator[str]:
    from synnodtest import pytest_plugin

    class Group:
        def __init__(self) -> None:
            self.lines: list[str] = []

        def addoption(self, flag: str, **options: Any) -> None:
            head = f"{flag} {options.get('metavar') or '|'.join(options.get('choices') or ())}".strip()
            self.lines.append(f"{head:<34} {options.get('help', '')}")

    class Parser:
        group = Group()

        def getgroup(self, *_: Any) -> Group:
            return self.group

    pytest_plugin.pytest_addoption(Parser())  # type: ignore[arg-type]
    return iter(Parser.group.lines)


def python_page() -> str:
    """Return the public names of the package with their docstrings."""
    lines = ["# Python: reference", ""]
    for module in ("synnodtest", "synnodtest.checks", "synnodtest.strategies"):
        held = import_module(module)
        lines += [f"## {module}", "", (inspect.getdoc(held) or "").split("\n\n")[0], ""]
        for name in sorted(held.__all__):
            item = getattr(held, name)
            if not (inspect.isclass(item) or inspect.isfunction(item)):
                continue
            lines += [
                f"### {module}.{name}",
                "",
                "```text",
                f"{name}{_signature(item)}",
                "",
                inspect.getdoc(item) or "",
                "```",
                "",
            ]
    return "\n".join(lines)


def _signature(item: Any) -> str:
    try:
        return str(inspect.signature(item))
    except (TypeError, ValueError):
        return ""


def record_page() -> str:
    """Return the record's keys, from its JSON Schema."""
    text = resources.files("synnodtest.record").joinpath("record.schema.json").read_text(encoding="utf-8")
    held = json.loads(text)
    lines = ["# results.json: reference", "", f"Written by synnodtest {synnodtest.__version__}.", ""]
    lines += ["| key | what it holds |", "|---|---|"]
    lines += [f"| `{key}` | {_cell(value)} |" for key, value in held.get("properties", {}).items()]
    for name, node in sorted((held.get("$defs") or held.get("definitions") or {}).items()):
        keys = node.get("properties") or {}
        if keys:
            lines += [
                "",
                f"## {name}",
                "",
                str(node.get("description", "")),
                "",
                "| key | what it holds |",
                "|---|---|",
            ]
            lines += [f"| `{key}` | {_cell(value) or value.get('type', '')} |" for key, value in keys.items()]
    return "\n".join([*lines, ""])


PAGES = {"spec": spec_page, "commands": commands_page, "python": python_page, "record": record_page}
