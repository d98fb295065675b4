"""Shared by commands: options of runs, ``--split``, options handed on by name, figures told and kept, templates."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from synnodtest.canonical import plain
from synnodtest.devices import device
from synnodtest.files import write_atomic
from synnodtest.shell.settings import Settings
from synnodtest.templates import templates_of

ALL = "held-out, train, all patients or held-out:0.5 and the like (all)"
RUN_OR_DETECTOR = (
    "a detector as --detector names it, or results.json (or the folder) of a run; of a folder of runs the newest"
)


def add_kind(kinds: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    """Add one of several things that a command does, and return its parser; ``text`` is its help."""
    parser: argparse.ArgumentParser = kinds.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what pytest's options of synnodtest say, too: synthesizer, backgrounds, limit, seed, cache, device."""
    add = parser.add_argument
    add("--synthesizer", default="diffusion", help="how nodules are made (default: diffusion)")
    add("--backgrounds", type=Path, metavar="DIR", help="nodule-free radiographs (default: phantoms)")
    add("--limit", type=one_or_more, metavar="N", help="at most N backgrounds per behaviour")
    add("--seed", type=int, default=0, metavar="N", help="master seed (default: 0)")
    add("--cache", type=Path, default=Path(".synnodtest"), metavar="DIR", help="store (default: .synnodtest)")
    add("--device", type=device, default="cpu", metavar="DEV", help="cpu (default) or cuda")


def one_or_more(text: str) -> int:
    """Return a count that an option gives.

    Raises:
        argparse.ArgumentTypeError: it is no whole number above 0.
    """
    if not text.strip().isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 1 or more")
    return int(text)


def number_from(least: float, most: float = math.inf) -> Callable[[str], float]:
    """Return what reads a number that an option gives: from ``least`` to ``most``, and finite.

    It raises argparse.ArgumentTypeError where the text is none.
    """

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (least <= value <= most and math.isfinite(value)):
            upwards = "or more" if math.isinf(most) else f"to {most:g}"
            raise argparse.ArgumentTypeError(f"{text} is not a number of {least:g} {upwards}")
        return value

    return number


def file_to_write(text: str) -> Path:
    """Return the file that an option names, which is written after all is done.

    Raises:
        argparse.ArgumentTypeError: a folder is there.
    """
    if Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder: name a file in it")
    return Path(text)


def folder_to_read(text: str) -> Path:
    """Return the folder that an option names.

    Raises:
        argparse.ArgumentTypeError: no folder is there.
    """
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text}: no such folder")
    return Path(text)


def settings_from(options: argparse.Namespace, detector: str = "") -> Settings:
    """Return the settings of a command that has the options of :func:`add_options`."""
    same = handed_on(options, "synthesizer", "backgrounds", "seed", "cache", "device", "limit")
    return Settings(Path.cwd(), detector, **same)


def add_split(parser: argparse.ArgumentParser, text: str = ALL, default: str = "all") -> None:
    """Add ``--split`` of annotated films; ``text`` is its help."""
    parser.add_argument("--split", type=_split, metavar="SPLIT", default=default, help=text)


def _split(text: str) -> str:
    from synnodtest.datasets.split import split_name

    try:
        return split_name(text)
    except ValueError as error:  # argparse would leave its words out
        raise argparse.ArgumentTypeError(str(error)) from None


def handed_on(options: argparse.Namespace, *names: str) -> Any:
    """Return options as keyword arguments of a function that calls them by the same names."""
    return {name: getattr(options, name) for name in names}


def names_of(texts: Sequence[str]) -> list[str]:
    """Return a name for each detector: what was typed, numbered where it was typed twice."""
    return [text if texts.count(text) == 1 else f"{text} ({k})" for k, text in enumerate(texts, 1)]


def template(name: str, **filters: Any) -> Any:
    """Return a template of :mod:`synnodtest.commands`, which knows these filters."""
    environment = templates_of("synnodtest.commands", last_newline=True)
    environment.filters |= filters
    return environment.get_template(name)


def tell(figures: object, out: Path | None) -> None:
    """Print figures as JSON and, where a file is named, write them into it too."""
    print(json.dumps(plain(figures), indent=1))
    keep(figures, out)


def say_notes(notes: Iterable[str]) -> None:
    """Print notes on what was read beside the figures, which go to the standard output."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def keep(figures: object, out: Path | None, *, sort: bool = False) -> None:
    """Write figures as JSON where a file is named; NaN becomes null."""
    if out is not None:
        write_atomic(out, json.dumps(plain(figures), indent=1, sort_keys=sort) + "\n")


def on_bar(bar: Any) -> Any:
    """Return a function of films done and their number that moves a bar of tqdm."""

    def progress(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return progress
