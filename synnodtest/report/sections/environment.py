"""Environment: machine and packages."""

from __future__ import annotations

from synnodtest.record.words import value_text
from synnodtest.report.context import Context
from synnodtest.report.model import Cell, Section, Table, code


def environment(context: Context) -> Section:
    """Return machine and packages."""
    data = context.record.environment
    words = {"os": "Operating system", "processor": "Processor", "cores": "Cores", "gpu": "GPU and driver"}
    facts = [
        (word, Cell("none" if (value := getattr(data, key)) in (None, "") else value_text(value)))
        for key, word in (words | {"python": "Python"}).items()
        if key in data.raw
    ]
    rows = [[p.name, p.version, code(p.sha256)] for p in data.packages]
    title = "Software of unknown provenance (SOUP): installed packages that may take part"
    packages = Table(title, ["Package", "Version", "sha256"], rows)
    return Section("Environment", "environment", {"facts": facts, "packages": packages})
