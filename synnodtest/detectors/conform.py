"""Does an adapter do what a detector must? A dozen questions, asked before a run costs an hour.

The detector is shown radiographs with one conspicuous nodule each, neither square nor alike. Where its boxes do not lie
on the nodules, they are read in every other way that adapters get wrong, and the way that fits is the diagnosis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from synnodtest.counted import counted
from synnodtest.detectors import conform_geometry
from synnodtest.detectors.conform_likeness import SCORE_TOLERANCE, alike, difference, places
from synnodtest.detectors.conform_pictures import below_a_step, blind, conspicuous_radiographs, mirrored, smaller
from synnodtest.detectors.guard import Guard, checked, unguarded
from synnodtest.detectors.resolve import in_guard
from synnodtest.errors import DetectorError
from synnodtest.finding import Finding
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph

ENOUGH = 0.6
"""Share of the nodules that must be found for a statement about boxes."""
X_OFFSET_PX = 0.6
"""Shift of boxes along x, in pixels: edges rounded to whole pixels make half a pixel of it, edges that count from 1 a
whole one."""
TRUTH_OFFSET_PX = 4.0
"""Distance of boxes from the nodules, in pixels, by the median; set by hand: a right detector's boxes scatter by less,
a padding forgotten leaves more."""
AT_ONCE = 8
"""Radiographs of a batch at least: as many as a run shows at once, for what an adapter's own batch does not hold may be
lost."""
CUT = 0.01
"""Score up to which findings may be left out: so low, they come and go with rounding (``conform_likeness``)."""
LOUD = 0.05
"""A highest score below this, on conspicuous nodules, is next to no finding at the operating points of any spec."""


_IN_PYTHON = "in Python: synnodtest.detectors.conform.conform(detector, radiographs)"


@dataclass(frozen=True)
class Check:
    """One question and its answer.

    Args:
        name: What was asked.
        passed: True or False; None where it could not be told.
        says: What was seen.
        remedy: What to change.
    """

    name: str
    passed: bool | None
    says: str
    remedy: str = ""


Findings = list[list[Finding]]
Ask = Callable[[Sequence[Radiograph]], Findings]


def conform(detector: Detector, radiographs: Sequence[Radiograph] | None = None) -> list[Check]:
    """Ask a detector whether its adapter is right.

    Args:
        detector: From ``resolve_detector``.
        radiographs: Each with one conspicuous nodule in its truth; phantoms by default.

    Returns:
        One check per question, in order. After an answer that cannot be used the later questions are not asked.
    """
    return list(answers(detector, radiographs))


def answers(
    detector: Detector,
    radiographs: Sequence[Radiograph] | None = None,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Check]:
    """Yield the checks of :func:`conform`, each as soon as it is known.

    Args:
        detector: From ``resolve_detector``.
        radiographs: Each with one conspicuous nodule in its truth; phantoms by default.
        progress: Called after each of the radiographs that the first answer takes, with how many of how many are seen.
    """
    guard = in_guard(detector)
    pictures = list(radiographs) if radiographs is not None else conspicuous_radiographs()
    single: Findings = []
    try:
        for radiograph in pictures:
            single += guard.detect_anywhere([blind(radiograph)])
            progress(len(single), len(pictures))
    except DetectorError as error:
        yield Check("answer", False, error.message, error.hint)
        return
    yield Check("answer", True, f"a list of findings for each of {counted(len(pictures), 'radiograph')}")
    yield _findings(single)
    batch = _guarded("batch", lambda: _batch(guard, pictures, single))
    ask = guard.detect_anywhere if batch.passed else partial(_one_by_one, guard)
    yield from _geometry(ask, pictures, single)
    yield from _blank(guard, pictures, single)
    yield _guarded("repeatable", lambda: _repeatable(guard, pictures, single))
    yield batch
    yield _guarded("bit depth", lambda: _bit_depth(ask, pictures, single))
    yield scores_check([finding.score for items in single for finding in items])
    yield from _low_scores(detector)


def _one_by_one(guard: Guard, radiographs: Sequence[Radiograph]) -> Findings:
    """Ask about many radiographs of a detector whose batches are not known to be right."""
    return [guard.detect_anywhere([one])[0] for one in radiographs]


def _guarded(name: str, ask: Callable[[], Check]) -> Check:
    try:
        return ask()
    except DetectorError as error:
        return Check(name, False, error.message, error.hint)


def _geometry(ask: Ask, shown: Sequence[Radiograph], single: Findings) -> list[Check]:
    hit = conform_geometry.hits(conform_geometry.READINGS[0], shown, single)
    if hit < ENOUGH * len(shown):
        diagnosed = _diagnosed(ask, shown, single, hit)
        return [diagnosed, *(_edges(shown, single) if diagnosed.passed is None else ())]
    place = Check("box", True, f"{hit} of {len(shown)} conspicuous nodules lie in a box")
    turned = _guarded("flip", lambda: _flip(ask, shown, single))
    return [place, *_edges(shown, single), _size(ask, shown, hit), turned, _offset(shown, single)]


def _edges(shown: Sequence[Radiograph], single: Findings) -> list[Check]:
    """Return what a run would refuse of the boxes: one that leaves its radiograph, or is empty. Else nothing."""
    try:
        checked(single, shown, "a run refuses this answer")
    except DetectorError as error:
        return [Check("edges", False, error.message, "clip boxes to the radiograph, leave out what lies outside")]
    return []


def _diagnosed(ask: Ask, shown: Sequence[Radiograph], single: Findings, found: int) -> Check:
    """Say which other reading of the boxes lies on the nodules, or whether grey values are upside down."""
    best = max(conform_geometry.READINGS[1:], key=lambda reading: conform_geometry.hits(reading, shown, single))
    most = conform_geometry.hits(best, shown, single)
    if most >= ENOUGH * len(shown) and most >= found + 2:
        return Check("box", False, f"{most} of {len(shown)} boxes fit the nodules if read as {best.says}", best.remedy)
    inverted = [replace(blind(one), pixels=np.float32(1) - one.pixels) for one in shown]
    try:
        upside_down = conform_geometry.hits(conform_geometry.READINGS[0], shown, ask(inverted))
    except DetectorError:
        upside_down = 0
    if upside_down >= ENOUGH * len(shown) and upside_down >= found + 2:
        says = f"{upside_down} of {len(shown)} nodules are found on inverted radiographs and {found} on right ones"
        return Check("grey values", False, says, "pixels are 0..1 with air dark; do not invert them")
    says = f"{found} of {len(shown)} conspicuous nodules lie in a box, whichever way boxes are read"
    return Check(
        "box", None, says, f"the detector may not know phantoms: give radiographs that it knows ({_IN_PYTHON})"
    )


def _size(ask: Ask, shown: Sequence[Radiograph], found: int) -> Check:
    """Look whether boxes follow a radiograph to fewer pixels: those of a network's input fit one size alone."""
    copies = [smaller(one) for one in shown]
    try:
        moved, unmoved = conform_geometry.hits_of_smaller(shown, copies, ask(copies))
    except DetectorError as error:
        return Check("size", None, f"smaller copies are not answered: {error.message}")
    if unmoved >= ENOUGH * found and unmoved >= moved + 2:
        says = f"on smaller copies {unmoved} of {found} boxes lie where they did, and {moved} on the nodules"
        return Check("size", False, says, conform_geometry.IN_PIXELS)
    return Check(
        "size", moved >= ENOUGH * found or None, f"on smaller copies {moved} of {found} boxes lie on the nodules"
    )


def _flip(ask: Ask, shown: Sequence[Radiograph], single: Findings) -> Check:
    """Compare each box with that on the mirrored radiograph: a constant shift shows as twice itself."""
    answers = ask([mirrored(one) for one in shown])
    offsets = conform_geometry.offset_along_x(shown, single, answers)
    unturned = conform_geometry.hits(conform_geometry.READINGS[0], shown, single)
    if len(offsets) < 0.5 * unturned:
        says = f"of {unturned} nodules found, {len(offsets)} are found on the mirrored radiograph"
        return Check("flip", False, says, "does the adapter use a fixed part of the picture, or a stale one?")
    shift = float(np.median(offsets))
    if abs(shift) <= X_OFFSET_PX:
        return Check("flip", True, f"mirrored radiographs give mirrored boxes (shift {shift:+z.2f} pixels)")
    says = f"boxes and those on mirrored radiographs disagree by {2 * shift:+.1f} pixels"
    if _may_be_scatter([offset * np.sign(shift) for offset in offsets]):
        says += f" by the median, and by {2 * min(offsets):+z.1f} to {2 * max(offsets):+z.1f} one by one"
        return Check(
            "flip", None, says, "a network scatters so away from the size it was trained at; no shift is shown"
        )
    remedy = "edges count from 0 at the left of the first pixel; subtract what is too much"
    return Check("flip", False, f"{says}: all are {shift:+.1f} too far", remedy)


def _may_be_scatter(offsets: Sequence[float]) -> bool:
    """Return whether so many lie beyond the limit by chance, around a median at it, in more than one of 20 cases."""
    n, within = len(offsets), sum(offset <= X_OFFSET_PX for offset in offsets)
    return 20 * sum(math.comb(n, k) for k in range(within + 1)) > 1 << n


def _offset(shown: Sequence[Radiograph], single: Findings) -> Check:
    x, y = conform_geometry.offset_from_truth(shown, single)
    says = f"boxes lie {x:+z.1f} pixels along x and {y:+z.1f} along y from the nodules, by the median"
    if max(abs(x), abs(y)) > TRUTH_OFFSET_PX:
        return Check("offset", False, says, "is the padding of the network's input subtracted, and the scale undone?")
    return Check("offset", True, says)


def _findings(single: Findings) -> Check:
    """Say loudly where nothing is found at all: every later answer is then about nothing."""
    scores = [finding.score for items in single for finding in items]
    what = f"any of {len(single)} radiographs with one conspicuous nodule each"
    remedy = (
        "a pass of specificity or false positives is worthless from a detector that never reports: are the right "
        f"outputs and classes read, and do the pixels arrive? If it only knows real films, show it those ({_IN_PYTHON})"
    )
    if not scores:
        return Check("findings", False, f"NO FINDING ON ANY PHANTOM: nothing at any score on {what}", remedy)
    if max(scores) < LOUD:
        says = f"NO FINDING of {LOUD:g} or more ON ANY PHANTOM: the highest score on {what} is {max(scores):.3g}"
        return Check("findings", None, says, remedy)
    count = sum(any(finding.score >= LOUD for finding in items) for items in single)
    return Check("findings", True, f"{count} of {len(single)} radiographs have findings of {LOUD:g} or more")


def _blank(guard: Guard, shown: Sequence[Radiograph], single: Findings) -> list[Check]:
    """Ask about a black picture in the place of a radiograph: there must be an answer, and another one than on that.

    Name and size stay those of the radiograph: an adapter that keeps its answers by either gives that again.
    """
    blank = replace(blind(shown[0]), pixels=np.zeros(shown[0].shape, np.float32))
    try:
        findings = guard.detect_anywhere([blank])[0]
    except DetectorError as error:
        return [Check("empty radiograph", False, error.message, error.hint)]
    return [
        Check("empty radiograph", True, f"{counted(len(findings), 'finding')} on a black picture"),
        _sees_the_picture(shown, single, findings),
    ]


def _sees_the_picture(shown: Sequence[Radiograph], single: Findings, black: Sequence[Finding]) -> Check:
    """Refuse a detector whose findings do not hang on the picture: the same on all, or as on a black one."""
    remedy = (
        "the findings do not depend on the picture: does the adapter pass the pixels on, or a stale or empty buffer, "
        "or keep answers by the name or the size of a file?"
    )
    if not single[0]:
        return Check("picture", None, "no findings that could depend on the picture")
    seen = [places(items, one.shape) for one, items in zip(shown, single, strict=True)]
    if len(shown) > 1 and all(alike(seen[0], other) for other in seen[1:]):
        count = counted(len(single[0]), "finding")
        says = f"all {len(shown)} radiographs give {count} at the same place, though no nodule does"
        return Check("picture", False, says, remedy)
    loud = any(finding.score > 0.01 for finding in single[0])  # what difference() compares
    if loud and len(single[0]) == len(black) and difference(single[0], black) <= SCORE_TOLERANCE:
        says = "a black picture gives the same findings as the radiograph whose name and size it has"
        return Check("black picture", False, says, remedy)
    return Check("picture", True, "other radiographs give other findings")


def _repeatable(guard: Guard, shown: Sequence[Radiograph], single: Findings) -> Check:
    again = _one_by_one(guard, list(map(blind, shown[:2])))
    if again == single[:2]:
        return Check("repeatable", True, "the same radiograph gives the same findings")
    worst = max((difference(a, b) for a, b in zip(again, single, strict=False)), default=0.0)
    if worst <= SCORE_TOLERANCE:
        return Check("repeatable", True, f"the same radiograph gives the same findings, scores within {worst:.1e}")
    says = f"the same radiograph gives other findings when shown again (scores differ by up to {worst:.3g})"
    return Check("repeatable", False, says, "put the model into evaluation mode, and seed or switch off what is random")


def _batch(guard: Guard, shown: Sequence[Radiograph], single: Findings) -> Check:
    count = len(shown)
    places = [*range(count), *((k + 1) % count for k in range(AT_ONCE - count))]  # no two halves alike
    together = guard.detect_anywhere([blind(shown[k]) for k in places])
    apart = [difference(a, single[k]) for a, k in zip(together, places, strict=True)]
    if max(apart) <= SCORE_TOLERANCE:
        return Check("batch", True, f"together and one by one give the same findings, scores within {max(apart):.1e}")
    nearest = [min(range(count), key=lambda k: difference(findings, single[k])) for findings in together]
    if sorted(nearest) == sorted(places) and nearest != places:
        says = f"findings come back in another order than the radiographs: {nearest} for {places}"
        return Check("batch", False, says, "answer in the order of the radiographs")
    says = f"{sum(d > SCORE_TOLERANCE for d in apart)} of {len(places)} radiographs get other findings within a batch"
    return Check("batch", False, says, "scale, pad and decode each radiograph by itself, and leave out none")


def _bit_depth(ask: Ask, shown: Sequence[Radiograph], single: Findings) -> Check:
    """Take away what 8 bits cannot hold, then show what only more than 8 bits can hold: both must be noticed."""
    if not any(single[:4]) or all(findings == single[0] for findings in single):
        return Check("bit depth", None, "no findings that depend on the radiograph")
    if len({finding.score for findings in single for finding in findings}) == 1:
        return Check("bit depth", None, "all scores are the same, so that nothing shows in them")
    rounded = [replace(blind(one), pixels=(np.rint(one.pixels * 255) / 255).astype(np.float32)) for one in shown[:4]]
    plain, faint = below_a_step(shown[0])
    *answers, of_plain, of_faint = ask([*rounded, plain, faint])
    remedy = "pass on the float pixels; 8 bits erase nodules of low contrast"
    if answers == single[: len(answers)]:
        return Check("bit depth", False, "rounding the pixels to 8 bits changes no digit of any score", remedy)
    if of_plain and of_plain == of_faint:
        says = "what lies within one of 256 grey values changes no digit of any score"
        return Check("bit depth", False, says, remedy)
    return Check("bit depth", True, "differences below 8 bits reach the detector")


def _low_scores(detector: Detector) -> list[Check]:
    """Tell of a detector that leaves low scores out by its settings, and so ends every curve early. Else nothing."""
    cut = float(getattr(unguarded(detector), "leaves_out_to", 0.0))
    if cut <= CUT:
        return []
    says = f"findings of {cut:g} or less are left out: FROC and average precision end there"
    return [Check("low scores", False, says, "write 'confidence: 0.001' into the YAML beside the model")]


def scores_check(scores: Sequence[float]) -> Check:
    """Return whether scores are of 0..1, as operating points are."""
    if not scores:
        return Check("scores", None, "no findings")
    if max(scores) > 1:
        says = f"scores reach {max(scores):g}"
        return Check("scores", False, says, "operating points of specs are usually 0..1: divide percentages by 100")
    return Check("scores", True, f"scores lie in {min(scores):.3g} to {max(scores):.3g}")
