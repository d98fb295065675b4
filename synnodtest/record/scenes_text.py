"""A behaviour's scenes in words: all that a reader needs to know what was drawn, arm by arm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from synnodtest.counted import counted
from synnodtest.evidence.regions import region_text
from synnodtest.spec import model
from synnodtest.spec.values import Amount, Choice, Constant, LogUniform, Normal, Sweep, Value


def scenes_text(behaviour: model.Behaviour) -> str:
    """Return backgrounds, nodules, distractors, perturbations and arms of a behaviour, or the space of its search."""
    if behaviour.scenes is not None:
        return "; ".join(_scenes(behaviour.scenes))
    return "" if behaviour.fuzz is None else "; ".join(_search(behaviour.fuzz))


def value_phrase(value: Value, unit: str = "") -> str:
    """Return a value in words: ``14 mm``, ``4, 8 mm (each)``, ``L, R (one of them)``, ``4 to 40 mm (uniform)``."""
    if isinstance(value, Constant):
        return f"{_amount(value.value)}{unit}"
    if isinstance(value, Sweep | Choice):
        among = "each" if isinstance(value, Sweep) else "one of them"
        return f"{', '.join(map(_amount, value.values))}{unit} ({among})"
    if isinstance(value, Normal):
        return f"{value.mean:g}{unit} (normal, sd {value.sd:g})"
    return f"{value.low:g} to {value.high:g}{unit} ({'log-uniform' if isinstance(value, LogUniform) else 'uniform'})"


def _amount(amount: Amount) -> str:
    if isinstance(amount, tuple):
        return " by ".join(f"{part:g}" for part in amount)
    return str(amount) if isinstance(amount, str | bool) else f"{amount:g}"


def _scenes(scenes: model.Scenes) -> Iterator[str]:
    yield f"{_count(scenes.count)} of the set {scenes.set}"
    if scenes.replicates > 1:
        yield f"{scenes.replicates} replicates each"
    yield from map(_nodule, scenes.nodules)
    yield from map(_distractor, scenes.distractors)
    if scenes.perturbations:
        yield f"every radiograph with {_changes(scenes.perturbations)}"
    if scenes.prior_perturbations:
        yield f"priors with {_changes(scenes.prior_perturbations)}"
    yield from (_arm(name, arm) for name, arm in scenes.arms.items())


def _count(count: int | str) -> str:
    return "as many backgrounds as the power takes" if isinstance(count, str) else counted(count, "background")


def _nodule(nodule: model.NoduleSpec) -> str:
    size = "that fills its box" if nodule.fills_box else f"of {value_phrase(nodule.diameter_mm, ' mm')}"
    looks = ((name, value) for name, value in nodule.values().items() if name != "diameter_mm")
    parts = [f"nodule {nodule.name!r} {size}", *_quantities(looks)]
    if not (nodule.contrast or nodule.density or nodule.attenuation):
        parts.append("as bright as nodules that readers marked")
    return ", ".join([*parts, *_place(nodule.location), *_held(nodule.hold)])


def _distractor(distractor: model.DistractorSpec) -> str:
    parts = [f"distractor {distractor.name!r}: {value_phrase(distractor.mimic)}"]
    parts += [f"of {value_phrase(distractor.size_mm, ' mm')}"] if distractor.size_mm is not None else []
    parts += _place(distractor.location) if distractor.location is not None else ["where its kind is found"]
    return ", ".join([*parts, *_held(distractor.hold)])


def _quantities(values: Iterable[tuple[str, Value]]) -> Iterator[str]:
    for name, value in values:
        word, _, unit = name.rpartition("_")
        known = unit in ("mm", "days")
        yield f"{(word if known else name).replace('_', ' ')} {value_phrase(value, f' {unit}' if known else '')}"


def _place(location: model.Location) -> Iterator[str]:
    if location.at_mm is not None:
        yield f"at {location.at_mm[0]:g}, {location.at_mm[1]:g} mm from the upper left corner"
    elif location.box_px is not None:
        yield f"in the box {', '.join(f'{edge:g}' for edge in location.box_px)} px"
    elif location.beside is not None:
        yield f"beside {location.beside!r}, {location.gap_mm:g} mm apart"
    elif location.under is not None:
        yield f"under {location.under!r}"
    elif location.region is not None:
        yield f"in {region_text(location.region)}"
    if location.avoid:
        yield f"not in {' nor '.join(map(region_text, location.avoid))}"
    if location.min_distance_mm:
        yield f"at least {location.min_distance_mm:g} mm from the others"


def _held(hold: frozenset[str]) -> list[str]:
    return [f"with the same {' and '.join(sorted(hold))} in all scenes of a background"] if hold else []


def _changes(perturbations: Sequence[model.PerturbationSpec]) -> str:
    return ", ".join(f"{kind} {value_phrase(value)}" for kind, value in perturbations)


def _arm(name: str, arm: model.ArmSpec) -> str:
    names = " and ".join(repr(one) for one in (*arm.nodules, *arm.distractors)) or "no nodule"
    return f"arm {name!r}: {names}" + (f" under {_changes(arm.perturbations)}" if arm.perturbations else "")


def _search(fuzz: model.Fuzz) -> Iterator[str]:
    varied = (text.removesuffix(" (uniform)") for text in _quantities(fuzz.vary.items()))  # chosen, not drawn
    space = ", ".join([*varied, *_place(fuzz.location)])
    yield f"a search for a counterexample over {space}"
    yield f"up to {counted(fuzz.examples, 'example')} on {counted(fuzz.count, 'background')} of the set {fuzz.set}"
    if fuzz.companion is not None:
        yield f"with a companion of {value_phrase(fuzz.companion.diameter_mm, ' mm')}"
