"""Guide: standards map, glossary, and the command that repeats the run."""

from __future__ import annotations

import json
import shlex
from importlib import resources

from synnodtest.record.statuses import STATUSES
from synnodtest.report.context import Context
from synnodtest.report.model import Section, Table, status


def guide(context: Context) -> Section:
    """Return standards map, glossary and the command that repeats the run; the map claims no conformance."""
    legend = [[status(look.word), look.meaning] for look in STATUSES.values()]
    texts = json.loads(resources.files(__package__).joinpath("guide.json").read_text(encoding="utf-8"))
    heads = ["Document", "Topic", "Sections"]
    named = " ".join(part.method for e in context.record.expectations for part in e.components)
    methods = [row for row in texts["methods"] if row[0] in named]
    data = {
        "legend": Table("What the statuses mean", ["Status", "Meaning"], legend),
        "standards": Table("Where a reader of a standard may look", heads, texts["standards"]),
        "glossary": texts["glossary"],
        "methods": Table("Methods of the intervals of this run", ["Method", "How the bounds are found"], methods),
        "command": shlex.join(context.record.run.command),
    }
    return Section("Guide", "guide", data)
