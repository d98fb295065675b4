"""Can annotated nodules be told from planted ones? A two-sample test of crops, beside what films alone tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.errors import missing_extra
from synnodtest.evaluation.credibility import too_few, two_sample_auc
from synnodtest.evaluation.crops import RINGS, Crop, profile_of
from synnodtest.geometry import Array
from synnodtest.statistics import auc, cluster_bootstrap

FOLDS = 5
"""Parts, by patient, of which each is judged by a network that the others trained; the usual number, of fewer the
networks see less."""
HALVES = 3
"""Times the real nodules are split in two, by patient, for the yardstick."""
EPOCHS = 40
"""Times that a network sees its crops; set by hand: time grows with it, and planted and real nodules get the same."""
BATCH = 32
"""Crops per step; set by hand: with a few hundred crops, larger ones leave few steps."""
CHANNELS = (12, 24, 32)
"""Of the three convolutions: some 10,000 weights, for a few hundred crops."""


def two_sample(
    real: Sequence[Crop],
    planted: Sequence[Crop],
    bare: tuple[Sequence[Crop], Sequence[Crop]] | None = None,
    *,
    seed: int = 0,
) -> dict[str, object]:
    """Return how well planted nodules are told from real ones, and the yardsticks by which that is read.

    Args:
        real: Crops of annotated nodules.
        planted: Of planted ones, matched in size and region.
        bare: Crops without a nodule of the same two kinds of film; None where both kinds lie on the same films.
        seed: Of folds, weights and halves.

    Returns:
        ``profile`` (median brightness in rings, in half outlines), ``planted_against_real``, ``real_against_real``
        (halves of the real patients: the mean over :data:`HALVES` splits and the largest) and ``films_alone``: AUC out
        of fold, cross-validated by patient.
    """
    halves = [tell_apart(*_halves(real, seed + k), seed=seed) for k in range(HALVES)]
    return {
        "real": len(real),
        "planted": len(planted),
        "patients": len({crop.cluster for crop in [*real, *planted]}),
        "profile": {"rings": list(RINGS), "real": profile_of(real), "planted": profile_of(planted)},
        "planted_against_real": tell_apart(planted, real, seed=seed, bounds=True),
        "real_against_real": {
            name: {"mean": float(np.mean([h[name] for h in halves])), "largest": float(max(h[name] for h in halves))}
            for name in halves[0]
        },
        "films_alone": None if bare is None else tell_apart(bare[1], bare[0], seed=seed),
    }


def tell_apart(first: Sequence[Crop], second: Sequence[Crop], *, seed: int, bounds: bool = False) -> dict[str, Any]:
    """Return the AUC of three classifiers that tell the first crops from the second; 0.5 is not at all.

    Args:
        first: Counted as positive.
        second: Counted as negative.
        seed: Of weights and folds.
        bounds: Add the network's 90% interval, patients resampled.
    """
    if not first or not second:
        too_few("patients")
    one, other = (np.stack([crop.features for crop in group]) for group in (first, second))
    clusters = [crop.cluster for crop in [*first, *second]]
    result: dict[str, object] = dict(two_sample_auc(one, other, clusters, seed=seed))
    scores = network_scores(first, second, seed=seed)
    label = np.arange(len(scores)) < len(first)
    result["network"] = auc(scores[label], scores[~label])
    if bounds:
        estimate = cluster_bootstrap(
            lambda rows: auc(scores[rows[label[rows]]], scores[rows[~label[rows]]]),
            clusters,
            resamples=500,
            seed=seed,
            limits=(0.0, 1.0),
        )
        result["network_interval_90"] = [estimate.lower, estimate.upper]
    return result


def _halves(crops: Sequence[Crop], seed: int) -> tuple[list[Crop], list[Crop]]:
    """Return the crops of two random halves of the patients."""
    patients = sorted({crop.cluster for crop in crops})
    rng = np.random.default_rng(seed_sequence("real-halves", seed))
    chosen = set(rng.permutation(patients)[: len(patients) // 2].tolist())
    return [c for c in crops if c.cluster in chosen], [c for c in crops if c.cluster not in chosen]


def network_scores(first: Sequence[Crop], second: Sequence[Crop], *, seed: int) -> Array:
    """Return the log odds that a small convolutional network, trained on other patients, gives each crop.

    Crops are turned and mirrored in training; both kinds weigh the same.

    Raises:
        SynnodError: torch or scikit-learn is not installed.
    """
    try:
        import torch
        from sklearn.model_selection import GroupKFold
    except ImportError:
        raise missing_extra("torch and scikit-learn", "all", "the network of the two-sample test") from None
    crops = [*first, *second]
    pixels = torch.from_numpy(np.stack([crop.pixels for crop in crops])[:, None])
    label = torch.tensor([1.0] * len(first) + [0.0] * len(second))
    clusters = [crop.cluster for crop in crops]
    scores = np.zeros(len(crops))
    folds = GroupKFold(n_splits=min(FOLDS, len(set(clusters))))
    for number, (train, test) in enumerate(folds.split(scores, groups=clusters)):
        mean, spread = float(pixels[train].mean()), float(pixels[train].std())
        scaled = (pixels - mean) / max(spread, 1e-6)
        model = _trained(scaled[train], label[train], seed + number)
        with torch.no_grad():
            scores[test] = _averaged(model, scaled[test])
    return scores


def _trained(pixels: Any, label: Any, seed: int) -> Any:
    import torch

    generator = torch.Generator().manual_seed(seed)
    weight = torch.where(label > 0.5, 0.5 / label.mean().clamp(min=1e-6), 0.5 / (1 - label.mean()).clamp(min=1e-6))
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    with torch.random.fork_rng(devices=[]):  # of which dropout draws too
        torch.manual_seed(seed)
        model = _network()
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
        for _ in range(EPOCHS):
            for rows in torch.split(torch.randperm(len(label), generator=generator), BATCH):
                turn = int(torch.randint(8, (1,), generator=generator))
                optimizer.zero_grad()
                loss(model(_turned(pixels[rows], turn))[:, 0], label[rows], weight[rows]).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    return model.eval()


def _network() -> Any:
    from torch import nn

    layers: list[Any] = [nn.AvgPool2d(2)]  # 24 x 24: a nodule is 8 pixels wide, as fine as films of a few hundred allow
    before = 1
    for channels in CHANNELS:
        layers += [nn.Conv2d(before, channels, 3, padding=1), nn.GroupNorm(4, channels), nn.ReLU(), nn.MaxPool2d(2)]
        before = channels

    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(9 * before, 1))


def _turned(pixels: Any, turn: int) -> Any:
    """Return the crops in one of the eight symmetries of the square."""
    mirrored = pixels.flip(-1) if turn >= 4 else pixels
    return mirrored.rot90(turn % 4, (-2, -1))


def _averaged(model: Any, pixels: Any) -> Array:
    """Return the mean over the eight symmetries."""
    return np.asarray(np.mean([model(_turned(pixels, turn))[:, 0].numpy() for turn in range(8)], axis=0))
