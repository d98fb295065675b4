"""Environment: machine and packages."""

from __future__ import annotations

from synnodtest.report.context import Context
from synnodtest.report.model import Section, Table, code


def environment(context: Context) -> Section:
    """Return machine and packages."""
    rows = [[p.name, p.version, code(p.sha256)] for p in context.record.environment.packages]
    title = "Software of unknown provenance (SOUP): installed packages that may take part"
    packages = Table(title, ["Package", "Version", "sha256"], rows)
    return Section("Environment", "environment", {"packages": packages})
