"""``synnodtest cache``: what the store of finished work takes, whether it is whole, and making it smaller."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from synnodtest.counted import counted
from synnodtest.errors import SynnodError
from synnodtest.store import Store

UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
SPANS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    add = parser.add_argument
    add("what", nargs="?", choices=("size", "check", "prune"), default="size", help="what to do (default: size)")
    add("--cache", type=Path, default=Path(".synnodtest"), help="the store (default: .synnodtest)")
    add("--unused-for", type=age_s, metavar="30d", help="prune: what was unused for so long (m h d w)")
    add("--limit", type=size_bytes, metavar="5GB", help="prune: the longest unused until the rest fits")
    parser.epilog = (
        "Entries hold the sha256 of their content; `check` reads all of them and sets damaged ones aside. What is not\n"
        "in the store is computed anew, so nothing that is removed is lost, and pruning beside a run is safe."
    )


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    if not options.cache.is_dir():
        raise SynnodError(f"{options.cache}: there is no store", hint="name it with --cache; runs make .synnodtest")
    actions: dict[str, Callable[[Store, argparse.Namespace], int]] = {"size": _size, "check": _check, "prune": _prune}
    return actions[options.what](Store(options.cache), options)


def _size(store: Store, options: argparse.Namespace) -> int:
    stats = store.stats()
    for kind, entries in stats.items():
        print(f"{entries.entries:>9} {shown(entries.bytes):>10}  {kind}")
    total = sum(entries.bytes for entries in stats.values())
    print(f"{sum(entries.entries for entries in stats.values()):>9} {shown(total):>10}  in {store.root}")
    damaged = store.damaged()
    if damaged:
        note = counted(damaged, "damaged entry was", "damaged entries were", shown=f"{damaged:>9}")
        print(f"{note} set aside in {store.root / 'damaged'}; prune removes them")
    return 0


def _check(store: Store, options: argparse.Namespace) -> int:
    damaged = 0
    for entry in store.verify():
        damaged += 1
        print(f"damaged: {entry.kind} {entry.key}; set aside, computed anew when it is needed")
    whole = counted(sum(1 for _ in store.entries()), "entry is", "entries are")
    print(f"{whole} whole, {counted(damaged, 'was', 'were')} damaged")
    return 1 if damaged else 0


def _prune(store: Store, options: argparse.Namespace) -> int:
    if options.unused_for is None and options.limit is None:
        raise SynnodError("cache prune: nothing says what is too much", hint="--unused-for 30d, --limit 5GB, or both")
    gone = store.prune(unused_s=options.unused_for, most_bytes=options.limit)
    print(f"removed {counted(gone.entries, 'entry', 'entries')}, {shown(gone.bytes)}")
    return _size(store, options)


def shown(size: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def size_bytes(text: str) -> int:
    """Return the bytes of ``5GB``, ``800 MB`` or ``1000``."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*", text.lower())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 5GB or 800MB")
    return int(float(match[1]) * UNITS[match[2]])


def age_s(text: str) -> float:
    """Return the seconds of ``30d``, ``12h`` or ``2w``."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([mhdw])\s*", text.lower())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 30d, 12h or 2w")
    return float(match[1]) * SPANS[match[2]]
