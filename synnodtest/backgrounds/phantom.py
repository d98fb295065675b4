"""Former place of :mod:`synnodtest.phantom`, kept for programs that import it from here."""

from synnodtest.phantom import *  # noqa: F403
from synnodtest.phantom import __all__ as __all__
