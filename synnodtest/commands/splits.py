"""The option ``--split`` of commands that take annotated films."""

from __future__ import annotations

import argparse

from synnodtest.datasets.split import split_name

ALL = "held-out, train, all patients or held-out:0.5 and the like (all)"


def add_split(parser: argparse.ArgumentParser, text: str = ALL, default: str = "all") -> None:
    """Add the option; ``text`` is its help."""
    parser.add_argument("--split", type=_split, metavar="SPLIT", default=default, help=text)


def _split(text: str) -> str:
    try:
        return split_name(text)
    except ValueError as error:  # argparse would leave its words out
        raise argparse.ArgumentTypeError(str(error)) from None
