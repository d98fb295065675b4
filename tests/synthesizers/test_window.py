"""Windows of a radiograph."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from synnodtest.synthesizers.window import Window, cut_window


def test_a_window_of_a_linear_ramp_holds_the_ramp_at_its_own_places() -> None:
    spacing = (0.35, 0.42)
    y = (np.arange(400) + 0.5) * spacing[0]
    x = (np.arange(380) + 0.5) * spacing[1]
    ramp = (0.002 * y[:, None] + 0.003 * x[None, :]).astype(np.float32)
    window = Window((80.0, 70.0), 32, 0.7)
    cut = cut_window(ramp, spacing, window)
    left, top = window.corner_mm
    steps = (np.arange(32) + 0.5) * 0.7
    expected = 0.002 * (top + steps)[:, None] + 0.003 * (left + steps)[None, :]
    assert np.abs(cut - expected).max() < 1e-4


def test_a_window_beyond_the_border_reflects_the_radiograph() -> None:
    rng = np.random.default_rng(0)
    image = ndimage.gaussian_filter(rng.normal(size=(80, 90)), 3).astype(np.float32)
    cut = cut_window(image, (0.7, 0.7), Window((0.0, 28.0), 40, 0.7))
    assert np.allclose(cut[:, :20], cut[:, 20:][:, ::-1], atol=1e-5)


def test_a_smooth_blob_stands_in_the_window_as_it_does_in_the_radiograph() -> None:
    spacing = (0.35, 0.42)
    y = (np.arange(300) + 0.5) * spacing[0]
    x = (np.arange(300) + 0.5) * spacing[1]

    def blob(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.exp(-((y[:, None] - 52) ** 2 + (x[None, :] - 63) ** 2) / (2 * 6**2)).astype(np.float32)

    window = Window((63.0, 52.0), 96, 0.7)
    left, top = window.corner_mm
    steps = (np.arange(96) + 0.5) * 0.7
    cut = cut_window(blob(y, x), spacing, window)
    assert np.abs(cut - blob(top + steps, left + steps)).max() < 0.02
