"""The gallery of one item: chooses nothing (the record names the scenes), fetches pixels, writes pictures.

Finished pictures are kept in the store, so that a second run reads no pixel.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synnodtest.canonical import canonical_json, sha256_of
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.engine import Engine
from synnodtest.evidence.arm import Arm
from synnodtest.files import write_atomic
from synnodtest.finding import Finding
from synnodtest.radiograph import Radiograph
from synnodtest.record.assemble import Fragment
from synnodtest.report import explore_pictures
from synnodtest.report.crops import write_gallery_pictures
from synnodtest.scene import Scene
from synnodtest.spec.model import Behaviour

__all__ = ["RULES", "keep_for_exploring", "write_pictures"]

PICTURES = 1
"""Version of what stands in the store."""
RULES = (("worst", "worst failure"), ("failing", "random failure"), ("passing", "random pass"))
"""Lists of scene ids in an expectation's record, and what the gallery calls them."""


def write_pictures(fragment: Fragment, node_id: str, behaviour: Behaviour, campaign: Campaign, folder: Path) -> None:
    """Write the pictures of a judged item below ``folder/evidence`` and enter them in the gallery.

    Args:
        fragment: Holds the item's record.
        node_id: The item.
        behaviour: Its behaviour, as it ran.
        campaign: Where pixels come from.
        folder: The run's folder.
    """
    entry = fragment.expectations.get(node_id)
    if entry is None or entry["ruling"] is None:
        return
    roles = entry.get("roles", {})
    shown = [(scene_id, roles.get(scene_id, rule)) for key, rule in RULES for scene_id in entry[key]]
    if not shown:
        shown = [(scene_id, "shown") for scene_id in entry["scenes"][:1]]
    point = float(entry["parameters"]["operating_point"])
    for scene_id, rule in shown:
        scene = fragment.scenes[scene_id]
        paths = _pictures(campaign, behaviour, scene_id, scene, point, rule.endswith("failure"), folder)
        fragment.gallery.append(
            {"scene": scene_id, "expectation": node_id, "rule": rule, "caption": _caption(scene), **paths}
        )


def keep_for_exploring(
    fragment: Fragment, node_id: str, behaviour: Behaviour, campaign: Campaign, known: set[str]
) -> None:
    """Keep a small picture of every scene of a judged item in the store, for ``explore.html``.

    Args:
        fragment: Holds the item's record.
        node_id: The item.
        behaviour: Its behaviour, as it ran.
        campaign: Where pixels come from.
        known: Scenes that have been seen to; filled here.
    """
    entry = fragment.expectations.get(node_id)
    if entry is None or entry["ruling"] is None:
        return
    scenes = {key: fragment.scenes[key] for key in entry["scenes"] if key not in known}

    def load(scene_id: str) -> Radiograph:
        engine = campaign.engine(behaviour, _synthesizer(campaign, behaviour, scenes[scene_id]))
        recipe = Scene.from_dict(scenes[scene_id]["recipe"])
        return engine.radiograph(recipe, next(b for b in engine.backgrounds.backgrounds if b.id == recipe.background))

    explore_pictures.keep(campaign.store, scenes, load)
    known.update(scenes)


def _pictures(
    campaign: Campaign,
    behaviour: Behaviour,
    scene_id: str,
    scene: Mapping[str, Any],
    point: float,
    failing: bool,
    folder: Path,
) -> dict[str, str]:
    key = sha256_of(["pictures", PICTURES, scene_id, scene["radiograph_sha256"], scene["findings"], point, failing])
    data = campaign.store.get("pictures", key)
    if data is None:
        engine = campaign.engine(behaviour, _synthesizer(campaign, behaviour, scene))
        data = campaign.store.put("pictures", key, _draw(engine, scene_id, scene, point, failing))
    pack = json.loads(data)
    for path, content in pack["files"].items():
        target = folder / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(target, base64.b64decode(content))
    paths: dict[str, str] = pack["paths"]
    return paths


def _draw(engine: Engine, scene_id: str, scene: Mapping[str, Any], point: float, failing: bool) -> bytes:
    recipe = Scene.from_dict(scene["recipe"])
    background = next(b for b in engine.backgrounds.backgrounds if b.id == recipe.background)
    with tempfile.TemporaryDirectory() as scratch:
        paths = write_gallery_pictures(
            Path(scratch),
            scene_id,
            engine.load(background),
            engine.radiograph(recipe, background),
            _findings(scene["findings"]),
            failing=failing,
            operating_point=point,
        )
        files = {path: base64.b64encode((Path(scratch) / path).read_bytes()).decode() for path in paths.values()}
    return canonical_json({"paths": paths, "files": files}).encode()


def _findings(raw: Sequence[Mapping[str, Any]]) -> list[Finding]:
    return [Finding((f["box"][0], f["box"][1], f["box"][2], f["box"][3]), f["score"]) for f in raw]


def _synthesizer(campaign: Campaign, behaviour: Behaviour, scene: Mapping[str, Any]) -> str:
    """Return the text under which the campaign knows the synthesizer that made a scene."""
    names = campaign.synthesizer_names(behaviour)
    made_by = (name for name in names if campaign.synthesizer(name).identity.name == scene["synthesizer"])
    return next(made_by, names[0])


def _seen(nodule: Mapping[str, Any]) -> str:
    conspicuity = nodule.get("conspicuity")
    return "" if conspicuity is None else f", conspicuity {conspicuity:.1f}"


def _caption(scene: Mapping[str, Any]) -> str:
    nodules = "; ".join(
        f"{n['name']} {n['diameter_mm']:.1f} mm, contrast {n['contrast']:.2f}{_seen(n)}, "
        f"confidence {n['confidence']:.2f}"
        for n in scene["nodules"]
    )
    arm = Arm(scene["arm"]).word
    return f"{scene['background']} ({arm}): {nodules or 'no nodule'}"
