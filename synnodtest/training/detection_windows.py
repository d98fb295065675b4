"""Random windows cut from a training batch, most of them around a nodule."""

from __future__ import annotations

from typing import Any

PER_IMAGE = 2
"""Windows per image; set by hand: more make more of an image once it is read, fewer leave a batch more varied."""
AROUND_A_NODULE = 0.75
"""Share of windows around a nodule, where there is one; set by hand: more teach less of what is none, fewer spend steps
on nothing."""
LEAST_VISIBLE = 0.4
"""A nodule of which less than this share of the box lies in the window is not labelled there."""


def windows_of_batch(batch: dict[str, Any], side: int) -> dict[str, Any]:
    """Return ``PER_IMAGE`` square windows of every image of an ultralytics batch, with their labels.

    Args:
        batch: ``img`` (B, C, H, W), ``bboxes`` (N, 4) as centre and size in shares of the image, ``cls`` (N, 1),
            ``batch_idx`` (N,).
        side: Of the windows in pixels, at most that of the images.

    Returns:
        The same four entries for B * PER_IMAGE windows. Randomness is torch's own, which the trainer seeds.
    """
    import torch

    images, boxes = batch["img"], batch["bboxes"]
    height, width = images.shape[-2:]
    scale = torch.tensor([width, height, width, height], dtype=boxes.dtype, device=boxes.device)
    centre, size = (boxes * scale).split(2, dim=1)
    edges = torch.cat([centre - size / 2, centre + size / 2], dim=1)
    cuts, labels, classes, owners = [], [], [], []
    for number in range(len(images) * PER_IMAGE):
        image = number // PER_IMAGE
        own = batch["batch_idx"] == image
        left, top = _corner(centre[own], (width, height), side)
        cuts.append(images[image, :, top : top + side, left : left + side])
        inside, visible = _visible(edges[own], left, top, side)
        labels.append(inside)
        classes.append(batch["cls"][own][visible])
        owners.append(torch.full((len(inside),), float(number), device=boxes.device))
    return {
        "img": torch.stack(cuts),
        "bboxes": torch.cat(labels),
        "cls": torch.cat(classes),
        "batch_idx": torch.cat(owners),
    }


def _corner(centres: Any, shape: tuple[int, int], side: int) -> tuple[int, int]:
    """Return the left and top of a window: around one of the nodules, or anywhere."""
    import torch

    rooms = [length - side for length in shape]
    if len(centres) and float(torch.rand(())) < AROUND_A_NODULE:
        chosen = centres[int(torch.randint(len(centres), ()))]
        jitter = (torch.rand(2) - 0.5) * 0.8 * side
        corner = [float(chosen[axis]) + float(jitter[axis]) - side / 2 for axis in (0, 1)]
    else:
        corner = [float(torch.rand(())) * room for room in rooms]
    left, top = (int(min(max(value, 0), room)) for value, room in zip(corner, rooms, strict=True))
    return left, top


def _visible(edges: Any, left: int, top: int, side: int) -> tuple[Any, Any]:
    """Return the boxes inside a window, as centre and size in shares of it, and which of ``edges`` they are."""
    import torch

    offset = torch.tensor([left, top, left, top], dtype=edges.dtype, device=edges.device)
    cut = (edges - offset).clamp(0, side)
    area = (edges[:, 2] - edges[:, 0]) * (edges[:, 3] - edges[:, 1])
    visible_area = (cut[:, 2] - cut[:, 0]) * (cut[:, 3] - cut[:, 1])
    visible = visible_area >= LEAST_VISIBLE * area.clamp(min=1e-6)
    cut = cut[visible] / side
    return torch.cat([(cut[:, :2] + cut[:, 2:]) / 2, cut[:, 2:] - cut[:, :2]], dim=1), visible
