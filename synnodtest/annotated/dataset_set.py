"""An annotated data set on disk, in any layout, as annotated radiographs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from synnodtest.annotated.sets import Case
from synnodtest.backgrounds.folder_files import MasksBeside
from synnodtest.backgrounds.readers import read_mask
from synnodtest.datasets import AnnotatedBox, AnnotatedImage, Dataset, load_image, read_dataset
from synnodtest.geometry import BoolArray, ellipse_in, equal_area_diameter_mm
from synnodtest.radiograph import Radiograph, Truth


class DatasetSet:
    """The images of a data set with their boxes as truth.

    A box is all that most data sets know of a nodule: the truth mask is the ellipse in the box, the diameter that of
    the disc of the same area, unless the data set gives a measured one. The box itself, which need not lie on whole
    pixels, is kept as ``requested["annotated_box"]``.

    Args:
        dataset: What :func:`synnodtest.datasets.read_dataset` returned, or a folder for it.
        regions: Read the region masks beside the images too.
    """

    def __init__(self, dataset: Dataset | str | Path, *, regions: bool = False) -> None:
        self.dataset = dataset if isinstance(dataset, Dataset) else read_dataset(dataset)
        self._images = {image.id: image for image in self.dataset.images}
        self._masks = MasksBeside() if regions else None
        self.name = self.dataset.name

    @property
    def cases(self) -> Sequence[Case]:
        """One case per image; without a patient each image is its own cluster."""
        return [Case(image.id, image.cluster, image.exhaustive) for image in self._images.values()]

    def load(self, case: Case) -> Radiograph:
        """Return the radiograph with its annotated nodules.

        Raises:
            BackgroundError: the image is truncated, or a box leaves it; names file and line.
        """
        return self.read(self._images[case.id])

    def read(self, image: AnnotatedImage) -> Radiograph:
        """Return what :meth:`load` returns of an image's case."""
        radiograph = load_image(image)
        return replace(
            radiograph,
            background=image.id,
            patient=image.cluster,
            strata=dict(image.strata),
            regions=self._regions_of(image, radiograph.shape),
            nodules=tuple(_truth(box, radiograph) for box in image.boxes),
        )

    def _regions_of(self, image: AnnotatedImage, shape: tuple[int, int]) -> dict[str, BoolArray]:
        paths = {} if self._masks is None else self._masks.of(image.path)
        read = {region: read_mask(path, shape, image.given.rotate_deg) for region, path in paths.items()}
        return {region: mask for region, mask in read.items() if mask.any()}


def _truth(annotated: AnnotatedBox, radiograph: Radiograph) -> Truth:
    height, width = radiograph.shape
    x_min, y_min, x_max, y_max = annotated.box
    left, top = min(round(x_min), width - 1), min(round(y_min), height - 1)
    right, bottom = max(min(round(x_max), width), left + 1), max(min(round(y_max), height), top + 1)
    area = math.pi / 4 * (x_max - x_min) * (y_max - y_min)
    diameter = annotated.diameter_mm or equal_area_diameter_mm(area, radiograph.spacing_mm)
    contrast = math.nan if annotated.contrast is None else annotated.contrast
    crop = ellipse_in((left, top, right, bottom), (top, bottom), (left, right))
    crop[(bottom - top) // 2, :] = crop[:, (right - left) // 2] = True
    return Truth("nodule", crop, (top, left), diameter, contrast, {"annotated_box": list(annotated.box)})
