"""From requests to nodules to the radiograph that has them, drawn as every run draws them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, count

import numpy as np

from synnodtest.attenuation import draw_density, resolved_scene
from synnodtest.canonical import seed_of, seed_sequence
from synnodtest.devices import check_device
from synnodtest.engine.acceptance import rejection
from synnodtest.engine.synthesis import synthesize
from synnodtest.engine.tally import Tally
from synnodtest.errors import BackgroundError, SynthesizerError
from synnodtest.evidence.arm import DEFAULT_ARM
from synnodtest.geometry import centre_of, px_to_mm
from synnodtest.identity import Identity
from synnodtest.planning.place import MissingRegion, NoPlace, Placer
from synnodtest.planning.recipe import NoduleRecipe, Recipe
from synnodtest.ports import Background, Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Nodule, Scene
from synnodtest.spec.model import Location
from synnodtest.synthesizers import resolve_synthesizer
from synnodtest.synthesizers.registry import adapted

NO_LUNG = (
    "this radiograph has no lung region: contrast is then the added brightness divided by the range of the middle half "
    "of the picture, not of the lung; read it with read_radiograph, or give it regions={'lung': mask}"
)
EDGE_PX = 1.0
"""A box may pass the radiograph's edge by this much: rounding."""
BEYOND = 0.5
"""By which pixels may leave 0..1: some synthesizers overshoot, and other scales end at 255 or more."""


@dataclass(frozen=True)
class Request:
    """One nodule as a person asks for it; see :func:`synnodtest.plant`."""

    box: Sequence[float] | None = None
    centre: tuple[float, float] | None = None
    centre_mm: tuple[float, float] | None = None
    diameter_mm: float | None = None
    contrast: float | None = None
    density: float | None = None
    attenuation: str = ""
    margin: str = ""
    radiomics: Mapping[str, float] = field(default_factory=dict)
    name: str = "nodule"
    seed: int = 0

    def nodule(self, radiograph: Radiograph) -> Nodule:
        """Return the nodule.

        Raises:
            SynthesizerError: place or size is missing, given twice, or outside the radiograph.
        """
        centre, size = self._place(radiograph)
        diameter = size if self.diameter_mm is None else float(self.diameter_mm)
        if diameter is None:
            raise SynthesizerError("how large is the nodule?", hint="give diameter_mm=12, or a box")
        check_size(diameter)
        orders = {"contrast": self.contrast, "density": self.density, "attenuation": self.attenuation or None}
        named = [name for name, value in orders.items() if value is not None]
        if len(named) > 1:
            raise SynthesizerError(f"{' and '.join(named)} each say how bright a nodule is", hint="give one of them")
        nodule = Nodule(
            diameter_mm=round(diameter, 4),
            centre_mm=(round(centre[0], 3), round(centre[1], 3)),
            contrast=None if self.contrast is None else round(float(self.contrast), 4),
            density=self.density,
            attenuation=self.attenuation,
            margin=self.margin,
            radiomics=tuple(sorted((feature, float(value)) for feature, value in self.radiomics.items())),
            name=self.name,
            seed=self.seed,
        )
        if self.contrast is not None or self.density is not None:
            return nodule
        rng = np.random.default_rng(seed_sequence("plant-density", self.seed))
        return replace(nodule, density=round(draw_density(self.attenuation, diameter, rng), 4))

    def refuse_beside_nodules(self) -> None:
        """Refuse whatever is asked for beside a list of nodules, which says all of it itself.

        Raises:
            SynthesizerError: something is.
        """
        empty = (name for name, value in vars(self).items() if isinstance(value, str | Mapping) and not value)
        left_out = {name for name, value in vars(self).items() if value is not None} - {"name", "seed", *empty}
        if left_out:
            named = " and ".join(sorted(left_out))
            raise SynthesizerError(f"nodules are given, and {named} beside them", hint="give it to each Nodule")

    def _place(self, radiograph: Radiograph) -> tuple[tuple[float, float], float | None]:
        """Return the centre in mm and, of a box, the diameter in mm."""
        places = [way for way in (self.box, self.centre, self.centre_mm) if way is not None]
        if len(places) != 1:
            raise SynthesizerError(
                "where is the nodule?" if not places else "a nodule has one place, not several",
                hint="give one of box=(x_min, y_min, x_max, y_max) and centre=(x, y) in pixels, centre_mm=(x, y)",
            )
        if self.centre_mm is not None:
            return _inside(tuple(map(float, self.centre_mm)), radiograph), None
        numbers = [float(number) for number in places[0]]
        if len(numbers) == 2:
            return _inside(px_to_mm((numbers[0], numbers[1]), radiograph.spacing_mm), radiograph), None
        return _box_place(numbers, radiograph)


@lru_cache(maxsize=4)
def open_synthesizer(text: str, device: str = "cpu") -> Synthesizer:
    """Return the synthesizer that ``text`` names; the last few stay loaded, so that the next nodule is quick."""
    return resolve_synthesizer(text, device=device)


def as_synthesizer(given: str | Synthesizer, device: str) -> Synthesizer:
    """Return what ``--synthesizer`` calls so, or the function or object of a user, which needs no identity here."""
    if isinstance(given, str):
        check_device(device)
        return open_synthesizer(given, device=device)
    if isinstance(given, Synthesizer):
        return given
    return adapted(given, Identity(getattr(given, "__name__", type(given).__name__)), f"the synthesizer is {given!r}")


LARGEST_MM = 5000.0
"""Ten times the side of the largest film; of much more the mask alone would take all memory."""


def check_size(diameter_mm: float) -> None:
    """Refuse a diameter that no nodule has.

    Raises:
        SynthesizerError: it is not above 0, or above :data:`LARGEST_MM`.
    """
    if not 0 < diameter_mm <= LARGEST_MM:
        raise SynthesizerError(
            f"diameter_mm must be above 0 and at most {LARGEST_MM:g}, not {diameter_mm:g}", hint="such as 12"
        )


def _box_place(box: Sequence[float], radiograph: Radiograph) -> tuple[tuple[float, float], float]:
    """Return the centre of a box and the equal-area diameter of the ellipse that fits into it, in mm."""
    height, width = radiograph.shape
    text = "(" + ", ".join(f"{edge:g}" for edge in box) + ")"
    if len(box) != 4 or not all(map(math.isfinite, box)) or box[0] >= box[2] or box[1] >= box[3]:
        raise SynthesizerError(f"the box {text} is empty", hint="the order is (x_min, y_min, x_max, y_max), in pixels")
    if min(box[0], box[1]) < -EDGE_PX or box[2] > width + EDGE_PX or box[3] > height + EDGE_PX:
        raise SynthesizerError(
            f"the box {text} lies outside the radiograph, which is {width} x {height} pixels",
            hint="boxes are in pixels of the radiograph, x along columns; not in mm, not 0..1",
        )
    width_mm, height_mm = px_to_mm((box[2] - box[0], box[3] - box[1]), radiograph.spacing_mm)
    return px_to_mm(centre_of(box), radiograph.spacing_mm), math.sqrt(width_mm * height_mm)


def _inside(centre_mm: tuple[float, ...], radiograph: Radiograph) -> tuple[float, float]:
    (x, y), (height, width) = centre_mm, radiograph.size_mm
    if not (0 <= x <= width and 0 <= y <= height):
        raise SynthesizerError(
            f"the centre ({x:.1f}, {y:.1f}) mm lies outside the radiograph, which is {width:.1f} x {height:.1f} mm",
            hint="centre=(x, y) is in pixels, centre_mm=(x, y) in mm from the top left corner",
        )
    return x, y


def place_in(radiograph: Radiograph, region: str, diameter_mm: float, seed: int) -> tuple[float, float]:
    """Return the centre ``(x, y)`` in mm of a nodule of this size somewhere in a region.

    Raises:
        SynthesizerError: the radiograph has no such region, nothing in it is large enough, or the size is none.
    """
    check_size(diameter_mm)
    place_seed = seed_of("plant-place", seed)
    location = Location(region=region)
    nodule = NoduleRecipe(diameter_mm, 0.0, location=location, clearance_mm=diameter_mm / 2, place_seed=place_seed)
    try:
        scene = Placer(radiograph).place(Recipe("plant", Background("radiograph"), DEFAULT_ARM, 0, (), (nodule,)))
    except (MissingRegion, NoPlace) as error:
        known = ", ".join(sorted(radiograph.named_regions))
        raise SynthesizerError(str(error), hint=f"it has {known}") from None
    return scene.nodules[0].centre_mm


def plant_nodules(
    radiograph: Radiograph, nodules: Sequence[Nodule], synthesizer: Synthesizer, *, seed: int = 0, sham: bool = False
) -> Radiograph:
    """Return the radiograph with the nodules, rejected ones drawn again as in every run.

    Raises:
        SynthesizerError: a nodule cannot be made.

    Warns:
        UserWarning: there is no lung region, or acceptance excludes the scene.
    """
    if radiograph.lung is None:
        warnings.warn(NO_LUNG, stacklevel=3)
    named = _named_apart(nodules, [truth.name for truth in radiograph.nodules])
    base = replace(_as_read(radiograph), nodules=())
    scene = resolved_scene(Scene(radiograph.background or radiograph.source, named, seed=seed, sham=sham), base)
    (edit,) = synthesize(synthesizer, [scene], [base], Tally())
    planted = edit.radiograph
    reason = rejection(base, planted, sham=sham, crops=edit.crops)
    if reason:
        warnings.warn(f"a run would exclude this scene: {reason}", stacklevel=3)
    return replace(planted, nodules=(*radiograph.nodules, *planted.nodules))


def _as_read(radiograph: Radiograph) -> Radiograph:
    """Return a radiograph that may be made of a user's own arrays: float32 pixels and masks of bits, as files give.

    Raises:
        BackgroundError: they are of another shape or scale.
    """
    pixels = np.asarray(radiograph.pixels)
    if pixels.ndim != 2 or pixels.dtype.kind != "f" or not (pixels.min() >= -BEYOND and pixels.max() <= 1 + BEYOND):
        raise BackgroundError(
            f"the pixels are {pixels.dtype} of shape {pixels.shape}, from {pixels.min():g} to {pixels.max():g}",
            hint="a radiograph has height x width floats, 0..1, air dark: divide by 255 or 65535",
        )
    if not all(0 < step < math.inf for step in radiograph.spacing_mm):
        raise BackgroundError(f"the spacing {radiograph.spacing_mm} is not (row, column) in mm per pixel")
    for name, mask in radiograph.regions.items():
        if np.shape(mask) != pixels.shape or np.asarray(mask).dtype.kind not in "bui":
            raise BackgroundError(f"the region {name!r} is no mask of {pixels.shape[0]} x {pixels.shape[1]} pixels")
    masks = {name: np.asarray(mask, dtype=np.bool_) for name, mask in radiograph.regions.items()}
    return replace(radiograph, pixels=pixels.astype(np.float32, copy=False), regions=masks)


def _named_apart(nodules: Sequence[Nodule], taken: Sequence[str]) -> tuple[Nodule, ...]:
    """Return the nodules, with a number where a name is taken: ``nodule-2``."""
    names, named = set(taken), []
    for nodule in nodules:
        numbered = (f"{nodule.name}-{number}" for number in count(2))
        name = next(one for one in chain([nodule.name], numbered) if one not in names)
        names.add(name)
        named.append(replace(nodule, name=name))
    return tuple(named)
