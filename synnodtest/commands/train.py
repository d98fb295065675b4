"""``synnodtest train encoder|diffusion|detector|segmenter``: the models, resumable, on NODE21, folders or phantoms."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from synnodtest.commands.splits import add_split
from synnodtest.devices import device
from synnodtest.errors import SynnodError


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add the trainings."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="encoder|diffusion|detector|segmenter")
    for kind, run, text in (
        ("encoder", _diffusion, "the tabular encoder over the 67 radiomics features (and nothing else)"),
        ("diffusion", _diffusion, "encoder, denoiser and calibration: a folder for --synthesizer diffusion:FOLDER"),
        ("detector", _detector, "a YOLO detector: a checkpoint for --detector"),
    ):
        sub = kinds.add_parser(kind, help=text, description=text)
        sub.add_argument("--out", type=Path, required=True, help="folder to write; half-done work stays there")
        sub.add_argument(
            "--data",
            type=Path,
            help="annotated set: NODE21, COCO, YOLO, boxes.csv, JSRT"
            if kind == "detector"
            else "NODE21 folder, a phantom set in its layout, or a folder of radiographs",
        )
        sub.add_argument("--ct-patches", type=Path, help="folder of segmented CT nodules in the NODE21 layout")
        sub.add_argument("--backgrounds", type=Path, help="a further folder of nodule-free radiographs")
        sub.add_argument("--phantoms", type=int, default=0, metavar="N", help="add N built-in phantoms")
        sub.add_argument("--minutes", type=float, default=0.0, help="stop after about this time")
        sub.add_argument("--restart", action="store_true", help="start afresh instead of going on")
        sub.add_argument("--seed", type=int, default=0, help="of what is drawn at random (0)")
        sub.set_defaults(run=run)
        if kind == "detector":
            _detector_options(sub)
        else:
            sub.add_argument(
                "--base", help="Stable Diffusion 2 inpainting model to fine-tune: a local folder or hub name"
            )
            sub.add_argument("--preset", default="small", help="size of the model")
            sub.add_argument("--steps", type=int, default=0, help="steps of the denoiser (default: the preset's)")
            sub.add_argument("--count", type=int, default=14_000, help="training windows to compose")

    _segmenter_options(kinds.add_parser("segmenter", help=_SEGMENTER, description=_SEGMENTER))


_SEGMENTER = "what finds lungs, heart and abdomen where no masks are: a file for models/segmenter, from phantoms alone"


def _segmenter_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--out", type=Path, required=True, help="folder to write; half-done work stays there")
    sub.add_argument("--phantoms", type=int, default=1000, metavar="N", help="how many unusual phantoms (1000)")
    sub.add_argument("--minutes", type=float, default=25.0, help="training time, phantoms not counted (25)")
    sub.add_argument("--restart", action="store_true", help="start afresh instead of going on")
    sub.add_argument("--seed", type=int, default=0, help="of what is drawn at random (0)")
    sub.set_defaults(run=_segmenter)


def _segmenter(options: argparse.Namespace) -> int:
    from synnodtest.training.segmenter import train_segmenter

    print(
        train_segmenter(
            options.out,
            phantoms=options.phantoms,
            minutes=options.minutes,
            resume=not options.restart,
            seed=options.seed,
        )
    )
    return 0


def _detector_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--preset", default="small", help="small, yolov8x or yolov9c (the last two as in the paper)")
    sub.add_argument("--epochs", type=int, help="instead of the preset's")
    sub.add_argument("--imgsz", type=int, help="instead of the preset's")
    sub.add_argument("--batch", type=int, help="instead of the preset's")
    sub.add_argument("--device", type=device, default="cpu", help="cpu or cuda")
    sub.add_argument("--weights", type=Path, help="start from this checkpoint")
    sub.add_argument("--learning-rate", type=float, help="of the first step")
    sub.add_argument("--crop", type=int, help="train on random windows of this side, most of them around a nodule")
    sub.add_argument("--per-background", type=int, default=6, help="radiographs made from each background")
    sub.add_argument(
        "--planted",
        action="store_true",
        help="plant CT nodules anew in every batch, as faint as those that readers mark; --data adds annotated films",
    )
    sub.add_argument(
        "--blend",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="of the training in the result, --weights the rest (1)",
    )
    add_split(
        sub,
        "patients to train on with --planted: train, or train:0.5 to hold out half instead of 15%%",
        default="train",
    )


def _diffusion(options: argparse.Namespace) -> int:
    from synnodtest.training.diffusion import train_diffusion

    made = train_diffusion(
        options.data,
        options.out,
        base=options.base,
        preset=options.preset,
        steps=1 if options.kind == "encoder" else options.steps,
        minutes=options.minutes,
        resume=not options.restart,
        ct_patches=options.ct_patches,
        backgrounds=options.backgrounds,
        phantoms=options.phantoms,
        count=options.count,
        seed=options.seed,
    )
    print(made / "tabular_encoder" if options.kind == "encoder" else made)
    return 0


def _planted(options: argparse.Namespace) -> int:
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
        ct_patches=options.ct_patches,
        backgrounds=options.backgrounds,
        annotated=options.data,
        phantoms=options.phantoms,
        split=options.split,
    )
    schedule = Schedule(options.minutes or 60.0, batch=options.batch or 32)
    plan = Plan(SHARES)
    if options.weights:
        plan = Plan(FINE_SHARES, counts=FINE_COUNTS)
        schedule = replace(schedule, learning_rate=5e-4, warm_up=50, average=0.998)
    if options.learning_rate:
        schedule = replace(schedule, learning_rate=options.learning_rate)
    made = train_planted(
        stock,
        shadows,
        work,
        plan,
        schedule,
        device=options.device,
        seed=options.seed,
        weights=options.weights,
        blend=options.blend,
    )
    addend = settle_scores(made, unseen_films(options.backgrounds, options.split))
    print(f"logits shifted by {addend:.2f}: {AT_ONE_PER_FILM} is one false positive per held-out film")
    print(made.replace(options.out / "best.pt"))
    return 0


def _detector(options: argparse.Namespace) -> int:
    if options.planted:
        return _planted(options)
    from synnodtest.commands.annotated import annotated_sets
    from synnodtest.training.detection_data import prepare, shared_pictures
    from synnodtest.training.detector import PRESETS, train_detector

    sets = annotated_sets(options, "train") + annotated_sets(options, "test")
    if not sets:
        raise SynnodError("nothing to train on", hint="--data NODE21, --phantoms N, or --backgrounds with --ct-patches")
    size = options.imgsz or (PRESETS[options.preset].image_size if options.preset in PRESETS else 512)
    data = prepare(sets, options.out / "data", size=size)
    for twin in shared_pictures(data.parent):
        print(f"warning: held-out {twin.one} is nearly the same picture as {twin.other}, which is trained on")
    last = options.out / "run" / "weights" / "last.pt"
    print(
        train_detector(
            data,
            options.out,
            preset=options.preset,
            epochs=options.epochs,
            imgsz=options.imgsz,
            batch=options.batch,
            device=options.device,
            resume=last.is_file() and not options.restart,
            minutes=options.minutes or None,
            weights=options.weights,
            learning_rate=options.learning_rate,
            crop=options.crop,
            seed=options.seed,
        )
    )
    return 0
