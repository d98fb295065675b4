"""Validation of large plain data against the part of JSON Schema that the record's schema uses.

``jsonschema`` says the same (a test holds it) and takes minutes for a record of 100,000 scenes; this takes seconds. The
schema is first made into functions that only say yes or no; where one says no, the data are walked for what is wrong.
Known keywords: ``type``, ``enum``, ``const``, ``required``, ``properties``, ``additionalProperties``, ``items``,
``minItems``, ``maxItems``, ``minimum``, ``pattern``, ``maxLength`` and ``$ref`` into ``$defs``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from synnodtest.decoding import Schema

__all__ = ["faults"]

_ANNOTATIONS = {"$schema", "$id", "$defs", "title", "description", "examples", "default", "$comment"}
_KNOWN = {
    "type",
    "enum",
    "const",
    "required",
    "properties",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "minimum",
    "pattern",
    "maxLength",
    "$ref",
}


def faults(value: Any, schema: Schema, *, limit: int = 5) -> Iterator[str]:
    """Yield up to ``limit`` faults of ``value`` as ``place: what is wrong``.

    Raises:
        NotImplementedError: the schema uses a keyword that this validator does not know.
    """
    if _Quick(schema).of(schema)(value):
        return iter(())
    return islice(_Walk(schema).walk(value, schema, ""), limit)


_Fits = Callable[[Any], bool]
_TYPES: dict[str, set[type]] = {
    "null": {type(None)},
    "boolean": {bool},
    "integer": {int},
    "number": {int, float},
    "string": {str},
    "array": {list},
    "object": {dict},
}
_ONLY_TYPE = {"type", *_ANNOTATIONS}


class _Quick:
    """Functions that say whether a value surely follows a schema; a no may also mean that it takes a closer look."""

    def __init__(self, schema: Schema) -> None:
        self._definitions: Schema = schema.get("$defs", {})
        self._made: dict[str, _Fits] = {}

    def of(self, schema: Schema | bool) -> _Fits:
        if isinstance(schema, bool):
            return lambda value: schema
        if "$ref" in schema:
            return self._referred(schema["$ref"].removeprefix("#/$defs/"))
        if schema.keys() - _KNOWN - _ANNOTATIONS:
            return lambda value: False
        kinds = schema.get("type", list(_TYPES))
        types: set[type] = set().union(*(_TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)))
        if schema.keys() <= _ONLY_TYPE:
            return lambda value: type(value) in types
        inside: dict[type, _Fits] = {dict: self._object(schema), list: self._array(schema)}

        def fits(value: Any) -> bool:
            kind = type(value)
            if kind not in types:
                return False
            inner = inside.get(kind)
            return not _scalar_fault(value, schema) if inner is None else inner(value)

        return fits

    def _referred(self, name: str) -> _Fits:
        """Return the function of a definition, which may refer to itself: it is made when it is first called."""

        def fits(value: Any) -> bool:
            if name not in self._made:
                self._made[name] = self.of(self._definitions[name])
            return self._made[name](value)

        return fits

    def _object(self, schema: Schema) -> _Fits:
        if {"enum", "const"} & schema.keys():
            return lambda value: False
        required = frozenset(schema.get("required", ()))
        known = {name: self.of(inner) for name, inner in schema.get("properties", {}).items()}
        other = self.of(schema.get("additionalProperties", True))

        def fits(value: Any) -> bool:
            return required <= value.keys() and all(known.get(name, other)(item) for name, item in value.items())

        return fits

    def _array(self, schema: Schema) -> _Fits:
        if {"enum", "const"} & schema.keys():
            return lambda value: False
        least, most, items = schema.get("minItems", 0), schema.get("maxItems"), schema.get("items")
        inner = self.of(items or True)

        def fits(value: Any) -> bool:
            return least <= len(value) and (most is None or len(value) <= most) and all(map(inner, value))

        return fits


class _Walk:
    def __init__(self, schema: Schema) -> None:
        self._definitions: Schema = schema.get("$defs", {})

    def walk(self, value: Any, schema: Schema, place: str) -> Iterator[str]:
        if "$ref" in schema:
            yield from self.walk(value, self._definitions[schema["$ref"].removeprefix("#/$defs/")], place)
            return
        unknown = schema.keys() - _KNOWN - _ANNOTATIONS
        if unknown:
            raise NotImplementedError(f"schema keywords {sorted(unknown)}")
        fault = _scalar_fault(value, schema)
        if fault:
            yield f"{place or 'the record'}: {fault}"
        elif isinstance(value, dict):
            yield from self._object(value, schema, place)
        elif isinstance(value, list):
            yield from self._array(value, schema, place)

    def _object(self, value: dict[str, Any], schema: Schema, place: str) -> Iterator[str]:
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{place or 'the record'}: {name!r} is missing"
        properties = schema.get("properties", {})
        rest = schema.get("additionalProperties", True)
        for name, item in value.items():
            inner = properties.get(name, rest)
            if inner is False:
                yield f"{place or 'the record'}: {name!r} is not known"
            elif inner is not True:
                yield from self.walk(item, inner, f"{place}.{name}" if place else name)

    def _array(self, value: list[Any], schema: Schema, place: str) -> Iterator[str]:
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{place}: {len(value)} items"
        inner = schema.get("items")
        if inner:
            for index, item in enumerate(value):
                yield from self.walk(item, inner, f"{place}[{index}]")


def _scalar_fault(value: Any, schema: Schema) -> str:
    kinds = schema.get("type")
    if kinds is not None:
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if not any(_is(value, kind) for kind in kinds):
            return f"{_short(value)} is no {' or '.join(kinds)}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{_short(value)} is none of {', '.join(map(str, schema['enum']))}"
    if "const" in schema and value != schema["const"]:
        return f"{_short(value)} is not {schema['const']!r}"
    if "minimum" in schema and isinstance(value, (int, float)) and value < schema["minimum"]:
        return f"{_short(value)} is below {schema['minimum']}"
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            return f"{_short(value)} does not look like {schema['pattern']}"
        if len(value) > schema.get("maxLength", len(value)):
            return f"a text of {len(value)} characters is too long"
    return ""


def _is(value: Any, kind: str) -> bool:
    if kind == "null":
        return value is None
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if kind == "number":
        return isinstance(value, (int, float))
    return isinstance(value, {"string": str, "array": list, "object": dict}[kind])


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
