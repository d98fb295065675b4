"""Spec files -> :class:`Spec`, or every error of the file at once."""

from __future__ import annotations

from dataclasses import replace
from os.path import relpath
from pathlib import Path
from typing import Any

from synnodtest.canonical import sha256_of
from synnodtest.errors import Problem, SpecError
from synnodtest.spec.build import Builder
from synnodtest.spec.expectations import build_expectations, matching
from synnodtest.spec.fuzzing import build_fuzz
from synnodtest.spec.messages import problem
from synnodtest.spec.model import Behaviour, Sampling, Spec
from synnodtest.spec.nodes import EMPTY, Node, listed, plain
from synnodtest.spec.plain import spec_dict, tidy
from synnodtest.spec.resolve import Resolved, repeated_ids, resolve
from synnodtest.spec.sampling import check_assumed, check_sequential
from synnodtest.spec.source import YamlFault, parse, read_text, shown
from synnodtest.spec.validation import validate
from synnodtest.spec.variables import VARIABLE_FAULT

DEFAULT_MATCHING = {"criterion": "centre-in-nodule", "tolerance_mm": 5}
DEFAULT_OPERATING_POINT = (0.25,)
"""Score from which a finding counts where a spec does not say: the default of ultralytics' prediction (``conf``)."""


def load_spec(path: Path, known_regions: frozenset[str] = frozenset()) -> Spec:
    """Return the spec in a file.

    Args:
        path: The YAML file.
        known_regions: Regions beyond the built-in ones (users' masks).

    Raises:
        SpecError: with every problem of the file and of what it includes, in order.
    """
    path = Path(path)
    file = shown(path)
    try:
        root, problems = parse(read_text(path, file), file)
    except YamlFault as fault:
        raise SpecError([fault.problem]) from None
    if not isinstance(root.value, dict):
        raise SpecError([problem(root.mark, (), "a spec is a mapping that begins with 'synnodtest: 1'")])
    whole = resolve(root, path)
    problems += whole.problems
    problems += _check_head(root, whole)
    built = [_behaviour(node, known_regions, problems) for node in whole.behaviours]
    behaviours = tuple(behaviour for behaviour in built if behaviour is not None)
    problems += repeated_ids(whole.behaviours)
    if problems:
        raise SpecError(_in_order(problems))
    head = whole.head.mapping
    title = str(head["title"].value) if "title" in head else path.stem
    scope: dict[str, object] = plain(head["scope"]) if "scope" in head else {}
    own = path.resolve()
    included = sorted(Path(relpath(file, own.parent)).as_posix() for file in whole.files - {own})
    return Spec(path, title, scope, behaviours, sha256_of(spec_dict(title, scope, behaviours)), tuple(included))


def _in_order(problems: list[Problem]) -> list[Problem]:
    first = problems[0].file
    if any(VARIABLE_FAULT in p.message for p in problems):
        problems = [p for p in problems if "the text '${" not in p.message]
    unique = {(p.file, p.line, p.column, p.message): p for p in reversed(problems)}
    return sorted(unique.values(), key=lambda p: (p.file != first, p.file, p.line, p.column, p.message))


def _check_head(root: Node, resolved: Resolved) -> list[Problem]:
    lent: dict[str, Node] = {key: root.mapping[key] for key in ("include", "vars") if key in root.mapping}
    behaviours = root.mapping.get("behaviours")
    if behaviours is not None and not isinstance(behaviours.value, tuple):
        lent["behaviours"] = behaviours
    problems = validate(replace(resolved.head, value={**resolved.head.mapping, **lent}))
    if behaviours is not None and behaviours.value == ():
        problems.append(problem(behaviours.place, (), "'behaviours' is empty", "a spec without any tests nothing"))
    if behaviours is None and not lent and "defaults" not in root.mapping:
        problems.append(problem(root.mark, (), "'behaviours' is missing", "a spec without any tests nothing"))
    return problems


def _behaviour(node: Node, regions: frozenset[str], problems: list[Problem]) -> Behaviour | None:
    builder = Builder(validate(node, "behaviour"), regions)
    parts = node.mapping
    rules = _rules(builder, parts)
    name = _text(parts, "id")
    behaviour = Behaviour(
        id=name,
        statement=_text(parts, "statement") or _sentence(name),
        requirement=_texts(parts, "requirement"),
        hazard=_texts(parts, "hazard"),
        gate=_text(parts, "gate") or "performance",
        tags=_texts(parts, "tags"),
        rationale=_text(parts, "rationale"),
        synthesizers=_texts(parts, "synthesizers"),
        scenes=builder.scenes(parts["scenes"]) if "scenes" in parts else None,
        fuzz=build_fuzz(builder, parts["fuzz"]) if "fuzz" in parts else None,
        line=node.mark.line,
        column=node.mark.column,
        **rules,
    )
    fuzz = "fuzz" in parts and "scenes" not in parts
    expectations = build_expectations(builder, parts.get("expect", EMPTY), behaviour, fuzz)
    behaviour = replace(behaviour, expectations=expectations)
    check_assumed(builder, parts, behaviour)
    check_sequential(builder, parts, behaviour)
    problems.extend(builder.problems)
    return None if builder.problems else behaviour


def _sentence(name: str) -> str:
    """Return the words of an id: ``Nodules are found (bone=rib).`` for ``nodules-are-found[bone=rib]``."""
    words = name.replace("-", " ").replace("_", " ").replace("[", " (").replace("]", ")")
    return f"{words[:1].upper()}{words[1:]}."


def _rules(builder: Builder, parts: dict[str, Node]) -> dict[str, Any]:
    sound = {name: node for name, node in parts.items() if builder.clean(node)}
    points = plain(sound["operating_point"]) if "operating_point" in sound else DEFAULT_OPERATING_POINT
    rules: dict[str, Any] = {
        "matching": matching(builder, sound["matching"]) if "matching" in sound else dict(DEFAULT_MATCHING),
        "operating_point": tuple(map(float, listed(points))),
    }
    if "sampling" in sound:
        settings = tidy(plain(sound["sampling"]))
        assume = settings.pop("assume", {})
        pairs = assume.items() if isinstance(assume, dict) else [("", assume)]
        rules["sampling"] = Sampling(**settings, assume=tuple((name, float(value)) for name, value in pairs))
    return rules


def _text(parts: dict[str, Node], name: str) -> str:
    value = parts.get(name, EMPTY).value
    return value if isinstance(value, str) else ""


def _texts(parts: dict[str, Node], name: str) -> tuple[str, ...]:
    return tuple(map(str, listed(plain(parts[name])))) if name in parts else ()
