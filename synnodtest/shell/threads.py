"""Threads of the networks: shared among the workers of ``pytest -n``, and asleep while they wait."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

__all__ = ["share_threads"]


def share_threads(environment: MutableMapping[str, str] = os.environ, *, cores: int | None = None) -> None:
    """Set what OpenMP reads when torch is loaded; what the user has set stays.

    Threads of several processes that spin while they wait for one another take the cores from each other: on two cores
    beside other work, a network with two spinning threads takes ten times as long as with one.

    Args:
        environment: Where it is set, and where pytest-xdist says how many workers there are.
        cores: How many there are to share; None asks the machine.
    """
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    workers = int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        every = cores or os.cpu_count() or 1
        environment.setdefault("OMP_NUM_THREADS", str(max(1, every // workers)))
