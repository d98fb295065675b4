"""People's words on a run: waivers, deviations, anomalies, who signs, and what a report takes from reports.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from synnodtest.decoding import JsonObject, Member
from synnodtest.record.model.members import Text


@dataclass(frozen=True)
class WaiverEntry:
    """A waiver: not passed, and accepted beforehand.

    Args:
        id: What it covers.
        reason: Why.
        approver: Who accepted it.
        expiry: Last day.
        expired: Whether that was over.
        expectation: Kind that it is narrowed to.
    """

    id: str
    reason: str
    approver: str
    expiry: str
    expired: bool = False
    expectation: Text = ""

    @property
    def sentence(self) -> str:
        """Its word on what did not pass."""
        if self.expired:
            return f"waiver {self.id} expired on {self.expiry}"
        return f"waived by {self.approver} until {self.expiry}: {self.reason}"


LIMITED_COUNT = "number of backgrounds (limited for this run)"
"""Name of the deviation of a run with ``--synnod-limit``."""


@dataclass(frozen=True)
class DeviationEntry:
    """A deviation: what was planned and what was done.

    Args:
        what: Differs.
        expectation: Of which expectation; empty: of the run.
        planned: As planned.
        actual: As done.
    """

    what: str
    expectation: str = ""
    planned: Any = None
    actual: Any = None


@dataclass(frozen=True)
class AnomalyEntry:
    """A known anomaly.

    Args:
        id: Its identifier.
        what: It is.
        impact: On the run.
    """

    id: str = ""
    what: str = ""
    impact: str = ""
    raw: Annotated[JsonObject, Member(whole=True)] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class PersonEntry:
    """Someone who signs.

    Args:
        role: Author, reviewer, approver or another.
        name: Of the person.
        organisation: They belong to.
        meaning: What the signature says.
        date: Of signing.
    """

    role: str
    name: str
    organisation: str = ""
    meaning: str = ""
    date: str = ""


@dataclass(frozen=True)
class Authored:
    """Facts that the run cannot know, from reports.yaml.

    Args:
        device: Facts of the device.
        manufacturer: Of the device.
        intended_use: Of the device.
        people: Who sign.
        notes: Further remarks.
        limitations: That people know of.
    """

    device: JsonObject = field(default_factory=dict)
    manufacturer: str = ""
    intended_use: str = ""
    people: tuple[PersonEntry, ...] = ()
    notes: str = ""
    limitations: tuple[str, ...] = ()


@dataclass(frozen=True)
class TitledEntry:
    """A requirement or a hazard.

    Args:
        id: Its identifier.
        title: What it says.
        source: Where it stands.
        severity: Of a hazard.
    """

    id: str
    title: str = ""
    source: str = ""
    severity: str = ""
