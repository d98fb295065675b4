"""How soon ``explore.html`` of a large run can be used in a browser.

    python benchmarks/explore_load.py --scenes 10000 --chromium /usr/bin/chromium [--out DIR]

The record is simulated (see tests/report/example.py); every scene has a picture of its own, cut from a phantom. Of each
load is measured, from the start of the navigation, when the page is ready (every scene listed and filtered, the curve
drawn) and when a filter that was changed then is through. Needs the extra ``dev`` (Playwright).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from synnodtest.phantom.sets import PhantomSet
from synnodtest.radiograph import Radiograph
from synnodtest.record.model import Record
from synnodtest.report.explore import write_explore
from synnodtest.report.explore_pictures import Picture, draw
from tests.report import example

SCENES_PER_BACKGROUND = 12
READY = "document.documentElement.dataset.ready === 'yes'"
WATCH = """() => { const seen = new MutationObserver(() => {
  if (document.documentElement?.dataset.ready) { globalThis.readyAfter = performance.now(); seen.disconnect(); } });
  seen.observe(document, {attributes: true, subtree: true}); }"""
FILTERED = """() => new Promise((done) => { const began = performance.now(), point = document.getElementById('point');
  point.value = 0.5; point.dispatchEvent(new Event('input', {bubbles: true}));
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - began))); })"""


def main() -> int:
    """Write the page, load it several times, print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=10_000)
    parser.add_argument("--loads", type=int, default=7)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--out", type=Path, help="keep the page here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        made = Record.of(example.record(max(20, options.scenes // SCENES_PER_BACKGROUND)))
        page = write_explore(made, folder, _pictures())
        print(f"scenes         {len(made.scenes)}, page {page.stat().st_size / 1e6:.1f} MB")
        loads = _loads(page, options.chromium, options.loads)
    for name, values in zip(("ready", "filter"), zip(*loads, strict=True), strict=True):
        middle = statistics.median(values)
        print(f"{name:<15}{middle:.0f} ms ({min(values):.0f} to {max(values):.0f}, {len(values)} loads)")
    return 0


def _pictures() -> Callable[[str], Picture]:
    phantoms = PhantomSet("normal", 1, size=1024)
    radiograph: Radiograph = phantoms.load(phantoms.backgrounds[0])
    rng = np.random.default_rng(0)
    high, wide = radiograph.pixels.shape

    def cut(_: str) -> Picture:
        x, y = rng.uniform(0.2, 0.7, 2) * (wide, high)
        return draw(radiograph, [(x, y, x + 20, y + 20)])

    return cut


def _loads(page: Path, chromium: str, count: int) -> Sequence[tuple[float, float]]:
    """Return milliseconds to readiness and of one changed filter, load by load, each in a tab of its own."""
    from playwright.sync_api import sync_playwright

    found: list[tuple[float, float]] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(count):
            tab: Any = browser.new_page()
            tab.add_init_script(f"({WATCH})()")
            tab.goto(page.as_uri())
            assert tab.evaluate(READY), "the page is not ready after its load event"
            found.append((tab.evaluate("globalThis.readyAfter"), tab.evaluate(FILTERED)))
            tab.close()
        browser.close()
    return found


if __name__ == "__main__":
    raise SystemExit(main())
