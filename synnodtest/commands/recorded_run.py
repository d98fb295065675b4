"""Runs by their records: the one that holds a scene, its settings once more, and what was realised of a nodule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from synnodtest.counted import counted
from synnodtest.errors import RecordError, SynnodError
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.record import results as records
from synnodtest.record.model import Record
from synnodtest.record.model.run import RunEntry
from synnodtest.shell.settings import Settings

LEAST_OF_ID = 6
"""Characters; of a thousand scenes two share so many hexadecimal digits once in 30 records."""


def run_with(reports: Path, wanted: str) -> Path:
    """Return the folder of the newest run that knows a scene or failure; of the newest if none does.

    Raises:
        RecordError: there is none.
    """
    runs = records.runs_in(reports)[::-1]
    if not runs:
        raise RecordError(f"{reports}: holds no run", hint="name one with --report")
    return next((run for run in runs if _knows(records.load(run), wanted)), runs[0])


def _knows(record: Record, wanted: str) -> bool:
    return any(key.startswith(wanted) for key in (*record.scenes, *(search.id for search in record.fuzzing)))


def id_of(ids: Iterable[str], wanted: str, what: str) -> str:
    """Return the one id that starts with ``wanted``; fewer than six characters of it might be anything's.

    Raises:
        RecordError: it is not one.
    """
    matches = [one for one in ids if one.startswith(wanted)]
    if len(matches) != 1 or len(wanted) < LEAST_OF_ID:
        raise RecordError(
            f"{wanted!r} begins the id of {counted(len(matches), what)} of the record",
            hint=f"give the id that the report prints, or at least {LEAST_OF_ID} characters of it",
        )
    return matches[0]


def settings_of(run: RunEntry, cache: Path, detector: str | None) -> Settings:
    """Return the settings of the run."""
    backgrounds = run.options.get("backgrounds")
    return Settings(
        root=Path.cwd(),
        detector=detector or run.options.get("detector", ""),
        synthesizer=run.options.get("synthesizer", "diffusion"),
        backgrounds=Path(backgrounds) if backgrounds else None,
        seed=run.seed,
        cache=cache,
    )


def feature_lines(radiograph: Radiograph, nodule: Truth) -> Iterator[str]:
    """Yield ``diameter_mm  requested 12  realised 11.9 (-1%)`` for whatever was asked for."""
    asked = {k: nodule.requested[k] for k in ("diameter_mm", "contrast") if k in nodule.requested}
    features = {k: float(v) for k, v in dict(nodule.requested.get("radiomics") or {}).items()}
    realised = {"diameter_mm": nodule.diameter_mm, "contrast": nodule.contrast}
    realised |= _measured(radiograph, nodule, features)
    for name, requested in {**asked, **features}.items():
        got = realised.get(name)
        off = f" ({100 * (got / requested - 1):+z.0f}%)" if got is not None and requested else ""
        yield f"{name:<24} requested {requested:<10.4g} realised {'not measured' if got is None else f'{got:.4g}'}{off}"


def _measured(radiograph: Radiograph, nodule: Truth, names: Iterable[str]) -> dict[str, float]:
    """Return the radiomics features of these names; none without pyradiomics, or for a nodule of a few pixels."""
    measured = tuple(names)
    if not measured:
        return {}
    from synnodtest.evaluation.measured import features_of

    try:
        values = features_of(radiograph, nodule, names=measured)
    except SynnodError as error:
        print(f"           {error}")
        return {}
    return {} if values is None else dict(zip(measured, map(float, values), strict=True))
