"""The definitions of perturbations in the schema, made from their kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synnodtest.perturbations.kind import PerturbationKind, Span

_CHANGES = "Changes of the whole radiograph after synthesis"
_CLOSED = {"additionalProperties": False}
_ONE_KEY = {"minProperties": 1, "maxProperties": 1, **_CLOSED}
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
    fixed = {"properties": {name: _entry(kind, "amount") for name, kind in kinds.items()}} | _CLOSED
    return definitions | {
        "perturbation": {
            **fixed,
            "type": "object",
            "minProperties": 1,
            "description": f"{_CHANGES}; truth moves with it.",
        },
        "perturbations": {
            "description": f"{_CHANGES}, in order: a mapping, or a list of mappings.",
            "type": ["object", "array"],
            **fixed,
            "minProperties": 1,
            **_list_of(_ref("perturbation"), least=1),
            "x-expected": "a mapping such as {rotate_deg: 5}, or a list of such mappings",
        },
        "varied_perturbations": {
            "description": "Perturbations that the search may apply.",
            "type": "object",
            "properties": {name: _entry(kind, "varied_amount") for name, kind in kinds.items()},
            **_CLOSED,
        },
    }


def mimic_definitions(names: Sequence[str]) -> dict[str, object]:
    """Return the definitions of the words for mimics: one, several, and a value of a distractor."""
    value = {
        "type": ["string", "object"],
        "pattern": f"^({'|'.join(names)})$",
        "examples": list(names),
        "x-expected": f"one of {', '.join(names)}, or one of {{sweep: [..]}}, {{choice: [..]}}",
        **_ONE_KEY,
        "properties": {
            "sweep": _ref("words_of_mimic", "Every one of these, crossed with all other sweeps."),
            "choice": _ref("words_of_mimic", "Drawn evenly from a list."),
        },
    }
    listed = {"type": "array", **_list_of(_ref("mimic_word"), 1, len(names)), "uniqueItems": True}
    return {
        "mimic_word": _or_variable({"enum": list(names)}),
        "words_of_mimic": _or_variable(listed),
        "mimic": {"description": "What looks like a nodule and is none.", **_or_variable(value)},
    }


def _ref(name: str, about: str = "") -> dict[str, object]:
    """Return a reference to a definition, with what is said of it in its place."""
    reference: dict[str, object] = {"$ref": f"#/$defs/{name}"}
    return {"description": about, **reference} if about else reference


def _or_variable(rules: Mapping[str, object]) -> dict[str, object]:
    return {"anyOf": [dict(rules), _ref("variable")]}


def _list_of(item: dict[str, object], least: int, most: int | None = None) -> dict[str, object]:
    return {"items": item, "minItems": least} | ({} if most is None else {"maxItems": most})


def _entry(kind: PerturbationKind, prefix: str) -> dict[str, object]:
    if kind.span is None:
        return {"description": kind.about, **_or_variable(kind.schema)}
    return _ref(f"{prefix}_{kind.name}", kind.about)


def _name(span: Span) -> str:
    low, high = (f"{end:g}".replace("-", "minus_") for end in (span.low, span.high))
    return f"number_{'above' if span.open_below else 'from'}_{low}_to_{high}"


def _limits(span: Span) -> dict[str, object]:
    low, high = (int(end) if float(end).is_integer() else end for end in (span.low, span.high))
    return {"exclusiveMinimum" if span.open_below else "minimum": low, "maximum": high}


def _numbers(span: Span) -> dict[str, object]:
    name = _name(span)
    return {
        name: _or_variable({"type": "number", **_limits(span)}),
        f"pair_of_{name}": _or_variable({"type": "array", **_list_of(_ref(name), 2, 2)}),
        f"choice_of_{name}": _or_variable({"type": "array", **_list_of(_ref(name), 1, _MOST_CHOICES)}),
    }


def _amount(span: Span, *, varied: bool) -> dict[str, object]:
    pair = f"pair_of_{_name(span)}"
    drawn = {
        "uniform": _ref(pair, "Drawn evenly between two bounds [a, b]."),
        "log_uniform": _ref(pair, "Drawn between two bounds [a, b] above 0, evenly in the logarithm."),
        "normal": _ref("pair_of_number", "Drawn from a normal distribution [mean, sd], cut to what is possible."),
        "choice": _ref(f"choice_of_{_name(span)}", "Drawn evenly from a list."),
    }
    shape: dict[str, object] = {
        "type": ["number", "object", "array"] if varied else ["number", "object"],
        **_limits(span),
        "x-expected": f"{'a pair [low, high], ' if varied else ''}a number, or {_DRAWN}",
        **_ONE_KEY,
        "properties": drawn,
    }
    return _or_variable(shape | (_list_of(_ref(_name(span)), 2, 2) if varied else {}))
