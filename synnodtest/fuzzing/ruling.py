"""Outcome and ruling of a search: FAILED only where a counterexample is confirmed, never a rate where none is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from synnodtest.counted import counted
from synnodtest.evidence.ruling import Component, Ruling, Status
from synnodtest.expectations.sentences import beside, limit, percent
from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.confirm import Confirmation, rate_of
from synnodtest.fuzzing.control import Control
from synnodtest.fuzzing.coverage import never_planted, never_tried
from synnodtest.fuzzing.describe import Neighbourhood
from synnodtest.fuzzing.failure_rule import Rule, Surroundings
from synnodtest.fuzzing.hole.region import Region
from synnodtest.fuzzing.judged import Judged
from synnodtest.fuzzing.search import Search
from synnodtest.fuzzing.sweep import Sweep
from synnodtest.planning.example import Example

LEAST_HELD_OUT = 2
"""Patients for a confirmation: of a single one no interval between patients can be made."""
STOPPED = {
    "examples": "all examples were tried",
    "time budget": "the time budget allowed no more examples",
    "interrupted": "it was interrupted",
    "crash": "the detector crashed",
    "space exhausted": "no further examples that can be planted were found",
}


@dataclass
class Findings:
    """Outcome of a search.

    Args:
        found: The confirmations.
        around: Examples around the first confirmed counterexample.
        rule: What tells its failing scenes from its holding ones.
        swept: Failing examples that were not followed up one by one.
        open: Examples that failed and that neither a confirmation nor a closer look settled, easiest first.
        region: The largest region around the first confirmed counterexample that fails.
        surroundings: How far a place lies from the borders of regions.
    """

    surroundings: Surroundings
    found: list[Confirmation] = field(default_factory=list)
    around: Neighbourhood | None = None
    rule: Rule | None = None
    swept: Sweep | None = None
    open: Sequence[Judged] = ()
    region: Region | None = None

    @property
    def first(self) -> Confirmation | None:
        """The surest counterexample that was confirmed; None where none was."""
        return min((c for c in self.found if c.confirmed), key=lambda c: c.p_value, default=None)


def ruling_of(
    claim: Claim, search: Search, findings: Findings, alpha: float, facts: dict[str, object], gaps: Sequence[str]
) -> Ruling:
    """Return the ruling on one expectation of a fuzz behaviour.

    PASSED says that the search went through and that no counterexample was confirmed; it is no statement on a rate.
    INCONCLUSIVE: evidence is missing. A candidate kept the claim less often than asked, even in the longer look, but
    not surely so; or the search has gaps (see :func:`gaps_of`).
    """
    around = findings.around
    confirmed = sorted((c for c in findings.found if c.confirmed), key=lambda c: c.p_value)
    counterexamples = [*confirmed, *(c for c in findings.found if not c.confirmed)]
    parts = tuple(_component(c, claim.rate) for c in counterexamples)
    if confirmed:
        status, sentence = Status.FAILED, _failed(confirmed, claim.rate, alpha, findings)
    else:
        tried = search.tried + search.phases.get("explicit", 0)
        open_ones = [c for c in counterexamples if c.suspicious]
        status = Status.INCONCLUSIVE if open_ones or gaps else Status.PASSED
        reasons = [_suspicion(open_ones, claim.rate)] if open_ones else []
        reasons += gaps
        reasons += [STOPPED[search.stopped]] if search.stopped != "examples" else []
        nothing = f"no confirmed counterexample in {counted(tried, 'example')}"
        sentence = f"{status} {'; '.join([nothing, *reasons])}"
    notes = ["a search says nothing on how often examples fail"] if not confirmed else []
    notes += [_unplaced(search)] if search.unplaced else []
    if around is not None and around.replicates:
        notes.append(f"around the counterexample: {around.sentence()}")
    notes += [f"{says(c)}: {c.candidate.example}" for c in counterexamples]
    first = confirmed[0] if confirmed else (counterexamples[0] if counterexamples else None)
    trials = [] if first is None else first.replicates
    return Ruling(
        status=status,
        sentence=sentence,
        criterion=claim.criterion(),
        components=parts,
        n_nodules=len(trials),
        n_backgrounds=len({r.background.id for r in trials}),
        n_clusters=len({r.background.cluster for r in trials}),
        alpha=alpha,
        p_value=first.p_value if first is not None else float("nan"),
        notes=tuple(notes),
        figure={"kind": "fuzz", **facts},
    )


def gaps_of(search: Search, held_out: int, control: Control | None, findings: Findings, rate: float) -> list[str]:
    """Return why a search that found nothing is no pass.

    Args:
        search: The search.
        held_out: Patients that are left for a confirmation.
        control: Of a claim that a silent detector would keep; None where there is none.
        findings: What came of it.
        rate: The rate asked for.
    """
    gaps = []
    asked = _asked(search)
    if search.stopped != "interrupted" and not search.covered:
        gaps.append("the coverage phase was not gone through")
    if search.unplaced > asked / 2:
        gaps.append(_unplaced(search))
    gaps += never_planted(search.space, search.judged)
    if search.stopped != "interrupted":
        gaps += never_tried(search.space, search.judged)
    if search.stopped == "interrupted":
        gaps.append("not all was tried")
    if _compares_nothing(search):
        gaps.append("every scene was compared with itself: the change that is asked about changes nothing")
    if search.left_out:
        left = search.left_out[0]
        gaps.append(f"{counted(len(search.left_out), 'explicit example')} could not be planted: {left}{_pinned(left)}")
    if held_out < LEAST_HELD_OUT:
        gaps.append(
            f"radiographs of {counted(held_out, 'patient')} are left for a confirmation, {LEAST_HELD_OUT} are needed"
        )
    swept = findings.swept
    cleared = swept is not None and swept.clears(rate)
    if swept is not None and not cleared:
        gaps.append(swept.sentence())
    if findings.open and not cleared:
        gaps.append(
            f"{counted(len(findings.open), 'failing example')} not followed up, the easiest: {findings.open[0].example}"
        )
    if control is not None and not control.passed:
        gaps.append(f"control: {control.sentence()}")
    return gaps


def _compares_nothing(search: Search) -> bool:
    """Return whether the claim is on several scenes, and these were the same in all that was tried."""
    tried = (judgement for judgement in (*search.judged.values(), *search.explicit) if judgement is not None)
    contents = [replicate.content for judgement in tried for replicate in judgement.replicates]
    return any(contents) and all(len(content) > 1 == len(set(content)) for content in contents)


def _asked(search: Search) -> int:
    return search.phases.get("coverage", 0) + search.unplaced


def _unplaced(search: Search) -> str:
    return f"{search.unplaced} of {counted(_asked(search), 'example')} of the coverage phase could not be planted"


def _suspicion(found: Sequence[Confirmation], rate: float) -> str:
    first = min(found, key=lambda c: c.p_value)
    holding, n = sum(r.holds for r in first.replicates), len(first.replicates)
    few = counted(n, "scene is too few", "scenes are too few")
    why = f"holds in {holding} of {n} scenes, {rate:g} asked for" if first.complete else few
    example = first.candidate.example
    return f"{len(found)} unconfirmed: {example} ({why}{_pinned(example)})"


def _pinned(example: Example) -> str:
    """Return the remedy where an example names its background, which a confirmation never stands on alone."""
    if example.get("background") is None:
        return ""
    where = "which need not be one of the search and is none of a confirmation"
    return f"; it names its background, {where}: leave 'background' out"


def _failed(confirmed: Sequence[Confirmation], rate: float, alpha: float, findings: Findings) -> str:
    first = confirmed[0]
    estimate, trials = first.estimate, first.replicates
    matters = first.candidate.matters
    drivers = f"; what matters: {', '.join(matters)}" if matters else ""
    rule, region = findings.rule, findings.region
    drivers += f"; {region.sentence()}" if region is not None and region.shown else ""
    drivers += f"; {rule.sentence()}" if rule is not None and not (region and region.shown) else ""
    others = f"; {counted(len(confirmed) - 1, 'further distinct failure')}" if len(confirmed) > 1 else ""
    return (
        f"FAILED counterexample confirmed ({first.candidate.example}): rate {beside(estimate.value, rate)} (one-sided "
        f"{percent(alpha)} upper bound {beside(estimate.upper, rate)}) falls short of the pre-specified "
        f"{limit(rate)}; n = {len(trials)} trials on {len({r.background.id for r in trials})} held-out backgrounds"
        f"{drivers}{others}"
    )


def _component(found: Confirmation, rate: float) -> Component:
    wide = rate_of(found.replicates, alpha=0.025)
    status = Status.FAILED if found.confirmed else Status.PASSED if found.refuted else Status.INCONCLUSIVE
    return Component(
        name="counterexample",
        label=f"rate at {found.candidate.example}",
        value=found.estimate.value,
        lower=found.estimate.lower,
        upper=found.estimate.upper,
        bound=rate,
        side="above",
        status=status,
        method=f"{found.estimate.method}; p adjusted for two looks and by Holm {found.p_holm:.2g}",
        lower95=wide.lower,
        upper95=wide.upper,
        role="decides" if found.confirmed or found.suspicious else "shown",
    )


def says(found: Confirmation) -> str:
    """Return what became of a candidate, as reports say it."""
    return "confirmed" if found.confirmed else "an accident of the search" if found.refuted else "unconfirmed"
