"""Warnings of ``synnodtest check``: what a spec may say and probably does not mean, or lets a detector pass for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from synnodtest.counted import counted
from synnodtest.errors import SynnodError
from synnodtest.evidence.conditions import Condition, as_condition
from synnodtest.expectations import kind_of
from synnodtest.expectations.claims.no_reversal import NoReversal
from synnodtest.expectations.kinds.size_at_sensitivity import SizeAtSensitivity
from synnodtest.expectations.limits import LARGEST_RADIUS_MM
from synnodtest.expectations.pairing import Compared
from synnodtest.expectations.registry import find_claim
from synnodtest.matching import Matching
from synnodtest.spec.expectations import asks_little, changing, passes_in_silence
from synnodtest.spec.limits import LIMITS
from synnodtest.spec.model import ArmSpec, Behaviour, Expectation, Scenes
from synnodtest.spec.nodes import listed
from synnodtest.spec.quantities import FREE, admitted, judged_quantities, named_values
from synnodtest.spec.source import cut_off, read_scalar, read_text, shown
from synnodtest.spec.values import Normal, Sweep, Value

LOOSE_OVERLAP = 0.05
"""IoU asked for, below which nearly any touching box hits; set by hand. It makes a caution and changes no verdict."""
LARGE_ALPHA = 0.1
"""Twice the usual error rate of a bound."""
SMALLEST_MM = 3.0
"""Diameter that the shipped diffusion model plants for whatever less is asked for, give or take 0.3 mm, on a film of
0.74 mm per pixel; the smallest of 68 nodules that readers annotated on films has 4 mm."""


def warnings_of(behaviour: Behaviour) -> Iterator[tuple[int, str]]:
    """Yield what is allowed and probably not meant, with its line."""
    of_all = (*_cautions(behaviour), *_of_the_whole(behaviour), *_synthesizers_not_there(behaviour))
    yield from ((behaviour.line, one) for one in of_all)
    yield from _out_of_range(behaviour)
    yield from _of_values(behaviour)
    for expectation in behaviour.expectations:
        of_scenes = (*_by_levels(behaviour, expectation), *_beside_the_sizes(behaviour, expectation))
        told = (*of_scenes, *_without_growth(behaviour, expectation))
        yield from ((expectation.line, f"{behaviour.id!r}: {expectation.id}: {words}") for words in told)


def cut_texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a sound spec file of which YAML takes the end for a comment, with their lines."""
    for line, text, rest in cut_off(read_text(path, shown(path))):
        yield line, f"the text {text!r} ends before {rest!r}, which YAML takes for a comment: quote the whole of it"


def _of_values(behaviour: Behaviour) -> Iterator[tuple[int, str]]:
    """Yield features that no nodule of training has, and what a nodule keeps to in vain, with its line."""
    from synnodtest.planning.radiomics_space import outermost

    scenes, fuzz = behaviour.scenes, behaviour.fuzz
    nodules = () if scenes is None else scenes.nodules
    asked = [(one.line, name, value) for one in nodules for name, value in one.radiomics.items()]
    searched = () if fuzz is None else fuzz.vary.items()
    asked += [(behaviour.line, n.removeprefix("radiomics."), v) for n, v in searched if n.startswith("radiomics.")]
    for line, name, value in asked:
        (least, most), (low, high) = outermost(name), _usual(value)
        if low < least or high > most:
            end = low if low < least else high
            known = f"the nodules that the shipped model was trained on have {least:.4g} to {most:.4g}"
            yield line, f"{behaviour.id!r}: {name} of {end:g}: {known}, and it draws nothing beyond"
    for one in nodules[:1]:
        if one.location.min_distance_mm and not any(other.location.min_distance_mm for other in nodules[1:]):
            told = f"min_distance_mm of {one.name!r} keeps it from nothing: it is planted first, and a later nodule "
            yield one.line, f"{behaviour.id!r}: {told}may lie beside it; give the distance to the later one"
    for one in nodules:
        swept = {name for name, value in one.values().items() if isinstance(value, Sweep)}
        for name in sorted(swept & one.hold):
            told = f"{name} is swept and held: the sweep wins; hold is for what stays as it is, such as location"
            yield one.line, f"{behaviour.id!r}: {told}"


def _synthesizers_not_there(behaviour: Behaviour) -> Iterator[str]:
    """Yield the synthesizers that a behaviour names and nothing answers to here; elsewhere a package may bring them."""
    from synnodtest.synthesizers.registry import check_named

    searching = behaviour.fuzz.search_with if behaviour.fuzz is not None else None
    for name in filter(None, (*behaviour.synthesizers, searching)):
        try:
            check_named(name)
        except SynnodError as error:
            yield f"{behaviour.id!r}: {error}"


def _usual(value: Value) -> tuple[float, float]:
    """Return the ends of what is drawn; of a normal distribution those of two standard deviations."""
    low, high = value.bounds
    if isinstance(value, Normal):  # its bounds are what can be at all
        return max(low, value.mean - 2 * value.sd), min(high, value.mean + 2 * value.sd)
    return low, high


def _by_levels(behaviour: Behaviour, expectation: Expectation) -> Iterator[str]:
    """Yield what bins leave unjudged, bins that were meant as categories, and categories that were meant as bins."""
    asked = expectation.parameters
    levels_of = asked.get("across", asked.get("by"))
    given = _given(behaviour, expectation)
    for name, levels in levels_of.items() if isinstance(levels_of, Mapping) else ():
        numbers = [float(level) for level in levels if isinstance(level, (int, float))]
        listed_as = ", ".join(map(str, levels))
        if not numbers:
            if name == "age" and all(map(_is_number, levels)):
                yield f"by age it judges those of exactly {listed_as}: for bins take the quotes away, [{listed_as}]"
        elif left := _beyond(given.get(name, ()), numbers[0], numbers[-1], (asked.get("where") or {}).get(name, {})):
            ends = f"{{{name}: {{at_least: {numbers[0]:g}, at_most: {numbers[-1]:g}}}}}"
            yield f"the bins of {name} leave {left} unjudged: add an edge, or say where: {ends}"
        elif name not in given and name not in FREE and _counts(numbers):
            last = f"the last holds both {numbers[-2]:g} and {numbers[-1]:g}"
            quoted = ", ".join(f"'{level:g}'" for level in numbers)
            yield f"{name} is judged in {counted(len(numbers) - 1, 'bin')}, of which {last}: for categories [{quoted}]"


def _given(behaviour: Behaviour, expectation: Expectation) -> dict[str, list[Value]]:
    """Return the quantities that the spec gives what an expectation judges."""
    if behaviour.scenes is None:
        return {}
    asked, distractors = expectation.parameters, kind_of(expectation.kind).judges_distractors
    judged = judged_quantities(behaviour.scenes, asked.get("of"), asked.get("arm"), distractors=distractors)
    every = named_values(judged).items()
    return {name: own for name, values in every if (own := [v for v in values if v != FREE.get(name)])}


def _is_number(text: str) -> bool:
    return isinstance(read_scalar(text), (int, float))


def _counts(numbers: list[float]) -> bool:
    """Return whether numbers count on by one, as codes of categories do and hardly any edges of bins."""
    return all(high - low == 1 for low, high in pairwise(numbers))


def _beyond(values: Iterable[Value], first: float, last: float, asked: object) -> str:
    """Return what ``where`` keeps of values and lies outside the edges of all bins, in words; empty if nothing does."""
    told: dict[str, None] = {}
    for low, high, drawn in (part for value in values for part in _kept(value, as_condition(asked))):
        if low < first:
            told[f"{low:g} to {min(first, high):g}" if drawn else f"{low:g}"] = None
        if high > last:
            told[f"{max(last, low):g} to {high:g}" if drawn else f"{high:g}"] = None
    return " and ".join(told)


def _kept(value: Value, condition: Condition) -> Iterator[tuple[float, float, bool]]:
    """Yield the ends of each level, or of the range, that a condition keeps of a value, and whether it is a range."""
    for part in admitted(value, condition):
        if isinstance(part, tuple):
            low, high = _usual(value)
            yield max(low, part[0]), min(high, part[1]), True
        elif isinstance(part, (int, float)):
            yield float(part), float(part), False


def _beside_the_sizes(behaviour: Behaviour, expectation: Expectation) -> Iterator[str]:
    """Yield the bound of a diameter that lies outside all diameters that are planted."""
    own = kind_of(expectation.kind).read(expectation.parameters)
    if not isinstance(own, SizeAtSensitivity):
        return
    asked = as_condition((expectation.parameters.get("where") or {}).get("diameter_mm", {}))
    sizes = _given(behaviour, expectation).get("diameter_mm", ())
    ends = [end for value in sizes for low, high, _ in _kept(value, asked) for end in (low, high)]
    if ends and own.at_most <= min(ends):
        yield (
            f"at_most is {own.at_most:g} mm and the smallest nodule has {min(ends):g}: "
            "it cannot pass, since nothing is extrapolated; plant smaller ones"
        )
    if ends and own.at_most > max(ends):
        told = f"at_most is {own.at_most:g} mm and the largest nodule has {max(ends):g}"
        yield f"{told}: it asks for no more than at_most: {max(ends):g} would, since nothing is extrapolated"


def _without_growth(behaviour: Behaviour, expectation: Expectation) -> Iterator[str]:
    """Yield the end of a quantity that a search grows to no more than there can be: there a nodule meets itself."""
    claim = find_claim(expectation.kind)
    own = None if claim is None else claim.read(expectation.parameters)
    if behaviour.fuzz is None or not isinstance(own, NoReversal):
        return
    asked = behaviour.fuzz.vary.get(own.over, behaviour.fuzz.fixed.get(own.over))
    high = asked if isinstance(asked, (int, float)) else math.nan if asked is None else _usual(asked)[1]
    most = LIMITS[own.over][1]
    if high * own.factor > most:
        yield (
            f"{own.over} of {high:g} grows to {most:g} at most, not by a factor of {own.factor:g}: the less it grows, "
            f"the more detectors pass, at {most:g} all; search up to {most / own.factor:.3g}"
        )


def _of_the_whole(behaviour: Behaviour) -> Iterator[str]:
    """Yield what all expectations together leave out, and how far from real nodules those asked for are."""
    from synnodtest.reference import asked_for

    if all(map(passes_in_silence, behaviour.expectations)):
        yield (
            f"a detector that reports nothing at all passes {behaviour.id!r}: "
            "let it expect nodules, too, such as sensitivity: {at_least: 0.5}"
        )
    bright = asked_for(behaviour)
    if bright is not None and bright.unlike_real:
        yield (
            f"{behaviour.id!r} says little of real nodules: {bright.sentence()}; leave out contrast for nodules as "
            "readers mark them, or give a density or an attenuation"
        )


def _cautions(behaviour: Behaviour) -> Iterator[str]:
    """Yield what is allowed and lets a detector pass for little."""
    asked = [expectation.parameters for expectation in behaviour.expectations]
    rules = [rule for p in asked if isinstance(rule := p.get("matching", behaviour.matching), Mapping)]
    for words in dict.fromkeys(loose for rule in rules if (loose := _loose(Matching.from_dict(rule)))):
        yield f"{behaviour.id!r}: {words}"
    alphas = [float(p.get("alpha", behaviour.sampling.alpha)) for p in asked]
    if max(alphas, default=0.0) > LARGE_ALPHA:
        yield f"{behaviour.id!r}: alpha is {max(alphas):g}: a detector exactly at the bound passes as often"
    for expectation in behaviour.expectations:
        for words in asks_little(expectation):
            yield f"{behaviour.id!r}: {expectation.id}: {words}"
    yield from _alike(behaviour, asked)
    yield from _of_no_film(behaviour)


def _loose(rule: Matching) -> str:
    if rule.criterion == "iou":
        loose = rule.at_least < LOOSE_OVERLAP
        return f"a box hits that covers next to nothing (iou of {rule.at_least:g})" if loose else ""
    far = rule.tolerance_mm > LARGEST_RADIUS_MM  # a finding farther off lies beside any nodule
    return f"a finding hits whose centre lies up to {rule.tolerance_mm:g} mm beside the nodule" if far else ""


def _out_of_range(behaviour: Behaviour) -> Iterator[tuple[int, str]]:
    """Yield what no score reaches and no radiograph shows, with its line."""
    points: dict[float, int] = {}
    for one in behaviour.expectations:
        for point in listed(one.parameters.get("operating_point", behaviour.operating_point)):
            points.setdefault(float(point), one.line)
    for point, line in points.items():
        meant = f" (in percent? then write {point / 100:g})" if point <= 100 else ""
        if point > 1:
            yield line, f"{behaviour.id!r}: operating_point {point:g}: no score of 0..1 reaches it{meant}"
    nodules = behaviour.scenes.nodules if behaviour.scenes is not None else ()
    asked: list[tuple[int, Value | None]] = [(one.line, one.diameter_mm) for one in nodules]
    asked += [(behaviour.line, behaviour.fuzz.vary.get("diameter_mm"))] if behaviour.fuzz is not None else []
    for line, value in asked:
        least = math.inf if value is None else _usual(value)[0]
        if least < SMALLEST_MM:
            yield (
                line,
                f"{behaviour.id!r}: diameter_mm from {max(least, 0.0):g}: radiographs hardly show less than "
                f"{SMALLEST_MM:g} mm, and what is planted may be larger than asked for; begin at {SMALLEST_MM:g}",
            )


def _alike(behaviour: Behaviour, asked: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield arms that differ in nothing and are compared: only a control of the tool itself means that."""
    arms = {} if behaviour.scenes is None else behaviour.scenes.arms
    for pair in dict.fromkeys((p.get("arm"), p.get("reference")) for p in asked):
        one, other = (arms.get(str(name)) for name in pair)
        alike = one is not None and other is not None and _changed(one) == _changed(other)
        if alike and behaviour.gate != "integrity":
            message = f"the arms {pair[0]!r} and {pair[1]!r} differ in nothing"
            yield f"{behaviour.id!r}: {message}, so that any detector passes"


def _changed(arm: ArmSpec) -> ArmSpec:
    """Return an arm without perturbations that change nothing."""
    return replace(arm, perturbations=changing(arm.perturbations))


def _of_no_film(behaviour: Behaviour) -> Iterator[str]:
    """Yield conditions that no untouched background meets, of expectations that judge these: they have no nodule."""
    if behaviour.scenes is None:
        return
    planted = {"arm", "name", "nodule", "region", "mimic", *named_values(judged_quantities(behaviour.scenes))}
    for expectation in behaviour.expectations:
        asked = expectation.parameters
        named = {*(asked.get("where") or {}), *(name for one in asked.get("strata", ()) for name in one.where)}
        outcome = _of_films(expectation, behaviour.scenes)
        for name in sorted(named & planted) if outcome else ():
            remedy = "; give each arm an expectation of its own, with 'arm'" if name == "arm" else ""
            yield (
                f"{behaviour.id!r}: {expectation.id}: it judges untouched backgrounds, which have no {name!r}: "
                f"{outcome}, unless the manifest has such a column{remedy}"
            )


def _of_films(expectation: Expectation, scenes: Scenes) -> str:
    """Return what comes of a condition that none meets, of an expectation on untouched backgrounds; else nothing."""
    kind = kind_of(expectation.kind)
    own = kind.read(expectation.parameters)
    if kind.unit(own) != "image":
        return ""
    if not isinstance(own, Compared):
        return "INCONCLUSIVE"
    one, other = (scenes.arms.get(str(name)) for name in (own.arm, own.reference))
    alike = one is None or other is None or (one.nodules, one.distractors) == (other.nodules, other.distractors)
    return "every one is judged" if alike else ""
