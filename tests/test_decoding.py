"""Plain values become dataclasses and come back; the schema made of a dataclass says what it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import jsonschema
import pytest

from synnodtest.decoding import JsonObject, Member, decode, definition, encode


@dataclass(frozen=True)
class Part:
    """A part.

    Args:
        size: In
            mm.
        word: One of two.
    """

    size: float
    word: Literal["a", "b"] = "a"


@dataclass(frozen=True)
class Whole:
    """A whole."""

    id: str
    parts: tuple[Part, ...]
    first: Part | None = None
    start: Annotated[float | None, Member(key="from")] = None
    note: Annotated[str, Member(null=True)] = ""
    count: Annotated[int, Member(schema={"minimum": 0})] = 0
    named: Mapping[str, Part] = field(default_factory=dict)
    odd: Annotated[bool, Member(omitted=True)] = False
    free: JsonObject = field(default_factory=dict)
    raw: Annotated[JsonObject, Member(whole=True)] = field(default_factory=dict, repr=False, compare=False)


RAW: dict[str, Any] = {
    "id": "x", "parts": [{"size": 3}, {"size": 4.5, "word": "b"}], "first": {"size": 1.0, "word": "a"}, "from": 2.0,
    "note": None, "count": 4, "named": {"k": {"size": 2.0}}, "odd": True, "free": {"a": [1, {"b": None}]}, "later": 7,
}  # fmt: skip


def test_an_object_becomes_a_dataclass():
    made = decode(Whole, RAW)
    assert made.parts == (Part(3), Part(4.5, "b"))
    assert isinstance(made.parts[0].size, int)  # taken as it stands
    assert (made.first, made.start, made.note, made.count, made.odd) == (Part(1.0), 2.0, "", 4, True)
    assert made.named == {"k": Part(2.0)}
    assert made.free == RAW["free"]
    assert made.raw["later"] == 7


def test_what_is_missing_or_null_is_at_its_default():
    made = decode(Whole, {"id": "x", "parts": [], "first": None, "count": None, "named": None})
    assert made == Whole("x", ())


def test_it_comes_back_with_its_keys():
    back = encode(decode(Whole, RAW))
    assert back == {
        **RAW,
        "note": "",
        "parts": [{"size": 3, "word": "a"}, {"size": 4.5, "word": "b"}],
        "named": {"k": {"size": 2.0, "word": "a"}},
    }
    assert "odd" not in encode(Whole("x", ()))
    assert encode(decode(Whole, {"id": "x", "parts": [], "later": 7})) == {"id": "x", "parts": [], "later": 7}
    assert decode(Whole, encode(decode(Whole, RAW))) == decode(Whole, RAW)


@pytest.mark.parametrize(
    ("raw", "error", "word"),
    [
        ({"parts": []}, KeyError, "id"),
        ({"id": "x", "parts": "ab"}, TypeError, "a list is expected, not str"),
        ({"id": "x", "parts": [1]}, TypeError, "an object is expected, not int"),
        ({"id": "x", "parts": [], "named": []}, TypeError, "an object is expected, not list"),
        ([], TypeError, "an object is expected, not list"),
    ],
)
def test_what_cannot_be_read_is_refused(raw, error, word):
    with pytest.raises(error, match=word):
        decode(Whole, raw)


def test_the_schema_says_what_is_read():
    known: dict[str, Any] = {}
    schema = definition(Whole, known) | {"$defs": known}
    jsonschema.Draft202012Validator.check_schema(schema)
    holds = jsonschema.Draft202012Validator(schema).is_valid
    assert holds(RAW)
    assert not holds(RAW | {"count": -1})
    assert not holds(RAW | {"note": 3})
    assert not holds(RAW | {"first": {"word": "a"}})
    assert not holds(RAW | {"named": {"k": {}}})
    assert not holds(RAW | {"parts": [{"size": 1, "word": "c"}]})
    assert not holds({"id": "x"})
    assert schema["required"] == ["id", "parts"]
    assert "raw" not in schema["properties"]
    assert known["part"]["properties"]["size"] == {"type": "number", "description": "In mm."}
