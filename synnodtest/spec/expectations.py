"""``expect:`` -> expectations, with the checks of names, sweeps, selections and margins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from synnodtest.expectations.language import Asked, unbreakable
from synnodtest.expectations.registry import find_claim, kind_of
from synnodtest.scene import Perturbation
from synnodtest.spec.build import Builder
from synnodtest.spec.messages import unknown
from synnodtest.spec.model import Behaviour, Companion, Expectation, Fuzz, PerturbationSpec
from synnodtest.spec.nodes import Node, listed, plain
from synnodtest.spec.plain import tidy
from synnodtest.spec.selection import Item, check_against_scenes
from synnodtest.spec.validation import kinds, validate
from synnodtest.spec.values import Constant


def build_expectations(builder: Builder, node: Node, behaviour: Behaviour, fuzz: bool) -> tuple[Expectation, ...]:
    """Return the expectations under ``expect``; whatever is wrong goes to the builder.

    Args:
        builder: Takes complaints.
        node: The list under ``expect``.
        behaviour: The behaviour without expectations; its scenes are None if they could not be built.
        fuzz: Whether it is a fuzz behaviour.
    """
    expectations: list[Expectation] = []
    ids: dict[str, int] = {}
    repeats: Counter[str] = Counter()
    for index, entry in enumerate(node.sequence):
        item = _item(builder, entry, fuzz)
        if item is None:
            continue
        repeats[item.kind] += 1
        expectation = _expectation(item, behaviour, index, repeats[item.kind])
        if expectation.id in ids:
            message = f"two expectations are called {expectation.id!r}; the first stands in line {ids[expectation.id]}"
            builder.complain_at_key(item.node.mapping.get("id", item.node), message, path=item.node.path)
        ids[expectation.id] = expectation.line
        expectations.append(expectation)
    return tuple(expectations)


def _item(builder: Builder, entry: Node, fuzz: bool) -> Item | None:
    own, others = ("fuzz_expectation", "expectation") if fuzz else ("expectation", "fuzz_expectation")
    allowed = kinds(own)
    for key, child in entry.mapping.items():
        if key in kinds(others) and key not in allowed:
            needs, have = ("scenes", "fuzz") if fuzz else ("fuzz", "scenes")
            message = f"{key!r} needs {needs!r}, and this behaviour has {have!r}"
            builder.complain_at_key(child, message, f"it may expect {', '.join(allowed)}", entry.path)
            return None
    wrong = validate(entry, own)
    builder.problems.extend(wrong)
    if wrong:
        return None
    kind, child = next(iter(entry.mapping.items()))
    return Item(builder, kind, child, fuzz)


def _expectation(item: Item, behaviour: Behaviour, index: int, repeat: int) -> Expectation:
    builder, properties = item.builder, item.rules["properties"]
    content = tidy(plain(item.node)) if isinstance(item.node.value, dict) else {"function": item.node.value}
    parameters: dict[str, Any] = {n: rule["default"] for n, rule in properties.items() if "default" in rule}
    parameters |= content
    parameters.pop("id", None)
    parameters.setdefault("alpha", behaviour.sampling.alpha)
    points = listed(parameters.get("operating_point", behaviour.operating_point))
    parameters["operating_point"] = list(map(float, points))
    own = item.part("matching")
    parameters["matching"] = matching(builder, own) if own.value else dict(behaviour.matching)
    if "region" in content:
        parameters["region"] = builder.region(item.part("region"))
    if "under" in content:
        parameters["under"] = builder.perturbations(item.part("under"))
        _check_under(item, parameters["under"])
    if "companion" in content:
        parameters["companion"] = companion(builder, item.part("companion"))
    if behaviour.scenes is not None:
        parameters |= check_against_scenes(item, behaviour.scenes, parameters)
    elif not item.fuzz:
        item.ask(parameters, Asked(has_scenes=False))
    if item.fuzz and behaviour.fuzz is not None:
        _check_searched(item, behaviour.fuzz)
    name = str(item.part("id").value or (item.kind if repeat == 1 else f"{item.kind}-{repeat}"))
    place = item.node.place
    return Expectation(item.kind, parameters, place.line, place.column, index, name)


def _check_searched(item: Item, fuzz: Fuzz) -> None:
    """Note what a claim needs and the examples of a search do not have."""
    claim = find_claim(item.kind)
    second = claim is not None and claim.needs_companion
    if second and "companion" not in item.node.mapping and fuzz.companion is None:
        item.complain("companion", "needs a 'companion'", "give it here, or under 'fuzz.vary'")
    named = [name for example in (fuzz.fixed, *fuzz.explicit) for name in example]
    beside = not second and (fuzz.companion is not None or any(name.startswith("companion.") for name in named))
    names = ["nodule", *["companion"] * beside]
    of = item.part("of").value
    if of is not None and of not in names:
        item.complain("of", f"nodule {unknown(str(of), names, 'the nodules')}")


def _check_under(item: Item, under: Sequence[PerturbationSpec]) -> None:
    """Note perturbations that change nothing: a radiograph compared with itself passes whatever the detector does."""
    if under and not changing(under):
        item.complain("under", "changes nothing, so that every scene would be compared with itself")


def changing(perturbations: Sequence[PerturbationSpec]) -> tuple[PerturbationSpec, ...]:
    """Return perturbations without those that change no radiograph (``rotate_deg: 0``)."""
    from synnodtest.perturbations import is_neutral

    def changes(one: PerturbationSpec) -> bool:
        return not isinstance(one.value, Constant) or not is_neutral(Perturbation(one.kind, one.value.value))

    return tuple(filter(changes, perturbations))


def passes_in_silence(expectation: Expectation) -> bool:
    """Return whether a detector that reports nothing at all passes an expectation, which then asks for quiet alone."""
    claim, kind = find_claim(expectation.kind), kind_of(expectation.kind)
    if claim is not None and claim.passes_in_silence:
        return True
    return kind.passes_in_silence(kind.read(expectation.parameters))


def asks_little(expectation: Expectation) -> list[str]:
    """Return why an expectation lets a detector pass for little."""
    claim = find_claim(expectation.kind)
    of_kind = kind_of(expectation.kind).asked_little(expectation.parameters)
    of_claim = [] if claim is None else unbreakable(claim.read(expectation.parameters))
    return list(dict.fromkeys([*of_kind, *of_claim]))


def matching(builder: Builder, node: Node) -> dict[str, object]:
    """Return a matching with its default filled in; a parameter of the other criterion is noted."""
    settings: dict[str, object] = plain(node)
    iou = settings.get("criterion") == "iou"
    own, alien = ("at_least", "tolerance_mm") if iou else ("tolerance_mm", "at_least")
    if alien in settings:
        other = "centre-in-nodule" if iou else "iou"
        message = f"{alien!r} belongs to the criterion {other!r}, not to {settings['criterion']!r}"
        builder.complain_at_key(node.mapping[alien], message, path=node.path)
    return {"criterion": settings["criterion"], own: settings.get(own, 0.2 if iou else 5)}


def companion(builder: Builder, node: Node) -> Companion:
    """Return the second nodule of a fuzzed example."""
    builder.one_brightness(node.mapping, node.path)
    values = {"diameter_mm": Constant(20.0)}
    values |= builder.given(node, "diameter_mm", "contrast", "density", "distance_mm")
    return Companion(**values, location=builder.location(node.mapping.get("location")))
