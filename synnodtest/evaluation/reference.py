"""The reference of real nodules: quantiles of contrast, conspicuity, size and place on annotated films."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.conspicuity import VERSION
from synnodtest.engine.sightings import regions_at
from synnodtest.errors import SynnodError
from synnodtest.geometry import centre_of
from synnodtest.radiograph import is_derived
from synnodtest.reference import FORMAT, LEVELS

EDGES_MM = (4.0, 12.0, 17.0, 45.0)
"""Of the bands of diameter: about a third each of the nodules of NIH films that readers annotated."""
FEWEST = 10
"""Nodules of a band; with less it is joined with its neighbour, for a quantile of five tells nothing."""
QUANTITIES = ("contrast", "conspicuity", "diameter_mm", "box_mm")


@dataclass(frozen=True)
class Seen:
    """Measures of one annotated nodule; the first four are :data:`QUANTITIES`."""

    contrast: float
    conspicuity: float
    diameter_mm: float
    box_mm: float
    regions: frozenset[str]


def measure(films: AnnotatedFilms, progress: Callable[[int, int], None] = lambda done, total: None) -> list[Seen]:
    """Measure every nodule of at most 45 mm of annotated films; those that cannot be seen are left out."""
    nodules: list[Seen] = []
    for number, film in enumerate(films.backgrounds):
        radiograph = films.load(film)
        for one, visible in zip(films.counted(film.id), films.seen(film), strict=True):
            if np.isfinite(visible.conspicuity):
                regions = regions_at(radiograph, centre_of(one.box))
                nodules.append(Seen(visible.contrast, visible.conspicuity, one.diameter_mm, one.size_mm, regions))
        progress(number + 1, len(films.backgrounds))
    return nodules


def make_reference(films: AnnotatedFilms, seen: Sequence[Seen]) -> dict[str, object]:
    """Return the reference in plain JSON values: quantiles and shares only.

    Raises:
        SynnodError: there are too few nodules.
    """
    if len(seen) < FEWEST:
        raise SynnodError(f"{films.name}: {len(seen)} nodules; a reference needs at least {FEWEST}")
    source = {
        "data": films.name,
        "films": len(films.backgrounds),
        "nodules": len(seen),
        "nodule_over_box": {name or "all": round(share, 3) for name, share in sorted(films.shares.items())},
        "visibility_version": VERSION,
    }
    bands = [_band(low, high, _between(seen, low, high)) for low, high in _bands(seen)]
    everything = _band(EDGES_MM[0], EDGES_MM[-1], seen)
    places = Counter(name for one in seen for name in one.regions if not is_derived(name))
    shares = {name: round(count / len(seen), 3) for name, count in sorted(places.items())}
    return {"format": FORMAT, "source": source, "bands": [*bands, everything], "places": shares}


def _bands(seen: Sequence[Seen]) -> list[tuple[float, float]]:
    """Return the bands; one with too few nodules is joined with the one above it, the last with the one below."""
    edges = [EDGES_MM[0]]
    for high in EDGES_MM[1:]:
        if len(_between(seen, edges[-1], high)) >= FEWEST:
            edges.append(high)
    edges[-1 if len(edges) > 1 else len(edges) :] = [EDGES_MM[-1]]
    return list(itertools.pairwise(edges))


def _between(seen: Sequence[Seen], low: float, high: float) -> list[Seen]:
    """Return the nodules of a band; those outside all bands belong to the first and the last."""
    least, most = (-math.inf if low == EDGES_MM[0] else low), (math.inf if high == EDGES_MM[-1] else high)
    return [one for one in seen if least <= one.diameter_mm < most]


def _band(low: float, high: float, some: Sequence[Seen]) -> dict[str, object]:
    values = {name: [getattr(one, name) for one in some] for name in QUANTITIES}
    quantiles = {name: [round(float(q), 4) for q in np.quantile(of, LEVELS)] for name, of in values.items()}
    return {"from_mm": low, "to_mm": high, "n": len(some), **quantiles}
