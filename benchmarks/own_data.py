"""From a NODE21 folder to verdicts with no manual step: phantom, convert, check, train, evaluate, specs.

    python benchmarks/own_data.py --out /tmp/own --count 200 --size 256

Writes a synthetic NODE21 folder, converts it to COCO and back, trains a small YOLO for one epoch on it, evaluates that
on the held-out images, and runs a spec against it on the folder's own radiographs without nodules. Ends with the
seconds of each step.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from synnodtest.datasets import read_dataset

SPEC = """
synnodtest: 1
title: A detector trained a minute ago, on its own radiographs
defaults: {operating_point: 0.25}
behaviours:
  - id: found
    statement: Conspicuous nodules are found.
    gate: performance
    scenes:
      backgrounds: {set: normal, count: 20}
      nodules: [{diameter_mm: {uniform: [15, 30]}, contrast: 0.6, location: {region: lung}}]
    expect:
      - sensitivity: {at_least: 0.5}
      - false_positives_per_image: {at_most: 2.0}
"""


def step(name: str, words: list[str], seconds: dict[str, float], allowed: tuple[int, ...] = (0,)) -> None:
    started = time.perf_counter()
    print(f"$ {name}: {' '.join(words[3:])}", flush=True)
    code = subprocess.run(words).returncode
    seconds[name] = round(time.perf_counter() - started, 1)
    if code not in allowed:
        sys.exit(f"{name}: exit status {code}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    out, seconds = options.out, {}
    out.mkdir(parents=True)
    tool = [sys.executable, "-c", "import sys; from synnodtest.cli import main; sys.exit(main())"]
    node21, coco, back, run = (str(out / name) for name in ("node21", "coco", "back", "run"))
    count, size = str(options.count), str(options.size)
    step("phantom", [*tool, "phantom", "--out", node21, "--count", count, "--nodules", "--size", size], seconds)
    step("convert", [*tool, "data", "convert", node21, coco, "--to", "coco"], seconds)
    step("convert back", [*tool, "data", "convert", coco, back, "--to", "node21"], seconds)
    step("check", [*tool, "data", "check", coco, "--out", str(out / "check.json")], seconds, (0, 1))
    small = ["--epochs", "1", "--imgsz", size, "--batch", "8"]
    step("train", [*tool, "train", "detector", "--data", coco, "--out", run, *small], seconds)
    weights = f"{run}/best.pt"
    figures = ["--data", back, "--split", "test", "--out", str(out / "figures.json")]
    step("evaluate", [*tool, "evaluate", "detector", "--detector", weights, *figures], seconds)
    (out / "spec.yaml").write_text(SPEC)
    where = ["--backgrounds", node21, "--synnod-report", str(out / "reports"), "--synnod-cache", str(out / "cache")]
    words = ["-m", "pytest", str(out / "spec.yaml"), "--detector", weights, "--synthesizer", "gaussian", *where]
    step("specs", [sys.executable, *words, "-p", "no:cacheprovider", "-q"], seconds, (0, 1))
    before, after = ({i.id: [b.box for b in i.boxes] for i in read_dataset(folder).images} for folder in (node21, back))
    (figure,) = json.loads((out / "figures.json").read_text()).values()
    checked = json.loads((out / "check.json").read_text())
    summary = {
        "images": len(before),
        "boxes equal after node21 -> coco -> node21": before == after,
        "unusable or nearly equal images": len(checked["problems"]) + len(checked["duplicates"]),
        "held-out images": figure["images"],
        "AP at 0.5": figure["average_precision"]["0.50"],
        "regions": list(figure["by_region"]),
        "seconds": seconds,
    }
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
