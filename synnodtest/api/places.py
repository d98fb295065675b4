"""A place drawn within a region of one radiograph, as specs draw places."""

from __future__ import annotations

from synnodtest.canonical import sha256_of
from synnodtest.errors import SynthesizerError
from synnodtest.evidence.arm import DEFAULT_ARM
from synnodtest.planning.place import MissingRegion, NoPlace, Placer
from synnodtest.planning.recipe import NoduleRecipe, Recipe
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph
from synnodtest.spec.model import Location


def place_in(radiograph: Radiograph, region: str, diameter_mm: float, seed: int) -> tuple[float, float]:
    """Return the centre ``(x, y)`` in mm of a nodule of this size somewhere in a region.

    Raises:
        SynthesizerError: the radiograph has no such region, or nothing in it is large enough.
    """
    place_seed = int(sha256_of(["plant-place", seed])[:15], 16)
    nodule = NoduleRecipe("nodule", diameter_mm, 0.0, (), Location(region=region), diameter_mm / 2, place_seed, seed)
    try:
        scene = Placer(radiograph).place(Recipe("plant", Background("radiograph"), DEFAULT_ARM, 0, (), (nodule,)))
    except (MissingRegion, NoPlace) as error:
        known = ", ".join(sorted(radiograph.named_regions))
        raise SynthesizerError(str(error), hint=f"it has {known}") from None
    return scene.nodules[0].centre_mm
