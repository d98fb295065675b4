"""State of the git checkout that a run was made in, and of the ledger in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from synnodtest.integrity import ledger

TIMEOUT_S = 30
"""Seconds for one call of git; a large checkout on a slow disk takes some, and a run must not hang on it."""


def git(root: Path, *words: str) -> str:
    """Return what a command of git prints in a folder, without blanks around it.

    Raises:
        OSError: git cannot be started.
        subprocess.SubprocessError: it fails, or takes too long.
    """
    command = ["git", "-C", str(root), *words]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", timeout=TIMEOUT_S, check=True
    )
    return done.stdout.strip()


def commit_of(root: Path, own: tuple[Path, ...]) -> tuple[str, bool | None, str]:
    """Return the commit of the folder's git checkout, whether its tree is clean, and why git does not tell.

    Outside a checkout the first is empty and the second None. Settings of the user that hide changes do not count.

    Args:
        root: The folder.
        own: What a run itself writes, which makes no tree unclean; the whole folder would hide every change.
    """
    inside = {p.resolve() for p in own} - {root.resolve()}
    mine = [p.relative_to(root.resolve()).as_posix() for p in inside if p.is_relative_to(root.resolve())]
    try:
        head = git(root, "rev-parse", "--verify", "HEAD")
        options = ("--untracked-files=normal", "--ignore-submodules=none")
        changed = git(root, "status", "--porcelain", *options, "--", ":/", *(f":(exclude){path}" for path in mine))
        return head, not changed, ""
    except (OSError, subprocess.SubprocessError) as error:
        there = any((folder / ".git").exists() for folder in (root.resolve(), *root.resolve().parents))
        return "", None, f"git does not tell the commit of the checkout ({_said(error)})" if there else ""


def _said(error: Exception) -> str:
    """Return what git complains of in its first line, such as a checkout that another user owns."""
    lines = str(getattr(error, "stderr", "") or error).strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else type(error).__name__


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
