"""The scale of a detector's scores: one addend to every logit, which changes no ranking."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from scipy.special import logit

from synnodtest.detectors.yolo import UltralyticsDetector, checkpoint_content
from synnodtest.files import replacing
from synnodtest.radiograph import Radiograph

AT_ONE_PER_FILM = 0.25
"""The score at one false positive per nodule-free film after settling: the operating point of the shipped specs. A
network trained on faint nodules is rarely sure, so that its raw scores are low."""


def score_at(weights: Path, negatives: Iterable[Radiograph]) -> float:
    """Return the score above which a detector reports one finding per nodule-free film; 0 if never."""
    detector = UltralyticsDetector(weights)
    answers = [detector.detect([film])[0] for film in negatives]
    ranked = sorted((finding.score for findings in answers for finding in findings), reverse=True)
    return ranked[len(answers)] if len(answers) < len(ranked) else 0.0


def shift_scores(weights: Path, addend: float) -> None:
    """Add ``addend`` to the logit of every score of a YOLO checkpoint, in place and at once."""
    import torch

    content = checkpoint_content(weights)
    for branch in content["model"].model[-1].cv3:
        branch[-1].bias.data += addend
    with replacing(weights) as partial:
        torch.save(content, partial)


def settle_scores(weights: Path, negatives: Iterable[Radiograph]) -> float:
    """Shift the scores so that :data:`AT_ONE_PER_FILM` gives one false positive per film; return the addend (0: none).

    Args:
        weights: A YOLO checkpoint, changed in place.
        negatives: Nodule-free films that were not trained on.
    """
    raw = score_at(weights, negatives)
    if not 0 < raw < 1:
        return 0.0
    addend = float(logit(AT_ONE_PER_FILM) - logit(raw))
    shift_scores(weights, addend)
    return addend
