"""What was asked for of a nodule beside what is realised, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from synnodtest.errors import SynnodError
from synnodtest.radiograph import Radiograph, Truth


def feature_lines(radiograph: Radiograph, nodule: Truth) -> Iterator[str]:
    """Yield ``diameter_mm  requested 12  realised 11.9 (-1%)`` for whatever was asked for."""
    asked = {k: nodule.requested[k] for k in ("diameter_mm", "contrast") if k in nodule.requested}
    features = {k: float(v) for k, v in dict(nodule.requested.get("radiomics") or {}).items()}
    realised = {"diameter_mm": nodule.diameter_mm, "contrast": nodule.contrast}
    realised |= _measured(radiograph, nodule, features)
    for name, wanted in {**asked, **features}.items():
        got = realised.get(name)
        off = f" ({100 * (got / wanted - 1):+.0f}%)" if got is not None and wanted else ""
        yield f"{name:<24} requested {wanted:<10.4g} realised {'not measured' if got is None else f'{got:.4g}'}{off}"


def _measured(radiograph: Radiograph, nodule: Truth, names: Iterable[str]) -> dict[str, float]:
    """Return the radiomics features of these names; none without pyradiomics, or for a nodule of a few pixels."""
    wanted = tuple(names)
    if not wanted:
        return {}
    from synnodtest.evaluation.measured import features_of

    try:
        values = features_of(radiograph, nodule, names=wanted)
    except SynnodError as error:
        print(f"           {error}")
        return {}
    return {} if values is None else dict(zip(wanted, map(float, values), strict=True))
