"""Units that two arms share: the same backgrounds, nodules and seeds, paired one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from synnodtest.counted import counted
from synnodtest.evidence.arm import UNDER_ARM
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, nodules_of
from synnodtest.expectations.language import METRIC, Selection, option, reference, share
from synnodtest.expectations.limits import REFERENCE_AT_LEAST
from synnodtest.expectations.metrics import ON_IMAGES, RATES, of_image, of_nodule
from synnodtest.expectations.rates import Pairs

NodulePair = tuple[tuple[Trial, NoduleTrial], tuple[Trial, NoduleTrial]]


@dataclass(frozen=True)
class Compared(Selection):
    """Parameters of a comparison of two arms."""

    arm: str | None = option("The arm under test.", reference("name"))
    metric: str = option(*METRIC, stated=True)
    reference: str | None = option("The arm it is compared with.", reference("name"))
    reference_at_least: float = option(
        "Sensitivity of the reference, where images are compared of both arms, must exceed this, else INCONCLUSIVE: "
        "two silent arms prove nothing. Default 0.2.",
        share(default=REFERENCE_AT_LEAST),
        REFERENCE_AT_LEAST,
    )

    @property
    def under(self) -> Sequence[tuple[str, Any]] | None:
        """Perturbations that make the arm out of the reference; None where the scenes have both arms."""
        return None

    @property
    def on_images(self) -> bool:
        """True where images are compared, not nodules."""
        return self.metric in ON_IMAGES

    @property
    def rates(self) -> bool:
        """True where the metric is yes or no of each unit."""
        return self.metric in RATES


@dataclass(frozen=True)
class Comparison:
    """One metric in two arms, unit by unit.

    Args:
        metric: ``sensitivity``, ``confidence``, ``specificity`` or ``false_positives_per_image``.
        names: What the arm and its reference are called.
        trials: The arm's scene of each unit (a nodule, or an image).
        arm: The metric of each unit in the arm.
        reference: The same in the reference.
        gate: Nodules of the reference, by which it shows that it detects anything; where images are compared, those of
            the side that detects fewer: silence there is no quiet.
        nodules: Each nodule with its scene, in the arm and in the reference.
        lost: Nodules that are in the reference but not (or no longer) in the arm.
        alone: Units of the reference that have no partner, though the arm has their like on other backgrounds.
        identical: Whether the detector saw the same pixels in both arms, throughout.
        gated: Which of the names the gate is of.
    """

    metric: str
    names: tuple[str, str]
    trials: Sequence[Trial]
    arm: Sequence[float]
    reference: Sequence[float]
    gate: Pairs = field(default=(), repr=False)
    nodules: Sequence[NodulePair] = field(default=(), repr=False)
    lost: int = 0
    alone: int = 0
    identical: bool = False
    gated: Literal[0, 1] = 1

    @property
    def label(self) -> str:
        """Name of the difference."""
        return f"difference in {self.metric.replace('_', ' ')} ({self.names[0]} - {self.names[1]})"

    def notes(self) -> list[str]:
        """Return what a reader must know of the pairing."""
        if not self.lost:
            return []
        there, of = self.names
        words = (("nodule", "is"), ("nodules", "are"))
        one, many = (f"{noun} of {of} {be} not in {there} and {be} not compared" for noun, be in words)
        return [counted(self.lost, one, many)]

    def reasons(self) -> list[str]:
        """Return why nothing can be decided: the pairs that are left do not speak for all where most dropped out."""
        if self.alone <= len(self.trials):
            return []
        every = self.alone + len(self.trials)
        return [f"{self.alone} of {every} of {self.names[1]} have no partner in {self.names[0]}"]


def compare(parameters: Compared, evidence: Evidence) -> Comparison:
    """Pair what the expectation compares, by background, replicate, swept values and nodule.

    ``where`` and ``of`` choose nodules of the reference; their partners follow. Images are compared on untouched
    backgrounds under each arm's perturbations, or on the arms' own scenes where the arms differ in their nodules.
    """
    metric, point = parameters.metric, evidence.operating_point
    pairs, lost, alone = _nodule_pairs(parameters, evidence)
    # a reference that plants none is gated by whatever nodules there are
    gate = [reference for _, reference in pairs] or evidence.nodules(of=parameters.of, where=parameters.where)
    gated: Literal[0, 1] = 1
    if metric in ON_IMAGES:
        found = [sum(pair[side][1].detected(point) for pair in pairs) for side in (0, 1)]
        if found[0] < found[1]:
            gate, gated = [tested for tested, _ in pairs], 0
        images, alone = _image_pairs(parameters, evidence)
        scenes = images
        lost, trials = 0, [trial for trial, _ in images]
        arm, reference = ([of_image(metric, pair[k], point) for pair in images] for k in (0, 1))
    else:
        scenes = [(trial, other) for (trial, _), (other, _) in pairs]
        trials = [trial for trial, _ in scenes]
        arm, reference = ([of_nodule(metric, pair[k][1], point) for pair in pairs] for k in (0, 1))
    same = all(one.radiograph_sha256 == other.radiograph_sha256 != "" for one, other in scenes)
    return Comparison(metric, _names(parameters), trials, arm, reference, gate, pairs, lost, alone, same, gated)


def is_arm(parameters: Compared, trial: Trial) -> bool:
    """Return whether a scene is of the arm under test, not of its reference."""
    return trial.arm.is_from(UNDER_ARM) if parameters.under is not None else trial.arm == parameters.arm


def _names(parameters: Compared) -> tuple[str, str]:
    if parameters.under is not None:
        return "under " + ", ".join(kind for kind, _ in parameters.under), "unperturbed"
    return str(parameters.arm), str(parameters.reference)


def _arms(parameters: Compared, evidence: Evidence) -> tuple[list[Trial], list[Trial]]:
    """Return the arm's and the reference's own scenes."""
    if parameters.under is not None:
        reference = list(evidence.own(parameters.arm))
        under = {UNDER_ARM.of(t.arm) for t in reference}
        return [t for t in evidence.trials if t.arm in under], reference
    return list(evidence.own(parameters.arm)), list(evidence.own(parameters.reference))


def _place(parameters: Compared, trial: Trial) -> tuple[Any, ...]:
    arm = trial.arm.before(UNDER_ARM) if parameters.under is not None else ""
    return *trial.place, arm


def _nodule_pairs(parameters: Compared, evidence: Evidence) -> tuple[list[NodulePair], int, int]:
    """Return the same nodule in both arms, and how many of the reference's have no partner.

    First those whose scene the arm has, without them; then those of a name that the arm has elsewhere.
    """
    arm, reference = _arms(parameters, evidence)
    partners = {(*_place(parameters, t), n.name): (t, n) for t in arm for n in t.nodules}
    scenes, names = {_place(parameters, t) for t in arm}, {n.name for t in arm for n in t.nodules}
    pairs: list[NodulePair] = []
    lost = alone = 0
    for trial, nodule in nodules_of(reference, parameters.of, parameters.where):
        place = _place(parameters, trial)
        if (*place, nodule.name) in partners:
            pairs.append((partners[*place, nodule.name], (trial, nodule)))
        else:
            lost += place in scenes
            alone += nodule.name in names
    return pairs, lost, alone


def _image_pairs(parameters: Compared, evidence: Evidence) -> tuple[list[tuple[Trial, Trial]], int]:
    """Return the same image in both arms, and how many of the reference's have no partner."""
    where, under = parameters.where, parameters.under is not None
    reference = list(evidence.untouched(parameters.arm if under else parameters.reference, where=where))
    if under:
        arm = [t for t in evidence.trials if is_arm(parameters, t)]
    else:
        arm = list(evidence.untouched(parameters.arm, where=where))
    if not reference:
        arm, reference = _arms(parameters, evidence)
    chosen = [t for t in reference if not (where and t.nodules) or nodules_of([t], where=where)]
    partners = {_place(parameters, t): t for t in arm}
    joined = [(partners[place], t) for t in chosen if (place := _place(parameters, t)) in partners]
    return joined, len(chosen) - len(joined)
