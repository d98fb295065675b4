"""Frozen dataclasses from plain JSON values and back, and the JSON Schema that says the same.

A key that is missing, or null where the field takes no None, leaves the field at its default; keys that no field names
are ignored. Numbers are taken as they stand: an integer where a float is expected stays one.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from synnodtest.canonical import AS_THEY_ARE, plain

JsonObject = Mapping[str, object]
"""A JSON object whose keys nothing here fixes: a configuration, parameters of a kind, the data of a figure.

Its values are objects, so that whoever reads one has to say, and mypy to see, what it is.
"""
Schema = dict[str, Any]
"""A JSON Schema: its keywords decide what their values are."""

T = TypeVar("T")
_Read = Callable[[Any], Any]
_SCALARS: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_ABSENT = object()


@dataclass(frozen=True)
class Member:
    """Rules of a field beyond its type, within ``Annotated``.

    Args:
        key: Its key in the JSON object, where that is not its name.
        null: Null is allowed and leaves the field at its default.
        whole: The field takes the whole object as it was read, and has no key of its own; keys in it that no field
            names are written back, and fields at their default that it lacks are not written.
        omitted: Not written where it is at its default.
        schema: Further keywords of its JSON Schema.
    """

    key: str = ""
    null: bool = False
    whole: bool = False
    omitted: bool = False
    schema: JsonObject = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class _Slot:
    """One field of a dataclass, ready to be read and written."""

    name: str
    key: str
    hint: Any
    default: Any
    rules: Member
    read: _Read | None
    takes_none: bool

    @property
    def required(self) -> bool:
        return self.default is _ABSENT


@cache
def _slots(kind: Any) -> tuple[_Slot, ...]:
    hints, slots = get_type_hints(kind, include_extras=True), []
    for one in dataclasses.fields(kind):
        bare, rules = _annotated(hints[one.name])
        default = one.default
        if one.default_factory is not dataclasses.MISSING:
            default = one.default_factory()
        elif default is dataclasses.MISSING:
            default = _ABSENT
        slots.append(_Slot(one.name, rules.key or one.name, bare, default, rules, _reader(bare), _optional(bare)[1]))
    return tuple(slots)


def _annotated(hint: Any) -> tuple[Any, Member]:
    """Return a type and its rules, which those of an alias within it join."""
    if get_origin(hint) is not Annotated:
        return hint, Member()
    bare, *more = get_args(hint)
    members = [one for one in more if isinstance(one, Member)]
    null, whole, omitted = (any(getattr(one, name) for one in members) for name in ("null", "whole", "omitted"))
    schema = {word: value for one in members for word, value in one.schema.items()}
    return bare, Member(next((one.key for one in members if one.key), ""), null, whole, omitted, schema)


def _optional(hint: Any) -> tuple[Any, bool]:
    """Return a type without None, and whether it takes None."""
    if get_origin(hint) in (Union, types.UnionType):
        rest = [one for one in get_args(hint) if one is not type(None)]
        return (rest[0] if len(rest) == 1 else Any), len(rest) < len(get_args(hint))
    return hint, hint in (Any, object)


# --- reading --------------------------------------------------------------------------------------------------------


def decode(kind: type[T], raw: Any) -> T:
    """Return a frozen dataclass of plain JSON values.

    Args:
        kind: The dataclass; its fields are scalars, dataclasses, tuples and mappings of these.
        raw: A JSON object.

    Raises:
        KeyError: a key that has no default is missing.
        TypeError: an object or a list is expected where something else stands.
    """
    if not isinstance(raw, Mapping):
        raise TypeError(f"an object is expected, not {type(raw).__name__}")
    values = {}
    for slot in _slots(cast(Any, kind)):
        value = raw if slot.rules.whole else raw.get(slot.key, _ABSENT)
        if value is _ABSENT or (value is None and not slot.takes_none):
            if slot.required:
                raise KeyError(slot.key)
        else:
            values[slot.name] = value if slot.read is None else slot.read(value)
    return kind(**values)


@cache
def _reader(hint: Any) -> _Read | None:
    """Return what turns a plain value into one of a type; None where it is taken as it is."""
    bare, takes_none = _optional(_annotated(hint)[0])
    read = _reader_of(bare)
    if read is None or not takes_none:
        return read
    return lambda value: None if value is None else read(value)


def _reader_of(bare: Any) -> _Read | None:
    inner, origin = get_args(bare), get_origin(bare)
    if isinstance(bare, type) and dataclasses.is_dataclass(bare):
        return partial(decode, bare)
    if origin in (tuple, list):
        return partial(_sequence, origin, _reader(inner[0]))
    if origin in (Mapping, dict):
        return partial(_mapping, _reader(inner[1]))
    return None


def _sequence(kind: _Read, read: _Read | None, value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"a list is expected, not {type(value).__name__}")
    return kind(value if read is None else map(read, value))


def _mapping(read: _Read | None, value: Any) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"an object is expected, not {type(value).__name__}")
    return value if read is None else {key: read(item) for key, item in value.items()}


def no_twins(pairs: list[tuple[str, Any]]) -> dict[str, object]:
    """Return a JSON object; a hook of ``json.loads``, which keeps the last of two equal keys.

    Raises:
        ValueError: a key stands twice.
    """
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twin!r} occurs twice in one object")
    return mapping


# --- writing --------------------------------------------------------------------------------------------------------


def encode(value: Any) -> Any:
    """Return plain JSON values of dataclasses that :func:`decode` reads, and of all else as :func:`plain` does."""
    kind = type(value)
    if kind in AS_THEY_ARE:
        return value
    if kind is tuple or kind is list:
        return [encode(item) for item in value]
    if dataclasses.is_dataclass(kind):
        return _encoded(value)
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return plain(value)


@cache
def _written(kind: Any) -> tuple[tuple[_Slot, ...], frozenset[str], _Slot | None]:
    """Return the fields that are written, their keys, and the one that keeps the object which was read, if any does."""
    named = tuple(slot for slot in _slots(kind) if not slot.rules.whole)
    whole = next((slot for slot in _slots(kind) if slot.rules.whole), None)
    return named, frozenset(slot.key for slot in named), whole


def _encoded(value: Any) -> dict[str, Any]:
    """Return a dataclass as an object: what it was read from and no field names, then its fields."""
    slots, keys, whole = _written(cast(Any, type(value)))
    read: JsonObject | None = None
    if whole is not None:
        raw = getattr(value, whole.name)
        read = None if raw == whole.default else raw
    encoded = {} if read is None else {key: item for key, item in read.items() if key not in keys}
    for slot in slots:
        item = getattr(value, slot.name)
        if not ((slot.rules.omitted or (read is not None and slot.key not in read)) and item == slot.default):
            encoded[slot.key] = encode(item)
    return encoded


# --- JSON Schema ----------------------------------------------------------------------------------------------------


def definition(kind: type[Any], known: Schema) -> Schema:
    """Return the JSON Schema (2020-12) of a dataclass: its docstring says what the keys hold.

    Args:
        kind: The dataclass.
        known: ``$defs``; filled with the dataclasses within it, by name.
    """
    doc = inspect.getdoc(kind) or ""
    described = _arguments(doc)
    slots, _, _ = _written(cast(Any, kind))
    properties = {}
    for slot in slots:
        node = _node(slot.hint, known, slot.rules.null)
        node |= {"description": described[slot.name]} if slot.name in described and "$ref" not in node else {}
        properties[slot.key] = {**node, **slot.rules.schema}
    head = {"type": "object", "description": doc.partition("\n\n")[0].replace("\n", " ")}
    return {**head, "required": [slot.key for slot in slots if slot.required], "properties": properties}


def _node(hint: Any, known: Schema, null: bool = False) -> Schema:
    whole, rules = _annotated(hint)
    inner, takes_none = _optional(whole)
    bare, more = _annotated(inner)
    node = _node_of(bare, known)
    if (null or takes_none) and bare not in (Any, object):
        node = dict(known[node["$ref"].removeprefix("#/$defs/")]) if "$ref" in node else node
        node |= {"type": [node["type"], "null"]} if "type" in node else {"enum": [*node["enum"], None]}
    return {**node, **rules.schema, **more.schema}


def _node_of(bare: Any, known: Schema) -> Schema:
    inner, origin = get_args(bare), get_origin(bare)
    if isinstance(bare, type) and dataclasses.is_dataclass(bare):
        name = _name(bare)
        if name not in known:
            known[name] = definition(bare, known)
        return {"$ref": f"#/$defs/{name}"}
    if origin is tuple:
        items = _node(inner[0], known)
        return {"type": "array"} | ({"items": items} if items else {})
    if origin is Mapping:
        rest = _node(inner[1], known)
        return {"type": "object"} | ({"additionalProperties": rest} if rest else {})
    if origin is Literal:
        return {"enum": list(inner)}
    return {"type": _SCALARS[bare]} if bare in _SCALARS else {}


def _name(kind: Any) -> str:
    """Return the name of a definition: ``SceneEntry`` is ``scene``, ``CredibilityReport`` ``credibility_report``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__.removesuffix("Entry")).lower()


def _arguments(doc: str) -> dict[str, str]:
    """Return what a docstring's ``Args`` say, by name."""
    part = doc.partition("Args:\n")[2].partition("\n\n")[0]
    matches = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", part, flags=re.M)
    return {name: re.sub(r"\s+", " ", text) for name, text in matches}
