"""``explore.html``: every scene of a run in one offline file, to be filtered, windowed and compared.

It stands beside ``report.html``, which is to be filed and holds no script. This page is for looking: its one script is
named by hash in its content security policy, and it fetches nothing.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from synnodtest.decoding import JsonObject
from synnodtest.errors import RecordError
from synnodtest.files import write_atomic
from synnodtest.grouping import grouped
from synnodtest.record.model import FindingEntry, NoduleEntry, Record, SceneEntry
from synnodtest.record.model.side import Side
from synnodtest.record.words import titles_of
from synnodtest.report.context import EXPLORE
from synnodtest.report.explore_pictures import Picture
from synnodtest.report.page import asset, hash_of, page, style_of

FILE_NAME = EXPLORE
_DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.S)
_PICTURES = re.compile(r'<script type="text/plain" id="pictures">(.*?)</script>', re.S)

Names = dict[str, int]
"""Texts that repeat, each kept once and named by its place."""
Pictures = Callable[[str], Picture | None]
"""From the id of a scene to its picture; None where there is none."""


def write_explore(
    record: Record | JsonObject,
    folder: Path,
    pictures: Pictures,
    other: Side | Record | JsonObject | None = None,
    *,
    name: str = FILE_NAME,
    report: str = "report.html",
) -> Path:
    """Write the page into ``folder`` and return its path.

    Args:
        record: The record.
        folder: The run's folder.
        pictures: Of the scenes.
        other: The record of another detector or version on the same scenes, shown beside.
        name: Of the file.
        report: Address of the run's report, relative to ``folder``.
    """
    data, packed = explore_data(record, pictures, other)
    return write_atomic(Path(folder) / name, _page({**data, "report": report}, packed))


def explore_data(
    source: Record | JsonObject, pictures: Pictures, other: Side | Record | JsonObject | None = None
) -> tuple[JsonObject, str]:
    """Return what the page's script reads, and all pictures as one text of base64.

    Excluded scenes are counted and left out: no detector saw them, so that their nodules are neither found nor missed.
    Scenes are lists, not mappings: at ten thousand of them names would be most of the file. Their order is that of
    ``columns``.
    """
    record = Record.of(source)
    names: Names = {}
    use = grouped((scene_id, index) for index, e in enumerate(record.expectations) for scene_id in e.scenes)
    titles = titles_of(record.expectations)
    packed: list[str] = []
    offset = 0
    rows = []
    for scene_id, scene in record.scenes.items():
        if not scene.accepted:
            continue
        picture = pictures(scene_id)
        text = "" if picture is None else base64.b64encode(picture.webp).decode()
        place = None if picture is None else [*picture.cut, picture.low, picture.high, offset, len(text)]
        rows.append([scene_id, *_scene(scene, names, use.get(scene_id, [])), place])
        packed.append(text)
        offset += len(text)
    return {
        "run": record.run.id,
        "detector": record.identification.detector.name,
        "other": None if other is None else _other(Side.of(other), record.scenes),
        "point": _point(record),
        "names": list(names),
        "expectations": [[e.id, f"{e.behaviour}: {titles[e.id]}", e.shown_status] for e in record.expectations],
        "columns": ["id", "behaviour", "background", "arm", "strata", "expectations", "nodules", "findings", "picture"],
        "scenes": rows,
        "excluded": sum(not scene.accepted for scene in record.scenes.values()),
    }, "".join(packed)


def _named(names: Names, text: object) -> int:
    return names.setdefault(str(text), len(names))


def _scene(scene: SceneEntry, names: Names, use: Sequence[int]) -> list[Any]:
    strata = [_named(names, f"{key}: {value}") for key, value in sorted(scene.strata.items())]
    named = [_named(names, text) for text in (scene.behaviour, scene.background, scene.arm)]
    nodules = [_nodule(nodule, names) for nodule in scene.nodules]
    return [*named, strata, list(use), nodules, [_finding(f) for f in scene.findings]]


def _nodule(nodule: NoduleEntry, names: Names) -> list[Any]:
    name, realised = _named(names, nodule.name), (nodule.diameter_mm, nodule.contrast, nodule.asked("density"))
    regions = [_named(names, region) for region in nodule.regions]
    numbers = [*map(_rounded, (*realised, nodule.conspicuity)), regions, _rounded(nodule.confidence)]
    return [name, *numbers, *map(round, nodule.box)]


def _finding(finding: FindingEntry) -> list[Any]:
    return [*map(round, finding.box), _rounded(finding.score), int(finding.hits is not None)]


def _rounded(value: Any) -> float | None:
    return round(float(value), 4) if isinstance(value, (int, float)) else None


def _other(other: Side, wanted: Mapping[str, SceneEntry]) -> JsonObject:
    scenes = {
        key: [[_rounded(n.confidence) for n in scene.nodules], [_finding(f) for f in scene.findings]]
        for key, scene in other.scenes.items()
        if key in wanted and wanted[key].radiograph_sha256 == scene.radiograph_sha256
    }
    return {"name": other.detector.name, "run": other.run, "scenes": scenes}


def _point(record: Record) -> float:
    """Return the operating point that most expectations are judged at; the slider starts there."""
    points = [e.operating_point for e in record.expectations]
    return max(set(points), key=points.count) if points else 0.25


def pictures_in(page: Path) -> Pictures:
    """Return the pictures of a page that was written before, so that another can be drawn without a store.

    Raises:
        RecordError: the file is no such page.
    """
    text = Path(page).read_text(encoding="utf-8")
    data, packed = _DATA.search(text), _PICTURES.search(text)
    if data is None or packed is None:
        raise RecordError(f"{page}: not a page that 'synnodtest explore' can read", hint="name the folder of a run")
    pictures = {}
    for scene_id, *_, place in json.loads(data.group(1))["scenes"]:
        if place is not None:
            *cut, low, high, start, length = place
            webp = base64.b64decode(packed.group(1)[start : start + length])
            pictures[scene_id] = Picture((cut[0], cut[1], cut[2], cut[3]), low, high, webp)
    return pictures.get


def _page(data: JsonObject, packed: str) -> str:
    script = asset("explore.js")
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return page(
        "explore.html.j2",
        style_of("explore.css"),
        sources=f"script-src '{hash_of(script)}'; style-src '{{style}}'; img-src data: blob:",
        data=Markup(text),
        pictures=Markup(packed),
        script=Markup(script),
        **{key: data[key] for key in ("run", "detector", "other", "report")},
    )
