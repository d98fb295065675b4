"""Make ``reports/example``: the report of the shipped demo, shortened so that it can lie in the repository.

    make example                                          # the same, without the picture
    python benchmarks/report_example.py --chromium /usr/bin/chromium

It runs ``synnodtest demo``, keeps a few pictures of each kind, and writes record, report and manifest anew; the report
says so. With ``--chromium`` it also draws the first screen into ``docs/images/report.png``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EXAMPLE, PICTURE = ROOT / "reports" / "example", ROOT / "docs" / "images" / "report.png"
KEPT = {"worst failure": 2}
"""Scenes kept per expectation and rule; one where nothing is said."""
SHORTENED = (
    "Shortened for the repository: of each kind of scene only one or two pictures per expectation are kept, and their "
    "lossless copies are left out; replay makes them again."
)


def main() -> int:
    """Run the demo, shorten its report, draw its first screen; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=16, help="backgrounds per behaviour (default: 16)")
    parser.add_argument("--chromium", help="also draw docs/images/report.png with this browser")
    options = parser.parse_args()
    before = _runs()
    with tempfile.TemporaryDirectory() as store:  # a new one: what older code left in the project's is not the demo's
        words = ["demo", "--limit", str(options.limit), "--", "--synnod-cache", store]
        subprocess.run([Path(sys.executable).with_name("synnodtest"), *words], cwd=ROOT, check=True)
    (run,) = _runs() - before
    shutil.rmtree(EXAMPLE, ignore_errors=True)
    shorten(run, EXAMPLE)
    shutil.rmtree(run)
    size = sum(p.stat().st_size for p in EXAMPLE.rglob("*") if p.is_file())
    print(f"{EXAMPLE.relative_to(ROOT)}: {size / 1e6:.1f} MB")
    if options.chromium:
        _draw(options.chromium)
    return 0


def _runs() -> set[Path]:
    return {path.parent for path in (ROOT / "reports").glob("*/results.json")} - {EXAMPLE}


def shorten(run: Path, target: Path) -> None:
    """Write a run with a few of its pictures into ``target``, whole in itself: it verifies."""
    from synnodtest.integrity import manifest
    from synnodtest.record import results as record
    from synnodtest.report import html

    made = record.read(run)
    made["gallery"] = _first(made["gallery"])
    made["limitations"] = [*made["limitations"], SHORTENED]
    made["run"]["command"] = _without_store(made["run"]["command"])
    kept = {value for item in made["gallery"] for value in item.values() if str(value).startswith("evidence/")}
    for path in (p for p in run.rglob("*") if p.is_file() and p.name not in (manifest.REPORT, manifest.FILE_NAME)):
        relative = path.relative_to(run)
        if relative.parts[0] != "evidence" or relative.as_posix() in kept:
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / relative)
    record.write(made, target)
    html.render(record.read(target), target)
    manifest.write(target)


def _without_store(words: list[str]) -> list[str]:
    """Return the command without the temporary store, on which no result hangs."""
    at = words.index("--synnod-cache") if "--synnod-cache" in words else len(words)
    return [*words[:at], *words[at + 2 :]]


def _first(gallery: list[dict[str, Any]]) -> list[dict[str, Any]]:
    seen: Counter[tuple[str, str]] = Counter()
    kept = []
    for item in gallery:
        key = (item["expectation"], item["rule"])
        seen[key] += 1
        if seen[key] <= KEPT.get(item["rule"], 1):
            kept.append({role: value for role, value in item.items() if not role.endswith("_png16")})
    return kept


def _draw(chromium: str) -> None:
    words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1280,940"]
    url = (EXAMPLE / "report.html").as_uri()
    subprocess.run([chromium, *words, f"--screenshot={PICTURE}", url], check=True, capture_output=True, timeout=120)
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    raise SystemExit(main())
