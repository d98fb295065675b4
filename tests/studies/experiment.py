"""One experiment by its command, and detectors whose answer is known."""

import json
from pathlib import Path
from typing import Any

from synnodtest.cli import main

DETECTORS = '''
"""Detectors that look at nothing, or know their radiographs by heart."""

import hashlib
import json
from pathlib import Path

from scipy.ndimage import distance_transform_edt

from synnodtest import Finding


def silent():
    return lambda radiographs: [[] for _ in radiographs]


def knowing():
    """Findings from answers.json, by the pixels; none in radiographs that it does not know."""
    known = json.loads(Path(__file__).with_name("answers.json").read_text())

    def detect(radiographs):
        keys = [hashlib.sha256(radiograph.pixels.tobytes()).hexdigest() for radiograph in radiographs]
        return [[Finding(tuple(box), score) for box, score in known.get(key, [])] for key in keys]

    return detect


def everywhere(each_mm=14):
    """A finding of the same score at every 14 mm in and around the lungs: one lies within 10 mm of any place there."""

    def detect(radiographs):
        found = []
        for radiograph in radiographs:
            step = round(each_mm / radiograph.spacing_mm[0])
            height, width = radiograph.shape
            away = distance_transform_edt(~radiograph.regions["lung"])
            found.append(
                [
                    Finding(box=(x - 4, y - 4, x + 4, y + 4), score=0.6)
                    for y in range(step, height - step, step)
                    for x in range(step, width - step, step)
                    if away[y, x] < step
                ]
            )
        return found

    return detect


def here_and_there():
    """The same at every 28 mm: pictures of what is found have a quarter of the boxes."""
    return everywhere(28)
'''


def run_experiment(name: str, detector: str, backgrounds: Path, folder: Path, *more: str) -> dict[str, Any]:
    """Run ``synnodtest paper`` at a small size and return the record it wrote."""
    words = ["paper", name, "--detector", detector, "--synthesizer", "gaussian", "--backgrounds", str(backgrounds)]
    words += ["--scenes", "8", "--limit", "3", "--out", str(folder / "out"), "--cache", str(folder / "cache"), *more]
    assert main(words) == 0
    found: dict[str, Any] = json.loads((folder / "out" / f"{name}.json").read_text())
    return found
