"""Scenes per second on a GPU: the shipped models, and random weights of Stable Diffusion 2's and YOLOv8x's size.

python benchmarks/gpu_throughput.py --out gpu.json [--seconds 300] [--device cuda] [--only whole_chain,suite]

Parts, each kept in the file as soon as it is measured: the card's matrix rate; the shipped synthesizer by batch; the
shipped detector by batch; both through the engine, store included, with the time of every stage; denoiser and
autoencoder of full size; a large detector; pytest over 4,800 scenes, by workers. Each names the share of the matrix
rate and the stage that takes most of the time (the next bottleneck). A part that finds no time left, or whose packages
are missing, says so. Random weights cost what trained ones cost. Without a GPU `--device cpu --tiny` tries the script.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded

import numpy as np
import torch

from synnodtest.detectors.yolo import UltralyticsDetector, quiet_ultralytics
from synnodtest.engine.engine import Engine
from synnodtest.memory import keep_freed_memory
from synnodtest.phantom import PhantomSet
from synnodtest.planning.draw import own_recipes
from synnodtest.shipped import shipped_model
from synnodtest.spec.model import Behaviour, Location, NoduleSpec, Scenes
from synnodtest.spec.values import Uniform
from synnodtest.store import Store
from synnodtest.synthesizers.diffusion import DiffusionSynthesizer

REGION = Location(region="lung")
ROOT = Path(__file__).parents[1]
PLUGIN = (
    []
    if any(one.name == "synnodtest" for one in entry_points(group="pytest11"))
    else ["-p", "synnodtest.pytest_plugin"]
)


class Bench:
    """What is measured, where, and until when."""

    def __init__(self, device: str, seconds: float, out: Path, tiny: bool) -> None:
        self.device, self.out, self.tiny = device, out, tiny
        self.started, self.ends = time.perf_counter(), time.perf_counter() + seconds
        self.result: dict[str, object] = {"machine": machine(device)}

    def sync(self) -> None:
        if self.device.startswith("cuda"):
            torch.cuda.synchronize()

    def seconds(self, call: Callable[[], object], repeats: int = 5, warm: int = 2) -> float:
        """Median seconds of a call after two to warm up; fewer repeats where time runs out."""
        taken = []
        for number in range(warm + (2 if self.tiny else repeats)):
            before = time.perf_counter()
            call()
            self.sync()
            if number >= warm:
                taken.append(time.perf_counter() - before)
            if taken and time.perf_counter() > self.ends:
                break
        return float(np.median(taken))

    def part(self, name: str, needs: float, measure: Callable[[Bench], object]) -> None:
        """Measure one part and write the file; a part without time, memory or package is said to be missing."""
        left = self.ends - time.perf_counter()
        if left < needs:
            self.result[name] = {"not_measured": f"{left:.0f} s were left of the {needs:.0f} it takes"}
        else:
            before = time.perf_counter()
            try:
                self.result[name] = measure(self)
            except Exception as error:  # one part that fails must not cost the others
                self.result[name] = {"not_measured": f"{type(error).__name__}: {error}"[:400]}
            finally:
                if self.device.startswith("cuda"):
                    torch.cuda.empty_cache()
            print(f"{name}: {time.perf_counter() - before:.1f} s", flush=True)
        self.result["seconds"] = time.perf_counter() - self.started
        self.out.write_text(json.dumps(self.result, indent=1) + "\n")


def machine(device: str) -> dict[str, object]:
    facts: dict[str, object] = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cpus": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "processor": next((x.split(":")[1].strip() for x in _lines("/proc/cpuinfo") if x.startswith("model name")), ""),
        "device": device,
    }
    if device.startswith("cuda"):
        card = torch.cuda.get_device_properties(0)
        facts |= {"card": card.name, "memory_gib": round(card.total_memory / 2**30, 1), "cuda": torch.version.cuda}
    return facts


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def matrix_rate(bench: Bench) -> dict[str, float]:
    """FLOP per second of a large matrix product by precision: what the card can do at most in practice."""
    size = 512 if bench.tiny else 8192
    rates = {}
    for name in ("float32", "bfloat16", "float16"):
        a = torch.randn(size, size, device=bench.device, dtype=getattr(torch, name))
        rates[name] = 2 * size**3 / bench.seconds(lambda a=a: a @ a)
    if bench.device.startswith("cuda"):
        torch.backends.cuda.matmul.allow_tf32 = True
        a = torch.randn(size, size, device=bench.device)
        rates["tf32"] = 2 * size**3 / bench.seconds(lambda: a @ a)
        torch.backends.cuda.matmul.allow_tf32 = False
    return rates


def rate_of(bench: Bench, precision: str) -> float:
    rates = bench.result.get("matrix_rate")
    return float(rates[precision]) if isinstance(rates, dict) and precision in rates else float("nan")


def flops_of(call: Callable[[], object]) -> int:
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


@contextmanager
def clocked(bench: Bench, stages: dict[str, float], *places: tuple[object, str, str]):
    """Time methods in place, each under the name of its stage; inner stages are taken out of outer ones."""
    local = threading.local()

    def wrapped(stage: str, method: Callable[..., object], *args: object, **options: object) -> object:
        bench.sync()
        before = time.perf_counter()
        stack: list[float] = local.__dict__.setdefault("stack", [])
        stack.append(0.0)
        try:
            return method(*args, **options)
        finally:
            bench.sync()
            taken = time.perf_counter() - before
            stages[stage] = stages.get(stage, 0.0) + taken - stack.pop()
            if stack:
                stack[-1] += taken

    kept = [(owner, name, owner.__dict__.get(name)) for owner, name, _ in places]
    for owner, name, stage in places:
        setattr(owner, name, partial(wrapped, stage, getattr(owner, name)))
    try:
        yield
    finally:
        for owner, name, before in kept:
            if before is None:
                delattr(owner, name)
            else:
                setattr(owner, name, before)


def spread(stages: dict[str, float], total: float) -> dict[str, object]:
    """Shares of a total by stage, and the largest: the next bottleneck."""
    named = {**stages, "everything else (CPU)": max(total - sum(stages.values()), 0.0)}
    shares = {name: round(value / total, 4) for name, value in sorted(named.items(), key=lambda one: -one[1])}
    return {"share_of_time": shares, "next_bottleneck": next(iter(shares))}


def behaviour(count: int, replicates: int) -> Behaviour:
    nodule = NoduleSpec("nodule", Uniform(6.0, 30.0), location=REGION)
    return Behaviour("b", "s", scenes=Scenes("normal", count, nodules=(nodule,), replicates=replicates))


class Ground:
    """A few phantoms, projected once for all parts."""

    def __init__(self, bench: Bench) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="synnodtest-gpu-"))
        self.phantoms = PhantomSet("normal", 2 if bench.tiny else 6, cache=self.folder)
        before = time.perf_counter()
        self.loaded = {one.id: self.phantoms.load(one) for one in self.phantoms.backgrounds}
        bench.result["phantom_seconds"] = (time.perf_counter() - before) / len(self.loaded)

    def scenes(self, count: int) -> tuple[list[object], list[object]]:
        """Placed scenes with their backgrounds."""
        from synnodtest.planning.place import Placer

        per = -(-count // len(self.loaded))
        recipes = list(own_recipes(behaviour(len(self.loaded), per), self.phantoms.backgrounds, 1))[:count]
        placers = {name: Placer(radiograph) for name, radiograph in self.loaded.items()}
        scenes = [placers[recipe.background.id].place(recipe) for recipe in recipes]
        return scenes, [self.loaded[scene.background] for scene in scenes]


@cache
def ground_of(bench: Bench) -> Ground:
    return Ground(bench)


def synthesizer_stages(maker: DiffusionSynthesizer) -> list[tuple[object, str, str]]:
    return [
        (maker.pipeline.unet, "forward", "denoiser network"),
        (maker, "_run", "noise, conditions, copies and outlining what was drawn (CPU)"),
        (maker, "_look", "cutting windows (CPU)"),
        (maker, "_plant", "fitting nodules into the radiograph (CPU)"),
    ]


def shipped_synthesizer(ground: Ground, bench: Bench) -> list[dict[str, object]]:
    rows = []
    for batch in (4,) if bench.tiny else (32, 128, 384):
        scenes, backgrounds = ground.scenes(batch)
        maker = DiffusionSynthesizer(shipped_model("diffusion"), device=bench.device, batch_size=batch)
        maker.synthesize(scenes[:2], backgrounds[:2])
        maker.synthesize(scenes, backgrounds)
        stages: dict[str, float] = {}
        with clocked(bench, stages, *synthesizer_stages(maker)):
            before = time.perf_counter()
            maker.synthesize(scenes, backgrounds)
            total = time.perf_counter() - before
        latent = torch.randn(2 * batch, maker.pipeline.unet.config.in_channels, 32, 32, device=bench.device)
        latent = latent.to(memory_format=torch.channels_last)
        context = torch.randn(2 * batch, 70, 32, device=bench.device)
        call = partial(maker.pipeline.unet, latent, 10, encoder_hidden_states=context)
        with torch.inference_mode():
            forward = bench.seconds(call)
        flops, steps = flops_of(call), maker.calibration.steps
        rows.append(
            {
                "batch": batch,
                "steps": steps,
                "precision": "float32",
                "scenes_per_second": batch / total,
                "network_alone_scenes_per_second": batch / (steps * forward),
                "flop_per_scene": flops * steps / batch,
                "network_share_of_matrix_rate_float32": flops / forward / rate_of(bench, "float32"),
                "whole_share_of_matrix_rate_float32": flops * steps / total / rate_of(bench, "float32"),
                **spread(stages, total),
            }
        )
    return rows


def shipped_detector(ground: Ground, bench: Bench) -> list[dict[str, object]]:
    from synnodtest.detectors import yolo

    detector = UltralyticsDetector(shipped_model("detector/demo.pt"), device=bench.device, name="demo")
    some = list(ground.loaded.values())
    rows = []
    for batch in (2,) if bench.tiny else (8, 16, 64):
        yolo.BATCH = batch
        shown = [some[k % len(some)] for k in range(batch)]
        detector.detect(shown)
        stages: dict[str, float] = {}
        places = (detector, "_forward", "detector network"), (yolo, "_suppressed", "non-maximum suppression")
        with clocked(bench, stages, *places):
            before = time.perf_counter()
            for _ in range(3):
                detector.detect(shown)
            total = (time.perf_counter() - before) / 3
        size = detector._size
        pictures = np.zeros((batch, size, size), dtype=np.float32)
        flops = flops_of(lambda pictures=pictures: detector._forward(detector._loaded(), pictures))
        rows.append(
            {
                "batch": batch,
                "image_size": size,
                "radiographs_per_second": batch / total,
                "share_of_matrix_rate_float32": flops / total / rate_of(bench, "float32"),
                **spread({name: value / 3 for name, value in stages.items()}, total),
            }
        )
    return rows


def whole_chain(ground: Ground, bench: Bench) -> dict[str, object]:
    """The engine as pytest drives it: placed, synthesized, stored, detected, from an empty store."""
    from synnodtest.engine import engine as engines
    from synnodtest.engine import radiographs as module

    maker = DiffusionSynthesizer(shipped_model("diffusion"), device=bench.device, batch_size=128)
    detector = UltralyticsDetector(shipped_model("detector/demo.pt"), device=bench.device, name="demo")
    replicates = 2 if bench.tiny else 43
    some = behaviour(len(ground.loaded), replicates)
    warm = Engine(ground.phantoms, maker, detector, Store(ground.folder / "warm"), batch=128)
    list(warm.run(own_recipes(some, ground.phantoms.backgrounds[:1], 2)))

    def run(name: str, seed: int, *places: tuple[object, str, str]) -> tuple[int, float, dict[str, float]]:
        store = Store(ground.folder / name)
        engine = Engine(ground.phantoms, maker, detector, store, batch=128)
        inside = [
            (engine._places, "_drawn", "reading backgrounds and drawing places (CPU)"),
            (engine._radiographs, "_look_at", "measuring what shows (CPU)"),
            (store, "put", "writing the store"),
            (store, "get", "reading the store"),
        ]
        recipes = list(own_recipes(some, ground.phantoms.backgrounds, seed))
        stages: dict[str, float] = {}
        with clocked(bench, stages, *places, *(inside if places else [])):
            before = time.perf_counter()
            count = sum(1 for _ in engine.run(recipes))
            return count, time.perf_counter() - before, stages

    count, total, _ = run("chain", 1)
    kept, engines.ahead = engines.ahead, iter  # one stage after the other, so that shares add up
    try:
        _, apart, stages = run(
            "apart",
            3,
            *synthesizer_stages(maker),
            (maker, "synthesize", "synthesizer, everything else (CPU)"),
            (detector, "_forward", "detector network"),
            (detector, "detect", "framing and suppression (CPU)"),
            (module, "encode_edit", "encoding radiographs (CPU)"),
            (module, "decode_radiograph", "decoding radiographs (CPU)"),
        )
    finally:
        engines.ahead = kept
    one_after_another = {"scenes_per_second": count / apart, **spread(stages, apart)}
    return {"scenes": count, "scenes_per_second": count / total, "one_after_another": one_after_another}


SUITE = """
synnodtest: 1
behaviours:
"""
BEHAVIOUR = """
  - id: b{number}
    statement: Nodules are found.
    scenes:
      backgrounds: {{set: normal, count: {phantoms}}}
      replicates: {replicates}
      nodules:
        - {{diameter_mm: {{uniform: [6, 30]}}, location: {{region: lung}}}}
    expect:
      - sensitivity: {{at_least: 0.1}}
"""


def suite(bench: Bench) -> dict[str, object]:
    """pytest from an empty store, as a user runs it: collection, phantoms, scenes, verdicts, record and report."""
    behaviours, phantoms, replicates = (2, 2, 2) if bench.tiny else (16, 30, 10)
    scenes = behaviours * phantoms * replicates
    rows: dict[str, object] = {"scenes": scenes, "phantoms": phantoms}
    for workers in (2, 1) if bench.tiny else (14, 1, 6):
        left = bench.ends - time.perf_counter()
        if left < rows.get("slowest", 0.0):
            rows[f"workers_{workers}"] = f"{left:.0f} s were left, less than the last one took"
            continue
        # one process makes an eighth of the scenes: it takes the longest for each
        some = max(behaviours // 8, 1) if workers == 1 else behaviours
        with tempfile.TemporaryDirectory(prefix="synnodtest-suite-") as folder:
            text = SUITE + "".join(
                BEHAVIOUR.format(number=number, phantoms=phantoms, replicates=replicates) for number in range(some)
            )
            Path(folder, "suite.yaml").write_text(text)
            command = [sys.executable, "-m", "pytest", *PLUGIN, "suite.yaml", "--detector", "demo", "-q"]
            command += ["--synthesizer", "diffusion", "--synnod-device", bench.device, "--synnod-conform", "off"]
            command += ["-p", "xdist", "-n", str(workers)] if workers > 1 else []
            before = time.perf_counter()
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
            taken = time.perf_counter() - before
            if done.returncode not in (0, 1):
                rows[f"workers_{workers}"] = {"failed": (done.stdout + done.stderr)[-600:]}
                continue
            made = some * phantoms * replicates
            rows[f"workers_{workers}"] = {"seconds": taken, "scenes": made, "scenes_per_second": made / taken,
                                          "end": done.stdout[-700:]}  # fmt: skip
            rows["slowest"] = taken
    return rows


def full_size(bench: Bench) -> list[dict[str, object]]:
    """Denoiser (866 M parameters) and autoencoder (84 M) of Stable Diffusion 2 on windows of 256 pixels."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    half = torch.float16 if bench.device.startswith("cuda") else torch.float32
    channels = (32, 32, 64, 64) if bench.tiny else (320, 640, 1280, 1280)
    ends = (32, 32, 64, 64) if bench.tiny else (128, 256, 512, 512)
    torch.manual_seed(0)
    with torch.device(bench.device):
        unet = UNet2DConditionModel(
            sample_size=64,
            in_channels=9,
            out_channels=4,
            cross_attention_dim=32,
            block_out_channels=channels,
            attention_head_dim=(4, 4, 4, 4) if bench.tiny else (5, 10, 20, 20),
            use_linear_projection=True,
        )
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=ends,
            layers_per_block=2,
            latent_channels=4,
        )
    unet = unet.to(half).eval().to(memory_format=torch.channels_last)
    vae = vae.to(half).eval().to(memory_format=torch.channels_last)
    return [_full_size(bench, unet, vae, half, batch) for batch in ((1,) if bench.tiny else (16, 64))]


def _full_size(bench: Bench, unet: object, vae: object, half: torch.dtype, batch: int) -> dict[str, object]:
    how = {"device": bench.device, "dtype": half}
    latent = torch.randn(2 * batch, 9, 32, 32, **how).to(memory_format=torch.channels_last)
    context, pixels = torch.randn(2 * batch, 70, 32, **how), torch.randn(batch, 3, 256, 256, **how)
    calls = {
        "denoiser network": partial(unet, latent, 10, encoder_hidden_states=context),
        "autoencoder, encoding": partial(vae.encode, pixels),
        "autoencoder, decoding": partial(vae.decode, torch.randn(2 * batch, 4, 32, 32, **how)),
    }
    flops = {name: flops_of(call) for name, call in calls.items()}
    with torch.inference_mode():
        taken = {name: bench.seconds(call, repeats=4) for name, call in calls.items()}
    peak = rate_of(bench, str(half).removeprefix("torch."))
    row: dict[str, object] = {
        "batch": batch,
        "precision": str(half).removeprefix("torch."),
        "parameters": {"denoiser": _size(unet), "autoencoder": _size(vae)},
        "denoiser_share_of_matrix_rate": flops["denoiser network"] / taken["denoiser network"] / peak,
        "branches": "with and without a nodule, twice the batch",
    }
    for steps in (4, 25, 50):
        # the window is encoded twice: as it is, and with its middle hidden
        parts = {name: value * {"denoiser network": steps, "autoencoder, encoding": 2}.get(name, 1)
                 for name, value in taken.items()}  # fmt: skip
        total = sum(parts.values())
        work = flops["denoiser network"] * steps + 2 * flops["autoencoder, encoding"] + flops["autoencoder, decoding"]
        found = spread(parts, total)
        row[f"steps_{steps}"] = {
            "scenes_per_second": batch / total,
            "share_of_matrix_rate": work / total / peak,
            **found,
        }
    return row


def _size(module: object) -> int:
    return sum(p.numel() for p in module.parameters())


def large_detector(bench: Bench) -> list[dict[str, object]]:
    """YOLOv8x at 1024 x 1024, random weights, in single and half precision."""
    quiet_ultralytics()
    importlib.import_module("ultralytics")
    name, size = ("yolov8n.yaml", 256) if bench.tiny else ("yolov8x.yaml", 1024)
    model = importlib.import_module("ultralytics.nn.tasks").DetectionModel(name, nc=1, verbose=False)
    model = model.eval().to(bench.device).fuse(verbose=False)
    rows = []
    for precision in ("float32", *(("float16",) if bench.device.startswith("cuda") else ())):
        kind, batch = getattr(torch, precision), 1 if bench.tiny else 16
        model = model.to(kind).to(memory_format=torch.channels_last)
        shown = torch.rand(batch, 3, size, size, device=bench.device, dtype=kind)
        shown = shown.to(memory_format=torch.channels_last)
        flops = flops_of(partial(model, shown))
        with torch.inference_mode():
            taken = bench.seconds(partial(model, shown), repeats=3)
        rows.append(
            {
                "model": name.removesuffix(".yaml"),
                "precision": precision,
                "batch": batch,
                "radiographs_per_second": batch / taken,
                "share_of_matrix_rate": flops / taken / rate_of(bench, precision),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", ".")) / "gpu_throughput.json")
    parser.add_argument("--seconds", type=float, default=300.0, help="all parts together; loading torch comes before")
    parser.add_argument("--only", help="names of parts, with commas; the matrix rate is always measured")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small sizes, to try the script itself")
    options = parser.parse_args()
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error("there is no GPU that torch can use; --device cpu --tiny tries the script")
    keep_freed_memory()
    bench = Bench(options.device, options.seconds, options.out, options.tiny)
    ground = partial(ground_of, bench)
    parts: dict[str, tuple[float, Callable[[Bench], object]]] = {
        "full_size": (12, full_size),
        "shipped_synthesizer": (8, lambda bench: shipped_synthesizer(ground(), bench)),
        "shipped_detector": (4, lambda bench: shipped_detector(ground(), bench)),
        "whole_chain": (8, lambda bench: whole_chain(ground(), bench)),
        "large_detector": (6, large_detector),
        "suite": (40, suite),
    }
    bench.part("matrix_rate", 2, matrix_rate)
    for name in options.only.split(",") if options.only else parts:
        bench.part(name, *parts[name])
    print(json.dumps(bench.result, indent=1))


if __name__ == "__main__":
    main()
