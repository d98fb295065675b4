"""Smooth curves through given points that overshoot none of them: bit for bit those of ``scipy.interpolate``.

Its ``PchipInterpolator`` loads most of SciPy, which takes longer than projecting a phantom.

Source: Fritsch, Butland (1984), A method for constructing local monotone piecewise cubic interpolants,
doi:10.1137/0905021; ends as in Moler (2004), Numerical Computing with MATLAB, doi:10.1137/1.9780898717952.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from synnodtest.phantom.solids import Array


def through(x: ArrayLike, y: ArrayLike, at: Array) -> Array:
    """Return the curve at some places: piecewise cubic, rising where the points rise, falling where they fall.

    Args:
        x: Three or more places in rising order (n,).
        y: Values there (n,), or several in each place (n, k).
        at: Where the curve is wanted (m,); beyond the ends the outer cubic goes on.

    Returns:
        Values (m,), or (m, k).
    """
    places, values = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    table = values.reshape(len(places), -1)
    step = np.diff(places)[:, None]
    slope = np.diff(table, axis=0) / step
    tangent = _tangents(step, slope)
    bend = (tangent[:-1] + tangent[1:] - 2 * slope) / step
    cubic, square = bend / step, (slope - tangent[:-1]) / step - bend
    piece = np.clip(np.searchsorted(places, at, side="right") - 1, 0, len(step) - 1)
    s = (at - places[piece])[:, None]
    heights: Array = table[piece] + tangent[piece] * s + square[piece] * (s * s) + cubic[piece] * (s * s * s)
    return heights.reshape(len(at), *values.shape[1:])


def _tangents(step: Array, slope: Array) -> Array:
    """Return the derivative at every point: a weighted harmonic mean of the slopes beside it, 0 at a turn."""
    left, right = slope[:-1], slope[1:]
    near, far = 2 * step[1:] + step[:-1], step[1:] + 2 * step[:-1]
    turns = (np.sign(left) != np.sign(right)) | (left == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.where(turns, 0.0, 1.0 / ((near / left + far / right) / (near + far)))
    first = _at_end(step[0], step[1], slope[0], slope[1])
    last = _at_end(step[-1], step[-2], slope[-1], slope[-2])
    return np.concatenate([first[None], inner, last[None]])


def _at_end(step: Array, next_step: Array, slope: Array, next_slope: Array) -> Array:
    """Return the derivative at an end, by three points; never against the slope, nor three times as steep at a turn."""
    tangent = ((2 * step + next_step) * slope - step * next_slope) / (step + next_step)
    turns = np.sign(slope) != np.sign(next_slope)
    steep = turns & (np.abs(tangent) > 3.0 * np.abs(slope))
    return np.where(np.sign(tangent) != np.sign(slope), 0.0, np.where(steep, 3.0 * slope, tangent))
