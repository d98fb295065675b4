"""Model -> plain values -> YAML: the resolved spec, which loads again to the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import yaml

from synnodtest.evidence.regions import AllOf, AnyOf, NotIn
from synnodtest.expectations.registry import find_check, find_claim
from synnodtest.spec import model
from synnodtest.spec.source import read_scalar
from synnodtest.spec.values import Choice, Constant, LogUniform, Normal, Sweep, Uniform, Value

VARIED_WORDS = ("view", "attenuation", "margin", "mimic")
"""Quantities that a search draws from a list of words."""
_NOTHING: tuple[object, ...] = (None, "", (), {}, frozenset())
"""Values that say nothing, and that a spec leaves out."""
_AS_JSON = partial(json.dumps, ensure_ascii=False)


def spec_dict(title: str, scope: Mapping[str, object], behaviours: tuple[model.Behaviour, ...]) -> dict[str, object]:
    """Return the resolved spec as plain values, in the language of specs; equal specs give equal values."""
    return {
        "synnodtest": 1,
        "title": title,
        "scope": tidy(scope),
        "behaviours": list(map(behaviour_dict, behaviours)),
    }


def resolved(spec: model.Spec) -> str:
    """Return the spec as YAML with every include, variable, extension, matrix and default worked in."""
    data = spec_dict(spec.title, spec.scope, spec.behaviours)
    text: str = yaml.dump(_escaped(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


def behaviour_dict(behaviour: model.Behaviour) -> dict[str, object]:
    """Return one behaviour as plain values, in the language of specs."""
    words = ("id", "statement", "requirement", "hazard", "gate", "tags", "rationale", "synthesizers")
    rules = ("sampling", "matching", "operating_point", "scenes", "fuzz")
    tidied: dict[str, object] = tidy({**_said(behaviour, *words, *rules), "expect": behaviour.expectations})
    return tidied


def tidy(value: Any) -> Any:
    """Return plain values in one form: whole numbers as integers, tuples as lists, model parts as specs write them."""
    if isinstance(value, bool) or value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if type(value) in _WRITERS:
        return tidy(_WRITERS[type(value)](value))
    if isinstance(value, Mapping):
        return {str(key): tidy(item) for key, item in value.items()}
    return [tidy(item) for item in (sorted(value) if isinstance(value, frozenset) else value)]


def nested(flat: Mapping[str, object]) -> dict[str, object]:
    """Return parameters by flat name (``perturbations.jpeg``) as specs nest them, their values as specs write them."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        group, _, key = name.partition(".")
        item = tidy(value) if isinstance(value, Value) else value
        item = _location(item) if isinstance(item, model.Location) else item
        (tree.setdefault(group, {}) if key else tree)[key or name] = item
    return tree


def _said(part: object, *names: str, **more: object) -> dict[str, object]:
    """Return what a part says under these names, and more; what is not given or empty is left out."""
    said = {name: getattr(part, name) for name in names} | more
    return {name: value for name, value in said.items() if value is not False and value not in _NOTHING}


def _location(location: model.Location) -> dict[str, object]:
    data: dict[str, object] = {} if location.region is None else {"region": tidy(location.region)}
    data |= _said(location, "at_mm", "box_px", min_distance_mm=location.min_distance_mm or None)
    data |= _said(location, beside=location.beside, under=location.under, avoid=tidy(location.avoid) or None)
    return data if location.beside is None else data | {"gap_mm": location.gap_mm}


def _nodule(nodule: model.NoduleSpec) -> dict[str, object]:
    size = () if nodule.fills_box else ("diameter_mm",)
    looks = ("contrast", "density", "attenuation", "margin", "lesion", "radiomics")
    growth = _said(nodule, "doubling_days", "interval_days")
    return _said(nodule, "name", *size, "location", *looks, growth=growth, hold=nodule.hold, seed=nodule.seed)


def _scenes(scenes: model.Scenes) -> dict[str, object]:
    arms = {
        name: {"nodules": arm.nodules}
        | ({"distractors": arm.distractors} if scenes.distractors else {})
        | _said(arm, "perturbations")
        for name, arm in scenes.arms.items()
    }
    backgrounds = {"backgrounds": _said(scenes, "set", "count")}
    planted = _said(scenes, "replicates", "nodules", "distractors", arms=arms)
    return backgrounds | planted | _said(scenes, "perturbations", "prior_perturbations")


def _fuzz(fuzz: model.Fuzz) -> dict[str, object]:
    varied = {name: value for name, value in fuzz.vary.items() if not name.startswith("companion.")}
    vary = nested({name: value for name, value in varied.items() if name not in VARIED_WORDS})
    vary |= {name: varied[name].levels for name in VARIED_WORDS if name in varied}
    vary |= _said(fuzz, "location", "companion")
    tried = _said(fuzz, fixed=nested(fuzz.fixed), explicit=tuple(map(nested, fuzz.explicit)), examples=fuzz.examples)
    spent = _said(fuzz, time_budget=fuzz.time_budget_s, replicates=fuzz.replicates)
    backgrounds = {"backgrounds": _said(fuzz, "set", "count")}
    return {"vary": vary} | tried | spent | backgrounds | _said(fuzz, "search_with", "confirm_trials")


def _sampling(sampling: model.Sampling) -> dict[str, object]:
    assume = dict(sampling.assume)
    return _said(sampling, "alpha", "power", "icc", "sequential", "max_scenes", assume=assume.get("", assume))


def _expectation(expectation: model.Expectation) -> dict[str, object]:
    kind, claim = find_check(expectation.kind), find_claim(expectation.kind)  # of a search, a claim of the same name
    takes_any = kind is None or kind.parameters is None
    known = {
        key for one in (kind, claim) if one is not None for key in cast(Mapping[str, object], one.schema["properties"])
    }
    parameters = {
        key: value
        for key, value in expectation.parameters.items()
        if value is not None and (key in known or (takes_any and key != "strata"))
    }
    return {expectation.kind: {"id": expectation.id} | parameters}


_WRITERS: Mapping[type, Callable[[Any], object]] = {
    Constant: lambda one: one.value,
    Sweep: lambda one: {"sweep": one.values},
    Choice: lambda one: {"choice": one.values},
    Uniform: lambda one: {"uniform": (one.low, one.high)},
    LogUniform: lambda one: {"log_uniform": (one.low, one.high)},
    Normal: lambda one: {"normal": (one.mean, one.sd)},
    AnyOf: lambda one: {"any": one.parts},
    AllOf: lambda one: {"all": one.parts},
    NotIn: lambda one: {"not": one.excluded},
    model.PerturbationSpec: lambda one: {one.kind: one.value},
    model.Location: _location,
    model.Companion: lambda one: _said(one, "diameter_mm", "contrast", "density", "distance_mm", "location"),
    model.NoduleSpec: _nodule,
    model.DistractorSpec: lambda one: _said(one, "name", "mimic", "size_mm", "location", hold=one.hold),
    model.Scenes: _scenes,
    model.Fuzz: _fuzz,
    model.Sampling: _sampling,
    model.Expectation: _expectation,
}
"""Forms in a spec of each part of the model; what they hold is written in turn."""


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return value.replace("${", "$${") if isinstance(value, str) else value


def flow(value: Any, word: Callable[[Any], str] = _AS_JSON) -> str:
    """Return a plain value in YAML's flow style; ``word`` writes what is neither a mapping nor a list."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(item, word)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(item, word) for item in value) + "]"
    return word(value)


class _Dumper(yaml.SafeDumper):
    """Writes YAML that reads the same by the rules of 1.1 and of 1.2."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists below their key."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out; a resolved spec has no aliases."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    try:
        ambiguous = not isinstance(read_scalar(text), str)
    except ValueError:
        ambiguous = True
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if ambiguous else None)


def _list(dumper: _Dumper, items: list[Any]) -> yaml.SequenceNode:
    flat = all(not isinstance(item, (dict, list)) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flat)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
