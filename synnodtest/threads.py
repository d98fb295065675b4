"""Threads of the networks: as many as there are cores to use, asleep while they wait, shared among workers.

OpenMP reads its environment once, when torch (or another library built on it) is loaded, so this comes before that.
"""

from __future__ import annotations

import math
import os
from collections.abc import MutableMapping
from pathlib import Path

PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
"""Threads that wait give up their core. By default they spin: beside another busy process two of them then take 2.7
times as long as with this. GNU's OpenMP (in torch) reads the first, Intel's and LLVM's the second."""

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def wait_asleep(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads that wait give up their core, unless the user has set a policy; child processes inherit it."""
    if not {"OMP_WAIT_POLICY", "KMP_BLOCKTIME", "GOMP_SPINCOUNT"} & set(environment):
        environment.update(PASSIVE)


def share_threads(environment: MutableMapping[str, str] = os.environ, *, available: int | None = None) -> None:
    """Set how many threads OpenMP takes where the default is too many; what the user has set stays.

    Alone, a process takes every core it may use: how busy these are is not asked, since threads that sleep while they
    wait lose little on a busy machine (1.6 s against 1.5 s with one), and a number that hung on the load would
    change the last bits of results. Workers of ``pytest -n`` divide the cores.

    Args:
        environment: Where it is set, and where pytest-xdist says how many workers there are.
        available: How many cores there are to share; None asks the machine.
    """
    wait_asleep(environment)
    workers = int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    usable = cores() if available is None else available
    if workers > 1 or usable < (os.cpu_count() or 1):
        environment.setdefault("OMP_NUM_THREADS", str(max(1, usable // workers)))


def cores(quota: Path = _QUOTA) -> int:
    """Return how many cores this process may use: its affinity, and a container's quota rounded up.

    Args:
        quota: File of the control group: microseconds of processor time and of the period they are for.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    allowed = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        share, period = quota.read_text().split()
        return max(1, min(allowed, math.ceil(int(share) / int(period))))
    except (OSError, ValueError):  # no control group, or "max": no limit
        return allowed
