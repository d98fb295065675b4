"""Behaviours, expectations and their rulings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from synnodtest.decoding import JsonObject, Member
from synnodtest.record.model.authored import WaiverEntry
from synnodtest.record.model.members import Count, RulingWord, StatusWord, Text
from synnodtest.record.model.scenes import FindingEntry, NoduleEntry

_IF_KNOWN = Member(omitted=True)
DEFAULT_POINT = 0.25
"""Operating point of a record that does not say it."""


@dataclass(frozen=True)
class BehaviourEntry:
    """A behaviour.

    Args:
        id: Unique within its file.
        statement: What the detector must do.
        requirement: Identifiers.
        hazard: Identifiers.
        gate: How it binds.
        tags: Words to select it by.
        rationale: Why it is asked.
        file: Where it stands.
        line: In the file.
        spec: Place of its specification in the list.
        resolved: All that was asked for, defaults filled in.
        scenes_text: Its scenes in words.
    """

    id: str
    statement: str
    requirement: tuple[str, ...] = ()
    hazard: tuple[str, ...] = ()
    gate: str = ""
    tags: tuple[str, ...] = ()
    rationale: Text = ""
    file: str = ""
    line: int | None = None
    spec: int | None = None
    resolved: JsonObject = field(default_factory=dict)
    scenes_text: str = ""

    @property
    def is_sequential(self) -> bool:
        """True where what was found decides how many of its scenes are seen."""
        sampling = self.resolved.get("sampling")
        return isinstance(sampling, Mapping) and bool(sampling.get("sequential"))


@dataclass(frozen=True)
class ComponentEntry:
    """One estimate held against one bound; lower and upper are one-sided bounds at error rate alpha.

    Args:
        name: For machines.
        label: What a reader calls it.
        value: Point estimate.
        lower: One-sided lower bound.
        upper: One-sided upper bound.
        bound: The pre-specified one; for within the margin on either side of 0.
        side: Where the estimate must lie.
        status: What it says alone.
        method: The estimator, in words.
        lower95: Lower end of the two-sided 95% interval, for display.
        upper95: Upper end of it.
        role: What it does to the ruling.
        unit: rate, difference, per image, correlation, score or mm.
    """

    name: str
    label: str
    value: float | None
    lower: float | None
    upper: float | None
    bound: float | None
    side: Literal["above", "below", "within"]
    status: RulingWord
    method: str
    lower95: float | None = None
    upper95: float | None = None
    role: Literal["decides", "gate", "shown"] = "decides"
    unit: str = "rate"

    @property
    def rate_bound(self) -> float | None:
        """The bound, if it is one on a rate."""
        return self.bound if self.unit == "rate" else None


@dataclass(frozen=True)
class RulingEntry:
    """The ruling as the check made it; numbers that do not exist are null.

    Args:
        status: What is said.
        sentence: In one sentence, for people.
        criterion: The pre-specified criterion in one sentence.
        components: Estimates against bounds.
        n_nodules: Nodules, or images, behind the primary estimate.
        n_backgrounds: Distinct backgrounds behind it.
        n_clusters: Statistical clusters.
        alpha: One-sided error rate of each bound.
        icc: Intra-cluster correlation where clusters repeat.
        p_value: One-sided, against the bound.
        notes: Cautions and sensitivity analyses, a sentence each.
        figure: Data of the figure.
        details: Tables by title.
    """

    status: RulingWord
    sentence: str
    criterion: str
    components: tuple[ComponentEntry, ...]
    n_nodules: Count = 0
    n_backgrounds: Count = 0
    n_clusters: Count = 0
    alpha: float | None = None
    icc: float | None = None
    p_value: float | None = None
    notes: tuple[str, ...] = ()
    figure: JsonObject = field(default_factory=dict)
    details: JsonObject = field(default_factory=dict)

    @property
    def figure_kind(self) -> str:
        """Figure that its data are of; empty: none."""
        return str(self.figure.get("kind", ""))

    @property
    def told(self) -> str:
        """The sentence without the status, which it begins with."""
        if not self.sentence.startswith(self.status):
            return self.sentence
        rest = self.sentence[len(self.status) :].lstrip(" :,")
        named = ":" in rest.partition(" ")[0]  # package.module:function of a check of one's own
        return rest if named else rest[:1].upper() + rest[1:]


@dataclass(frozen=True)
class PlanEntry:
    """Forecast before the run.

    Args:
        assume: What is assumed of the detector.
        power: Chance of PASSED under it.
        least_backgrounds: Fewest that can pass.
    """

    assume: Any = None
    power: float | None = None
    least_backgrounds: int | None = None
    raw: Annotated[JsonObject | None, Member(whole=True)] = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class MatchedEntry:
    """Nodules and findings of a scene under a matching rule of one expectation's own.

    Args:
        nodules: Of the scene.
        findings: Of the scene.
    """

    nodules: tuple[NoduleEntry, ...]
    findings: tuple[FindingEntry, ...]


@dataclass(frozen=True)
class ExpectationEntry:
    """One expectation and its outcome.

    Args:
        id: Of the pytest node.
        behaviour: It belongs to.
        kind: Of expectation.
        status: The outcome.
        waived: The waiver that names it.
        ruling: Null where nothing was judged.
        error: What broke.
        scenes: It rests on.
        worst: Scenes that speak most against the detector.
        failing: Further ones, drawn at random.
        passing: Scenes that speak for it, drawn at random.
        file: Where it stands, if not where its behaviour does.
        line: In the file.
        parameters: Of the kind.
        rationale: Of its margin.
        seconds: It took.
        p_holm: Its p after Holm, over the run.
        plan: What could be said before the run.
        rematched: Scenes as its own matching rule sees them.
        by_synthesizer: Rulings on the scenes of each synthesizer alone.
        roles: What a search calls the scenes in worst.
    """

    id: str
    behaviour: str
    kind: str
    status: StatusWord
    waived: WaiverEntry | None
    ruling: RulingEntry | None
    error: str
    scenes: tuple[str, ...]
    worst: tuple[str, ...]
    failing: tuple[str, ...]
    passing: tuple[str, ...]
    file: Annotated[str, _IF_KNOWN] = ""
    line: int | None = None
    parameters: JsonObject = field(default_factory=dict)
    rationale: Text = ""
    seconds: float | None = None
    p_holm: float | None = None
    plan: Annotated[PlanEntry | None, _IF_KNOWN] = None
    rematched: Annotated[Mapping[str, MatchedEntry], _IF_KNOWN] = field(default_factory=dict)
    by_synthesizer: Annotated[Mapping[str, RulingEntry], _IF_KNOWN] = field(default_factory=dict)
    roles: Annotated[Mapping[str, str], _IF_KNOWN] = field(default_factory=dict)

    @property
    def spec_file(self) -> str:
        """The file that the node id names."""
        return self.id.partition("::")[0]

    @property
    def shown_status(self) -> str:
        """The status under which it is counted: WAIVED for whatever is waived and did not pass.

        A waiver that has expired covers nothing.
        """
        covered = self.waived is not None and not self.waived.expired
        return "WAIVED" if covered and self.status in {"FAILED", "INCONCLUSIVE"} else self.status

    @property
    def ruled(self) -> str:
        """Ruling where a waiver covers it; else empty."""
        return self.status if self.shown_status == "WAIVED" else ""

    @property
    def is_search(self) -> bool:
        """True where it was judged by a search for counterexamples."""
        return self.ruling is not None and self.ruling.figure_kind == "fuzz"

    @property
    def components(self) -> tuple[ComponentEntry, ...]:
        """Estimates against bounds; none where nothing was judged."""
        return self.ruling.components if self.ruling is not None else ()

    @property
    def p_value(self) -> float | None:
        """One-sided, against the bound; None where nothing rests on one."""
        return self.ruling.p_value if self.ruling is not None else None

    @property
    def operating_point(self) -> float:
        """A finding of at least this score counts."""
        point = self.parameters.get("operating_point", DEFAULT_POINT)
        return float(point) if isinstance(point, (int, float)) else DEFAULT_POINT

    @property
    def verdict(self) -> str:
        """The ruling's sentence, which begins with its status, or what broke; empty where it was not run."""
        return (self.ruling.sentence if self.ruling is not None else "") or self.error

    @property
    def sentence(self) -> str:
        """Sentence without the status: the ruling's, or what broke."""
        ruled = self.ruling.told if self.ruling is not None and self.ruling.sentence else self.error
        return ruled or "Not carried out."
