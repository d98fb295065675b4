"""From a projection to radiographs: nodules, quantum noise, display."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.geometry import FloatArray, box_of_mask, equal_area_diameter_mm
from synnodtest.phantom.anatomy import VERSION, Anatomy
from synnodtest.phantom.nodules import BODY_SHARE, PhantomNodule, nodule_chord, reach_mm
from synnodtest.phantom.projection import BLUR_MM, EQUALISED_MM, SOFT, Projection, blurred, project
from synnodtest.phantom.solids import Array, outside
from synnodtest.phantom.thorax import SIDES
from synnodtest.radiograph import Exposure, Radiograph, Truth, lung_range

QUANTA_PER_MM2 = 3.0e5
"""Detected quanta per mm^2 where nothing attenuates the beam."""
_EQUALISE = 0.45
"""Share of an unsharp mask of :data:`EQUALISED_MM` that is added; set by eye: more flattens lung against mediastinum as
no film shows."""
_FLOOR = 1e-5
"""Least intensity, over that of the bare beam: noise behind metal may count below 0, and its logarithm must be
finite."""


def render(anatomy: Anatomy, *, size: int = 1024, nodules: Sequence[PhantomNodule] = ()) -> Radiograph:
    """Project and expose in one call; see :func:`project` and :func:`expose`."""
    return expose(project(anatomy, size), nodules)


def expose(
    projection: Projection,
    nodules: Sequence[PhantomNodule] = (),
    noise_seed: int = 0,
    *,
    name: str = "",
    background: str = "",
) -> Radiograph:
    """Take one radiograph of a projected chest.

    Scatter and display are those of the chest without nodules, and the noise is one draw of unit normals per
    ``noise_seed`` (the normal limit of Poisson noise at some thousand quanta per pixel): outside the nodules'
    surroundings (silhouette plus detector blur) pixels are bit-identical with and without them.

    Args:
        projection: From :func:`project`; unchanged.
        nodules: To be planted, in order. Whatever of a nodule lies in no aerated lung is cut off.
        noise_seed: Another seed is another exposure of the same chest.
        name: Name of the set, for ``source``; by default what the anatomy is.
        background: Identifier of the background and patient; made from name and seed if empty.

    Returns:
        The radiograph with all regions and the realised truth of each nodule. A nodule that met no lung has an empty
        mask, diameter 0 and contrast 0.
    """
    a = projection.anatomy
    shape = (projection.size, projection.size)
    rng = np.random.default_rng(seed_sequence("phantom-noise", VERSION, a.seed, noise_seed))
    noise = rng.standard_normal(shape, dtype=np.float32)
    pixels = _shown(projection, projection.intensity, noise, (slice(None), slice(None)))
    name = name or ("pneumothorax" if a.pneumothorax else "normal")
    identifier = background or f"phantom-{name}-seed{a.seed}"
    radiograph = Radiograph(
        pixels=pixels,
        spacing_mm=projection.spacing_mm,
        regions=projection.regions,
        background=identifier,
        patient=identifier,
        strata={"sex": a.sex, "age": str(a.age), "view": "PA"},
        source=f"phantom:{VERSION}/{name}/{a.seed}",
        exposure=exposure_of(projection),
    )
    if not nodules:
        return radiograph
    unit = lung_range(radiograph)
    planted = pixels.copy()
    added: Array = np.zeros(shape, dtype=np.float32)
    truths = []
    for nodule in nodules:
        window, line, truth = _planted(projection, nodule, noise, unit)
        added[window] += line
        truths.append(truth)
        intensity = _intensity(projection, added, window)
        planted[window] = _shown(projection, intensity, noise[window], window)
    return replace(radiograph, pixels=planted, nodules=tuple(truths))


def exposure_of(projection: Projection) -> Exposure:
    """Return how the pixels of a projection's radiographs come from exposure."""
    lung, middle = projection.window
    a = projection.anatomy
    width = (middle - lung) / 2.3 * a.latitude
    start = lung + (0.72 + a.tone) * width
    return Exposure(start, width, _EQUALISE, EQUALISED_MM, QUANTA_PER_MM2)


def _shown(projection: Projection, intensity: Array, noise: Array, window: tuple[slice, slice]) -> FloatArray:
    """Return display values 0..1: log exposure, mild equalisation, characteristic curve."""
    per_pixel = np.float32(QUANTA_PER_MM2 * projection.grid.spacing**2)
    counted = np.maximum(intensity + np.sqrt(intensity / per_pixel) * noise, np.float32(_FLOOR))
    log = -np.log(counted)
    log += np.float32(_EQUALISE) * (log - projection.low[window])
    exposure = exposure_of(projection)
    start, width = exposure.start, exposure.width
    curve = 1 / (1 + np.exp((np.float32(start) - log) / np.float32(width)))
    dark = 1 / (1 + np.exp(start / width))
    return np.asarray(np.clip((curve - np.float32(dark)) / np.float32(1 - dark), 0, 1), dtype=np.float32)


def _intensity(projection: Projection, added: Array, window: tuple[slice, slice]) -> Array:
    """Return the blurred intensity of a window with added attenuation, as if the whole image had been blurred."""
    margin = int(np.ceil(4.0 * BLUR_MM / projection.grid.spacing)) + 2
    rows, columns = window
    outer = (
        slice(max(rows.start - margin, 0), min(rows.stop + margin, projection.size)),
        slice(max(columns.start - margin, 0), min(columns.stop + margin, projection.size)),
    )
    primary = np.exp(-projection.line[outer])
    change = blurred(primary * np.expm1(-added[outer]), projection.grid.spacing)
    inner = (
        slice(rows.start - outer[0].start, rows.stop - outer[0].start),
        slice(columns.start - outer[1].start, columns.stop - outer[1].start),
    )
    return np.asarray(projection.intensity[window] + change[inner])


def _planted(
    projection: Projection, nodule: PhantomNodule, noise: Array, unit: float
) -> tuple[tuple[slice, slice], Array, Truth]:
    """Project one nodule: a window, its added attenuation there, and its truth."""
    spacing = projection.grid.spacing
    window = _window(projection, nodule)
    rows, columns = window
    dx = (np.arange(columns.start, columns.stop) + 0.5) * spacing - nodule.centre_mm[0]
    dy = (np.arange(rows.start, rows.stop) + 0.5) * spacing - nodule.centre_mm[1]
    half, density = nodule_chord(nodule, dx[None, :], dy[:, None])
    chord = _in_lung(projection, nodule, window, half)
    mask = chord > max(0.05, BODY_SHARE * float(chord.max(initial=0.0)))
    lung = projection.anatomy.lung_density

    def line_of(relative: float) -> Array:
        excess = np.maximum(density * np.float32(relative) - np.float32(lung), 0.02)
        return np.asarray(np.float32(SOFT) * chord * excess, dtype=np.float32)

    def contrast_of(relative: float) -> float:
        return _contrast(projection, line_of(relative), window, noise, mask) / unit

    relative = nodule.density
    if nodule.contrast is not None and mask.any():
        relative = _density_for(nodule.contrast, contrast_of, lung)
    line, contrast = line_of(relative), contrast_of(relative)
    left, top, right, bottom = map(int, box_of_mask(mask) or (0, 0, 0, 0))
    truth = Truth(
        name=nodule.name,
        crop=mask[top:bottom, left:right],
        origin=(rows.start + top, columns.start + left),
        diameter_mm=equal_area_diameter_mm(int(mask.sum()), (spacing, spacing)),
        contrast=contrast,
        requested={
            "diameter_mm": nodule.diameter_mm,
            "centre_mm": list(nodule.centre_mm),
            "depth": nodule.depth,
            "shape": nodule.shape,
            "density": round(float(relative), 4),
            "contrast": nodule.contrast,
            "seed": nodule.seed,
        },
    )
    return window, line, truth


def _window(projection: Projection, nodule: PhantomNodule) -> tuple[slice, slice]:
    spacing = projection.grid.spacing
    reach = reach_mm(nodule) + 4 * BLUR_MM + spacing
    ends = []
    for centre in (nodule.centre_mm[1], nodule.centre_mm[0]):
        low = int(np.clip((centre - reach) / spacing, 0, projection.size - 1))
        ends.append(slice(low, int(np.clip(np.ceil((centre + reach) / spacing), low + 1, projection.size))))
    return ends[0], ends[1]


def _in_lung(projection: Projection, nodule: PhantomNodule, window: tuple[slice, slice], half: Array) -> Array:
    """Return the nodule's chord as far as it lies in aerated lung."""
    thorax, grid = projection.thorax, projection.grid
    x, y = grid.x[window], grid.y[window[0]]
    row = int(np.clip(nodule.centre_mm[1] / grid.spacing, 0, projection.size - 1))
    column = int(np.clip(nodule.centre_mm[0] / grid.spacing, 0, projection.size - 1))
    at_x, at_y = grid.x[row : row + 1, column : column + 1], grid.y[row : row + 1]
    side = SIDES["left"] if float(at_x[0, 0]) > 0 else SIDES["right"]
    z = _depth(projection, side, at_x, at_y, nodule)
    z0, z1 = thorax.lung(side, x, y)
    inside = (np.maximum(z0, np.float32(z) - half), np.minimum(z1, np.float32(z) + half))
    inside = (np.minimum(inside[0], inside[1]), inside[1])
    return np.where((half > 0) & (z0 < z1), outside(inside, thorax.obstacles(side, x, y)), 0)


def _depth(projection: Projection, side: int, x: Array, y: Array, nodule: PhantomNodule) -> float:
    """Return z at the wanted fraction of the aerated lung along the ray through the nodule's centre."""
    thorax = projection.thorax
    z0, z1 = (float(v[0, 0]) for v in thorax.lung(side, x, y))
    if z0 >= z1:
        return 0.0
    z = np.linspace(z0, z1, 400)
    points = np.stack([np.full(400, float(x[0, 0])), np.full(400, float(y[0, 0])), z], axis=1)
    free = z[thorax.is_aerated(side, points)]
    if not free.size:
        return (z0 + z1) / 2
    return float(free[int(np.clip(nodule.depth, 0, 1) * (free.size - 1))])


def _contrast(projection: Projection, line: Array, window: tuple[slice, slice], noise: Array, mask: Array) -> float:
    """Return the mean brightness that ``line`` adds over ``mask``."""
    if not mask.any():
        return 0.0
    before = _shown(projection, projection.intensity[window], noise[window], window)
    added: Array = np.zeros((projection.size, projection.size), dtype=np.float32)
    added[window] = line
    after = _shown(projection, _intensity(projection, added, window), noise[window], window)
    return float((after - before)[mask].mean())


def _density_for(contrast: float, realised: Callable[[float], float], lung: float) -> float:
    """Return the density that realises a contrast, by the secant method, within what physics allows."""
    value = 1.0
    for _ in range(4):
        value = float(np.clip(lung + (value - lung) * contrast / max(realised(value), 1e-4), 0.3, 4.0))
    return value
