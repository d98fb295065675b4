"""Facts of the run itself for the record, from its settings."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from synnodtest.integrity.lock import LOCK
from synnodtest.record.checkout import commit_of
from synnodtest.record.complete import RunFacts
from synnodtest.shell.refusals import limits_of
from synnodtest.shell.repeat_commands import changed
from synnodtest.shell.settings import Settings


def facts_of(settings: Settings, run_id: str, folder: Path, ledger: Path, written: Iterable[Path]) -> RunFacts:
    """Return the facts that hang on settings alone.

    Args:
        settings: What the user asked for.
        run_id: Identifier of the run.
        folder: Of the report.
        ledger: The ledger of runs.
        written: Files that pytest itself writes.
    """
    return RunFacts(
        root=settings.root,
        run_id=run_id,
        command=settings.command,
        seed=settings.seed,
        limit=settings.limit,
        pixels=settings.pixels,
        waiver_file=settings.waivers,
        cache=settings.cache,
        limits=limits_of(settings),
        credibility=settings.credibility,
        options={
            "detector": settings.detector_told,
            "synthesizer": settings.synthesizer,
            "backgrounds": str(settings.backgrounds or ""),
            "report": os.path.relpath(folder, settings.root),
            **changed(settings),
        },
        ledger=ledger,
        reports=settings.reports,
        own=(settings.reports, settings.cache, ledger, settings.root / "replay", *written),
    )


def checkout_of(facts: RunFacts) -> tuple[str, bool | None] | None:
    """Return git's commit and whether the tree is clean; None without a lock, as only a frozen spec hangs on them."""
    return commit_of(facts.root, facts.own)[:2] if (facts.root / LOCK).is_file() else None
