"""Workers of one run share the cores instead of fighting for them."""

import pytest

from synnodtest.shell.threads import share_threads


@pytest.mark.parametrize(
    ("told", "cores", "threads"),
    [({"PYTEST_XDIST_WORKER_COUNT": "2"}, 2, "1"), ({"PYTEST_XDIST_WORKER_COUNT": "4"}, 2, "1"),
     ({"PYTEST_XDIST_WORKER_COUNT": "2"}, 16, "8"), ({"PYTEST_XDIST_WORKER_COUNT": "1"}, 16, None), ({}, 16, None),
     ({"PYTEST_XDIST_WORKER_COUNT": "2", "OMP_NUM_THREADS": "3"}, 2, "3")],
)  # fmt: skip
def test_cores_are_divided_among_workers_unless_the_user_says_otherwise(told, cores, threads):
    share_threads(told, cores=cores)
    assert told.get("OMP_NUM_THREADS") == threads
