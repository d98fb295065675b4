"""Variables, matrices and the merge that ``extends`` and ``defaults`` use."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from synnodtest.errors import Problem
from synnodtest.spec.messages import meant, problem
from synnodtest.spec.nodes import Node, Scalar
from synnodtest.spec.source import LIMIT_NODES, LIMIT_TEXT
from synnodtest.spec.validation import validate

LIMIT_MATRIX = 1000
"""Combinations of one matrix; set by hand: each becomes a behaviour of its own, and a thousand take days to run."""
LIMIT_PATH = 60
"""Levels within values as they are put in; set by hand above ``LIMIT_DEPTH``, since variables may nest further."""
LIMIT_CHAIN = 30
"""Variables that stand for variables; set by hand far above any real chain, so that whatever is put in ends."""
VARIABLE_FAULT = "the variable"

_VARIABLE = re.compile(r"(\$?)\$\{([A-Za-z_][A-Za-z0-9_-]*)\}")
_ALTERNATIVES = (
    frozenset({"sweep", "uniform", "log_uniform", "normal", "choice"}),
    frozenset({"any", "all", "not"}),
    frozenset({"contrast", "density", "attenuation"}),
    frozenset({"region", "at_mm", "box_px"}),
    frozenset({"scenes", "fuzz"}),
)
_WHOLE = frozenset({"matching", "where", "by", "across", "arms", "perturbations", "matrix"})


class TooMuch(Exception):
    """Variables expand beyond the limit."""


def merge(base: Node, over: Node, key: str = "") -> Node:
    """Return ``over`` laid upon ``base``: mappings key by key, null removes, anything else is replaced.

    Keys that exclude each other (``sweep`` and ``uniform``) displace each other; ``matching``, ``where`` and the like
    are replaced whole.
    """
    if not isinstance(base.value, dict) or not isinstance(over.value, dict) or key in _WHOLE:
        return over
    displaced = {k for group in _ALTERNATIVES if group & over.value.keys() for k in group - over.value.keys()}
    merged = {k: node for k, node in base.value.items() if k not in displaced}
    for name, node in over.value.items():
        if node.value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged[name], node, name) if name in merged else node
    return replace(over, value=merged)


class Variables:
    """``${name}`` -> its value, with its type; ``$${name}`` stays as it is."""

    def __init__(self, variables: Mapping[str, Node], problems: list[Problem]) -> None:
        self._variables = dict(variables)
        self._problems = problems
        self._active: list[str] = []
        self._spent = [0]

    def with_values(self, values: Mapping[str, Node]) -> Variables:
        """Return the same with further variables, which win."""
        child = Variables({**self._variables, **values}, self._problems)
        child._spent = self._spent
        return child

    def substitute(self, node: Node) -> Node:
        """Return the node with every variable replaced.

        Raises:
            TooMuch: it grows beyond the limit.
        """
        self._spent[0] += 1
        if self._spent[0] > 2 * LIMIT_NODES or len(node.path) > LIMIT_PATH or len(self._active) > LIMIT_CHAIN:
            raise TooMuch
        if isinstance(node.value, dict):
            return replace(node, value={key: self.substitute(child) for key, child in node.value.items()})
        if isinstance(node.value, tuple):
            return replace(node, value=tuple(map(self.substitute, node.value)))
        if isinstance(node.value, str) and "${" in node.value:
            return self._text(node, node.value)
        return node

    def _text(self, node: Node, text: str) -> Node:
        whole = _VARIABLE.fullmatch(text)
        if whole and not whole[1]:
            value = self._lookup(whole[2], node)
            return replace(value, mark=node.mark, key=node.key) if value else node
        joined = _VARIABLE.sub(lambda match: self._inserted(match, node), text)
        if len(joined) > LIMIT_TEXT:
            raise TooMuch
        return replace(node, value=joined)

    def _inserted(self, match: re.Match[str], node: Node) -> str:
        if match[1]:
            return match[0][1:]
        value = self._lookup(match[2], node)
        if value is None:
            return match[0]
        if isinstance(value.value, (dict, tuple)):
            self._complain(node, f"{match[2]!r} is no single value and cannot stand within a text")
            return match[0]
        return scalar_text(value.value)

    def _lookup(self, name: str, node: Node) -> Node | None:
        if name in self._active:
            self._complain(node, f"{name!r} goes in a circle: {' -> '.join([*self._active, name])}")
            return None
        if name not in self._variables:
            self._complain(node, f"{name!r} is not defined{meant(name, self._variables)}")
            return None
        self._active.append(name)
        value = self.substitute(self._variables[name].rooted(node.path))
        self._active.pop()
        return value

    def _complain(self, node: Node, fault: str) -> None:
        self._problems.append(problem(node.mark, node.path, f"{VARIABLE_FAULT} {fault}"))


def scalar_text(value: Scalar) -> str:
    """Return a scalar as a spec writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def expand(behaviour: Node, variables: Variables, problems: list[Problem]) -> Iterator[Node]:
    """Yield a behaviour once per combination of its matrix (once without one), variables replaced."""
    matrix = behaviour.mapping.get("matrix")
    if matrix is None:
        yield variables.substitute(behaviour)
        return
    rest = {key: node for key, node in behaviour.mapping.items() if key != "matrix"}
    matrix = variables.substitute(matrix)
    wrong = validate(matrix, "matrix") or list(_unusable(rest, matrix))
    problems.extend(wrong)
    if wrong:
        return
    for combination in itertools.product(*(values.sequence for values in matrix.mapping.values())):
        chosen = dict(zip(matrix.mapping, combination, strict=True))
        body = dict(rest)
        if isinstance(rest["id"].value if "id" in rest else None, str):
            label = ",".join(f"{name}={_label(node)}" for name, node in chosen.items())
            body["id"] = replace(rest["id"], value=f"{rest['id'].value}[{label}]")
        yield variables.with_values(chosen).substitute(replace(behaviour, value=body))


def _unusable(rest: Mapping[str, Node], matrix: Node) -> Iterator[Problem]:
    """Yield why a matrix makes too many behaviours, else which of its names the behaviour does not use."""
    combinations = math.prod(max(len(values.sequence), 1) for values in matrix.mapping.values())
    if combinations > LIMIT_MATRIX:
        yield problem(matrix.place, matrix.path, f"{combinations:,} combinations; at most {LIMIT_MATRIX:,}")
        return
    texts = [part.value for node in rest.values() for part in node.walk() if isinstance(part.value, str)]
    used = {match[2] for text in texts for match in _VARIABLE.finditer(text)}
    for name, node in matrix.mapping.items():
        if name not in used:
            yield problem(node.place, matrix.path, f"{name!r} is not used", f"write ${{{name}}} where it belongs")


def _label(node: Node) -> str:
    text = "" if isinstance(node.value, (dict, tuple)) else scalar_text(node.value)
    return re.sub(r"[^A-Za-z0-9._+-]", "-", text)
