"""Nodules that two readers marked: boxes of one image that nearly coincide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from synnodtest.counted import counted
from synnodtest.datasets.records import AnnotatedImage
from synnodtest.geometry import iou

ALIKE = 0.5
"""Intersection over union from which two boxes of one image are taken for marks of the same nodule: nodules that touch
share far less, and two readers' boxes of one nodule rarely less."""


def notes_on_twins(images: Iterable[AnnotatedImage]) -> Iterator[str]:
    """Yield a note for every image in which two boxes nearly coincide."""
    for image in images:
        twins = sum(iou(one.box, other.box) >= ALIKE for one, other in combinations(image.boxes, 2))
        if twins:
            pairs = counted(twins, "pair")
            yield (
                f"{image.id}: {pairs} of boxes nearly coincide, as where several readers marked one nodule; each "
                "counts as a nodule of its own: keep one of them"
            )
