"""Multiplicity: failure alarms, raw and after Holm."""

from __future__ import annotations

from collections import Counter

from synnodtest.integrity.protocol import GATES
from synnodtest.record.words import number, p_text
from synnodtest.report.context import Context
from synnodtest.report.model import Section, Table, link, status


def multiplicity(context: Context) -> Section:
    """Return families, gates and procedure."""
    expectations = context.record.expectations
    families = Counter((context.gate(e), e.shown_status) for e in expectations)
    gates = [g for g in GATES if any(k[0] == g for k in families)]
    gates += sorted({k[0] for k in families} - set(gates))
    words = [w for w in context.counts if context.counts[w]]
    heads, columns = [w.capitalize() for w in words], ["Expectation", "p, raw", "p, Holm", "Says"]
    rows = [[g, *(number(families[g, w]) for w in words)] for g in gates]
    alarms = [
        [
            link(context.full_title(e), f"#{context.anchors[e.id]}"),
            *(p_text(p, none="–") for p in (e.p_value, e.p_holm)),
            status(e.shown_status),
        ]
        for e in expectations
        if e.p_holm is not None or e.p_value is not None
    ]
    data = {
        "gates": Table("Expectations by gate", ["Gate", *heads], rows, numeric=heads),
        "alarms": Table("Raw and adjusted p values", columns, alarms, numeric=columns[1:3]),
    }
    return Section("Multiplicity", "multiplicity", data, "" if expectations else "No expectation was tested.")
