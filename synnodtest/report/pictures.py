"""The gallery of one item: chooses nothing (the record names the scenes), fetches pixels, writes pictures.

Finished pictures are kept in the store, so that a second run reads no pixel.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from synnodtest.canonical import canonical_json, sha256_of
from synnodtest.decoding import encode
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.engine import Engine
from synnodtest.evidence.arm import Arm
from synnodtest.files import write_atomic
from synnodtest.finding import Finding
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph
from synnodtest.record.assemble import Fragment
from synnodtest.record.model import ExpectationEntry, NoduleEntry, PictureEntry, SceneEntry
from synnodtest.report import explore_pictures
from synnodtest.report.crops import gallery_pictures
from synnodtest.scene import Scene
from synnodtest.spec.model import Behaviour

PICTURES = 5
"""Version of what stands in the store."""


@dataclass(frozen=True)
class ItemPictures:
    """Pictures of a judged item.

    Args:
        fragment: Holds the item's record, and takes the entries of the gallery.
        node_id: The item.
        behaviour: Its behaviour, as it ran.
        campaign: Where pixels come from, and the store that keeps drawings.
    """

    fragment: Fragment
    node_id: str
    behaviour: Behaviour
    campaign: Campaign

    def draw(self) -> None:
        """Draw those that the store lacks."""
        for scene_id, rule in self._shown:
            if not self.campaign.store.has("pictures", self._key(scene_id, rule)):
                self._drawn(scene_id, rule)

    def write(self, folder: Path) -> None:
        """Write them below ``folder/evidence``, drawn anew where they are gone from the store, and enter them."""
        for scene_id, rule in self._shown:
            data = self.campaign.store.get("pictures", self._key(scene_id, rule)) or self._drawn(scene_id, rule)
            caption = _caption(self.fragment.scenes[scene_id])
            entry = PictureEntry(scene_id, self.node_id, rule, caption, **_written(json.loads(data), folder))
            self.fragment.gallery.append(entry)

    def keep_for_exploring(self, known: set[str]) -> None:
        """Keep a small picture of every scene in the store, for ``explore.html``; scenes seen to are ``known``."""
        entry = self._judged
        scenes = {key: self.fragment.scenes[key] for key in (entry.scenes if entry else ()) if key not in known}

        def load(scene_id: str) -> Radiograph:
            engine, recipe, background = self._sources(scenes[scene_id])
            return engine.radiograph(recipe, background)

        explore_pictures.keep(self.campaign.store, scenes, load)
        known.update(scenes)

    @property
    def _judged(self) -> ExpectationEntry | None:
        entry = self.fragment.expectations.get(self.node_id)
        return entry if entry is not None and entry.ruling is not None else None

    @cached_property
    def _shown(self) -> list[tuple[str, str]]:
        """The scenes that the record names, each with the rule that chose it; the first one where it names none."""
        entry = self._judged
        if entry is None:
            return []
        ruled = (("worst failure", entry.worst), ("random failure", entry.failing), ("random pass", entry.passing))
        shown = [(scene_id, entry.roles.get(scene_id, rule)) for rule, ids in ruled for scene_id in ids]
        return shown or [(scene_id, "shown") for scene_id in entry.scenes[:1]]

    def _key(self, scene_id: str, rule: str) -> str:
        scene, point = self.fragment.scenes[scene_id], self.fragment.expectations[self.node_id].operating_point
        findings = encode(scene.findings)
        return sha256_of(["pictures", PICTURES, scene_id, scene.radiograph_sha256, findings, point, _is_failure(rule)])

    def _drawn(self, scene_id: str, rule: str) -> bytes:
        scene = self.fragment.scenes[scene_id]
        engine, recipe, background = self._sources(scene)
        paths, drawn = gallery_pictures(
            scene_id,
            engine.untouched(recipe, background),
            engine.radiograph(recipe, background),
            [Finding((f.box[0], f.box[1], f.box[2], f.box[3]), f.score) for f in scene.findings],
            failing=_is_failure(rule),
            operating_point=self.fragment.expectations[self.node_id].operating_point,
        )
        files = {path: base64.b64encode(content).decode() for path, content in drawn.items()}
        data = canonical_json({"paths": paths, "files": files}).encode()
        return self.campaign.store.put("pictures", self._key(scene_id, rule), data)

    def _sources(self, scene: SceneEntry) -> tuple[Engine, Scene, Background]:
        """Return the engine of the synthesizer that made a scene, its recipe and its background."""
        names = self.campaign.synthesizer_names(self.behaviour)
        made_by = (name for name in names if self.campaign.synthesizer(name).identity.name == scene.synthesizer)
        engine = self.campaign.engine(self.behaviour, next(made_by, names[0]))
        recipe = Scene.from_dict(scene.recipe)
        return engine, recipe, next(b for b in engine.backgrounds.backgrounds if b.id == recipe.background)


def _is_failure(rule: str) -> bool:
    return rule.endswith("failure")


def _written(pack: dict[str, dict[str, str]], folder: Path) -> dict[str, str]:
    """Write the files of a drawing, as far as they are not there; return their paths by role."""
    for path, content in pack["files"].items():
        target = folder / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(target, base64.b64decode(content))
    return pack["paths"]


def _seen(nodule: NoduleEntry) -> str:
    return "" if nodule.conspicuity is None else f", conspicuity {nodule.conspicuity:.1f}"


def _caption(scene: SceneEntry) -> str:
    nodules = "; ".join(
        f"{n.name} {n.diameter_mm:.1f} mm, contrast {n.contrast:.2f}{_seen(n)}, confidence {n.confidence:.3f}"
        for n in scene.nodules
    )
    arm = Arm(scene.arm).word
    return f"{scene.background} ({arm}): {nodules or 'no nodule'}"
