"""Annotated films as the engine reads them: a background set whose radiographs carry real nodules as their truth."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.annotated.dataset_set import DatasetSet
from synnodtest.annotated.outlines import box_shares, profile_in_box, shrunk
from synnodtest.backgrounds.entries import Entry
from synnodtest.backgrounds.estimates import Estimates, estimator
from synnodtest.backgrounds.file_formats import reader_sha256
from synnodtest.backgrounds.films import Sight, sight_of, with_copies
from synnodtest.canonical import canonical_json, plain, sha256_of
from synnodtest.conspicuity import VERSION as VISIBILITY_VERSION
from synnodtest.conspicuity import Visibility, visibilities
from synnodtest.datasets import AnnotatedImage, Dataset, read_dataset
from synnodtest.datasets.split import of_split
from synnodtest.errors import BackgroundError
from synnodtest.evidence.clusters import with_copies_joined
from synnodtest.files import sha256_of_file
from synnodtest.geometry import Array, Box, ellipse_in, equal_area_diameter_mm
from synnodtest.identity import Identity
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.store import Store

LARGEST_MM = 45.0
"""Longest side of a box that is still a nodule's; larger ones are masses, and no synthesizer plants them."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RealNodule:
    """One annotated nodule.

    Args:
        name: Unique on its film.
        box: As annotated, ``(x_min, y_min, x_max, y_max)`` in pixels.
        outline: The nodule in it: the box without its annotators' margin.
        size_mm: Longest side of the box.
        diameter_mm: Of the disc as large as the ellipse in the outline.
        share: Outline over box.
    """

    name: str
    box: Box
    outline: Box
    size_mm: float
    diameter_mm: float
    share: float

    @property
    def counted(self) -> bool:
        """True where it is a nodule and no mass."""
        return self.size_mm <= LARGEST_MM


class AnnotatedFilms:
    """The films of an annotated data set that show a nodule, with regions and outlines.

    Margins of boxes are measured once on all films of the set (:mod:`synnodtest.annotated.outlines`), whatever the
    split, so that a split changes no outline.

    Args:
        dataset: The data set, or a folder for it.
        split: ``held-out``, ``train`` or ``all`` patients, or a share as ``held-out:0.5``.
        cache: Root of a store that keeps estimated regions and measured margins.
        share: Diameter of a nodule over that of its box where it is known; measured by default.
        progress: Called with films done and their number while margins are measured.

    Raises:
        BackgroundError: the set is malformed, no film shows a nodule, or none belongs to the split.
    """

    def __init__(
        self,
        dataset: Dataset | str | Path,
        *,
        split: str = "all",
        cache: Path | None = None,
        share: float | None = None,
        progress: Progress = lambda done, total: None,
    ) -> None:
        self._dataset = dataset if isinstance(dataset, Dataset) else read_dataset(dataset)
        self.name = self._dataset.name
        self._films = DatasetSet(self._dataset, regions=True)
        self._every = {image.id: image for image in self._dataset.images if image.boxes}
        self._kept = [image for image in self._every.values() if of_split(image.cluster, split)]
        self._estimates = Estimates(cache)
        self._store = None if cache is None else Store(cache)
        if not self._kept:
            what = "shows a nodule" if not self._every else f"with a nodule belongs to the split {split!r}"
            hint = "--split all" if self._every else ""
            raise BackgroundError(f"{self._dataset.folder}: no film {what}", hint=hint)
        self._digests = {image.id: sha256_of_file(image.path) for image in self._every.values()}
        self._spacings: dict[str, tuple[float, float]] = {}
        self._progress = progress
        self._share = share

    @cached_property
    def shares(self) -> Mapping[str, float]:
        """Diameter of the nodules over that of their boxes, by who annotated them."""
        profiles: dict[str, list[Array]] = {one.annotation: [] for image in self._every.values() for one in image.boxes}
        if self._share is not None:
            return dict.fromkeys(profiles, self._share)
        for number, image in enumerate(self._every.values()):
            for annotation, profile in self._profiles(image):
                profiles[annotation].append(profile)
            self._progress(number + 1, len(self._every))
        return box_shares(profiles)

    def measure_margins(self) -> None:
        """Measure them now, so that ``progress`` is called before anything else is read."""
        _ = self.shares

    @property
    def digests(self) -> Collection[str]:
        """The sha256 of the file of every film with a nodule, whatever the split."""
        return self._digests.values()

    @property
    def patients(self) -> Mapping[str, str]:
        """Patient, or "", of every film with a nodule, whatever the split."""
        return {name: image.patient for name, image in self._every.items()}

    @property
    def notes(self) -> Sequence[str]:
        """Notes on what the annotations leave open, what was left out and which films are copies, in plain words."""
        return [*self._dataset.notes, *self._films_shown[1]]

    @cached_property
    def sights(self) -> Mapping[str, Sight]:
        """Marks by which every film with a nodule is known, by name, whatever the split."""
        root = None if self._store is None else self._store.root
        return {
            name: sight_of(Entry(name, image.path, given=image.given), self._looks_key(image), root, True)
            for name, image in self._every.items()
        }

    @cached_property
    def _films_shown(self) -> tuple[Mapping[str, str], Sequence[str]]:
        return with_copies({image.id: self.sights[image.id] for image in self._kept}, self.patients)

    def _looks_key(self, image: AnnotatedImage) -> str:
        return sha256_of(["annotated looks", self._digests[image.id], *self._shown(image)])

    @cached_property
    def backgrounds(self) -> Sequence[Background]:
        """The films in the order of the data set; copies of one are of one patient."""
        films = self._films_shown[0]
        return with_copies_joined(
            [
                Background(image.id, image.cluster, dict(image.strata), self._content(image), films[image.id])
                for image in self._kept
            ]
        )

    @cached_property
    def identity(self) -> Identity:
        """Name, sha256 over the films and their boxes, and what is measured with."""
        return Identity(
            name=f"annotated:{self.name}",
            version="1",
            sha256=sha256_of(sorted(one.content for one in self.backgrounds)),
            configuration={"films": len(self._kept), "layout": self._dataset.layout, "region_estimator": estimator()},
        )

    def nodules(self, film: str) -> tuple[RealNodule, ...]:
        """Return every annotated nodule of a film, masses too, in the order of the data set."""
        image = self._every[film]
        spacing = self._spacing(film)
        return tuple(
            _real(f"nodule-{k}", one.box, self.shares[one.annotation], spacing) for k, one in enumerate(image.boxes)
        )

    def counted(self, film: str) -> tuple[RealNodule, ...]:
        """Return the nodules of a film without its masses."""
        return tuple(one for one in self.nodules(film) if one.counted)

    def exhaustive(self, film: str) -> bool:
        """Return whether every nodule of a film is marked."""
        return self._every[film].exhaustive

    def load(self, background: Background) -> Radiograph:
        """Return a film with its regions, without its truth, which no detector is to see.

        Raises:
            BackgroundError: the file is missing or unusable, or a box leaves it; names file and line.
        """
        return self._read(self._every[background.id])

    def marked(self, background: Background) -> Radiograph:
        """Return a film with, as truth, the outlines of its nodules of at most 45 mm; their contrast is NaN."""
        radiograph = self.load(background)
        truths = [_truth(one, radiograph) for one in self.counted(background.id)]
        return radiograph.with_pixels(radiograph.pixels, tuple(truths))

    def seen(self, background: Background) -> tuple[Visibility, ...]:
        """Return how visible each nodule of at most 45 mm is on its film."""
        key = sha256_of(["seen", VISIBILITY_VERSION, background.content])

        def measured() -> bytes:
            rows = [plain((one.contrast, one.conspicuity)) for one in visibilities(self.marked(background))]
            return canonical_json(rows).encode()

        rows = self._kept_in_store("visibility", key, measured)
        return tuple(Visibility(*(math.nan if v is None else v for v in row)) for row in rows)

    def _kept_in_store(self, kind: str, key: str, make: Callable[[], bytes]) -> list[Any]:
        """Return what is made, or was made before where there is a store."""
        packed = make() if self._store is None else self._store.obtain(kind, key, make)
        return list(json.loads(packed))

    def _read(self, image: AnnotatedImage) -> Radiograph:
        radiograph = replace(self._films.read(image), nodules=())
        told = ["structures", self._digests[image.id], self._spacing(image.id), *self._shown(image), estimator()]
        return self._estimates.completed(radiograph, sha256_of(told))

    def _shown(self, image: AnnotatedImage) -> list[object]:
        """Return what changes the pixels: what a manifest says of them, beside their spacing, and an added reader."""
        told = [image.given.bits, image.given.polarity == "inverted", image.given.rotate_deg]
        return [part for part in (told if any(told) else None, reader_sha256(image.path)) if part]

    def _spacing(self, film: str) -> tuple[float, float]:
        if film not in self._spacings:
            spacing_mm = self._every[film].given.spacing_mm
            self._spacings[film] = spacing_mm or self._films.read(self._every[film]).spacing_mm
        return self._spacings[film]

    def _content(self, image: AnnotatedImage) -> str:
        boxes = [[*one.box] for one in image.boxes]
        shares = [round(self.shares[one.annotation], 6) for one in image.boxes]
        parts = ["annotated", self._digests[image.id], self._spacing(image.id), boxes, shares, estimator()]
        return sha256_of([*parts, *self._shown(image)])

    def _profiles(self, image: AnnotatedImage) -> list[tuple[str, Array]]:
        """Return who annotated and the profile of each counted box, from the store where it is there."""
        boxes = [list(one.box) for one in image.boxes]
        parts = ["profiles", VISIBILITY_VERSION, self._digests[image.id], boxes, estimator()]
        parts += [self._spacing(image.id), *self._shown(image)]
        kept = self._kept_in_store(
            "profiles", sha256_of(parts), lambda: _packed(self._read(image), [one.box for one in image.boxes])
        )
        rows = zip(image.boxes, kept, strict=True)
        return [(one.annotation, np.asarray(row, dtype=np.float64)) for one, row in rows if row is not None]


def _packed(radiograph: Radiograph, boxes: Sequence[Box]) -> bytes:
    """Return the profile of each box as JSON, null for masses; NaN, which JSON has not, as null too."""
    rows: list[list[float | None] | None] = []
    for box in boxes:
        counted = _longest_mm(box, radiograph.spacing_mm) <= LARGEST_MM
        rows.append(plain(profile_in_box(radiograph, box)) if counted else None)
    return canonical_json(rows).encode()


def _longest_mm(box: Box, spacing_mm: tuple[float, float]) -> float:
    return max((box[2] - box[0]) * spacing_mm[1], (box[3] - box[1]) * spacing_mm[0])


def _real(name: str, box: Box, share: float, spacing_mm: tuple[float, float]) -> RealNodule:
    outline = shrunk(box, share)
    area = math.pi / 4 * (outline[2] - outline[0]) * (outline[3] - outline[1])
    diameter = equal_area_diameter_mm(area, spacing_mm)
    return RealNodule(name, box, outline, _longest_mm(box, spacing_mm), diameter, share)


def _truth(real: RealNodule, radiograph: Radiograph) -> Truth:
    """Return the ellipse in the outline as truth; at least one pixel."""
    height, width = radiograph.shape
    x_min, y_min, x_max, y_max = real.outline
    left, top = min(max(math.floor(x_min), 0), width - 1), min(max(math.floor(y_min), 0), height - 1)
    right, bottom = max(min(math.ceil(x_max), width), left + 1), max(min(math.ceil(y_max), height), top + 1)
    crop = ellipse_in(real.outline, (top, bottom), (left, right))
    crop[crop.shape[0] // 2, crop.shape[1] // 2] = True
    asked = {"annotated_box": list(real.box), "diameter_mm": real.diameter_mm}
    return Truth(real.name, crop, (top, left), real.diameter_mm, math.nan, asked)
