"""Sample size and power."""

from __future__ import annotations

from synnodtest.record.brief import which_of_several
from synnodtest.record.model import ComponentEntry, RulingEntry
from synnodtest.record.model.judged import PlanEntry
from synnodtest.record.words import bound_text, number, value_text
from synnodtest.report.context import Context
from synnodtest.report.figures.power import power_figure
from synnodtest.report.model import Section, Table, link
from synnodtest.statistics import DEFAULT_ICC, design_effect, smallest_n_rate


def sample_size(context: Context) -> Section:
    """Return n, clustering and power of each expectation."""
    rows = []
    plans = []
    curves = []
    for e in context.record.expectations:
        if e.ruling is None or not e.components:
            continue
        first, alpha = e.components[0], e.ruling.alpha or 0.05
        words = [context.full_title(e), which_of_several(e.ruling, first)]
        name = link(", ".join(filter(None, words)), f"#{context.anchors[e.id]}")
        effective = _effective(e.ruling)
        plan = e.plan or PlanEntry()
        least = None if e.is_search else _least(first, alpha)
        rows.append([name, *_sizes(e.ruling, first), number(least), number(plan.least_backgrounds)])
        if plan.assume:
            plans.append([name, value_text(plan.assume), number(plan.power)])
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


def _sizes(ruling: RulingEntry, first: ComponentEntry) -> list[str]:
    units, effective = ruling.n_nodules, number(_effective(ruling)) if ruling.n_nodules else "–"
    cells = [number(units), number(ruling.n_clusters), number(ruling.icc), effective]
    return [*cells, bound_text(first)]


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
