"""Answers stay: a few of the pictures behind a pass are shown to the detector again.

One that answers otherwise then hangs on what it was shown before or beside it, or broke down in the middle of the run
or of an earlier one, whose findings the store keeps. What is asked here of any detector, where it passes, is asked in
``engine/recheck.py`` of one that may change behind its identity, before any of its stored findings is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from synnodtest.canonical import sha256_of
from synnodtest.counted import counted
from synnodtest.detectors.conform_likeness import at_its_place, rounding_px
from synnodtest.detectors.guard import may_change_unseen
from synnodtest.detectors.pairs import ask
from synnodtest.detectors.recorded import recorded_in
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.engine import Engine
from synnodtest.engine.findings import BATCH
from synnodtest.engine.judgement import Gathered
from synnodtest.errors import DetectorError, StoreError
from synnodtest.evidence.ruling import Status
from synnodtest.evidence.trial import Trial
from synnodtest.finding import Finding
from synnodtest.grouping import grouped
from synnodtest.ports import Background, Detector
from synnodtest.radiograph import Radiograph
from synnodtest.spec.model import Behaviour

APART = 0.02
"""Difference of scores; set by hand: single precision differs from batch to batch by a thousandth of it, half precision
by less than it, and a verdict seldom hangs on it."""
SILENT = 2
"""Pictures of each arm that are shown again, the last of those on which nothing was found, and as many that the store
had before the run: of a detector that has broken down they are what it reported nothing on, and one of them may show
nothing indeed."""
KIND = "shown_again"
"""In the store: answers that stayed, and nodules that were seen, so that a run of which everything is stored asks
nothing. Of a detector that may change behind its identity nothing of these is kept. And, of any, that nothing was
reported where it reports something now: the store holds more such answers, and none of them passes any more."""
HINT = (
    "its answers hang on what it was shown before or beside it, are random, or it broke down in the middle of "
    "a run: look into its log; if it was mended since, name a folder of its own by --synnod-cache"
)


@dataclass(frozen=True, eq=False)
class Shown:
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


class ShownAgain:
    """Shows the detector of one run again what passes rest on.

    Args:
        stops: Whether an answer that changes is an error.
    """

    def __init__(self, *, stops: bool) -> None:
        self._stops = stops
        self._last: Shown | None = None
        self._known: set[str] = set()
        self._changed = ""

    def checked(self, campaign: Campaign, gathered: Gathered) -> Gathered:
        """Return gathered evidence whose pass rests on answers that stay.

        Args:
            campaign: Detector, synthesizer and backgrounds of the run.
            gathered: What an item gathered; a picture with a finding is remembered for later items that have none.

        Raises:
            DetectorError: the detector no longer answers as it did; none of its passes counts from then on.
        """
        if not self._stops or recorded_in(campaign.providers.detector):
            return gathered
        found = _with_findings(campaign, gathered)
        self._last = min(found, key=lambda shown: shown.trial.loudest, default=self._last)
        if gathered.ruling.status is Status.PASSED:
            doubt = sha256_of(["nothing reported", campaign.providers.detector.identity.key()])
            kept = campaign.store.get(KIND, doubt) or b""
            self._changed = self._changed or kept.decode() or self._ask(campaign, gathered, doubt)
            if self._changed:
                raise DetectorError(self._changed, hint=HINT)
        return gathered

    def _ask(self, campaign: Campaign, gathered: Gathered, doubt: str) -> str:
        """Return that the detector answers otherwise, in words; empty where its answers stay.

        Args:
            campaign: As for :meth:`checked`.
            gathered: With a pass.
            doubt: Key under which it is kept that stored answers are not what the detector reports.
        """
        alone = [] if self._last is None else [(self._last, 0.0)]
        unsure = [(shown, point) for shown, point in _silent(campaign, gathered) if not self._stays(campaign, shown)]
        if not unsure and not campaign.tally().inferred:  # it was asked nothing since, so that it cannot have changed
            alone = [(shown, point) for shown, point in alone if not self._stays(campaign, shown)]
        if changed := _first_changed(campaign.providers.detector, alone):
            return changed
        if changed := _first_changed(campaign.providers.detector, unsure):
            _put(campaign, doubt, changed.encode())
            return changed
        for shown, _ in (*alone, *unsure):
            self._known.add(key := shown.key())
            if alone:  # else it reports nothing on anything, and may be broken
                keep(campaign, key)
        return ""

    def _stays(self, campaign: Campaign, shown: Shown) -> bool:
        return (key := shown.key()) in self._known or is_kept(campaign, key)


def shown_of(campaign: Campaign, behaviour: Behaviour, synthesizer: str, trials: Sequence[Trial]) -> Iterator[Shown]:
    """Yield scenes of a behaviour with what was found on them, to be shown again."""
    engine = campaign.engine(behaviour, synthesizer)
    by_id = {background.id: background for background in campaign.backgrounds(behaviour)}
    return (Shown(engine, by_id[trial.background], trial) for trial in trials)


def is_kept(campaign: Campaign, key: str) -> bool:
    """Return whether an earlier run kept this of a detector that cannot have changed since."""
    return campaign.store.get(KIND, key) is not None and not may_change_unseen(campaign.providers.detector)


def keep(campaign: Campaign, key: str) -> None:
    """Keep for later runs what was seen of a detector that cannot change under its identity."""
    if not may_change_unseen(campaign.providers.detector):
        _put(campaign, key, b"")


def _put(campaign: Campaign, key: str, data: bytes) -> None:
    with suppress(StoreError):  # a store that cannot be written only costs asking again
        campaign.store.put(KIND, key, data)


def _first_changed(detector: Detector, pictures: Sequence[tuple[Shown, float]]) -> str:
    """Return that a detector answers otherwise to any of several pictures; no more are shown at once than in a run."""
    for start in range(0, len(pictures), BATCH):
        asked = pictures[start : start + BATCH]
        answers = ask(detector, [shown.radiograph() for shown, _ in asked])
        for (shown, point), answer in zip(asked, answers, strict=True):
            if changed := _changed(detector, shown, point, answer):
                return changed
    return ""


def _changed(detector: Detector, shown: Shown, point: float, answer: Sequence[Finding]) -> str:
    """Return that a detector answers otherwise, where it does.

    Args:
        detector: Of the run.
        shown: With findings, or without any.
        point: The operating point; where nothing was found, a finding by rounding is told from others by it.
        answer: What it reports now.
    """
    if sightings := shown.trial.sightings:
        loud = max((s.finding for s in sightings), key=lambda finding: finding.score)
        near = at_its_place(answer, loud, rounding_px(shown.trial.shape))
        apart, least = min((abs(one.score - loud.score) for one in near), default=loud.score), APART
        what = f", alone: its finding of {loud.score:.3g} is {apart:.3g} away"
    else:
        apart, least = max((one.score for one in answer), default=0.0), max(point, 2 * APART) + APART
        what = f": where it had reported nothing it reports up to {apart:.3g}"
    if apart <= least:
        return ""
    return (
        f"detector {detector.identity.name!r} answers otherwise than earlier in this run, or in one whose findings "
        f"the store keeps, when it is shown {shown.background.id!r} again{what} "
        f"({counted(len(answer), 'finding')} now)"
    )


def _with_findings(campaign: Campaign, gathered: Gathered) -> Iterator[Shown]:
    """Yield the scenes with a finding at the operating point."""
    for name, held in gathered.evidence.items():
        for shown in shown_of(campaign, gathered.behaviour, name, held.trials):
            if shown.trial.loudest >= max(held.operating_point, 2 * APART):
                yield shown


def _silent(campaign: Campaign, gathered: Gathered) -> Iterator[tuple[Shown, float]]:
    """Yield of each arm the last scenes on which nothing was found, of this run and of earlier ones, with the point."""
    for name, held in gathered.evidence.items():
        silent = (trial for trial in held.trials if not trial.sightings)
        of_arm = grouped(((trial.arm, trial.radiograph_sha256 in campaign.silent), trial) for trial in silent)
        last = [trial for trials in of_arm.values() for trial in trials[-SILENT:]]
        for shown in shown_of(campaign, gathered.behaviour, name, last):
            yield shown, held.operating_point
