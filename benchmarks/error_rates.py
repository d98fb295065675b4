"""How often a detector exactly at the bound passes, or fails: false positives per image, by how patients differ.

    python benchmarks/error_rates.py --runs 1000

Prints a line per design: the share of runs whose upper bound lies below the true rate, by Garwood's bound alone and by
``count_rate``, and the share whose lower bound lies above it. Then the same of a rate where few films have most
nodules, and of the largest drop of a curve that zigzags. Nominal is 5%.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synnodtest.statistics import count_rate, drawdown, poisson_exact
from synnodtest.statistics.rates import korn_graubard_bounds

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
PATIENTS = (
    *((30, 1, 1), (60, 1, 1), (5, 5, 5), (8, 5, 5), (15, 5, 5), (20, 3, 3), (30, 5, 5), (60, 3, 3)),
    *((8, 50, 1), (20, 50, 1), (60, 50, 1)),
)
"""Numbers of patients, of images of the first, and of each other."""
FILMS = ((60, 0.1), (60, 0.25), (100, 0.1), (100, 0.25), (200, 0.1), (200, 0.25))
"""Numbers of films, and the share of which no nodule is found."""
ZIGZAG = (0.3, 0.4, 0.3, 0.5, 0.4, 0.6, 0.5, 0.7, 0.6, 0.8)


def passes(differ: Differ, patients: int, first: int, images: int, runs: int) -> tuple[float, float, float]:
    """Return the share of runs that pass at the bound by Garwood alone, and that pass and fail by ``count_rate``."""
    index = np.repeat(np.arange(patients), [first] + [images] * (patients - 1))
    plain = passed = failed = 0
    for run in range(runs):
        rng = np.random.default_rng([7, run])
        counts = rng.poisson(differ.rates(rng, patients)[index])
        plain += poisson_exact(counts.sum(), len(counts), alpha=ALPHA).upper < differ.rate
        estimate = count_rate(counts, index, alpha=ALPHA, resamples=RESAMPLES, seed=run)
        passed, failed = passed + (estimate.upper < differ.rate), failed + (estimate.lower > differ.rate)
    return plain / runs, passed / runs, failed / runs


def films(count: int, lost: float, runs: int) -> tuple[float, float]:
    """Return how often a rate passes and fails: a film in ten has 15 nodules, the others 2; 90% found, or none."""
    rng, nodules = np.random.default_rng(11), np.where(np.arange(count) < count // 10, 15, 2)
    hits = rng.binomial(nodules, np.where(rng.random((runs, count)) < lost, 0.0, 0.9))
    lower, upper, _ = korn_graubard_bounds(hits.astype(float), nodules.astype(float), ALPHA, True)
    rate = 0.9 * (1 - lost)
    return float((lower > rate).mean()), float((upper < rate).mean())


def drops(backgrounds: int, runs: int) -> tuple[float, float]:
    """Return how often the largest drop of :data:`ZIGZAG` passes and fails a bound of 0.1; each score has sd 0.2."""
    passed = failed = 0
    for run in range(runs):
        rng = np.random.default_rng([7, run])
        curves = ZIGZAG + 0.1 * rng.standard_normal((backgrounds, 1)) + 0.2 * rng.standard_normal((backgrounds, 10))
        estimate = drawdown(curves, alpha=ALPHA, resamples=RESAMPLES, seed=run)
        passed, failed = passed + (estimate.upper < 0.1), failed + (estimate.lower > 0.1 + 1e-9)
    return passed / runs, failed / runs


def main() -> None:
    """Print a line per design."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000, help="per design (default: 1000)")
    runs = parser.parse_args().runs
    for patients, first, images in PATIENTS:
        of = f"{images}" if first == images else f"{first} or {images}"
        for differ in DIFFER:
            shares = " ".join(f"{share:6.1%}" for share in passes(differ, patients, first, images, runs))
            print(f"{patients:3} patients x {of} images  {differ.name:45} {shares}", flush=True)
    for count, lost in FILMS:
        passed, failed = films(count, lost, runs)
        print(f"{count:3} films of 15 or 2 nodules, none found on {lost:.0%}: passes {passed:.1%}, fails {failed:.1%}")
    for backgrounds in (15, 30, 60):
        passed, failed = drops(backgrounds, runs)
        print(
            f"largest drop of a zigzag, {backgrounds} backgrounds: passes {passed:.1%}, fails {failed:.1%}", flush=True
        )


if __name__ == "__main__":
    main()
