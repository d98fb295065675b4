"""How large, how fast and how hungry the report of a large run is, and whether a browser scrolls through it.

    python benchmarks/report_size.py --scenes 10000 [--chromium /usr/bin/chromium] [--out DIR]

The record is simulated (see tests/report/example.py), with every picture that a run of this size would embed: 12
worst, 6 random failures and 6 random passes per failed expectation. Rendering is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

SCENES_PER_BACKGROUND = 12
SCROLL = """
<script>addEventListener('load', () => {
  const height = document.documentElement.scrollHeight, began = performance.now();
  let slowest = 0, last = began;
  for (let y = 0; y < height; y += 600) {
    scrollTo(0, y); document.elementFromPoint(600, 300).getBoundingClientRect();
    const now = performance.now(); slowest = Math.max(slowest, now - last); last = now;
  }
  document.title = `loaded in ${Math.round(began)} ms; scrolled through ${height} px in ` +
    `${Math.round(last - began)} ms, slowest screen ${Math.round(slowest)} ms`;
});</script>
"""


def main() -> int:
    """Make the record, render it in a child process, print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=10_000)
    parser.add_argument("--chromium", help="also load it headless and scroll to its end")
    parser.add_argument("--out", type=Path, help="keep the folder of the run here")
    parser.add_argument("--render", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.render:
        return _render(options.render)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch) / "run"
        scenes, pictures = _make(folder, options.scenes)
        done = subprocess.run(
            [sys.executable, __file__, "--render", str(folder)], check=True, capture_output=True, text=True
        )
        measured = json.loads(done.stdout)
        report = folder / "report.html"
        print(f"scenes         {scenes}, record {(folder / 'results.json').stat().st_size / 1e6:.1f} MB")
        print(f"pictures       {pictures} in evidence/")
        print(f"report         {report.stat().st_size / 1e6:.1f} MB")
        print(f"read + render  {measured['seconds']:.1f} s, at most {measured['megabytes']:.0f} MB of memory")
        if options.chromium:
            print(f"chromium       {_scroll(options.chromium, report)}")
    return 0


def _make(folder: Path, scenes: int) -> tuple[int, int]:
    from synnodtest.record import results as record
    from tests.report import example

    made = example.record(max(20, scenes // SCENES_PER_BACKGROUND))
    made = example.with_everything(example.with_pictures(made, folder))
    record.write(made, folder)
    return len(made["scenes"]), sum(1 for _ in (folder / "evidence").iterdir())


def _render(folder: Path) -> int:
    from synnodtest.record import results as record
    from synnodtest.report import html

    started = time.perf_counter()
    html.render(record.read(folder), folder)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
    return 0


def _scroll(chromium: str, report: Path) -> str:
    """Return how long loading and scrolling took; the script goes into a copy without the policy."""
    text = report.read_text(encoding="utf-8").replace('http-equiv="Content-Security-Policy"', 'name="policy"')
    copy = report.with_name("scroll.html")
    copy.write_text(text.replace("</body>", f"{SCROLL}</body>"), encoding="utf-8")
    words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900", "--dump-dom"]
    done = subprocess.run([chromium, *words, copy.as_uri()], capture_output=True, text=True, timeout=300)
    copy.unlink()
    return done.stdout.partition("<title>")[2].partition("</title>")[0]


if __name__ == "__main__":
    raise SystemExit(main())
