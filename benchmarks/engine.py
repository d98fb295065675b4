"""What the engine gains over what one would write, side by side in one process, in turns.

python benchmarks/engine.py [--rounds 3] [--scenes 64] [--only loop,own] [--steps 1] [--detector demo]
                            [--planned 1000000]

The yardstick is a loop over scenes: one window at a time through the diffusion pipeline, 50 DDIM steps, the composite
written as PNG and read by `YOLO.predict`. Against it, with the shipped models on phantoms:

cold        scenes into an empty store
warm        the same scenes again
own         of a cold run on one thread, the share that is neither synthesizer's nor detector's arithmetic, with 16
            scenes on each phantom, and with one
ten         ten expectations over one set of scenes, against one
two         a second detector on the same scenes, against the first
sweep       one variable swept over held scenes, against as many free ones
plan        200,000 scenes planned (or as many as --planned says): seconds and peak memory
import      the plugin imported, and the shipped specs collected

memory      peak resident memory of a process that rules on 500 scenes, and of one on 10,000 (circles, no network, 300
            findings on each as the shipped detector reports; --synthesizer diffusion: both shipped models)

Elapsed seconds and processor seconds (all threads) of each; of each comparison the median of the ratios round by round.
YOLO.predict sets torch to one thread less than there are cores; before each of our runs it gets all of them back.
Python searches for cycles among objects as seldom as in a run of pytest; left to itself it goes through all of torch's
at some moment of a round, which is neither ours nor the models'.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded

import numpy as np

from synnodtest.engine.engine import Engine
from synnodtest.memory import keep_freed_memory
from synnodtest.phantom.sets import PhantomSet
from synnodtest.planning.draw import own_recipes
from synnodtest.planning.place import Placer
from synnodtest.shell.garbage import collect_seldom
from synnodtest.shipped import shipped_model
from synnodtest.spec.model import Behaviour, Location, NoduleSpec, Scenes
from synnodtest.spec.values import Constant, Sweep, Uniform
from synnodtest.store import Store

CORES = len(os.sched_getaffinity(0))
REGION = Location(region="lung")
Seconds = tuple[float, float]


def timed(call: Callable[[], object]) -> Seconds:
    """Elapsed and processor seconds of a call."""
    elapsed, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - elapsed, time.process_time() - processor


def set_threads(count: int) -> None:
    import torch

    torch.set_num_threads(count)


def behaviour(count: int, replicates: int, diameter: object = None) -> Behaviour:
    hold = frozenset({"location", "seed"}) if isinstance(diameter, Sweep) else frozenset()
    nodule = NoduleSpec("nodule", diameter or Uniform(8.0, 28.0), location=REGION, hold=hold)
    return Behaviour("b", "s", scenes=Scenes("normal", count, nodules=(nodule,), replicates=replicates))


class Parts:
    """Models and phantoms, loaded once."""

    def __init__(
        self,
        scenes: int,
        scratch: Path,
        synthesizer: object = "diffusion",
        detector: object = "demo",
        phantoms: int = 4,
    ) -> None:
        from synnodtest.detectors import resolve_detector
        from synnodtest.synthesizers import resolve_synthesizer

        self.scratch, self.count, self.planned = scratch, phantoms, 200_000
        self.replicates = max(scenes // self.count, 1)
        self.set = PhantomSet("normal", self.count, cache=scratch / "phantoms")
        self.detector = resolve_detector(detector) if isinstance(detector, str) else detector
        self.synthesizer = resolve_synthesizer(synthesizer) if isinstance(synthesizer, str) else synthesizer
        self.loaded = {one.id: self.set.load(one) for one in self.set.backgrounds}

    def engine(self, store: str, detector: object = None) -> Engine:
        return Engine(self.set, self.synthesizer, detector or self.detector, Store(self.scratch / store))

    def recipes(self, seed: int, diameter: object = None) -> list[object]:
        replicates = 1 if isinstance(diameter, Sweep) else self.replicates
        return list(own_recipes(behaviour(self.count, replicates, diameter), self.set.backgrounds, seed))

    def run(self, store: str, seed: int, **options: object) -> Seconds:
        recipes = self.recipes(seed, options.pop("diameter", None))
        set_threads(int(options.pop("threads", CORES)))
        return timed(lambda: list(self.engine(store, **options).run(recipes)))


def naive(parts: Parts) -> Callable[[list[object]], None]:
    """The loop over pipeline and YOLO.predict."""
    from PIL import Image

    from synnodtest.detectors.yolo import quiet_ultralytics

    quiet_ultralytics()
    from ultralytics import YOLO

    from synnodtest.synthesizers.diffusion import DiffusionSynthesizer

    plain = {"sampler": "ddim", "steps": 50, "batch_size": 1, "fitted": False}
    maker = DiffusionSynthesizer(shipped_model("diffusion"), **plain)
    model = YOLO(str(shipped_model("detector/demo.pt")))
    placers = {name: Placer(radiograph) for name, radiograph in parts.loaded.items()}

    def loop(recipes: list[object]) -> None:
        for number, recipe in enumerate(recipes):
            scene = placers[recipe.background.id].place(recipe)
            [made] = maker.synthesize([scene], [parts.loaded[scene.background]])
            path = parts.scratch / f"naive-{number}.png"
            Image.fromarray((made.pixels * 255 + 0.5).astype(np.uint8)).convert("RGB").save(path)
            model.predict(str(path), verbose=False, conf=0.001)

    return loop


def against_loop(parts: Parts, rounds: int) -> dict[str, object]:
    """Cold and warm runs between loops, per scene."""
    loop, rows = naive(parts), []
    loop(parts.recipes(1000)[:1])
    parts.run("warm-up", 1000)
    for number in range(rounds):
        recipes = parts.recipes(number)
        few = recipes[:: max(len(recipes) // 4, 1)][:4]
        slow = timed(lambda few=few: loop(few))
        cold = parts.run(f"cold-{number}", number)
        warm = parts.run(f"cold-{number}", number)
        row = [[value / count for value in pair]
               for pair, count in ((slow, len(few)), (cold, len(recipes)), (warm, len(recipes)))]  # fmt: skip
        rows.append(row)
        print(f"round {number + 1}: loop {row[0]}, cold {row[1]}, warm {row[2]} s a scene", flush=True)
    table = np.asarray(rows)
    names = ("loop", "cold", "warm")
    seconds = {name: dict(zip(("elapsed", "processor"), np.median(table[:, k], axis=0), strict=True))
               for k, name in enumerate(names)}  # fmt: skip
    ratios = {name: np.median(table[:, 0] / table[:, k], axis=0).tolist() for k, name in enumerate(names) if k}
    return {"seconds_per_scene": seconds, "loop_over_elapsed_and_processor": ratios}


def compared(rounds: int, first: Callable[[int], Seconds], second: Callable[[int], Seconds]) -> list[float]:
    """Median of second over first, elapsed and processor, in turns."""
    rows = [(first(number), second(number)) for number in range(rounds)]
    return np.median([np.divide(b, a) for a, b in rows], axis=0).tolist()


def two_detectors(parts: Parts, rounds: int) -> list[float]:
    from synnodtest.detectors.callables import CallableDetector
    from synnodtest.identity import Identity

    other = CallableDetector(parts.detector.detect, Identity("second", "1"))
    return compared(
        rounds, lambda n: parts.run(f"two-{n}", 50 + n), lambda n: parts.run(f"two-{n}", 50 + n, detector=other)
    )


EXPECTING = """\
synnodtest: 1
title: One set of scenes
behaviours:
  - id: b
    statement: s
    scenes:
      backgrounds: {{set: normal, count: {count}}}
      nodules: [{{diameter_mm: {{uniform: [8, 28]}}, location: {{region: lung}}}}]
      replicates: {replicates}
    expect:
"""


def ruled(parts: Parts, expectations: int, name: str, seed: int) -> None:
    """Gather and rule on the items of a behaviour with so many expectations, as a run does."""
    from synnodtest.engine.campaign import Campaign
    from synnodtest.engine.judgement import Providers
    from synnodtest.planning.cases import variants_of
    from synnodtest.spec.loader import load_spec

    file = parts.scratch / f"{name}.yaml"
    kinds = (f"      - sensitivity: {{id: e{k}, at_least: {0.3 + k / 20:.2f}}}\n" for k in range(expectations))
    file.write_text(EXPECTING.format(count=parts.count, replicates=parts.replicates) + "".join(kinds))
    (asked,) = load_spec(file).behaviours
    providers = Providers(parts.detector, lambda text: parts.synthesizer, lambda name, many: parts.set, "shipped")
    campaign = Campaign(providers, Store(parts.scratch / name), seed=seed)
    for variant in variants_of(asked):
        campaign.gather(asked, variant)


def ten_expectations(parts: Parts, rounds: int) -> list[float]:
    """The items of a behaviour with ten expectations, gathered and ruled on, against those of one with one."""

    def expecting(count: int, number: int) -> Seconds:
        set_threads(CORES)
        return timed(lambda: ruled(parts, count, f"expecting-{count}-{number}", 70 + number))

    return compared(rounds, lambda n: expecting(1, n), lambda n: expecting(10, n))


class Timed:
    """A synthesizer or detector whose calls' processor seconds are added up, of the thread that makes them."""

    def __init__(self, inner: object, method: str) -> None:
        self.inner, self.seconds = inner, 0.0
        setattr(self, method, self._timed(getattr(inner, method)))

    def _timed(self, call: Callable[..., object]) -> Callable[..., object]:
        def timed(*args: object) -> object:
            started = time.thread_time()
            try:
                return call(*args)
            finally:
                self.seconds += time.thread_time() - started

        return timed

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


def own(parts: Parts, rounds: int) -> dict[str, float]:
    """Median share of a cold run's processor seconds outside both models, with one thread."""
    count = parts.count * parts.replicates
    alone = Parts(count, parts.scratch, parts.synthesizer, parts.detector, phantoms=count)
    found = {}
    for what, shown in (("share", parts), ("share, one scene a background", alone)):
        found[what] = float(np.median([own_share(shown, f"{what}-{number}", 200 + number) for number in range(rounds)]))
    return found


def own_share(parts: Parts, store: str, seed: int) -> float:
    from synnodtest.detectors.guard import Guard

    synthesizer, detector = Timed(parts.synthesizer, "synthesize"), Timed(parts.detector.detector, "detect")
    engine = Engine(parts.set, synthesizer, Guard(detector, 600), Store(parts.scratch / store))
    recipes = parts.recipes(seed)
    set_threads(1)
    _, processor = timed(lambda: list(engine.run(recipes)))
    return 1 - (synthesizer.seconds + detector.seconds) / processor


MEMORY = """
import sys, tempfile
from pathlib import Path
sys.path[:0] = sys.argv[3:]
import engine
from synnodtest import Finding
from synnodtest.detectors.callables import CallableDetector
from synnodtest.identity import Identity
from synnodtest.memory import keep_freed_memory
keep_freed_memory()
with tempfile.TemporaryDirectory() as scratch:
    def found(radiograph):
        scores = radiograph.pixels[500, 300:600].tolist()
        return [Finding((k + 0.1, 1.0, k + 9.7, 9.3), score) for k, score in enumerate(scores)]
    circles = CallableDetector(lambda shown: list(map(found, shown)), Identity("many", "1")), "gaussian"
    detector, synthesizer = circles if sys.argv[2] == "gaussian" else ("demo", sys.argv[2])
    parts = engine.Parts(int(sys.argv[1]), Path(scratch), synthesizer, detector)
    engine.ruled(parts, 1, "memory", 0)
[peak] = (line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(sys.argv[1], int(peak) / 1024)
"""


def memory(parts: Parts, rounds: int) -> dict[str, float]:
    """Peak resident MiB of processes of their own (Linux: what getrusage says of a child holds its parent's peak)."""
    here = Path(__file__).parent
    peak = {}
    for count in (500, 10_000):
        words = [sys.executable, "-c", MEMORY, str(count), parts.made_by, str(here), str(here.parent)]
        scenes, mib = subprocess.run(words, capture_output=True, check=True, text=True).stdout.split()
        peak[f"{scenes} scenes, MiB"] = float(mib)
    few, many = peak.values()
    return peak | {"ratio": many / few}


def sweep(parts: Parts, rounds: int) -> list[float]:
    sizes = Sweep(tuple(float(x) for x in np.linspace(8, 28, parts.replicates)))
    return compared(
        rounds, lambda n: parts.run(f"free-{n}", 90 + n),
        lambda n: parts.run(f"swept-{n}", 90 + n, diameter=sizes),
    )  # fmt: skip


def plan(parts: Parts, rounds: int) -> dict[str, float]:
    """Planning scenes on 100 phantoms, recipe by recipe; memory is what Python's own objects take at most."""
    many, phantoms = behaviour(100, parts.planned // 100, Constant(12.0)), PhantomSet("normal", 100)
    tracemalloc.start()
    elapsed, processor = timed(lambda: sum(1 for _ in own_recipes(many, phantoms.backgrounds, 0)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"seconds": elapsed, "processor": processor, "peak_mib": peak / 2**20}


def importing(parts: Parts, rounds: int) -> dict[str, float]:
    """Processor seconds of processes that import the plugin, and that collect the shipped specs."""
    root = Path(__file__).parents[1]
    words = {
        "import": ["-c", "import synnodtest.pytest_plugin"],
        "collect": ["-m", "pytest", "specs", "--collect-only", "-q", "-p", "no:cacheprovider"],
    }
    found: dict[str, float] = {}
    for name, command in words.items():
        taken = []
        for _ in range(rounds):
            before = os.times()
            subprocess.run([sys.executable, *command], cwd=root, capture_output=True, check=False)
            after = os.times()
            taken.append(after.children_user + after.children_system - before.children_user - before.children_system)
        found[name] = float(np.median(taken))
    return found


PARTS = {
    "loop": against_loop,
    "own": own,
    "two": two_detectors,
    "ten": ten_expectations,
    "sweep": sweep,
    "plan": plan,
    "import": importing,
    "memory": memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scenes", type=int, default=64, help="per round")
    parser.add_argument("--steps", type=int, help="denoising steps of the shipped model, instead of its own")
    parser.add_argument("--detector", default="demo")
    parser.add_argument("--synthesizer", default="gaussian", help="of the part memory")
    parser.add_argument("--planned", type=int, default=200_000, help="scenes of the part plan")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}; loop is cold and warm")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    collect_seldom()
    keep_freed_memory()
    result: dict[str, object] = {"rounds": options.rounds, "scenes": options.scenes, "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as scratch:
        synthesizer: object = "diffusion"
        if options.steps is not None:
            from synnodtest.synthesizers.diffusion import DiffusionSynthesizer

            synthesizer = DiffusionSynthesizer(shipped_model("diffusion"), steps=options.steps)
        parts = Parts(options.scenes, Path(scratch), synthesizer, options.detector)
        parts.planned, parts.made_by = options.planned, options.synthesizer
        for name in options.only.split(","):
            result[name] = PARTS[name](parts, options.rounds)
            print(name, json.dumps(result[name]), flush=True)
            if options.out:
                options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
