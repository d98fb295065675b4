"""The definitions of perturbations in the schema, made from their kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synnodtest.perturbations.kind import PerturbationKind, Span

_VARIABLE = {"$ref": "#/$defs/variable"}
_DRAWN = "one of {uniform: [a, b]}, {log_uniform: [a, b]}, {normal: [mean, sd]}, {choice: [..]}"
_MOST_CHOICES = 1000
"""Values of a list that is drawn from: more are a distribution."""


def perturbation_definitions(kinds: Mapping[str, PerturbationKind]) -> dict[str, object]:
    """Return all definitions that the kinds make up, by name."""
    definitions: dict[str, object] = {}
    for name, kind in kinds.items():
        if kind.span is not None:
            definitions |= _numbers(kind.span)
            definitions[f"amount_{name}"] = _amount(kind.span, varied=False)
            definitions[f"varied_amount_{name}"] = _amount(kind.span, varied=True)
    fixed = {name: _entry(kind, "amount") for name, kind in kinds.items()}
    definitions["perturbation"] = {
        "properties": fixed,
        "additionalProperties": False,
        "type": "object",
        "minProperties": 1,
        "description": "Changes of the whole radiograph after synthesis; truth moves with it.",
    }
    definitions["perturbations"] = {
        "description": "Changes of the whole radiograph after synthesis, in order: a mapping, or a list of mappings.",
        "type": ["object", "array"],
        "properties": fixed,
        "additionalProperties": False,
        "minProperties": 1,
        "items": {"$ref": "#/$defs/perturbation"},
        "minItems": 1,
        "x-expected": "a mapping such as {rotate_deg: 5}, or a list of such mappings",
    }
    definitions["varied_perturbations"] = {
        "description": "Perturbations that the search may apply.",
        "type": "object",
        "properties": {name: _entry(kind, "varied_amount") for name, kind in kinds.items()},
        "additionalProperties": False,
    }
    return definitions


def mimic_definitions(names: Sequence[str]) -> dict[str, object]:
    """Return the definitions of the words for mimics: one, several, and a value of a distractor."""
    several = {"$ref": "#/$defs/words_of_mimic"}
    value = {
        "type": ["string", "object"],
        "pattern": f"^({'|'.join(names)})$",
        "examples": list(names),
        "x-expected": f"one of {', '.join(names)}, or one of {{sweep: [..]}}, {{choice: [..]}}",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {
            "sweep": {"description": "Every one of these, crossed with all other sweeps.", **several},
            "choice": {"description": "Drawn evenly from a list.", **several},
        },
    }
    word = {"$ref": "#/$defs/mimic_word"}
    listed = {"type": "array", "items": word, "minItems": 1, "maxItems": len(names), "uniqueItems": True}
    return {
        "mimic_word": {"anyOf": [{"enum": list(names)}, _VARIABLE]},
        "words_of_mimic": {"anyOf": [listed, _VARIABLE]},
        "mimic": {"description": "What looks like a nodule and is none.", "anyOf": [value, _VARIABLE]},
    }


def _entry(kind: PerturbationKind, prefix: str) -> dict[str, object]:
    if kind.span is None:
        return {"description": kind.about, "anyOf": [dict(kind.schema), _VARIABLE]}
    return {"description": kind.about, "$ref": f"#/$defs/{prefix}_{kind.name}"}


def _name(span: Span) -> str:
    low, high = (f"{end:g}".replace("-", "minus_") for end in (span.low, span.high))
    return f"number_{'above' if span.open_below else 'from'}_{low}_to_{high}"


def _limits(span: Span) -> dict[str, float]:
    low, high = (int(end) if float(end).is_integer() else end for end in (span.low, span.high))
    return {"exclusiveMinimum" if span.open_below else "minimum": low, "maximum": high}


def _numbers(span: Span) -> dict[str, object]:
    name = _name(span)
    item = {"$ref": f"#/$defs/{name}"}
    return {
        name: {"anyOf": [{"type": "number", **_limits(span)}, _VARIABLE]},
        f"pair_of_{name}": {"anyOf": [{"type": "array", "items": item, "minItems": 2, "maxItems": 2}, _VARIABLE]},
        f"choice_of_{name}": {
            "anyOf": [{"type": "array", "items": item, "minItems": 1, "maxItems": _MOST_CHOICES}, _VARIABLE]
        },
    }


def _amount(span: Span, *, varied: bool) -> dict[str, object]:
    pair = {"$ref": f"#/$defs/pair_of_{_name(span)}"}
    drawn = {
        "uniform": {"description": "Drawn evenly between two bounds [a, b].", **pair},
        "log_uniform": {"description": "Drawn between two bounds [a, b] above 0, evenly in the logarithm.", **pair},
        "normal": {
            "description": "Drawn from a normal distribution [mean, sd], cut to what is possible.",
            "$ref": "#/$defs/pair_of_number",
        },
        "choice": {"description": "Drawn evenly from a list.", "$ref": f"#/$defs/choice_of_{_name(span)}"},
    }
    shape: dict[str, object] = {
        "type": ["number", "object", "array"] if varied else ["number", "object"],
        **_limits(span),
        "x-expected": f"{'a pair [low, high], ' if varied else ''}a number, or {_DRAWN}",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": drawn,
    }
    if varied:
        shape |= {"items": {"$ref": f"#/$defs/{_name(span)}"}, "minItems": 2, "maxItems": 2}
    return {"anyOf": [shape, _VARIABLE]}
