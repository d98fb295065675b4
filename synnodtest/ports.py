"""The ports: what a synthesizer, a detector and a background set must offer. One method each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Scene

DEFAULT_TIMEOUT_S = 300.0
"""Seconds for one call of a detector; set by hand: room for loading a large model and a batch on a slow CPU, still
short beside a run that hangs overnight."""


@runtime_checkable
class Synthesizer(Protocol):
    """Scene -> radiograph with its truth.

    ``backgrounds[i]`` is the untouched radiograph of ``scenes[i]`` (a scene carries no pixels). The result has the
    same length and order; pixels outside the nodules' masks' surroundings are bit-identical to the background's.
    Perturbations are not the synthesizer's: the engine applies them afterwards.
    """

    @property
    def identity(self) -> Identity:
        """Its identity; part of every cache key."""
        ...

    @property
    def sham_is_identity(self) -> bool:
        """True where an edit without a nodule leaves the radiograph as it is (``gaussian``, ``counterfactual``)."""
        ...

    def synthesize(self, scenes: Sequence[Scene], backgrounds: Sequence[Radiograph]) -> list[Radiograph]:
        """Return one radiograph per scene, in order, with its truth."""
        ...


@runtime_checkable
class Detector(Protocol):
    """Radiographs -> findings per radiograph, in order, raw scores, near-zero threshold."""

    @property
    def identity(self) -> Identity:
        """Its identity; part of every cache key."""
        ...

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return one list of findings per radiograph, in order."""
        ...


@dataclass(frozen=True)
class Background:
    """A background as known before its pixels are read."""

    id: str
    patient: str = ""
    strata: Mapping[str, str] = field(default_factory=dict)
    content: str = ""
    """sha256 that stands for pixels, spacing and masks: of the files, or of the phantom's recipe and version."""
    film: str = ""
    """sha256 of the file of the pixels alone, where there is one: with another mask or spacing it is no other film."""

    @property
    def cluster(self) -> str:
        """The statistical cluster: the patient where known, else the background."""
        return self.patient or self.id


class BackgroundSet(Protocol):
    """An ordered set of nodule-free radiographs, read one at a time."""

    @property
    def name(self) -> str:
        """Name of the set, as specs call it."""
        ...

    @property
    def identity(self) -> Identity:
        """Its identity; part of every cache key."""
        ...

    @property
    def backgrounds(self) -> Sequence[Background]:
        """All backgrounds of the set, in a stable order. A phantom set is as long as asked for."""
        ...

    def load(self, background: Background) -> Radiograph:
        """Return pixels, spacing and regions.

        Raises:
            BackgroundError: the file is missing, corrupt or unusable; names the file.
        """
        ...
