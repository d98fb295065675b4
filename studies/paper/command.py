"""``synnodtest paper EXPERIMENT``: the options of the command, and one experiment, to its figure."""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from studies.paper.experiments import EXPERIMENTS
from studies.paper.job import Job
from studies.paper.run import Bench
from synnodtest.annotated.dataset_set import DatasetSet
from synnodtest.annotated.sets import PhantomSet, SynthesizedSet, first_clusters, part_of
from synnodtest.annotated.split_sources import composites
from synnodtest.backgrounds import open_backgrounds
from synnodtest.canonical import plain
from synnodtest.commands.annotated import FRESH_SEED
from synnodtest.commands.options import folder_to_read, settings_from
from synnodtest.devices import device
from synnodtest.errors import SynnodError
from synnodtest.files import write_atomic

PER_BACKGROUND = 4
"""Radiographs made from each background for average precision, and of CT nodules that stand for real ones."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of the command."""
    add = parser.add_argument
    add("experiment", choices=list(EXPERIMENTS), metavar="EXPERIMENT", help=", ".join(EXPERIMENTS))
    add("--detector", required=True, help="as for pytest --detector")
    add("--synthesizer", help="as for pytest --synthesizer (default: the paper's)")
    add("--backgrounds", type=Path, metavar="DIR", help="nodule-free radiographs (default: phantoms)")
    add("--scenes", type=int, metavar="N", help="scenes of what is drawn many times (default: 5710)")
    add("--limit", type=int, help="at most so many backgrounds per behaviour")
    add("--data", type=folder_to_read, help="NODE21 folder: real nodules for correlation and average-precision")
    add("--ct-patches", type=Path, metavar="DIR", help="segmented CT nodules in the NODE21 layout")
    add(
        "--split", choices=("test", "train", "all"), default="test",
        help="of real nodules and their backgrounds: what train detector holds out (default), or all",
    )  # fmt: skip
    add("--nodules", type=int, default=863, help="real nodules at most (863)")
    add("--out", type=Path, required=True, help="folder for figures and EXPERIMENT.json")
    add("--cache", type=Path, default=Path(".synnodtest"), help="finished scenes: a rerun goes on")
    add("--seed", type=int, default=0, help="of what is drawn at random (0)")
    add("--device", type=device, default="cpu", help="cpu or cuda")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    experiment = EXPERIMENTS[options.experiment]
    for option, value in (("--scenes", options.scenes), ("--limit", options.limit), ("--nodules", options.nodules)):
        if value is not None and value < 1:
            raise SynnodError(f"{option} must be 1 or more, not {value}")
    if options.out.is_file():
        raise SynnodError(f"--out {options.out}: a file, and figures go into a folder", hint="name another")
    synthesizer = _synthesizer(options, experiment.synthesizer)
    settings = replace(settings_from(options, options.detector), synthesizer=synthesizer)
    bench = Bench(settings, options.scenes or experiment.scenes)
    started = time.perf_counter()
    real, synthetic = (lambda: _real(options)), (lambda: _synthetic(bench, options))
    name = "real" if options.data is not None else "in place of real"
    job = Job(bench, options.out, real, synthetic, options.nodules, name)
    drawn = experiment.run(job)
    bench.run.close()
    record = {
        "experiment": options.experiment,
        "title": experiment.title,
        "paper": experiment.paper,
        "results": drawn.numbers,
        "verdicts": [a.judgement.ruling.sentence for some in bench.resolved.values() for a in some],
        **bench.identities(),
        "seed": options.seed,
        "seconds": round(time.perf_counter() - started, 1),
        "done_before": _reused(bench),
        "figures": [path.name for path in drawn.files],
    }
    text = json.dumps(plain(record), indent=1)
    path = write_atomic(options.out / f"{options.experiment}.json", text + "\n")
    print(f"{experiment.title}. The paper, {experiment.paper}.")
    print(*record["verdicts"], sep="\n")
    print(*(str(file) for file in (*drawn.files, path)), sep="\n")


def _synthesizer(options: argparse.Namespace, usual: str) -> str:
    if options.synthesizer:
        return str(options.synthesizer)
    if usual:
        return usual
    if options.ct_patches is None:
        raise SynnodError("this experiment projects nodules from CT", hint="--ct-patches DIR, or --synthesizer")
    return f"ct-patch:{options.ct_patches}"


def _real(options: argparse.Namespace) -> Any:
    """Return what stands for real nodules: NODE21, CT nodules on real radiographs, else nodules inside phantoms."""
    if options.data is not None:
        part = part_of(DatasetSet(options.data), options.split)
    elif options.backgrounds is not None and options.ct_patches is not None:
        where, cache = (options.backgrounds, options.ct_patches), options.cache
        part = composites(*where, split=options.split, per_background=PER_BACKGROUND, cache=cache)
        part = first_clusters(part, options.limit)
    else:
        chests = min(math.ceil(options.nodules / 4), options.limit or options.nodules)
        part = PhantomSet(chests, seed=FRESH_SEED, name="nodules inside phantoms")
    if not part.cases:
        raise SynnodError(f"{part.name}: no image belongs to the split {options.split!r}", hint="--split all")
    return part


def _synthetic(bench: Any, options: argparse.Namespace) -> Any:
    """Return nodules of the synthesizer, planted as the ones that stand for real ones are."""
    settings = bench.settings
    count = 60 if options.backgrounds is None else None
    backgrounds = open_backgrounds(
        settings.backgrounds, "normal", count, master_seed=settings.seed, cache=settings.cache
    )
    synthesizer = bench.run.campaign.synthesizer(settings.synthesizer)
    name = synthesizer.identity.name
    scenes = SynthesizedSet(name, backgrounds, synthesizer, per_background=PER_BACKGROUND, seed=settings.seed)
    return first_clusters(scenes if options.backgrounds is None else part_of(scenes, options.split), options.limit)


def _reused(bench: Any) -> dict[str, int]:
    tally = bench.run.campaign.tally()
    return {"scenes": tally.requested, "from_cache": tally.from_cache}
