"""Features named for a nodule are tried as it will be planted, the radiograph's bend towards white included."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from synnodtest.attenuation import Display
from synnodtest.synthesizers.diffusion import adhere
from synnodtest.synthesizers.diffusion.adhere import Variant
from synnodtest.synthesizers.diffusion.compose import Place
from synnodtest.synthesizers.patch import Patch
from synnodtest.synthesizers.window import Window, cut_window

SPACING = (0.7, 0.7)
Y, X = (axis - 23.5 for axis in np.mgrid[:48, :48].astype(float))
DOME = Patch((56, 56), np.clip(1 - np.hypot(Y, X) / 13, 0, 1).astype(np.float32), np.hypot(Y, X) < 10, 1.0)
WINDOW = Window((80 * 0.7, 80 * 0.7), 96, 0.7)


@pytest.mark.parametrize("level", [0.3, 0.7, 0.85])
def test_features_of_a_variant_are_those_of_the_nodule_once_planted(level: float) -> None:
    pytest.importorskip("radiomics")
    from synnodtest.radiomics_features import measure_features, standard_gray

    grain = ndimage.gaussian_filter(np.random.default_rng(2).normal(size=(160, 160)), 2)
    canvas = np.clip(level + 0.02 * grain / grain.std(), 0, 1).astype(np.float32)
    display, variant = Display(unit=0.5, knee=0.5), Variant(0.4, 1.8, 0.3, 1.5)
    names = ("Entropy", "Contrast", "Mean")
    place = Place(WINDOW.centre_mm, 40.0, canvas.shape, SPACING, WINDOW)
    told = adhere._measured_in(canvas, DOME, display, place, names)(variant.of(DOME, 5, SPACING))

    planted = canvas.copy()
    variant.of(DOME, 5, SPACING).plant(planted, display)
    whole = np.zeros(canvas.shape, dtype=np.float32)
    whole[DOME.where] = DOME.mask
    mask = cut_window(whole, SPACING, WINDOW) > 0.5
    values = cut_window(planted, SPACING, WINDOW) / np.float32(display.unit)
    around = ~ndimage.binary_dilation(mask, iterations=3)
    assert told is not None
    assert told == pytest.approx(measure_features(standard_gray(values - values[around].mean()), mask, names=names))
