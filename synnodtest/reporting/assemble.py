"""Rulings -> the record: what every item adds to ``results.json``."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from synnodtest.canonical import seed_sequence
from synnodtest.checks.ruling import Component, Ruling
from synnodtest.engine.campaign import Campaign, Judgement
from synnodtest.planning.trial import NoduleTrial, Trial
from synnodtest.planning.variants import Variant
from synnodtest.spec.model import Behaviour, Spec

__all__ = ["Fragment", "new_run_id", "plain"]

WORST, RANDOM = 12, 6
"""Scenes named per expectation: the worst failures, random failures, random passes."""


class CaseLike(Protocol):
    """What the record needs to know of an item."""

    @property
    def node_id(self) -> str:
        """The pytest node id."""
        ...

    @property
    def spec(self) -> Spec:
        """The spec it stems from."""
        ...

    @property
    def behaviour(self) -> Behaviour:
        """The behaviour as the spec says it."""
        ...

    @property
    def variant(self) -> Variant:
        """The item."""
        ...


def new_run_id() -> str:
    """Return an identifier that sorts by time: ``20261123T081500Z-1a2b3c``."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def plain(value: Any) -> Any:
    """Return plain JSON values: NaN and infinities as None, dataclasses as objects, paths as text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (str, int, bool)) or value is None:
        return value
    if isinstance(value, Path):
        return value.as_posix()
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(v) for v in value)
    if isinstance(value, Iterable):
        return [plain(v) for v in value]
    if hasattr(value, "item"):
        return plain(value.item())
    return str(value)


@dataclass
class Fragment:
    """The part of a record that one process has gathered; fragments of workers merge."""

    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    specs: dict[str, dict[str, Any]] = field(default_factory=dict)
    behaviours: dict[str, dict[str, Any]] = field(default_factory=dict)
    expectations: dict[str, dict[str, Any]] = field(default_factory=dict)
    scenes: dict[str, dict[str, Any]] = field(default_factory=dict)
    sham: dict[str, dict[str, Any]] = field(default_factory=dict)
    synthesizers: dict[str, dict[str, Any]] = field(default_factory=dict)
    backgrounds: dict[str, dict[str, Any]] = field(default_factory=dict)
    detector: dict[str, Any] = field(default_factory=dict)
    gallery: list[dict[str, Any]] = field(default_factory=list)
    deviations: list[dict[str, Any]] = field(default_factory=list)
    fuzzing: list[dict[str, Any]] = field(default_factory=list)
    tally: dict[str, float] = field(default_factory=dict)

    def expectation(self, node_id: str) -> dict[str, Any]:
        """Return what was recorded of one item."""
        return self.expectations[node_id]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values, for a worker's hand-over."""
        return asdict(self)

    def merge(self, other: Mapping[str, Any]) -> None:
        """Take in the fragment of another process (:meth:`as_dict`)."""
        self.started = min(self.started, other["started"])
        for f in fields(self):
            mine, theirs = getattr(self, f.name), other[f.name]
            if f.name == "tally":
                self.tally = {k: mine.get(k, 0) + theirs.get(k, 0) for k in {*mine, *theirs}}
            elif isinstance(mine, dict):
                mine.update(theirs)
            elif isinstance(mine, list):
                mine.extend(item for item in theirs if item not in mine)

    # --- items --------------------------------------------------------------------------------------------------

    def add_error(self, case: CaseLike, status: str, message: str, seconds: float) -> None:
        """Record an item that could not be judged: ERROR or INVALID."""
        self._add_case(case)
        self.expectations[case.node_id] = self._entry(case, status, seconds) | {"error": message}

    def add_judgement(
        self,
        case: CaseLike,
        judgement: Judgement,
        campaign: Campaign,
        seconds: float,
        waiver: Mapping[str, Any] | None = None,
    ) -> None:
        """Record an item that was judged, its trials and whoever made them."""
        self._add_case(case)
        self._add_parts(judgement, campaign)
        trials = [t for e in judgement.evidence.values() for t in e.trials]
        rejected = [t for e in judgement.evidence.values() for t in e.rejected]
        point = judgement.variant.operating_point
        for trial in (*trials, *rejected):
            self.scenes.setdefault(trial.scene_id, _scene(trial, case.behaviour.id, point))
        failing, passing = _sides(trials, judgement.variant, point)
        entry = self._entry(case, judgement.ruling.status.value, seconds)
        entry |= {
            "ruling": _ruling(judgement.ruling),
            "waived": plain(waiver) if waiver else None,
            "scenes": list(dict.fromkeys(t.scene_id for t in trials)),
            "worst": failing[:WORST],
            "failing": _sample(failing[WORST:], RANDOM, case.node_id, "failing"),
            "passing": _sample(passing, RANDOM, case.node_id, "passing"),
        }
        if len(judgement.by_synthesizer) > 1:
            entry["by_synthesizer"] = {name: _ruling(r) for name, r in judgement.by_synthesizer.items()}
        self.expectations[case.node_id] = entry
        self._note_deviations(case, judgement)

    def add_fuzzing(self, case: CaseLike, found: Mapping[str, Any]) -> None:
        """Record a search beside its ruling: what replay needs, and the scenes that the gallery shows."""
        self.fuzzing.append({**plain(found), "expectation_id": case.node_id})
        entry = self.expectations.get(case.node_id)
        if entry is None:
            return
        shown = found.get("shown") or {}
        sides: dict[bool, list[str]] = {True: [], False: []}
        for trial in found["trials"]:
            sides[bool(trial["holds"])].append(list(trial["scenes"].values())[-1]["id"])
        roles: dict[str, str] = {}
        for role, scene_id in shown.items():
            roles[scene_id] = f"{roles[scene_id]} and {role}" if scene_id in roles else role
        others = [s for s in sides[False] if s not in roles]
        entry["worst"] = list(roles)
        entry["roles"] = {scene_id: f"{role} failure" for scene_id, role in roles.items()}
        entry["failing"] = _sample(others, RANDOM, case.node_id, "failing")
        entry["passing"] = _sample(sides[True], RANDOM, case.node_id, "passing")

    def _entry(self, case: CaseLike, status: str, seconds: float) -> dict[str, Any]:
        expectation = case.variant.expectation
        return {
            "id": case.node_id,
            "behaviour": case.behaviour.id,
            "kind": expectation.kind,
            "line": expectation.line,
            "parameters": plain(case.variant.parameters),
            "rationale": str(expectation.parameters.get("rationale") or case.behaviour.rationale or ""),
            "status": status,
            "waived": None,
            "ruling": None,
            "error": "",
            "scenes": [],
            "worst": [],
            "failing": [],
            "passing": [],
            "seconds": round(seconds, 3),
            "p_holm": None,
        }

    def _add_case(self, case: CaseLike) -> None:
        spec, behaviour = case.spec, case.behaviour
        file = spec.path.as_posix()
        self.specs.setdefault(
            file, {"file": file, "sha256": spec.sha256, "title": spec.title, "scope": plain(spec.scope)}
        )
        self.behaviours.setdefault(
            f"{file}::{behaviour.id}",
            {
                "id": behaviour.id,
                "statement": behaviour.statement,
                "requirement": list(behaviour.requirement),
                "hazard": list(behaviour.hazard),
                "gate": behaviour.gate,
                "tags": list(behaviour.tags),
                "rationale": behaviour.rationale,
                "file": file,
                "line": behaviour.line,
                "resolved": plain(behaviour),
                "scenes_text": scenes_text(behaviour),
            },
        )

    def _add_parts(self, judgement: Judgement, campaign: Campaign) -> None:
        self.detector = campaign.providers.detector.identity.as_dict()
        for name in judgement.evidence:
            synthesizer = campaign.synthesizer(name)
            self.synthesizers[name] = {
                **synthesizer.identity.as_dict(),
                "sham_is_identity": bool(synthesizer.sham_is_identity),
            }
            sham = judgement.sham.get(name)
            if sham is not None:
                key = f"{judgement.behaviour.id}::{name}"
                self.sham[key] = {"behaviour": judgement.behaviour.id, "synthesizer": name, **plain(sham.as_dict())}
        backgrounds = campaign.backgrounds(judgement.behaviour)
        there = campaign.background_set(judgement.behaviour)
        self.backgrounds[f"{there.name}:{len(backgrounds)}"] = {
            "name": there.name,
            "identity": there.identity.as_dict(),
            "count": len(backgrounds),
            "patients": len({b.cluster for b in backgrounds}),
            "estimated_regions": sorted(getattr(there, "estimated_regions", ())),
        }
        self.tally = plain(vars(campaign.tally()))

    def _note_deviations(self, case: CaseLike, judgement: Judgement) -> None:
        planned = case.behaviour.scenes.count if case.behaviour.scenes is not None else 0
        used = judgement.behaviour.scenes.count if judgement.behaviour.scenes is not None else 0
        if planned != used and case.behaviour.fuzz is None:
            self._deviate(case, "number of backgrounds (limited for this run)", str(planned), str(used))
        for evidence in judgement.evidence.values():
            for reason, count in evidence.shortfall.items():
                self._deviate(case, "scenes not made", "0", f"{count}: {reason}")

    def _deviate(self, case: CaseLike, what: str, planned: str, actual: str) -> None:
        entry = {"expectation": case.node_id, "what": what, "planned": planned, "actual": actual}
        if entry not in self.deviations:
            self.deviations.append(entry)


def scenes_text(behaviour: Behaviour) -> str:
    """Return a behaviour's scenes in words."""
    scenes = behaviour.scenes
    if scenes is None:
        return "a search for a counterexample" if behaviour.fuzz is not None else ""
    parts = [f"{scenes.count} backgrounds of the set {scenes.set}"]
    if scenes.replicates > 1:
        parts.append(f"{scenes.replicates} replicates each")
    parts += [f"nodule {n.name!r} of {_value_text(n.diameter_mm)} mm" for n in scenes.nodules]
    if scenes.arms:
        parts.append("arms " + ", ".join(scenes.arms))
    return "; ".join(parts)


def _value_text(value: Any) -> str:
    levels = value.levels
    if levels:
        return ", ".join(str(level) for level in levels)
    low, high = value.bounds
    return f"{low:g} to {high:g}"


def _ruling(ruling: Ruling) -> dict[str, Any]:
    data: dict[str, Any] = plain(ruling)
    data["components"] = [_component(c) for c in ruling.components]
    return data


def _component(part: Component) -> dict[str, Any]:
    return {key: plain(value) for key, value in vars(part).items()}


def _scene(trial: Trial, behaviour: str, operating_point: float) -> dict[str, Any]:
    return {
        "recipe": trial.scene.as_dict(),
        "synthesizer": trial.synthesizer,
        "background": trial.background,
        "patient": trial.cluster if trial.cluster != trial.background else "",
        "cluster": trial.cluster,
        "strata": dict(trial.strata),
        "arm": trial.arm,
        "behaviour": behaviour,
        "spacing_mm": list(trial.spacing_mm),
        "shape": list(trial.shape),
        "radiograph_sha256": trial.radiograph_sha256,
        "accepted": not trial.rejected,
        "rejected_because": trial.rejected,
        "nodules": [_nodule(n, operating_point) for n in trial.nodules],
        "findings": [
            {"box": plain(s.finding.box), "score": s.finding.score, "regions": sorted(s.regions)}
            for s in trial.sightings
            if s.finding.score >= 0.01
        ],
    }


def _nodule(nodule: NoduleTrial, operating_point: float) -> dict[str, Any]:
    x_min, y_min, x_max, y_max = nodule.truth.box
    return {
        "name": nodule.name,
        "box": [x_min, y_min, x_max, y_max],
        "centre_px": [(x_min + x_max) / 2, (y_min + y_max) / 2],
        "requested": plain(nodule.requested),
        "diameter_mm": plain(float(nodule.truth.diameter_mm)),
        "contrast": plain(float(nodule.truth.contrast)),
        "regions": sorted(nodule.regions),
        "hit": nodule.detected(operating_point),
        "confidence": plain(float(nodule.confidence)),
    }


def _sides(trials: Iterable[Trial], variant: Variant, point: float) -> tuple[list[str], list[str]]:
    """Return scene ids that speak against the detector, most damning first, and those that speak for it."""
    kind = variant.expectation.kind
    graded: dict[str, tuple[bool, float]] = {}
    for trial in trials:
        loudest = max((s.finding.score for s in trial.sightings), default=0.0)
        if kind == "no_detection":
            bad = not trial.arm.startswith("@") and trial.fires_in(variant.parameters["region"], point)
            severity = loudest
        elif kind in {"false_positives_per_image", "specificity"}:
            bad = trial.false_positives_at(point) > 0
            severity = float(trial.false_positives_at(point)) + loudest
        else:
            nodule = trial.nodule(variant.parameters.get("of"))
            bad = nodule is not None and not nodule.detected(point)
            severity = 0.0 if nodule is None else nodule.requested_mm * nodule.truth.contrast
        graded.setdefault(trial.scene_id, (bad, severity))
    failing = sorted((k for k, (bad, _) in graded.items() if bad), key=lambda k: (-graded[k][1], k))
    return failing, [k for k, (bad, _) in graded.items() if not bad]


def _sample(ids: list[str], count: int, *parts: str) -> list[str]:
    import numpy as np

    if len(ids) <= count:
        return list(ids)
    rng = np.random.default_rng(seed_sequence("gallery", *parts))
    return [ids[i] for i in sorted(rng.choice(len(ids), size=count, replace=False))]
