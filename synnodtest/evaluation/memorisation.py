"""Memorisation: whether a synthesizer draws its training nodules again.

Of every planted nodule the brightness that it adds is cut out, scaled to one size and one strength, and compared with
every training crop, in eight orientations. It is called a copy where it lies nearer to one of them than all but 1% of
real nodules lie that training has not seen, of a like size: small shadows are alike whoever casts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from synnodtest.canonical import seed_sequence
from synnodtest.geometry import Array, FloatArray
from synnodtest.statistics import clustered_rate

EDGE = 24
"""Pixels along a scaled crop: one per millimetre of a nodule of 12 mm."""
REACH = 2.0
"""Edge of a crop in diameters."""
FAINT = 0.05
"""Share of the peak below which brightness is no part of a nodule: tails would make it large."""
QUANTILE = 0.01
"""Share of real nodules that lie as near to a training crop by chance."""
BANDS = 3
"""Bands of size, of as many real nodules each."""
CONTROLS = 200
"""Training nodules drawn again; set by hand: the share of them that is found has a standard error of 3.5% at most."""
MOVED_PX, SCALED = 0.5, 0.1
"""By how much a control copy is moved and scaled, at most: what planting does to a nodule that is drawn again."""


@dataclass(frozen=True, eq=False)
class Crops:
    """Scaled crops of one kind of nodules.

    Args:
        shapes: (n, EDGE * EDGE) float32 of length 1.
        diameter_mm: (n,).
        clusters: What is not independent: the background, or the CT series.
    """

    shapes: NDArray[np.float32]
    diameter_mm: Array
    clusters: Sequence[str]

    def __len__(self) -> int:
        return len(self.shapes)


def crops_of(added: Sequence[FloatArray], diameter_mm: Sequence[float], clusters: Sequence[str]) -> Crops:
    """Return the crops of windows that hold the brightness which a nodule adds, the nodule near the middle.

    Windows to which nothing is added are left out.

    Args:
        added: Windows at :data:`synnodtest.radiomics_features.WINDOW_SPACING_MM`.
        diameter_mm: Of each nodule.
        clusters: Of each nodule.
    """
    rows = [(_scaled(np.asarray(a, dtype=np.float32)), float(d), c)
            for a, d, c in zip(added, diameter_mm, clusters, strict=True)]  # fmt: skip
    drawn = [(shape, d, c) for shape, d, c in rows if shape is not None]
    shapes = np.stack([shape for shape, *_ in drawn]) if drawn else np.zeros((0, EDGE * EDGE), dtype=np.float32)
    return Crops(shapes, np.asarray([d for _, d, _ in drawn], dtype=np.float64), [c for *_, c in drawn])


def _scaled(added: FloatArray) -> Any:
    """Return a window's nodule as a vector of length 1, its brightness centred and of one spread.

    Size is measured on the brightness itself, and not on a mask: synthesizers draw masks by rules of their own.
    """
    bright = np.where(added > FAINT * float(added.max()), added, 0)
    if float(bright.sum()) <= 0:
        return None
    centre = ndimage.center_of_mass(bright)
    y, x = np.indices(bright.shape) - np.asarray(centre)[:, None, None]
    spread = float(np.sqrt((bright * (y**2 + x**2)).sum() / bright.sum()))
    step = REACH * 2 * np.sqrt(2) * max(spread, 0.5) / EDGE  # of a disc, 2 sqrt(2) times its spread is its diameter
    grid = (np.arange(EDGE) - (EDGE - 1) / 2) * step
    rows, columns = np.meshgrid(grid + centre[0], grid + centre[1], indexing="ij")
    smooth = ndimage.gaussian_filter(added, 0.4 * step) if step > 1 else added  # no aliasing of large nodules
    shape = ndimage.map_coordinates(smooth, [rows, columns], order=1).ravel()
    length = float(np.linalg.norm(shape))
    return np.asarray(shape / length, dtype=np.float32) if length > 0 else None


def distances_to(crops: Crops, training: Crops) -> tuple[Array, NDArray[np.int64]]:
    """Return how far each crop lies from the nearest training crop, 0 to sqrt(2), and which one that is."""
    best = np.full(len(crops), -1.0)
    nearest = np.zeros(len(crops), dtype=np.int64)
    images = crops.shapes.reshape(-1, EDGE, EDGE)
    for turn in range(8):
        turned = np.rot90(images if turn < 4 else images[:, :, ::-1], turn % 4, axes=(1, 2))
        likeness = turned.reshape(len(crops), -1) @ training.shapes.T
        closest = likeness.argmax(axis=1)
        value = likeness[np.arange(len(crops)), closest]
        nearer = value > best
        best[nearer], nearest[nearer] = value[nearer], closest[nearer]
    return np.sqrt(np.maximum(2 - 2 * best, 0)), nearest


def copies(
    synthetic: Crops, real: Crops, training: Crops, added: Sequence[FloatArray], seed: int = 0
) -> dict[str, object]:
    """Return the share of copies among planted nodules with its interval, and what the test would see.

    Args:
        synthetic: Planted nodules.
        real: Nodules that training has not seen, planted and cut alike.
        training: Training crops.
        added: The windows of ``training``, for the control: training nodules moved and scaled a little.
        seed: Of the control.
    """
    far_real, _ = distances_to(real, training)
    far, _ = distances_to(synthetic, training)
    edges = np.quantile(real.diameter_mm, np.linspace(0, 1, BANDS + 1)[1:-1])
    band_of = np.digitize(real.diameter_mm, edges)
    limits = np.asarray([np.quantile(far_real[band_of == band], QUANTILE) for band in range(BANDS)])
    copied = far < limits[np.digitize(synthetic.diameter_mm, edges)]
    share = clustered_rate(list(copied), list(synthetic.clusters), alpha=0.025)
    control = _control(training, added, seed)
    near, _ = distances_to(control, training)
    near_copies = near < limits[np.digitize(control.diameter_mm, edges)]
    return {
        "n": len(synthetic),
        "copies": int(copied.sum()),
        "share": share.value,
        "interval_95": [share.lower, share.upper],
        "training_crops": len(training),
        "real": len(real),
        "quantile": QUANTILE,
        "bands_mm": [float(edge) for edge in edges],
        "limits": [float(limit) for limit in limits],
        "distance": {"synthetic": _spread(far), "real": _spread(far_real), "copied": _spread(near)},
        "control": {"n": len(control), "told": int(near_copies.sum())},
    }


def _control(training: Crops, added: Sequence[FloatArray], seed: int) -> Crops:
    """Return training nodules drawn again, moved and scaled a little."""
    rng = np.random.default_rng(seed_sequence("memorisation-control", seed))
    chosen = rng.choice(len(training), size=min(CONTROLS, len(training)), replace=False)
    shapes = [_scaled(_moved(np.asarray(added[i], dtype=np.float32), rng)) for i in chosen]
    return Crops(np.stack(shapes), training.diameter_mm[chosen], [training.clusters[i] for i in chosen])


def _moved(window: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return a window moved and scaled a little about its middle."""
    zoom, middle = 1 + rng.uniform(-SCALED, SCALED), (np.asarray(window.shape) - 1) / 2
    offset = middle - zoom * middle + rng.uniform(-MOVED_PX, MOVED_PX, 2)
    return np.asarray(ndimage.affine_transform(window, [zoom, zoom], offset, order=1), dtype=np.float32)


def _spread(values: Array) -> dict[str, float]:
    names = {"p1": 1, "median": 50, "p99": 99}
    return {name: float(np.percentile(values, share)) for name, share in names.items()} if len(values) else {}
