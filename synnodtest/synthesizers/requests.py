"""Refusals of every synthesizer, its telling apart of twins, and the loop of those that plant one nodule at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from synnodtest.attenuation import Display, Planted, contrast_asked, resolved_scene
from synnodtest.errors import SynthesizerError
from synnodtest.geometry import equal_area_diameter_mm
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.patch import Patch

Draw = Callable[[Nodule, int, Scene, Radiograph], tuple[Patch, Mapping[str, object]]]
"""Draws a nodule, of which so many twins went before; returns profile and mask, and further values of ``requested``."""


def plant_one_by_one(
    synthesizer: str, what: str, scenes: Sequence[Scene], backgrounds: Sequence[Radiograph], draw: Draw
) -> list[Radiograph]:
    """Return one radiograph per scene, its nodules planted in order; without nodules it is the background itself.

    Args:
        synthesizer: Its name.
        what: What its nodules are called, which have no radiomics features to give.
        scenes: What is asked for.
        backgrounds: The untouched radiograph of each.
        draw: Draws a nodule; of a sham scene nothing is added.

    Raises:
        SynthesizerError: a nodule is impossible, or asks for radiomics features.
    """
    refuse_unpaired(synthesizer, scenes, backgrounds)
    for scene in scenes:
        for nodule in scene.nodules:
            refuse_impossible(synthesizer, nodule, scene)
            _refuse_radiomics(synthesizer, what, nodule, scene)
    return [_planted(scene, background, draw) for scene, background in zip(scenes, backgrounds, strict=True)]


def _planted(scene: Scene, background: Radiograph, draw: Draw) -> Radiograph:
    if not scene.nodules:
        return background
    scene = resolved_scene(scene, background)
    display, pixels = Display.of(background), background.pixels.copy()
    truths = []
    for nodule, number in twins(scene):
        patch, told = draw(nodule, number, scene, background)
        planted = patch.plant(pixels, display, 0.0 if scene.sham else contrast_asked(nodule))
        truths.append(truth_of(nodule, patch, planted, background.spacing_mm, **told))
    return background.with_pixels(pixels, background.nodules + tuple(truths))


def truth_of(nodule: Nodule, patch: Patch, planted: Planted, spacing_mm: tuple[float, float], **told: object) -> Truth:
    """Return the truth of a nodule as it was planted; ``told`` are further values of ``requested``."""
    diameter_mm = equal_area_diameter_mm(float(patch.mask.sum()), spacing_mm)
    requested = {**nodule.request(), **told, **planted.notes}
    return Truth(nodule.name, patch.mask, patch.origin, diameter_mm, planted.contrast, requested)


def twins(scene: Scene) -> Iterator[tuple[Nodule, int]]:
    """Yield each nodule with how many of the same seed and name stand before it: they are drawn differently."""
    occurrences: dict[tuple[int, str], int] = {}
    for nodule in scene.nodules:
        key = (scene.seed_of(nodule), nodule.name)
        occurrences[key] = occurrences.get(key, -1) + 1
        yield nodule, occurrences[key]


def refuse_unpaired(synthesizer: str, scenes: Sequence[Scene], backgrounds: Sequence[Radiograph]) -> None:
    """Refuse scenes of which not each has its background.

    Raises:
        SynthesizerError: their numbers differ.
    """
    if len(scenes) != len(backgrounds):
        raise SynthesizerError(f"{synthesizer}: {len(scenes)} scenes but {len(backgrounds)} backgrounds")


def refuse_impossible(synthesizer: str, nodule: Nodule, scene: Scene, most_mm: float = math.inf) -> None:
    """Refuse a nodule that nobody can plant.

    Raises:
        SynthesizerError: its diameter, contrast or centre is no such thing, or it is larger than ``most_mm``.
    """
    where = _where(synthesizer, nodule, scene)
    if not (math.isfinite(nodule.diameter_mm) and 0 < nodule.diameter_mm <= most_mm):
        limit = "" if math.isinf(most_mm) else f" and at most {most_mm:g}"
        raise SynthesizerError(f"{where}: diameter_mm must be above 0{limit}, not {nodule.diameter_mm}")
    if nodule.contrast is not None and not (math.isfinite(nodule.contrast) and nodule.contrast >= 0):
        raise SynthesizerError(f"{where}: contrast must be 0 or more, not {nodule.contrast}")
    if not all(map(math.isfinite, nodule.centre_mm)):
        raise SynthesizerError(f"{where}: centre_mm must be finite, not {nodule.centre_mm}")


def refuse_misplaced(synthesizer: str, nodule: Nodule, scene: Scene, background: Radiograph) -> None:
    """Refuse a nodule whose centre is not on the radiograph.

    Raises:
        SynthesizerError: it lies outside.
    """
    (x, y), (height, width) = nodule.centre_mm, background.size_mm
    if not (0 <= x <= width and 0 <= y <= height):
        raise SynthesizerError(
            f"{_where(synthesizer, nodule, scene)}: its centre ({x:g}, {y:g}) mm lies outside the radiograph of "
            f"{width:.1f} x {height:.1f} mm"
        )


def _refuse_radiomics(synthesizer: str, what: str, nodule: Nodule, scene: Scene) -> None:
    if nodule.radiomics:
        names = ", ".join(name for name, _ in nodule.radiomics)
        raise SynthesizerError(
            f"{_where(synthesizer, nodule, scene)}: {what} cannot take radiomics features ({names})",
            hint="use --synthesizer diffusion, or leave `radiomics` out of the spec",
        )


def nothing_covered(synthesizer: str, nodule: Nodule, scene: Scene, background: Radiograph) -> SynthesizerError:
    """Return the error of a nodule that covers no pixel."""
    (height, width), (x, y) = background.size_mm, nodule.centre_mm
    return SynthesizerError(
        f"{synthesizer}: nodule {nodule.name!r} of {nodule.diameter_mm:g} mm at ({x:g}, {y:g}) mm covers no pixel of "
        f"background {scene.background!r}, which is {width:.1f} x {height:.1f} mm",
        hint="place it inside the radiograph, and make it larger than one pixel",
    )


def _where(synthesizer: str, nodule: Nodule, scene: Scene) -> str:
    return f"{synthesizer}: nodule {nodule.name!r} on background {scene.background!r}"
