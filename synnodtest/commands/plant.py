"""``synnodtest plant``: one radiograph in, one with a nodule out, and what became of the request."""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synnodtest import open_detector, plant, read_radiograph, write_radiograph
from synnodtest.api.comparison import Compared, compared, table
from synnodtest.backgrounds.writers import resized, says_planted, truth_of
from synnodtest.commands.options import handed_on
from synnodtest.devices import device
from synnodtest.errors import SynnodError, SynthesizerError
from synnodtest.files import write_atomic
from synnodtest.finding import Finding
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph
from synnodtest.scene import ATTENUATION_WORDS, MARGIN_WORDS

Findings = Mapping[str, Sequence[Finding]]
"""By the detector's text, the highest score first."""

PLANTED_ALREADY = "the film says that it holds planted nodules; the truth written now tells of the new one alone"
EPILOG = """\
examples:

  synnodtest plant film.png --mm-per-px 0.168 --box 1310,820,1400,910 --out with-nodule.png
  synnodtest plant film.dcm --centre 1350,860 --diameter-mm 14 --contrast 0.3 --seed 7 --out with-nodule.dcm
  synnodtest plant film.mha --region retrocardiac --diameter-mm 10 --radiomics Sphericity=0.9 --detector demo
"""


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    parser.epilog = EPILOG
    add = parser.add_argument
    add("radiograph", type=Path, help="PNG, JPEG, DICOM, MHA, MHD or IMG file")
    add("--mm-per-px", type=_numbers(1, 2), metavar="MM", help="size of a pixel: MM, or X,Y")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--box", type=_numbers(4), metavar="X0,Y0,X1,Y1", help="place and size, in pixels")
    place.add_argument("--centre", type=_numbers(2), metavar="X,Y", help="place, in pixels")
    place.add_argument("--centre-mm", type=_numbers(2), metavar="X,Y", help="place, in mm from the top left corner")
    place.add_argument("--region", help="anywhere in this region, drawn by the seed (lung, retrocardiac, ...)")
    add("--diameter-mm", type=float, help="equal-area diameter; a box gives one")
    add("--contrast", type=float, help="added brightness / range of the lung; what came of it is told")
    add("--density", type=float, help="attenuation relative to soft tissue, in place of a contrast")
    add("--attenuation", default="", choices=ATTENUATION_WORDS, help="in place of both; default: drawn")
    add("--margin", default="", choices=MARGIN_WORDS, help="its outline")
    add("--radiomics", action="append", default=[], type=_feature, metavar="NAME=VALUE", help="a feature; repeatable")
    add("--seed", type=int, default=0, help="of the appearance, and of a place in a region")
    add("--synthesizer", default="diffusion", help="diffusion, gaussian, ct-patch:DIR, ...")
    add("--sham", action="store_true", help="the same edit without a nodule")
    add("--device", type=device, default="cpu", help="cpu or cuda")
    add("--detector", action="append", default=[], help="say what it finds; repeatable")
    add("--out", type=Path, help="PNG, MHA or DICOM file (default: <file>-planted.png here)")
    add("--bits", type=int, help="8 or 16 for PNG")
    add("--size", type=int, help="write SIZE x SIZE pixels, such as 1024")
    add("--mark", action="store_true", help="write SYNTHETIC into the picture too")
    add("--truth", type=Path, help="JSON file of the truth (default: beside --out)")


def _numbers(*counts: int) -> Any:
    def numbers(text: str) -> tuple[float, ...]:
        try:
            values = tuple(float(part) for part in text.replace(" ", ",").split(",") if part)
        except ValueError:
            values = ()
        if len(values) not in counts:
            raise argparse.ArgumentTypeError(f"{text!r} is not {' or '.join(map(str, counts))} numbers with commas")
        return values

    return numbers


def _feature(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, such as Sphericity=0.9") from None


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    out = options.out or Path(f"{options.radiograph.stem}-planted.png")
    told = options.truth or out.with_suffix(".json")
    _refuse_lost(options.radiograph, out, told)
    detectors = {uri: open_detector(uri, device=options.device) for uri in options.detector}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        before = read_radiograph(options.radiograph, mm_per_px=options.mm_per_px)
        planted = _planted(before, options)
    (truth,) = planted.nodules
    rows = compared(before, planted, truth)
    planted = planted if options.size is None else resized(planted, options.size)
    write_radiograph(planted, out, bits=options.bits, mark=options.mark)
    notes = [str(one.message) for one in caught if issubclass(one.category, UserWarning)]
    notes += [PLANTED_ALREADY] if says_planted(options.radiograph) else []
    findings = {uri: _findings(detector, planted) for uri, detector in detectors.items()}
    print(table(rows))
    print(f"box of the truth, px: {', '.join(f'{edge:.0f}' for edge in planted.nodules[0].box)}")
    for uri, some in findings.items():
        print(f"{uri}: {_told(some)}")
    for note in notes:
        print(f"note: {note}")
    write_atomic(told, json.dumps(_document(planted, rows, notes, findings, options), indent=1) + "\n")
    print(f"wrote {out} and {told}")


def _refuse_lost(film: Path, out: Path, truth: Path) -> None:
    """Refuse to write over the film, or the truth over the picture.

    Raises:
        SynnodError: one of them is the other.
    """
    for option, path in (("--out", out), ("--truth", truth)):
        if path.exists() and film.exists() and path.samefile(film):
            raise SynnodError(
                f"{path} is the film itself, which would be lost", hint=f"name another file with {option}"
            )
    if out.resolve() == truth.resolve():
        raise SynnodError(f"{out} cannot hold both picture and truth", hint="name another file with --truth")


def _planted(before: Radiograph, options: argparse.Namespace) -> Radiograph:
    centre_mm = options.centre_mm if options.region is None else _place_in(before, options)
    size = handed_on(options, "centre", "diameter_mm", "contrast", "density", "attenuation", "margin")
    means = handed_on(options, "seed", "sham", "synthesizer", "device")
    radiomics = _known(dict(options.radiomics))
    return plant(before, options.box, centre_mm=centre_mm, radiomics=radiomics, **size, **means)


def _known(features: dict[str, float]) -> dict[str, float]:
    from synnodtest.radiomics_features import FEATURE_NAMES
    from synnodtest.spec.messages import unknown

    for name in features:
        if name not in FEATURE_NAMES:
            raise SynthesizerError(f"the radiomics feature {unknown(name, FEATURE_NAMES, 'the 67 features')}")
    return features


def _place_in(radiograph: Radiograph, options: argparse.Namespace) -> tuple[float, float]:
    from synnodtest.api.planting import place_in

    if options.diameter_mm is None:
        raise SynnodError("how large is the nodule?", hint="--diameter-mm 12")
    return place_in(radiograph, options.region, options.diameter_mm, options.seed)


def _findings(detector: Detector, radiograph: Radiograph) -> list[Finding]:
    (reported,) = detector.detect([radiograph])
    return sorted(reported, key=lambda finding: -finding.score)


def _told(found: Sequence[Finding], most: int = 5) -> str:
    if not found:
        return "no finding"
    words = [f"{one.score:.3f} at ({', '.join(f'{edge:.0f}' for edge in one.box)})" for one in found[:most]]
    return "; ".join(words) + (f"; {len(found) - most} more" if len(found) > most else "")


def _document(
    made: Radiograph, rows: Sequence[Compared], notes: list[str], findings: Findings, options: argparse.Namespace
) -> dict[str, object]:
    row, column = made.spacing_mm
    return {
        "synthetic": True,
        "source": options.radiograph.name,
        **handed_on(options, "synthesizer", "seed", "sham"),
        "mm_per_px": {"x": column, "y": row},
        "nodules": truth_of(made),
        "compared": [{"name": r.name, "requested": r.requested, "realised": r.realised} for r in rows],
        "notes": notes,
        "findings": {
            uri: [{"box_px": list(one.box), "score": one.score} for one in boxes] for uri, boxes in findings.items()
        },
    }
