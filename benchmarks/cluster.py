"""The scheduler of `--executor ray` over a million scenes, with simulated workers: time, use, queues, deaths, memory.

python benchmarks/cluster.py [--scenes 1000000] [--synthesizers 8] [--detectors 8] [--out FILE]

Only the workers are simulated (a clock, seconds per scene, deaths at random); batches go through the scheduler that
runs the real ones. Seconds per scene are options: take those of `benchmarks/gpu_throughput.py` or `--synnod-profile`.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import random
import resource
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from synnodtest.engine.schedule import GivenUp, Lost, Stage, drive

Scenes = tuple[int, ...]


class Cluster:
    """Workers of two stages under one simulated clock."""

    def __init__(self, workers: Sequence[int], seconds: Sequence[float], mtbf_h: float, restart_s: float) -> None:
        self.now, self.busy, self.deaths = 0.0, [0.0, 0.0], 0
        self._seconds, self._restart_s = seconds, restart_s
        self._free = [[0.0] * count for count in workers]
        self._rng = random.Random(0)
        self._rate = 1 / (3600 * mtbf_h) if mtbf_h else 0.0
        self._events: list[tuple[float, int, bool]] = []
        self._lost: dict[int, bool] = {}
        self._names = itertools.count()
        self.stages = [
            Stage(name, range(count), lambda worker, batch, at=at: self._submit(at, worker, batch))
            for at, (name, count) in enumerate(zip(("synthesize", "detect"), workers, strict=True))
        ]

    def _submit(self, at: int, worker: int, batch: Scenes) -> int:
        start, takes = max(self.now, self._free[at][worker]), self._seconds[at] * len(batch)
        lost = self._rng.random() < self._rate * takes
        end = start + takes * (self._rng.random() if lost else 1.0)
        self.busy[at] += end - start
        self._free[at][worker] = end + (self._restart_s if lost else 0.0)
        self.deaths += lost
        name = next(self._names)
        self._lost[name] = lost
        heapq.heappush(self._events, (end, name, lost))
        return name

    def wait(self, running: Sequence[int]) -> int:
        self.now, name, _ = heapq.heappop(self._events)
        return name

    def result(self, name: int) -> None:
        if self._lost.pop(name):
            raise Lost


def batches(count: int, size: int) -> Iterator[Scenes]:
    for start in range(0, count, size):
        yield tuple(range(start, min(start + size, count)))


def halves(batch: Scenes) -> list[Scenes]:
    return [batch[: len(batch) // 2], batch[len(batch) // 2 :]] if len(batch) > 1 else []


def simulated(options: argparse.Namespace) -> dict[str, object]:
    workers, seconds = (options.synthesizers, options.detectors), (options.synthesis_s, options.detection_s)
    cluster = Cluster(workers, seconds, options.mtbf_hours, options.restart_s)
    started, finished, given_up = time.process_time(), 0, 0
    for done in drive(batches(options.scenes, options.batch), cluster.stages, cluster.wait, cluster.result, halves):
        if isinstance(done, GivenUp):
            given_up += 1
        else:
            finished += len(done)
    hours = cluster.now / 3600
    least = max(options.scenes * each / count for each, count in zip(seconds, workers, strict=True)) / 3600
    return {
        "scenes": finished,
        "given_up": given_up,
        "deaths": cluster.deaths,
        "hours": round(hours, 3),
        "hours_of_the_slower_stage_alone": round(least, 3),
        "scenes_per_second": round(finished / cluster.now, 1),
        "busy": [round(b / (cluster.now * n), 3) for b, n in zip(cluster.busy, workers, strict=True)],
        "driver_processor_seconds": round(time.process_time() - started, 2),
        "driver_peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "gpu_hours": round(hours * sum(workers) * options.gpus, 1),
        "cost": round(hours * sum(workers) * options.gpus * options.price, 2),
        "store_gb": round(finished * options.kb_per_scene / 1e6, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--synthesizers", type=int, default=8)
    parser.add_argument("--detectors", type=int, default=8)
    parser.add_argument("--synthesis-s", type=float, default=0.02, help="seconds per scene of one synthesizer")
    parser.add_argument("--detection-s", type=float, default=0.01, help="seconds per radiograph of one detector")
    parser.add_argument("--mtbf-hours", type=float, default=24.0, help="between two deaths of a worker; 0: none")
    parser.add_argument("--restart-s", type=float, default=30.0)
    parser.add_argument("--gpus", type=float, default=0.5, help="share of a GPU that a worker takes")
    parser.add_argument("--price", type=float, default=2.5, help="of a GPU for an hour")
    parser.add_argument("--kb-per-scene", type=float, default=30.0, help="of the store; see synnodtest cache")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = simulated(options)
    print(json.dumps(found, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
