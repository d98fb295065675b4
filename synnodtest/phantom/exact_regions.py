"""The named regions of a phantom, each by stated geometry.

All lie in the image plane; a *ray* is the beam through one pixel's centre.

===================  =================================================================================================
``lung``             Rays that cross at least 5 mm of aerated lung: the **whole** projected lung, also where heart,
                     hemidiaphragm or ribs overlap it. ``left_lung`` + ``right_lung``, which share no pixel.
``left_lung``        The patient's left lung, on the image's right (PA).
``right_lung``       The patient's right lung, on the image's left.
``apical``           Lung above the centreline of the clavicle of its side.
``hilar``            Lung within an ellipse around each hilar point, semi-axes 0.22 and 0.30 of the cage's half-width.
``retrocardiac``     Lung overlapped by the heart's silhouette.
``subdiaphragmatic``  Lung overlapped by a hemidiaphragm's silhouette: the recess behind and beside the dome.
``peripheral``       Lung less than 25 mm from the cage's inner face, sideways or upwards; never hilar.
``rib``              Rays that cross at least 0.7 mm of rib, inside the lung or not.
``clavicle``         Rays that cross at least 0.7 mm of clavicle.
``mediastinum``      Silhouette of heart, great vessels and spine between thoracic inlet and hemidiaphragms, whatever
                     lung lies before or behind it (it overlaps ``retrocardiac``).
``air_leak``         Pneumothorax only: rays that cross at least 5 mm of free pleural air and no lung at all, outside
                     the silhouettes of mediastinum and hemidiaphragm.
===================  =================================================================================================
"""

from __future__ import annotations

import numpy as np

from synnodtest.geometry import BoolArray
from synnodtest.phantom.bones import clavicle_axis
from synnodtest.phantom.grid import Grid
from synnodtest.phantom.solids import Array, length
from synnodtest.phantom.thorax import SIDES, Thorax

LUNG_MM = 5.0
"""Lung or free air along a ray, in mm, from which it counts; set by hand: less makes a border that no film shows, more
cuts costophrenic angles."""
BONE_MM = 0.7
"""Bone along a ray, in mm, from which it counts; set by hand: about the thickness of a cortex, so that the edges of
ribs belong."""
PERIPHERAL_MM = 25.0
"""Depth of the periphery, in mm; set by hand: about an outer fifth of a half cage of 130 mm, so that most of the lung
is central."""


def regions_of(
    thorax: Thorax, grid: Grid, aerated: dict[int, Array], leak: Array, rib_mm: Array, clavicle_mm: Array
) -> dict[str, BoolArray]:
    """Return all masks of a chest.

    Args:
        thorax: Its solids.
        grid: The pixels.
        aerated: mm of lung along each ray, by side.
        leak: mm of free pleural air along each ray.
        rib_mm: mm of rib along each ray.
        clavicle_mm: mm of clavicle along each ray.
    """
    a = thorax.anatomy
    x, y = grid.x, grid.y
    left, right = aerated[1] >= LUNG_MM, aerated[-1] >= LUNG_MM
    left &= ~right
    lung = left | right
    rows = grid.rows(-0.3 * a.height, 1.3 * a.height)
    heart, dome = np.zeros_like(lung), np.zeros_like(lung)
    middle = np.zeros_like(lung)
    xs, ys = x[rows], y[rows]
    heart[rows] = length(thorax.heart(xs, ys)) > 0
    middle[rows] = (length(thorax.column(xs, ys)) > 0) | (length(thorax.aorta(xs, ys)) > 0)
    for side in SIDES.values():
        under = length(thorax.dome(side, xs, ys)) > 0
        dome[rows] |= under & ((xs * side) > 0)
    hilar = _near_hila(thorax, grid) & lung
    across = np.abs(x) > thorax.outer(y) - np.float32(PERIPHERAL_MM)
    upwards = np.where(y < PERIPHERAL_MM, True, np.abs(x) > thorax.outer(y - np.float32(PERIPHERAL_MM)))
    inlet = (y > -0.06 * a.height) & ~dome
    masks = {
        "lung": lung,
        "left_lung": left,
        "right_lung": right,
        "apical": lung & _above_clavicles(thorax, grid),
        "hilar": hilar,
        "retrocardiac": lung & heart,
        "subdiaphragmatic": lung & dome,
        "peripheral": lung & (across | upwards) & ~hilar,
        "rib": rib_mm >= BONE_MM,
        "clavicle": clavicle_mm >= BONE_MM,
        "mediastinum": (heart | middle) & inlet,
    }
    if a.pneumothorax:
        free = (leak >= LUNG_MM) & (aerated[a.pneumothorax] <= 0) & ~lung
        masks["air_leak"] = free & ~(heart | middle | dome)
    for mask in masks.values():
        mask.setflags(write=False)
    return masks


def _near_hila(thorax: Thorax, grid: Grid) -> BoolArray:
    a = thorax.anatomy
    near = np.zeros((grid.size, grid.size), dtype=np.bool_)
    for hilum in thorax.hila.values():
        u = (thorax.at_depth(grid.x, hilum[2]) - np.float32(hilum[0])) / np.float32(0.22 * a.width)
        v = (grid.y - np.float32(hilum[1])) / np.float32(0.30 * a.width)
        near |= u * u + v * v < 1
    return near


def _above_clavicles(thorax: Thorax, grid: Grid) -> BoolArray:
    above = np.zeros((grid.size, grid.size), dtype=np.bool_)
    columns = np.arange(grid.size)
    for side in SIDES.values():
        column, row = grid.to_px(clavicle_axis(thorax, side))
        order = np.argsort(column)
        limit = np.interp(columns, column[order], row[order])
        above |= (columns[:, None] < limit[None, :]) & (grid.x * side > 0)
    return above
