"""``python -m synnodtest.spec.write_schema``: write ``schema.json`` anew from the kinds of this package.

In a checkout it also puts a row into the tables of ``docs/`` for each kind that they do not name yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from synnodtest.decoding import Schema
from synnodtest.perturbations.registry import perturbation_kinds
from synnodtest.spec.language import built_in, text

KINDS, CLAIMS = "| kind | holds if | parameters |", "| per example | holds if |"
PERTURBATIONS = "| kind | value | effect |"
"""Heads of the tables in ``docs/spec.md`` and ``docs/perturbations.md``."""


def with_rows(page: str, head: str, rows: Mapping[str, str]) -> str:
    """Return a page with a row at the end of the table under ``head`` for each name that the table does not name.

    Args:
        page: Markdown.
        head: The table's first line.
        rows: Row by name.
    """
    before, _, rest = page.partition(head)
    lines = rest.split("\n")
    end = next(number for number, line in enumerate(lines[1:], 1) if not line.startswith("|"))
    table = "\n".join(lines[:end])
    new = [row for name, row in rows.items() if f"`{name}`" not in table]
    return before + head + "\n".join([*lines[:end], *new, *lines[end:]])


def _of_kind(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", [])
    own = [option for option, rule in schema["properties"].items() if option in required or "default" in rule]
    keys = ", ".join(f"**`{option}`**" if option in required else f"`{option}`" for option in own)
    return f"| `{name}` | {schema['description'].rstrip('.')} | {keys} |"


def _of_claim(name: str, schema: Mapping[str, Any]) -> str:
    return f"| `{name}` | {schema['description'].rstrip('.')} |"


def tables() -> tuple[tuple[str, str, dict[str, str]], ...]:
    """Return the tables of ``docs/``: file, first line, and a row for each kind by its name."""
    perturbations = {
        name: f"| `{name}` | {kind.span or kind.wanted} | {kind.about.rstrip('.')} |"
        for name, kind in perturbation_kinds().items()
    }
    return (
        ("spec.md", KINDS, _defined("expectation", "expect", _of_kind)),
        ("spec.md", CLAIMS, _defined("fuzz_expectation", "fuzz", _of_claim)),
        ("perturbations.md", PERTURBATIONS, perturbations),
    )


def _defined(list_name: str, prefix: str, row: Callable[[str, Mapping[str, Any]], str]) -> dict[str, str]:
    definitions: Schema = built_in()["$defs"]
    names = [name for name in definitions[list_name]["properties"] if f"{prefix}_{name}" in definitions]
    return {name: row(name, definitions[f"{prefix}_{name}"]) for name in names}


def _main() -> None:
    Path(__file__).with_name("schema.json").write_text(text(built_in()), encoding="utf-8")
    for file, head, rows in tables():
        path = Path(__file__).parents[2] / "docs" / file
        if path.is_file():
            path.write_text(with_rows(path.read_text(encoding="utf-8"), head, rows), encoding="utf-8")


if __name__ == "__main__":
    _main()
