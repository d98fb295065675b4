"""The recipe of a synthetic radiograph: background, nodules, perturbations, seed. No pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synnodtest.canonical import sha256_of
from synnodtest.errors import SynthesizerError

ATTENUATION_WORDS = ("ground-glass", "part-solid", "solid", "calcified")
"""From faint to dense."""
MARGIN_WORDS = ("smooth", "lobulated", "spiculated")
LESION_WORDS = ("mass", "consolidation")
"""Lesions that may be planted beside nodules."""
LOOKS = ("density", "attenuation", "margin", "doubling_days", "interval_days", "lesion")
"""Values that only nodules have; a density also where neither contrast nor attenuation stands."""


@dataclass(frozen=True)
class Nodule:
    """One nodule to be planted.

    Args:
        diameter_mm: Equal-area diameter of the requested nodule mask.
        centre_mm: ``(x, y)`` from the top left corner of the radiograph.
        contrast: Mean added brightness over the truth mask, divided by the 5th-to-95th percentile range of
            the background's lung (0..1). None: it follows from ``density`` at the nodule's place.
        radiomics: Requested features by PyRadiomics name (``Sphericity``), in PyRadiomics units.
            Features not named are left to the synthesizer.
        name: How expectations refer to it (``of: index``).
        seed: Seed of its appearance. None: the scene's seed.
        density: Attenuation relative to soft tissue: 1 solid, 0.5 ground glass, 1.5 and more calcified. Where a
            contrast is given too, that is what this density gave. None with no contrast: the middle of its
            ``attenuation``, else the median of nodules of its size that readers marked on films.
        attenuation: ``ground-glass``, ``part-solid``, ``solid``, ``calcified``, or empty.
        margin: ``smooth``, ``lobulated``, ``spiculated``, or empty: the synthesizer's own.
        doubling_days: Of a nodule that has grown since a prior radiograph: doubling time of its volume.
        interval_days: Days since the prior.
        lesion: ``mass``, ``consolidation``, or empty: a nodule.
    """

    diameter_mm: float
    centre_mm: tuple[float, float]
    contrast: float | None = None
    radiomics: tuple[tuple[str, float], ...] = ()
    name: str = "nodule"
    seed: int | None = None
    density: float | None = None
    attenuation: str = ""
    margin: str = ""
    doubling_days: float | None = None
    interval_days: float | None = None
    lesion: str = ""

    def __post_init__(self) -> None:
        words = ((self.attenuation, ATTENUATION_WORDS), (self.margin, MARGIN_WORDS), (self.lesion, LESION_WORDS))
        for value, known in words:
            if value and value not in known:
                raise SynthesizerError(f"nodule {self.name!r}: {value!r} is not one of {', '.join(known)}")
        if isinstance(self.radiomics, Mapping):
            object.__setattr__(self, "radiomics", tuple(sorted(self.radiomics.items())))
        object.__setattr__(self, "centre_mm", tuple(self.centre_mm))

    def look(self) -> dict[str, object]:
        """Return density, attenuation, margin, growth and lesion by name, as far as they are given."""
        named = {name: getattr(self, name) for name in LOOKS}
        return {name: value for name, value in named.items() if value not in (None, "")}

    def request(self) -> dict[str, object]:
        """Return what was asked for, for ``Truth.requested``."""
        return {
            "diameter_mm": self.diameter_mm,
            "contrast": self.contrast,
            "centre_mm": list(self.centre_mm),
            "radiomics": dict(self.radiomics),
            **self.look(),
        }


@dataclass(frozen=True)
class Mimic:
    """One thing that looks like a nodule and is none, drawn after synthesis (:mod:`synnodtest.mimics`).

    Args:
        kind: ``nipple``, ``clip``, ...
        centre_mm: ``(x, y)`` from the top left corner of the radiograph.
        size_mm: Its size; of what, its kind says.
        name: How expectations and locations refer to it.
        seed: Seed of its appearance.
    """

    kind: str
    centre_mm: tuple[float, float]
    size_mm: float
    name: str = "distractor"
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "centre_mm", tuple(self.centre_mm))

    def request(self) -> dict[str, object]:
        """Return what was asked for, for ``Truth.requested``."""
        return {"mimic": self.kind, "size_mm": self.size_mm, "centre_mm": list(self.centre_mm)}

    def as_dict(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {**self.request(), "name": self.name, "seed": self.seed}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Mimic:
        """Rebuild it from :meth:`as_dict`."""
        x, y = data["centre_mm"]
        return cls(data["mimic"], (x, y), data["size_mm"], data["name"], data["seed"])


@dataclass(frozen=True)
class Perturbation:
    """One change of the whole radiograph, such as ``rotate_deg`` by 5; applied after synthesis, in order."""

    kind: str
    value: Any = None

    def __post_init__(self) -> None:
        if isinstance(self.value, list):
            object.__setattr__(self, "value", tuple(self.value))


@dataclass(frozen=True)
class Scene:
    """Content of a radiograph to be synthesized; frozen, hashable and free of pixels.

    Args:
        background: Identifier of the background within its set.
        nodules: In planting order.
        perturbations: Applied to the finished radiograph, in order.
        seed: The one seed of the scene, whatever batch it runs in.
        sham: Inpaint the nodules' masks **without** a nodule (the sham control).
        mimics: Drawn into the synthesized radiograph, in order, before the perturbations.
        prior: The same chest at an earlier time, for detectors that take pairs.
    """

    background: str
    nodules: tuple[Nodule, ...] = ()
    perturbations: tuple[Perturbation, ...] = ()
    seed: int = 0
    sham: bool = False
    mimics: tuple[Mimic, ...] = ()
    prior: Scene | None = None
    _key: list[str] = field(default_factory=list, init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        for name in ("nodules", "perturbations", "mimics"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def seed_of(self, nodule: Nodule) -> int:
        """Return the seed of one nodule's appearance: its own, else the scene's."""
        return self.seed if nodule.seed is None else nodule.seed

    def key(self) -> str:
        """Return the sha256 of the recipe (the scene's id in records, stores and ``synnodtest replay``)."""
        if not self._key:
            self._key.append(sha256_of(self.as_dict()))
        return self._key[0]

    def as_dict(self) -> dict[str, object]:
        """Return the recipe as plain JSON values."""
        return {
            "background": self.background,
            "nodules": [{**n.request(), "name": n.name, "seed": n.seed} for n in self.nodules],
            "perturbations": [{"kind": p.kind, "value": p.value} for p in self.perturbations],
            "seed": self.seed,
            "sham": self.sham,
            **({"mimics": [mimic.as_dict() for mimic in self.mimics]} if self.mimics else {}),
            **({} if self.prior is None else {"prior": self.prior.as_dict()}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scene:
        """Rebuild a scene from :meth:`as_dict`; ``Scene.from_dict(s.as_dict()) == s``."""
        return cls(
            background=data["background"],
            nodules=tuple(Nodule(**nodule) for nodule in data["nodules"]),
            perturbations=tuple(Perturbation(p["kind"], p["value"]) for p in data["perturbations"]),
            seed=data["seed"],
            sham=data["sham"],
            mimics=tuple(map(Mimic.from_dict, data.get("mimics", ()))),
            prior=None if data.get("prior") is None else cls.from_dict(data["prior"]),
        )
