"""The name of a run."""

import re
import time

from synnodtest.record.assemble import new_run_id


def test_runs_sort_by_their_names_within_a_second_too():
    names = []
    for _ in range(20):
        names.append(new_run_id())
        time.sleep(0.001)
    assert names == sorted(names)
    assert len(set(names)) == 20
    assert all(re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{6}", name) for name in names)
