"""An edit is no nodule: what a pass rests on is shown again with next to nothing of its nodules.

A detector that still reports nodules of which no eye could see anything reacts to the edit: to pixels that are no whole
grey values any more, or to any difference from a film that it knows by heart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, replace

from synnodtest.canonical import sha256_of
from synnodtest.detectors.pairs import ask
from synnodtest.detectors.recorded import recorded_in
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.judgement import Gathered
from synnodtest.errors import InvalidEvidence
from synnodtest.evidence.chance import MOSTLY
from synnodtest.evidence.ruling import Status
from synnodtest.evidence.trial import Trial
from synnodtest.finding import Finding
from synnodtest.matching import Matching, match
from synnodtest.planning.item import Item, scenes_of
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph
from synnodtest.shell.shown_again import Shown, is_kept, keep, shown_of
from synnodtest.spec.model import Behaviour

LEFT = 0.01
"""Share of what its nodules add that is left: at full contrast less than one of 256 grey values."""
LOOKED_AT, ENOUGH = 6, 3
"""Backgrounds that are shown with next to nothing of their nodules, once for each set and synthesizer; fewer than the
second tell nothing. A detector that reacts to edits does so at nearly all of them."""
CLEARLY = 0.1
"""Share of a score by which another differs from it that was not only rounded otherwise."""


class EditCheck:
    """Asks once for each set and synthesizer of a run whether the detector reacts to the edit.

    Of raw scores it is asked for each behaviour: what is next to nothing beside the hits of one may rank another.
    """

    def __init__(self) -> None:
        self._cleared: set[tuple[str, str, str]] = set()

    def checked(self, campaign: Campaign, gathered: Gathered) -> Gathered:
        """Return gathered evidence whose pass rests on nodules.

        Raises:
            InvalidEvidence: the detector reacts to the edit.
        """
        if gathered.ruling.status is not Status.PASSED or recorded_in(campaign.providers.detector):
            return gathered
        item, behaviour = Item(gathered.behaviour, gathered.variant), gathered.behaviour
        ranked = item.kind.threshold_free(item.parameters)
        films, of = scenes_of(behaviour).set, behaviour.id if ranked else ""
        for name, held in gathered.evidence.items():
            if (name, films, of) not in self._cleared and refuse_edits(
                campaign, behaviour, name, held.trials, item.matching, held.operating_point, ranked=ranked
            ):
                self._cleared.add((name, films, of))
        return gathered


def refuse_edits(
    campaign: Campaign,
    behaviour: Behaviour,
    synthesizer: str,
    trials: Sequence[Trial],
    matching: Matching,
    point: float,
    *,
    ranked: bool = False,
) -> bool:
    """Return whether nodules that were hit are seen, and not the edit; False: too little was found to tell.

    Args:
        campaign: Detector, synthesizer and backgrounds.
        behaviour: Has the backgrounds.
        synthesizer: By its name.
        trials: With what was found.
        matching: The localization criterion.
        point: The operating point.
        ranked: Raw scores are judged: a ranking of images may rest on findings beside the nodules that are hit.

    Raises:
        InvalidEvidence: the detector reacts to the edit.
    """
    shown = list(shown_of(campaign, behaviour, synthesizer, _hit(trials)))
    if len(shown) < ENOUGH:
        return False
    key = sha256_of(["edits", LEFT, astuple(matching), point, ranked, [one.key() for one in shown]])
    if is_kept(campaign, key):
        return True
    reacted = _reacted(campaign.providers.detector, shown, matching, point, ranked)
    if reacted > MOSTLY * len(shown):
        raise InvalidEvidence(
            f"the detector reacts to the edit and not to the nodule: of {len(shown)} radiographs that it was "
            f"shown with {LEFT:.0%} of what their nodules add, which nobody sees, it reports {reacted} all the "
            "same, and nothing as loud without it",
            hint="does it look for pixels that are no whole grey values, or for what differs from films that "
            "it was trained on?",
        )
    keep(campaign, key)
    return True


def _hit(trials: Sequence[Trial]) -> list[Trial]:
    """Return those on different backgrounds of which a nodule was hit; those without perturbations first.

    Where hardly any was, findings anywhere in a radiograph with a nodule will do: an area under the curve of images is
    earned by them.
    """
    found = [t for t in trials if t.nodules and t.loudest > 0]
    hit = _apart([t for t in found if _is_hit(t)])
    return (hit if len(hit) >= ENOUGH else _apart(found))[:LOOKED_AT]


def _is_hit(trial: Trial) -> bool:
    return any(nodule.confidence > 0 for nodule in trial.nodules)


def _apart(trials: Sequence[Trial]) -> list[Trial]:
    apart: dict[str, Trial] = {}
    for trial in sorted(trials, key=lambda trial: (not _is_hit(trial), len(trial.scene.perturbations))):
        apart.setdefault(trial.background, trial)
    return list(apart.values())


def _reacted(detector: Detector, shown: Sequence[Shown], matching: Matching, point: float, ranked: bool) -> int:
    """Return on how many next to nothing of a nodule has it reported, or something as loud, and nothing has not."""

    def loud(one: Shown) -> float:
        return one.trial.loudest if ranked or not _is_hit(one.trial) else math.inf

    faint = zip(shown, ask(detector, [_faint(one) for one in shown]), strict=True)
    reported = [
        (one, findings)
        for one, findings in faint
        if _reported(one, findings, matching, point) or _loudest(findings) >= MOSTLY * loud(one)
    ]
    if len(reported) <= MOSTLY * len(shown):
        return len(reported)
    plain = ask(detector, [_without_nodules(one) for one, _ in reported])
    return sum(
        _lifted(loud(one), _loudest(findings), _loudest(bare))
        or (_reported(one, findings, matching, point) and not _reported(one, bare, matching, point))
        for (one, findings), bare in zip(reported, plain, strict=True)
    )


def _without_nodules(shown: Shown) -> Radiograph:
    """Return the same scene without its nodules, and without the truth of any."""
    plain = shown.engine.radiograph(replace(shown.trial.scene, nodules=()), shown.background)
    return replace(plain, nodules=(), prior=None if plain.prior is None else replace(plain.prior, nodules=()))


def _faint(shown: Shown) -> Radiograph:
    """Return a scene with next to nothing of its nodules, and without their truth."""
    plain = _without_nodules(shown)
    return plain.with_pixels(plain.pixels + LEFT * (shown.radiograph().pixels - plain.pixels))


def _reported(shown: Shown, findings: Sequence[Finding], matching: Matching, point: float) -> bool:
    """Return whether findings hit a nodule of a scene half as loudly as it was hit, or at the operating point."""
    nodules = shown.trial.nodules
    met = match(findings, [nodule.truth for nodule in nodules], shown.trial.spacing_mm, matching).finding_of
    return any(
        index is not None and nodule.confidence > 0 and findings[index].score >= min(point, MOSTLY * nodule.confidence)
        for nodule, index in zip(nodules, met, strict=True)
    )


def _lifted(loud: float, faint: float, bare: float) -> bool:
    """Return whether the loudest finding is louder by half of what the nodules made it louder, and by no rounding."""
    return faint - bare > max(MOSTLY * (loud - bare), CLEARLY * loud)


def _loudest(findings: Sequence[Finding]) -> float:
    return max((finding.score for finding in findings), default=0.0)
