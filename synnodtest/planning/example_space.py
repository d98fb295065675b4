"""``fuzz:`` -> the space of examples that a search goes through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synnodtest.expectations.registry import find_claim
from synnodtest.planning.difficulty import Dimension, Space, dimension, ranged
from synnodtest.planning.example import Example
from synnodtest.spec.model import Behaviour, Companion, Fuzz
from synnodtest.spec.values import Value

COMPANION_DISTANCE_MM = (10.0, 120.0)
"""Distance of a second nodule where a spec names none."""
MIMIC_DISTANCE_MM = (10.0, 60.0)
"""Distance of a distractor where a spec names none."""
_LOOKS = ("margin", "contrast", "density", "attenuation", "diameter_mm")
"""In the order in which they are eased when a counterexample is shrunk: last, after place and named features."""
_NODULE = (*_LOOKS, "radiomics.", "companion.")


def space_of(behaviour: Behaviour, kind: str, parameters: Mapping[str, Any], parts: int) -> Space:
    """Return the space of one expectation.

    Args:
        behaviour: With ``fuzz``.
        kind: Of the expectation.
        parameters: Of the expectation.
        parts: How many separate parts the region has (two lungs).
    """
    fuzz = behaviour.fuzz
    assert fuzz is not None
    claim = find_claim(kind)
    beside = parameters.get("of") == "companion" or (claim is not None and claim.needs_companion)
    return Space(tuple(_dimensions(fuzz, kind, parameters.get("companion") or fuzz.companion, parts, beside)))


def _dimensions(fuzz: Fuzz, kind: str, second: Companion | None, parts: int, beside: bool) -> Iterator[Dimension]:
    own = {name: value for name, value in fuzz.vary.items() if not name.startswith("companion.")}
    if "view" in own:
        yield dimension("view", own.pop("view"))
    yield from (dimension(n, v) for n, v in own.items() if n.startswith("perturbations."))
    yield from _mimic(own.pop("mimic", None), own.pop("mimic_distance_mm", None), fuzz.fixed)
    if second is not None:
        if not beside:
            yield Dimension("companion.present", levels=(False, True))
        yield from _companion(second)
    if plants_nodule(fuzz, kind) and fuzz.location.at_mm is None:
        yield from (d for d in place_dimensions(parts) if d.name not in fuzz.fixed)
    yield from (dimension(n, v) for n, v in own.items() if n.startswith("radiomics."))
    yield from (dimension(n, own[n]) for n in _LOOKS if n in own)


def place_dimensions(parts: int) -> Iterator[Dimension]:
    """Yield the parameters of a place within a region: which part, how high, how far across; the middle is easiest."""
    if parts > 1:
        yield Dimension("place.part", levels=tuple(range(parts)))
    yield ranged("place.height", -1.0, 1.0, 0.0)
    yield ranged("place.across", -1.0, 1.0, 0.0)


def _companion(second: Companion) -> Iterator[Dimension]:
    for key in ("distance_mm", "contrast", "density", "diameter_mm"):
        value: Value | None = getattr(second, key)
        if value is not None:
            yield dimension(f"companion.{key}", value)
        elif key == "distance_mm":
            yield ranged("companion.distance_mm", *COMPANION_DISTANCE_MM)


def _mimic(mimic: Value | None, distance_mm: Value | None, fixed: Mapping[str, Any]) -> Iterator[Dimension]:
    """Yield which distractor there is, none being easiest, and how far it is from the nodule, far being easy."""
    if mimic is not None:
        yield Dimension("mimic", levels=(None, *mimic.levels))
    if distance_mm is not None:
        yield dimension("mimic_distance_mm", distance_mm)
    elif mimic is not None and "mimic_distance_mm" not in fixed:
        yield ranged("mimic_distance_mm", *MIMIC_DISTANCE_MM, MIMIC_DISTANCE_MM[1])


def plants_nodule(fuzz: Fuzz, kind: str) -> bool:
    """Return whether examples have a nodule: always, but for ``silent`` where the spec names none."""
    names = [*fuzz.vary, *fuzz.fixed, *(n for example in fuzz.explicit for n in example)]
    if fuzz.location.at_mm is not None or fuzz.companion is not None:
        return True
    claim = find_claim(kind)
    return claim is None or claim.plants or any(name.startswith(_NODULE) for name in names)


def example_of(space: Space, fuzz: Fuzz, difficulties: tuple[int, ...]) -> Example:
    """Return the example at a point of the space, with what the spec fixes."""
    return Example.of({**fuzz.fixed, **space.values(difficulties)}, sides_of(space, fuzz))


def sides_of(space: Space, fuzz: Fuzz) -> str:
    """Return the region that has a right and a left part in a search; empty where it has another number of parts."""
    parts = next((d.levels for d in space if d.name == "place.part"), ())
    return str(fuzz.location.region) if len(parts) == 2 and isinstance(fuzz.location.region, str) else ""
