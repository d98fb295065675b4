"""Rulings -> the record: what every item adds to ``results.json``."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from synnodtest.canonical import plain
from synnodtest.engine.campaign import Campaign, Judgement
from synnodtest.errors import SynnodError
from synnodtest.forecast.power import forecast
from synnodtest.record.choice import chosen, chosen_of_search
from synnodtest.record.entries import (
    CaseLike,
    behaviour_entry,
    expectation_entry,
    least_score,
    matched,
    rescored,
    ruling_entry,
    scene_entry,
)

__all__ = ["Fragment", "new_run_id"]


def new_run_id() -> str:
    """Return an identifier that sorts by time: ``20261123T081500Z-1a2b3c``."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def _plan(judgement: Judgement, campaign: Campaign) -> dict[str, Any]:
    """Return what could be said before the run: power, what it assumes, the fewest backgrounds that can pass."""
    if judgement.behaviour.fuzz is not None:
        return {}
    try:
        made = forecast(
            judgement.behaviour, judgement.variant, campaign.backgrounds(judgement.behaviour), campaign.seed
        )
    except SynnodError:
        return {}  # the spec assumes what can never show the bound, which `plan` says
    return {"assume": made.assumption, "power": made.power, "least_backgrounds": made.smallest}


@dataclass
class Fragment:
    """The part of a record that one process has gathered; fragments of workers merge."""

    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    specs: dict[str, dict[str, Any]] = field(default_factory=dict)
    behaviours: dict[str, dict[str, Any]] = field(default_factory=dict)
    expectations: dict[str, dict[str, Any]] = field(default_factory=dict)
    planned: dict[str, dict[str, Any]] = field(default_factory=dict)
    scenes: dict[str, dict[str, Any]] = field(default_factory=dict)
    sham: dict[str, dict[str, Any]] = field(default_factory=dict)
    synthesizers: dict[str, dict[str, Any]] = field(default_factory=dict)
    backgrounds: dict[str, dict[str, Any]] = field(default_factory=dict)
    detector: dict[str, Any] = field(default_factory=dict)
    gallery: list[dict[str, Any]] = field(default_factory=list)
    deviations: list[dict[str, Any]] = field(default_factory=list)
    anomalies: list[dict[str, Any]] = field(default_factory=list)
    fuzzing: list[dict[str, Any]] = field(default_factory=list)
    tally: dict[str, float] = field(default_factory=dict)

    def expectation(self, node_id: str) -> dict[str, Any]:
        """Return what was recorded of one item."""
        return self.expectations[node_id]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values, for a worker's hand-over."""
        return asdict(self)

    def merge(self, other: Mapping[str, Any]) -> None:
        """Take in the fragment of another process (:meth:`as_dict`), in the order of the specs, whoever ends first."""
        self.started = min(self.started, other["started"])
        for f in fields(self):
            mine, theirs = getattr(self, f.name), other[f.name]
            if f.name == "scenes":
                self._add_scenes(theirs)
            elif f.name == "tally":
                self.tally = {k: mine.get(k, 0) + theirs.get(k, 0) for k in {*mine, *theirs}}
            elif isinstance(mine, dict):
                mine.update(theirs)
            elif isinstance(mine, list):
                mine.extend(item for item in theirs if item not in mine)
        self._in_order()

    def _in_order(self) -> None:
        """Bring what workers gathered into the order in which one process would have."""
        rank = {node_id: number for number, node_id in enumerate({**self.planned, **self.expectations})}
        first = {node_id.rpartition("::")[0].rpartition("::")[2]: rank[node_id] for node_id in reversed(rank)}
        self.gallery.sort(key=lambda shown: rank[shown["expectation"]])
        self.deviations.sort(key=lambda one: rank.get(one["expectation"], len(rank)))
        self.fuzzing.sort(key=lambda one: rank.get(one["expectation_id"], len(rank)))
        self.sham = dict(sorted(self.sham.items(), key=lambda one: first.get(one[1]["behaviour"], len(rank))))
        self.backgrounds = dict(sorted(self.backgrounds.items()))

    def every(self) -> list[dict[str, Any]]:
        """Return all expectations in the order of the specs; those that were planned and not carried out too."""
        return list({**self.planned, **self.expectations}.values())

    # --- items --------------------------------------------------------------------------------------------------

    def add_planned(self, case: CaseLike) -> None:
        """Record an item of a spec before anything runs: NOT RUN, until it is judged."""
        self._add_case(case)
        self.planned[case.node_id] = expectation_entry(case, "NOT RUN", 0.0)

    def add_error(self, case: CaseLike, status: str, message: str, seconds: float) -> None:
        """Record an item that could not be judged: ERROR or INVALID."""
        self._add_case(case)
        self.expectations[case.node_id] = expectation_entry(case, status, seconds) | {"error": message}

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
        least, usual = least_score(case.variant.expectation.kind), case.behaviour.matching
        otherwise = judgement.variant.parameters.get("matching", usual) != usual
        for trial in (*trials, *rejected):
            base = rescored(trial, usual) if otherwise else trial
            self._add_scenes({trial.scene_id: scene_entry(base, case.behaviour.id, point, least)})
        entry = expectation_entry(case, judgement.ruling.status.value, seconds)
        entry |= {
            "ruling": ruling_entry(judgement.ruling),
            "waived": plain(waiver) if waiver else None,
            "scenes": list(dict.fromkeys(t.scene_id for t in trials)),
            "plan": _plan(judgement, campaign),
            **chosen(trials, judgement.variant, point, case.node_id),
        }
        if otherwise:
            entry["rematched"] = {t.scene_id: matched(t, point, least) for t in trials if t.nodules}
        if len(judgement.by_synthesizer) > 1:
            entry["by_synthesizer"] = {name: ruling_entry(r) for name, r in judgement.by_synthesizer.items()}
        self.expectations[case.node_id] = entry
        self._note_deviations(case, judgement)

    def add_fuzzing(self, case: CaseLike, found: Mapping[str, Any]) -> None:
        """Record a search beside its ruling: what replay needs, and the scenes that the gallery shows."""
        self.fuzzing.append({**plain(found), "expectation_id": case.node_id})
        entry = self.expectations.get(case.node_id)
        if entry is not None:
            entry |= chosen_of_search(found, case.node_id)

    def _add_scenes(self, entries: Mapping[str, dict[str, Any]]) -> None:
        """Keep the first entry of each scene; its findings are those of whoever needed most of them."""
        for key, entry in entries.items():
            kept = self.scenes.setdefault(key, entry)
            if len(entry["findings"]) > len(kept["findings"]):
                self.scenes[key] = kept | {"findings": entry["findings"]}

    def _add_case(self, case: CaseLike) -> None:
        spec, behaviour = case.spec, case.behaviour
        file = spec.path.as_posix()
        self.specs.setdefault(
            file, {"file": file, "sha256": spec.sha256, "title": spec.title, "scope": plain(spec.scope)}
        )
        self.behaviours.setdefault(f"{file}::{behaviour.id}", behaviour_entry(spec, behaviour))

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
            "notes": list(getattr(there, "notes", ())),
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
