"""Protocol: behaviours, scenes and criteria, as they stood before the run."""

from __future__ import annotations

from collections.abc import Sequence

from synnodtest.record.model import BehaviourEntry, ExpectationEntry
from synnodtest.record.rejections import by_kind
from synnodtest.record.words import date, number, parameters_text, short_hash
from synnodtest.report.context import Context
from synnodtest.report.model import Cell, Section, Table, code


def protocol(context: Context) -> Section:
    """Return every behaviour as a sentence with its criteria, margins and their rationale."""
    record = context.record
    groups = [{"behaviour": b, "table": _criteria(context, b, items)} for b, items in context.grouped()]
    alpha, heads = record.run.alpha, ["Run", "Started", "Ended", "Seed", "Detector", "Chosen", "Specification"]
    ledger = [
        [code(r.run), date(r.started), r.status, str(r.seed), r.detector, r.chosen, code(short_hash(r.spec_sha256))]
        for r in record.ledger
    ]
    data = {
        "alpha": f"{alpha:g}" if alpha is not None else "–",
        "groups": groups,
        "ledger": Table("Runs of these specifications, aborted ones included", heads, ledger),
        "reasons": list(by_kind(record.attrition.reasons).items()),
    }
    return Section("Protocol", "protocol", data, "" if groups else "No behaviour was collected.")


def _criteria(context: Context, behaviour: BehaviourEntry, items: Sequence[ExpectationEntry]) -> Table:
    rows = []
    for e in items:
        ruling, criterion = e.ruling, e.ruling.criterion if e.ruling else ""
        stop = "sequential, by e-values" if ruling and ruling.figure_kind == "sequential" else "fixed n"
        methods = "; ".join(dict.fromkeys(p.method for p in e.components)) or "–"
        alpha = f"{ruling.alpha:g}" if ruling and ruling.alpha else "–"
        n = f"{number(ruling.n_nodules)}, {stop}" if ruling and ruling.n_nodules else "–"
        name, why = Cell(context.title(e), href=f"#{context.anchors[e.id]}"), e.rationale or behaviour.rationale
        rows.append([name, criterion or parameters_text(e), methods, why or "none given", alpha, n])
    columns = ["Expectation", "Criterion", "Statistic", "Rationale of the margin", "α", "n and stopping"]
    return Table(f"Criteria of {behaviour.id}", columns, rows, numeric=["α"])
