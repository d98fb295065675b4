"""What the store keeps changes only with its version: code of perturbations, mimics and acceptance is in no key.

A test that fails here says that finished scenes would be served as they were made before the change. Where the change
is meant, raise ``FORMAT`` (pixels) or ``SNAPSHOT`` (acceptance) in ``synnodtest/engine/job.py``, and write the new
values and the new version here.
"""

import numpy as np
import pytest

from synnodtest import Radiograph
from synnodtest.engine import acceptance
from synnodtest.engine.job import FORMAT, SNAPSHOT
from synnodtest.mimics import with_mimics
from synnodtest.perturbations import perturb
from synnodtest.scene import Mimic, Perturbation

PINNED_FORMAT, PINNED_SNAPSHOT = 1, 3
PERTURBED = {
    "blur": (6.0, 130.5, 132.2, 133.1, 135.4, 234.2, -159.1, 50.9, 53.5, 74.5, 86.8),
    "brightness": (0.1, 230.4, 230.4, 230.4, 230.4, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0),
    "collimation": (30.0, 1263.9, 1284.2, 1279.6, 1356.4, 0.0, -865.6, 0.0, 0.0, 0.0, 0.0),
    "contrast": (1.3, 97.4, 96.9, 100.8, 109.1, 65.6, -63.7, -49.2, -49.6, -55.5, -58.7),
    "dose": (0.1, 27.3, 27.0, 26.2, 28.2, 73.9, -60.9, 0.1, 0.8, -1.2, 0.2),
    "downsample": (3.0, 37.4, 37.5, 38.4, 38.4, 214.0, -161.0, -3.5, -3.9, 1.8, 4.0),
    "flip": ("horizontal", 65.7, 65.7, 111.0, 111.0, 322.0, -322.0, -19.2, -13.7, 23.7, 45.9),
    "focus": (1.2, 31.7, 33.6, 34.3, 45.8, 49.0, -241.1, -0.4, -0.6, 0.2, 0.4),
    "gamma": (1.4, 226.2, 222.3, 222.6, 205.7, -48.5, -123.2, -122.0, -122.0, -122.8, -123.0),
    "jpeg": (20.0, 35.9, 30.9, 36.0, 30.4, 241.5, -188.4, -0.4, 0.7, 0.9, 11.7),
    "marker": ("L", 0.0, 6.4, 0.0, 0.0, 215.7, 0.0, 0.0, 0.0, 0.0, 0.0),
    "noise": (0.05, 92.9, 90.6, 90.9, 91.9, 192.3, -192.7, 36.6, 5.1, -17.2, -30.0),
    "processing": ("multi-scale", 32.4, 32.1, 32.2, 32.9, 34.1, -36.4, -15.0, -16.3, -21.9, -23.2),
    "rotate_deg": (7.0, 147.3, 149.3, 149.4, 159.5, 329.5, -865.6, -4.8, 3.7, 7.5, 2.6),
    "scale": (1.15, 136.8, 139.4, 141.5, 148.4, 316.9, -339.4, 2.3, -1.6, 1.3, 1.8),
    "scatter": (0.8, 280.4, 283.4, 283.8, 327.0, 7.5, -272.0, -6.0, -5.6, 0.0, 2.5),
    "shift_px": ((9, 5), 687.4, 379.1, 507.9, 301.9, 325.9, -773.6, -15.7, -32.0, -14.5, 13.8),
}
DRAWN = {
    "bone-island": (0.2, 0.0, 0.5, 0.0, 6.9, -0.0, 0.0, 2.6, 5.6, 3.8),
    "calcified-granuloma": (0.5, 0.0, 1.5, 0.0, 23.2, -0.0, 0.0, 1.3, 12.9, 16.0),
    "clip": (0.3, 0.0, 0.5, 0.0, 32.6, -0.0, 0.0, 0.0, 0.0, 0.0),
    "ecg-electrode": (0.8, 0.0, 3.0, 0.0, 49.7, -2.3, 0.7, 1.8, 33.9, 23.5),
    "line": (13.5, 0.0, 2.4, 0.0, 44.6, -3.2, 28.4, 30.6, 31.0, 28.1),
    "nipple": (0.2, 0.0, 0.5, 0.0, 7.0, -0.0, 0.0, 0.6, 3.6, 3.6),
    "rib-crossing": (2.1, 0.2, 3.3, 0.3, 18.4, -7.4, 0.1, 9.6, 13.0, 12.8),
    "vessel-end-on": (1.4, 0.0, 2.6, 0.0, 19.9, -4.2, 0.0, 4.9, 15.1, 15.4),
}
LIMITS = {
    "LARGEST_DIAMETER_ERROR": 0.35,
    "LARGEST_CONTRAST_ERROR": 0.5,
    "NEGLIGIBLE_CONTRAST": 0.002,
    "LEAST_SHARE": 0.1,
    "LARGEST_WHITE_SHARE": 0.25,
    "LARGEST_REACH": 2.5,
}


def film():
    rows, columns = np.mgrid[:96, :96] / 96
    lung = (np.abs(columns - 0.5) > 0.08) & (np.hypot(columns - 0.5, rows - 0.5) < 0.42)
    texture = 0.02 * np.sin(37 * columns) * np.cos(29 * rows)
    pixels = (0.75 - 0.3 * lung + 0.1 * rows * columns + texture).astype(np.float32)
    return Radiograph(pixels, (1.0, 1.0), regions={"lung": lung})


def told(made):
    """Return what changed: per quarter the sum of sizes, the largest rise and fall, and four pixels."""
    change = made.pixels - film().pixels
    sums = np.abs(change).reshape(2, 48, 2, 48).sum((1, 3)).ravel()
    return [*sums, 1000 * change.max(), 1000 * change.min(), *1000 * change[40:56:4, 36]]


@pytest.mark.parametrize("kind", PERTURBED)
def test_a_perturbation_makes_other_pixels_only_with_another_version_of_the_store(kind):
    value, *pinned = PERTURBED[kind]
    made = perturb(film(), [Perturbation(kind, value)], 7)
    assert FORMAT == PINNED_FORMAT
    assert told(made) == pytest.approx(pinned, rel=0.02, abs=1), "raise FORMAT in synnodtest/engine/job.py"


@pytest.mark.parametrize("kind", DRAWN)
def test_a_mimic_is_drawn_otherwise_only_with_another_version_of_the_store(kind):
    made = with_mimics(film(), [Mimic(kind, (32.0, 50.0), 14.0, seed=3)], 7)
    assert FORMAT == PINNED_FORMAT
    assert told(made) == pytest.approx(DRAWN[kind], rel=0.02, abs=1), "raise FORMAT in synnodtest/engine/job.py"


def test_limits_of_acceptance_change_only_with_another_version_of_what_is_remembered():
    now = {name: value for name, value in vars(acceptance).items() if name.isupper()}
    assert SNAPSHOT == PINNED_SNAPSHOT
    assert now == LIMITS, "raise SNAPSHOT in synnodtest/engine/job.py"
