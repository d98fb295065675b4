"""Answers of a detector to annotated radiographs, and their marks: findings told into hits and false positives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from synnodtest.annotated.sets import AnnotatedSet, Case
from synnodtest.backgrounds.films import Sight, likenesses, with_copies
from synnodtest.datasets.similarity import perceptual_hash
from synnodtest.engine.sightings import regions_at
from synnodtest.evidence.clusters import with_copies_joined
from synnodtest.finding import Finding
from synnodtest.geometry import Box, centre_of, iou
from synnodtest.matching import Matching, match
from synnodtest.ports import Background, Detector
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.statistics.pooled import Marks

COCO_FINDINGS = 100
"""COCO looks at the hundred findings of highest score per image."""
BATCH = 16
"""Radiographs held at once; nothing depends on it but memory."""

Wanted = Callable[[Truth, frozenset[str]], bool]
"""Condition on which a nodule counts, by its truth and the regions that its centre lies in."""


@dataclass(frozen=True)
class Answer:
    """Result of one radiograph after detection."""

    cluster: str
    findings: tuple[Finding, ...]
    nodules: tuple[Truth, ...]
    spacing_mm: tuple[float, float]
    regions: tuple[frozenset[str], ...] = ()
    """Regions that the centre of each nodule lies in."""
    hash: str = ""
    looks: bytes = b""
    """Likeness by which copies of the radiograph are known."""
    exhaustive: bool = True

    @property
    def top_score(self) -> float:
        """The highest score; -inf without a finding."""
        return max((finding.score for finding in self.findings), default=-math.inf)

    @property
    def normal(self) -> bool:
        """True where the radiograph is known to show no nodule."""
        return self.exhaustive and not self.nodules


def answers_of(
    detector: Detector,
    data: AnnotatedSet,
    completed: Callable[[Radiograph], Radiograph] = lambda radiograph: radiograph,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    hashed: bool = False,
    known: Sequence[Answer] = (),
) -> list[Answer]:
    """Return a detector's answer to each radiograph, in order; it is not shown their truth.

    Args:
        detector: The detector.
        data: Radiographs with their truth.
        completed: Adds regions to radiographs with nodules whose files bring none.
        progress: Called after each batch with the radiographs done and their total.
        hashed: Whether the radiographs' perceptual hashes are wanted.
        known: Another detector's answers to the same radiographs, of which all but the findings holds for these too.

    Raises:
        DetectorError: the detector fails.
    """
    return list(_answered(detector, data, completed, progress, hashed, known))


def _answered(
    detector: Detector,
    data: AnnotatedSet,
    completed: Callable[[Radiograph], Radiograph],
    progress: Callable[[int, int], None],
    hashed: bool,
    known: Sequence[Answer],
) -> Iterator[Answer]:
    cases = data.cases
    for start in range(0, len(cases), BATCH):
        batch = cases[start : start + BATCH]
        radiographs: list[Radiograph] = [data.load(case) for case in batch]
        answers = detector.detect([one.with_pixels(one.pixels, ()) for one in radiographs])  # without their truth
        films = known[start : start + BATCH] or [
            _film(case, radiograph, completed, hashed) for case, radiograph in zip(batch, radiographs, strict=True)
        ]
        for film, findings in zip(films, answers, strict=True):
            yield replace(film, findings=tuple(sorted(findings, key=lambda finding: -finding.score)))
        progress(min(start + BATCH, len(cases)), len(cases))


def _film(case: Case, radiograph: Radiograph, completed: Callable[[Radiograph], Radiograph], hashed: bool) -> Answer:
    """Return what an answer says of a radiograph itself, without findings."""
    known = completed(radiograph) if radiograph.nodules and not radiograph.regions else radiograph
    return Answer(
        case.cluster,
        (),
        radiograph.nodules,
        radiograph.spacing_mm,
        tuple(frozenset(regions_at(known, centre_of(_box(truth)))) for truth in radiograph.nodules),
        perceptual_hash(radiograph.pixels) if hashed else "",
        likenesses(radiograph.pixels),
        case.exhaustive,
    )


def answers_with_copies_joined(cases: Sequence[Case], answers: Sequence[Answer]) -> tuple[list[Answer], list[str]]:
    """Return the answers, those to copies of one film in one cluster, and notes on such copies.

    Args:
        cases: What was shown.
        answers: To each.
    """
    named = {case.id: case.cluster if case.cluster != case.id else "" for case in cases}
    sights = {case.id: Sight(case.cluster, answer.looks) for case, answer in zip(cases, answers, strict=True)}
    films, notes = with_copies(sights, named)
    joined = with_copies_joined([Background(one, named[one], film=film) for one, film in films.items()])
    return [replace(answer, cluster=to.cluster) for answer, to in zip(answers, joined, strict=True)], notes


def _box(truth: Truth) -> Box:
    """Return the box as it was annotated; where truth is a mask, the mask's."""
    box = truth.requested.get("annotated_box")
    return truth.box if box is None else (box[0], box[1], box[2], box[3])


def marks_of(answer: Answer, rule: Matching, wanted: Wanted = lambda truth, regions: True) -> Marks:
    """Match findings with nodules; only the wanted nodules count, and findings on others are set aside."""
    outcome = match(answer.findings, answer.nodules, answer.spacing_mm, rule)
    regions = answer.regions or (frozenset(),) * len(answer.nodules)
    takes = [wanted(truth, own) for truth, own in zip(answer.nodules, regions, strict=True)]
    matched = [index for index, take in zip(outcome.finding_of, takes, strict=True) if take]
    found = [-math.inf if index is None else answer.findings[index].score for index in matched]
    false = [answer.findings[index].score for index in outcome.false_positives] if answer.exhaustive else []
    return Marks(np.array(found, dtype=float), np.array(false, dtype=float), answer.exhaustive)


def coco_hits(boxes: Sequence[Box], truths: Sequence[Box], level: float) -> list[bool]:
    """Return which boxes, by descending score, hit a truth as COCO counts it: the best free one at ``level`` IoU."""
    free = list(range(len(truths)))
    hits = []
    for box in boxes:
        best = max(free, key=lambda index: (iou(box, truths[index]), index), default=None)
        if best is not None and iou(box, truths[best]) >= min(level, 1 - 1e-10):
            free.remove(best)
            hits.append(True)
        else:
            hits.append(False)
    return hits


def coco_marks(answer: Answer, level: float) -> Marks:
    """Return the marks as COCO counts them at an IoU; none where nodules may be unmarked."""
    if not answer.exhaustive:
        return Marks(np.empty(0), np.empty(0), exhaustive=False)
    findings = answer.findings[:COCO_FINDINGS]
    hits = np.array(coco_hits([f.box for f in findings], [_box(t) for t in answer.nodules], level), dtype=bool)
    scores = np.array([finding.score for finding in findings], dtype=float)
    missed = np.full(len(answer.nodules) - np.count_nonzero(hits), -math.inf)
    return Marks(np.concatenate([scores[hits], missed]), scores[~hits])
