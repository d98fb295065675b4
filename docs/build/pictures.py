"""Draw the pictures of the explanations: ``python docs/build/pictures.py``; numbers are computed, none is typed in."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synnodtest.report.figures.canvas import BLUE, GREY, ORANGE, axes, rcparams
from synnodtest.statistics import clopper_pearson, design_effect

IMAGES = Path(__file__).resolve().parents[1] / "images"
GREEN, RED, BROWN = "#0B6B3A", "#A80F2D", "#7A4F00"


def verdicts() -> None:
    """Three intervals against one bound."""
    bound, rows = 0.8, ((60, 58, GREEN, "PASSED"), (60, 51, BROWN, "INCONCLUSIVE"), (60, 35, RED, "FAILED"))
    with rcparams():
        figure, axis = axes(560, 220)
        axis.axvspan(bound, 1.0, color="#E6F1EA", linewidth=0)
        axis.axvline(bound, color="#1B1F24", linewidth=1.4)
        for y, (n, hits, colour, word) in enumerate(reversed(rows)):
            estimate = clopper_pearson(hits, n, alpha=0.05)
            axis.plot([estimate.lower, estimate.upper], [y, y], color=colour, linewidth=5, solid_capstyle="butt")
            axis.plot([hits / n], [y], "o", color=colour, markersize=9)
            axis.text(0.415, y + 0.22, f"{word}: {hits} of {n}", color=colour)
        axis.set(
            xlim=(0.4, 1.0),
            ylim=(-0.5, 2.7),
            yticks=[],
            xlabel="sensitivity, with its one-sided 95% bounds; required: above 0.80",
        )
        figure.savefig(IMAGES / "verdicts.svg", metadata={"Date": None})


def operating_characteristic() -> None:
    """The probability of PASSED over the true sensitivity, for three numbers of nodules."""
    true = np.linspace(0.7, 1.0, 121)
    with rcparams():
        figure, axis = axes(560, 280)
        for n, colour, dash in ((30, GREY, (0, (2, 2))), (60, BLUE, "-"), (200, ORANGE, (0, (6, 2)))):
            passed = [_passes(n, t) for t in true]
            axis.plot(true, passed, color=colour, linestyle=dash, label=f"{n} nodules")
        axis.axvline(0.8, color="#1B1F24", linewidth=1.2)
        axis.axhline(0.05, color=RED, linewidth=1)
        axis.text(0.702, 0.065, "5%: the most at the bound", color=RED, fontsize=9)
        axis.set(
            xlabel="true sensitivity (required: above 0.80)",
            ylabel="probability of PASSED",
            ylim=(0, 1.02),
            xlim=(0.7, 1.0),
        )
        axis.legend(loc="upper left")
        figure.savefig(IMAGES / "operating-characteristic.svg", metadata={"Date": None})


def _passes(n: int, true: float) -> float:
    """Return the probability of PASSED: of as many hits as put the lower bound above 0.8."""
    from scipy import stats

    least = next((x for x in range(n + 1) if clopper_pearson(x, n, alpha=0.05).lower > 0.8), n + 1)
    return float(stats.binom.sf(least - 1, n, true))


def clusters() -> None:
    """What many nodules on one background are worth."""
    k = np.arange(1, 21)
    with rcparams():
        figure, axis = axes(560, 260)
        for icc, colour, dash in ((0.0, GREY, (0, (2, 2))), (0.2, BLUE, "-"), (0.5, ORANGE, (0, (6, 2)))):
            axis.plot(
                k,
                [30 * m / design_effect(float(m), icc) for m in k],
                color=colour,
                linestyle=dash,
                label=f"correlation {icc:g}",
            )
        axis.set(
            xlabel="nodules on each of 30 radiographs", ylabel="independent nodules\nthat say as much", ylim=(0, 620)
        )
        axis.legend(loc="upper left")
        figure.savefig(IMAGES / "clusters.svg", metadata={"Date": None})


if __name__ == "__main__":
    verdicts()
    operating_characteristic()
    clusters()
