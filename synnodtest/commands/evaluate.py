"""``synnodtest evaluate detector|synthesizer|realism|reference|transfer``: the figures that model cards state."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synnodtest.commands import credibility, transfer
from synnodtest.commands.options import add_kind, add_split, file_to_write, names_of, on_bar, say_notes, tell, template
from synnodtest.counted import counted
from synnodtest.devices import device
from synnodtest.errors import SynnodError
from synnodtest.files import write_atomic
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph

if TYPE_CHECKING:
    from synnodtest.annotated.sets import AnnotatedSet
    from synnodtest.evaluation.answers import Answer


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add the evaluations."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="detector|synthesizer|realism|reference|transfer")
    credibility.add(kinds)
    _add_reference(kinds)
    transfer.add(kinds)
    text = "average precision, FROC, AFROC, AUC and sensitivity by size on annotated data; several detectors compared"
    add = add_kind(kinds, "detector", text, _detector).add_argument
    several = "as for pytest --detector; repeat it to compare further detectors with the first on the same images"
    add("--detector", action="append", required=True, metavar="D", help=several)
    add("--data", type=Path, help="annotated set: NODE21, COCO, YOLO, boxes.csv, JSRT")
    add("--phantoms", type=int, default=0, metavar="N", help="N chests that no training has seen, 4 radiographs each")
    add("--backgrounds", type=Path, help="folder of nodule-free radiographs, with --ct-patches")
    add("--ct-patches", type=Path, help="folder of segmented CT nodules in the NODE21 layout")
    add("--per-background", type=int, default=2, help="radiographs made from each background")
    add("--split", choices=("test", "train", "all"), default="test", help="held-out clusters by default")
    add("--device", type=device, default="cpu", help="cpu or cuda")
    add("--resamples", type=int, default=500, help="of the bootstrap behind the bounds; 0 leaves them out")
    add("--out", type=file_to_write, help="also write the figures as JSON")
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
    from synnodtest.commands.annotated import annotated_sets
    from synnodtest.detectors import resolve_detector
    from synnodtest.evaluation.comparison import LABELS
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
    detectors = [resolve_detector(text, device=options.device) for text in options.detector]
    results = {data.name: _figures(data, detectors, options) for data in sets}
    alone = len(detectors) == 1
    text = json.dumps({name: one["detectors"][0] if alone else one for name, one in results.items()}, indent=1)
    table = template("figures.txt.j2").render(results=results, labels=LABELS, counted=counted)
    print(text + "\n" if options.json else table, end="")
    if options.out is not None:
        write_atomic(options.out, text + "\n")
    return 0


def _figures(data: AnnotatedSet, detectors: Sequence[Detector], options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of each detector on a set, and the differences of the later ones from the first."""
    from tqdm import tqdm

    from synnodtest.backgrounds.estimates import Estimates
    from synnodtest.evaluation.answers import answers_of, answers_with_copies_joined
    from synnodtest.evaluation.comparison import compare, unadjusted
    from synnodtest.evaluation.detector import measure

    estimates, names, alone = Estimates(), names_of(options.detector), len(detectors) == 1

    def completed(radiograph: Radiograph) -> Radiograph:
        return estimates.completed(radiograph, radiograph.content_sha256())

    figures: list[dict[str, object]] = []
    answers: list[list[Answer]] = []
    notes: list[str] = []
    hashes = [_trained_on(text) for text in options.detector]
    for name, trained_on, detector in zip(names, hashes, detectors, strict=True):
        whose = "" if alone else f"{name}: "
        with tqdm(total=len(data.cases), desc=whose + data.name, unit="image", disable=None) as bar:
            known = answers[0] if answers else ()
            seen = answers_of(detector, data, completed, on_bar(bar), hashed=any(hashes), known=known)
            if not answers:
                seen, notes = answers_with_copies_joined(data.cases, seen)
            answers.append(seen)
            found = measure(detector.identity, data, seen, resamples=options.resamples, trained_on=trained_on)
        for one, other in found["in_training"].items():
            why = f"{one} is nearly the training image {other}: figures on it are no test"
            print(f"warning: {whose}{why}", file=sys.stderr)
        figures.append(found if alone else {"name": name, **found})
    say_notes(notes)
    compared = [compare(later, answers[0], resamples=options.resamples) for later in answers[1:]]
    differences = [one.as_dict(name, names[0]) for one, name in zip(compared, names[1:], strict=True)]
    return {"detectors": figures, "comparisons": differences, "unadjusted": unadjusted(compared)}


def _add_reference(kinds: Any) -> None:
    """Add the evaluation to the parsers of ``synnodtest evaluate``."""
    text = "contrast, conspicuity, size and place of annotated nodules, in quantiles: what real nodules look like"
    sub = add_kind(kinds, "reference", text, _reference)
    sub.add_argument("--data", type=Path, required=True, help="annotated films: NODE21, COCO, YOLO, boxes.csv, JSRT")
    add_split(sub)
    sub.add_argument("--store", type=Path, default=Path(".synnodtest"), help="keeps regions and margins (.synnodtest)")
    sub.add_argument("--out", type=file_to_write, help="also write it to this file")


def _reference(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from synnodtest.annotated.films import AnnotatedFilms
    from synnodtest.evaluation.reference import make_reference, measure

    with tqdm(desc="margins", unit="film", disable=None) as bar:
        films = AnnotatedFilms(options.data, split=options.split, cache=options.store, progress=on_bar(bar))
        films.measure_margins()
    say_notes(films.notes)
    with tqdm(desc="nodules", unit="film", disable=None) as bar:
        measured = measure(films, on_bar(bar))
    tell(make_reference(films, measured), options.out)
