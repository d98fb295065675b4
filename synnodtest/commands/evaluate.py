"""``synnodtest evaluate detector|synthesizer|realism|reference|transfer``: the figures that model cards state."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from synnodtest.commands import credibility, transfer
from synnodtest.commands.options import add_kind, add_split, on_bar, tell, template
from synnodtest.counted import counted
from synnodtest.devices import device
from synnodtest.errors import SynnodError
from synnodtest.files import write_atomic
from synnodtest.radiograph import Radiograph


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add the evaluations."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="detector|synthesizer|realism|reference|transfer")
    credibility.add(kinds)
    _add_reference(kinds)
    transfer.add(kinds)
    text = "average precision, FROC, AUC and sensitivity by size on annotated data"
    add = add_kind(kinds, "detector", text, _detector).add_argument
    add("--detector", required=True, help="as for pytest --detector")
    add("--data", type=Path, help="annotated set: NODE21, COCO, YOLO, boxes.csv, JSRT")
    add("--phantoms", type=int, default=0, metavar="N", help="N chests that no training has seen, 4 radiographs each")
    add("--backgrounds", type=Path, help="folder of nodule-free radiographs, with --ct-patches")
    add("--ct-patches", type=Path, help="folder of segmented CT nodules in the NODE21 layout")
    add("--per-background", type=int, default=2, help="radiographs made from each background")
    add("--split", choices=("test", "train", "all"), default="test", help="held-out clusters by default")
    add("--device", type=device, default="cpu", help="cpu or cuda")
    add("--resamples", type=int, default=500, help="of the bootstrap behind the bounds; 0 leaves them out")
    add("--out", type=Path, help="also write the figures as JSON")
    add("--json", action="store_true", help="print JSON instead of a table")


def _trained_on(detector: str) -> dict[str, str]:
    """Return the hashes of training images that ``train detector`` left beside the weights, if there are any."""
    path = Path(detector.rpartition(":")[2]).expanduser().with_suffix(".hashes.json")
    if not path.is_file():
        return {}
    try:
        return {str(name): str(text) for name, text in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, AttributeError) as error:
        raise SynnodError(f"{path}: not the hashes of training images: {error}", hint="delete it") from error


def _detector(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from synnodtest.backgrounds.estimates import Estimates
    from synnodtest.commands.annotated import annotated_sets
    from synnodtest.detectors import resolve_detector
    from synnodtest.evaluation.detector import evaluate
    from synnodtest.statistics.bootstrap import FEWEST_RESAMPLES

    if 0 < options.resamples < FEWEST_RESAMPLES or options.resamples < 0:
        raise SynnodError(
            f"--resamples {options.resamples}: bounds take at least {FEWEST_RESAMPLES}", hint="0 leaves the bounds out"
        )
    sets = annotated_sets(options, options.split, fresh=True)
    if not sets:
        raise SynnodError("nothing to evaluate on", hint="--data, --phantoms N, or --backgrounds with --ct-patches")
    for data in sets:
        if not data.cases:
            raise SynnodError(f"{data.name}: no image belongs to the split {options.split!r}", hint="--split all")
    detector = resolve_detector(options.detector, device=options.device)
    estimates = Estimates()

    def completed(radiograph: Radiograph) -> Radiograph:
        return estimates.completed(radiograph, radiograph.content_sha256())

    figures = {}
    for data in sets:
        with tqdm(total=len(data.cases), desc=data.name, unit="image", disable=None) as bar:
            figures[data.name] = evaluate(
                detector,
                data,
                resamples=options.resamples,
                trained_on=_trained_on(options.detector),
                completed=completed,
                progress=on_bar(bar),
            )
        for one, other in figures[data.name]["in_training"].items():
            print(f"warning: {one} is nearly the training image {other}: figures on it are no test", file=sys.stderr)
    text = json.dumps(figures, indent=1)
    table = template("figures.txt.j2").render(figures=figures, counted=counted)
    print(text + "\n" if options.json else table, end="")
    if options.out is not None:
        write_atomic(options.out, text + "\n")
    return 0


def _add_reference(kinds: Any) -> None:
    """Add the evaluation to the parsers of ``synnodtest evaluate``."""
    text = "contrast, conspicuity, size and place of annotated nodules, in quantiles: what real nodules look like"
    sub = add_kind(kinds, "reference", text, _reference)
    sub.add_argument("--data", type=Path, required=True, help="annotated films: NODE21, COCO, YOLO, boxes.csv, JSRT")
    add_split(sub)
    sub.add_argument("--store", type=Path, default=Path(".synnodtest"), help="keeps regions and margins (.synnodtest)")
    sub.add_argument("--out", type=Path, help="also write it to this file")


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
