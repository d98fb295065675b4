"""``include``, ``vars``, ``extends``, ``matrix``, ``defaults``: what a file says -> behaviours that say everything."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from synnodtest.errors import Problem
from synnodtest.spec.messages import Path as KeyPath
from synnodtest.spec.messages import meant, problem, show
from synnodtest.spec.recognise import has_spec_suffix
from synnodtest.spec.source import EMPTY, Node, YamlFault, parse, read_text, shown
from synnodtest.spec.validation import validate
from synnodtest.spec.variables import TooMuch, Variables, expand, merge

LIMIT_INCLUDES = 50
"""Files that one spec may include; set by hand far above any real one, so that files that include each other end."""

_DEFAULTED = ("sampling", "matching", "operating_point", "gate", "tags", "synthesizers")


@dataclass(frozen=True)
class Placed:
    """One behaviour and its place in the file it came from."""

    node: Node
    path: KeyPath


@dataclass
class Resolved:
    """A whole file: head without behaviours, behaviours with nothing left to look up, what is wrong, all files read."""

    head: Node
    behaviours: list[Placed] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)


def duplicate_id(name: str, line: int) -> str:
    """Return the complaint that an id is taken."""
    return f"two behaviours have the id {name!r}; the first stands in line {line}"


def resolve(root: Node, path: Path) -> Resolved:
    """Return the file's head and behaviours with includes, variables, extensions, matrices and defaults worked in."""
    problems: list[Problem] = []
    library = _Library(problems)
    library.add(root, path, (path.resolve(),), own=True)
    variables = Variables(library.vars, problems)
    head = {key: node for key, node in root.mapping.items() if key not in {"behaviours", "include", "vars"}}
    if library.defaults is not None:
        head["defaults"] = library.defaults
    resolved = Resolved(Node(head, root.mark), problems=problems, files=library.files)
    try:
        resolved.head = variables.substitute(resolved.head, ())
        defaults = resolved.head.mapping.get("defaults")
        for raw in library.own:
            merged = library.extended(raw)
            if merged is not None:
                for node in expand(merged, raw.path, variables, problems):
                    complete = _with_defaults(node, defaults)
                    resolved.behaviours.append(Placed(complete, raw.path))
    except TooMuch:
        problems.append(problem(root.mark, (), "the variables expand to too much, or too deep"))
    return resolved


class _Library:
    """Offer of a file and its includes: variables, defaults, behaviours to extend."""

    def __init__(self, problems: list[Problem]) -> None:
        self.vars: dict[str, Node] = {}
        self.defaults: Node | None = None
        self.own: list[Placed] = []
        self._by_id: dict[str, Placed] = {}
        self._problems = problems
        self.files: set[Path] = set()

    def add(self, root: Node, path: Path, chain: tuple[Path, ...], own: bool = False) -> None:
        """Take over a file, what it includes first, so that its own words win."""
        self.files.add(chain[-1])
        for index, include in enumerate(root.mapping.get("include", EMPTY).sequence):
            self._include(include, path, chain, ("include", index))
        self.vars |= root.mapping.get("vars", EMPTY).mapping
        defaults = root.mapping.get("defaults")
        if defaults is not None:
            self.defaults = defaults if self.defaults is None else merge(self.defaults, defaults)
        lines: dict[str, int] = {}
        for index, node in enumerate(root.mapping.get("behaviours", EMPTY).sequence):
            raw = Placed(node, ("behaviours", index))
            if own:
                self.own.append(raw)
            name = node.mapping.get("id", EMPTY)
            if isinstance(name.value, str):
                if name.value in lines:
                    self._complain(name, (*raw.path, "id"), duplicate_id(name.value, lines[name.value]))
                lines.setdefault(name.value, name.mark.line)
                self._by_id[name.value] = raw

    def _include(self, node: Node, path: Path, chain: tuple[Path, ...], at: KeyPath) -> None:
        name = node.value
        if not isinstance(name, str) or not name:
            return  # the schema says so
        if Path(name).is_absolute() or not has_spec_suffix(Path(name)):
            self._complain(node, at, f"{name!r} must be a .yaml file, relative to this one")
            return
        target = (path.parent / name).resolve()
        if target in chain:
            names = " -> ".join(p.name for p in (*chain[chain.index(target) :], target))
            self._complain(node, at, f"the includes go in a circle: {names}")
        elif target not in self.files:
            self._read(node, target, chain, at, shown(target))

    def _read(self, node: Node, target: Path, chain: tuple[Path, ...], at: KeyPath, file: str) -> None:
        if len(self.files) > LIMIT_INCLUDES:
            self._complain(node, at, f"more than {LIMIT_INCLUDES} files are included")
            return
        if not target.is_file():
            self._complain(node, at, f"there is no file {file!r}")
            return
        try:
            root, problems = parse(read_text(target, file), file)
        except YamlFault as fault:
            self._problems.append(fault.problem)
            return
        if "synnodtest" not in root.mapping:
            self._complain(node, at, f"{file!r} is not a spec", "it must begin with 'synnodtest: 1'")
            return
        self._problems.extend(problems)
        bare = Node({k: v for k, v in root.mapping.items() if k not in {"behaviours", "defaults"}}, root.mark)
        self._problems.extend(validate(bare, "", ()))
        self.add(root, target.parent / target.name, (*chain, target))

    def extended(self, raw: Placed) -> Node | None:
        """Return a behaviour merged over what it extends, or None if it is abstract or cannot be told."""
        if raw.node.mapping.get("abstract", EMPTY).value is True:
            unknown_keys = frozenset({"additionalProperties"})
            self._problems.extend(validate(raw.node, "behaviour", raw.path, only=unknown_keys))
            return None
        chain = [str(raw.node.mapping.get("id", EMPTY).value)]
        layers = [raw.node]
        while (extends := layers[-1].mapping.get("extends")) is not None:
            at = (*raw.path, "extends")
            name = extends.value
            if not isinstance(name, str):
                self._complain(extends, at, f"must be a behaviour's id, not {show(name)}")
                return None
            if name in chain:
                self._complain(extends, at, f"extends itself: {' -> '.join([*chain, name])}")
                return None
            if name not in self._by_id:
                self._complain(extends, at, f"there is no behaviour {name!r}{meant(name, self._by_id)}")
                return None
            chain.append(name)
            layers.append(self._by_id[name].node)
        merged = layers.pop()
        while layers:
            inherited = {k: v for k, v in merged.mapping.items() if k not in {"id", "abstract", "extends"}}
            merged = merge(replace(merged, value=inherited), layers.pop())
        own = {key: node for key, node in merged.mapping.items() if key not in {"abstract", "extends"}}
        return replace(merged, value=own) if isinstance(merged.value, dict) else merged

    def _complain(self, node: Node, path: KeyPath, message: str, hint: str = "") -> None:
        self._problems.append(problem(node.mark, path, message, hint))


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
