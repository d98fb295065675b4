"""How a radiograph was taken, from its DICOM header, as strata: maker, kVp, mAs, detector, pixel spacing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_MAKERS = {
    "agfa": "agfa", "canon": "canon", "carestream": "carestream", "kodak": "carestream", "eastman": "carestream",
    "fuji": "fujifilm", "fujifilm": "fujifilm", "ge": "ge", "general": "ge", "hologic": "hologic", "konica": "konica",
    "philips": "philips", "samsung": "samsung", "shimadzu": "shimadzu", "siemens": "siemens", "toshiba": "canon",
}  # fmt: skip
"""First word of the maker's name to one spelling: the same maker signs in several ways."""
_LONGEST = 64
"""Characters of a maker that is not known: LO, the header's own limit."""
_COMPUTED_RADIOGRAPHY = "1.2.840.10008.5.1.4.1.1.1"


def acquisition_of(data: Any) -> Mapping[str, str]:
    """Return what a header tells, as text by name; what it does not tell is not there.

    Names: ``manufacturer``, ``kvp``, ``exposure_mas``, ``detector_type``, ``pixel_spacing_mm``.
    """
    told = {
        "manufacturer": _maker(data),
        "kvp": _number(data.get("KVP")),
        "exposure_mas": _number(data.get("ExposureInuAs"), 1e-3) or _number(data.get("Exposure")),
        "detector_type": _detector(data),
        "pixel_spacing_mm": _spacing(data),
    }
    return {name: text for name, text in told.items() if text}


def _text(data: Any, name: str) -> str:
    value = data.get(name)
    return "" if value is None else " ".join(str(value).split())


def _maker(data: Any) -> str:
    name = _text(data, "Manufacturer").casefold()[:_LONGEST]
    words = name.replace("-", " ").replace(",", " ").split()
    return _MAKERS.get(words[0], name) if words else ""


def _detector(data: Any) -> str:
    """Return the detector's type in small letters; computed radiography reads storage phosphors."""
    told = _text(data, "DetectorType").casefold()
    return told or ("storage" if _text(data, "SOPClassUID") == _COMPUTED_RADIOGRAPHY else "")


def _spacing(data: Any) -> str:
    pair = data.get("ImagerPixelSpacing") or data.get("PixelSpacing")
    single = pair is None or isinstance(pair, (str, int, float))
    return "" if single or not len(pair) else _number(pair[0])


def _number(value: Any, factor: float = 1.0) -> str:
    """Return a positive number as text; empty for anything else."""
    try:
        number = float(value) * factor
    except (TypeError, ValueError):
        return ""
    return f"{number:.6g}" if math.isfinite(number) and number > 0 else ""
