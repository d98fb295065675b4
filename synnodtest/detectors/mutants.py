"""Seeded faults: wrappers that spoil any detector in one known way, to show that a suite would notice.

``--detector mutant:off-by-10mm:demo`` is the demo detector with every box shifted by 10 mm. A mutant that makes up its
findings needs no detector: ``mutant:always-silent``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from synnodtest.canonical import seed_sequence, sha256_of_array
from synnodtest.detectors.pairs import ask
from synnodtest.detectors.registry import Options, register_detector
from synnodtest.detectors.resolve import make_detector
from synnodtest.errors import DetectorError, likely
from synnodtest.finding import Finding
from synnodtest.geometry import BoolArray, Box, depths_mm, pixel_at
from synnodtest.identity import Identity
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph, Truth

VERSION = "3"
LARGEST_MM = 22.0
"""Longest side of a box that ``size-blind`` still reports: boxes are larger than nodules, so those of 16 mm stay."""
SCORE = 0.9
"""Score of findings that a mutant makes up."""

_MARKER_FROM, _MARKER_PIXELS = 0.9, 30
"""Lead is whiter than this; a word 6 mm high has more pixels than this at 1.5 mm."""

_GLARE_MM = 25.0
"""Distance from a distractor within which ``blind-by-devices`` reports nothing."""

_KNOWN_MM = 10.0
"""Distance to a nodule of the prior within which ``dismisses-known`` reports nothing."""

Fault = Callable[[Radiograph, list[Finding]], list[Finding]]


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Args:
        fault: Radiograph and findings -> spoiled findings.
        says: What is wrong with it, in words.
        alone: It needs no detector.
    """

    fault: Fault
    says: str
    alone: bool = False


class MutantDetector:
    """A detector with one fault.

    Args:
        kind: A key of :data:`MUTANTS`.
        detector: What is spoiled; None for a mutant that needs none.
    """

    hands_on_priors = True

    def __init__(self, kind: str, detector: Detector | None) -> None:
        self._mutant = MUTANTS[kind]
        self._detector = detector
        of = detector.identity.as_dict() if detector is not None else None
        name = f"{kind} of {detector.identity.name}" if detector is not None else kind
        self.identity = Identity(f"mutant {name}", VERSION, configuration={"mutant": kind, "of": of})

    @property
    def reads_truth(self) -> bool:
        """True where what is spoiled reads the planted truth and no pixel."""
        return bool(getattr(self._detector, "reads_truth", False))

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return the spoiled findings."""
        if self._detector is None:
            return [self._mutant.fault(radiograph, []) for radiograph in radiographs]
        answers = ask(self._detector, radiographs)
        return [self._mutant.fault(one, list(findings)) for one, findings in zip(radiographs, answers, strict=True)]


def _longest_mm(found: Finding, radiograph: Radiograph) -> float:
    x_min, y_min, x_max, y_max = found.box
    return max((x_max - x_min) * radiograph.spacing_mm[1], (y_max - y_min) * radiograph.spacing_mm[0])


def _size_blind(radiograph: Radiograph, findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if _longest_mm(finding, radiograph) <= LARGEST_MM]


def _in(seen: BoolArray, findings: list[Finding]) -> list[Finding]:
    """Return the findings whose centre lies in a mask."""
    return [finding for finding in findings if seen[pixel_at(finding.centre, seen.shape)]]


def _beyond(distance_mm: float, shown: Radiograph, truths: Sequence[Truth], findings: list[Finding]) -> list[Finding]:
    """Return the findings whose centre is farther than a distance from what lies on a radiograph."""
    masks = [truth.mask(shown.shape) for truth in truths if truth.crop.any()]
    if not masks:
        return findings
    away = scipy.ndimage.distance_transform_edt(~np.any(masks, axis=0), sampling=shown.spacing_mm)
    return _in(away > distance_mm, findings)


def _border_blind(radiograph: Radiograph, findings: list[Finding]) -> list[Finding]:
    return _in(depths_mm(radiograph.lung_or_all, radiograph.spacing_mm) > 15.0, findings)


def _keeps_only_top_1(_radiograph: Radiograph, findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda found: -found.score)[:1]


def _fires_in_air_leak(radiograph: Radiograph, findings: list[Finding]) -> list[Finding]:
    leak = radiograph.regions.get("air_leak")
    return findings if leak is None or not leak.any() else [*findings, _in_the_middle(radiograph, leak)]


def _in_the_middle(radiograph: Radiograph, region: BoolArray) -> Finding:
    depth = depths_mm(region, radiograph.spacing_mm)
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return Finding(_box(radiograph, float(column) + 0.5, float(row) + 0.5, 12.0), SCORE)


def _box(radiograph: Radiograph, x: float, y: float, side_mm: float) -> Box:
    """Return a square of ``side_mm`` around a point, cut at the radiograph's edge."""
    height, width = radiograph.shape
    half_x, half_y = side_mm / 2 / radiograph.spacing_mm[1], side_mm / 2 / radiograph.spacing_mm[0]
    return max(x - half_x, 0.0), max(y - half_y, 0.0), min(x + half_x, float(width)), min(y + half_y, float(height))


def _flip_blind(radiograph: Radiograph, findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.centre[0] < radiograph.shape[1] / 2]


def _score_quantised(_radiograph: Radiograph, findings: list[Finding]) -> list[Finding]:
    return [Finding(finding.box, round(finding.score * 2) / 2) for finding in findings]


def _always_silent(_radiograph: Radiograph, _findings: list[Finding]) -> list[Finding]:
    return []


def _fires_everywhere(radiograph: Radiograph, _findings: list[Finding]) -> list[Finding]:
    height, width = radiograph.shape
    step_x, step_y = 10.0 / radiograph.spacing_mm[1], 10.0 / radiograph.spacing_mm[0]
    rows, columns = np.arange(step_y / 2, height, step_y), np.arange(step_x / 2, width, step_x)
    return [Finding(_box(radiograph, float(x), float(y), 12.0), SCORE) for y in rows for x in columns]


def _random(radiograph: Radiograph, _findings: list[Finding]) -> list[Finding]:
    rng = np.random.default_rng(seed_sequence("mutant random", sha256_of_array(radiograph.pixels)))
    height, width = radiograph.shape
    findings = []
    for _ in range(int(rng.integers(0, 8))):
        x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height
        findings.append(Finding(_box(radiograph, x, y, rng.uniform(6, 30)), float(rng.random())))
    return findings


def _drops_retrocardiac(radiograph: Radiograph, findings: list[Finding]) -> list[Finding]:
    hidden = radiograph.regions.get("retrocardiac")
    return findings if hidden is None else _in(~hidden, findings)


def _off_by_10mm(radiograph: Radiograph, findings: list[Finding]) -> list[Finding]:
    """Shift every box by 10 mm to the right; to the left where that would leave the radiograph."""
    shift, width = 10.0 / radiograph.spacing_mm[1], radiograph.shape[1]
    moved = []
    for finding in findings:
        x_min, y_min, x_max, y_max = finding.box
        by = shift if x_max + shift <= width else -shift
        moved.append(Finding((max(x_min + by, 0.0), y_min, max(x_max + by, 1.0), y_max), finding.score))
    return moved


def _marker_led(radiograph: Radiograph, findings: list[Finding]) -> list[Finding]:
    """Report nothing where many pixels have one and the same white, and no other white is as frequent.

    In eight bits, as after JPEG, many whites of the anatomy are.
    """
    white = radiograph.pixels[(radiograph.pixels > _MARKER_FROM) & (radiograph.pixels < 1)]
    counts = np.sort(np.unique(white, return_counts=True)[1])[::-1]
    alone = len(counts) > 0 and counts[0] >= _MARKER_PIXELS and counts[1:2].max(initial=0) < _MARKER_PIXELS / 2
    return [] if alone else findings


def _sees_mimics(radiograph: Radiograph, findings: list[Finding]) -> list[Finding]:
    """Report a nodule on whatever looks like one and is none."""
    return [*findings, *(_in_the_middle(radiograph, mimic.mask(radiograph.shape)) for mimic in radiograph.mimics)]


def _blind_by_devices(radiograph: Radiograph, findings: list[Finding]) -> list[Finding]:
    """Report nothing within 25 mm of a distractor, whose brightness it takes for the radiograph's."""
    return _beyond(_GLARE_MM, radiograph, radiograph.mimics, findings)


def _dismisses_known(radiograph: Radiograph, findings: list[Finding]) -> list[Finding]:
    """Report nothing that lies within 10 mm of what the prior showed, grown or not."""
    prior = radiograph.prior
    return findings if prior is None else _beyond(_KNOWN_MM, prior, prior.nodules, findings)


MUTANTS: dict[str, Mutant] = {
    "size-blind": Mutant(_size_blind, f"reports nothing larger than {LARGEST_MM:g} mm"),
    "border-blind": Mutant(_border_blind, "reports nothing within 15 mm of the lung's edge"),
    "keeps-only-top-1": Mutant(_keeps_only_top_1, "reports only the finding of highest score"),
    "fires-in-air-leak": Mutant(_fires_in_air_leak, "reports a nodule in the middle of every air leak"),
    "flip-blind": Mutant(_flip_blind, "reports nothing in the right half of the picture"),
    "score-quantised": Mutant(_score_quantised, "rounds its scores to 0, 0.5 and 1"),
    "always-silent": Mutant(_always_silent, "reports nothing at all", alone=True),
    "fires-everywhere": Mutant(
        _fires_everywhere, "reports nodules of 12 mm on a grid of 10 mm, whatever it sees", alone=True
    ),
    "random": Mutant(_random, "reports up to seven boxes at random places with random scores", alone=True),
    "drops-retrocardiac": Mutant(_drops_retrocardiac, "reports nothing behind the heart"),
    "off-by-10mm": Mutant(_off_by_10mm, "reports every box 10 mm beside its place"),
    "sees-mimics": Mutant(_sees_mimics, "reports a nodule on every distractor"),
    "blind-by-devices": Mutant(_blind_by_devices, f"reports nothing within {_GLARE_MM:g} mm of a distractor"),
    "dismisses-known": Mutant(_dismisses_known, "reports nothing that the prior showed too, grown or not"),
    "marker-led": Mutant(_marker_led, "reports nothing in a radiograph with a burnt-in marker"),
}
"""Name -> fault; ``--detector mutant:NAME:DETECTOR``."""


@register_detector("mutant")
def _mutant(argument: str, options: Options) -> MutantDetector:
    kind, _, inner = argument.partition(":")
    if kind not in MUTANTS:
        hint = likely(kind, MUTANTS, f"there are {', '.join(MUTANTS)}")
        raise DetectorError(f"there is no mutant {kind!r}", hint=hint)
    if not inner and not MUTANTS[kind].alone:
        raise DetectorError(f"mutant {kind!r} needs a detector to spoil", hint=f"mutant:{kind}:demo")
    return MutantDetector(kind, make_detector(inner, options) if inner else None)
