"""``results.parquet``: one row per trial, for people who want pandas. Section 8 can be recomputed from it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from synnodtest.errors import missing_extra
from synnodtest.exports.arrow_columns import column
from synnodtest.files import write_atomic

__all__ = ["FILE_NAME", "rows", "write"]

FILE_NAME = "results.parquet"


def rows(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield one row per expectation, scene and nodule; a scene without a nodule has one row without nodule columns.

    Boxes are ``x_min, y_min, x_max, y_max`` in pixels; ``confidence`` is the raw score of the finding that hits the
    nodule, 0 if none; ``hit`` holds at the expectation's own operating point, false where the record has no match.
    Of each finding ``finding_nodules`` names the nodule that it hits (empty: none), and ``finding_duplicates`` holds
    for a further finding on a nodule that is already hit, which counts neither as a hit nor as a false positive.
    ``counterexample`` is the example of a search that the scene was made to confirm; empty for all other scenes.
    """
    confirms = _confirmations(record)
    for expectation in record["expectations"]:
        point = (expectation.get("parameters") or {}).get("operating_point")
        for key in expectation["scenes"]:
            scene = {**record["scenes"][key], **(expectation.get("rematched") or {}).get(key, {})}
            base = _scene_columns(expectation, key, scene, point, confirms.get((expectation["id"], key), ""))
            if not scene["nodules"]:
                yield base | _nodule_columns(None, point)
            for nodule in scene["nodules"]:
                yield base | _nodule_columns(nodule, point)


def _confirmations(record: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Return the example that a scene confirms, by expectation and scene."""
    return {
        (search["expectation_id"], scene): example
        for search in record.get("fuzzing") or []
        for example, scenes in (search.get("confirmations") or {}).items()
        for scene in scenes
    }


def _scene_columns(
    expectation: Mapping[str, Any], key: str, scene: Mapping[str, Any], point: Any, counterexample: str
) -> dict[str, Any]:
    findings = scene["findings"]
    return {
        "expectation": expectation["id"],
        "behaviour": expectation["behaviour"],
        "kind": expectation["kind"],
        "operating_point": float(point) if isinstance(point, (int, float)) else None,
        "scene": key,
        "arm": scene.get("arm", ""),
        "synthesizer": scene.get("synthesizer", ""),
        "background": scene["background"],
        "patient": scene.get("patient", ""),
        "cluster": scene.get("cluster") or scene["background"],
        "strata": {str(k): str(v) for k, v in (scene.get("strata") or {}).items()},
        "accepted": bool(scene.get("accepted", True)),
        "counterexample": counterexample,
        "radiograph_sha256": scene.get("radiograph_sha256", ""),
        "finding_scores": [float(f["score"]) for f in findings],
        "finding_boxes": [[float(v) for v in f["box"]] for f in findings],
        "finding_regions": [list(f.get("regions") or []) for f in findings],
        "finding_nodules": [str(f.get("hits") or "") for f in findings],
        "finding_duplicates": [bool(f.get("duplicate")) for f in findings],
        "mm_per_px": [float(v) for v in scene.get("spacing_mm") or []],
    }


def _nodule_columns(nodule: Mapping[str, Any] | None, point: Any) -> dict[str, Any]:
    n = nodule or {}
    requested = n.get("requested") or {}
    confidence = n.get("confidence")
    hit = n.get("hit")
    if nodule and isinstance(point, (int, float)) and confidence is not None:
        hit = confidence >= point and (confidence > 0 or bool(n.get("hit")))
    return {
        "nodule": n.get("name"),
        "requested_diameter_mm": _number(requested.get("diameter_mm")),
        "requested_contrast": _number(requested.get("contrast")),
        "requested_density": _number(requested.get("density")),
        "attenuation": requested.get("attenuation"),
        "margin": requested.get("margin"),
        "diameter_mm": _number(n.get("diameter_mm")),
        "contrast": _number(n.get("contrast")),
        "density": _number(n.get("density")),
        "weakening": _number(requested.get("weakening")),
        "white_share": _number(requested.get("white_share")),
        "contrast_in_place": _number(n.get("contrast_in_place")),
        "conspicuity": _number(n.get("conspicuity")),
        "regions": list(n.get("regions") or []),
        "box": [float(v) for v in n["box"]] if nodule else None,
        "confidence": _number(confidence),
        "hit": None if hit is None else bool(hit),
    }


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def write(record: Mapping[str, Any], folder: Path) -> Path:
    """Write ``results.parquet`` into ``folder``; call it before the report, so that the digest covers it.

    Raises:
        SynnodError: ``pyarrow`` is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise missing_extra("pyarrow", "parquet", "results.parquet") from None
    text, number, texts = pa.string(), pa.float64(), pa.list_(pa.string())
    kinds = {
        "operating_point": number,
        "strata": pa.map_(text, text),
        "accepted": pa.bool_(),
        "finding_scores": pa.list_(number),
        "finding_boxes": pa.list_(pa.list_(number)),
        "finding_regions": pa.list_(texts),
        "finding_nodules": texts,
        "finding_duplicates": pa.list_(pa.bool_()),
        "mm_per_px": pa.list_(number),
        "requested_diameter_mm": number,
        "requested_contrast": number,
        "requested_density": number,
        "density": number,
        "weakening": number,
        "white_share": number,
        "diameter_mm": number,
        "contrast": number,
        "contrast_in_place": number,
        "conspicuity": number,
        "regions": texts,
        "box": pa.list_(number),
        "confidence": number,
        "hit": pa.bool_(),
    }
    schema = pa.schema([(name, kinds.get(name, text)) for name in _columns()])
    made = [row | {"strata": list(row["strata"].items())} for row in rows(record)]
    held = io.BytesIO()
    columns = [column([row[field.name] for row in made], field.type) for field in schema]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), held, compression="zstd")
    return write_atomic(Path(folder) / FILE_NAME, held.getvalue())


def _columns() -> list[str]:
    scene = {"background": "", "findings": []}
    expectation = {"id": "", "behaviour": "", "kind": ""}
    return [*_scene_columns(expectation, "", scene, None, ""), *_nodule_columns(None, None)]
