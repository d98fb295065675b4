"""Reports of items as pytest tells them, kept apart from its terminal, which ``-p no:terminal`` takes away."""

from __future__ import annotations

from typing import Any


class Told:
    """A plugin of pytest that notes what came of items, by their node ids.

    Attributes:
        ruled: Expectations that came to a verdict.
        skipped: Items that were skipped.
        ran: Tests of others that ran: passed, or failed as expected.
    """

    def __init__(self) -> None:
        self.ruled: dict[str, None] = {}
        self.skipped: dict[str, None] = {}
        self.ran: dict[str, None] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a report, of a worker too."""
        if getattr(report, "synnod_status", ""):
            self.ruled[report.nodeid] = None
        elif report.skipped and not hasattr(report, "wasxfail"):
            self.skipped[report.nodeid] = None
        elif report.when == "call":
            self.ran[report.nodeid] = None
