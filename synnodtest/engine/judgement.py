"""Parts and products of a campaign: providers, and gathered evidence with its rulings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from synnodtest.engine.sham import ShamResult
from synnodtest.evidence.ruling import Ruling, Status
from synnodtest.evidence.trial import Evidence
from synnodtest.planning.variants import Variant
from synnodtest.ports import BackgroundSet, Detector, Synthesizer
from synnodtest.spec.model import Behaviour


@dataclass(frozen=True)
class Providers:
    """Providers of a campaign's parts.

    Args:
        detector: The system under test.
        synthesizer: By the text of ``--synthesizer``.
        backgrounds: By set name and the number wanted; may hold fewer.
        default_synthesizer: For behaviours that name none.
    """

    detector: Detector
    synthesizer: Callable[[str], Synthesizer]
    backgrounds: Callable[[str, int], BackgroundSet]
    default_synthesizer: str = "diffusion"


@dataclass
class Gathered:
    """The evidence of one item, per synthesizer, and what the check says of it.

    Checks run here already: one that breaks is a fault of the harness, not a verdict on the detector.
    """

    behaviour: Behaviour
    variant: Variant
    evidence: dict[str, Evidence]
    rulings: dict[str, Ruling]
    sham: dict[str, ShamResult]
    seconds: float = 0.0

    @property
    def ruling(self) -> Ruling:
        """The ruling of all synthesizers together; pure, no model is touched."""
        return agree(self.rulings)


def agree(rulings: Mapping[str, Ruling]) -> Ruling:
    """FAILED only where all synthesizers agree on it, PASSED likewise; INCONCLUSIVE where they differ."""
    first = next(iter(rulings.values()))
    if len(rulings) == 1:
        return first
    notes = tuple(f"{name}: {ruling.sentence}" for name, ruling in rulings.items())
    if len({ruling.status for ruling in rulings.values()}) == 1:
        return replace(first, notes=first.notes + notes)
    verdicts = ", ".join(f"{name} {ruling.status}" for name, ruling in rulings.items())
    return replace(
        first,
        status=Status.INCONCLUSIVE,
        sentence=f"INCONCLUSIVE depends on the synthesizer: {verdicts}",
        notes=first.notes + notes,
    )
