"""``synnodtest selftest``: check values, a detector against itself, and the kill table of seeded faults."""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path
from typing import Any

from synnodtest.commands.options import keep, one_or_more, template
from synnodtest.files import write_atomic

ORACLE = "oracle"


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    add = parser.add_argument
    add("specs", nargs="*", type=Path, help="specs or folders of specs (default: specs)")
    add("--detector", default=ORACLE, help="what the mutants are made of (default: oracle)")
    add("--synthesizer", default="gaussian", help="plants the nodules (default: gaussian)")
    add("--limit", type=one_or_more, default=20, help="backgrounds per behaviour at most (default: 20)")
    add("--size", type=int, default=256, help="pixels along each side of the phantoms (default: 256)")
    add("--seed", type=int, default=0, help="master seed (default: 0)")
    add("--cache", type=Path, default=Path(".synnodtest"), help="where selftest.json goes, for reports")
    add("--out", type=Path, help="also write kill-table.md (of another detector: kill-table-NAME.md) into this folder")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from synnodtest.commands.specs import spec_files
    from synnodtest.detectors import Options, make_detector
    from synnodtest.phantom import PhantomSet
    from synnodtest.record.complete import SELFTEST
    from synnodtest.shell.selftest import Bench, selftest
    from synnodtest.spec.loader import load_spec
    from synnodtest.store import Store
    from synnodtest.synthesizers import resolve_synthesizer

    specs = [load_spec(path) for path in spec_files(options.specs)]
    with tempfile.TemporaryDirectory(prefix="synnodtest-selftest-") as folder:
        print(f"scenes lie in {folder} until this ends; remove it by hand if this is killed", flush=True)
        bench = Bench(
            backgrounds=lambda name, count: PhantomSet(name, count, options.seed, size=options.size),
            synthesizer=resolve_synthesizer(options.synthesizer),
            store=Store(folder),
            limit=options.limit,
            seed=options.seed,
        )
        result = selftest(specs, make_detector(options.detector, Options()), bench, say=print)
    record = result.as_dict()
    keep(record, options.cache / SELFTEST, sort=True)
    text = page(record, _conditions(options))
    print(text)
    if options.out is not None:
        write_atomic(options.out / _page_name(options.detector), text)
    alike = [kill.mutant for kill in result.kills if not kill.differs]
    answer = f"NO, not those on {', '.join(alike)}" if alike else "yes"
    print(f"verdicts on every mutant differ from those on the unmutated detector: {answer}")
    print("selftest: " + ("everything holds" if result.holds else "something does NOT hold"))
    return 0 if result.holds else 1


def _page_name(detector: str) -> str:
    """Return the name of the page: the table of the oracle is the one that all others are read against."""
    words = re.findall(r"[A-Za-z0-9]+", detector)
    return "kill-table.md" if detector == ORACLE else f"kill-table-{'-'.join(words)}.md"


def _conditions(options: argparse.Namespace) -> str:
    return (
        f"Made of `{options.detector}` with the synthesizer `{options.synthesizer}` on phantoms of {options.size} x "
        f"{options.size} pixels, at most {options.limit} per behaviour, seed {options.seed}."
    )


def page(made: dict[str, Any], conditions: str) -> str:
    """Return the self-test as a Markdown page."""
    return str(template("kill-table.md.j2").render(**made, conditions=conditions))
