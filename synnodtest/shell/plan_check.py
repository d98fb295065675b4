"""Change control plans, tried: the same detector again as a new version, and every seeded fault as one.

The plans lie in ``plans/`` beside the specs. A version that differs in nothing must be within the plan; a fault that
violates a clause must be outside of it, for that clause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from synnodtest.detectors.pairs import ask
from synnodtest.errors import RecordError
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.integrity.protocol import Protocol, read_protocol
from synnodtest.planning.cases import Case
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph
from synnodtest.record.assemble import Fragment
from synnodtest.record.change import OUTSIDE, WITHIN, Version
from synnodtest.record.compare import as_record
from synnodtest.record.pccp import judge_change
from synnodtest.shell.violations import breaks, breaks_something
from synnodtest.spec.model import Spec

FOLDER = "plans"
SAME = "the same again"
"""The honest new version: the detector itself under another version."""
OF_THE_REFERENCE = "gates"
"""The clause that a reference which itself fails a gate hands on to every version."""


@dataclass(frozen=True)
class Plan:
    """A plan and the specs that it names.

    Args:
        path: Of its file.
        protocol: What it says.
        specs: By the name that the plan gives them.
    """

    path: Path
    protocol: Protocol
    specs: Mapping[str, Spec]


@dataclass(frozen=True)
class TriedVersion:
    """Ruling of a plan on one new version.

    Args:
        plan: Name of the plan.
        version: :data:`SAME`, or a seeded fault.
        verdict: Of the plan.
        broken: Clauses that FAILED, without the version that they were held against.
        unjust: Those among them that the fault does not violate.
    """

    plan: str
    version: str
    verdict: str
    broken: tuple[str, ...]
    unjust: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """True where the plan ruled on the version as it should."""
        if self.version == SAME:
            return self.verdict == WITHIN or set(self.broken) == {OF_THE_REFERENCE}
        return not self.unjust and (self.verdict == OUTSIDE or not breaks_something(self.version))

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "plan": self.plan,
            "new_version": self.version,
            "verdict": self.verdict,
            "clauses_broken": "; ".join(self.broken) or "none",
            "without_reason": "; ".join(self.unjust) or "none",
            "holds": self.holds,
        }


def plans_beside(specs: Sequence[Spec]) -> list[Plan]:
    """Return the plans in ``plans/`` beside the specs that name nothing but these specs.

    Raises:
        RecordError: a plan cannot be read, or names another state of one of them.
    """
    folders = dict.fromkeys(spec.path.parent / FOLDER for spec in specs)
    plans = [_plan(path, specs) for folder in folders for path in sorted(folder.glob("*.yaml"))]
    return [plan for plan in plans if plan is not None]


def _plan(path: Path, specs: Sequence[Spec]) -> Plan | None:
    protocol = read_protocol(path)
    named = {file: next((s for s in specs if s.path.name == Path(file).name), None) for file in protocol.specs}
    there = {file: spec for file, spec in named.items() if spec is not None}
    if len(there) < len(named):
        return None
    moved = [file for file, spec in there.items() if spec.sha256 != protocol.specs[file]]
    if moved:
        raise RecordError(
            f"{path}: {moved[0]} is not the spec that the plan names",
            hint=f"write its sha256 into the plan: {there[moved[0]].sha256}",
        )
    return Plan(path, protocol, there)


def try_plan(
    plan: Plan,
    cases: Sequence[Case],
    base: Detector,
    faults: Mapping[str, Detector],
    tried: Callable[[Detector, Sequence[Case]], Fragment],
) -> list[TriedVersion]:
    """Return what the plan says of the same detector again and of every fault, as new versions of ``base``.

    Args:
        plan: The plan.
        cases: All items of the specs that it names.
        base: The reference.
        faults: Seeded faults of the reference, by name.
        tried: Runs a detector on all backgrounds of the cases.
    """
    frozen = datetime.now(UTC).isoformat(timespec="seconds")
    reference = _version("", base, plan, tried(base, cases))
    judged = []
    for name, of in {SAME: base, **faults}.items():
        new = Renamed(of, replace(base.identity, version=f"{base.identity.version} {name}".strip()))
        judged.append(_judged(plan, frozen, reference, name, _version(name, base, plan, tried(new, cases))))
    return judged


class Renamed:
    """A detector under another identity, so that no finding of it comes from the store."""

    hands_on_priors = True

    def __init__(self, detector: Detector, identity: Identity) -> None:
        self.identity = identity
        self._detector = detector

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return what the detector finds."""
        return ask(self._detector, radiographs)


def _version(name: str, base: Detector, plan: Plan, fragment: Fragment) -> Version:
    specs = {file: spec.sha256 for file, spec in plan.specs.items()}
    return Version(name or base.identity.name, as_record(fragment, name), specs)


def _judged(plan: Plan, frozen: str, reference: Version, name: str, new: Version) -> TriedVersion:
    judged = judge_change(plan.protocol, frozen, [reference], new)
    broken = tuple(clause.name.split(" against ")[0] for clause in judged.clauses if clause.status == "FAILED")
    unjust = tuple(clause for clause in broken if not breaks(name, clause)) if name != SAME else broken
    return TriedVersion(f"{FOLDER}/{plan.path.name}", name, judged.verdict, broken, unjust)
