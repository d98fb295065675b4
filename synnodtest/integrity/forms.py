"""Small YAML files that people fill in: read safely, held against a form, complained about by line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from synnodtest.decoding import Schema
from synnodtest.errors import RecordError
from synnodtest.integrity.shape import faults
from synnodtest.spec.messages import unknown
from synnodtest.spec.source import Node, YamlFault, parse, plain, read_text

__all__ = ["Form", "read_form"]

Form = Schema
"""A JSON Schema of the kind that :mod:`synnodtest.integrity.shape` knows."""
_UNKNOWN = re.compile(r"^(?P<place>.*): '(?P<key>[^']*)' is not known$")


def read_form(path: Path, form: Form, what: str) -> dict[str, Any]:
    """Return the content of a YAML file that follows ``form``.

    Args:
        path: The file.
        form: What it may hold.
        what: What such a file is called in messages.

    Raises:
        RecordError: the file cannot be read, is no YAML, too large, a bomb, or does not follow the form; every fault
            with file, line and column.
    """
    path = Path(path)
    try:
        root, problems = parse(read_text(path, path.as_posix()), path.as_posix())
    except YamlFault as fault:
        raise RecordError(str(fault.problem), hint=f"this file should be {what}") from None
    found = [str(problem) for problem in problems]
    value = plain(root)
    found += [_told(fault, root, form) for fault in faults(value, form, limit=20)]
    if found:
        raise RecordError("\n".join(found), hint=f"this file should be {what}")
    return dict(value)


def _told(fault: str, root: Node, form: Form) -> str:
    """Return a fault with the place in the file where it stands."""
    place, _, message = fault.partition(": ")
    node, inner = _at(root, form, place)
    met = _UNKNOWN.match(fault)
    if met and met["key"] in node.mapping:
        message = unknown(met["key"], inner.get("properties", {}))
        node = node.mapping[met["key"]]
    mark = node.place
    path = "" if place == "the record" else f"{place}: "
    return f"{mark.file}:{mark.line}:{mark.column}: {path}{message}"


def _at(node: Node, form: Form, place: str) -> tuple[Node, Form]:
    """Follow ``people[0].name`` through file and form as far as both go."""
    for part in re.findall(r"[^.\[\]]+", "" if place == "the record" else place):
        if part.isdigit() and int(part) < len(node.sequence):
            node, form = node.sequence[int(part)], form.get("items", {})
        elif part in node.mapping:
            node, form = node.mapping[part], form.get("properties", {}).get(part, {})
    return node, form
