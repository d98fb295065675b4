"""Items of spec files without pytest, for commands: the same node ids, the same settings."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from synnodtest.devices import device
from synnodtest.planning.cases import Case, cases_of
from synnodtest.shell.settings import Settings
from synnodtest.spec.loader import load_spec


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


def settings_from(options: argparse.Namespace, detector: str = "") -> Settings:
    """Return the settings of a command that has the options of :func:`add_options`."""
    same = ("synthesizer", "backgrounds", "seed", "cache", "device", "limit")
    return Settings(Path.cwd(), detector, **{name: getattr(options, name) for name in same})


def cases_in(files: Iterable[Path], known_regions: frozenset[str] = frozenset()) -> Iterator[Case]:
    """Yield every item of spec files.

    Raises:
        SpecError: a file cannot be used; every fault of it is told.
    """
    for path in files:
        yield from cases_of(load_spec(path, known_regions=known_regions), path.as_posix())
