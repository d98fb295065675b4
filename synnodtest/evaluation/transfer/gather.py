"""Runs a detector over annotated films, negative films, and planted ones; keeps what is judged of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.annotated.outlines import shrunk
from synnodtest.engine import Engine, Outcome, Unplaced
from synnodtest.evaluation.transfer.scenes import Counterpart
from synnodtest.evidence.arm import UNTOUCHED_ARM
from synnodtest.finding import Finding
from synnodtest.geometry import Box, centre_of
from synnodtest.planning.recipe import Recipe
from synnodtest.ports import BackgroundSet, Detector, Synthesizer
from synnodtest.store import Store

GROWN_MM = 5.0
"""A finding hits a nodule if its centre lies in the box grown by this much on every side."""

Advance = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """One nodule, real or planted, and how a detector met it.

    Args:
        nodule: Identifier: film and number of the annotated nodule, or of the one that a planted nodule stands for.
        host: Patient of the film that it lies on.
        size_mm: Longest side of the annotated box, or of the box of the nodule that it stands for.
        score: Of the finding that hits it, 0 if none.
        contrast: Contrast in place.
        conspicuity: Of the model observer.
    """

    nodule: str
    host: str
    size_mm: float
    score: float
    contrast: float
    conspicuity: float


@dataclass(frozen=True)
class Gathered:
    """Answers of one detector.

    Args:
        real: Its scores at the annotated nodules.
        planted: Its scores at the planted ones.
        real_tops: Highest score of each film with a nodule, and its patient.
        planted_tops: Likewise of the planted scenes; the patient is the negative film's.
        negative_scores: Per negative film all scores.
        negatives: Their patients.
        false_positives: On films of which every nodule is marked, the scores of findings outside all boxes.
        exhaustive: How many such films there are.
        rejected: Of planted scenes that no detector saw, why they were rejected
        unplaced: or could not be placed.
    """

    real: tuple[Found, ...]
    planted: tuple[Found, ...]
    real_tops: tuple[tuple[str, float], ...]
    planted_tops: tuple[tuple[str, float], ...]
    negative_scores: tuple[tuple[float, ...], ...]
    negatives: tuple[str, ...]
    false_positives: tuple[float, ...]
    exhaustive: int
    rejected: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()


def scores_in(findings: Sequence[Finding], boxes: Sequence[Box], spacing_mm: tuple[float, float]) -> list[float]:
    """Return the score of the finding that hits each box, 0 where none does.

    Findings are taken by descending score, each hits one box at most: of the free ones whose box, grown by 5 mm, holds
    its centre, the one whose middle is nearest.
    """
    scores = [0.0] * len(boxes)
    free = set(range(len(boxes)))
    grow_x, grow_y = GROWN_MM / spacing_mm[1], GROWN_MM / spacing_mm[0]
    grown = [(box[0] - grow_x, box[1] - grow_y, box[2] + grow_x, box[3] + grow_y) for box in boxes]
    for finding in sorted(findings, key=lambda one: -one.score):
        x, y = finding.centre
        inside = [k for k in free if grown[k][0] <= x <= grown[k][2] and grown[k][1] <= y <= grown[k][3]]
        if inside:
            best = min(inside, key=lambda k: _away(boxes[k], x, y, spacing_mm))
            scores[best] = finding.score
            free.remove(best)
    return scores


def _away(box: Box, x: float, y: float, spacing_mm: tuple[float, float]) -> float:
    middle = centre_of(box)
    dx, dy = (x - middle[0]) * spacing_mm[1], (y - middle[1]) * spacing_mm[0]
    return dx * dx + dy * dy


def gather(
    detector: Detector,
    films: AnnotatedFilms,
    negatives: BackgroundSet,
    scenes: Sequence[Counterpart],
    synthesizer: Synthesizer,
    store: Store,
    *,
    advance: Advance = lambda what: None,
) -> Gathered:
    """Return what a detector finds; whatever the store holds is not computed again.

    Args:
        detector: The detector.
        films: Annotated films.
        negatives: Negative films.
        scenes: The planted counterparts, negative by negative.
        synthesizer: Plants them.
        store: Of radiographs and findings.
        advance: Called after each film with ``real``, ``negative`` or ``planted``.
    """

    def run(on: BackgroundSet, recipes: Iterable[Recipe], what: str) -> list[Outcome | Unplaced]:
        done = []
        for outcome in Engine(on, synthesizer, detector, store).run(recipes):
            done.append(outcome)
            advance(what)
        return done

    real = run(films, _untouched(films), "real")
    negative = run(negatives, _untouched(negatives), "negative")
    planted = run(negatives, (scene.recipe for scene in scenes), "planted")
    outcomes = [one for one in real if isinstance(one, Outcome)]
    met = [(scene, one) for scene, one in zip(scenes, planted, strict=True) if _seen(one)]
    extra = [score for one in outcomes if films.exhaustive(one.background.id) for score in _outside(one, films)]
    plain = [one for one in negative if isinstance(one, Outcome)]
    return Gathered(
        real=tuple(nodule for one in outcomes for nodule in _real(one, films)),
        planted=tuple(nodule for scene, one in met for nodule in _planted(scene, one)),
        real_tops=tuple((one.background.cluster, _top(one)) for one in outcomes),
        planted_tops=tuple((one.background.cluster, _top(one)) for _, one in met),
        negative_scores=tuple(tuple(s.finding.score for s in one.sightings) for one in plain),
        negatives=tuple(one.background.cluster for one in plain),
        false_positives=tuple(extra),
        exhaustive=sum(films.exhaustive(one.background.id) for one in outcomes),
        rejected=tuple(filter(None, (one.snapshot.rejected for one in planted if isinstance(one, Outcome)))),
        unplaced=tuple(one.reason for one in planted if isinstance(one, Unplaced)),
    )


def _untouched(on: BackgroundSet) -> list[Recipe]:
    return [Recipe("transfer", background, UNTOUCHED_ARM, 0, (), ()) for background in on.backgrounds]


def _seen(outcome: Outcome | Unplaced) -> TypeGuard[Outcome]:
    return isinstance(outcome, Outcome) and not outcome.snapshot.rejected


def _findings(outcome: Outcome) -> list[Finding]:
    return [sighting.finding for sighting in outcome.sightings]


def _top(outcome: Outcome) -> float:
    return max((finding.score for finding in _findings(outcome)), default=-math.inf)


def _real(outcome: Outcome, films: AnnotatedFilms) -> list[Found]:
    film = outcome.background
    nodules = films.nodules(film.id)
    scores = scores_in(_findings(outcome), [one.box for one in nodules], outcome.snapshot.spacing_mm)
    counted = [(one, score) for one, score in zip(nodules, scores, strict=True) if one.counted]
    return [
        Found(f"{film.id}:{one.name}", film.cluster, one.size_mm, score, visible.contrast, visible.conspicuity)
        for (one, score), visible in zip(counted, films.seen(film), strict=True)
    ]


def _outside(outcome: Outcome, films: AnnotatedFilms) -> list[float]:
    """Return the scores of findings whose centre lies in no box of a film, masses included."""
    spacing = outcome.snapshot.spacing_mm
    boxes = [one.box for one in films.nodules(outcome.background.id)]
    return [one.score for one in _findings(outcome) if not any(scores_in([one], [box], spacing)[0] for box in boxes)]


def _planted(scene: Counterpart, outcome: Outcome) -> list[Found]:
    """Return the nodules of a scene; their boxes get the margin that the annotators' boxes have."""
    truths = outcome.snapshot.nodules
    boxes = [shrunk(truth.box, 1 / real.share) for truth, real in zip(truths, scene.nodules, strict=True)]
    scores = scores_in(_findings(outcome), boxes, outcome.snapshot.spacing_mm)
    host = outcome.background.cluster
    return [
        Found(f"{scene.film}:{real.name}", host, real.size_mm, score, one.contrast_in_place, one.conspicuity)
        for real, score, one in zip(scene.nodules, scores, truths, strict=True)
    ]
