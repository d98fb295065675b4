"""Does an adapter do what a detector must? A dozen questions, asked before a run costs an hour.

The detector is shown radiographs with one conspicuous nodule each, neither square nor alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from synnodtest.counted import counted
from synnodtest.detectors import conform_geometry
from synnodtest.detectors.conform_boxes import ENOUGH, boxes_checks
from synnodtest.detectors.conform_check import IN_PYTHON, Ask, Check, Findings, guarded
from synnodtest.detectors.conform_likeness import SCORE_TOLERANCE, alike, difference, places
from synnodtest.detectors.conform_pictures import below_a_step, blind, conspicuous_radiographs, mirrored
from synnodtest.detectors.guard import Guard, unguarded
from synnodtest.detectors.pairs import PairDetector
from synnodtest.detectors.resolve import in_guard
from synnodtest.errors import DetectorError
from synnodtest.finding import Finding
from synnodtest.perturbations.affine import flip, warp
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph

AT_ONCE = 8
"""Radiographs of a batch at least: as many as a run shows at once, for what an adapter's own batch does not hold may be
lost."""
CUT = 0.01
"""Score up to which findings may be left out: so low, they come and go with rounding (``conform_likeness``)."""
LOUD = 0.05
"""A highest score below this, on conspicuous nodules, is next to no finding at the operating points of any spec."""


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
    batch = guarded("batch", lambda: _batch(guard, pictures, single))
    ask = guard.detect_anywhere if batch.passed else partial(_one_by_one, guard)
    yield from boxes_checks(ask, pictures, single)
    yield from _blank(guard, pictures, single)
    yield guarded("repeatable", lambda: _repeatable(guard, pictures, single))
    yield batch
    yield guarded("bit depth", lambda: _bit_depth(ask, pictures, single))
    yield scores_check([finding.score for items in single for finding in items])
    yield from _low_scores(detector)
    if isinstance(unguarded(detector), PairDetector):
        yield guarded("pair", lambda: _pair(guard, pictures, single))


def _one_by_one(guard: Guard, radiographs: Sequence[Radiograph]) -> Findings:
    """Ask about many radiographs of a detector whose batches are not known to be right."""
    return [guard.detect_anywhere([one])[0] for one in radiographs]


def _findings(single: Findings) -> Check:
    """Say loudly where nothing is found at all: every later answer is then about nothing."""
    scores = [finding.score for items in single for finding in items]
    what = f"any of {len(single)} radiographs with one conspicuous nodule each"
    remedy = (
        "a pass of specificity or false positives is worthless from a detector that never reports: are the right "
        f"outputs and classes read, and do the pixels arrive? If it only knows real films, show it those ({IN_PYTHON})"
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
        loudest = max(range(count), key=lambda k: max((found.score for found in single[k]), default=0.0))
        if lost := _lost_in_a_stack(guard, shown[loudest], single[loudest]):
            says = f"{lost} of {AT_ONCE} radiographs of one size get other findings within a batch"
            return Check("batch", False, says, "decode each radiograph of a stack by itself, and leave out none")
        return Check("batch", True, f"together and one by one give the same findings, scores within {max(apart):.1e}")
    nearest = [min(range(count), key=lambda k: difference(findings, single[k])) for findings in together]
    if sorted(nearest) == sorted(places) and nearest != places:
        says = f"findings come back in another order than the radiographs: {nearest} for {places}"
        return Check("batch", False, says, "answer in the order of the radiographs")
    says = f"{sum(d > SCORE_TOLERANCE for d in apart)} of {len(places)} radiographs get other findings within a batch"
    return Check("batch", False, says, "scale, pad and decode each radiograph by itself, and leave out none")


def _lost_in_a_stack(guard: Guard, shown: Radiograph, single: Sequence[Finding]) -> int:
    """Return how many radiographs of a batch of one size, which an adapter may stack, get other findings than alone.

    They are one and its mirror image, in an order of which no shift and no reversal is the same.
    """
    pair = [blind(shown), mirrored(shown)]
    alone = [single, *guard.detect_anywhere(pair[1:])]
    order = [k.bit_count() % 2 for k in range(AT_ONCE)]
    together = guard.detect_anywhere([pair[k] for k in order])
    return sum(difference(found, alone[k]) > SCORE_TOLERANCE for found, k in zip(together, order, strict=True))


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


def _pair(guard: Guard, shown: Sequence[Radiograph], single: Findings) -> Check:
    """Show each radiograph with its mirror image as the prior: findings lie on its own nodule, not on the prior's."""
    turned = [warp(one, flip(one.shape, horizontal=True)) for one in shown]
    pairs = [replace(blind(one), prior=blind(prior)) for one, prior in zip(shown, turned, strict=True)]
    answer, as_it_is = guard.detect_anywhere(pairs), conform_geometry.READINGS[0]
    alone, own = (conform_geometry.hits(as_it_is, shown, found) for found in (single, answer))
    of_prior = conform_geometry.hits(as_it_is, turned, answer)
    if of_prior >= ENOUGH * alone and of_prior >= own + 2:
        says = f"beside a prior {of_prior} of {len(shown)} findings lie on the nodule of the prior and {own} on its own"
        return Check("pair", False, says, "report what lies on the radiograph, not on its prior: are the two swapped?")
    says = f"beside a prior that does not show them {own} of {alone} nodules are found"
    return Check("pair", own >= ENOUGH * alone > 0 or None, says)


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
