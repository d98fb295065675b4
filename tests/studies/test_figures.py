"""Figures of the paper's experiments draw nothing that cannot be."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from studies.paper.figures import _curve, bins
from studies.paper.points import Point


def test_the_band_of_a_mean_confidence_stays_within_the_scores():
    rows = [
        {"from_mm": 4, "to_mm": 6, "mean": 0.05, "error": 0.2, "rate_0.15": 0.2, "rate_0.5": 0.0},
        {"from_mm": 6, "to_mm": 8, "mean": 0.97, "error": 0.1, "rate_0.15": 1.0, "rate_0.5": 1.0},
    ]
    axis = Figure().subplots()
    _curve(axis, rows)
    heights = np.concatenate([path.vertices[:, 1] for path in axis.collections[0].get_paths()])
    assert (heights.min(), heights.max()) == (0, 1)
    assert heights[(heights > 0.7) & (heights < 0.9)][0] == pytest.approx(0.97 - 1.96 * 0.1)


def test_a_size_that_one_chest_alone_shows_has_no_band_and_none_of_width_nought():
    """The standard error of one cluster is not known; of 0.2 and 0.8 it is their standard deviation over sqrt(2)."""
    alone = [Point(5.0, 0.2, "a"), Point(5.5, 0.4, "a")]
    several = [Point(size, score, name) for size in (7.0, 9.0) for score, name in ((0.2, "a"), (0.8, "b"))]
    rows = bins([*alone, *several], [4, 6, 8, 10])
    assert np.isnan(rows[0]["error"])
    assert [row["error"] for row in rows[1:]] == pytest.approx([np.std([0.2, 0.8], ddof=1) / 2**0.5] * 2)
    axis = Figure().subplots()
    _curve(axis, rows)
    places = np.concatenate([path.vertices[:, 0] for path in axis.collections[0].get_paths()])
    assert (places.min(), places.max()) == (7, 9)
