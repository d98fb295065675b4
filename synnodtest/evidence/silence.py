"""Silence is not quiet: a pass that a detector earns by reporting nothing is worth something only if it can report.

An expectation that is passed almost without findings may be passed by a detector that is broken: weights of another
head, a class that is never a nodule, pictures that never arrive. Such a pass is withheld unless the same run shows
findings, on other pictures or on nodules planted to find out. So is that of one whose findings lie on no nodule: on a
marker in the corner of every picture, or at swapped coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.sightings import highest
from synnodtest.evidence.trial import Evidence, Trial

SILENCE = "What the detector reported in this run"
"""Title of the table that a withheld ruling carries; the verdict page knows it by this."""
NEXT_TO_NOTHING = 0.05
"""A detector with findings on fewer pictures than this share has said next to nothing: one in twenty is what the
strictest usual bounds on false positives allow, and any detector of use finds more conspicuous nodules."""
LEAST_HEARD = 2
"""Findings that are no accident, by simulation: of boxes that lie at random in the lung, one a picture, one hits one of
a dozen large nodules in every sixth run, and two do in every eightieth."""


@dataclass(frozen=True)
class Reported:
    """On how many pictures a detector reported anything at the operating point.

    Args:
        what: Which pictures, in words.
        pictures: How many it was shown.
        reported: On how many of them a finding reached the operating point.
    """

    what: str
    pictures: int
    reported: int

    @property
    def silent(self) -> bool:
        """True where that is next to nothing; no picture at all is nothing."""
        return self.reported < NEXT_TO_NOTHING * self.pictures or not self.heard

    @property
    def heard(self) -> bool:
        """True where that is no accident of one picture."""
        return 0 < self.reported >= min(LEAST_HEARD, self.pictures)

    def row(self) -> dict[str, object]:
        """Return a row of the table."""
        return {"pictures of": self.what, "shown": self.pictures, "with a finding": self.reported}


def loudest(trials: Iterable[Trial]) -> dict[str, float]:
    """Return, by scene, the highest score of any finding; minus infinity where there is none."""
    return {t.scene_id: highest(t.sightings, -math.inf) for t in trials}


def on_nodules(trials: Iterable[Trial]) -> dict[str, float]:
    """Return, by scene with a nodule, the highest score of a finding on one; minus infinity where there is none."""
    return {
        t.scene_id: max((n.confidence for n in t.nodules if n.finding is not None), default=-math.inf)
        for t in trials
        if t.nodules
    }


def reported_on(what: str, scores: Mapping[str, float], operating_point: float) -> Reported:
    """Return on how many of the scenes a finding reached the operating point."""
    return Reported(what, len(scores), sum(score >= operating_point for score in scores.values()))


def silenced(evidence: Evidence) -> Evidence:
    """Return the evidence as it would be of a detector that reports nothing."""
    return replace(evidence, trials=tuple(_silent(trial) for trial in evidence.trials))


def _silent(trial: Trial) -> Trial:
    nodules = tuple(replace(nodule, confidence=0.0, finding=None) for nodule in trial.nodules)
    return replace(trial, sightings=(), nodules=nodules, duplicates=(), false_positives=())


def withheld(
    ruling: Ruling,
    tallies: Sequence[Reported],
    operating_point: float,
    why_unasked: str = "",
    where: str = "",
    *,
    blind: bool = False,
) -> Ruling:
    """Return a pass as INCONCLUSIVE, with the reason and what the user can add.

    Args:
        ruling: A pass that silence earns.
        tallies: What the detector reported, own evidence first.
        operating_point: A finding of at least this score counts.
        why_unasked: Why no nodules could be planted to find out; empty where they were.
        where: Which pictures of the run these are, in words after a blank; empty where they are all.
        blind: It reported something, but not on nodules, of which the tallies tell.
    """
    reason = ", ".join(f"{one.reported} of {one.pictures} pictures of {one.what}" for one in tallies if one.pictures)
    says = "found next to no nodule" if blind else "reported next to nothing on anything"
    why = (
        f"quiet or {'blind' if blind else 'silent'} cannot be told: the expectation is met by reporting nothing, and "
        f"the detector {says} in this run{where} (findings of {operating_point:g} or more: {reason})"
    )
    asks = "whether its boxes lie on nodules" if blind else "whether findings arrive at all"
    lower = "" if blind else ", or lower the operating point to where the detector reports"
    remedy = f"Let 'synnodtest conform' say {asks}; add an expectation on sensitivity in the same run{lower}."
    asked = (f"No nodules could be planted to find out: {why_unasked}.",) if why_unasked else ()
    details = {SILENCE: [one.row() for one in tallies], **ruling.details}
    return replace(ruling.withdrawn(why, *asked, remedy), details=details)
