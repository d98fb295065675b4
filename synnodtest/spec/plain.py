"""Model -> plain values -> YAML: the resolved spec, which loads again to the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import yaml

from synnodtest.evidence.regions import AllOf, AnyOf, NotIn, RegionExpression
from synnodtest.expectations.registry import find_check
from synnodtest.spec.model import (
    ArmSpec,
    Behaviour,
    Companion,
    DistractorSpec,
    Expectation,
    Fuzz,
    Location,
    NoduleSpec,
    PerturbationSpec,
    Sampling,
    Scenes,
    Spec,
)
from synnodtest.spec.source import read_scalar
from synnodtest.spec.values import Choice, Constant, LogUniform, Normal, Sweep, Uniform, Value

VARIED_WORDS = ("view", "attenuation", "margin", "mimic")
"""Quantities that a search draws from a list of words."""
_AS_JSON = partial(json.dumps, ensure_ascii=False)


def spec_dict(title: str, scope: Mapping[str, object], behaviours: tuple[Behaviour, ...]) -> dict[str, object]:
    """Return the resolved spec as plain values, in the language of specs; equal specs give equal values."""
    return {
        "synnodtest": 1,
        "title": title,
        "scope": tidy(scope),
        "behaviours": [behaviour_dict(behaviour) for behaviour in behaviours],
    }


def resolved(spec: Spec) -> str:
    """Return the spec as YAML with every include, variable, extension, matrix and default worked in."""
    data = spec_dict(spec.title, spec.scope, spec.behaviours)
    text: str = yaml.dump(_escaped(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


def behaviour_dict(behaviour: Behaviour) -> dict[str, object]:
    """Return one behaviour as plain values, in the language of specs."""
    b = behaviour
    data: dict[str, object] = {"id": b.id, "statement": b.statement}
    data |= {"requirement": list(b.requirement)} if b.requirement else {}
    data |= {"hazard": list(b.hazard)} if b.hazard else {}
    data["gate"] = b.gate
    data |= {"tags": list(b.tags)} if b.tags else {}
    data |= {"rationale": b.rationale} if b.rationale else {}
    data |= {"synthesizers": list(b.synthesizers)} if b.synthesizers else {}
    data["sampling"] = _sampling(b.sampling)
    data["matching"] = dict(b.matching)
    data["operating_point"] = list(b.operating_point)
    if b.scenes is not None:
        data["scenes"] = _scenes(b.scenes)
    if b.fuzz is not None:
        data["fuzz"] = _fuzz(b.fuzz)
    data["expect"] = [_expectation(expectation) for expectation in b.expectations]
    tidied: dict[str, object] = tidy(data)
    return tidied


def tidy(value: Any) -> Any:
    """Return plain values in one form: whole numbers as integers, tuples as lists, model parts as specs write them."""
    if isinstance(value, bool) or value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, PerturbationSpec):
        return {value.kind: _value(value.value)}
    if isinstance(value, AnyOf | AllOf | NotIn):
        return plain_region(value)
    if isinstance(value, Location):
        return tidy(plain_location(value))
    if isinstance(value, Companion):
        return tidy(_companion(value))
    if isinstance(value, Mapping):
        return {str(key): tidy(item) for key, item in value.items()}
    return [tidy(item) for item in value]


def _value(value: Value) -> Any:
    match value:
        case Constant(v):
            return tidy(v)
        case Sweep(values):
            return {"sweep": tidy(values)}
        case Choice(values):
            return {"choice": tidy(values)}
        case Uniform(low, high):
            return {"uniform": tidy([low, high])}
        case LogUniform(low, high):
            return {"log_uniform": tidy([low, high])}
        case Normal(mean, sd):
            return {"normal": tidy([mean, sd])}


def plain_region(expression: RegionExpression) -> Any:
    """Return a region expression as a spec writes it."""
    match expression:
        case AnyOf(parts):
            return {"any": [plain_region(part) for part in parts]}
        case AllOf(parts):
            return {"all": [plain_region(part) for part in parts]}
        case NotIn(part):
            return {"not": plain_region(part)}
    return expression


def plain_location(location: Location) -> dict[str, object]:
    """Return a location as a spec writes it."""
    data: dict[str, object] = {}
    if location.region is not None:
        data["region"] = plain_region(location.region)
    if location.at_mm is not None:
        data["at_mm"] = list(location.at_mm)
    if location.box_px is not None:
        data["box_px"] = list(location.box_px)
    if location.min_distance_mm:
        data["min_distance_mm"] = location.min_distance_mm
    if location.avoid:
        data["avoid"] = [plain_region(part) for part in location.avoid]
    data |= {name: value for name in ("beside", "under") if (value := getattr(location, name)) is not None}
    if location.beside is not None:
        data["gap_mm"] = location.gap_mm
    return data


def _given(part: NoduleSpec | Companion, *names: str) -> dict[str, object]:
    """Return the values that a part has under these names, as specs write them."""
    return {name: _value(value) for name in names if (value := getattr(part, name)) is not None}


def _nodule(nodule: NoduleSpec) -> dict[str, object]:
    data: dict[str, object] = {"name": nodule.name}
    if not nodule.fills_box:
        data["diameter_mm"] = _value(nodule.diameter_mm)
    data["location"] = plain_location(nodule.location)
    data |= _given(nodule, "contrast", "density", "attenuation", "margin", "lesion")
    if nodule.radiomics:
        data["radiomics"] = {name: _value(value) for name, value in nodule.radiomics.items()}
    if growth := _given(nodule, "doubling_days", "interval_days"):
        data["growth"] = growth
    if nodule.hold:
        data["hold"] = sorted(nodule.hold)
    if nodule.seed is not None:
        data["seed"] = nodule.seed
    return data


def _distractor(distractor: DistractorSpec) -> dict[str, object]:
    data: dict[str, object] = {"name": distractor.name}
    data |= {name: _value(value) for name, value in distractor.values().items()}
    data |= {} if distractor.location is None else {"location": plain_location(distractor.location)}
    return data | ({"hold": sorted(distractor.hold)} if distractor.hold else {})


def _arm(arm: ArmSpec, distractors: bool) -> dict[str, object]:
    data: dict[str, object] = {"nodules": list(arm.nodules)}
    data |= {"distractors": list(arm.distractors)} if distractors else {}
    return data | ({"perturbations": list(arm.perturbations)} if arm.perturbations else {})


def _scenes(scenes: Scenes) -> dict[str, object]:
    data: dict[str, object] = {"backgrounds": {"set": scenes.set, "count": scenes.count}}
    data["replicates"] = scenes.replicates
    if scenes.nodules:
        data["nodules"] = [_nodule(nodule) for nodule in scenes.nodules]
    if scenes.distractors:
        data["distractors"] = [_distractor(distractor) for distractor in scenes.distractors]
    if scenes.arms:
        data["arms"] = {name: _arm(arm, bool(scenes.distractors)) for name, arm in scenes.arms.items()}
    if scenes.perturbations:
        data["perturbations"] = list(scenes.perturbations)
    if scenes.prior_perturbations:
        data["prior_perturbations"] = list(scenes.prior_perturbations)
    return data


def _companion(companion: Companion) -> dict[str, object]:
    data = _given(companion, "diameter_mm", "contrast", "density", "distance_mm")
    return data | {"location": plain_location(companion.location)}


def nested(flat: Mapping[str, object]) -> dict[str, object]:
    """Return parameters by flat name (``perturbations.jpeg``) as specs nest them, their values as specs write them."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        group, _, key = name.partition(".")
        item = _value(value) if isinstance(value, Value) else value
        item = plain_location(item) if isinstance(item, Location) else item
        (tree.setdefault(group, {}) if key else tree)[key or name] = item
    return tree


def _fuzz(fuzz: Fuzz) -> dict[str, object]:
    varied = {name: value for name, value in fuzz.vary.items() if not name.startswith("companion.")}
    vary = nested({name: value for name, value in varied.items() if name not in VARIED_WORDS})
    vary |= {name: list(varied[name].levels) for name in VARIED_WORDS if name in varied}
    vary["location"] = plain_location(fuzz.location)
    if fuzz.companion is not None:
        vary["companion"] = _companion(fuzz.companion)
    data: dict[str, object] = {"vary": vary}
    data |= {"fixed": nested(fuzz.fixed)} if fuzz.fixed else {}
    data |= {"explicit": [nested(example) for example in fuzz.explicit]} if fuzz.explicit else {}
    data["examples"] = fuzz.examples
    data |= {"time_budget": fuzz.time_budget_s} if fuzz.time_budget_s is not None else {}
    data |= {"replicates": fuzz.replicates, "backgrounds": {"set": fuzz.set, "count": fuzz.count}}
    data |= {"search_with": fuzz.search_with} if fuzz.search_with else {}
    return data | {"confirm_trials": fuzz.confirm_trials}


def _sampling(sampling: Sampling) -> dict[str, object]:
    s = sampling
    data: dict[str, object] = {"alpha": s.alpha, "power": s.power, "icc": s.icc}
    data |= {"sequential": True} if s.sequential else {}
    data |= {"max_scenes": s.max_scenes} if s.max_scenes is not None else {}
    if s.assume:
        data["assume"] = s.assume[0][1] if s.assume[0][0] == "" else dict(s.assume)
    return data


def _expectation(expectation: Expectation) -> dict[str, object]:
    kind = find_check(expectation.kind)
    allowed: Any = {} if kind is None else kind.schema.get("properties", {})
    parameters = {
        key: value
        for key, value in expectation.parameters.items()
        if value is not None and (not allowed or key in allowed)
    }
    return {expectation.kind: {"id": expectation.id} | parameters}


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
