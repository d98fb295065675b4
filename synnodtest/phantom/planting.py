"""Drawing nodules as a data set of chest radiographs would show them."""

from __future__ import annotations

from typing import Any

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.geometry import disc_window
from synnodtest.phantom.exposure import expose
from synnodtest.phantom.nodules import SHAPES, PhantomNodule
from synnodtest.phantom.projection import Projection

_SHARES = (0.4, 0.28, 0.2, 0.12)
"""Shares of the shapes, in the order of ``SHAPES`` (round first); set by hand: round ones are most, part-solid ones
fewest."""
_TRIES = 200
"""Places tried for all nodules of a chest; set by hand: where they find no room, fewer nodules come back."""
LEAST_CONTRAST = 0.03
"""A fainter nodule is drawn again: in annotated data stand only those that a reader saw."""


def sample_nodules(projection: Projection, count: int, *seed: Any) -> list[PhantomNodule]:
    """Draw nodules for one chest.

    Diameters are log-normal (median 14 mm, 5 to 40 mm); nine of ten are solid or part-solid with the density of soft
    tissue, one is calcified. Each adds a contrast of at least :data:`LEAST_CONTRAST`. Centres are uniform over the
    projected lung, such that 95% of a disc of the nodule's diameter projects onto lung and that nodules keep apart.

    Args:
        projection: The chest.
        count: How many are wanted; fewer come back where no room is left.
        seed: Whatever, in plain values, names this draw.
    """
    rng = np.random.default_rng(seed_sequence("phantom-nodules", projection.anatomy.seed, *seed))
    lung = projection.regions["lung"]
    rows, columns = np.nonzero(lung)
    spacing = projection.grid.spacing
    planted: list[PhantomNodule] = []
    for _ in range(_TRIES):
        if len(planted) >= count or not rows.size:
            break
        diameter = float(np.clip(14 * np.exp(rng.normal(0, 0.5)), 5, 40))
        at = int(rng.integers(rows.size))
        centre = (float((columns[at] + 0.5) * spacing), float((rows[at] + 0.5) * spacing))
        if _has_room(projection, centre, diameter, planted):
            nodule = _nodule(f"nodule{len(planted) + 1}", diameter, centre, rng)
            if expose(projection, [nodule]).nodules[0].contrast >= LEAST_CONTRAST:
                planted.append(nodule)
    return planted


def _nodule(name: str, diameter: float, centre: tuple[float, float], rng: np.random.Generator) -> PhantomNodule:
    calcified = rng.random() < 0.1
    return PhantomNodule(
        diameter_mm=round(diameter, 3),
        centre_mm=(round(centre[0], 3), round(centre[1], 3)),
        depth=round(float(rng.uniform(0.15, 0.85)), 4),
        shape=SHAPES[int(rng.choice(len(SHAPES), p=_SHARES))],
        density=round(float(rng.uniform(1.4, 1.9) if calcified else rng.uniform(0.95, 1.1)), 4),
        seed=int(rng.integers(2**31)),
        name=name,
    )


def _has_room(
    projection: Projection, centre: tuple[float, float], diameter: float, others: list[PhantomNodule]
) -> bool:
    for other in others:
        apart = np.hypot(centre[0] - other.centre_mm[0], centre[1] - other.centre_mm[1])
        if apart < 0.5 * (diameter + other.diameter_mm) + 15:
            return False
    spacing = projection.grid.spacing
    cut, disc = disc_window((projection.size, projection.size), centre, diameter, (spacing, spacing))
    area_px = np.pi * (diameter / 2 / spacing) ** 2
    return bool((disc & projection.regions["lung"][cut]).sum() >= 0.95 * area_px)
