"""Phantoms and estimated regions, each made once for all tests and the processes that start warm.

A phantom takes a third of a second to project and a film as long to estimate its regions, and many tests want the same.
Only what the package itself calls is remembered: a test that calls these functions has them made anew.
"""

import functools
import hashlib
import os
import pickle
import sys
from pathlib import Path

FOLDER = "TESTS_REMEMBER_IN"
"""The variable that names the folder; without it everything is made anew."""


def pytest_configure():
    """Remember in a run of pytest that does not start warm but with ``-p tests.remembered``."""
    remember()


def remember():
    """Let every module of the package that is loaded, or will be, remember."""
    from synnodtest.backgrounds import estimates
    from synnodtest.phantom import projection

    for module, name in ((projection, "project"), (estimates, "estimate_structures")):
        made = getattr(module, name)
        kept = _remembering(made, estimates)
        for other in [found for path, found in sys.modules.items() if path.partition(".")[0] == "synnodtest"]:
            if getattr(other, name, None) is made:
                setattr(other, name, kept)


def _remembering(made, estimates):
    @functools.wraps(made)
    def kept(*words, **named):
        folder = os.environ.get(FOLDER)
        if folder is None:
            return made(*words, **named)
        asked = pickle.dumps((made.__name__, estimates.estimator(), words, sorted(named.items())))
        path = Path(folder) / hashlib.sha256(asked).hexdigest()
        if not path.exists():
            other = path.with_suffix(f".{os.getpid()}")
            other.write_bytes(pickle.dumps(made(*words, **named)))
            other.rename(path)
        return _read_only(pickle.loads(path.read_bytes()))

    return kept


def _read_only(made):
    """Return what was made with masks as they were: nobody may write into those of a phantom."""
    for mask in getattr(made, "regions", {}).values():
        mask.setflags(write=False)
    return made
