"""Rejected scenes are drawn again: the rejected nodule alone, up to the limit, and counted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from synnodtest import Identity, Radiograph
from synnodtest.engine.acceptance import rejection
from synnodtest.engine.redraw import LIMIT, redraw_rejected
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from tests.engine.parts import Squares


class Moody:
    """Plants a nodule at a third of its size for unlucky seeds; its brightness depends on the seed too."""

    identity = Identity("moody", "1")
    sham_is_identity = True

    def __init__(self, unlucky: int) -> None:
        self.left = unlucky
        self.asked: list[Scene] = []
        self.bad: set[int] = set()

    def synthesize(self, scenes: Sequence[Scene], backgrounds: Sequence[Radiograph]) -> list[Radiograph]:
        return [self._one(scene, background) for scene, background in zip(scenes, backgrounds, strict=True)]

    def _one(self, scene: Scene, background: Radiograph) -> Radiograph:
        self.asked.append(scene)
        drawn = [
            replace(
                n, contrast=0.4 + 0.01 * (scene.seed_of(n) % 7), diameter_mm=4.0 if self._unlucky(scene, n) else 14.0
            )
            for n in scene.nodules
        ]
        (made,) = GaussianSynthesizer().synthesize([replace(scene, nodules=tuple(drawn))], [background])
        truths = [
            replace(truth, requested={**truth.requested, "diameter_mm": n.diameter_mm, "contrast": truth.contrast})
            for truth, n in zip(made.nodules, scene.nodules, strict=True)
        ]
        return replace(made, nodules=tuple(truths))

    def _unlucky(self, scene: Scene, nodule: Nodule) -> bool:
        seed = scene.seed_of(nodule)
        if nodule.name == "index" and seed not in self.bad and self.left > 0:
            self.left -= 1
            self.bad.add(seed)
        return nodule.name == "index" and seed in self.bad


@pytest.fixture(scope="module")
def background() -> Radiograph:
    squares = Squares(1)
    return squares.load(squares.backgrounds[0])


def drawn(background: Radiograph, unlucky: int, **changes: object) -> tuple[Moody, Radiograph]:
    nodules = (Nodule(14, (45, 45), 0.4, name="index"), Nodule(14, (85, 85), 0.4, name="companion"))
    scene = replace(Scene(background.background, nodules, seed=5), **changes)  # type: ignore[arg-type]
    moody = Moody(unlucky)
    (edit,) = redraw_rejected(moody.synthesize, [scene], [background], moody.synthesize([scene], [background]))
    return moody, edit.radiograph


def test_an_accepted_scene_is_left_alone(background: Radiograph) -> None:
    moody, made = drawn(background, 0)
    assert len(moody.asked) == 1
    assert all("redrawn" not in truth.requested for truth in made.nodules)


def test_only_the_rejected_nodule_is_drawn_again_and_says_so(background: Radiograph) -> None:
    moody, made = drawn(background, 1)
    (first, again), truths = moody.asked, made.nodules
    assert [n.seed for n in first.nodules] == [None, None]
    assert again.nodules[0].seed not in (None, 5)
    assert again.nodules[1].seed is None
    assert truths[0].requested["redrawn"] == 1
    assert "redrawn" not in truths[1].requested
    assert rejection(background, made) == ""


def test_drawing_again_ends_at_the_limit_and_the_scene_stays_rejected(background: Radiograph) -> None:
    moody, made = drawn(background, 99)
    assert len(moody.asked) <= 1 + LIMIT
    assert "realised diameter" in rejection(background, made)


def test_it_is_the_same_again_and_in_any_batch(background: Radiograph) -> None:
    assert drawn(background, 2)[1].content_sha256() == drawn(background, 2)[1].content_sha256()


def test_sham_edits_are_not_drawn_again(background: Radiograph) -> None:
    assert len(drawn(background, 1, sham=True)[0].asked) == 1


def test_a_synthesizer_that_repeats_itself_is_asked_once_more_only(background: Radiograph) -> None:
    scene, asked = Scene(background.background, (Nodule(14, (45, 45), 0.4),), seed=5), []

    def stubborn(scenes: Sequence[Scene], backgrounds: Sequence[Radiograph]) -> list[Radiograph]:
        asked.extend(scenes)
        made = GaussianSynthesizer().synthesize(scenes, backgrounds)
        return [replace(m, nodules=(replace(m.nodules[0], diameter_mm=40.0),)) for m in made]

    (edit,) = redraw_rejected(stubborn, [scene], [background], stubborn([scene], [background]))
    assert len(asked) == 2
    assert np.isfinite(edit.radiograph.pixels).all()
