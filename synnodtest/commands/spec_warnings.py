"""Warnings of ``synnodtest check``: what a spec may say and probably does not mean, or lets a detector pass for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from synnodtest.expectations import kind_of
from synnodtest.expectations.limits import LARGEST_RADIUS_MM
from synnodtest.expectations.pairing import Compared
from synnodtest.matching import Matching
from synnodtest.spec.expectations import asks_little, changing, passes_in_silence
from synnodtest.spec.model import ArmSpec, Behaviour, Expectation, Scenes
from synnodtest.spec.nodes import listed
from synnodtest.spec.quantities import judged_quantities, named_values
from synnodtest.spec.values import Normal, Value

LOOSE_OVERLAP = 0.05
"""IoU asked for, below which nearly any touching box hits; set by hand. It makes a caution and changes no verdict."""
LARGE_ALPHA = 0.1
"""Twice the usual error rate of a bound."""
SMALLEST_MM = 3.0
"""Diameter that the shipped diffusion model plants for whatever less is asked for, give or take 0.3 mm, on a film of
0.74 mm per pixel; the smallest of 68 nodules that readers annotated on films has 4 mm."""


def warnings_of(behaviour: Behaviour) -> Iterator[tuple[int, str]]:
    """Yield what is allowed and probably not meant, with its line."""
    yield from ((behaviour.line, one) for one in (*_cautions(behaviour), *_of_the_whole(behaviour)))
    yield from _out_of_range(behaviour)


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
        least = math.inf if value is None else value.bounds[0]
        least = value.mean - 2 * value.sd if isinstance(value, Normal) else least  # its bounds are what can be at all
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
