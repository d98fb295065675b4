"""The gallery of one item: chooses nothing (the record names the scenes), fetches pixels, writes pictures.

Finished pictures are kept in the store, so that a second run reads no pixel.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synnodtest.canonical import canonical_json, sha256_of
from synnodtest.decoding import encode
from synnodtest.engine.campaign import Campaign
from synnodtest.evidence.arm import Arm
from synnodtest.files import write_atomic
from synnodtest.finding import Finding
from synnodtest.radiograph import Radiograph
from synnodtest.record.assemble import Fragment
from synnodtest.record.model import NoduleEntry, PictureEntry, SceneEntry
from synnodtest.report import explore_pictures
from synnodtest.report.crops import gallery_pictures
from synnodtest.scene import Scene
from synnodtest.spec.model import Behaviour

PICTURES = 4
"""Version of what stands in the store."""


@dataclass(frozen=True)
class Picture:
    """One picture of the gallery: a scene as an item shows it.

    Args:
        node_id: The item.
        scene_id: The scene.
        rule: Why it is shown.
        point: The item's operating point.
        key: Of the drawing in the store.
    """

    node_id: str
    scene_id: str
    rule: str
    point: float
    key: str


def draw_pictures(fragment: Fragment, node_id: str, behaviour: Behaviour, campaign: Campaign) -> list[Picture]:
    """Return the pictures of a judged item; those that the store lacks are drawn.

    Args:
        fragment: Holds the item's record.
        node_id: The item.
        behaviour: Its behaviour, as it ran.
        campaign: Where pixels come from.
    """
    entry = fragment.expectations.get(node_id)
    if entry is None or entry.ruling is None:
        return []
    ruled = (("worst failure", entry.worst), ("random failure", entry.failing), ("random pass", entry.passing))
    scenes_shown = [(scene_id, entry.roles.get(scene_id, rule)) for rule, ids in ruled for scene_id in ids]
    if not scenes_shown:
        scenes_shown = [(scene_id, "shown") for scene_id in entry.scenes[:1]]
    pictures = []
    for scene_id, rule in scenes_shown:
        scene, point = fragment.scenes[scene_id], entry.operating_point
        key = _key(scene_id, scene, point, rule)
        pictures.append(Picture(node_id, scene_id, rule, point, key))
        if not campaign.store.has("pictures", key):
            _drawn(campaign, behaviour, pictures[-1], scene)
    return pictures


def write_pictures(
    fragment: Fragment, pictures: Sequence[Picture], behaviour: Behaviour, campaign: Campaign, folder: Path
) -> None:
    """Write pictures below ``folder/evidence`` and enter them in the gallery.

    Args:
        fragment: Holds the scenes, and takes the entries.
        pictures: What :func:`draw_pictures` returned.
        behaviour: As it ran.
        campaign: Where pixels come from, should a drawing be gone from the store.
        folder: The run's folder.
    """
    for picture in pictures:
        scene = fragment.scenes[picture.scene_id]
        data = campaign.store.get("pictures", picture.key) or _drawn(campaign, behaviour, picture, scene)
        paths = _written(json.loads(data), folder)
        entry = PictureEntry(picture.scene_id, picture.node_id, picture.rule, _caption(scene), **paths)
        fragment.gallery.append(entry)


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


def _key(scene_id: str, scene: SceneEntry, point: float, rule: str) -> str:
    findings = encode(scene.findings)
    return sha256_of(["pictures", PICTURES, scene_id, scene.radiograph_sha256, findings, point, _is_failure(rule)])


def _is_failure(rule: str) -> bool:
    return rule.endswith("failure")


def _drawn(campaign: Campaign, behaviour: Behaviour, picture: Picture, scene: SceneEntry) -> bytes:
    engine, recipe = campaign.engine(behaviour, _synthesizer(campaign, behaviour, scene)), Scene.from_dict(scene.recipe)
    background = next(b for b in engine.backgrounds.backgrounds if b.id == recipe.background)
    paths, drawn = gallery_pictures(
        picture.scene_id,
        engine.untouched(recipe, background),
        engine.radiograph(recipe, background),
        [Finding((f.box[0], f.box[1], f.box[2], f.box[3]), f.score) for f in scene.findings],
        failing=_is_failure(picture.rule),
        operating_point=picture.point,
    )
    files = {path: base64.b64encode(content).decode() for path, content in drawn.items()}
    data = canonical_json({"paths": paths, "files": files}).encode()
    return campaign.store.put("pictures", picture.key, data)


def _written(pack: dict[str, dict[str, str]], folder: Path) -> dict[str, str]:
    """Write the files of a drawing, as far as they are not there; return their paths by role."""
    for path, content in pack["files"].items():
        target = folder / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(target, base64.b64decode(content))
    return pack["paths"]


def _synthesizer(campaign: Campaign, behaviour: Behaviour, scene: SceneEntry) -> str:
    """Return the text under which the campaign knows the synthesizer that made a scene."""
    names = campaign.synthesizer_names(behaviour)
    made_by = (name for name in names if campaign.synthesizer(name).identity.name == scene.synthesizer)
    return next(made_by, names[0])


def _seen(nodule: NoduleEntry) -> str:
    return "" if nodule.conspicuity is None else f", conspicuity {nodule.conspicuity:.1f}"


def _caption(scene: SceneEntry) -> str:
    nodules = "; ".join(
        f"{n.name} {n.diameter_mm:.1f} mm, contrast {n.contrast:.2f}{_seen(n)}, confidence {n.confidence:.3f}"
        for n in scene.nodules
    )
    arm = Arm(scene.arm).word
    return f"{scene.background} ({arm}): {nodules or 'no nodule'}"
