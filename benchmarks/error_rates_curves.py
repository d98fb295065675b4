"""How often a detector exactly at the bound passes ``froc`` and ``average_precision``, by how false positives crowd.

    python benchmarks/error_rates_curves.py --runs 300

Each background gives some radiographs with one nodule and one without; a share of them shows so many loud false
positives on each, as where a device lies over the lung. Prints a line per design: the share of runs that pass at the
true value, which is that of 8,000 backgrounds; of ``froc`` first by the bootstrap and the exact rate at the threshold
seen alone. Nominal is 5%.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.special import expit

from synnodtest.evidence.ruling import Status
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations import kind_of
from synnodtest.expectations.curves import Ledger, beside_exact, bootstrapped, ledger_of
from synnodtest.expectations.language import Selection
from synnodtest.expectations.rule import no_narrower

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.expectations.evidence import evidence, trial

ALPHA, POPULATION = 0.05, 8000


@dataclass(frozen=True)
class Design:
    """Backgrounds, and what a detector reports on them.

    Args:
        backgrounds: Their number.
        planted: Radiographs with a nodule of each; one without comes on top.
        share: Of backgrounds that show loud false positives.
        loud: Their number on each radiograph.
        others: Mean number of usual false positives on each radiograph.
        at: False positives per radiograph at which the sensitivity is read; None: average precision.
    """

    backgrounds: int
    planted: int
    share: float
    loud: int
    others: float
    at: float | None = None

    def trials(self, rng: np.random.Generator, backgrounds: int) -> Iterator[Trial]:
        """Yield the trials of so many backgrounds."""
        for number in range(backgrounds):
            ease, crowded = 2 + 0.5 * rng.standard_normal(), rng.random() < self.share
            for image in range(self.planted + 1):
                false = expit(rng.normal(0, 1, rng.poisson(self.others)))
                loud = expit(rng.normal(3, 0.5, self.loud * crowded))
                hit = float(expit(ease + rng.standard_normal())) if image < self.planted else None
                arm = "default" if image < self.planted else "@untouched"
                shown = [*false, *loud]
                yield trial(f"b{number}", hit, arm=arm, replicate=image, false_positives=shown)

    def evidence(self, seed: int, backgrounds: int) -> Evidence:
        """Return the evidence of so many backgrounds."""
        return evidence(list(self.trials(np.random.default_rng([1, seed]), backgrounds)))

    def ledger(self, gathered: Evidence) -> Ledger:
        """Return the ranked findings of evidence."""
        return ledger_of(Selection(), gathered, doubles=self.at is None)

    def truth(self) -> float:
        """Return the value of the population."""
        ledger = self.ledger(self.evidence(0, POPULATION))
        return ledger.precision(ledger.ones) if self.at is None else ledger.sensitivity(ledger.ones, rate=self.at)

    def passes(self, bound: float, seed: int) -> tuple[bool, bool]:
        """Return whether a run passes by what is not guarded against backgrounds unlike all seen, and at all."""
        gathered = self.evidence(seed, self.backgrounds)
        if self.at is None:
            return False, _passed("average_precision", {"at_least": bound}, gathered)
        ledger = self.ledger(gathered)
        drawn = bootstrapped(ledger, partial(ledger.sensitivity, rate=self.at), gathered)
        asked = {"at_least": bound, "at_false_positives_per_image": self.at}
        return beside_exact(ledger, self.at, drawn, no_narrower)(ALPHA).lower > bound, _passed("froc", asked, gathered)


def _passed(kind: str, asked: dict[str, float], gathered: Evidence) -> bool:
    return kind_of(kind).judge(asked, gathered).status is Status.PASSED


DESIGNS = (
    *(Design(n, 2, 0.05, 5, 0.3, at=0.25) for n in (20, 30, 40)),
    *(Design(n, 1, 0.05, 5, 0.3, at=0.25) for n in (60, 100)),
    Design(60, 1, 0.1, 10, 1.0, at=1.0),
    *(Design(n, 1, 0.05, 5, 0.2) for n in (30, 40, 60)),
)


def main() -> None:
    """Print a line per design."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=300, help="per design (default: 300)")
    runs = parser.parse_args().runs
    with ProcessPoolExecutor() as pool:
        for design in DESIGNS:
            truth = design.truth()
            plain, decided = np.mean(list(pool.map(partial(design.passes, truth), range(1, runs + 1))), axis=0)
            print(f"{design} at {truth:.3f}: {plain:6.1%} {decided:6.1%}", flush=True)


if __name__ == "__main__":
    main()
