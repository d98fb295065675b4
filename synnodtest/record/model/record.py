"""The record as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

from synnodtest.decoding import JsonObject, Member, decode
from synnodtest.grouping import grouped
from synnodtest.record.model.authored import AnomalyEntry, Authored, DeviationEntry, TitledEntry, WaiverEntry
from synnodtest.record.model.compared import Comparison
from synnodtest.record.model.judged import BehaviourEntry, ExpectationEntry
from synnodtest.record.model.measured import Credibility
from synnodtest.record.model.run import Attrition, Environment, Identification, LedgerEntry, RunEntry, SelfTest
from synnodtest.record.model.scenes import PictureEntry, SceneEntry, ShamEntry
from synnodtest.record.model.searched import SearchEntry

_ADDED = Member(omitted=True)
"""Of what does not stem from the run itself, and is added to what it wrote."""


@dataclass(frozen=True)
class Record:
    """results.json of one run, version 1.

    Args:
        run: The run itself.
        identification: Who and what took part.
        behaviours: That the specifications hold.
        expectations: In the order of the specifications.
        scenes: By id.
        attrition: What became of the scenes.
        sham: Sham controls.
        gallery: Pictures.
        environment: The machine and its packages.
        waivers: That were in force.
        deviations: From the plan.
        anomalies: Known ones.
        limitations: Of the run, a sentence each.
        authored: What the run cannot know, from reports.yaml.
        requirements: From requirements.csv.
        hazards: From hazards.csv.
        ledger: Runs of the same specifications.
        credibility: What was measured apart from the run.
        tool_validation: The last self-test.
        comparison: With an earlier record.
        fuzzing: Searches for counterexamples.
    """

    synnodtest_record: Annotated[Any, Member(schema={"const": 1})]
    run: RunEntry
    identification: Identification
    behaviours: tuple[BehaviourEntry, ...]
    expectations: tuple[ExpectationEntry, ...]
    scenes: Mapping[str, SceneEntry]
    attrition: Attrition
    sham: tuple[ShamEntry, ...]
    gallery: tuple[PictureEntry, ...]
    environment: Environment
    waivers: tuple[WaiverEntry, ...]
    deviations: tuple[DeviationEntry, ...]
    anomalies: tuple[Any, ...]
    limitations: tuple[str, ...]
    authored: Annotated[Authored, _ADDED] = field(default_factory=Authored)
    requirements: Annotated[tuple[TitledEntry, ...], _ADDED] = ()
    hazards: Annotated[tuple[TitledEntry, ...], _ADDED] = ()
    ledger: Annotated[tuple[LedgerEntry, ...], _ADDED] = ()
    credibility: Annotated[Credibility, _ADDED] = field(default_factory=Credibility)
    tool_validation: Annotated[SelfTest | None, _ADDED] = None
    comparison: Annotated[Comparison | None, _ADDED] = None
    fuzzing: tuple[SearchEntry, ...] = ()
    raw: Annotated[JsonObject, Member(whole=True)] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, source: Record | JsonObject) -> Record:
        """Return a record of plain JSON values that follow the schema; one that is read already comes back as it is."""
        return source if isinstance(source, Record) else decode(cls, source)

    def behaviour(self, expectation: ExpectationEntry) -> BehaviourEntry:
        """Return the behaviour of an expectation; ids are unique within a file, which the node id names."""
        return behaviour_of(self._behaviours[expectation.behaviour], expectation)

    @cached_property
    def _behaviours(self) -> Mapping[str, list[BehaviourEntry]]:
        return grouped((behaviour.id, behaviour) for behaviour in self.behaviours)

    @property
    def accepted(self) -> list[SceneEntry]:
        """Scenes that the rules kept."""
        return [scene for scene in self.scenes.values() if scene.accepted]

    @property
    def nameless(self) -> int:
        """Backgrounds that count as another patient each since nobody names theirs; a phantom is its own."""
        if all(there.source == "phantom" for there in self.identification.backgrounds):
            return 0
        return len({scene.independent for scene in self.accepted if not scene.patient})

    @property
    def known_anomalies(self) -> list[AnomalyEntry]:
        """Anomalies; one that is a mere text has no id."""
        return [
            decode(AnomalyEntry, one) if isinstance(one, Mapping) else AnomalyEntry(what=str(one))
            for one in self.anomalies
        ]


def behaviour_of(named: Iterable[BehaviourEntry], expectation: ExpectationEntry) -> BehaviourEntry:
    """Return, among behaviours of one id, the one in the file that the node id names; else the first."""
    behaviours = list(named)
    return next((one for one in behaviours if one.file == expectation.spec_file), behaviours[0])
