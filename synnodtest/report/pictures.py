"""The gallery of one item: chooses nothing (the record names the scenes), fetches pixels, writes pictures.

Finished pictures are kept in the store, so that a second run reads no pixel.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from synnodtest.canonical import canonical_json, sha256_of
from synnodtest.decoding import encode
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.engine import Engine
from synnodtest.evidence.arm import Arm
from synnodtest.files import write_atomic
from synnodtest.finding import Finding
from synnodtest.radiograph import Radiograph
from synnodtest.record.assemble import Fragment
from synnodtest.record.model import ExpectationEntry, FindingEntry, NoduleEntry, PictureEntry, SceneEntry
from synnodtest.report import explore_pictures
from synnodtest.report.crops import write_gallery_pictures
from synnodtest.scene import Scene
from synnodtest.spec.model import Behaviour

__all__ = ["keep_for_exploring", "write_pictures"]

PICTURES = 1
"""Version of what stands in the store."""


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
    if entry is None or entry.ruling is None:
        return
    shown = [(scene_id, entry.roles.get(scene_id, rule)) for rule, ids in _ruled(entry) for scene_id in ids]
    if not shown:
        shown = [(scene_id, "shown") for scene_id in entry.scenes[:1]]
    for scene_id, rule in shown:
        scene, failing = fragment.scenes[scene_id], rule.endswith("failure")
        paths = _pictures(campaign, behaviour, scene_id, scene, entry.operating_point, failing, folder)
        fragment.gallery.append(PictureEntry(scene_id, node_id, rule, _caption(scene), **paths))


def _ruled(entry: ExpectationEntry) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the scenes of an expectation by the rule that chose them."""
    return ("worst failure", entry.worst), ("random failure", entry.failing), ("random pass", entry.passing)


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
    if entry is None or entry.ruling is None:
        return
    scenes = {key: fragment.scenes[key] for key in entry.scenes if key not in known}

    def load(scene_id: str) -> Radiograph:
        engine = campaign.engine(behaviour, _synthesizer(campaign, behaviour, scenes[scene_id]))
        recipe = Scene.from_dict(scenes[scene_id].recipe)
        return engine.radiograph(recipe, next(b for b in engine.backgrounds.backgrounds if b.id == recipe.background))

    explore_pictures.keep(campaign.store, scenes, load)
    known.update(scenes)


def _pictures(
    campaign: Campaign,
    behaviour: Behaviour,
    scene_id: str,
    scene: SceneEntry,
    point: float,
    failing: bool,
    folder: Path,
) -> dict[str, str]:
    key = sha256_of(["pictures", PICTURES, scene_id, scene.radiograph_sha256, encode(scene.findings), point, failing])
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


def _draw(engine: Engine, scene_id: str, scene: SceneEntry, point: float, failing: bool) -> bytes:
    recipe = Scene.from_dict(scene.recipe)
    background = next(b for b in engine.backgrounds.backgrounds if b.id == recipe.background)
    with tempfile.TemporaryDirectory() as scratch:
        paths = write_gallery_pictures(
            Path(scratch),
            scene_id,
            engine.load(background),
            engine.radiograph(recipe, background),
            _findings(scene.findings),
            failing=failing,
            operating_point=point,
        )
        files = {path: base64.b64encode((Path(scratch) / path).read_bytes()).decode() for path in paths.values()}
    return canonical_json({"paths": paths, "files": files}).encode()


def _findings(found: Sequence[FindingEntry]) -> list[Finding]:
    return [Finding((f.box[0], f.box[1], f.box[2], f.box[3]), f.score) for f in found]


def _synthesizer(campaign: Campaign, behaviour: Behaviour, scene: SceneEntry) -> str:
    """Return the text under which the campaign knows the synthesizer that made a scene."""
    names = campaign.synthesizer_names(behaviour)
    made_by = (name for name in names if campaign.synthesizer(name).identity.name == scene.synthesizer)
    return next(made_by, names[0])


def _seen(nodule: NoduleEntry) -> str:
    return "" if nodule.conspicuity is None else f", conspicuity {nodule.conspicuity:.1f}"


def _caption(scene: SceneEntry) -> str:
    nodules = "; ".join(
        f"{n.name} {n.diameter_mm:.1f} mm, contrast {n.contrast:.2f}{_seen(n)}, confidence {n.confidence:.2f}"
        for n in scene.nodules
    )
    arm = Arm(scene.arm).word
    return f"{scene.background} ({arm}): {nodules or 'no nodule'}"
