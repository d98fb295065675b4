"""``synnodtest evaluate reference``: quantiles of annotated nodules, which ship as ``synnodtest.reference``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from synnodtest.commands.options import add_split, tell


def add(kinds: Any) -> None:
    """Add the evaluation to the parsers of ``synnodtest evaluate``."""
    text = "contrast, conspicuity, size and place of annotated nodules, in quantiles: what real nodules look like"
    sub = kinds.add_parser("reference", help=text, description=text)
    sub.add_argument("--data", type=Path, required=True, help="annotated films: NODE21, COCO, YOLO, boxes.csv, JSRT")
    add_split(sub)
    sub.add_argument("--store", type=Path, default=Path(".synnodtest"), help="keeps regions and margins (.synnodtest)")
    sub.add_argument("--out", type=Path, help="also write it to this file")
    sub.set_defaults(run=_reference)


def _reference(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from synnodtest.annotated.films import AnnotatedFilms
    from synnodtest.evaluation.reference import make_reference, measure

    with tqdm(desc="margins", unit="film", disable=None) as bar:
        films = AnnotatedFilms(options.data, split=options.split, cache=options.store, progress=on_bar(bar))
        films.measure_margins()
    with tqdm(desc="nodules", unit="film", disable=None) as bar:
        measured = measure(films, on_bar(bar))
    tell(make_reference(films, measured), options.out)


def on_bar(bar: Any) -> Any:
    """Return a function of films done and their number that moves a bar of tqdm."""

    def progress(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return progress
