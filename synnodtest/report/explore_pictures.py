"""A small picture of each scene for ``explore.html``: cut around its nodules, 8 bits between two stated greys.

They are kept in the store by the radiograph's content, so that a second run reads no pixel.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from synnodtest.canonical import sha256_of
from synnodtest.geometry import FloatArray
from synnodtest.radiograph import Radiograph
from synnodtest.record.model import SceneEntry
from synnodtest.report.crops import encoded, scaled, square_around
from synnodtest.store import Store

SIDE_PX = 96
"""Side of a picture; 60 mm across, so that a pixel is about 0.6 mm, and ten thousand take some 20 MB."""
KIND, VERSION = "explore", 1


@dataclass(frozen=True)
class Picture:
    """One picture.

    Args:
        cut: ``(x, y, width, height)`` in pixels of the radiograph.
        low: Brightness (0..1 of the radiograph) that is 0 in the picture.
        high: Brightness that is 255.
        webp: The encoded picture, :data:`SIDE_PX` on its longer side.
    """

    cut: tuple[int, int, int, int]
    low: float
    high: float
    webp: bytes


def keep(store: Store, scenes: Mapping[str, SceneEntry], load: Callable[[str], Radiograph]) -> None:
    """Draw the pictures that the store lacks.

    Args:
        store: Of the run.
        scenes: Entries of the record by scene id.
        load: Returns the radiograph of a scene.
    """
    for scene_id, scene in scenes.items():
        key = _key(scene)
        if store.get(KIND, key) is None:
            store.put(KIND, key, _packed(draw(load(scene_id), _boxes(scene))))


def from_store(store: Store, scenes: Mapping[str, SceneEntry]) -> Callable[[str], Picture | None]:
    """Return the pictures of scenes as far as the store has them."""

    def found(scene_id: str) -> Picture | None:
        data = store.get(KIND, _key(scenes[scene_id]))
        return None if data is None else _unpacked(data)

    return found


def draw(radiograph: Radiograph, boxes: Iterable[tuple[float, float, float, float]]) -> Picture:
    """Cut a radiograph around boxes (all of it without any) and bring it to 8 bits between its own extremes."""
    cut = square_around(list(boxes), radiograph)
    values = cut.of(radiograph.pixels)
    low, high = float(values.min()), float(values.max())
    return Picture(
        (cut.column, cut.row, cut.width, cut.height), round(low, 4), round(high, 4), _encoded(values, low, high)
    )


def _encoded(values: FloatArray, low: float, high: float) -> bytes:
    grey = np.uint8(np.clip((values - low) / max(high - low, 1e-6), 0, 1) * 255 + 0.5)
    image = Image.fromarray(np.asarray(grey))
    small = scaled(image, SIDE_PX, larger=Image.Resampling.BILINEAR, smaller=Image.Resampling.BOX)
    return encoded(small, "webp", quality=80)


def _boxes(scene: SceneEntry) -> list[tuple[float, float, float, float]]:
    return [(n.box[0], n.box[1], n.box[2], n.box[3]) for n in scene.nodules]


def _key(scene: SceneEntry) -> str:
    return sha256_of(["explore", VERSION, scene.radiograph_sha256, [list(b) for b in _boxes(scene)]])


def _packed(picture: Picture) -> bytes:
    head = json.dumps([*picture.cut, picture.low, picture.high]).encode()
    return len(head).to_bytes(4, "big") + head + picture.webp


def _unpacked(data: bytes) -> Picture:
    size = int.from_bytes(data[:4], "big")
    x, y, wide, high_px, low, high = json.loads(data[4 : 4 + size])
    return Picture((x, y, wide, high_px), low, high, data[4 + size :])
