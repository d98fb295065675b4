"""Reasons why a ledger cannot show that nobody went on until a seed passed: run or commit is not in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from synnodtest.integrity import ledger
from synnodtest.record.checkout import git


def reasons_of_ledger(path: Path, root: Path, run_id: str) -> list[str]:
    """Return why a run confirms nothing for its ledger's sake.

    Args:
        path: The run's ledger; that of the project is looked at too, if it is another one.
        root: The project's folder.
        run_id: Of the run, which the ledger must hold by now.
    """
    own = root / ledger.FILE_NAME
    reasons = ["the run is not in its ledger"] * all(entry["run"] != run_id for entry in ledger.runs_of(path))
    for file in dict.fromkeys(one.resolve() for one in (path, own)):
        committed = _committed(file, root.resolve())
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
        reasons += [f"{file.name} lacks lines that were committed"] * (lines[: len(committed)] != committed)
    return reasons


def _committed(path: Path, root: Path) -> list[str]:
    """Return the lines of a file below a checkout as they were committed last; none outside one."""
    if not path.is_relative_to(root):
        return []
    try:
        return git(root, "show", f"HEAD:./{path.relative_to(root).as_posix()}").splitlines()
    except (OSError, subprocess.SubprocessError):
        return []
