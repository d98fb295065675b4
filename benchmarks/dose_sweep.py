"""Noise and detectability of the perturbation ``dose`` on phantoms, against the square root of exposure.

    python benchmarks/dose_sweep.py
    python benchmarks/dose_sweep.py --seed 11 --doses 1 0.7 0.4 0.1 0.05 --exposures 12

A phantom is exposed again and again with fresh quanta, each time perturbed by ``dose``. From pairs of exposures come
the noise power within the lung and the detectability index of a 10 mm nodule for an observer who knows it (a filter).
Rose (J Opt Soc Am 1948;38:196): noise power goes with 1 / exposure, detectability with its square root.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from synnodtest import Perturbation
from synnodtest.geometry import FloatArray
from synnodtest.perturbations import perturb
from synnodtest.phantom import PhantomNodule, Projection, expose, project, sample_anatomy

CENTRE_MM = (110.0, 130.0)
"""A place in the right lung of most phantoms, where the observer's nodule stands."""
DIAMETER_MM = 10.0
DEEP_MM = 8.0
"""Noise is measured this far within the lung: nearer to its edge the display curve bends."""
EVERY = 53
"""Places that share no pixel of the template are independent enough; a prime avoids the rows of the picture."""


@dataclass(frozen=True)
class Measured:
    """Noise power in grey values squared and the detectability index at one exposure."""

    dose: float
    noise_power: float
    detectability: float


def measure(projection: Projection, doses: Sequence[float], exposures: int) -> list[Measured]:
    """Return what each dose does to noise and detectability.

    Args:
        projection: Of the phantom.
        doses: Exposures relative to the phantom's own.
        exposures: Pairs of exposures per dose.
    """
    plain, planted = expose(projection), expose(projection, [PhantomNodule(DIAMETER_MM, centre_mm=CENTRE_MM)])
    signal = planted.pixels.astype(float) - plain.pixels
    rows, columns = np.nonzero(signal)
    template = signal[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    steps = max(round(DEEP_MM / plain.spacing_mm[0]), 1)
    centres = tuple(np.argwhere(ndimage.binary_erosion(plain.regions["lung"], iterations=steps))[::EVERY].T)
    return [_at(projection, dose, exposures, template, centres) for dose in doses]


def _at(
    projection: Projection, dose: float, exposures: int, template: FloatArray, centres: tuple[FloatArray, ...]
) -> Measured:
    values, responses = [], []
    for k in range(exposures):
        noise = _noise(projection, dose, k)
        values.append(noise[centres])
        responses.append(ndimage.correlate(noise, template, mode="constant")[centres])
    return Measured(dose, float(np.var(values)), float((template**2).sum() / np.std(responses)))


def _noise(projection: Projection, dose: float, number: int) -> FloatArray:
    """Return the noise of one exposure: the difference of two, over the root of 2."""
    one, other = (
        perturb(expose(projection, noise_seed=10 * number + n), (Perturbation("dose", dose),), 100 + 10 * number + n)
        for n in (1, 2)
    )
    noise: FloatArray = (one.pixels.astype(float) - other.pixels) / np.sqrt(2)
    return noise


def told(found: Sequence[Measured]) -> str:
    """Return the table: each figure relative to the first dose, and how far it is from the law."""
    first = found[0]
    lines = ["exposure  noise power  law   error   noise  law   error   d'     law    error"]
    for one in found:
        ratio = one.dose / first.dose
        power = one.noise_power / first.noise_power
        pairs = ((power, 1 / ratio), (power**0.5, ratio**-0.5), (one.detectability / first.detectability, ratio**0.5))
        cells = "  ".join(f"{value:6.3f} {law:6.3f} {value / law - 1:+6.1%}" for value, law in pairs)
        lines.append(f"{one.dose:8g}  {cells}")
    return "\n".join(lines)


def main() -> int:
    """Print the table; 1 if noise or detectability is off the law by more than 5%."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7, help="of the phantom")
    parser.add_argument("--doses", type=float, nargs="+", default=[1.0, 0.5, 0.25, 0.1])
    parser.add_argument("--exposures", type=int, default=6, help="pairs per dose")
    parser.add_argument("--size", type=int, default=512, help="pixels along each side")
    options = parser.parse_args()
    found = measure(project(sample_anatomy(seed=options.seed), size=options.size), options.doses, options.exposures)
    print(told(found))
    first = found[0]
    off = [
        abs(value - 1)
        for one in found
        for value in (
            (one.noise_power / first.noise_power * one.dose / first.dose) ** 0.5,
            one.detectability / first.detectability / (one.dose / first.dose) ** 0.5,
        )
    ]
    print(f"largest error of noise and detectability against the square root of exposure: {max(off):.1%}")
    return int(max(off) > 0.05)


if __name__ == "__main__":
    sys.exit(main())
