"""``synnodtest evaluate synthesizer`` and ``evaluate realism``: how far synthetic nodules can be believed."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from synnodtest.commands.options import (
    add_kind,
    add_split,
    file_to_write,
    handed_on,
    keep,
    one_or_more,
    say_notes,
    tell,
)
from synnodtest.devices import device
from synnodtest.errors import SynnodError


def add(kinds: Any) -> None:
    """Add both evaluations to the parsers of ``synnodtest evaluate``."""
    text = "size, contrast, features, distances to real nodules, two-sample test, sham control"
    sub = add_kind(kinds, "synthesizer", text, _synthesizer)
    _common(sub)
    option = sub.add_argument
    option("--detector", help="for sham control and sensitivity by size; as for pytest --detector")
    option("--embedding", help="an encoder to compare in too: FILE.onnx, or module:factory")
    option("--scenes", type=one_or_more, default=160, help="per kind of background (160)")
    option("--sweep-scenes", type=int, default=200, help="per swept feature (200); 0 sweeps none")
    option(
        "--training-crops", type=int, default=2000, metavar="N",
        help="crops of training nodules that planted ones are compared with, for copies (2000); 0 compares none; "
        "with --ct-patches",
    )  # fmt: skip
    option(
        "--only-memorisation", action="store_true",
        help="measure memorisation alone; in a file that --out names and that is of this model, all else stays",
    )  # fmt: skip
    option("--out", type=file_to_write, help="write the figures as JSON, and beside it their picture as PNG")
    text = "a blinded page for readers (real or synthetic?), and the AUC of their answers"
    sub = add_kind(kinds, "realism", text, _realism)
    _common(sub)
    option = sub.add_argument
    option(
        "--data", type=Path,
        help="annotated films: their nodules are the real ones, and a two-sample test; planted ones lie in the other "
        "lung of the same films, or in those of --backgrounds",
    )  # fmt: skip
    add_split(sub, "held-out, train, all patients or held-out:0.5 and the like, with --data (all)")
    option("--per-film", type=one_or_more, default=2, help="scenes for the nodules of each film (2)")
    option("--nodule", default="", metavar="YAML", help="fields of the planted nodules, with --data")
    option("--store", type=Path, default=Path(".synnodtest"), help="keeps regions and margins (.synnodtest)")
    option("--each", type=one_or_more, default=50, help="real and synthetic pictures, so many of each (50)")
    option("--out", type=Path, help="folder to write readers.html, key.json and sheet.png in")
    option("--answers", type=Path, nargs="+", help="what readers saved; with --key, instead of --out")
    option("--key", type=Path, help="key.json of the study")


def _common(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--synthesizer", default="diffusion", help="as for pytest --synthesizer")
    sub.add_argument("--composition", choices=("counterfactual", "inpaint"), help="of a diffusion model")
    sub.add_argument("--phantoms", type=int, default=0, metavar="N", help="N chests that no training has seen")
    sub.add_argument("--backgrounds", type=Path, help="folder of nodule-free radiographs; its held-out patients serve")
    sub.add_argument("--ct-patches", type=Path, help="folder of segmented CT nodules; its held-out series are real")
    sub.add_argument("--device", type=device, default="cpu", help="cpu or cuda")
    sub.add_argument("--seed", type=int, default=1, help="of what is drawn at random (1)")


def _resolved(options: argparse.Namespace) -> Any:
    from synnodtest.synthesizers import resolve_synthesizer

    synthesizer = resolve_synthesizer(options.synthesizer, device=options.device)
    if options.composition is None:
        return synthesizer
    from synnodtest.synthesizers.diffusion import DiffusionSynthesizer

    if not isinstance(synthesizer, DiffusionSynthesizer):
        raise SynnodError(f"--composition is of diffusion models, which {options.synthesizer!r} is not")
    return DiffusionSynthesizer(synthesizer.path, composition=options.composition, device=options.device)


def _synthesizer(options: argparse.Namespace) -> int:
    from synnodtest.detectors import resolve_detector
    from synnodtest.evaluation.credibility import bland_altman
    from synnodtest.evaluation.embedding import load_embedding
    from synnodtest.evaluation.synthesizer import domains, evaluate_synthesizer
    from synnodtest.synthesizers.diffusion import DiffusionSynthesizer

    on = domains(options.phantoms, options.backgrounds)
    synthesizer = _resolved(options)
    if options.only_memorisation:
        return _memorisation(options, on, synthesizer)
    sham, ranges = None, None
    if isinstance(synthesizer, DiffusionSynthesizer):
        sham = DiffusionSynthesizer(synthesizer.path, composition="inpaint", device=options.device)
        ranges = synthesizer.calibration.ranges
    figures = evaluate_synthesizer(
        synthesizer,
        on,
        ranges=ranges,
        sham=sham,
        detector=resolve_detector(options.detector, device=options.device) if options.detector else None,
        embedding=load_embedding(options.embedding) if options.embedding else None,
        **handed_on(options, "ct_patches", "scenes", "sweep_scenes", "training_crops", "seed"),
    )
    tell(figures, options.out)
    if options.out is not None:
        bland_altman(figures, options.out.with_suffix(".png"))
    return 0


def _memorisation(options: argparse.Namespace, on: Any, synthesizer: Any) -> int:
    """Measure memorisation alone, and put it into the file of ``--out`` beside what stands there of the same model."""
    from synnodtest.evaluation.measured import plant
    from synnodtest.evaluation.synthesizer import memorised
    from synnodtest.record.credibility import read

    if options.ct_patches is None or not options.training_crops:
        raise SynnodError("--only-memorisation needs training nodules", hint="--ct-patches DIR --training-crops 2000")
    figures: dict[str, object] = {"synthesizer": synthesizer.identity.as_dict()}
    if options.out is not None and options.out.is_file():
        told: dict[str, Any] = dict(read(options.out, transfer=False))
        if told["synthesizer"] != figures["synthesizer"]:
            raise SynnodError(f"{options.out}: is of another model", hint="name another file with --out")
        figures |= told["measured"]
    planted = [plant(synthesizer, domain.scenes(options.scenes, seed=options.seed)) for domain in on]
    figures["memorisation"] = memorised(
        synthesizer, planted, on, options.ct_patches, options.training_crops, seed=options.seed
    )
    print(json.dumps(figures["memorisation"], indent=1))
    keep(figures, options.out)
    return 0


def _realism(options: argparse.Namespace) -> int:
    from synnodtest.evaluation.realism import exhibits, judge_answers, write_study

    if options.answers:
        if options.key is None:
            raise SynnodError("--answers without --key", hint="--key DIR/key.json, which the study left")
        if options.out is not None:
            raise SynnodError("--answers beside --out", hint="--out writes a study; the AUC of its answers is printed")
        print(json.dumps(judge_answers(options.answers, options.key, seed=options.seed), indent=1))
        return 0
    if options.data is not None:
        return _of_films(options)
    if options.out is None or options.ct_patches is None:
        raise SynnodError(
            "a study needs --out DIR and --ct-patches FOLDER", hint="or --data FILMS, or --answers FILES --key key.json"
        )
    from synnodtest.evaluation.synthesizer import domains, of_series

    on = domains(options.phantoms, options.backgrounds)
    real, synthesizer = of_series(options.ct_patches, held_out=True), _resolved(options)
    ranges = {"diameter_mm": (8.0, 36.0), "contrast": (0.2, 0.8)}
    pairs = [pair for domain in on for pair in domain.scenes(2 * options.each // len(on), seed=options.seed, **ranges)]
    print(write_study(exhibits(synthesizer, real, pairs), options.out, seed=options.seed))
    return 0


def _of_films(options: argparse.Namespace) -> int:
    """Compare annotated nodules with planted ones: two-sample test, and with ``--out`` the page for readers."""
    from tqdm import tqdm

    from synnodtest.annotated.films import AnnotatedFilms
    from synnodtest.commands.transfer import fields_of
    from synnodtest.evaluation.crops import annotated_crops, bare_crops, planted_crops
    from synnodtest.evaluation.realism import FROM_FILMS, film_exhibits, write_study
    from synnodtest.evaluation.transfer.negatives import negative_films
    from synnodtest.evaluation.transfer.scenes import counterparts, nodule_template, own_counterparts
    from synnodtest.evaluation.two_sample import two_sample

    films = AnnotatedFilms(options.data, split=options.split, cache=options.store)
    say_notes(films.notes)
    template = nodule_template(fields_of(options.nodule))
    hosts: Any = films
    if options.backgrounds is None:
        scenes = list(own_counterparts(films, template, per_film=options.per_film, seed=options.seed))
    else:
        hosts = negative_films(options.backgrounds, films, split=options.split, cache=options.store)
        say_notes(hosts.notes)
        per_film = min(options.per_film, len(hosts.backgrounds))
        scenes = list(counterparts(films, hosts, template, per_film=per_film, seed=options.seed))
    synthesizer = _resolved(options)
    with tqdm(total=len(films.backgrounds), desc="annotated", unit="film", disable=None) as bar:
        real = annotated_crops(films, bar.update)
    with tqdm(total=len(scenes), desc="planted", unit="film", disable=None) as bar:
        planted = planted_crops(scenes, hosts, synthesizer, bar.update)
    if options.out is not None:
        exhibits = film_exhibits(films, scenes, hosts, synthesizer, each=options.each, seed=options.seed)
        print(write_study(exhibits, options.out, seed=options.seed, about=FROM_FILMS))
    bare = None if options.backgrounds is None else bare_crops(films, scenes, hosts)
    result = two_sample(real, planted, bare, seed=options.seed)
    result |= {"hosts": "the annotated films themselves, other lung" if bare is None else hosts.identity.as_dict()}
    result |= {"synthesizer": synthesizer.identity.as_dict(), "data": films.identity.as_dict(), "split": options.split}
    tell(result, None if options.out is None else options.out / "two-sample.json")
    return 0
