"""Nodes against the JSON Schema, with errors in people's words at the right line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from synnodtest.counted import counted
from synnodtest.decoding import Schema
from synnodtest.errors import Problem
from synnodtest.spec.language import assembled, signature
from synnodtest.spec.messages import closest, problem, show, unknown
from synnodtest.spec.nodes import Node, plain

if TYPE_CHECKING:
    from jsonschema import ValidationError

_TYPES = {
    "number": "a number",
    "integer": "a whole number",
    "string": "a text",
    "array": "a list",
    "object": "a mapping",
    "boolean": "true or false",
}
_BOUNDS = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "above", "exclusiveMaximum": "below"}
_BELONGS = "belongs under"
_BOUND = "at_least"
"""A bound of an expectation, of which ``matching`` has a namesake: whoever misplaces it never meant that."""
_OWNERS_TOLD = 3
"""Keys that many mappings have, such as ``at_least``: they say nothing of which was meant."""
_KEYS_TOLD = 6
"""More are looked up rather than read in an error."""
_VARIABLE = {"$ref": "#/$defs/variable"}


def schema() -> Schema:
    """Return the JSON Schema (2020-12) of the spec language."""
    return assembled()


@lru_cache(maxsize=4)
def _strict_of(known: tuple[str, ...]) -> Schema:
    """The schema for resolved specs: where an editor accepts ``${name}``, only the value is left."""

    def without_variables(part: Any) -> Any:
        if isinstance(part, list):
            return [without_variables(item) for item in part]
        if not isinstance(part, dict):
            return part
        part = {key: without_variables(item) for key, item in part.items()}
        if _VARIABLE in part.get("anyOf", ()):
            return part | part.pop("anyOf")[0]
        return part

    strict: Schema = without_variables(schema())
    del strict["$defs"]["behaviour"]["properties"]["expect"]["items"]  # validated one by one, by kind
    return strict


def definition(name: str) -> Schema:
    """Return one definition of the schema for resolved specs, such as ``expect_monotone``."""
    schema: Schema = _strict_of(signature())["$defs"][name]
    return schema


def kinds(name: str) -> tuple[str, ...]:
    """Return the kinds of ``expectation``, ``fuzz_expectation`` or ``perturbation``."""
    return tuple(definition(name)["properties"])


@lru_cache(maxsize=64)
def _validator_of(name: str, known: tuple[str, ...]) -> Any:
    from jsonschema import Draft202012Validator

    strict = _strict_of(known)
    root = strict if name == "" else {"$ref": f"#/$defs/{name}", "$defs": strict["$defs"]}
    return Draft202012Validator(root)


def validate(node: Node, name: str = "", only: frozenset[str] | None = None) -> list[Problem]:
    """Return every way in which a node breaks a definition of the schema (the whole schema for ``""``).

    ``only`` names the JSON Schema rules to look at; None stands for all.
    """
    return _problems(_validator_of(name, signature()), node, only)


def held_against(form: Schema, node: Node) -> list[Problem]:
    """Return every way in which the content of a file breaks a JSON Schema of its own."""
    from jsonschema import Draft202012Validator

    return _problems(Draft202012Validator(form), node)


def _problems(validator: Any, node: Node, only: frozenset[str] | None = None) -> list[Problem]:
    errors = sorted(validator.iter_errors(plain(node)), key=lambda e: [str(part) for part in e.absolute_path])
    wanted = (error for error in errors if only is None or error.validator in only)
    problems = [problem for error in wanted for problem in _translate(error, _descend(node, error.absolute_path))]
    misplaced = [p for p in problems if _BELONGS in p.message]
    return misplaced or problems


def _descend(node: Node, path: Any) -> Node:
    for part in path:
        node = node.mapping[part] if isinstance(part, str) else node.sequence[part]
    return node


def _translate(error: ValidationError, node: Node) -> Iterator[Problem]:
    rule, rules = str(error.validator), error.schema if isinstance(error.schema, dict) else {}
    if rule == "additionalProperties":
        properties = rules.get("properties", {})
        for key, child in node.mapping.items():
            if key not in properties:
                yield problem(child.place, node.path, _unknown_key(key, node, properties))
    elif rule == "required":
        yield from _missing(error, node, rules)
    elif rule == "oneOf" and isinstance(node.value, dict):
        yield from _not_one_of(error, node, rules.get("properties", {}))
    elif rule == "propertyNames" or error.parent is not None:
        yield problem(node.mark, node.path, f"must be {rules.get('x-expected', 'another value')}")
    elif rule != "oneOf":
        yield problem(node.mark, node.path, _wrong_value(rule, error, rules))


def _not_one_of(error: ValidationError, node: Node, known: Schema) -> Iterator[Problem]:
    """Yield what to give; nothing where an unknown key, of which a complaint is made anyway, stands for one of it."""
    branches: Any = error.validator_value
    required = {key for branch in branches for key in branch["required"]}
    if not any(closest(key, known) in required for key in node.mapping if key not in known):
        names = " or ".join(", ".join(branch["required"]) for branch in branches)
        yield problem(node.place, node.path, f"give {names}" + ", not both" * bool(required & node.mapping.keys()))


def _unknown_key(key: str, node: Node, known: Schema) -> str:
    if key == "sweep" and "uniform" in known:
        return "'sweep' has no place here: give each level an arm, or use 'matrix'"
    for sibling in node.mapping:
        inner = _strict_of(signature())["$defs"].get(f"expect_{sibling}", {}).get("properties", {})
        if sibling in known and key in inner and known.keys() == set(kinds("expectation")):
            return f"{key!r} {_BELONGS} {sibling!r}: indent it further"
    for depth in (1, 2) if key != _BOUND else ():
        if 1 <= len(owners := _owners(key, known, depth)) <= _OWNERS_TOLD:
            return f"{key!r} has no place here, but in {' or '.join(map(repr, owners))}"
    if key.isdecimal() and node.mapping[key].value is None:
        return f"{key!r} is not known: decimals are written with a point"
    return unknown(key, known)


def _owners(key: str, known: Schema, depth: int) -> list[str]:
    """Return the paths, so many steps below, of the mappings and lists of mappings that have a key."""
    inner = {name: _members(name, rules) for name, rules in known.items()}
    if depth == 1:
        return [name for name, members in inner.items() if key in members]
    inner.pop("expect", None)  # whose members are kinds, and their keys too many to guess from
    return [f"{name}.{path}" for name, members in inner.items() for path in _owners(key, members, depth - 1)]


def _members(name: str, rules: Schema) -> Schema:
    if "$ref" in rules or name == "expect":
        rules = definition(rules.get("$ref", "#/$defs/expectation").rpartition("/")[2])
    rules = rules.get("items", rules)
    members: Schema = _members("", rules) if "$ref" in rules else rules.get("properties", {})
    return members


def _missing(error: ValidationError, node: Node, rules: Schema) -> Iterator[Problem]:
    properties = rules.get("properties", {})
    misspelt = {closest(key, properties) for key in node.mapping if key not in properties}
    required: Any = error.validator_value
    for name in required:
        if name not in node.mapping and name not in misspelt and f"{name!r} is a required" in error.message:
            about = properties.get(name, {}).get("description", "").split(". ")[0].rstrip(".")
            yield problem(node.place, node.path, f"{name!r} is missing", about)


def _wrong_value(rule: str, error: ValidationError, rules: Schema) -> str:
    limit: Any = error.validator_value
    instance: Any = error.instance
    got = show(instance)
    expected = rules.get("x-expected")
    if rule == "type":
        keys = list(rules.get("properties", ()))
        few = f"a mapping of {', '.join(keys)}" if 1 < len(keys) <= _KEYS_TOLD else _mapping_with(rules)
        return _wrong_type(expected or few, limit, instance)
    if rule == "enum" and isinstance(instance, str):
        return unknown(instance, [str(option) for option in limit if isinstance(option, str)])
    if rule in ("enum", "pattern"):
        return f"must be {expected or ' or '.join(map(str, limit))}, not {got}{_as_number(instance, expected)}"
    if rule == "const":
        return f"must be {limit}, not {got}: this synnodtest reads version {limit} of the language"
    if rule in _BOUNDS:
        share = _percent(f"{got}%" if rule == "maximum" and limit == 1 else "")
        return f"must be {_BOUNDS[rule]} {limit:g}, not {got}{share}"
    size = len(instance) if isinstance(instance, (list, dict, str)) else 0
    if rule == "uniqueItems":
        return "names the same value twice"
    if rule == "maxProperties" and limit == 1:
        return f"give one of {', '.join(instance)}, not {size}"
    if rule == "minProperties":
        return f"must be {expected}, and it is empty" if expected else "must not be empty"
    if rule == "minLength":
        return "must not be empty"
    least = rule.startswith("min")
    if "minItems" in rules and rules["minItems"] == rules.get("maxItems"):
        return f"must be a list of {limit}, not of {size}"
    unit = {"Properties": ("key", "keys"), "Length": ("character", "characters")}.get(rule[3:], ("entry", "entries"))
    return f"must have at {'least' if least else 'most'} {counted(limit, *unit)}, not {size}"


def _mapping_with(rules: Schema) -> str | None:
    """Return what a mapping of many keys must give; None where it need not give any."""
    branches = rules.get("oneOf", [rules]) if isinstance(rules, dict) else []
    needed = [", ".join(branch["required"]) for branch in branches if "required" in branch]
    return f"a mapping with {' or '.join(needed)}" if needed else None


def _percent(text: str) -> str:
    """Return what to write for ``80%``; empty for other texts, and for shares above 1 that are no percentages."""
    number = re.fullmatch(r"(\d+(?:\.\d+)?) ?%", text.strip())
    return f" ({number[0]} is {float(number[1]) / 100:g})" if number and 2 <= float(number[1]) <= 100 else ""


def _as_number(text: Any, expected: str | None) -> str:
    """Return how a text that was meant as a number is written as one; empty for others, and where none is expected."""
    if not isinstance(text, str) or "number" not in (expected or ""):
        return ""
    number = re.fullmatch(r"(-?(?:\d+(?:[.,]\d\d?)?|0[.,]\d+))\s*(?:mm)?", text)
    return f" (write {number[1].replace(',', '.')}, without quotes or unit)" if number else _percent(text)


def _wrong_type(expected: str | None, types: Any, got: Any) -> str:
    names = types if isinstance(types, list) else [types]
    expected_types = expected or " or ".join(_TYPES.get(name, str(name)) for name in names)
    if got is None:
        return f"must be {expected_types}, but nothing is given"
    if isinstance(got, str):
        if got in {"yes", "no", "on", "off"} and "boolean" in names:
            return f"must be true or false, not the text {got!r}"
        told = f" (write [{got}])" if names == ["array"] else _as_number(got, "number" if "number" in names else "")
        return f"must be {expected_types}, not the text {show(got)}{told}"
    if isinstance(got, (bool, int, float)) and "string" in names and "integer" not in names:
        kind = "truth value" if isinstance(got, bool) else "number"
        return f"must be {expected_types}, but YAML reads {show(got)} as a {kind}; put it in quotes"
    entries = " (begin each entry with '- ')" if names == ["array"] and isinstance(got, dict) else ""
    return f"must be {expected_types}, not {show(got)}{entries}"
