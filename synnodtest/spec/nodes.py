"""The tree of a spec: nodes that know their line, their column and the keys that lead to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

Scalar = str | int | float | bool | None
KeyPath = tuple[str | int, ...]
"""Keys and indices that lead from the root of a file to a node."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Node:
    """A scalar, a tuple of nodes or a mapping of nodes, and where it stands.

    Args:
        value: The content. Mapping keys are texts.
        mark: Where the value begins.
        key: Where the key that leads to it begins, if any.
        path: Keys and indices that lead to it.
    """

    value: Scalar | tuple[Node, ...] | dict[str, Node]
    mark: Mark
    key: Mark | None = None
    path: KeyPath = ()

    @property
    def place(self) -> Mark:
        """Place where a reader looks first: the key if there is one, else the value."""
        return self.key or self.mark

    @property
    def mapping(self) -> dict[str, Node]:
        """The mapping, or an empty one if this is no mapping."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def sequence(self) -> tuple[Node, ...]:
        """The items, or none if this is no sequence."""
        return self.value if isinstance(self.value, tuple) else ()

    def walk(self) -> Iterator[Node]:
        """Yield this node and everything below it."""
        yield self
        for child in self.mapping.values() if isinstance(self.value, dict) else self.sequence:
            yield from child.walk()

    def rooted(self, path: KeyPath) -> Node:
        """Return this node at a path, and everything below it at the paths that follow from it."""
        value = self.value
        if isinstance(value, dict):
            value = {key: child.rooted((*path, key)) for key, child in value.items()}
        elif isinstance(value, tuple):
            value = tuple(child.rooted((*path, index)) for index, child in enumerate(value))
        return replace(self, value=value, path=path)


EMPTY = Node(None, Mark("", 0, 0))
"""Stands for what is not given."""


def plain(node: Node) -> Any:
    """Return the node's content as dicts, lists and scalars."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return node.value


def listed(value: Any) -> list[Any]:
    """Return what stands in a list, or the one value that stands in its place."""
    return list(value) if isinstance(value, (list, tuple)) else [value]
