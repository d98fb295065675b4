"""Waivers, and the expectations that they cover."""

from __future__ import annotations

from synnodtest.record.words import date
from synnodtest.report.context import Context
from synnodtest.report.model import Section, Table, of_table


def waivers(context: Context) -> Section:
    """Return waivers with approver and expiry, and which expectations they cover."""
    record = context.record
    used = [(e.waived.id, f"{context.full_title(e)} ({e.status})") for e in record.expectations if e.waived and e.ruled]
    every = {e.waived.id: e.waived for e in record.expectations if e.waived} | {w.id: w for w in record.waivers}
    rows = []
    for key, waiver in every.items():
        met = "; ".join(title for waived, title in used if waived == key)
        expiry = f"{date(waiver.expiry)}{', expired' if waiver.expired else ''}"
        rows.append([key, waiver.reason, waiver.approver, expiry, met or "nothing in this run"])
    columns = ["Waiver", "Reason", "Approver", "Expiry", "Covers"]
    return of_table("Waivers", Table("Waivers", columns, rows), "No waiver was in force.")
