"""What goes into a run's folder beside record, report and manifest: inputs, deviations, ledger, tables for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synnodtest.decoding import JsonObject, decode, encode
from synnodtest.errors import RecordError, SynnodError
from synnodtest.integrity import inputs, ledger
from synnodtest.integrity.lock import LOCK, deviation, deviations, read_lock
from synnodtest.record import credibility as reports_on
from synnodtest.record import transfer as transfers
from synnodtest.record.compare import Limit, compare
from synnodtest.record.model import Record
from synnodtest.record.model.run import Identification, RunEntry, SpecEntry
from synnodtest.record.model.side import Side
from synnodtest.spec.loader import load_spec

__all__ = ["complete", "there"]


SELFTEST = "selftest.json"
"""In the folder of the store: what ``synnodtest selftest`` found last."""


MOST_FAULTS = 5
"""Of the ledger, in the record: the first break of the chain is what matters."""


def complete(
    record: JsonObject,
    root: Path,
    *,
    known_regions: frozenset[str] = frozenset(),
    cache: Path | None = None,
    baseline: Side | Record | JsonObject | None = None,
    limits: tuple[Limit, ...] = (),
    credibility: Iterable[Path] = (),
    ledger_file: Path | None = None,
) -> dict[str, Any]:
    """Return the record with what stands in ``root`` and not in the run.

    That is ``reports.yaml``, ``requirements.csv`` and ``hazards.csv``, the deviations of each spec from the spec lock,
    the runs of the same specs from the run ledger, the last self-test of the tool, and the comparison with an earlier
    record.

    Args:
        record: The record.
        root: The project's folder (pytest's rootdir).
        known_regions: Regions beyond the built-in ones that specs may name.
        cache: Folder of the store.
        baseline: An earlier record, or what a second detector did (:func:`synnodtest.record.compare.as_record`).
        limits: How far metrics may move from the baseline.
        credibility: Credibility reports of the synthesizers and transfer results; without any, those that
            ``reports.yaml`` names, or those beside the models.
        ledger_file: The run ledger; None: that in ``root``.

    Raises:
        RecordError: one of these files is there and cannot be used.
    """
    root, part = Path(root), decode(_Part, record)
    given = inputs.load(root)
    made = given.fill(record)
    made["credibility"] = _believed([*credibility] or [*given.credibility], part, root)
    specs = part.identification.specs
    made["deviations"] = [*made["deviations"], *_changed(specs, root, known_regions)]
    runs = root / ledger.FILE_NAME if ledger_file is None else ledger_file
    made["ledger"] = ledger.runs_of(runs, [s.sha256 for s in specs])
    broken = ledger.faults(runs)[:MOST_FAULTS]
    made["anomalies"] = [
        *made["anomalies"],
        *({"id": ledger.FILE_NAME, "what": fault, "impact": "the list of runs"} for fault in broken),
    ]
    if cache is not None and (cache / SELFTEST).is_file():
        made["tool_validation"] = _selftest(cache / SELFTEST)
    if baseline is not None:
        made["comparison"] = encode(compare(baseline, made, limits=limits))
    return made


@dataclass(frozen=True)
class _Part:
    """What of a record is needed to complete it."""

    run: RunEntry
    identification: Identification


def _believed(named: list[Path], part: _Part, root: Path) -> JsonObject:
    """Return credibility reports and transfer results: those that are named, for each kind else those beside models."""
    run, who = part.run, part.identification
    of_transfer = [path for path in named if transfers.is_transfer(path)]
    of_synthesizers = [path for path in named if path not in of_transfer]
    of_transfer = of_transfer or reports_on.beside_models(run, who, root, transfers.FILE_NAME)
    reports = reports_on.read_all(of_synthesizers or reports_on.beside_models(run, who, root), who.synthesizers)
    measured = transfers.read_all(of_transfer, who)
    return ({"reports": reports} if reports else {}) | ({"transfers": measured} if measured else {})


def _selftest(path: Path) -> JsonObject:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it holds no object")
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: not what a self-test writes ({error})", hint="synnodtest selftest") from error
    return found


def _changed(specs: Iterable[SpecEntry], root: Path, known_regions: frozenset[str]) -> list[JsonObject]:
    lock = read_lock(root / LOCK) if (root / LOCK).is_file() else {}
    found: list[JsonObject] = []
    for spec in specs:
        entry = lock.get(spec.file)
        if entry is None or entry.sha256 == spec.sha256:
            continue
        try:
            loaded = load_spec(there(spec.file, root), known_regions=known_regions)
        except SynnodError:
            loaded = None
        if loaded is None or loaded.sha256 != spec.sha256:
            found.append(deviation(spec.file, "specification", entry.sha256[:12], spec.sha256[:12]))
        else:
            found += deviations(loaded, entry)
    return found


def there(file: str, root: Path) -> Path:
    """Return where a file of the record lies: as it is named, else below ``root``."""
    path = Path(file)
    return path if path.is_absolute() or path.exists() else root / path
