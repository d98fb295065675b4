"""The pixels of an annotated image, its boxes held against them."""

from __future__ import annotations

from synnodtest.backgrounds.readers import read_radiograph
from synnodtest.datasets.records import AnnotatedBox, AnnotatedImage
from synnodtest.errors import BackgroundError
from synnodtest.radiograph import Radiograph

__all__ = ["check_box", "load_image"]

EDGE_PX = 1.0
"""A box may pass the image's edge by this much (rounding)."""


def load_image(image: AnnotatedImage) -> Radiograph:
    """Return the radiograph of an annotated image, without truth.

    Raises:
        BackgroundError: the file cannot be read, or a box leaves it; names the file, and the line of the box.
    """
    try:
        radiograph = read_radiograph(image.path, spacing_mm=image.spacing_mm, bits=image.bits)
    except BackgroundError as error:
        where = f" (listed in {image.where})" if image.where and str(image.path) not in image.where else ""
        raise BackgroundError(f"{error.message}{where}", hint=error.hint) from error
    for box in image.boxes:
        check_box(box, image, radiograph.shape)
    return radiograph


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
