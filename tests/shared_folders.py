"""Folders that one worker of ``pytest -n`` fills for all: what takes seconds to make and is only read afterwards."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def for_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the temporary folder that all workers of this run of the tests see."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def shared_folder(tmp_path_factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], object]) -> Path:
    """Return a folder that is filled once; the worker that comes second waits. Nobody may change what is in it.

    Args:
        tmp_path_factory: pytest's.
        name: Of the folder, another for every fixture.
        fill: Is given the empty folder.
    """
    import fcntl

    base = for_all_workers(tmp_path_factory)
    folder, done = base / name, base / f"{name}.done"
    with (base / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            fill(folder)
            done.touch()
    return folder
