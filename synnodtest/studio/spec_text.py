"""Scenes, sweeps and maps as specs: the text that a user copies is the text that the studio itself plans and runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from synnodtest.api.planting import Request
from synnodtest.radiograph import Radiograph
from synnodtest.spec.plain import flow
from synnodtest.studio.case import SET
from synnodtest.templates import templates_of

Entry = Mapping[str, Any]
BRIGHTNESS = ("contrast", "density", "attenuation")
"""Each says how bright a nodule is; a nodule has one of them."""
VARIED = ("diameter_mm", *BRIGHTNESS, "margin", "location", "radiomics")
"""Of a nodule, in the explicit example of a search."""
LEAST_LEVELS = 5
"""That ``monotone`` asks for."""


@dataclass(frozen=True)
class Named:
    """Names and nodules in a spec: the file of the film, detector and synthesizer of its command, and the nodules.

    Args:
        film, detector, synthesizer: As the command names them.
        nodules: All, as specs write them.
        nodule: The selected one.
    """

    film: str
    detector: str
    synthesizer: str
    nodules: Sequence[Entry] = ()
    nodule: Entry = field(default_factory=dict)


def entry_of(request: Request, radiograph: Radiograph) -> dict[str, object]:
    """Return a nodule as a spec writes it."""
    nodule = request.nodule(radiograph)
    bright = "contrast" if request.contrast is not None else "attenuation" if request.attenuation else "density"
    return {
        "name": request.name,
        "diameter_mm": nodule.diameter_mm,
        bright: getattr(nodule, bright),
        **({"margin": request.margin} if request.margin else {}),
        "location": {"at_mm": list(nodule.centre_mm)},
        **({"radiomics": dict(nodule.radiomics)} if request.radiomics else {}),
        "seed": request.seed,
    }


def written(kind: str, of: Named, *values: Any) -> str:
    """Return a text of ``spec_text.j2``.

    Args:
        kind: ``scene``, ``fuzz``, ``sweep`` (over a quantity, its levels), ``map`` (of a region, so many places),
            ``companion`` (its diameter, its least distance), ``leak`` (so many places), or ``python`` (the size of a
            pixel, the nodules that were made).
        of: What it is written of.
        values: Of its kind.
    """
    return str(getattr(_texts(), kind)(of, *values))


@cache
def _texts() -> Any:
    environment = templates_of("synnodtest.studio", "assets")
    environment.globals |= {"SET": SET, "VARIED": VARIED, "LEAST_LEVELS": LEAST_LEVELS}
    environment.filters |= {"flow": partial(flow, word=_word), "having": _having, "repr": repr}
    return environment.get_template("spec_text.j2").module


def _having(nodule: Entry, name: str, value: Any) -> dict[str, object]:
    """Return the nodule with one quantity replaced; a feature stands under ``radiomics``."""
    if name in ("diameter_mm", "contrast", "density", "location"):
        others = {key: item for key, item in nodule.items() if name not in BRIGHTNESS or key not in BRIGHTNESS}
        return others | {name: value}
    return {**nodule, "radiomics": {**nodule.get("radiomics", {}), name: value}}


def _word(value: Any) -> str:
    """Return a plain value as a person would write it."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str) and value.isidentifier():
        return value
    return json.dumps(value, ensure_ascii=False)
