"""YAML text -> a tree of nodes that know their line and column; hostile input is refused early.

Scalars are read by the rules of YAML 1.2, so ``no`` and ``on`` are texts and ``1e-3`` is a number. No tag constructs
anything. Size, depth, number of nodes and the expansion of aliases are bounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from synnodtest.errors import Problem
from synnodtest.spec.nodes import Mark, Node, Scalar
from synnodtest.text_files import decoded

LIMIT_BYTES = 1_000_000
"""Size of a spec file, in bytes; set by hand: the specs that ship take less than 10 kB, and a megabyte is read in a
second or two."""
LIMIT_NODES = 50_000
"""Values of a spec with its aliases expanded; set by hand: a few hundred are usual, and nested aliases make millions of
them."""
LIMIT_DEPTH = 40
"""Levels of nesting; set by hand: specs need less than ten, and thousands would exhaust Python's own stack."""
LIMIT_TEXT = 20_000
"""Characters of one text; set by hand: room for pages of description, none for a file pasted in."""
BEGINS = "a spec begins with 'synnodtest: 1'"

_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z")
_LINE_ENDS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_GLUED = re.compile(r"[ \t]+#[^\s#]")
_WORDS: dict[str, Scalar] = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WORDS |= dict.fromkeys(("", "~", "null", "Null", "NULL"))


class YamlFault(Exception):
    """The text cannot be read as YAML at all; carries the one problem that ended the reading."""

    def __init__(self, mark: Mark, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(mark.file, mark.line, mark.column, "", message, hint)


def read_scalar(text: str) -> Scalar:
    """Return what a plain YAML 1.2 scalar stands for.

    Raises:
        ValueError: it is a number that is not finite, or too long to be meant.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.match(text):
        raise ValueError(f"{text} is not a finite number")
    is_integer = _INTEGER.match(text)
    if not is_integer and not _FLOAT.match(text):
        return text
    number: int | float = math.inf if len(text) > 40 else int(text) if is_integer else float(text)
    if abs(number) > 1e300:
        raise ValueError(f"the number {text[:20]}... is too large")
    return number


def parse(text: str, file: str) -> tuple[Node, list[Problem]]:
    """Return the tree of one YAML document and the faults that did not end the reading (duplicate keys).

    Raises:
        YamlFault: the text is no YAML, empty, more than one document, or beyond a limit.
    """
    try:
        return _Composer(yaml.parse(text, Loader=_FAST), file).document()
    except yaml.YAMLError as fast:
        fault = fast
    try:  # the C reader words its complaints differently: the Python reader's are the ones to print
        for _ in yaml.parse(text, Loader=yaml.SafeLoader):
            pass
    except yaml.YAMLError as slow:
        fault = slow
    except RecursionError:
        raise YamlFault(Mark(file, 1, 1), f"nested more than {LIMIT_DEPTH} deep") from None
    raise _translated(fault, text, file) from None


_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _translated(fault: yaml.YAMLError, text: str, file: str) -> YamlFault:
    if isinstance(fault, yaml.MarkedYAMLError):
        mark = fault.problem_mark or fault.context_mark
        place = Mark(file, mark.line + 1, mark.column + 1) if mark else Mark(file, 1, 1)
        words = (fault.problem or fault.context or "unreadable").strip()
        hint = ""
        if "\\t" in words:
            words, hint = "a tab cannot stand here", "indent with spaces"
        elif "mapping values are not allowed here" in words:
            hint = "quote a text that contains ': '"
        elif "${" in "".join(text.splitlines()[place.line - 1 : place.line]):
            hint = 'within {..} and [..] a variable stands in quotes: "${name}"'
        elif fault.context and fault.context_mark and fault.context_mark.line != place.line - 1:
            begun = fault.context_mark.line
            hint = f"{fault.context.strip()} that begins in line {begun + 1}"
            if _GLUED.search(_LINE_ENDS.split(text)[begun]):
                hint += "; quote a text that contains ' #'"
        return YamlFault(place, f"not valid YAML: {words}", hint)
    position = getattr(fault, "position", 0) or 0
    before = text[:position]
    place = Mark(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
    return YamlFault(place, f"not valid YAML: {getattr(fault, 'reason', 'unreadable character')}")


class _Composer:
    """Events -> nodes. An alias becomes a copy of what it names, as long as the whole stays small."""

    def __init__(self, events: Iterator[Any], file: str) -> None:
        self._events = events
        self._file = file
        self._problems: list[Problem] = []
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._nodes = 0

    def document(self) -> tuple[Node, list[Problem]]:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise YamlFault(self._mark(event), "a spec is one YAML document; here a second one begins")
                root = self._node(next(self._events), 0)
        if root is None or root.value is None:
            raise YamlFault(Mark(self._file, 1, 1), "the file is empty", BEGINS)
        return root.rooted(()), self._problems

    def _mark(self, event: Any) -> Mark:
        return Mark(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _count(self, nodes: int, mark: Mark) -> None:
        self._nodes += nodes
        if self._nodes > LIMIT_NODES:
            raise YamlFault(mark, f"more than {LIMIT_NODES:,} values, aliases expanded", "split the file")

    def _node(self, event: Any, depth: int) -> Node:
        mark = self._mark(event)
        if depth > LIMIT_DEPTH:
            raise YamlFault(mark, f"nested more than {LIMIT_DEPTH} deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor or "", mark)
        self._count(1, mark)
        tag = event.tag
        if tag not in (None, "!", "tag:yaml.org,2002:str"):
            short = tag.replace("tag:yaml.org,2002:", "!!")
            raise YamlFault(mark, f"the YAML tag {short} is not allowed in a spec")
        before = self._nodes - 1
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self._scalar(event, mark), mark)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Node(self._items(depth), mark)
        else:
            node = Node(self._pairs(depth), mark)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._nodes - before)
        return node

    def _alias(self, anchor: str, mark: Mark) -> Node:
        if anchor not in self._anchors:
            raise YamlFault(mark, f"the alias *{anchor} names no anchor")
        target = self._anchors[anchor]
        if target is None:
            raise YamlFault(mark, f"the alias *{anchor} stands inside what it names")
        self._count(target[1], mark)
        return replace(target[0], mark=mark)

    def _scalar(self, event: Any, mark: Mark) -> Scalar:
        text: str = event.value
        if len(text) > LIMIT_TEXT:
            raise YamlFault(mark, f"a text of more than {LIMIT_TEXT:,} characters")
        if not event.implicit[0]:
            return text
        try:
            return read_scalar(text)
        except ValueError as error:
            self._problem(mark, str(error))
            return 1

    def _items(self, depth: int) -> tuple[Node, ...]:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return tuple(items)

    def _pairs(self, depth: int) -> dict[str, Node]:
        pairs: dict[str, Node] = {}
        inherited: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            mark = self._mark(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise YamlFault(mark, "a key must be a word", "quote a text that begins with '*', '[' or '{'")
            self._count(1, mark)
            child = replace(self._node(next(self._events), depth + 1), key=mark)
            key = event.value
            if key == "<<" and event.implicit[0]:
                self._merge(child, inherited)
            elif key in pairs:
                first = pairs[key].key
                self._problem(mark, f"{key!r} is given twice; the first stands in line {first.line if first else '?'}")
            else:
                pairs[key] = child
        return {key: child for key, child in inherited.items() if key not in pairs} | pairs

    def _merge(self, child: Node, inherited: dict[str, Node]) -> None:
        for source in child.sequence or (child,):
            if not isinstance(source.value, dict):
                self._problem(child.mark, "'<<' takes a mapping or a list of mappings")
                return
            for key, value in source.value.items():
                inherited.setdefault(key, value)

    def _problem(self, mark: Mark, message: str) -> None:
        self._problems.append(Problem(mark.file, mark.line, mark.column, "", message))


def cut_off(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, text and rest of what has no quotes and goes on behind a ``#`` that stands for no comment's (``#3``).

    A comment's ``#`` has a blank behind it. The YAML is one that :func:`parse` can read.
    """
    lines = _LINE_ENDS.split(text)
    for event in yaml.parse(text, Loader=_FAST):
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and isinstance(read_scalar(event.value), str):
            end: Any = event.end_mark
            rest = lines[end.line][end.column :]
            if _GLUED.match(rest):
                yield end.line + 1, event.value, rest.strip()


def shown(path: Path) -> str:
    """Return a path as messages show it: relative to the working directory where it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def read_text(path: Path, file: str) -> str:
    """Return the text of a spec file.

    Raises:
        YamlFault: the file cannot be read, is too large, or is not UTF-8.
    """
    start = Mark(file, 1, 1)
    try:
        with path.open("rb") as stream:
            data = stream.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise YamlFault(start, f"the file cannot be read: {error.strerror or error}") from None
    if len(data) > LIMIT_BYTES:
        raise YamlFault(start, "the file is larger than 1 MB, which no spec is", "split it, or check the path")
    try:
        return decoded(data)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise YamlFault(Mark(file, line, 1), "the file is not UTF-8 (or UTF-16, UTF-32)", "save it as UTF-8") from None
