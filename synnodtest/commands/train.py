"""``synnodtest train encoder|diffusion|detector|segmenter``: the models, resumable, on NODE21, folders or phantoms."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from synnodtest.commands.options import add_split, handed_on, number_from, one_or_more
from synnodtest.devices import device
from synnodtest.errors import SynnodError, require


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add the trainings."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="|".join(_TRAININGS))
    for kind, (text, add_options) in _TRAININGS.items():
        sub = kinds.add_parser(kind, help=text, description=text)
        sub.add_argument("--out", type=Path, required=True, help="folder to write; half-done work stays there")
        add_options(sub)
        sub.add_argument("--restart", action="store_true", help="start afresh instead of going on")
        sub.add_argument("--seed", type=int, default=0, help="of what is drawn at random (0)")


def _add_data(sub: argparse.ArgumentParser, data: str) -> None:
    add = sub.add_argument
    add("--data", type=Path, help=data)
    add("--ct-patches", type=Path, help="folder of segmented CT nodules in the NODE21 layout")
    add("--backgrounds", type=Path, help="a further folder of nodule-free radiographs")
    add("--phantoms", type=int, default=0, metavar="N", help="add N built-in phantoms")
    add("--minutes", type=number_from(0), default=0.0, help="stop after about this time")


def _diffusion_options(sub: argparse.ArgumentParser) -> None:
    _add_data(sub, "NODE21 folder, a phantom set in its layout, or a folder of radiographs")
    add = sub.add_argument
    add("--base", help="Stable Diffusion 2 inpainting model to fine-tune: a local folder or hub name")
    add("--preset", default="small", help="size of the model")
    add("--steps", type=int, default=0, help="steps of the denoiser (default: the preset's)")
    add("--count", type=int, default=14_000, help="training windows to compose")
    sub.set_defaults(run=_diffusion)


def _detector_options(sub: argparse.ArgumentParser) -> None:
    _add_data(sub, "annotated set: NODE21, COCO, YOLO, boxes.csv, JSRT")
    add = sub.add_argument
    add("--preset", default="small", help="small, yolov8x or yolov9c (the last two as in the paper)")
    add("--epochs", type=one_or_more, help="instead of the preset's")
    add("--imgsz", type=one_or_more, help="instead of the preset's")
    add("--batch", type=one_or_more, help="instead of the preset's")
    add("--device", type=device, default="cpu", help="cpu or cuda")
    add("--weights", type=Path, help="start from this checkpoint")
    add("--learning-rate", type=number_from(0), help="of the first step")
    add("--crop", type=one_or_more, help="train on random windows of this side, most of them around a nodule")
    add("--per-background", type=int, default=6, help="radiographs made from each background")
    add(
        "--planted", action="store_true",
        help="plant CT nodules anew in every batch, as faint as those that readers mark; --data adds annotated films",
    )  # fmt: skip
    text = "of the training in the result, --weights the rest (1)"
    add("--blend", type=number_from(0, 1), default=1.0, metavar="SHARE", help=text)
    text = "patients to train on with --planted: train, or train:0.5 to hold out half instead of 15%%"
    add_split(sub, text, default="train")
    sub.set_defaults(run=_detector)


def _segmenter_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--phantoms", type=int, default=1000, metavar="N", help="how many unusual phantoms (1000)")
    sub.add_argument("--minutes", type=number_from(0), default=25.0, help="training time, phantoms not counted (25)")
    sub.set_defaults(run=_segmenter)


_TRAININGS = {
    "encoder": ("the tabular encoder over the 67 radiomics features (and nothing else)", _diffusion_options),
    "diffusion": ("encoder, denoiser and calibration: a folder for --synthesizer diffusion:FOLDER", _diffusion_options),
    "detector": ("a YOLO detector: a checkpoint for --detector", _detector_options),
    "segmenter": (
        "what finds lungs, heart and abdomen where no masks are: a file for models/segmenter, from phantoms alone",
        _segmenter_options,
    ),
}


def _segmenter(options: argparse.Namespace) -> None:
    from synnodtest.training.segmenter import train_segmenter

    choices = handed_on(options, "phantoms", "minutes", "seed")
    print(train_segmenter(options.out, resume=not options.restart, **choices))


def _diffusion(options: argparse.Namespace) -> None:
    from synnodtest.training.diffusion import Sources, train_diffusion

    model = train_diffusion(
        Sources(**handed_on(options, "data", "ct_patches", "backgrounds", "phantoms", "count")),
        options.out,
        steps=1 if options.kind == "encoder" else options.steps,
        resume=not options.restart,
        **handed_on(options, "base", "preset", "minutes", "seed"),
    )
    print(model / "tabular_encoder" if options.kind == "encoder" else model)


def _planted(options: argparse.Namespace) -> int:
    require("torch", "yolo", "training a detector")
    from synnodtest.training.planted_data import FINE_COUNTS, FINE_SHARES, SHARES, planted_data, unseen_films
    from synnodtest.training.planted_detector import Schedule, train_planted
    from synnodtest.training.planter import Plan
    from synnodtest.training.scores import AT_ONE_PER_FILM, settle_scores

    if options.ct_patches is None:
        raise SynnodError("--planted needs nodules to plant", hint="add --ct-patches FOLDER")
    work = options.out / "work"
    if options.restart:
        (work / "checkpoint.pt").unlink(missing_ok=True)
    stock, shadows = planted_data(
        work,
        size=options.imgsz or 640,
        annotated=options.data,
        **handed_on(options, "ct_patches", "backgrounds", "phantoms", "split"),
    )
    schedule = Schedule(options.minutes or 60.0, batch=options.batch or 32)
    plan = Plan(SHARES)
    if options.weights:
        plan = Plan(FINE_SHARES, counts=FINE_COUNTS)
        schedule = replace(schedule, learning_rate=5e-4, warm_up=50, average=0.998)
    if options.learning_rate:
        schedule = replace(schedule, learning_rate=options.learning_rate)
    choices = handed_on(options, "device", "seed", "weights", "blend")
    checkpoint = train_planted(stock, shadows, work, plan, schedule, **choices)
    addend = settle_scores(checkpoint, unseen_films(options.backgrounds, options.split))
    print(f"logits shifted by {addend:.2f}: {AT_ONE_PER_FILM} is one false positive per held-out film")
    print(checkpoint.replace(options.out / "best.pt"))
    return 0


def _detector(options: argparse.Namespace) -> int:
    if options.planted:
        return _planted(options)
    if options.blend != 1.0:
        raise SynnodError(
            "--blend joins the weights of a training with --planted", hint="add --planted, or leave it out"
        )
    from synnodtest.commands.annotated import annotated_sets
    from synnodtest.training.detection_data import prepare, shared_pictures
    from synnodtest.training.detector import PRESETS, Changes, train_detector

    sets = annotated_sets(options, "train") + annotated_sets(options, "test")
    if not sets:
        raise SynnodError("nothing to train on", hint="--data NODE21, --phantoms N, or --backgrounds with --ct-patches")
    size = options.imgsz or PRESETS.get(options.preset, {}).get("imgsz", 512)
    data = prepare(sets, options.out / "data", size=size)
    for twin in shared_pictures(data.parent):
        print(f"warning: held-out {twin.one} is nearly the same picture as {twin.other}, which is trained on")
    resume = (options.out / "run" / "weights" / "last.pt").is_file() and not options.restart
    changes = Changes(
        minutes=options.minutes or None,
        **handed_on(options, "epochs", "imgsz", "batch", "weights", "learning_rate", "crop"),
    )
    choices = handed_on(options, "preset", "device", "seed")
    print(train_detector(data, options.out, changes, resume=resume, **choices))
    return 0
