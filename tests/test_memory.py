"""Freed memory is taken again: the system is asked for few new pages."""

import os
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from synnodtest.memory import keep_freed_memory
kept = keep_freed_memory() if sys.argv[1] == "keep" else False
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(int(sys.argv[2])):
    np.ones(33 << 20, dtype=np.uint8)  # above 32 MiB glibc gives every block back
print(int(kept), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(word, blocks=12, **settings):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "LD_PRE"))}
    environment |= {"NUMPY_MADVISE_HUGEPAGE": "0", **settings}
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, word, str(blocks)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return map(int, done.stdout.split())


@pytest.mark.skipif(sys.platform != "linux", reason="minor page faults are counted as Linux counts them")
def test_pages_are_asked_for_once():
    kept, few = faults("keep")
    if not kept:
        pytest.skip("this C library is not glibc: it is left as it is")
    _, many = faults("leave")
    assert few < many / 5


@pytest.mark.skipif(sys.platform != "linux", reason="as above")
def test_settings_of_the_users_own_stay():
    kept, _ = faults("keep", blocks=0, MALLOC_TOP_PAD_="131072")
    assert not kept
