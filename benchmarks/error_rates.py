"""How often a detector exactly at the bound passes: false positives per image, by how patients differ.

    python benchmarks/error_rates.py --runs 1000

Prints a line per design: the share of runs whose upper bound lies below the true rate, by Garwood's bound alone and by
``count_rate``. Nominal is 5%.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synnodtest.statistics import count_rate, poisson_exact

Rates = Callable[[np.random.Generator, int], NDArray[np.float64]]
"""From a generator and a number of patients to the rate per image of each."""
ALPHA, RESAMPLES = 0.05, 1000


@dataclass(frozen=True)
class Differ:
    """How patients differ in the false positives that they show.

    Args:
        name: In words.
        rate: True mean per image.
        rates: Draws that of each patient.
    """

    name: str
    rate: float
    rates: Rates


def gamma(sd: float) -> Differ:
    """Return gamma-distributed rates of mean 1; ``sd`` in units of the mean."""
    return Differ(f"gamma, sd {sd:g} of the mean", 1.0, lambda rng, n: rng.gamma(sd**-2, sd**2, n))


def lognormal(sd: float) -> Differ:
    """Return log-normal rates of mean 1."""
    return Differ(f"log-normal, sd {sd:g}", 1.0, lambda rng, n: np.exp(sd * rng.standard_normal(n) - sd**2 / 2))


def device(share: float, each: float) -> Differ:
    """Return patients of whom a share shows so many on every image, and the others none."""
    return Differ(
        f"{share:.0%} of patients show {each:g}, the others none",
        share * each,
        lambda rng, n: np.where(rng.random(n) < share, each, 0.0),
    )


DIFFER = (
    gamma(1.0),
    gamma(1.8),
    lognormal(1.0),
    lognormal(1.5),
    device(0.1, 5.0),
    device(0.1, 2.5),
    device(0.05, 10.0),
)
PATIENTS = ((30, 1), (60, 1), (5, 5), (8, 5), (15, 5), (20, 3), (30, 5), (60, 3))
"""Numbers of patients, and of images of each."""


def passes(differ: Differ, patients: int, images: int, runs: int) -> tuple[float, float]:
    """Return the share of runs that pass at the bound by Garwood alone, and by ``count_rate``."""
    index, plain, guarded = np.repeat(np.arange(patients), images), 0, 0
    for run in range(runs):
        rng = np.random.default_rng([7, run])
        counts = rng.poisson(differ.rates(rng, patients)[index])
        plain += poisson_exact(counts.sum(), len(counts), alpha=ALPHA).upper < differ.rate
        guarded += count_rate(counts, index, alpha=ALPHA, resamples=RESAMPLES, seed=run).upper < differ.rate
    return plain / runs, guarded / runs


def main() -> None:
    """Print a line per design."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000, help="per design (default: 1000)")
    runs = parser.parse_args().runs
    for patients, images in PATIENTS:
        for differ in DIFFER:
            plain, guarded = passes(differ, patients, images, runs)
            print(f"{patients:3} patients x {images} images  {differ.name:45} {plain:6.1%} {guarded:6.1%}", flush=True)


if __name__ == "__main__":
    main()
