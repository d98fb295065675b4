"""Known anomalies, and errors of the run."""

from __future__ import annotations

from synnodtest.record.words import value_text
from synnodtest.report.context import Context
from synnodtest.report.model import Section, Table, link, of_table


def anomalies(context: Context) -> Section:
    """Return known anomalies, and errors of this run."""
    rows: list[list[object]] = [
        [a.id, a.what or value_text({k: v for k, v in a.raw.items() if k != "id"}), a.impact]
        for a in context.record.known_anomalies
    ]
    rows += [
        [link(context.full_title(e), f"#{context.anchors[e.id]}"), e.error, e.status.capitalize()]
        for e in context.record.expectations
        if e.error
    ]
    table = Table("Known anomalies and errors of this run", ["Where", "What", "Effect"], rows)
    return of_table("Anomalies", table, "None is recorded.")
