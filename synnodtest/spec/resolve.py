"""``include``, ``vars``, ``extends``, ``matrix``, ``defaults``: what a file says -> behaviours that say everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from synnodtest.errors import Problem
from synnodtest.spec.messages import meant, problem, show
from synnodtest.spec.nodes import EMPTY, KeyPath, Node
from synnodtest.spec.recognise import has_spec_suffix
from synnodtest.spec.source import YamlFault, parse, read_text, shown
from synnodtest.spec.validation import validate
from synnodtest.spec.variables import TooMuch, Variables, expand, merge

LIMIT_INCLUDES = 50
"""Files that one spec may include; set by hand far above any real one, so that files that include each other end."""

_DEFAULTED = ("sampling", "matching", "operating_point", "gate", "tags", "synthesizers")


@dataclass
class Resolved:
    """A whole file: head without behaviours, behaviours with nothing left to look up, what is wrong, all files read."""

    head: Node
    behaviours: list[Node] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)


def repeated_ids(behaviours: Iterable[Node]) -> Iterator[Problem]:
    """Yield a complaint of each behaviour whose id an earlier one has."""
    first: dict[str, Node] = {}
    for behaviour in behaviours:
        name = behaviour.mapping.get("id", EMPTY)
        if isinstance(name.value, str) and first.setdefault(name.value, name) is not name:
            told = f"two behaviours have the id {name.value!r}; the first stands in line {first[name.value].mark.line}"
            yield problem(name.mark, name.path, told)


def resolve(root: Node, path: Path) -> Resolved:
    """Return the file's head and behaviours with includes, variables, extensions, matrices and defaults worked in."""
    problems: list[Problem] = []
    library = _Library(problems)
    library.add(root, path, (path.resolve(),), own=True)
    variables = Variables(library.vars, problems)
    head = {key: node for key, node in root.mapping.items() if key not in {"behaviours", "include", "vars"}}
    if library.defaults is not None:
        head["defaults"] = library.defaults
    resolved = Resolved(Node(head, root.mark).rooted(()), problems=problems, files=library.files)
    try:
        resolved.head = variables.substitute(resolved.head)
        defaults = resolved.head.mapping.get("defaults")
        for raw in library.own:
            merged = library.extended(raw)
            for node in () if merged is None else expand(merged, variables, problems):
                resolved.behaviours.append(_with_defaults(node, defaults).rooted(raw.path))
    except TooMuch:
        problems.append(problem(root.mark, (), "the variables expand to too much, or too deep"))
    return resolved


class _Library:
    """Offer of a file and its includes: variables, defaults, behaviours to extend."""

    def __init__(self, problems: list[Problem]) -> None:
        self.vars: dict[str, Node] = {}
        self.defaults: Node | None = None
        self.own: tuple[Node, ...] = ()
        self._by_id: dict[str, Node] = {}
        self._problems = problems
        self.files: set[Path] = set()

    def add(self, root: Node, path: Path, chain: tuple[Path, ...], own: bool = False) -> None:
        """Take over a file, what it includes first, so that its own words win."""
        self.files.add(chain[-1])
        for include in root.mapping.get("include", EMPTY).sequence:
            self._include(include, path, chain)
        self.vars |= root.mapping.get("vars", EMPTY).mapping
        defaults = root.mapping.get("defaults")
        if defaults is not None:
            self.defaults = defaults if self.defaults is None else merge(self.defaults, defaults)
        behaviours = root.mapping.get("behaviours", EMPTY).sequence
        self.own = behaviours if own else ()
        self._problems += repeated_ids(behaviours)
        named = ((node.mapping.get("id", EMPTY).value, node) for node in behaviours)
        self._by_id |= {name: node for name, node in named if isinstance(name, str)}

    def _include(self, node: Node, path: Path, chain: tuple[Path, ...]) -> None:
        name = node.value
        if not isinstance(name, str) or not name:
            return  # the schema says so
        if Path(name).is_absolute() or not has_spec_suffix(Path(name)):
            self._complain(node, f"{name!r} must be a .yaml file, relative to this one")
            return
        target = (path.parent / name).resolve()
        if target in chain:
            names = " -> ".join(p.name for p in (*chain[chain.index(target) :], target))
            self._complain(node, f"the includes go in a circle: {names}")
        elif target not in self.files:
            self._read(node, target, chain, shown(target))

    def _read(self, node: Node, target: Path, chain: tuple[Path, ...], file: str) -> None:
        if len(self.files) > LIMIT_INCLUDES:
            self._complain(node, f"more than {LIMIT_INCLUDES} files are included")
            return
        if not target.is_file():
            self._complain(node, f"there is no file {file!r}")
            return
        try:
            root, problems = parse(read_text(target, file), file)
        except YamlFault as fault:
            self._problems.append(fault.problem)
            return
        if "synnodtest" not in root.mapping:
            self._complain(node, f"{file!r} is not a spec", hint="it must begin with 'synnodtest: 1'")
            return
        bare = Node({k: v for k, v in root.mapping.items() if k not in {"behaviours", "defaults"}}, root.mark)
        self._problems += [*problems, *validate(bare)]
        self.add(root, target, (*chain, target))

    def extended(self, raw: Node) -> Node | None:
        """Return a behaviour merged over what it extends, or None if it is abstract or cannot be told."""
        said = {key: node for key, node in raw.mapping.items() if key == "abstract" and node.value is not None}
        self._problems += validate(replace(raw, value=said), "behaviour", only=frozenset({"type"}))
        if raw.mapping.get("abstract", EMPTY).value is True:
            self._problems += validate(raw, "behaviour", only=frozenset({"additionalProperties"}))
            return None
        chain = [str(raw.mapping.get("id", EMPTY).value)]
        layers = [raw]
        while (extends := layers[-1].mapping.get("extends")) is not None:
            name = extends.value
            if not isinstance(name, str) or name in chain or name not in self._by_id:
                self._complain(extends, self._not_extended(name, chain), (*raw.path, "extends"))
                return None
            chain.append(name)
            layers.append(self._by_id[name])
        merged = layers.pop()
        while layers:
            merged = merge(_without(merged, "id", "abstract", "extends"), layers.pop())
        return _without(merged, "abstract", "extends").rooted(raw.path)

    def _not_extended(self, name: object, chain: list[str]) -> str:
        """Return why a behaviour cannot extend what it names."""
        if not isinstance(name, str):
            return f"must be a behaviour's id, not {show(name)}"
        if name in chain:
            return f"extends itself: {' -> '.join([*chain, name])}"
        return f"there is no behaviour {name!r}{meant(name, self._by_id)}"

    def _complain(self, node: Node, message: str, path: KeyPath | None = None, hint: str = "") -> None:
        self._problems.append(problem(node.mark, node.path if path is None else path, message, hint))


def _without(node: Node, *keys: str) -> Node:
    if not isinstance(node.value, dict):
        return node
    return replace(node, value={key: child for key, child in node.value.items() if key not in keys})


def _with_defaults(behaviour: Node, defaults: Node | None) -> Node:
    if defaults is None or not isinstance(behaviour.value, dict):
        return behaviour
    content = dict(behaviour.value)
    for key in _DEFAULTED:
        if key in defaults.mapping:
            own = content.get(key)
            content[key] = defaults.mapping[key] if own is None else merge(defaults.mapping[key], own, key)
    for scenes in ("scenes", "fuzz"):
        if scenes in content and isinstance(content[scenes].value, dict):
            inherited = {k: v for k, v in defaults.mapping.items() if k in ("backgrounds", "replicates")}
            content[scenes] = merge(replace(content[scenes], value=inherited), content[scenes])
    return replace(behaviour, value=content)
