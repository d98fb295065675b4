"""``synnodtest selftest``: check values, a detector against itself, and the kill table of seeded faults."""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from synnodtest.files import write_atomic

__all__ = ["FILE_NAME", "configure", "page"]

ORACLE = "oracle"
FILE_NAME = "selftest.json"
"""In the store's folder: what later reports show as tool validation."""


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of the command."""
    from synnodtest.shell.cases import one_or_more

    parser.add_argument("specs", nargs="*", type=Path, help="specs or folders of specs (default: specs)")
    parser.add_argument("--detector", default=ORACLE, help="what the mutants are made of (default: oracle)")
    parser.add_argument("--synthesizer", default="gaussian", help="plants the nodules (default: gaussian)")
    parser.add_argument("--limit", type=one_or_more, default=20, help="backgrounds per behaviour at most (default: 20)")
    parser.add_argument("--size", type=int, default=256, help="pixels along each side of the phantoms (default: 256)")
    parser.add_argument("--seed", type=int, default=0, help="master seed (default: 0)")
    parser.add_argument("--cache", type=Path, default=Path(".synnodtest"), help="where selftest.json goes, for reports")
    parser.add_argument(
        "--out", type=Path, help="also write kill-table.md (of another detector: kill-table-NAME.md) into this folder"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from synnodtest.commands.specs import spec_files
    from synnodtest.detectors import Options, make_detector
    from synnodtest.phantom import PhantomSet
    from synnodtest.shell.selftest import Bench, selftest
    from synnodtest.spec.loader import load_spec
    from synnodtest.store import Store
    from synnodtest.synthesizers import resolve_synthesizer

    specs = [load_spec(path) for path in spec_files(options.specs)]
    with tempfile.TemporaryDirectory(prefix="synnodtest-selftest-") as folder:
        bench = Bench(
            backgrounds=lambda name, count: PhantomSet(name, count, options.seed, size=options.size),
            synthesizer=resolve_synthesizer(options.synthesizer),
            store=Store(folder),
            limit=options.limit,
            seed=options.seed,
        )
        found = selftest(specs, make_detector(options.detector, Options()), bench, say=print)
    made = found.as_dict()
    options.cache.mkdir(parents=True, exist_ok=True)
    write_atomic(options.cache / FILE_NAME, json.dumps(made, indent=1, sort_keys=True) + "\n")
    text = page(made, _conditions(options))
    print(text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        write_atomic(options.out / _page_name(options.detector), text)
    alike = [kill.mutant for kill in found.kills if not kill.differs]
    print("verdicts on every mutant differ from those on the unmutated detector: " + (_but(alike) or "yes"))
    print("selftest: " + ("everything holds" if found.holds else "something does NOT hold"))
    return 0 if found.holds else 1


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
    lines = [
        "# The kill table",
        "",
        "Written by `synnodtest selftest`. A seeded fault ([mutants](detectors.md)) is *killed* by every expectation",
        "of `specs/` that FAILED it and did not fail the detector it was made of. None may be killed by an expectation",
        "whose statement it does not violate.",
        "",
        conditions,
        "",
        "| mutant | fault | killed by | without reason | verdicts that differ from the unmutated detector's |",
        "|---|---|---|---|---|",
        *(
            f"| `{row['mutant']}` | {row['fault']} | {_items(row['killed_by'])} | {_items(row['without_reason'])} "
            f"| {row['verdicts_that_differ']} of {len(made['base_verdicts'])} |"
            for row in made["kill_table"]
        ),
        "",
        *_told(made["kill_table"]),
        "",
        *_versions(made["change_control"]),
        "## Every verdict that differs",
        "",
        "The verdict on the unmutated detector, then that on the mutant.",
        "",
        *(f"- `{name}`: {_items('; '.join(items) or 'none')}" for name, items in made["differing_verdicts"].items()),
        "",
        "## The detector itself",
        "",
        *_verdicts(made["base_verdicts"]),
        "",
        "## The detector against itself",
        "",
        "| what | n | difference | holds |",
        "|---|---|---|---|",
        *(f"| {r['what']} | {r['n']} | {r['difference']:g} | {_yes(r['holds'])} |" for r in made["aa"]),
        "",
        "## Check values of the statistics",
        "",
        "| what | source | expected | got | holds |",
        "|---|---|---|---|---|",
        *(
            f"| {r['what']} | {r['source']} | {r['expected']:.6g} | {r['got']:.6g} | {_yes(r['holds'])} |"
            for r in made["analytic"]
        ),
    ]
    return "\n".join(lines) + "\n"


def _versions(rows: list[dict[str, Any]]) -> list[str]:
    """Return what the change control plans say of every fault as a new version; nothing where there is no plan."""
    if not rows:
        return []
    plans = dict.fromkeys(row["plan"] for row in rows)
    return [
        "## New versions against the change control plan",
        "",
        "The detector itself under another version, then every mutant as a new version of it: the clauses it breaks,",
        "and those among them that it does not violate.",
        "",
        *(line for plan in plans for line in _of_plan(plan, [row for row in rows if row["plan"] == plan])),
    ]


def _of_plan(plan: str, rows: list[dict[str, Any]]) -> list[str]:
    return [
        f"By `{plan}`:",
        "",
        "| new version | verdict | clauses broken | without reason |",
        "|---|---|---|---|",
        *(
            f"| {row['new_version']} | {row['verdict']} | {row['clauses_broken']} | {row['without_reason']} |"
            for row in rows
        ),
        "",
    ]


def _told(rows: list[dict[str, Any]]) -> list[str]:
    """Return what the table says as a whole."""
    spared = [row["mutant"] for row in rows if row["killed_by"] == "nothing"]
    alike = [row["mutant"] for row in rows if not row["verdicts_that_differ"]]
    return [
        f"{len(rows) - len(spared)} of {len(rows)} mutants are killed"
        + (f", and not {_items('; '.join(spared))}." if spared else "."),
        "Verdicts differ from those on the unmutated detector for "
        + (f"all but {_items('; '.join(alike))}." if alike else "every mutant."),
    ]


def _items(text: str) -> str:
    return text if text in {"none", "nothing"} else ", ".join(f"`{item}`" for item in text.split("; "))


def _verdicts(statuses: dict[str, str]) -> list[str]:
    lines = []
    for word in sorted(set(statuses.values())):
        held = [key for key, status in statuses.items() if status == word]
        named = "" if word == "PASSED" else ": " + ", ".join(f"`{key}`" for key in held)
        lines.append(f"- {len(held)} {word}{named}")
    return lines


def _but(mutants: list[str]) -> str:
    return f"NO, not those on {', '.join(mutants)}" if mutants else ""


def _yes(holds: bool) -> str:
    return "yes" if holds else "NO"
