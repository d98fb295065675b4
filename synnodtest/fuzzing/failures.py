"""Failures that are kept: Hypothesis's own example database per behaviour, and what replay needs of one failure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synnodtest.canonical import canonical_json, sha256_of
from synnodtest.counted import counted
from synnodtest.engine.engine import Engine
from synnodtest.engine.outcome import Outcome, Snapshot, to_trial
from synnodtest.engine.sightings import sightings_of
from synnodtest.errors import DetectorError, RecordError
from synnodtest.evidence.arm import Arm
from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.judged import Replicate
from synnodtest.matching import Matching
from synnodtest.planning.difficulty import Difficulties, Space
from synnodtest.scene import Scene
from synnodtest.statistics import clustered_rate


class Failures:
    """The failing points of one expectation of a behaviour, tried again first by every later search.

    They lie in Hypothesis's ``DirectoryBasedExampleDatabase``, so whatever carries that folder between machines (a CI
    cache) carries them.

    Args:
        folder: Of the database.
        behaviour: The resolved behaviour, plain values: another behaviour never meets these failures.
        expectation: Identifier of the item.
        space: Points that do not fit it are ignored.
    """

    def __init__(self, folder: Path, behaviour: Mapping[str, object], expectation: str, space: Space) -> None:
        from hypothesis.database import DirectoryBasedExampleDatabase

        self._database = DirectoryBasedExampleDatabase(folder)
        names = [d.name for d in space]
        self._key = sha256_of(["fuzz", 1, behaviour, expectation, names]).encode()
        self._space = space

    def points(self) -> list[Difficulties]:
        """Return the stored points, easiest first."""
        stored = map(self._point, self._database.fetch(self._key))
        return self._space.easiest_first({point for point in stored if point is not None})

    def save(self, point: Difficulties) -> None:
        """Keep a failing point."""
        self._database.save(self._key, canonical_json(list(point)).encode())

    def drop(self, point: Difficulties) -> None:
        """Forget a point that fails no more."""
        self._database.delete(self._key, canonical_json(list(point)).encode())

    def _point(self, data: bytes) -> Difficulties | None:
        """Return a stored point; None for what is none of the space."""
        try:
            raw = json.loads(data)
        except (ValueError, RecursionError):
            return None
        bounds = [d.bounds for d in self._space]
        if not isinstance(raw, list) or len(raw) != len(bounds):
            return None
        fits = all(type(k) is int and a <= k <= b for k, (a, b) in zip(raw, bounds, strict=True))
        return tuple(raw) if fits else None


def failure_id(*parts: Any) -> str:
    """Return the identifier under which a failure is replayed and promoted."""
    return "fuzz-" + sha256_of(list(parts))[:12]


def trials_of(replicates: Sequence[Replicate]) -> list[dict[str, object]]:
    """Return the scenes of replicates, plain values, by arm, with the sha256 of each radiograph."""
    return [
        {
            "background": r.background.id,
            "cluster": r.background.cluster,
            "holds": r.holds,
            "margin": r.margin,
            "scenes": {
                arm: {"id": t.scene_id, "recipe": t.scene.as_dict(), "radiograph_sha256": t.radiograph_sha256}
                for arm, t in r.trials.items()
            },
        }
        for r in replicates
    ]


def replay_failure(engine: Engine, failure: Mapping[str, Any], *, only_rounded: bool = False) -> tuple[str, list[str]]:
    """Run the stored scenes of a failure again: ``FAILED``, ``FIXED``, ``INCONCLUSIVE``, or ``ERROR`` (it crashes).

    It is fixed where the claim holds in as large a share of the scenes as asked; a bound above that mends nothing. A
    scene whose pixels are not those of the record does not speak for it: the detector may fail on those as ever.

    Args:
        engine: With the synthesizer of the failure and the detector of today.
        failure: As the record keeps it.
        only_rounded: Whether what made the pixels is what made those of the record, so that they differ by the rounding
            of another machine or batch at most.

    Returns:
        The verdict and what was seen, a line each.

    Raises:
        RecordError: a background of the scenes is not there.
    """
    claim = Claim(failure["kind"], failure["parameters"])
    matching = Matching.from_dict(failure["parameters"].get("matching"))
    by_id = {b.id: b for b in engine.backgrounds.backgrounds}
    holds: list[bool] = []
    clusters: list[str] = []
    as_recorded: list[bool] = []
    differing = 0
    for entry in failure["trials"]:
        trials, before = {}, differing
        background = by_id.get(entry["background"])
        if background is None:
            raise RecordError(
                f"the background {entry['background']!r} of the failure is not in the set",
                hint="run it where the run was made, with the same --backgrounds",
            )
        for arm, stored in entry["scenes"].items():
            scene = Scene.from_dict(stored["recipe"])
            radiograph = engine.radiograph(scene, background)
            digest = radiograph.content_sha256()
            differing += bool(stored["radiograph_sha256"]) and digest != stored["radiograph_sha256"]
            try:
                (findings,) = engine.detector.detect([radiograph])
            except DetectorError as error:
                return "ERROR", [f"scene {scene.key()}: {error}"]
            sightings = sightings_of(radiograph, findings)
            snapshot, maker = Snapshot.of(radiograph), engine.synthesizer.identity.name
            outcome = Outcome(background, Arm(arm), 0, (), scene, maker, snapshot, sightings)
            trials[arm] = to_trial(outcome, matching)
        holds.append(claim.holds(claim.margin(trials)))
        clusters.append(entry["cluster"])
        as_recorded.append(only_rounded or differing == before)
    lines = [f"{sum(holds)} of {counted(len(holds), 'scene')} keep the claim (asked for: {claim.rate:g})"]
    lines.append(_pixels(differing, only_rounded))
    crashed = failure["status"] == "ERROR"  # it did so no more, whatever it found
    good, needed = ([True] * len(holds), len(holds)) if crashed else (holds, claim.rate * len(holds))
    if sum(kept and same for kept, same in zip(good, as_recorded, strict=True)) >= needed:
        return "FIXED", lines
    if sum(good) >= needed:
        return "INCONCLUSIVE", [*lines, "what failed on the pictures of the record is not shown to be fixed"]
    upper = clustered_rate(holds, clusters, alpha=float(failure["parameters"].get("alpha", 0.05))).upper
    lines += ["fewer than asked, though not surely so"] if upper >= claim.rate else []
    return "FAILED", lines


def _pixels(differing: int, only_rounded: bool) -> str:
    if not differing:
        return "pixels as recorded"
    if only_rounded:
        return f"pixels of {counted(differing, 'scene')} rounded otherwise than recorded"
    return f"pixels of {counted(differing, 'scene')} DIFFER from the record: judged on other pictures"
