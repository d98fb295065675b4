"""The end of a run: record -> results.json, report.html, manifest.json."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from synnodtest.decoding import JsonObject
from synnodtest.exports import markdown, parquet, sarif
from synnodtest.integrity import inputs, manifest
from synnodtest.integrity.lock import LOCK
from synnodtest.record import results as record
from synnodtest.record.complete import RunFacts, there
from synnodtest.record.model import Record
from synnodtest.report import html
from synnodtest.report.explore import write_explore
from synnodtest.report.explore_pictures import from_store
from synnodtest.store import Store


def publish(made: JsonObject, facts: RunFacts, folder: Path) -> tuple[Path, Record]:
    """Write all files of a run into ``folder``; return the path of the report, and the record as it will be read.

    Args:
        made: What :func:`synnodtest.record.whole.whole_record` returned.
        facts: Of the run.
        folder: The run's folder.

    Raises:
        RecordError: the record does not follow its schema.
    """
    written = record.write_and_read(made, folder)
    write_companions(written, folder, facts.root, facts.waiver_file)
    store = None if facts.cache is None else Store(facts.cache)
    pictures = from_store(store, written.scenes) if store is not None and facts.pixels else lambda scene_id: None
    write_explore(written, folder, pictures, facts.baseline)
    report = html.render(written, folder, pixels=facts.pixels, store=store)
    manifest.write(folder)
    return report, written


def write_companions(source: Record | JsonObject, folder: Path, root: Path, waivers: Path | None = None) -> list[Path]:
    """Write ``inputs/``, ``results.sarif`` and, with pyarrow there, ``results.parquet``; before report and manifest.

    Args:
        source: The finished record.
        folder: The run's folder.
        root: The project's folder.
        waivers: The waiver file of the run; by default that of the project, if there is one.
    """
    record = Record.of(source)
    files = [there(file, root) for spec in record.identification.specs for file in (spec.file, *spec.included)]
    files.append(waivers or root / "waivers.yaml")
    files += [root / name for name in (LOCK, "reports.yaml", "requirements.csv", "hazards.csv")]
    written = [folder / path for path in inputs.keep(folder, files, root=root)]
    written.append(sarif.write(record, folder, sarif.below_checkout(root)))
    written += markdown.write(record, folder)
    if importlib.util.find_spec("pyarrow") is not None:
        written.append(parquet.write(record, folder))
    return written
