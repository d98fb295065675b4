"""Training batches for a detector: nodules as faint as real ones, planted anew in every batch, on any device."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from synnodtest.attenuation import annotated_contrast
from synnodtest.training.stock import SHADOW_PX, Shadows, Stock

PATCH_PX = 144
"""Edge of the patch a shadow is drawn in; at 640 pixels a side this is about 90 mm."""
LEAST_SLOPE = 0.35
"""Of what is added, the film shows at least this share; where it is too near to white for that, ..."""
SHOWN_IN_WHITE = 0.3
"""... only this share of the places is used: a truth that nobody can see teaches a detector to guess."""


@dataclass(frozen=True)
class Plan:
    """Nodules that are planted, and variation of the radiographs.

    Args:
        shares: Share of each kind of the stock in a batch.
        counts: Probability of 0, 1, 2, ... planted nodules in a radiograph.
        diameter_mm: Log-uniform between these.
        spread: Standard deviation of log contrast around the median of marked nodules of the diameter.
        plain: Share of nodules whose contrast is log-uniform in ``wide`` whatever their size: calcified ones, and what
            a spec may ask for.
        wide: Range for those.
    """

    shares: tuple[float, ...]
    counts: tuple[float, ...] = (0.4, 0.35, 0.15, 0.1)
    diameter_mm: tuple[float, float] = (5.0, 42.0)
    spread: float = 0.5
    plain: float = 0.15
    wide: tuple[float, float] = (0.04, 0.6)


class Planter:
    """Draws batches from a stock.

    Args:
        stock: The radiographs; they stay on the device.
        shadows: What is planted.
        plan: How.
        device: Where everything is computed.
        seed: Of everything random.
    """

    def __init__(self, stock: Stock, shadows: Shadows, plan: Plan, device: str, seed: int = 0) -> None:
        self._plan, self._device, self._stock = plan, device, stock
        self._films = torch.from_numpy(stock.films).to(device)
        self._excess = torch.from_numpy(shadows.excess).to(device)
        self._silhouette = torch.from_numpy(shadows.silhouette).to(device)
        self._own_mm = shadows.diameter_mm
        self._places = [np.argwhere(lung[::2, ::2]) * 2 for lung in stock.lungs]
        self._bright = [float(np.median(f[m])) / 255 for f, m in zip(stock.films, stock.lungs, strict=True)]
        self._of_kind = [np.flatnonzero(stock.kind == kind) for kind in range(len(plan.shares))]
        self._rng = np.random.default_rng(seed)
        torch.manual_seed(seed)

    def batch(self, count: int) -> dict[str, object]:
        """Return ``img`` (B, 3, S, S) in 0..1 and the labels as ultralytics' losses take them."""
        rows = self._rows(count)
        images = self._films[torch.from_numpy(rows).to(self._device)].float() / 255
        owner, boxes = self._annotated(rows)
        added_owner, added_boxes = self._plant(images, rows)
        owner = np.concatenate([owner, added_owner])
        boxes = np.concatenate([boxes, added_boxes])
        self._black_corners(images)
        images, owner, boxes = self._moved(images, owner, boxes)
        images = self._exposed(images)
        side = images.shape[-1]
        order = np.argsort(owner, kind="stable")  # ultralytics' losses take the labels image by image
        owner, boxes = owner[order], boxes[order]
        centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2 / side, (boxes[:, 2:] - boxes[:, :2]) / side
        labels = torch.from_numpy(np.concatenate([centre, size], axis=1).astype(np.float32)).to(self._device)
        return {
            "img": images[:, None].expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last),
            "bboxes": labels,
            "cls": torch.zeros(len(boxes), 1, device=self._device),
            "batch_idx": torch.from_numpy(owner.astype(np.float32)).to(self._device),
        }

    def _rows(self, count: int) -> np.ndarray[Any, Any]:
        shares = np.array([s if len(of) else 0.0 for s, of in zip(self._plan.shares, self._of_kind, strict=True)])
        kinds = self._rng.choice(len(shares), count, p=shares / shares.sum())
        return np.array([self._rng.choice(self._of_kind[kind]) for kind in kinds], dtype=np.int64)

    def _annotated(self, rows: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        owner, box = np.nonzero(rows[:, None] == self._stock.owner)
        return owner, self._stock.boxes[box]

    def _plant(
        self, images: torch.Tensor, rows: np.ndarray[Any, Any]
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Add nodules to ``images`` in place; return owners and boxes."""
        plan, rng = self._plan, self._rng
        counts = rng.choice(len(plan.counts), len(rows), p=plan.counts)
        owner = np.repeat(np.arange(len(rows)), counts)
        if not len(owner):
            return owner, np.zeros((0, 4), np.float32)
        diameter = _log_uniform(rng, plan.diameter_mm, len(owner))
        natural = np.array([annotated_contrast(float(each)) for each in diameter])
        contrast = natural * np.exp(rng.normal(0, plan.spread, len(owner)))
        wide = rng.random(len(owner)) < plan.plain
        contrast[wide] = _log_uniform(rng, plan.wide, int(wide.sum()))
        added, covered = self.drawn(diameter, self._stock.spacing_mm[rows[owner]])
        boxes, visible = _boxes_in_patch(covered), np.ones(len(owner), np.bool_)
        side = images.shape[-1]
        blurred = torch.nn.functional.avg_pool2d(images[:, None], 31, 1, 15, count_include_pad=False)[:, 0]
        for index, image in enumerate(owner):
            row = rows[image]
            place = self._places[row][rng.integers(len(self._places[row]))]
            top, left = (int(value) - PATCH_PX // 2 for value in place)
            ys, xs = slice(max(top, 0), min(top + PATCH_PX, side)), slice(max(left, 0), min(left + PATCH_PX, side))
            patch = added[index, ys.start - top : ys.stop - top, xs.start - left : xs.stop - left]
            gain = float(contrast[index] * self._stock.unit[row])
            bright = self._bright[row]
            # Films saturate towards white: behind heart and diaphragm the same attenuation adds less brightness.
            slope = ((1 - blurred[image, ys, xs]) / max(1 - bright, 0.05)).clamp(0.1, 1.2)
            visible[index] = float(slope.mean()) >= LEAST_SLOPE or rng.random() < SHOWN_IN_WHITE
            if not visible[index]:
                continue
            images[image, ys, xs] += patch * gain * slope
            boxes[index] += np.array([left, top, left, top], np.float32)
            visible[index] = boxes[index, 2] > boxes[index, 0]
        images.clamp_(0, 1)
        return owner[visible], np.clip(boxes[visible], 0, side)

    def drawn(
        self, diameter_mm: np.ndarray[Any, Any], spacing_mm: np.ndarray[Any, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what each nodule adds (mean 1) and covers, (n, PATCH_PX, PATCH_PX), turned and stretched at random."""
        rng, count = self._rng, len(diameter_mm)
        near = np.abs(np.log(self._own_mm[None] / np.minimum(diameter_mm, 20)[:, None]))
        picked = np.array([rng.choice(np.flatnonzero(row <= max(np.sort(row)[60], 0.35))) for row in near])
        turn, stretch = rng.uniform(0, 2 * math.pi, count), np.exp(rng.normal(0, 0.12, count))
        # Patch pixels to shadow pixels, in the normalised coordinates of grid_sample.
        scale = (SHADOW_PX / 2) / diameter_mm * PATCH_PX / SHADOW_PX
        theta = np.zeros((count, 2, 3), np.float32)
        x, y = scale * spacing_mm[:, 1], scale * spacing_mm[:, 0]
        mirrored = np.where(rng.random(count) < 0.5, -1.0, 1.0)
        theta[:, 0, 0], theta[:, 0, 1] = np.cos(turn) * x * stretch * mirrored, -np.sin(turn) * y * stretch
        theta[:, 1, 0], theta[:, 1, 1] = np.sin(turn) * x / stretch * mirrored, np.cos(turn) * y / stretch
        grid = torch.nn.functional.affine_grid(
            torch.from_numpy(theta).to(self._device), [count, 1, PATCH_PX, PATCH_PX], align_corners=False
        )
        index = torch.from_numpy(picked).to(self._device)
        stack = torch.stack([self._excess[index].float(), self._silhouette[index].float()], dim=1)
        drawn = torch.nn.functional.grid_sample(stack, grid, align_corners=False)
        sharpness = torch.from_numpy(np.exp(rng.normal(0, 0.3, count)).astype(np.float32)).to(self._device)
        added, covered = drawn[:, 0].clamp(min=0) ** sharpness[:, None, None], drawn[:, 1] > 0.5
        mean = (added * covered).sum((1, 2)) / covered.sum((1, 2)).clamp(min=1)
        return added / mean.clamp(min=1e-3)[:, None, None], covered

    def _black_corners(self, images: torch.Tensor) -> None:
        """Blacken corners of half of the images: burnt-in text is blacked out on some sources and not on others."""
        side = images.shape[-1]
        for index in np.flatnonzero(self._rng.random(len(images)) < 0.5):
            for _ in range(int(self._rng.integers(1, 4))):
                height, width = (int(v * side) for v in self._rng.uniform((0.01, 0.03), (0.09, 0.22)))
                top = 0 if self._rng.random() < 0.6 else side - height
                left = 0 if self._rng.random() < 0.5 else side - width
                images[index, top : top + height, left : left + width] = 0

    def _moved(
        self, images: torch.Tensor, owner: np.ndarray[Any, Any], boxes: np.ndarray[Any, Any]
    ) -> tuple[torch.Tensor, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return images turned, scaled, shifted and mirrored at random, and the boxes that are still inside."""
        rng, count, side = self._rng, len(images), images.shape[-1]
        angle = np.radians(rng.uniform(-9, 9, count))
        zoom = np.exp(rng.uniform(-0.2, 0.2, count))
        aspect = np.exp(rng.normal(0, 0.04, count))
        mirrored = np.where(rng.random(count) < 0.5, -1.0, 1.0)
        # ``matrix`` maps positions of the new image to the old one, both in -1..1.
        matrix = np.zeros((count, 2, 2))
        matrix[:, 0, 0], matrix[:, 0, 1] = np.cos(angle) * mirrored * aspect, -np.sin(angle) * mirrored * aspect
        matrix[:, 1, 0], matrix[:, 1, 1] = np.sin(angle) / aspect, np.cos(angle) / aspect
        matrix /= zoom[:, None, None]
        shift = rng.uniform(-0.12, 0.12, (count, 2))
        theta = np.concatenate([matrix, shift[:, :, None]], axis=2).astype(np.float32)
        grid = torch.nn.functional.affine_grid(
            torch.from_numpy(theta).to(self._device), [count, 1, side, side], align_corners=False
        )
        moved = torch.nn.functional.grid_sample(images[:, None], grid, align_corners=False)[:, 0]
        inverse = np.linalg.inv(matrix)
        centre = (boxes[:, :2] + boxes[:, 2:]) / side - 1
        half = (boxes[:, 2:] - boxes[:, :2]) / 2
        new = (inverse[owner] @ (centre - shift[owner])[:, :, None])[:, :, 0]
        # Nodules are near to ellipses: the box of a turned ellipse, not of a turned box.
        reach = np.sqrt((inverse[owner] ** 2 @ (half**2)[:, :, None])[:, :, 0])
        middle = (new + 1) / 2 * side
        edges = np.concatenate([middle - reach, middle + reach], axis=1)
        cut = np.clip(edges, 0, side)
        share = np.prod(cut[:, 2:] - cut[:, :2], axis=1) / np.maximum(np.prod(2 * reach, axis=1), 1e-6)
        visible = share > 0.5
        return moved, owner[visible], cut[visible].astype(np.float32)

    def _exposed(self, images: torch.Tensor) -> torch.Tensor:
        """Return images with other gamma, window, sharpness and noise."""
        rng, count = self._rng, len(images)

        def column(values: np.ndarray[Any, Any]) -> torch.Tensor:
            return torch.from_numpy(values.astype(np.float32)).to(self._device)[:, None, None]

        images = images.clamp(0, 1) ** column(np.exp(rng.uniform(-0.35, 0.35, count)))
        images = (images - 0.5) * column(rng.uniform(0.75, 1.2, count)) + 0.5 + column(rng.uniform(-0.1, 0.1, count))
        soft = torch.nn.functional.avg_pool2d(images[:, None], 3, 1, 1, count_include_pad=False)[:, 0]
        images = images + column(rng.choice([-0.8, -0.4, 0, 0, 0.4], count)) * (images - soft)
        noise = column(np.abs(rng.normal(0, 0.012, count)))
        return (images + noise * torch.randn_like(images)).clamp(0, 1)


def _boxes_in_patch(covered: torch.Tensor) -> np.ndarray[Any, Any]:
    """Return the bounding box of each silhouette, (n, 4) float32; an empty one has no width."""
    ends = []
    for axis in (1, 2):
        hit = covered.any(dim=axis).cpu().numpy()
        first = hit.argmax(axis=1)
        last = hit.shape[1] - hit[:, ::-1].argmax(axis=1)
        ends.append((np.where(hit.any(axis=1), first, 0), np.where(hit.any(axis=1), last, 0)))
    (left, right), (top, bottom) = ends
    return np.stack([left, top, right, bottom], axis=1).astype(np.float32)


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float], count: int) -> np.ndarray[Any, Any]:
    return np.asarray(np.exp(rng.uniform(math.log(bounds[0]), math.log(bounds[1]), count)))
