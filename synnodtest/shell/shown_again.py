"""A few of the pictures behind a pass are shown again: as they were, alone, and with next to nothing of their nodules.

A detector that answers otherwise then hangs on what it was shown before or beside it, or broke down in the middle of
the run or of an earlier one, whose findings the store keeps. One that still reports nodules of which no eye could see
anything reacts to the edit: to pixels that are no whole grey values any more, or to any difference from a film that it
knows by heart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, replace

from synnodtest.canonical import sha256_of
from synnodtest.counted import counted
from synnodtest.detectors.conform_likeness import alike, places
from synnodtest.detectors.guard import may_change_unseen
from synnodtest.detectors.pairs import ask
from synnodtest.detectors.recorded import recorded_in
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.engine import Engine
from synnodtest.engine.findings import BATCH
from synnodtest.engine.gather import Item
from synnodtest.engine.judgement import Gathered
from synnodtest.engine.parts import scenes_of
from synnodtest.errors import DetectorError, InvalidEvidence, StoreError
from synnodtest.evidence.chance import MOSTLY
from synnodtest.evidence.ruling import Status
from synnodtest.evidence.trial import Trial
from synnodtest.finding import Finding
from synnodtest.matching import Matching, match
from synnodtest.ports import Background, Detector
from synnodtest.radiograph import Radiograph
from synnodtest.spec.model import Behaviour

APART = 0.02
"""Difference of scores; set by hand: single precision differs from batch to batch by a thousandth of it, half precision
by less than it, and a verdict seldom hangs on it."""
LEFT = 0.01
"""Share of what its nodules add that is left: at full contrast less than one of 256 grey values."""
SILENT = 2
"""Pictures of each arm, the last of those without a finding, that are shown again: of a detector that has broken down
they are what it reported nothing on, and one of them may show nothing indeed."""
KIND = "shown_again"
"""In the store: answers that stayed, and nodules that were seen, so that a run of which everything is stored asks
nothing. Of a detector that may change behind its identity nothing is kept."""
LOOKED_AT, ENOUGH = 6, 3
"""Backgrounds that are shown with next to nothing of their nodules, once for each set and synthesizer; fewer than the
second tell nothing. A detector that reacts to edits does so at nearly all of them."""


@dataclass(frozen=True, eq=False)
class _Shown:
    """One scene with what was found on it.

    Args:
        engine: Has its pixels.
        background: It stands on.
        trial: What came of it.
    """

    engine: Engine
    background: Background
    trial: Trial

    def key(self) -> str:
        """Return the key of what is kept of the answer to it."""
        who = [one.identity.key() for one in (self.engine.detector, self.engine.synthesizer)]
        found = [[*sighting.finding.box, sighting.finding.score] for sighting in self.trial.sightings]
        return sha256_of([*who, self.trial.scene_id, self.background.content, found])

    def radiograph(self) -> Radiograph:
        """Return what the detector was shown."""
        return self.engine.radiograph(self.trial.scene, self.background)

    def without_nodules(self) -> Radiograph:
        """Return the same scene without its nodules, and without the truth of any."""
        plain = self.engine.radiograph(replace(self.trial.scene, nodules=()), self.background)
        return replace(plain, nodules=(), prior=None if plain.prior is None else replace(plain.prior, nodules=()))

    def faint(self) -> Radiograph:
        """Return it with next to nothing of its nodules, and without their truth."""
        plain = self.without_nodules()
        return plain.with_pixels(plain.pixels + LEFT * (self.radiograph().pixels - plain.pixels))

    def reported(self, findings: Sequence[Finding], matching: Matching) -> bool:
        """Return whether findings hit any of its nodules half as loudly as it was hit itself."""
        nodules = self.trial.nodules
        met = match(findings, [nodule.truth for nodule in nodules], self.trial.spacing_mm, matching).finding_of
        return any(
            index is not None and findings[index].score >= MOSTLY * nodule.confidence > 0
            for nodule, index in zip(nodules, met, strict=True)
        )


class ShownAgain:
    """Shows the detector of one run again what passes rest on.

    Args:
        stops: Whether an answer that changes is an error.
    """

    def __init__(self, *, stops: bool) -> None:
        self._stops = stops
        self._last: _Shown | None = None
        self._known: set[str] = set()
        self._changed: DetectorError | None = None
        self._cleared: set[tuple[str, str]] = set()

    def checked(self, campaign: Campaign, gathered: Gathered) -> Gathered:
        """Return gathered evidence whose pass rests on answers that stay, and on nodules.

        Args:
            campaign: Detector, synthesizer and backgrounds of the run.
            gathered: What an item gathered; a picture with a finding is remembered for later items that have none.

        Raises:
            DetectorError: the detector no longer answers as it did; none of its passes counts from then on.
            InvalidEvidence: it reacts to the edit.
        """
        detector = campaign.providers.detector
        if recorded_in(detector):
            return gathered
        self._last = min(_with_findings(campaign, gathered), key=_loudest, default=self._last)
        if gathered.ruling.status is Status.PASSED:
            if self._stops:
                self._refuse_changed(campaign, list(_silent(campaign, gathered)))
            self._refuse_edits(campaign, gathered)
        return gathered

    def _refuse_changed(self, campaign: Campaign, silent: Sequence[tuple[_Shown, float]]) -> None:
        detector, alone = campaign.providers.detector, [] if self._last is None else [(self._last, 0.0)]
        unsure = [(shown, point) for shown, point in silent if not self._stays(campaign, shown)]
        if not unsure and not campaign.tally().inferred:  # it was asked nothing since, so that it cannot have changed
            alone = [(shown, point) for shown, point in alone if not self._stays(campaign, shown)]
        for asked in (alone, unsure):
            self._changed = self._changed or _first_changed(detector, asked)
        if self._changed is not None:
            raise self._changed
        for shown, _ in (*alone, *unsure):
            self._known.add(key := shown.key())
            if alone:  # else it reports nothing on anything, and may be broken
                _keep(campaign, key)

    def _stays(self, campaign: Campaign, shown: _Shown) -> bool:
        return (key := shown.key()) in self._known or _is_kept(campaign, key)

    def _refuse_edits(self, campaign: Campaign, gathered: Gathered) -> None:
        matching, films = Item(gathered.behaviour, gathered.variant).matching, scenes_of(gathered.behaviour).set
        for name, held in gathered.evidence.items():
            if (name, films) not in self._cleared and refuse_edits(
                campaign, gathered.behaviour, name, held.trials, matching
            ):
                self._cleared.add((name, films))


def refuse_edits(
    campaign: Campaign, behaviour: Behaviour, synthesizer: str, trials: Sequence[Trial], matching: Matching
) -> bool:
    """Return whether nodules that were hit are seen, and not the edit; False: too few were hit to tell.

    Args:
        campaign: Detector, synthesizer and backgrounds.
        behaviour: Has the backgrounds.
        synthesizer: By its name.
        trials: With what was found.
        matching: The localization criterion.

    Raises:
        InvalidEvidence: the detector reacts to the edit.
    """
    shown = list(_shown(campaign, behaviour, synthesizer, _hit(trials)))
    if len(shown) < ENOUGH:
        return False
    key = sha256_of(["edits", LEFT, astuple(matching), [one.key() for one in shown]])
    if _is_kept(campaign, key):
        return True
    reacted = _reacted(campaign.providers.detector, shown, matching)
    if reacted > MOSTLY * len(shown):
        raise InvalidEvidence(
            f"the detector reacts to the edit and not to the nodule: of {len(shown)} radiographs that it was "
            f"shown with {LEFT:.0%} of what their nodules add, which nobody sees, it reports {reacted} all the "
            "same, and nothing there without it",
            hint="does it look for pixels that are no whole grey values, or for what differs from films that "
            "it was trained on?",
        )
    _keep(campaign, key)
    return True


def _is_kept(campaign: Campaign, key: str) -> bool:
    return campaign.store.get(KIND, key) is not None and not may_change_unseen(campaign.providers.detector)


def _keep(campaign: Campaign, key: str) -> None:
    if not may_change_unseen(campaign.providers.detector):
        with suppress(StoreError):  # a store that cannot be written only costs asking again
            campaign.store.put(KIND, key, b"")


def _first_changed(detector: Detector, pictures: Sequence[tuple[_Shown, float]]) -> DetectorError | None:
    """Return that a detector answers otherwise to any of several pictures; no more are shown at once than in a run."""
    for start in range(0, len(pictures), BATCH):
        asked = pictures[start : start + BATCH]
        answers = ask(detector, [shown.radiograph() for shown, _ in asked])
        for (shown, point), answer in zip(asked, answers, strict=True):
            if error := _changed(detector, shown, point, answer):
                return error
    return None


def _changed(detector: Detector, shown: _Shown, point: float, answer: Sequence[Finding]) -> DetectorError | None:
    """Return that a detector answers otherwise, where it does.

    Args:
        detector: Of the run.
        shown: With findings, or without any.
        point: The operating point; where nothing was found, a finding by rounding is told from others by it.
        answer: What it reports now.
    """
    if sightings := shown.trial.sightings:
        loud = max((s.finding for s in sightings), key=lambda finding: finding.score)
        place = places([loud], shown.trial.shape)
        near = [one for one in answer if alike(places([one], shown.trial.shape), place)]
        apart, least = min((abs(one.score - loud.score) for one in near), default=loud.score), APART
        what = f", alone: its finding of {loud.score:.3g} is {apart:.3g} away"
    else:
        apart, least = max((one.score for one in answer), default=0.0), max(point, 2 * APART) + APART
        what = f": where it had reported nothing it reports up to {apart:.3g}"
    if apart <= least:
        return None
    return DetectorError(
        f"detector {detector.identity.name!r} answers otherwise than earlier in this run, or in one whose findings "
        f"the store keeps, when it is shown {shown.background.id!r} again{what} "
        f"({counted(len(answer), 'finding')} now)",
        hint="its answers hang on what it was shown before or beside it, are random, or it broke down in the middle of "
        "a run: look into its log; if it was mended since, name a folder of its own by --synnod-cache",
    )


def _with_findings(campaign: Campaign, gathered: Gathered) -> Iterator[_Shown]:
    """Yield the scenes with a finding at the operating point."""
    for name, held in gathered.evidence.items():
        for shown in _shown(campaign, gathered.behaviour, name, held.trials):
            if _loudest(shown) >= max(held.operating_point, 2 * APART):
                yield shown


def _silent(campaign: Campaign, gathered: Gathered) -> Iterator[tuple[_Shown, float]]:
    """Yield of each arm the last scenes on which nothing was found, with the operating point."""
    for name, held in gathered.evidence.items():
        of_arm: dict[str, list[Trial]] = {}
        for trial in held.trials:
            if not trial.sightings:
                of_arm.setdefault(trial.arm, []).append(trial)
        last = [trial for trials in of_arm.values() for trial in trials[-SILENT:]]
        for shown in _shown(campaign, gathered.behaviour, name, last):
            yield shown, held.operating_point


def _loudest(shown: _Shown) -> float:
    return shown.trial.loudest


def _hit(trials: Sequence[Trial]) -> list[Trial]:
    """Return those on different backgrounds of which a nodule was hit; those without perturbations first."""
    found = [t for t in trials if any(n.confidence > 0 for n in t.nodules)]
    apart: dict[str, Trial] = {}
    for trial in sorted(found, key=lambda trial: len(trial.scene.perturbations)):
        apart.setdefault(trial.background, trial)
    return list(apart.values())[:LOOKED_AT]


def _shown(campaign: Campaign, behaviour: Behaviour, name: str, trials: Sequence[Trial]) -> Iterator[_Shown]:
    engine = campaign.engine(behaviour, name)
    by_id = {background.id: background for background in campaign.backgrounds(behaviour)}
    return (_Shown(engine, by_id[trial.background], trial) for trial in trials)


def _reacted(detector: Detector, shown: Sequence[_Shown], matching: Matching) -> int:
    """Return on how many the nodule is reported though next to nothing is left of it, and not without it."""
    faint = ask(detector, [one.faint() for one in shown])
    reported = [one for one, findings in zip(shown, faint, strict=True) if one.reported(findings, matching)]
    if len(reported) <= MOSTLY * len(shown):
        return len(reported)
    plain = ask(detector, [one.without_nodules() for one in reported])
    return sum(not one.reported(findings, matching) for one, findings in zip(reported, plain, strict=True))
