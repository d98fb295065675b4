"""Cases: every expectation of every behaviour of a spec, under its node id. The one enumeration of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from synnodtest.planning.variants import Variant, variants
from synnodtest.spec.model import Behaviour, Spec


@dataclass(frozen=True)
class Case:
    """One item: an expectation of a behaviour of a spec, under its node id."""

    node_id: str
    spec: Spec
    behaviour: Behaviour
    variant: Variant


def variants_of(behaviour: Behaviour) -> Iterator[Variant]:
    """Yield the items of a behaviour, in the order of the spec."""
    for expectation in behaviour.expectations:
        yield from variants(behaviour, expectation)


def cases_of(spec: Spec, file: str = "") -> Iterator[Case]:
    """Yield every item of a spec.

    Args:
        spec: The spec.
        file: Its path as node ids have it; default: as it was loaded.
    """
    for behaviour in spec.behaviours:
        for variant in variants_of(behaviour):
            name = f"{file or spec.path.as_posix()}::{behaviour.id}::{variant.id}"
            yield Case(name, spec, behaviour, variant)


def planned_cases(selected: Iterable[Case]) -> Iterator[Case]:
    """Yield every item of the specs of the selected ones, selected or not, in the order of the files."""
    files = {case.node_id.split("::", 1)[0]: case.spec for case in selected}
    for file, spec in files.items():
        yield from cases_of(spec, file)
