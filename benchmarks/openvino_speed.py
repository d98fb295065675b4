"""Least seconds per radiograph of the shipped detector with torch and with OpenVINO, and how far their findings differ.

python benchmarks/openvino_speed.py
"""

from __future__ import annotations

import time

from synnodtest.detectors import resolve_detector
from synnodtest.detectors.conform import blind, conspicuous_radiographs, difference
from synnodtest.shipped import shipped_model

COUNT, REPEATS = 8, 12


def main() -> None:
    weights = shipped_model("detector/demo.pt")
    shown = [blind(radiograph) for radiograph in conspicuous_radiographs(COUNT, size=512)]
    texts = (str(weights), f"openvino:{weights}")
    detectors = {text: resolve_detector(text) for text in texts}
    found, taken = {}, {text: [] for text in texts}
    for _ in range(REPEATS + 1):  # in turns, so that other work on the machine falls on both; the first warms up
        for text, detector in detectors.items():
            started = time.perf_counter()
            found[text] = detector.detect(shown)
            taken[text].append((time.perf_counter() - started) / COUNT)
    seconds = {text: min(times[1:]) for text, times in taken.items()}
    (plain, faster), (one, other) = seconds.values(), found.values()
    print(f"torch {plain:.3f} s, OpenVINO {faster:.3f} s per radiograph: {plain / faster:.1f} times as fast")
    print(f"largest difference of a score: {max(map(difference, one, other)):.1e}")


if __name__ == "__main__":
    main()
