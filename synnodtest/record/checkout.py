"""State of the git checkout that a run was made in, and of the ledger in it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from synnodtest.integrity import ledger
from synnodtest.integrity.lock import LOCK

TIMEOUT_S = 30
"""Seconds for one call of git; a large checkout on a slow disk takes some, and a run must not hang on it."""

_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
"""Variables with which git tells of another checkout than that of the folder it is asked in."""


def git(root: Path, *words: str) -> str:
    """Return what a command of git prints in a folder, without blanks around it.

    Raises:
        OSError: git cannot be started.
        subprocess.SubprocessError: it fails, or takes too long.
    """
    command = ["git", "-C", str(root), *words]
    here = {name: text for name, text in os.environ.items() if name not in _ELSEWHERE}
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", timeout=TIMEOUT_S, check=True, env=here
    )
    return done.stdout.strip()


def commit_of(root: Path, own: tuple[Path, ...]) -> tuple[str, bool | None, str]:
    """Return the commit of the folder's git checkout, whether its tree is clean, and what is changed in it.

    Where git does not tell, the last is why. Outside a checkout the first is empty and the second None. Settings of the
    user that hide changes do not count.

    Args:
        root: The folder.
        own: What a run itself writes, which makes no tree unclean; the whole folder would hide every change.
    """
    inside = [p for p in dict.fromkeys(p.resolve() for p in own) if p != root.resolve()]
    mine = [p for p in inside if p.is_relative_to(root.resolve())]
    try:
        head = git(root, "rev-parse", "--verify", "HEAD")
        changed = _status(root, "normal", mine) or _status(root, "no", [p for p in mine if not p.is_dir()])
        overlooked = _overlooked(root)
        if overlooked:
            undone = "git update-index --no-assume-unchanged --no-skip-worktree undoes that"
            return head, None, f"git was told to overlook changes of {overlooked} ({undone})"
        return head, not changed, _first_of(changed)
    except (OSError, subprocess.SubprocessError) as error:
        there = any((folder / ".git").exists() for folder in (root.resolve(), *root.resolve().parents))
        return "", None, f"git does not tell the commit of the checkout ({_said(error)})" if there else ""


def _first_of(changed: str) -> str:
    """Return the first path that ``git status`` tells of, and how many more there are; empty for none."""
    paths = [line.split(maxsplit=1)[1] for line in changed.splitlines()]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}" if paths else ""


def _status(root: Path, untracked: str, own: list[Path]) -> str:
    """Return what git tells of the checkout but for these paths; untracked files count if ``normal``, not if ``no``."""
    left_out = (f":(exclude){path.relative_to(root.resolve()).as_posix()}" for path in own)
    options = (f"--untracked-files={untracked}", "--ignore-submodules=none")
    return git(root, "status", "--porcelain", *options, "--", ":/", *left_out)


def _overlooked(root: Path) -> str:
    """Return the first file that is there and whose changes git was told to overlook; empty for none."""
    listed = git(root, "ls-files", "-v", "-z", "--", ":/").split("\0")
    told = (line[2:] for line in listed if line[:1].islower() or line.startswith("S"))
    return next((path for path in told if (root / path).is_file()), "")


def lock_unkept(root: Path) -> list[str]:
    """Return why a lock in a clean checkout shows nothing: git ignores it."""
    try:
        git(root, "ls-files", "--error-unmatch", "--", LOCK)
    except (OSError, subprocess.SubprocessError):
        return [f"{LOCK} is not in git, so that nothing shows when it was written: git add --force {LOCK}"]
    return []


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
        if lines[: len(committed)] != committed:
            reasons.append(f"{file.name} lacks lines that were committed")
        elif any(number > len(committed) for number in ledger.breaks(file)):
            reasons.append(f"{file.name} was edited: lines are missing that were not committed")
    return reasons


def _committed(path: Path, root: Path) -> list[str]:
    """Return the lines of a file below a checkout as they were committed last; none outside one."""
    if not path.is_relative_to(root):
        return []
    try:
        return git(root, "show", f"HEAD:./{path.relative_to(root).as_posix()}").splitlines()
    except (OSError, subprocess.SubprocessError):
        return []
