"""A radiograph from its file alone: what a manifest beside it says, its masks, and the regions that no mask gives."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.backgrounds.entries import Entry
from synnodtest.backgrounds.estimates import Estimates
from synnodtest.backgrounds.folder_files import masks_beside
from synnodtest.backgrounds.manifest import find_manifest
from synnodtest.backgrounds.named_images import plain_name
from synnodtest.backgrounds.readers import read_as, read_mask
from synnodtest.backgrounds.writers import OWN_NOTE
from synnodtest.errors import BackgroundError
from synnodtest.radiograph import Radiograph


def beside(path: Path) -> Entry:
    """Return what the manifest of the file's folder, or the one above, says of it, and the masks beside it.

    As in annotated data, a row that names a file which is not where it says is that of the image of its name.
    """
    masks = dict(masks_beside(path))
    manifest = find_manifest([path.parent, path.parent.parent])
    rows = manifest.rows if manifest else ()
    there = [row for row in rows if (row.folder / row.file).resolve() == path.resolve()]
    named = [row for row in rows if plain_name(row.file) == plain_name(path.name)]
    lost = [row for row in named if not (row.folder / row.file).is_file()]
    if there:
        masks |= {region: there[0].folder / name for region, name in there[0].masks.items()}
    elif len(lost) != 1:
        return Entry(path.name, path, masks)
    row = (there or lost)[0]
    return Entry(path.name, path, masks, row.given, row.patient, row.strata)


def read(path: Path, spacing_mm: tuple[float, float] | None, bits: int | None, regions: bool) -> Radiograph:
    """Read a radiograph; see :func:`synnodtest.read_radiograph`."""
    known = beside(path) if path.is_file() else Entry(path.name, path)
    own = _own_note(path)
    spacing = spacing_mm or known.given.spacing_mm or own.get("spacing_mm")
    facts = replace(known.given, spacing_mm=spacing, bits=bits or known.given.bits or own.get("bits"))
    try:
        radiograph = read_as(path, facts)
    except BackgroundError as error:
        if "size of a pixel" not in error.message:
            raise
        raise BackgroundError(error.message, hint=f"say it: mm_per_px=0.168; or {error.hint}") from error
    masks = {region: read_mask(mask, radiograph.shape, facts.rotate_deg) for region, mask in known.masks.items()}
    radiograph = replace(
        radiograph,
        regions={region: mask for region, mask in masks.items() if mask.any()},
        background=path.name,
        patient=known.patient,
        strata=dict(known.strata),
    )
    return _completed(radiograph) if regions else radiograph


def _completed(radiograph: Radiograph) -> Radiograph:
    content = radiograph.content_sha256()
    estimates = Estimates()
    whole = estimates.completed(radiograph, content)
    if "lung_estimate" in whole.strata:
        why = "; ".join(estimates.doubts(radiograph, content))
        warnings.warn(
            f"{radiograph.source}: its lungs are estimated and doubtful ({why}); contrast is measured against them: "
            "where it matters, draw a lung mask beside the file",
            stacklevel=4,
        )
    return whole


def spacing_of(
    mm_per_px: float | tuple[float, float] | None, spacing_mm: tuple[float, float] | None
) -> tuple[float, float] | None:
    """Return the size of a pixel as ``(row, column)``, told in one of the two ways or not at all.

    Raises:
        BackgroundError: it is told in both, or is not one number or two.
    """
    if mm_per_px is None:
        return spacing_mm
    if spacing_mm is not None:
        raise BackgroundError("mm_per_px and spacing_mm are the same thing twice", hint="give one of them")
    try:
        numbers = [float(number) for number in np.atleast_1d(mm_per_px)]
        x, y = numbers * 2 if len(numbers) == 1 else numbers
    except ValueError:
        raise BackgroundError(f"mm_per_px is {mm_per_px!r}", hint="one number, or (x, y)") from None
    return y, x


def _own_note(path: Path) -> dict[str, Any]:
    """Return spacing and bits that :func:`synnodtest.write_radiograph` left in a PNG."""
    if path.suffix.lower() != ".png" or not path.is_file():
        return {}
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            note = json.loads(image.info.get(OWN_NOTE, "{}"))
        row, column = note["mm_per_px"]["y"], note["mm_per_px"]["x"]
        return {"spacing_mm": (float(row), float(column)), "bits": int(note["bits"])}
    except (OSError, ValueError, KeyError, TypeError, SyntaxError, ImportError):
        return {}  # whatever is wrong with the file is told by its reader
