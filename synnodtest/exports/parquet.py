"""``results.parquet``: one row per trial, for people who want pandas. Section 8 can be recomputed from it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.decoding import JsonObject
from synnodtest.errors import require
from synnodtest.files import write_atomic
from synnodtest.record.model import ExpectationEntry, FindingEntry, NoduleEntry, Record, SceneEntry
from synnodtest.record.model.judged import MatchedEntry

FILE_NAME = "results.parquet"


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

    Raises:
        SynnodError: ``pyarrow`` is not installed.
    """
    require("pyarrow", "parquet", "results.parquet")
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, number, texts = pa.string(), pa.float64(), pa.list_(pa.string())
    kinds = dict.fromkeys(_NUMBERS, number) | {
        "strata": pa.map_(text, text),
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
    table_rows = [row | {"strata": list(row["strata"].items())} for row in rows(record)]
    buffer = io.BytesIO()
    columns = [column([row[field.name] for row in table_rows], field.type) for field in schema]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), buffer, compression="zstd")
    return write_atomic(Path(folder) / FILE_NAME, buffer.getvalue())


def _columns() -> list[str]:
    expectation = ExpectationEntry("", "", "", "NOT RUN", None, None, "", (), (), (), ())
    scene = SceneEntry({}, "", (), ())
    return [*_of_expectation(expectation, None), *_of_scene("", scene, (), ""), *_of_nodule(None, None)]


def column(values: Sequence[Any], kind: Any) -> Any:
    """Return an array of text, float64, bool, lists of these, or maps (given as lists of pairs); None is null.

    It is put together from its buffers: ``pyarrow.array`` would load pandas, where it is installed, to ask whether a
    plain list is one of its series, which takes longer than all else in writing a table.

    Args:
        values: One per row.
        kind: The ``pyarrow.DataType``.

    Raises:
        NotImplementedError: of another type.
    """
    import pyarrow as pa

    valid = None if None not in values else _bits(value is not None for value in values)
    if pa.types.is_list(kind) or pa.types.is_map(kind):
        inner = _entries(list(chain.from_iterable(value or () for value in values)), kind)
        return pa.Array.from_buffers(kind, len(values), [valid, _offsets(values)], children=[inner])
    return pa.Array.from_buffers(kind, len(values), [valid, *_leaf(values, kind)])


def _entries(items: Sequence[Any], kind: Any) -> Any:
    """Return what lies in lists, or the pairs of maps."""
    import pyarrow as pa

    if pa.types.is_list(kind):
        return column(items, kind.value_type)
    sides = [column([key for key, _ in items], kind.key_type), column([item for _, item in items], kind.item_type)]
    return pa.StructArray.from_arrays(sides, fields=[kind.key_field, kind.item_field])


def _leaf(values: Sequence[Any], kind: Any) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_string(kind):
        texts = [(value or "").encode(errors="backslashreplace") for value in values]
        return [_offsets(texts), pa.py_buffer(b"".join(texts))]
    if pa.types.is_float64(kind):
        return [_buffer(np.array([0.0 if value is None else value for value in values], dtype=np.float64))]
    if pa.types.is_boolean(kind):
        return [_bits(map(bool, values))]
    raise NotImplementedError(f"a column of {kind}")


def _offsets(values: Iterable[Any]) -> Any:
    """Return where each list or text begins in the sequence of all their parts, and where the last one ends."""
    return _buffer(np.cumsum([0, *(len(value or ()) for value in values)], dtype=np.int32))


def _bits(flags: Iterable[bool]) -> Any:
    return _buffer(np.packbits(np.array(list(flags), dtype=np.bool_), bitorder="little"))


def _buffer(array: NDArray[Any]) -> Any:
    import pyarrow as pa

    return pa.py_buffer(array.tobytes())
