"""Small YAML files that people fill in: read safely, held against a form, complained about by line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from synnodtest.decoding import Schema
from synnodtest.errors import RecordError
from synnodtest.spec.nodes import Node
from synnodtest.spec.source import BEGINS, YamlFault, parse, read_text
from synnodtest.spec.validation import held_against

_MOST_TOLD = 20
"""Faults of a form that are told at once; set by hand: all of a usual form, not those of a file that is another."""


def read_nodes(path: Path, form: Schema, what: str) -> Node:
    """Return the content of a YAML file that follows ``form``, as nodes that know their line.

    Args:
        path: The file.
        form: JSON Schema of it; ``x-expected`` says in words what a text with a pattern should be.
        what: What such a file is called in messages.

    Raises:
        RecordError: the file cannot be read, is no YAML, too large, a bomb, or does not follow the form; every fault
            with file, line and column.
    """
    try:
        root, problems = parse(read_text(path, path.as_posix()), path.as_posix())
    except YamlFault as fault:
        problem = fault.problem if fault.problem.hint != BEGINS else replace(fault.problem, hint="")  # this is no spec
        raise RecordError(str(problem), hint=f"this file should be {what}") from None
    faults = [*problems, *held_against(form, root)][:_MOST_TOLD]
    if faults:
        raise RecordError("\n".join(map(str, faults)), hint=f"this file should be {what}")
    return root
