"""Seconds per radiograph of the shipped detector with torch and with OpenVINO, and how far their findings differ.

python benchmarks/openvino_speed.py

Of elapsed and of processor time the least of several rounds. Elapsed time depends on what else the machine does;
processor time hardly, if torch has one thread (OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/openvino_speed.py).
"""

from __future__ import annotations

import time

from synnodtest.detectors import resolve_detector
from synnodtest.detectors.conform_likeness import difference
from synnodtest.detectors.conform_pictures import blind, conspicuous_radiographs
from synnodtest.shipped import shipped_model

COUNT, REPEATS = 8, 12


def main() -> None:
    weights = shipped_model("detector/demo.pt")
    shown = [blind(radiograph) for radiograph in conspicuous_radiographs(COUNT, size=512)]
    texts = (str(weights), f"openvino:{weights}")
    detectors = {text: resolve_detector(text) for text in texts}
    found, taken = {}, {text: [] for text in texts}
    clocks = (time.perf_counter, time.process_time)
    for _ in range(REPEATS + 1):  # in turns, so that other work on the machine falls on both; the first warms up
        for text, detector in detectors.items():
            started = [clock() for clock in clocks]
            found[text] = detector.detect(shown)
            taken[text].append([(clock() - before) / COUNT for clock, before in zip(clocks, started, strict=True)])
    one, other = found.values()
    for index, name in enumerate(("elapsed", "processor")):
        plain, faster = (min(row[index] for row in rows[1:]) for rows in taken.values())
        print(
            f"{name}: torch {plain:.3f} s, OpenVINO {faster:.3f} s per radiograph, {plain / faster:.1f} times as fast"
        )
    print(f"largest difference of a score: {max(map(difference, one, other)):.1e}")


if __name__ == "__main__":
    main()
