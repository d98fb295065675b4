"""Notes on the boxes of a set: nodules that two readers marked, and boxes that were drawn on smaller copies of films.

Marks of one nodule nearly coincide; boxes of smaller copies all lie in the upper left of their films.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from synnodtest.counted import counted
from synnodtest.datasets.pixels import size_of
from synnodtest.datasets.records import AnnotatedImage
from synnodtest.errors import BackgroundError
from synnodtest.geometry import iou

ALIKE = 0.5
"""Intersection over union from which two boxes of one image are taken for marks of the same nodule: nodules that touch
share far less, and two readers' boxes of one nodule rarely less."""
ENOUGH_BOXES = 12
"""Two nodules in five end within :data:`CORNER` of the sides of their film; so many all do once in fifty thousand."""
CORNER = 0.65
"""Share of a film's sides within which all boxes of smaller copies end; set by hand above a half, the usual scale, and
below most nodules."""
MOST_FILMS = 30
"""Whose size is looked up."""


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


def notes_on_resized(images: Sequence[AnnotatedImage]) -> Iterator[str]:
    """Yield a note where all boxes lie in the upper left of their films."""
    boxed = [image for image in images if image.boxes and image.path.is_file()]
    if sum(len(image.boxes) for image in boxed) < ENOUGH_BOXES:
        return
    ends: list[float] = []
    for image in boxed[:: -(-len(boxed) // MOST_FILMS)]:
        with contextlib.suppress(BackgroundError):  # loading tells
            width, height = size_of(image.path)
            ends += [max(one.box[2] / width, one.box[3] / height) for one in image.boxes]
        if max(ends, default=0) > CORNER:
            return
    if len(ends) >= ENOUGH_BOXES:
        share = f"{max(ends):.0%}"
        yield f"all {len(ends)} boxes lie in the upper left {share} of their films: were they drawn on smaller copies?"
