"""Fragments of the spec language's JSON Schema that expectations share, parameters that carry theirs, complaints."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from synnodtest.expectations.metrics import METRICS

Schema = Mapping[str, object]

VARIABLE: Schema = {"$ref": "#/$defs/variable"}
"""Pattern by which an editor accepts ``${name}`` in place of a value."""


def reference(name: str) -> Schema:
    """Return a reference to a definition of the schema, such as ``region``."""
    return {"$ref": f"#/$defs/{name}"}


def number(
    least: float | None = None,
    most: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
    whole: bool = False,
    default: float | None = None,
) -> Schema:
    """Return the schema of a number within its limits; ``above`` and ``below`` exclude theirs."""
    limits = {"minimum": least, "exclusiveMinimum": above, "maximum": most, "exclusiveMaximum": below}
    limits_given = {name: limit for name, limit in limits.items() if limit is not None}
    own = {} if default is None else {"default": default}
    return {"anyOf": [{"type": "integer" if whole else "number", **limits_given, **own}, VARIABLE]}


def share(*, above: float | None = None, default: float | None = None) -> Schema:
    """Return the schema of a share, 0 to 1."""
    return number(0 if above is None else None, 1, above=above, default=default)


def choice(*words: str) -> Schema:
    """Return the schema of one of several words."""
    return {"anyOf": [{"enum": list(words)}, VARIABLE]}


REGION = (
    "Region of the radiograph: a name, or {any: [..]}, {all: [..]}, {not: ..}; lung without hilum is "
    "{all: [lung, {not: hilar}]}.",
    reference("region"),
)
"""Meaning and schema of the parameter that names a region."""
METRIC = (
    "What is compared: sensitivity (default), confidence, specificity or false_positives_per_image.",
    choice(*METRICS),
    "sensitivity",
)
"""Meaning, schema and default of the parameter that names a metric."""

COMMON: Mapping[str, Schema] = {
    "id": {"description": "Name of this expectation within its behaviour; default: its kind.", **reference("name")},
    "where": reference("where"),
    "by": {"description": "Judge each stratum on its own; each becomes a test item.", **reference("strata")},
    "of": {"description": "Judge only the nodule of this name.", **reference("name")},
    "arm": {"description": "Judge only this arm.", **reference("name")},
    "alpha": reference("alpha"),
    "operating_point": reference("operating_point"),
    "matching": reference("matching"),
    "rationale": {"description": "Why the bound is what it is; printed in the report.", "type": "string"},
}
"""Parameters that many kinds take, in the order in which they stand."""
EVERY = tuple(COMMON)
"""Parameters of a kind that judges nodules at an operating point."""
CURVE = tuple(name for name in EVERY if name != "operating_point")
"""Parameters of a kind that looks at all thresholds."""
IMAGES = tuple(name for name in EVERY if name != "of")
"""Parameters of a kind that judges images without nodules."""
SEARCH = ("id", "of", "alpha", "operating_point", "matching", "rationale")
"""Parameters of a claim of a search."""


def option(about: str, schema: Schema, default: Any = None, *, key: str = "", stated: bool = False) -> Any:
    """Return a field of a class of parameters that knows its place in the spec language.

    Args:
        about: What it means, in a sentence.
        schema: What a spec may write.
        default: Its value where a spec says nothing.
        key: Its name in specs, where Python reserves the word.
        stated: Whether the default stands in the schema, from where it goes into the record.
    """
    fragment = {"description": about, **schema} | ({"default": default} if stated else {})
    return dataclasses.field(default=default, metadata={"schema": fragment, "key": key})


def key_of(field: dataclasses.Field[Any]) -> str:
    """Return the name of a parameter in specs."""
    return str(field.metadata.get("key") or field.name)


def fields_given(parameters: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that an expectation gives of a class of parameters, by field; other keys are left out."""
    return {f.name: given[key_of(f)] for f in dataclasses.fields(parameters) if key_of(f) in given}


def one_of(*groups: tuple[str, ...] | str) -> Schema:
    """Return the rule that a spec gives exactly one of several (groups of) parameters."""
    return {"oneOf": [{"required": [group] if isinstance(group, str) else list(group)} for group in groups]}


def object_schema(about: str, common: tuple[str, ...], parameters: type | None, rules: Schema) -> dict[str, object]:
    """Return the definition of a kind: its common and own parameters, and what must be given.

    Args:
        about: What the kind asks, in a sentence.
        common: Names out of :data:`COMMON`.
        parameters: A dataclass whose fields were made by :func:`option`; None: whatever a spec gives is taken.
        rules: Further JSON Schema: ``required``, ``oneOf``.
    """
    own: dict[str, object] = {}
    for field in dataclasses.fields(parameters) if parameters is not None else ():
        if "schema" in field.metadata:
            own[key_of(field)] = dict(field.metadata["schema"])
    properties = {name: dict(COMMON[name]) for name in common} | own
    return {
        "description": about,
        "type": "object",
        "properties": properties,
        "additionalProperties": parameters is None,
        **rules,
    }


NEXT_TO = 0.01
"""Share of a scale: a bound that lies less than so much off its loose end asks nothing either."""


def unbreakable(parameters: object) -> list[str]:
    """Return the bounds of an expectation that lie at the loose end of their own scale or next to it, in words.

    Args:
        parameters: An instance of a class whose fields were made by :func:`option`; of anything else nothing is known.
    """
    notes = []
    for field in dataclasses.fields(parameters) if dataclasses.is_dataclass(parameters) else ():
        (limits, *_), key = field.metadata.get("schema", {}).get("anyOf", [{}]), key_of(field)
        low, high = (limits.get(end, limits.get(f"exclusive{end.title()}")) for end in ("minimum", "maximum"))
        loose = low if key.endswith(("at_least", "level")) or key.startswith("min_") else None
        loose = high if key.endswith("at_most") or key.startswith("max_") else loose
        bound, near = getattr(parameters, field.name), 0.0 if None in (low, high) else NEXT_TO * (high - low)
        if None not in (loose, bound) and (bound == loose or abs(bound - loose) < near):
            where = "the end of its scale" if bound == loose else f"next to {loose:g}"
            notes.append(f"{key} is {bound:g}, {where}: next to no detector can fail it")
    return notes


@dataclass(frozen=True)
class Selection:
    """Nodules and scenes that an expectation judges; the parameters of every kind begin with these.

    Args:
        where: Conditions by name.
        of: Name of a nodule.
        arm: Name of an arm.
        reference: Name of the arm that ``arm`` is compared with.
        strata: Groups that are compared, where the kind has any: each has a ``label`` and conditions, ``where``.
        matching: How findings are assigned to nodules.
    """

    where: Mapping[str, object] | None = None
    of: str | None = None
    arm: str | None = None
    reference: str | None = None
    strata: Sequence[Any] = ()
    matching: Mapping[str, object] | None = None


class Complaint(NamedTuple):
    """Something of a spec that cannot work.

    Args:
        parameter: Where it stands; a parameter that is not given stands for the whole expectation.
        message: What is wrong.
        hint: How to mend it.
    """

    parameter: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Asked:
    """Arms, quantities and levels that the scenes give.

    Args:
        has_scenes: False where only the parameters themselves are known.
        fixed: Quantities that the scenes give and that do not vary.
        sweeps: Number of levels of each swept quantity.
        left: Number of levels that ``where`` leaves of a quantity.
        strata: Number of groups; None where the expectation names none.
        varied: Quantities that the scenes give, whether they vary or not.
    """

    has_scenes: bool = True
    fixed: frozenset[str] = frozenset()
    sweeps: Mapping[str, int] = dataclasses.field(default_factory=dict)
    left: Mapping[str, int] = dataclasses.field(default_factory=dict)
    strata: int | None = None
    varied: frozenset[str] = frozenset()
