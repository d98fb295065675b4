"""``synnodtest evaluate transfer``: how far a verdict on planted nodules tells one on real ones."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from synnodtest.commands.options import add_kind, add_split, file_to_write, handed_on, keep, names_of, on_bar, say_notes
from synnodtest.devices import device
from synnodtest.errors import SynnodError


def add(kinds: Any) -> None:
    """Add the evaluation to the parsers of ``synnodtest evaluate``."""
    text = "sensitivity on annotated nodules beside that on planted ones, at matched false positives per negative film"
    sub = add_kind(kinds, "transfer", text, _transfer)
    option = sub.add_argument
    option("--detector", action="append", required=True, metavar="D", help="as for pytest; may be repeated")
    option("--data", type=Path, required=True, help="annotated films: NODE21, boxes.csv, COCO, YOLO, JSRT")
    option("--backgrounds", type=Path, required=True, help="folder of films without a nodule")
    option("--synthesizer", default="diffusion", help="as for pytest --synthesizer (diffusion)")
    option("--nodule", default="", metavar="YAML", help="fields of the planted nodules, as {attenuation: solid}")
    option("--per-film", type=int, default=12, help="negative films for the nodules of each film (12)")
    option("--margin", type=float, default=0.1, help="of equivalence of the sensitivities (0.1)")
    text = "diameter of a nodule over that of its annotated box (measured on the films)"
    option("--box-share", type=float, metavar="S", help=text)
    add_split(sub)
    option("--seed", type=int, default=0, help="of what is drawn at random (0)")
    option("--device", type=device, default="cpu", help="cpu or cuda")
    option("--store", type=Path, default=Path(".synnodtest"), help="what is finished is kept here (.synnodtest)")
    option("--out", type=file_to_write, help="write the result as JSON; reports show it with --credibility FILE")


def _transfer(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from synnodtest.detectors import resolve_detector
    from synnodtest.evaluation.transfer.table import as_text

    study = _study(options)
    detectors = [resolve_detector(text, device=options.device) for text in options.detector]
    for name, detector in zip(names_of(options.detector), detectors, strict=True):
        with tqdm(total=study.steps, desc=name, unit="film", disable=None) as bar:
            study.run(name, detector, lambda what, bar=bar: (bar.set_postfix_str(what, refresh=False), bar.update()))
    result = study.result()
    print(as_text(result))
    keep(result, options.out)


def _study(options: argparse.Namespace) -> Any:
    from tqdm import tqdm

    from synnodtest.annotated.films import AnnotatedFilms
    from synnodtest.evaluation.transfer.negatives import negative_films
    from synnodtest.evaluation.transfer.study import Design, Study
    from synnodtest.store import Store
    from synnodtest.synthesizers import resolve_synthesizer

    if not 0 < options.margin <= 1:
        raise SynnodError(f"--margin {options.margin:g}: above 0 and at most 1")
    if options.per_film < 1:
        raise SynnodError(f"--per-film {options.per_film}: at least 1")
    if options.box_share is not None and not 0.1 <= options.box_share <= 1.5:
        raise SynnodError(
            f"--box-share {options.box_share:g}: a share between 0.1 and 1.5; 1 where boxes have no margin"
        )
    with tqdm(desc="margins of boxes", unit="film", disable=None) as bar:
        films = AnnotatedFilms(
            options.data, split=options.split, cache=options.store, share=options.box_share, progress=on_bar(bar)
        )
        films.measure_margins()
    say_notes(films.notes)
    negatives = negative_films(options.backgrounds, films, split=options.split, cache=options.store)
    say_notes(negatives.notes)
    design = Design(
        per_film=min(options.per_film, len(negatives.backgrounds)),
        nodule=fields_of(options.nodule),
        **handed_on(options, "margin", "seed", "split"),
    )
    synthesizer = resolve_synthesizer(options.synthesizer, device=options.device)
    return Study(films, negatives, synthesizer, Store(options.store), design)


def fields_of(text: str) -> dict[str, object]:
    """Return the mapping of ``--nodule``.

    Raises:
        SynnodError: the text is no mapping in YAML.
    """
    from synnodtest.spec.nodes import plain
    from synnodtest.spec.source import YamlFault, parse

    hint = "--nodule '{contrast: {uniform: [0.03, 0.15]}}'"
    try:
        root, problems = parse(text or "{}", "--nodule")
    except YamlFault as fault:
        raise SynnodError(str(fault.problem), hint=hint) from fault
    if problems:
        raise SynnodError(str(problems[0]), hint=hint)
    if not isinstance(root.value, dict):
        raise SynnodError(f"--nodule {text!r} is no mapping", hint=hint)
    fields: dict[str, object] = plain(root)
    return fields
