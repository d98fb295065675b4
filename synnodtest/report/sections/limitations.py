"""Limitations: what the results do not show."""

from __future__ import annotations

from synnodtest.record.limitations import LIMITATION
from synnodtest.record.words import plural
from synnodtest.report.context import Context
from synnodtest.report.model import Section


def limitations(context: Context) -> Section:
    """Return what the results do not show; the first sentence always."""
    counts = context.counts
    lines = [*context.record.limitations, *context.record.authored.limitations]
    if nameless := context.record.nameless:
        lines.append(
            f"Nobody names the patient of {plural(nameless, 'film')}, so that each counts as another's: "
            "where two are of one, intervals are too narrow. A column 'patient' in manifest.csv tells."
        )
    if counts["INCONCLUSIVE"]:
        lines.append(
            "An inconclusive expectation supports neither the detector nor its opposite; more data may settle it."
        )
    if counts["INVALID"] or counts["ERROR"] or counts["NOT RUN"]:
        lines.append("Expectations that are invalid, in error or not run leave their behaviours without evidence.")
    if not context.record.run.confirmatory:
        lines.append("An exploratory run supports no claim; repeat it from a frozen specification and a clean tree.")
    return Section("Limitations", "limitations", {"fixed": LIMITATION, "said": list(dict.fromkeys(lines))})
