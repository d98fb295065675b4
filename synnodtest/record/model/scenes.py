"""Scenes: what was planted, what was found, and what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from synnodtest.decoding import JsonObject, Member
from synnodtest.evidence.arm import UNTOUCHED_ARM, Arm
from synnodtest.record.model.members import Box, Count, Text

_ONLY_IF_SO = Member(omitted=True)


@dataclass(frozen=True)
class NoduleEntry:
    """A planted nodule.

    Args:
        name: In its behaviour.
        box: Of its truth mask: x_min, y_min, x_max, y_max in pixels of the radiograph.
        centre_px: Of the box.
        requested: What was asked for.
        diameter_mm: Realised.
        contrast: Realised.
        density: Realised attenuation relative to soft tissue, where one was requested.
        contrast_in_place: Against what lies around it.
        conspicuity: How visible it is.
        regions: It lies in.
        hit: Whether a finding of at least the operating point hits it.
        confidence: Score of the finding that hits it, 0 if none.
    """

    name: str
    box: Box
    centre_px: tuple[float, ...] = ()
    requested: JsonObject = field(default_factory=dict)
    diameter_mm: float | None = None
    contrast: float | None = None
    density: float | None = None
    contrast_in_place: float | None = None
    conspicuity: float | None = None
    regions: tuple[str, ...] = ()
    hit: bool | None = None
    confidence: float | None = None

    def asked(self, key: str) -> float | None:
        """Return a requested number; None where none was."""
        return _number(self.requested.get(key))

    def realised(self, key: str) -> float | None:
        """Return a measured number by its key; None where there is none."""
        return _number(getattr(self, key, None))


def _number(value: object) -> float | None:
    return value if isinstance(value, (int, float)) else None


@dataclass(frozen=True)
class FindingEntry:
    """A finding of the detector.

    Args:
        box: x_min, y_min, x_max, y_max in pixels of the radiograph.
        score: The detector's.
        regions: Its centre lies in.
        hits: Name of the nodule that it hits.
        duplicate: A further finding on a nodule that is hit already.
    """

    box: Box
    score: float
    regions: tuple[str, ...] = ()
    hits: Annotated[str | None, _ONLY_IF_SO] = None
    duplicate: Annotated[bool, _ONLY_IF_SO] = False


@dataclass(frozen=True)
class SceneEntry:
    """One scene.

    Args:
        recipe: From which it is made again.
        background: Its id.
        nodules: Planted.
        findings: Of the detector.
        synthesizer: That planted.
        patient: Where it is known.
        cluster: Of scenes that are not independent.
        strata: What is known of the background.
        arm: Of the behaviour; with @ in front one of the harness.
        behaviour: It was first made for.
        spacing_mm: Of a pixel, row and column.
        shape: Of the radiograph, rows and columns.
        radiograph_sha256: Of its content.
        accepted: Kept by rules that know of no detector.
        rejected_because: Why not.
    """

    recipe: JsonObject
    background: str
    nodules: tuple[NoduleEntry, ...]
    findings: tuple[FindingEntry, ...]
    synthesizer: str = ""
    patient: str = ""
    cluster: str = ""
    strata: JsonObject = field(default_factory=dict)
    arm: str = ""
    behaviour: str = ""
    spacing_mm: tuple[float, ...] = ()
    shape: tuple[int, ...] = ()
    radiograph_sha256: str = ""
    accepted: bool = True
    rejected_because: str = ""
    raw: Annotated[JsonObject, Member(whole=True)] = field(default_factory=dict, repr=False, compare=False)

    @property
    def of_own_arm(self) -> bool:
        """True where its arm is one of the behaviour's own."""
        return Arm(self.arm).is_own

    @property
    def untouched(self) -> bool:
        """True where it is a background without anything planted, under whatever perturbation."""
        return Arm(self.arm).is_from(UNTOUCHED_ARM)

    @property
    def independent(self) -> str:
        """The cluster; without one the background."""
        return self.cluster or self.background


@dataclass(frozen=True)
class PictureEntry:
    """Pictures of one scene; all but the first four are paths below the run's folder.

    Args:
        scene: Its id.
        expectation: For which it is shown.
        rule: By which it was chosen.
        caption: What it shows.
        background: Untouched.
        synthetic: What the detector saw.
        difference: Of the two.
        boxes: Truth and findings.
        whole: The whole radiograph.
        background_crop: Large.
        synthetic_crop: Large.
        difference_crop: Large.
        boxes_crop: Large.
        background_png16: Lossless.
        synthetic_png16: Lossless.
    """

    scene: str
    expectation: str
    rule: str
    caption: str = ""
    background: Annotated[Text, _ONLY_IF_SO] = ""
    synthetic: Annotated[Text, _ONLY_IF_SO] = ""
    difference: Annotated[Text, _ONLY_IF_SO] = ""
    boxes: Annotated[Text, _ONLY_IF_SO] = ""
    whole: Annotated[Text, _ONLY_IF_SO] = ""
    background_crop: Annotated[Text, _ONLY_IF_SO] = ""
    synthetic_crop: Annotated[Text, _ONLY_IF_SO] = ""
    difference_crop: Annotated[Text, _ONLY_IF_SO] = ""
    boxes_crop: Annotated[Text, _ONLY_IF_SO] = ""
    background_png16: Annotated[Text, _ONLY_IF_SO] = ""
    synthetic_png16: Annotated[Text, _ONLY_IF_SO] = ""

    def path(self, role: str) -> str:
        """Return the path of a picture by its role; empty where there is none."""
        return str(getattr(self, role, ""))


@dataclass(frozen=True)
class IntervalEntry:
    """An estimate with its bounds.

    Args:
        value: The estimate.
        lower: Lower bound.
        upper: Upper bound.
    """

    value: float | None = None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class ShamEntry:
    """The sham control of one behaviour and synthesizer.

    Args:
        behaviour: Of the scenes.
        synthesizer: That made the edit.
        mode: How it plants.
        status: What the control says.
        sentence: In words.
        n: Pairs.
        n11: Fired on both.
        n10: On the sham edit alone.
        n01: On the untouched radiograph alone.
        n00: On neither.
        estimate: The difference; null without pairs.
        file: Of the behaviour; earlier records do not say.
    """

    behaviour: str
    synthesizer: str
    mode: str
    status: str
    sentence: str
    n: Count = 0
    n11: Count = 0
    n10: Count = 0
    n01: Count = 0
    n00: Count = 0
    estimate: IntervalEntry | None = None
    file: Annotated[str, Member(omitted=True)] = ""
