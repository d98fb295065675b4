"""``synnodtest selftest``: does the tool itself hold? Check values, a detector against itself, seeded faults."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import synnodtest
from synnodtest.counted import counted
from synnodtest.detectors.mutants import MUTANTS, MutantDetector
from synnodtest.detectors.pairs import ask
from synnodtest.detectors.resolve import in_guard
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.judgement import Providers
from synnodtest.errors import InvalidEvidence
from synnodtest.finding import Finding
from synnodtest.forecast.power import with_count
from synnodtest.identity import Identity
from synnodtest.planning.cases import Case, variants_of
from synnodtest.ports import Background, BackgroundSet, Detector, Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.record.assemble import Fragment
from synnodtest.record.compare import as_record, compare
from synnodtest.shell.check_values import check_values
from synnodtest.shell.plan_check import Renamed, TriedVersion, plans_beside, try_plan
from synnodtest.shell.run import limited
from synnodtest.shell.violations import violates
from synnodtest.spec.model import Spec
from synnodtest.store import Store

Say = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """Specs and backgrounds that detectors are tried on.

    Args:
        backgrounds: By set name and the number wanted.
        synthesizer: Plants the nodules.
        store: Keeps radiographs, so that all detectors share them.
        limit: At most so many backgrounds per behaviour.
        seed: Master seed.
    """

    backgrounds: Callable[[str, int], BackgroundSet]
    synthesizer: Synthesizer
    store: Store
    limit: int = 20
    seed: int = 0


@dataclass(frozen=True)
class Kill:
    """Verdicts of the specs on one mutant.

    Args:
        mutant: A key of :data:`synnodtest.detectors.mutants.MUTANTS`.
        killed_by: Items that FAILED the mutant and not the detector it was made of.
        unjust: Those among them whose statement the mutant does not violate.
        withheld: Items that PASSED the detector and neither pass nor fail the mutant.
        differs: Every item whose verdict on the mutant is not that on the detector: id, then both verdicts.
    """

    mutant: str
    killed_by: tuple[str, ...]
    unjust: tuple[str, ...]
    withheld: tuple[str, ...]
    differs: tuple[tuple[str, str, str], ...] = ()

    @property
    def holds(self) -> bool:
        """True where it was killed, and by nothing that had no reason to."""
        return bool(self.killed_by) and not self.unjust


@dataclass(frozen=True)
class SelfTest:
    """Everything that the self-test found.

    Args:
        base: Name of the detector that the mutants were made of.
        analytic: Check values, a row each, with ``holds``.
        aa: The detector against itself, a row per metric, with ``holds``.
        statuses: Verdict of the detector itself by item.
        kills: One per mutant.
        versions: New versions against the change control plans beside the specs.
    """

    base: str
    analytic: list[dict[str, object]]
    aa: list[dict[str, object]]
    statuses: dict[str, str] = field(default_factory=dict)
    kills: tuple[Kill, ...] = ()
    versions: tuple[TriedVersion, ...] = ()

    @property
    def holds(self) -> bool:
        """True where nothing is wrong."""
        as_expected = all(kill.holds for kill in self.kills) and all(version.holds for version in self.versions)
        return all(row["holds"] for row in (*self.analytic, *self.aa)) and as_expected

    def as_dict(self) -> dict[str, object]:
        """Return the record's ``tool_validation``: plain JSON values."""
        return {
            "synnodtest": synnodtest.__version__,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "base": self.base,
            "holds": self.holds,
            "analytic": self.analytic,
            "aa": self.aa,
            "base_verdicts": self.statuses,
            "kill_table": [
                {
                    "mutant": kill.mutant,
                    "fault": MUTANTS[kill.mutant].says,
                    "killed_by": "; ".join(kill.killed_by) or "nothing",
                    "without_reason": "; ".join(kill.unjust) or "none",
                    "passes_withheld": len(kill.withheld),
                    "verdicts_that_differ": len(kill.differs),
                }
                for kill in self.kills
            ],
            "change_control": [version.as_dict() for version in self.versions],
            "differing_verdicts": {
                kill.mutant: [f"{key}: {before} -> {after}" for key, before, after in kill.differs]
                for kill in self.kills
            },
        }


def selftest(specs: Sequence[Spec], base: Detector, bench: Bench, say: Say = lambda line: None) -> SelfTest:
    """Run all three parts.

    Args:
        specs: Whose expectations are to catch the mutants.
        base: What the mutants are made of.
        bench: What everything is tried on.
        say: Told of progress, a line at a time.
    """
    backgrounds = bench.backgrounds
    cases = list(cases_of(specs))
    radiographs: dict[str, Radiograph] = {}
    bench = replace(bench, backgrounds=lambda name, count: _Kept(backgrounds(name, count), radiographs))
    say(f"{counted(len(cases), 'expectation')}, {len(MUTANTS)} mutants of {base.identity.name}")
    first = run_cases(base, cases, bench)
    say(f"{base.identity.name}: {_counts(first)}")
    anew = Identity(f"{base.identity.name} again", "1", configuration=base.identity.as_dict())
    again = run_cases(Renamed(base, anew), cases, bench)
    aa = _against_itself(first, again, cases)
    statuses = _statuses(first)
    kills = []
    spoiled = _Remembering(base)
    for name in MUTANTS:
        tried = run_cases(MutantDetector(name, spoiled), cases, bench)
        kills.append(_kill(name, statuses, _statuses(tried), cases))
        say(f"{name}: {_counts(tried)}")
    versions = _versions(specs, cases, spoiled, bench)
    for version in versions:
        say(f"{version.plan}, {version.version} as a new version: {version.verdict}")
    return SelfTest(base.identity.name, check_values(), aa, statuses, tuple(kills), versions)


def _versions(specs: Sequence[Spec], cases: Sequence[Case], base: Detector, bench: Bench) -> tuple[TriedVersion, ...]:
    """Return what every plan beside the specs says of new versions, on all backgrounds that its specs ask for."""
    whole = replace(bench, limit=sys.maxsize)
    faults = {name: MutantDetector(name, base) for name in MUTANTS}
    versions: list[TriedVersion] = []
    for plan in plans_beside(specs):
        named = {id(spec) for spec in plan.specs.values()}
        mine = [case for case in cases if id(case.spec) in named]
        versions += try_plan(plan, mine, base, faults, lambda detector, items: run_cases(detector, items, whole))
    return tuple(versions)


def cases_of(specs: Iterable[Spec]) -> Iterator[Case]:
    """Yield every item of specs that has scenes; searches are left out."""
    for spec in specs:
        for behaviour in spec.behaviours:
            for variant in variants_of(behaviour) if behaviour.scenes is not None else ():
                yield Case(f"{behaviour.id}::{variant.id}", spec, behaviour, variant)


class _Remembering:
    """A detector that sees every radiograph once, however many mutants ask for it."""

    hands_on_priors = True

    def __init__(self, detector: Detector) -> None:
        self.identity = detector.identity
        self._detector = detector
        self._found: dict[str, list[Finding]] = {}

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        keys = [radiograph.content_sha256() for radiograph in radiographs]
        new = {key: radiograph for key, radiograph in zip(keys, radiographs, strict=True) if key not in self._found}
        if new:
            self._found.update(zip(new, ask(self._detector, list(new.values())), strict=True))
        return [list(self._found[key]) for key in keys]


class _Kept:
    """A background set of which every radiograph that was read stays in memory, for all detectors."""

    def __init__(self, inner: BackgroundSet, held: dict[str, Radiograph]) -> None:
        self.name, self.identity, self.backgrounds = inner.name, inner.identity, inner.backgrounds
        self._inner, self._held = inner, held

    def load(self, background: Background) -> Radiograph:
        if background.content not in self._held:
            self._held[background.content] = self._inner.load(background)
        return self._held[background.content]


def run_cases(detector: Detector, cases: Sequence[Case], bench: Bench) -> Fragment:
    """Return the part of a record that a detector makes of cases, on the bench."""
    providers = Providers(
        detector=in_guard(detector),
        synthesizer=lambda name: bench.synthesizer,
        backgrounds=bench.backgrounds,
        default_synthesizer=bench.synthesizer.identity.name,
    )
    campaign = Campaign(providers, bench.store, seed=bench.seed)
    fragment = Fragment()
    for case in cases:
        behaviour = limited(with_count(case.behaviour), bench.limit)
        try:
            judgement = campaign.gather(behaviour, case.variant)
        except InvalidEvidence as error:
            fragment.add_error(case, "INVALID", str(error), 0.0)
        else:
            fragment.add_judgement(case, judgement, campaign, 0.0)
    return fragment


def _statuses(fragment: Fragment) -> dict[str, str]:
    return {key: str(entry.status) for key, entry in fragment.expectations.items()}


def _counts(fragment: Fragment) -> str:
    statuses = list(_statuses(fragment).values())
    return ", ".join(f"{statuses.count(word)} {word}" for word in dict.fromkeys(sorted(statuses)))


def _kill(name: str, base: dict[str, str], mutant: dict[str, str], cases: Sequence[Case]) -> Kill:
    killed = [c for c in cases if mutant[c.node_id] == "FAILED" and base[c.node_id] != "FAILED"]
    return Kill(
        name,
        tuple(c.node_id for c in killed),
        tuple(c.node_id for c in killed if not violates(name, c.behaviour.id, c.variant.expectation.id)),
        tuple(k for k, status in mutant.items() if base[k] == "PASSED" and status not in {"PASSED", "FAILED"}),
        tuple((k, base[k], status) for k, status in mutant.items() if status != base[k]),
    )


def _against_itself(first: Fragment, again: Fragment, cases: Sequence[Case]) -> list[dict[str, object]]:
    """Return the differences of a detector from itself over all scenes, and the number of changed verdicts."""
    comparison = compare(as_record(first, ""), as_record(again, ""), name="itself")
    changed = len(comparison.verdicts)
    rows: list[dict[str, object]] = [
        {"what": "verdicts that differ", "n": len(cases), "difference": changed, "holds": changed == 0}
    ]
    for row in comparison.differences:
        if not row.behaviour:
            estimate = {"difference": row.value, "lower": row.lower, "upper": row.upper}
            rows.append({"what": row.title, "n": row.n, **estimate, "holds": not row.shown and row.value == 0.0})
    return rows
