"""Figures of the paper's experiments draw nothing that cannot be."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from studies.paper.figures import _curve


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
