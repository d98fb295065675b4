"""The sham control: does the detector react to the edit rather than to the nodule?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

from synnodtest.counted import counted
from synnodtest.evidence.chance import MOSTLY
from synnodtest.evidence.trial import Trial
from synnodtest.expectations.sentences import beside
from synnodtest.finding import Finding
from synnodtest.matching import Matching, match
from synnodtest.statistics import Estimate, paired_mean, tango

LARGEST_EXCESS = 0.05
"""INVALID where the lower bound of (fires in sham masks) - (fires there untouched) exceeds this."""


class ShamStatus(StrEnum):
    """Result of the control."""

    PASSED = "PASSED"
    INVALID = "INVALID"
    NOT_NEEDED = "NOT NEEDED"


@dataclass(frozen=True)
class ShamResult:
    """Outcome of the sham control of one behaviour and synthesizer.

    Args:
        mode: ``identity`` where the sham edit changes nothing by construction, else ``inpaint``.
        status: What it says.
        sentence: The same in words, after the status.
        n11, n10, n01, n00: Fires in both, only in the sham edit, only untouched, in neither.
    """

    mode: str
    status: ShamStatus
    sentence: str
    n11: int = 0
    n10: int = 0
    n01: int = 0
    n00: int = 0
    estimate: Estimate | None = None

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        one, told = self.estimate, None
        if one is not None and not math.isnan(one.value):
            told = {"value": one.value, "lower": one.lower, "upper": one.upper}
        return {**vars(self), "n": self.n11 + self.n10 + self.n01 + self.n00, "estimate": told}


def sham_not_needed() -> ShamResult:
    """Return the result where nothing is inpainted: the edit without a nodule is the untouched radiograph."""
    why = "nothing is inpainted: without a nodule the edit leaves the radiograph as it is"
    return ShamResult("identity", ShamStatus.NOT_NEEDED, why)


def judge_ranked(
    sham: Sequence[Trial],
    untouched: Sequence[Trial],
    trials: Sequence[Trial],
    operating_point: float,
    matching: Matching,
    alpha: float,
) -> ShamResult:
    """Compare as :func:`judge_sham` does where raw scores are judged: what is found in the masks, and then anywhere.

    In them a finding counts from half the score on that three in four hits of ``trials`` have, or from the operating
    point if that is lower. Anywhere, where a ranking of images may rest on findings beside the nodules, it counts from
    halfway between what is loudest on untouched backgrounds and what is with nodules.
    """
    shown = [trial for trial in trials if trial.nodules]
    hits = sorted(n.confidence for trial in shown for n in trial.nodules if n.finding is not None)
    point = min(operating_point, MOSTLY * hits[len(hits) // 4]) if hits else operating_point
    inside = judge_sham(sham, untouched, point, matching, alpha)
    plain = [trial.loudest for trial in untouched if not trial.rejected]
    if inside.status is not ShamStatus.PASSED or not shown or not plain:
        return inside
    loud, quiet = fmean(trial.loudest for trial in shown), fmean(plain)
    if loud <= quiet:
        return inside
    anywhere = judge_sham(sham, untouched, (loud + quiet) / 2, matching, alpha, anywhere=True)
    return anywhere if anywhere.status is ShamStatus.INVALID else inside


def judge_sham(
    sham: Sequence[Trial],
    untouched: Sequence[Trial],
    operating_point: float,
    matching: Matching,
    alpha: float,
    *,
    anywhere: bool = False,
) -> ShamResult:
    """Compare firing inside sham masks, or anywhere, with firing there on the untouched backgrounds.

    Excluded edits are left out. Where most are excluded there is no control, and nothing rests on it.
    """
    if not sham:
        return sham_not_needed()
    accepted = [t for t in sham if not t.rejected]
    if not accepted:
        why = f"INVALID none of {len(sham)} sham edits could be used: {sham[0].rejected}"
        return ShamResult("inpaint", ShamStatus.INVALID, why)
    plain = {t.background: t for t in untouched if not t.rejected}
    pairs = [(t, plain[t.background]) for t in accepted if t.background in plain]
    if 2 * len(pairs) < len(sham):
        reasons = [t.rejected for t in sham if t.rejected] or ["their untouched backgrounds were excluded"]
        why = f"INVALID only {len(pairs)} of {len(sham)} sham edits could be used: {reasons[0]}"
        return ShamResult("inpaint", ShamStatus.INVALID, why)

    def fires(masks: Trial, fired: Trial) -> bool:
        loud = [s.finding for s in fired.sightings if s.finding.score >= operating_point]
        return bool(loud) if anywhere else _hit(masks, loud, matching)

    cells = [(fires(t, t), fires(t, u)) for t, u in pairs]
    n11, n10 = cells.count((True, True)), cells.count((True, False))
    n01, n00 = cells.count((False, True)), cells.count((False, False))
    clusters = [t.cluster for t, _ in pairs]
    if len(set(clusters)) == len(clusters):
        estimate = tango(n11, n10, n01, n00, alpha=alpha)
    else:
        estimate = paired_mean([float(a) - float(b) for a, b in cells], clusters, alpha=alpha, guarded=True)
    invalid = estimate.usable and estimate.lower > LARGEST_EXCESS
    where = "on radiographs with sham edits than on" if anywhere else "inside sham edits than at the same places"
    verb = f"fires more {where} untouched" + anywhere * " ones" if invalid else "does not react to the edit"
    status = ShamStatus.INVALID if invalid else ShamStatus.PASSED
    excess, lower = (beside(number, LARGEST_EXCESS) for number in (estimate.value, estimate.lower))
    reason = f"the detector {verb}: excess {excess} (lower bound {lower}, allowed {LARGEST_EXCESS:g})"
    reason += f" on {counted(len(pairs), 'background')}"
    return ShamResult("inpaint", status, f"{status} {reason}", n11, n10, n01, n00, estimate)


def _hit(masks: Trial, findings: Sequence[Finding], matching: Matching) -> bool:
    """Return whether any finding lies in the masks of a trial."""
    outcome = match(findings, [n.truth for n in masks.nodules], masks.spacing_mm, matching)
    return any(index is not None for index in outcome.finding_of)
