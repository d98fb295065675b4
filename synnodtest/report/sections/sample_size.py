"""Sample size and power."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy

from synnodtest.expectations.assumed import BY_DEFAULT
from synnodtest.record.brief import which_of_several
from synnodtest.record.model import ComponentEntry, RulingEntry
from synnodtest.record.model.judged import PlanEntry
from synnodtest.record.words import bound_text, number, value_text
from synnodtest.report.context import Context
from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, axes, short, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure, Section, Table, link
from synnodtest.statistics import DEFAULT_ICC, design_effect, smallest_n_rate
from synnodtest.statistics.power import most_unshown

Curve = tuple[str, int, ComponentEntry, float]
"""Title of the expectation, effective n, component, alpha."""
_LOOKS = (
    *((BLUE, "-"), (ORANGE, "--"), (GREY, "-."), (BLUE, ":")),
    *((ORANGE, (0, (8, 2, 1, 2, 1, 2))), (GREY, (0, (1, 4)))),
)
"""Of the curves, no two lines alike: in grey print colours are not told apart."""


_TO_THE_AUTHOR = re.compile(r"a default; say what you expect with sampling: \{assume: .*?\}\}?")
"""The words for a default in records that ask whoever writes the spec for an assumption."""


def sample_size(context: Context) -> Section:
    """Return n, clustering and power of each expectation."""
    rows, plans, curves = [], [], []
    for e in context.record.expectations:
        if e.ruling is None or not e.components:
            continue
        first, alpha = e.components[0], e.ruling.alpha or 0.05
        words = [context.full_title(e), which_of_several(e.ruling, first)]
        name = link(", ".join(filter(None, words)), f"#{context.anchors[e.id]}")
        effective = _effective(e.ruling)
        plan = e.plan or PlanEntry()
        least = None if e.is_search else _least(first, alpha)
        counts = map(number, (e.ruling.n_nodules, e.ruling.n_clusters, e.ruling.icc))
        shown = number(effective) if e.ruling.n_nodules else "–"
        rows.append([name, *counts, shown, bound_text(first), *map(number, (least, plan.least_backgrounds))])
        if plan.assume:
            plans.append([name, _TO_THE_AUTHOR.sub(BY_DEFAULT, value_text(plan.assume)), number(plan.power)])
        several = (e.ruling.n_clusters or 0) > 1  # a single patient never decides
        can = several and not e.is_search and (e.ruling.n_backgrounds or 0) >= (plan.least_backgrounds or 0)
        if _exact_bound(first) is not None and effective and can:
            curves.append((context.title(e), effective, first, alpha))
    columns = ["Expectation", "Units", "Clusters", "ICC", "Effective n", "Required", "Least n that can pass",
               "Fewest backgrounds that can pass"]  # fmt: skip
    planned = ["Expectation", "Assumed", "Planned power"]
    data = {
        "table": Table("Sample size of each expectation", columns, rows, numeric=columns[1:]),
        "plans": Table("Planned power", planned, plans, numeric=planned[2:]),
        "figure": power_figure(curves, "f-power") if curves else None,
    }
    return Section("Sample size", "sample_size", data, "" if rows else "No expectation came to an estimate.")


def _effective(ruling: RulingEntry) -> int:
    """Return the number of independent units that carry as much: n over the design effect 1 + (k - 1) ICC."""
    units, clusters, icc = ruling.n_nodules, ruling.n_clusters, ruling.icc
    if not units or not clusters:
        return 0
    correlation = min(max(icc if icc is not None else DEFAULT_ICC, 0.0), 1.0)
    return max(1, round(units / design_effect(max(units / clusters, 1), correlation)))


def _least(component: ComponentEntry, alpha: float) -> int | None:
    """Return the smallest n at which a flawless detector passes a rate's bound (Clopper-Pearson)."""
    bound = _exact_bound(component)
    if bound is None or not 0 < bound < 1:
        return None
    return smallest_n_rate(bound, alpha=alpha, below=component.side == "below")


def _exact_bound(component: ComponentEntry) -> float | None:
    """Return the bound of what Clopper-Pearson decides; None of areas under curves, and of what e-values decide."""
    exact = component.method.casefold().startswith(("clopper-pearson", "korn-graubard"))
    return component.rate_bound if exact and component.side != "within" else None


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
