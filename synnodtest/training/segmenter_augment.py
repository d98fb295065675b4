"""Domain randomisation: what real films have and phantoms lack, drawn over a phantom anew each time."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from synnodtest.backgrounds.segmenter import SIDE, STRUCTURES, channels
from synnodtest.geometry import BoolArray, FloatArray, Indices

Rng = np.random.Generator
_LUNGS = 0b11
"""Bits of the first two structures, left and right lung; they follow the order of ``STRUCTURES``."""
_ABDOMEN = 1 << STRUCTURES.index("abdomen")


def example(pixels: FloatArray, bits: NDArray[np.uint8], rng: Rng) -> tuple[FloatArray, FloatArray]:
    """Return one training example from a phantom.

    Args:
        pixels: N x N, 0..1.
        bits: uint8, N x N; bit k is the silhouette of structure k.
        rng: Source of all chance.

    Returns:
        The network's input (2 x SIDE x SIDE), and its target (structures x SIDE x SIDE), 0 or 1.
    """
    picture, bits = _moved(_diseased(pixels.astype(np.float32), bits, rng), bits, rng)
    picture = _displayed(picture, rng)
    picture = _cluttered(picture, rng)
    picture = _exposed(picture, rng)
    square, target = np.zeros((2, SIDE, SIDE), dtype=np.float32), np.zeros((SIDE, SIDE), dtype=np.uint8)
    rows, columns = _aspect(rng)
    square[:, rows, columns] = channels(picture[rows, columns])
    target[rows, columns] = bits[rows, columns]
    return square, np.stack([(target >> k) & 1 for k in range(len(STRUCTURES))]).astype(np.float32)


def _chance(rng: Rng, share: float) -> bool:
    return bool(rng.random() < share)


def _smooth(rng: Rng, side: int, cells: int) -> FloatArray:
    """Return a smooth random field (side x side), about unit normal, of so many bumps along a side."""
    coarse = Image.fromarray(rng.standard_normal((cells + 1, cells + 1), dtype=np.float32))
    return np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), dtype=np.float32)


def _blob(rng: Rng, side: int, centre: Indices, reach: tuple[float, float]) -> FloatArray:
    """Return a soft ellipse of irregular outline, 0..1."""
    y, x = np.mgrid[:side, :side].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    dy, dx = y - centre[0], x - centre[1]
    u = (dx * np.cos(angle) + dy * np.sin(angle)) / rng.uniform(*reach)
    v = (dy * np.cos(angle) - dx * np.sin(angle)) / rng.uniform(*reach)
    distance = np.sqrt(u * u + v * v) + 0.25 * _smooth(rng, side, 10)
    steep = rng.uniform(3, 10)
    return np.asarray(1 / (1 + np.exp(np.clip((distance - 1) * steep, -30, 30))), dtype=np.float32)


def _diseased(picture: FloatArray, bits: NDArray[np.uint8], rng: Rng) -> FloatArray:
    """Cloud the lungs: infiltrates, a diffuse haze, effusions; and put gas into the abdomen."""
    lung = (bits & _LUNGS) > 0
    inside = np.argwhere(lung)
    bright = float(np.percentile(picture, 85))
    edge = ndimage.gaussian_filter(lung.astype(np.float32), 2.0)
    if _chance(rng, 0.5):
        for _ in range(int(rng.integers(1, 6))):
            blob = _blob(rng, len(picture), inside[rng.integers(len(inside))], (6, 40))
            texture = np.clip(1 + 0.4 * _smooth(rng, len(picture), 40), 0, 2)
            picture = picture + edge * blob * texture * rng.uniform(0.15, 0.9) * (bright - picture)
    if _chance(rng, 0.25):
        haze = np.clip(0.5 + 0.5 * _smooth(rng, len(picture), 5), 0, 1)
        picture = picture + edge * haze * rng.uniform(0.2, 0.7) * (bright - picture)
    if _chance(rng, 0.15):
        picture = _effusion(picture, ((bits >> int(rng.integers(2))) & 1) > 0, bright, rng)
    under = np.argwhere((bits & _ABDOMEN) > 0)
    if _chance(rng, 0.5) and len(under):
        for _ in range(int(rng.integers(1, 5))):
            blob = _blob(rng, len(picture), under[rng.integers(len(under))], (4, 22))
            picture = picture - blob * rng.uniform(0.1, 0.8) * picture * ndimage.gaussian_filter(
                ((bits & _ABDOMEN) > 0).astype(np.float32), 2.0
            )
    return np.asarray(np.clip(picture, 0, 1.2), dtype=np.float32)


def _effusion(picture: FloatArray, lung: BoolArray, bright: float, rng: Rng) -> FloatArray:
    rows = np.flatnonzero(lung.any(axis=1))
    if not rows.size:
        return picture
    y, x = np.mgrid[: len(picture), : len(picture)].astype(np.float32)
    level = rows[-1] - rng.uniform(0.1, 0.45) * np.ptp(rows)
    columns = np.flatnonzero(lung.any(axis=0))
    meniscus = level + rng.uniform(-0.1, 0.1) * (x - columns.mean()) - 8 * np.abs(x - columns.mean()) / np.ptp(columns)
    fluid = 1 / (1 + np.exp(np.clip((meniscus - y) / rng.uniform(2, 8), -30, 30)))
    soft = ndimage.gaussian_filter(lung.astype(np.float32), 2.0)
    return np.asarray(picture + soft * fluid * rng.uniform(0.6, 1.0) * (bright - picture), dtype=np.float32)


def _moved(picture: FloatArray, bits: NDArray[np.uint8], rng: Rng) -> tuple[FloatArray, NDArray[np.uint8]]:
    """Turn, scale, shear, bend and shift, so that the lungs fill anything from half to more than all of the square."""
    lung = np.argwhere((bits & _LUNGS) > 0)
    middle = (lung.min(axis=0) + lung.max(axis=0)) / 2
    extent = float(np.ptp(lung, axis=0).max())
    field = extent / rng.uniform(0.55, 1.06)
    angle = np.deg2rad(np.clip(rng.normal(0, 5), -14, 14))
    stretch = np.exp(np.clip(rng.normal(0, 0.09), -0.2, 0.2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, rng.normal(0, 0.03)], [rng.normal(0, 0.04), 1]])
    matrix = turn @ shear @ np.diag([stretch, 1 / stretch]) * field / SIDE
    room = max(0.06 * field, (field - extent) / 2 + 0.06 * field)
    centre = middle + rng.uniform(-room, room, 2)
    grid = np.mgrid[:SIDE, :SIDE].reshape(2, -1) - (SIDE - 1) / 2
    places = (matrix @ grid + centre[:, None]).reshape(2, SIDE, SIDE)
    for _ in range(2):
        bend = np.stack([_smooth(rng, SIDE, int(rng.integers(3, 8))) for _ in (0, 1)])
        places = places + bend * rng.uniform(0, 2.0)
    mode: Literal["constant", "nearest"] = "constant" if _chance(rng, 0.5) else "nearest"
    shown_picture = ndimage.map_coordinates(picture, places, order=1, mode=mode)
    return np.asarray(shown_picture, dtype=np.float32), ndimage.map_coordinates(bits, places, order=0, mode=mode)


def _displayed(picture: FloatArray, rng: Rng) -> FloatArray:
    """Show it otherwise: equalised, by another curve, sharpened or blurred, with an uneven field."""
    if _chance(rng, 0.5):
        low = ndimage.gaussian_filter(picture, rng.uniform(4, 24))
        picture = picture - rng.uniform(-0.3, 0.75) * (low - float(low.mean()))
    low_end, high_end = np.percentile(picture, [0.5, 99.5])
    picture = np.clip((picture - low_end) / max(float(high_end - low_end), 1e-3), 0, 1)
    if _chance(rng, 0.8):
        knots = np.concatenate([[0], np.cumsum(rng.gamma(2.0, 1.0, 6))])
        picture = np.interp(picture, np.linspace(0, 1, 7), knots / knots[-1])
    picture = picture ** np.exp(rng.normal(0, 0.35))
    if _chance(rng, 0.4):
        detail = picture - ndimage.gaussian_filter(picture, rng.uniform(1, 4))
        picture = picture + rng.uniform(0.3, 3.0) * detail
    if _chance(rng, 0.4):
        picture = picture * (1 + 0.25 * _smooth(rng, SIDE, 2)) + 0.08 * _smooth(rng, SIDE, 3)
    return np.asarray(picture, dtype=np.float32)


def _cluttered(picture: FloatArray, rng: Rng) -> FloatArray:
    """Add leads, tubes, electrodes, markers, devices, soft folds and borders."""
    picture = picture.copy()
    for share, most, draw in (
        (0.35, 5, _line),
        (0.3, 6, _disc),
        (0.6, 4, _marker),
        (0.15, 2, _device),
        (0.3, 4, _fold),
        (0.3, 2, _border),
    ):
        if _chance(rng, share):
            for _ in range(int(rng.integers(1, most + 1))):
                draw(picture, rng)
    return picture


def _line(picture: FloatArray, rng: Rng) -> None:
    points = rng.uniform(0, SIDE, (4, 2))
    t = np.linspace(0, 1, 600)[:, None]
    curve = (1 - t) ** 3 * points[0] + 3 * t * (1 - t) ** 2 * points[1] + 3 * t**2 * (1 - t) * points[2]
    row, column = np.clip((curve + t**3 * points[3]).astype(np.intp), 0, SIDE - 1).T
    drawn = np.zeros_like(picture)
    drawn[row, column] = 1
    width = rng.uniform(0.4, 1.2)
    drawn = ndimage.gaussian_filter(drawn, width)
    picture += rng.uniform(0.1, 0.5) * drawn / max(float(drawn.max()), 1e-6)


def _disc(picture: FloatArray, rng: Rng) -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    centre, radius = rng.uniform(0, SIDE, 2), rng.uniform(1.5, 4.5)
    distance = np.hypot(y - centre[0], x - centre[1])
    ring = distance < radius if _chance(rng, 0.5) else np.abs(distance - radius) < 0.9
    picture[ring] += rng.uniform(0.1, 0.5)


def _marker(picture: FloatArray, rng: Rng) -> None:
    """Letters and stamps: bright strokes on nothing or on a plate, in the outer part mostly."""
    height, width = int(rng.integers(4, 10)), int(rng.integers(4, 36))
    top = int(rng.choice([rng.integers(0, 22), rng.integers(0, SIDE - height)]))
    left = int(rng.integers(0, SIDE - width))
    area = picture[top : top + height, left : left + width]
    if _chance(rng, 0.3):
        area[:] = rng.uniform(0, 0.6)
    area[rng.random(area.shape) < 0.45] = rng.uniform(0.8, 1.3)


def _device(picture: FloatArray, rng: Rng) -> None:
    blob = _blob(rng, SIDE, rng.integers(0, SIDE, 2), (4, 11))
    picture += rng.uniform(0.3, 0.8) * (blob > 0.5)


def _fold(picture: FloatArray, rng: Rng) -> None:
    """Soft tissue with one sharp edge: skin folds, arms, blankets, breasts."""
    blob = _blob(rng, SIDE, rng.integers(-20, SIDE + 20, 2), (14, 64))
    picture += rng.uniform(-0.12, 0.25) * blob


def _border(picture: FloatArray, rng: Rng) -> None:
    width, level = int(rng.integers(2, 16)), rng.choice([0.0, 0.0, 1.0, rng.random()])
    sides = picture[:width], picture[-width:], picture[:, :width], picture[:, -width:]
    sides[int(rng.integers(4))][:] = level


def _exposed(picture: FloatArray, rng: Rng) -> FloatArray:
    """Blur, add noise, and lower the contrast."""
    if _chance(rng, 0.3):
        picture = ndimage.gaussian_filter(picture, rng.uniform(0.4, 1.6))
    noise = rng.standard_normal(picture.shape, dtype=np.float32) * rng.choice([0.005, 0.02, 0.05])
    if _chance(rng, 0.5):
        noise = ndimage.gaussian_filter(noise, rng.uniform(0.5, 1.2)) * 2
    return np.asarray(picture + noise, dtype=np.float32)


def _aspect(rng: Rng) -> tuple[slice, slice]:
    """Return the part of the square that the film fills: upright, lying, or all of it."""
    if _chance(rng, 0.6):
        return slice(0, SIDE), slice(0, SIDE)
    short = int(SIDE * rng.uniform(0.76, 1.0))
    first = (SIDE - short) // 2
    part = slice(first, first + short)
    return (slice(0, SIDE), part) if _chance(rng, 0.6) else (part, slice(0, SIDE))
