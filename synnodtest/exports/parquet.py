"""``results.parquet``: one row per trial, for people who want pandas. Section 8 can be recomputed from it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from synnodtest.decoding import JsonObject
from synnodtest.errors import require
from synnodtest.files import write_atomic
from synnodtest.record.model import ExpectationEntry, FindingEntry, NoduleEntry, Record, SceneEntry
from synnodtest.record.model.judged import MatchedEntry

FILE_NAME = "results.parquet"
_HALF = re.compile("[\ud800-\udfff]")
_LARGEST_BLOCK = 2**31 - 1
"""Bytes; pyarrow counts them in 32 bits."""

_NUMBERS = (
    *("operating_point", "requested_diameter_mm", "requested_contrast", "requested_density", "diameter_mm", "contrast"),
    *("density", "weakening", "white_share", "contrast_in_place", "conspicuity", "confidence"),
)
"""Columns of one number each; those of other types stand where they are written, all others are texts."""
Row = dict[str, Any]
"""Columns by name: a text, a number, a truth value or a list of these."""


def rows(source: Record | JsonObject) -> Iterator[Row]:
    """Yield one row per expectation, scene and nodule; a scene without a nodule has one row without nodule columns.

    These are all scenes that were made for it; which of them it judges, its ``arm``, ``of`` and ``where`` say.
    Boxes are ``x_min, y_min, x_max, y_max`` in pixels; ``confidence`` is the raw score of the finding that hits the
    nodule, 0 if none; ``hit`` holds at the expectation's own operating point, false where the record has no match.
    Of each finding ``finding_nodules`` names the nodule that it hits (empty: none), and ``finding_duplicates`` holds
    for a further finding on a nodule that is already hit, which counts neither as a hit nor as a false positive.
    ``counterexample`` is the example of a search that the scene was made to confirm; empty for all other scenes.
    Last come the scenes that were excluded, which no detector saw: of a behaviour, and of no expectation.
    """
    record = Record.of(source)
    confirms = _confirmations(record)
    for e in record.expectations:
        point = e.parameters.get("operating_point")
        for key in e.scenes:
            scene = record.scenes[key]
            matched = e.rematched[key] if key in e.rematched else MatchedEntry(scene.nodules, scene.findings)
            counterexample = confirms.get((e.id, key), "")
            base = _of_expectation(e, point) | _of_scene(key, scene, matched.findings, counterexample)
            for nodule in matched.nodules or [None]:
                yield base | _of_nodule(nodule, point)
    told = {key for e in record.expectations for key in e.scenes}
    for key in (key for key, scene in record.scenes.items() if not scene.accepted and key not in told):
        scene = record.scenes[key]
        of = {"expectation": None, "behaviour": scene.behaviour, "kind": None, "operating_point": None}
        for nodule in scene.nodules or [None]:
            yield of | _of_scene(key, scene, (), "") | _of_nodule(nodule, None) | {"confidence": None, "hit": None}


def _confirmations(record: Record) -> dict[tuple[str, str], str]:
    """Return the example that a scene confirms, by expectation and scene."""
    return {
        (search.expectation_id, scene): example
        for search in record.fuzzing
        for example, scenes in search.confirmations.items()
        for scene in scenes
    }


def _of_expectation(e: ExpectationEntry, point: Any) -> Row:
    return {"expectation": e.id, "behaviour": e.behaviour, "kind": e.kind, "operating_point": _number(point)}


def _of_scene(key: str, scene: SceneEntry, findings: Sequence[FindingEntry], counterexample: str) -> Row:
    return {
        "scene": key,
        "arm": scene.arm,
        "synthesizer": scene.synthesizer,
        "background": scene.background,
        "patient": scene.patient,
        "cluster": scene.independent,
        "strata": {str(k): str(v) for k, v in scene.strata.items()},
        "accepted": scene.accepted,
        "counterexample": counterexample,
        "radiograph_sha256": scene.radiograph_sha256,
        "finding_scores": [float(f.score) for f in findings],
        "finding_boxes": [[float(v) for v in f.box] for f in findings],
        "finding_regions": [list(f.regions) for f in findings],
        "finding_nodules": [f.hits or "" for f in findings],
        "finding_duplicates": [f.duplicate for f in findings],
        "mm_per_px": [float(v) for v in scene.spacing_mm],
    }


def _of_nodule(nodule: NoduleEntry | None, point: Any) -> Row:
    """Return the columns of a nodule; none has a value where there is none."""
    n = nodule or NoduleEntry("", ())
    asked, hit = n.requested.get, n.hit
    if isinstance(point, (int, float)) and n.confidence is not None:
        hit = n.confidence >= point and (n.confidence > 0 or bool(n.hit))
    return {
        "nodule": n.name if nodule else None,
        **{f"requested_{name}": _number(asked(name)) for name in ("diameter_mm", "contrast", "density")},
        "attenuation": asked("attenuation"),
        "margin": asked("margin"),
        **{name: _number(getattr(n, name)) for name in ("diameter_mm", "contrast", "density")},
        **{name: _number(asked(name)) for name in ("weakening", "white_share")},
        **{name: _number(getattr(n, name)) for name in ("contrast_in_place", "conspicuity")},
        "regions": list(n.regions),
        "box": [float(v) for v in n.box] if nodule else None,
        "confidence": _number(n.confidence),
        "hit": hit,
    }


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def write(record: Record | JsonObject, folder: Path) -> Path:
    """Write ``results.parquet`` into ``folder``; call it before the report, so that the digest covers it.

    Rows go to pyarrow as lines of JSON: given as Python's lists it would load pandas, where that is installed, to ask
    whether they are series.

    Raises:
        SynnodError: ``pyarrow`` is not installed.
    """
    require("pyarrow", "parquet", "results.parquet")
    import pyarrow as pa
    import pyarrow.json
    import pyarrow.parquet

    text, number, texts = pa.string(), pa.float64(), pa.list_(pa.string())
    kinds = dict.fromkeys(_NUMBERS, number) | {
        "strata": pa.list_(pa.struct([("key", text), ("value", text)])),
        "accepted": pa.bool_(),
        "finding_scores": pa.list_(number),
        "finding_boxes": pa.list_(pa.list_(number)),
        "finding_regions": pa.list_(texts),
        "finding_nodules": texts,
        "finding_duplicates": pa.list_(pa.bool_()),
        "mm_per_px": pa.list_(number),
        "regions": texts,
        "box": pa.list_(number),
        "hit": pa.bool_(),
    }
    schema = pa.schema([(name, kinds.get(name, text)) for name in _columns()])
    lines = [*map(_line, rows(record)), b"{}"]  # of no line at all pyarrow makes no table
    data = b"\n".join(lines)
    whole = pa.json.ReadOptions(block_size=min(len(data), _LARGEST_BLOCK))  # no row lies in two blocks
    read = pa.json.read_json(io.BytesIO(data), whole, pa.json.ParseOptions(explicit_schema=schema))
    table = read.slice(0, len(lines) - 1)
    pairs = table["strata"].combine_chunks()  # JSON has no maps
    strata = pa.MapArray.from_arrays(pairs.offsets, pairs.values.field("key"), pairs.values.field("value"))
    table = table.set_column(schema.get_field_index("strata"), "strata", strata)
    buffer = io.BytesIO()
    pa.parquet.write_table(table, buffer, compression="zstd")
    return write_atomic(Path(folder) / FILE_NAME, buffer.getvalue())


def _line(row: Row) -> bytes:
    """Return a row as JSON; half a character, as of a file's name in no encoding, becomes its number."""
    strata = [{"key": key, "value": value} for key, value in row["strata"].items()]
    text = json.dumps({**row, "strata": strata}, ensure_ascii=False)
    return _HALF.sub(lambda half: rf"\\u{ord(half[0]):x}", text).encode()


def _columns() -> list[str]:
    expectation = ExpectationEntry("", "", "", "NOT RUN", None, None, "", (), (), (), ())
    scene = SceneEntry({}, "", (), ())
    return [*_of_expectation(expectation, None), *_of_scene("", scene, (), ""), *_of_nodule(None, None)]
