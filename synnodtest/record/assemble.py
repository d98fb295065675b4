"""Rulings -> the record: what every item adds to ``results.json``."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from os.path import normpath
from pathlib import Path

from synnodtest.canonical import plain
from synnodtest.decoding import JsonObject, decode, encode
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.judgement import Gathered
from synnodtest.errors import SynnodError
from synnodtest.files import sha256_if_there
from synnodtest.forecast.power import forecast, with_count
from synnodtest.identity import Identity
from synnodtest.integrity.sources import sources
from synnodtest.planning.cases import Case
from synnodtest.record.choice import chosen, chosen_of_search
from synnodtest.record.entries import (
    behaviour_entry,
    expectation_entry,
    least_score,
    matched,
    rescored,
    ruling_entry,
    scene_entry,
)
from synnodtest.record.model import BehaviourEntry, ExpectationEntry, PictureEntry, SceneEntry
from synnodtest.record.model.authored import LIMITED_COUNT, AnomalyEntry, DeviationEntry, WaiverEntry
from synnodtest.record.model.judged import PlanEntry
from synnodtest.record.model.members import StatusWord
from synnodtest.record.model.run import BackgroundsEntry, IdentityEntry, SpecEntry
from synnodtest.record.model.scenes import ShamEntry
from synnodtest.record.model.searched import SearchEntry

_NOTHING_SAID = PlanEntry(raw={})


def new_run_id() -> str:
    """Return an identifier that sorts by time: ``20261123T081500Z-1a2b3c``.

    The last six digits are the part of the second, in steps of a quarter of a millisecond, and three by chance.
    """
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%SZ}-{now.microsecond * 4096 // 1_000_000:03x}{secrets.randbelow(4096):03x}"


def _plan(judgement: Gathered, campaign: Campaign) -> PlanEntry:
    """Return what could be said before the run: power, what it assumes, the fewest backgrounds that can pass."""
    if judgement.behaviour.fuzz is not None:
        return _NOTHING_SAID
    try:
        backgrounds = campaign.backgrounds(judgement.behaviour)
        forecast_made = forecast(judgement.behaviour, judgement.variant, backgrounds, campaign.seed)
    except SynnodError:
        return _NOTHING_SAID  # the spec assumes what can never show the bound, which `plan` says
    return PlanEntry(plain(forecast_made.assumption), plain(forecast_made.power), forecast_made.smallest)


def _identity(identity: Identity) -> IdentityEntry:
    return decode(IdentityEntry, plain(identity.as_dict()))


@dataclass
class Fragment:
    """The part of a record that one process has gathered; fragments of workers merge."""

    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    specs: dict[str, SpecEntry] = field(default_factory=dict)
    behaviours: dict[str, BehaviourEntry] = field(default_factory=dict)
    expectations: dict[str, ExpectationEntry] = field(default_factory=dict)
    planned: dict[str, ExpectationEntry] = field(default_factory=dict)
    scenes: dict[str, SceneEntry] = field(default_factory=dict)
    sham: dict[str, ShamEntry] = field(default_factory=dict)
    synthesizers: dict[str, IdentityEntry] = field(default_factory=dict)
    backgrounds: dict[str, BackgroundsEntry] = field(default_factory=dict)
    detector: IdentityEntry = field(default_factory=IdentityEntry)
    gallery: list[PictureEntry] = field(default_factory=list)
    deviations: list[DeviationEntry] = field(default_factory=list)
    anomalies: list[AnomalyEntry] = field(default_factory=list)
    fuzzing: list[SearchEntry] = field(default_factory=list)
    tally: dict[str, float] = field(default_factory=dict)
    shortfall: dict[str, int] = field(default_factory=dict)
    """Scenes that could not be made, by reason, over all behaviours."""
    lacking: dict[str, dict[str, int]] = field(default_factory=dict)
    """The same of each behaviour and synthesizer: the most that one expectation lacks, as they share scenes."""

    def as_dict(self) -> JsonObject:
        """Return plain JSON values, for a worker's hand-over."""
        encoded: JsonObject = encode(self)
        return encoded

    def merge(self, handed_over: JsonObject) -> None:
        """Take in the fragment of another process (:meth:`as_dict`), in the order of the specs, whoever ends first.

        What another process judged of another detector, synthesizer or specification, or on others of the films of a
        set, is no verdict of this run.
        """
        other = decode(Fragment, handed_over)
        own = self._parts()
        if changed := [name for name, part in other._parts().items() if own.get(name, part) != part]:
            other._void(changed)
        self.started = min(self.started, other.started)
        self.detector = other.detector if self.detector == IdentityEntry() else self.detector
        self._add_scenes(other.scenes)
        self.tally = {k: self.tally.get(k, 0) + other.tally.get(k, 0) for k in {*self.tally, *other.tally}}
        for behaviour, reasons in other.lacking.items():
            self._lack(behaviour, reasons)
        for f in fields(self):
            mine, theirs = getattr(self, f.name), getattr(other, f.name)
            if isinstance(mine, list):
                mine.extend(item for item in theirs if item not in mine)
            elif isinstance(mine, dict) and f.name not in ("expectations", "scenes", "tally", "shortfall", "lacking"):
                mine |= theirs | mine
        for node_id, entry in other.expectations.items():  # two workers may rule one item, with --dist each
            if node_id not in self.expectations or entry.status != "PASSED":
                self.expectations[node_id] = entry
        self._in_order()

    def _void(self, changed: list[str]) -> None:
        """Make errors of all that was judged, since these parts are not those of the run."""
        what, impact = "changed while the run went on", "what a worker judged with another version is an error"
        self.anomalies += [AnomalyEntry(name, what, impact) for name in changed]
        reason = f"{changed[0]} {what}: other workers had another version"
        for node_id, entry in self.expectations.items():
            self.expectations[node_id] = replace(entry, status="ERROR", ruling=None, error=reason)

    def _parts(self) -> dict[str, object]:
        """Return what must be the same in every process of a run, by the name that a user knows.

        Of a configuration only the code: workers may have devices and ports of their own.
        """
        specs: dict[str, object] = {file: (spec.sha256, spec.sources) for file, spec in self.specs.items()}
        detector = {} if self.detector == IdentityEntry() else {"the detector": self.detector}
        sets = {f"set {key}": there.identity for key, there in self.backgrounds.items() if there.identity}
        parts = {**detector, **self.synthesizers, **sets}.items()
        return specs | {name: (of.version, of.sha256, of.configuration.get("code")) for name, of in parts}

    def _in_order(self) -> None:
        """Bring what workers gathered into the order in which one process would have."""
        every = {**self.planned, **self.expectations}
        rank = {node_id: number for number, node_id in enumerate(every)}
        first = {(every[node_id].spec_file, every[node_id].behaviour): rank[node_id] for node_id in reversed(rank)}
        self.gallery.sort(key=lambda shown: rank[shown.expectation])
        self.deviations.sort(key=lambda one: rank.get(one.expectation, len(rank)))
        self.fuzzing.sort(key=lambda one: rank.get(one.expectation_id, len(rank)))
        shams = sorted(self.sham.items(), key=lambda one: first.get((one[1].file, one[1].behaviour), len(rank)))
        self.sham = dict(shams)
        self.backgrounds = dict(sorted(self.backgrounds.items()))

    def every(self) -> list[ExpectationEntry]:
        """Return all expectations in the order of the specs; those that were planned and not carried out too."""
        return list({**self.planned, **self.expectations}.values())

    # --- items --------------------------------------------------------------------------------------------------

    def add_planned(self, case: Case) -> None:
        """Record an item of a spec before anything runs: NOT RUN, until it is judged."""
        self._add_case(case)
        self.planned[case.node_id] = expectation_entry(case, "NOT RUN", 0.0)

    def add_error(self, case: Case, status: StatusWord, message: str, seconds: float) -> None:
        """Record an item that could not be judged: ERROR or INVALID."""
        self._add_case(case)
        self.expectations[case.node_id] = replace(expectation_entry(case, status, seconds), error=message)

    def name_detector(self, campaign: Campaign) -> None:
        """Record which detector is tested, whether or not anything is judged."""
        self.detector = _identity(campaign.providers.detector.identity)

    def add_death(self, node_id: str) -> None:
        """Record that a process died of an item: an ERROR, whatever another process made of it afterwards."""
        planned = self.planned.get(node_id)
        if planned is not None:
            died = "the process that ran it died: the detector, or the machine's memory, ended it"
            self.expectations[node_id] = replace(planned, status="ERROR", error=died)

    def add_judgement(
        self, case: Case, judgement: Gathered, campaign: Campaign, seconds: float, waiver: JsonObject | None = None
    ) -> None:
        """Record an item that was judged, its trials and whoever made them."""
        self._add_case(case)
        self._add_parts(case.spec.path.as_posix(), judgement, campaign)
        trials = [t for e in judgement.evidence.values() for t in e.trials]
        rejected = [t for e in judgement.evidence.values() for t in e.rejected]
        point = judgement.variant.operating_point
        least, usual = least_score(case.variant.expectation.kind), case.behaviour.matching
        otherwise = judgement.variant.parameters.get("matching", usual) != usual
        for trial in (*trials, *rejected):
            base = rescored(trial, usual) if otherwise else trial
            self._add_scenes({trial.scene_id: scene_entry(base, case.behaviour.id, point, least)})
        others = judgement.rulings.items() if len(judgement.rulings) > 1 else ()
        self.expectations[case.node_id] = replace(
            expectation_entry(case, judgement.ruling.status.value, seconds),
            ruling=ruling_entry(judgement.ruling),
            waived=decode(WaiverEntry, waiver) if waiver else None,
            scenes=tuple(dict.fromkeys(t.scene_id for t in trials)),
            plan=_plan(judgement, campaign),
            rematched={t.scene_id: matched(t, point, least) for t in trials if t.nodules} if otherwise else {},
            by_synthesizer={name: ruling_entry(ruling) for name, ruling in others},
            **vars(chosen(trials, judgement.variant, point, case.node_id)),
        )
        self._note_deviations(case, judgement)

    def add_fuzzing(self, case: Case, found: JsonObject) -> None:
        """Record a search beside its ruling: what replay needs, and the scenes that the gallery shows.

        Of an item that is run again it is the last, as is the ruling.
        """
        self.fuzzing = [one for one in self.fuzzing if one.expectation_id != case.node_id]
        self.fuzzing.append(decode(SearchEntry, {**plain(found), "expectation_id": case.node_id}))
        entry = self.expectations.get(case.node_id)
        if entry is not None:
            self.expectations[case.node_id] = replace(entry, **vars(chosen_of_search(found, case.node_id)))

    def _add_scenes(self, entries: Mapping[str, SceneEntry]) -> None:
        """Keep the first entry of each scene; its findings are those of whoever needed most of them."""
        for key, entry in entries.items():
            stored = self.scenes.setdefault(key, entry)
            if len(entry.findings) > len(stored.findings):
                self.scenes[key] = replace(stored, findings=entry.findings)

    def _add_case(self, case: Case) -> None:
        spec, behaviour = case.spec, case.behaviour
        file = spec.path.as_posix()
        if file not in self.specs:
            facts = {"title": spec.title, "scope": plain(spec.scope), "sources": sources(spec)}
            parts = [Path(normpath(spec.path.parent / name)) for name in spec.included]
            included = {part.as_posix(): sha256_if_there(part) for part in parts}
            own = sha256_if_there(spec.path)
            self.specs[file] = SpecEntry(file, spec.sha256, **facts, file_sha256=own, included=included)
        self.behaviours.setdefault(f"{file}::{behaviour.id}", behaviour_entry(spec, behaviour))

    def _add_parts(self, file: str, judgement: Gathered, campaign: Campaign) -> None:
        self.name_detector(campaign)
        for name in judgement.evidence:
            synthesizer = campaign.synthesizer(name)
            made_by = _identity(synthesizer.identity)
            self.synthesizers[name] = replace(made_by, sham_is_identity=bool(synthesizer.sham_is_identity))
            sham = judgement.sham.get(name)
            if sham is not None:
                of = {"file": file, "behaviour": judgement.behaviour.id, "synthesizer": name}
                self.sham["::".join(of.values())] = decode(ShamEntry, {**of, **plain(sham.as_dict())})
        backgrounds = campaign.backgrounds(judgement.behaviour)
        there = campaign.background_set(judgement.behaviour)
        self.backgrounds[f"{there.name}:{len(backgrounds)}"] = BackgroundsEntry(
            name=there.name,
            identity=_identity(there.identity),
            count=len(backgrounds),
            patients=len({b.cluster for b in backgrounds}),
            estimated_regions=tuple(sorted(getattr(there, "estimated_regions", ()))),
            notes=tuple(getattr(there, "notes", ())),
        )
        self.tally = plain(vars(campaign.tally()))

    def _note_deviations(self, case: Case, judgement: Gathered) -> None:
        behaviours = with_count(case.behaviour), judgement.behaviour
        planned, used = (b.scenes.count if b.scenes is not None else 0 for b in behaviours)
        if planned != used and case.behaviour.fuzz is None:
            self._deviate(case, LIMITED_COUNT, str(planned), str(used))
        for synthesizer, evidence in judgement.evidence.items():
            for reason, count in evidence.shortfall.items():
                self._deviate(case, "scenes not made", "0", f"{count}: {reason}")
            self._lack(f"{case.spec.path.as_posix()}::{case.behaviour.id}::{synthesizer}", evidence.shortfall)

    def _lack(self, behaviour: str, reasons: Mapping[str, int]) -> None:
        """Take in what an expectation of a behaviour lacks."""
        mine = self.lacking.setdefault(behaviour, {})
        for reason, count in reasons.items():
            mine[reason] = max(count, mine.get(reason, 0))
            self.shortfall[reason] = sum(one.get(reason, 0) for one in self.lacking.values())

    def _deviate(self, case: Case, what: str, planned: str, actual: str) -> None:
        entry = DeviationEntry(what, case.node_id, planned, actual)
        if entry not in self.deviations:
            self.deviations.append(entry)
