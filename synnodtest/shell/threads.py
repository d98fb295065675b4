"""Threads of the networks, shared among the workers of ``pytest -n``."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

__all__ = ["share_threads"]


def share_threads(environment: MutableMapping[str, str] = os.environ, *, cores: int | None = None) -> None:
    """Set how many threads OpenMP takes when torch is loaded in a worker; what the user has set stays.

    More threads than cores wait for one another while they hold the cores: a network is then several times slower.

    Args:
        environment: Where it is set, and where pytest-xdist says how many workers there are.
        cores: How many there are to share; None asks the machine.
    """
    workers = int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        every = cores or os.cpu_count() or 1
        environment.setdefault("OMP_NUM_THREADS", str(max(1, every // workers)))
