"""Outcome of a finished scene as the engine keeps it: truth, findings, hashes. No pixels."""

from __future__ import annotations

import base64
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from synnodtest.canonical import canonical_json
from synnodtest.conspicuity import visibilities
from synnodtest.engine.sightings import regions_of
from synnodtest.evidence.arm import Arm
from synnodtest.evidence.sightings import Sighting, names_of
from synnodtest.evidence.trial import Trial, score_mimics, score_trial
from synnodtest.geometry import bits_of, centre_of, mask_of
from synnodtest.matching import Matching
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.scene import Scene

_MEASURED = ("contrast", "contrast_in_place", "conspicuity")
"""Numbers of a truth that may be NaN, which JSON has not."""


@dataclass(frozen=True)
class Snapshot:
    """A finished radiograph without its pixels: all that is needed to match and to judge.

    Args:
        sha256: Content of the radiograph as the detector sees it.
        spacing_mm: ``(row, column)``.
        shape: Height and width in pixels.
        nodules: Realised truth, with how visible each nodule is.
        nodule_regions: Per nodule the regions at its centre.
        regions: Names of the regions of which the radiograph shows any pixel.
        rejected: Why the scene is excluded; empty if accepted.
        mimics: Truth of the mimics.
        mimic_regions: Per mimic the regions at the middle of its box.
    """

    sha256: str
    spacing_mm: tuple[float, float]
    shape: tuple[int, int]
    nodules: tuple[Truth, ...]
    nodule_regions: tuple[frozenset[str], ...]
    regions: frozenset[str]
    rejected: str = ""
    mimics: tuple[Truth, ...] = ()
    mimic_regions: tuple[frozenset[str], ...] = ()

    @classmethod
    def of(
        cls,
        radiograph: Radiograph,
        rejected: str = "",
        sha256: str = "",
        unit: float | None = None,
        like: Radiograph | None = None,
    ) -> Snapshot:
        """Take the snapshot of a radiograph.

        Args:
            radiograph: As the detector sees it.
            rejected: Why the scene is excluded.
            sha256: Of its content, if that is known.
            unit: Its lung range, if that is known.
            like: One that stays, such as its background: if it has the same regions, they are looked at once.
        """
        same = like if like is not None and radiograph.regions is like.regions else radiograph
        return cls(
            sha256=sha256 or radiograph.content_sha256(),
            spacing_mm=radiograph.spacing_mm,
            shape=radiograph.shape,
            nodules=tuple(
                replace(truth, contrast_in_place=visibility.contrast, conspicuity=visibility.conspicuity)
                for truth, visibility in zip(radiograph.nodules, visibilities(radiograph, unit), strict=True)
            ),
            nodule_regions=_places(radiograph, radiograph.nodules),
            regions=same.shown_regions,
            rejected=rejected,
            mimics=radiograph.mimics,
            mimic_regions=_places(radiograph, radiograph.mimics),
        )

    def encode(self) -> bytes:
        """Return the snapshot as canonical JSON; masks are packed bits in base64."""
        return canonical_json(
            {
                "sha256": self.sha256,
                "spacing_mm": self.spacing_mm,
                "shape": self.shape,
                "regions": sorted(self.regions),
                "rejected": self.rejected,
                "nodules": _encoded(self.nodules, self.nodule_regions),
                **({"mimics": _encoded(self.mimics, self.mimic_regions)} if self.mimics else {}),
            }
        ).encode()

    @classmethod
    def decode(cls, data: bytes) -> Snapshot:
        """Rebuild a snapshot from :meth:`encode`."""
        raw = json.loads(data)
        nodules, nodule_regions = _decoded(raw["nodules"])
        mimics, mimic_regions = _decoded(raw.get("mimics", ()))
        return cls(
            sha256=raw["sha256"],
            spacing_mm=(raw["spacing_mm"][0], raw["spacing_mm"][1]),
            shape=(raw["shape"][0], raw["shape"][1]),
            nodules=nodules,
            nodule_regions=nodule_regions,
            regions=names_of(tuple(raw["regions"])),
            rejected=raw["rejected"],
            mimics=mimics,
            mimic_regions=mimic_regions,
        )


def _encoded(truths: Sequence[Truth], places: Sequence[frozenset[str]]) -> list[dict[str, object]]:
    return [
        {
            "name": t.name,
            "origin": t.origin,
            "size": t.crop.shape,
            "mask": base64.b64encode(bits_of(t.crop)).decode(),
            "diameter_mm": t.diameter_mm,
            **{name: _number(getattr(t, name)) for name in _MEASURED},
            "requested": t.requested,
            "regions": sorted(regions),
        }
        for t, regions in zip(truths, places, strict=True)
    ]


def _decoded(entries: Sequence[Mapping[str, Any]]) -> tuple[tuple[Truth, ...], tuple[frozenset[str], ...]]:
    return tuple(map(_truth, entries)), tuple(names_of(tuple(entry["regions"])) for entry in entries)


def _truth(raw: Mapping[str, Any]) -> Truth:
    return Truth(
        name=raw["name"],
        crop=mask_of(base64.b64decode(raw["mask"]), (raw["size"][0], raw["size"][1])),
        origin=(raw["origin"][0], raw["origin"][1]),
        diameter_mm=raw["diameter_mm"],
        requested={  # equal texts are one object, of which a campaign keeps thousands
            sys.intern(name): sys.intern(value) if isinstance(value, str) else value
            for name, value in raw["requested"].items()
        },
        **{name: math.nan if raw[name] is None else raw[name] for name in _MEASURED},
    )


def _number(value: float) -> float | None:
    """Return a number as JSON has it: no NaN."""
    return float(value) if math.isfinite(value) else None


def _places(radiograph: Radiograph, truths: Sequence[Truth]) -> tuple[frozenset[str], ...]:
    """Return per truth the regions that hold the middle of its box."""
    return tuple(regions_of(radiograph, [centre_of(truth.box) for truth in truths])) if truths else ()


@dataclass(frozen=True)
class Outcome:
    """A scene that has been through synthesizer and detector; of its recipe what tells it from others.

    Args:
        background: It stands on.
        arm: Of the behaviour.
        replicate: Number of the replicate.
        levels: The swept values by name.
        scene: What was synthesized.
        synthesizer: Name of the synthesizer.
        snapshot: The radiograph without pixels.
        sightings: The findings; empty for a rejected scene.
    """

    background: Background
    arm: Arm
    replicate: int
    levels: tuple[tuple[str, float | str], ...]
    scene: Scene
    synthesizer: str
    snapshot: Snapshot
    sightings: Sequence[Sighting]


def to_trial(outcome: Outcome, matching: Matching) -> Trial:
    """Match findings with nodules by one expectation's criterion."""
    snapshot, background = outcome.snapshot, outcome.background
    nodules, duplicates, false_positives = score_trial(
        outcome.sightings, snapshot.nodules, snapshot.nodule_regions, snapshot.spacing_mm, matching
    )
    mimics = score_mimics(
        outcome.sightings, snapshot.mimics, snapshot.mimic_regions, nodules, snapshot.spacing_mm, matching
    )
    return Trial(
        scene=outcome.scene,
        scene_id=outcome.scene.key(),
        synthesizer=outcome.synthesizer,
        background=background.id,
        cluster=background.cluster,
        arm=outcome.arm,
        replicate=outcome.replicate,
        levels=dict(outcome.levels),
        strata=background.strata,
        spacing_mm=snapshot.spacing_mm,
        shape=snapshot.shape,
        regions=snapshot.regions,
        sightings=outcome.sightings,
        nodules=nodules,
        duplicates=duplicates,
        false_positives=false_positives,
        radiograph_sha256=snapshot.sha256,
        rejected=snapshot.rejected,
        mimics=mimics,
    )
