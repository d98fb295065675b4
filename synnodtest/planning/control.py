"""A region under test as a mask of its own, and its control region: as large a part of the lung, elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy

from synnodtest.evidence.regions import RegionExpression, control_name, evaluate, shown_name
from synnodtest.geometry import BoolArray
from synnodtest.radiograph import Radiograph


def control_region(region: BoolArray, lung: BoolArray) -> BoolArray:
    """Return a part of the lung outside ``region`` of the same area (or as much as there is).

    It is the part nearest to the region's mirror image, so that it lies at the same height of the other side
    where the lung allows.

    Args:
        region: H x W.
        lung: H x W.
    """
    candidates = lung & ~region
    area = int(region.sum())
    if area >= int(candidates.sum()) or not area:
        return candidates if area else np.zeros_like(region)
    distance = scipy.ndimage.distance_transform_edt(~region[:, ::-1])
    order = np.argsort(distance[candidates], kind="stable")[:area]
    rows, columns = np.nonzero(candidates)
    control = np.zeros_like(region)
    control[rows[order], columns[order]] = True
    return control


def with_controls(radiograph: Radiograph, regions: tuple[RegionExpression, ...]) -> Radiograph:
    """Return the radiograph with ``regions`` and their control regions added, each where it is known and not empty."""
    added: dict[str, BoolArray] = {}
    for region in regions:
        try:
            mask = evaluate(region, radiograph.regions)
        except KeyError:
            continue
        if mask.any():
            added[shown_name(region)] = mask
            if "lung" in radiograph.regions:
                added[control_name(region)] = control_region(mask, radiograph.regions["lung"])
    return replace(radiograph, regions={**radiograph.regions, **added}) if added else radiograph
