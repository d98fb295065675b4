"""``synnodtest paper EXPERIMENT``: one experiment of the SynNodBench paper, to its figure.

The experiments lie in ``studies/`` of a checkout, their options with them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import synnodtest
from synnodtest.errors import SynnodError


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of the command."""
    if not _in_checkout():
        parser.add_argument("words", nargs=argparse.REMAINDER, help="(only in a checkout)")
        parser.set_defaults(run=_unavailable)
        return
    from studies.paper import command

    command.configure(parser)


def _in_checkout() -> bool:
    """Return whether ``studies/`` lies beside the package, and see to it that it can be imported."""
    root = Path(synnodtest.__file__).resolve().parents[1]
    if not (root / "studies" / "paper").is_dir():
        return False
    if str(root) not in sys.path:
        sys.path.append(str(root))
    return True


def _unavailable(options: argparse.Namespace) -> None:
    raise SynnodError(
        f"the experiments of the paper are not part of the installed package ({Path(synnodtest.__file__).parent})",
        hint="run `synnodtest paper` from a checkout of the repository: git clone, then `pip install -e .`",
    )
