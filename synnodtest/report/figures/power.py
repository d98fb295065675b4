"""The power curve: how likely PASSED is, by the true rate, at the n that was used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy

from synnodtest.record.model import ComponentEntry
from synnodtest.record.words import bound_text, number
from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, axes, short, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure
from synnodtest.statistics.power import most_unshown

Curve = tuple[str, int, ComponentEntry, float]
"""Title of the expectation, effective n, component, alpha."""
_LOOKS = ((BLUE, "-"), (ORANGE, "--"), (GREY, "-."), (BLUE, ":"), (ORANGE, "-"), (GREY, "--"))


def pass_probability(n: int, bound: float, side: str, alpha: float, rates: Any) -> Any:
    """Return the probability that Clopper-Pearson's one-sided bound clears ``bound``, per true rate.

    Args:
        n: Independent units.
        bound: The pre-specified bound on the rate.
        side: ``above`` or ``below``.
        alpha: One-sided error rate.
        rates: True rates, any shape.
    """
    below = side == "below"
    most = most_unshown(n, bound, alpha, below)
    reached = 1 - rates if below else rates
    return scipy.special.betainc(most + 1, n - most, reached) if most < n else np.zeros_like(rates)


@drawn
def power_figure(curves: Sequence[Curve], name: str) -> Figure:
    """Draw the chance of passing over the true rate, of the first rates; a dot marks the estimate of this run."""
    title = "Chance of PASSED by the true rate, at the effective n of this run"
    rates = np.linspace(0, 1, 201)
    true_rates = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99)
    rows = []
    figure, axis = axes(560, 320)
    for (title_of, n, part, alpha), (colour, line) in zip(curves, _LOOKS, strict=False):
        if part.bound is None:
            continue
        bound, words = float(part.bound), f"({bound_text(part)})"
        label = f"{title_of} {words}"
        chance = pass_probability(n, bound, part.side, alpha, rates)
        axis.plot(rates, chance, color=colour, linestyle=line, label=f"{short(title_of, 52)} {words}, n = {n}")
        axis.axvline(bound, color=colour, linewidth=0.8, linestyle=(0, (1, 2)))
        if part.value is not None:
            at = float(pass_probability(n, bound, part.side, alpha, np.array([part.value]))[0])
            axis.plot([part.value], [at], marker="o", markersize=6, color=colour, markeredgecolor="white")
        sides = [r if part.side == "above" else 1 - r for r in true_rates]
        powers = pass_probability(n, bound, part.side, alpha, np.array(sides))
        rows += [[label, number(n), number(r), number(float(c))] for r, c in zip(sides, powers, strict=True)]
    axis.set(
        xlabel="true rate (dotted: the bound; dot: this run's estimate)", ylabel="chance of PASSED", ylim=(-0.02, 1.02)
    )
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=1, labelcolor=INK)
    some = f" The first {len(_LOOKS)} of {len(curves)} rates." if len(curves) > len(_LOOKS) else ""
    description = f"Of each rate that can pass at all with the backgrounds of this run.{some}"
    columns = ["expectation", "effective n", "true rate", "chance of PASSED"]
    return Figure.of(title, description, to_svg(figure, name, title, description), columns, rows)
