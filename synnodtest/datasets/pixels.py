"""The pixels of an annotated image, its boxes held against them, and notes on the boxes of a set.

Marks of one nodule by two readers nearly coincide; boxes of smaller copies all lie in the upper left of their films.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from PIL import Image

from synnodtest.backgrounds.plausible import refuse_small_adult
from synnodtest.backgrounds.png_jpeg import EXIF_NOTE
from synnodtest.backgrounds.readers import TURNED_NOTE, read_as, read_pixels
from synnodtest.backgrounds.reading import FILE_ALONE
from synnodtest.counted import counted
from synnodtest.datasets.records import EDGE_PX, AnnotatedBox, AnnotatedImage
from synnodtest.errors import BackgroundError
from synnodtest.geometry import Spacing, iou
from synnodtest.radiograph import Radiograph

SMALLEST_SHARE, LARGEST_SHARE = 0.1, 3.0
"""Of the sides of its box that a measured diameter can be: one in cm is a tenth at most, by readers' margins less."""
ENOUGH_BOXES, MANY_BOXES = 3, 8
"""So many boxes that are all of one odd form are no chance; so many do not all lie in one quarter of their films."""


def load_image(image: AnnotatedImage) -> Radiograph:
    """Return the radiograph of an annotated image, without truth.

    Raises:
        BackgroundError: the file cannot be read, or a box leaves it; names the file, and the line of the box.
    """
    try:
        radiograph = read_as(image.path, image.given)
        refuse_small_adult(image.path, radiograph.notes, image.strata.get("age", ""))
        _refuse_turned(image, radiograph)
        _refuse_resized(image, radiograph)
    except BackgroundError as error:
        where = f" (listed in {image.where})" if image.where and str(image.path) not in image.where else ""
        raise BackgroundError(f"{error.message}{where}", hint=error.hint) from error
    for box in image.boxes:
        check_box(box, image, radiograph.shape)
        _check_diameter(box, radiograph.spacing_mm)
    return radiograph


def _refuse_turned(image: AnnotatedImage, radiograph: Radiograph) -> None:
    """Boxes of a picture that was turned may be meant before or after the turn."""
    turned = next((note for note in radiograph.notes if note.startswith((EXIF_NOTE, TURNED_NOTE))), "")
    if turned and image.boxes:
        raise BackgroundError(
            f"{image.path}: {turned}, and it is not clear whether its boxes are those of the turned picture",
            hint="save the picture upright, without an EXIF orientation, and draw the boxes on that",
        )


def _refuse_resized(image: AnnotatedImage, radiograph: Radiograph) -> None:
    """Boxes of a picture that was resized after they were drawn lie elsewhere."""
    if image.declared is not None and image.boxes and image.declared != radiograph.shape:
        (height, width), (rows, columns) = image.declared, radiograph.shape
        raise BackgroundError(
            f"{image.path}: {columns} x {rows} pixels, and its boxes are those of {width} x {height}",
            hint="give the images that were annotated, or scale boxes, width and height to these",
        )


def _check_diameter(box: AnnotatedBox, spacing_mm: Spacing) -> None:
    """Refuse a diameter that its box cannot have, as one in cm."""
    if box.diameter_mm is None:
        return
    sides = (box.box[2] - box.box[0]) * spacing_mm[1], (box.box[3] - box.box[1]) * spacing_mm[0]
    if not min(sides) * SMALLEST_SHARE <= box.diameter_mm <= max(sides) * LARGEST_SHARE:
        raise BackgroundError(
            f"{box.where}: a diameter of {box.diameter_mm:g} mm in a box of {sides[0]:.3g} x {sides[1]:.3g} mm",
            hint="diameter_mm is in mm, boxes in pixels of the image; is the image's spacing right?",
        )


def check_box(box: AnnotatedBox, image: AnnotatedImage, shape: tuple[int, int]) -> None:
    """Refuse a box that leaves its image.

    Raises:
        BackgroundError: it does; names the line.
    """
    height, width = shape
    if box.box[2] > width + EDGE_PX or box.box[3] > height + EDGE_PX:
        edges = ", ".join(f"{edge:g}" for edge in box.box)
        raise BackgroundError(
            f"{box.where}: the box ({edges}) leaves {image.path.name}, which is {width} x {height} pixels",
            hint="x, y are the top left corner, width and height the size, in pixels; is a column swapped?",
        )


def refuse_corners(boxes: Mapping[Path, Sequence[AnnotatedBox]], where: str, *, middle: bool = False) -> None:
    """Refuse boxes that were read as corner and size, or as middle and size, and look like two corners.

    A nodule is smaller than its distance from the left and upper edge, so that a width above x and a height above y in
    all boxes are those of the opposite corner. In small crops around nodules they are not: there many boxes read as
    corner and size all lie within their images, which two corners do in the upper left quarter alone.

    Args:
        boxes: Of a set, by image.
        where: For messages.
        middle: They were read as middle and size, and all lie within their images.

    Raises:
        BackgroundError: all of at least :data:`ENOUGH_BOXES` boxes do.
    """
    corners = [one.box for own in boxes.values() for one in own]
    part = 0.5 if middle else 0.0
    wide = all(high - low > low + part * (high - low) for b in corners for low, high in (b[::2], b[1::2]))
    crops = not middle and len(corners) >= MANY_BOXES and _all_inside(boxes)
    if len(corners) >= ENOUGH_BOXES and wide and not crops:
        raise BackgroundError(
            f"{where}: every box is wider and higher than its distance from the image's corner: x_max and y_max stand "
            "where width and height should",
            hint=f"x, y{' (the middle)' * middle}, width, height are wanted; boxes.csv may have x_min, y_min, x_max, "
            "y_max instead",
        )


def _all_inside(boxes: Mapping[Path, Sequence[AnnotatedBox]]) -> bool:
    """Return whether every box lies within its image; not so where an image is missing."""
    for path, own in boxes.items():
        if own and not path.is_file():
            return False
        width, height = size_of(path) if own else (0, 0)
        if any(one.box[2] > width + EDGE_PX or one.box[3] > height + EDGE_PX for one in own):
            return False
    return True


def size_of(path: Path) -> tuple[int, int]:
    """Return width and height in pixels, from the header where Pillow knows the file."""
    if path.suffix.lower() in (".png", ".jpg", ".jpeg"):
        try:
            with Image.open(path) as picture:
                return picture.size
        except (OSError, SyntaxError, ValueError) as error:
            raise BackgroundError(f"{path}: not a readable PNG or JPEG file") from error
    height, width = read_pixels(path, FILE_ALONE).shape
    return width, height


ALIKE = 0.5
"""Intersection over union from which two boxes of one image are taken for marks of the same nodule: nodules that touch
share far less, and two readers' boxes of one nodule rarely less."""
ENOUGH_CORNERED = 12
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
    if sum(len(image.boxes) for image in boxed) < ENOUGH_CORNERED:
        return
    ends: list[float] = []
    for image in boxed[:: -(-len(boxed) // MOST_FILMS)]:
        with contextlib.suppress(BackgroundError):  # loading tells
            width, height = size_of(image.path)
            ends += [max(one.box[2] / width, one.box[3] / height) for one in image.boxes]
        if max(ends, default=0) > CORNER:
            return
    if len(ends) >= ENOUGH_CORNERED:
        share = f"{max(ends):.0%}"
        yield f"all {len(ends)} boxes lie in the upper left {share} of their films: were they drawn on smaller copies?"
