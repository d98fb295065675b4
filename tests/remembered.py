"""Phantoms and lungs that were looked for, each once for all tests and the processes that start warm; empty drawings.

A phantom takes a third of a second to project and a film as long to estimate its regions, and many tests want the same.
Only what the package itself calls is remembered: a test that calls these functions has them made anew.
"""

import functools
import hashlib
import itertools
import os
import pickle
import sys
from html import escape
from pathlib import Path

FOLDER = "TESTS_REMEMBER_IN"
"""The variable that names the folder; without it everything is made anew."""
UNDRAWN = "TESTS_DRAW_NOTHING"
"""The variable that has drawings of reports left empty, of which most of a small run's time goes into their layout."""
EMPTY = 'viewBox="0 0 9 9"'
"""Where a drawing was left empty, its page says this."""


def pytest_configure():
    """Remember in a run of pytest that does not start warm but with ``-p tests.remembered``."""
    remember()


def remember():
    """Let every module of the package that is loaded, or will be, remember."""
    from synnodtest.backgrounds import estimates, pose
    from synnodtest.phantom import projection

    _put(projection.project, _remembering(projection.project, estimates))
    _put(estimates.estimate_structures, _remembering(estimates.estimate_structures, estimates))
    _put(pose._segmented, _remembering(pose._segmented, estimates))
    draw_nothing_where_asked()


def draw_nothing_where_asked():
    """Let a process whose environment has :data:`UNDRAWN` leave drawings empty; this loads nothing that draws."""
    from synnodtest.report.figures import canvas

    _put(canvas.to_svg, _empty_where_asked(canvas.to_svg))
    _put(canvas.axes, _no_axes_where_asked(canvas.axes))


def _put(made, instead):
    """Put a function into the place of another, wherever the package has that."""
    for other in [found for path, found in sys.modules.items() if path.partition(".")[0] == "synnodtest"]:
        if getattr(other, made.__name__, None) is made:
            setattr(other, made.__name__, instead)


def _empty_where_asked(made):
    @functools.wraps(made)
    def drawn(figure, name, title, description):
        if UNDRAWN not in os.environ:
            return made(figure, name, title, description)
        return (
            f'<svg class="figure" role="img" aria-labelledby="{name}-t {name}-d" {EMPTY}>'
            f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc></svg>'
        )

    return drawn


class _Nothing:
    """Figure and axes of an empty drawing: takes whatever is drawn."""

    def __getattr__(self, name):
        return self

    def __call__(self, *words, **named):
        return self

    def __getitem__(self, place):
        return self

    def __iter__(self):
        return itertools.repeat(self, 2)


def _no_axes_where_asked(made):
    @functools.wraps(made)
    def axes(*words, **named):
        return _Nothing() if UNDRAWN in os.environ else made(*words, **named)

    return axes


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
