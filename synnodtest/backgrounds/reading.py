"""Words that all readers share: a manifest's on a file, and a file's own."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.geometry import FloatArray

ACCEPTABLE = ("size", "brightness", "orientation", "polarity", "modality", "body_part", "view", "intent")
"""Checks that the manifest's column ``accept`` may name: someone has looked and waives it for one file."""


@dataclass(frozen=True)
class Given:
    """The manifest's word on one radiograph; it wins over the file.

    Args:
        spacing_mm: ``(row, column)`` of the pixels as stored.
        bits: Bits that the stored integers use. Of a DICOM file it also says that its window is not to be used.
        polarity: ``inverted`` if air is bright in the file as read otherwise, ``normal`` if someone looked at it.
        rotate_deg: Degrees clockwise by which the stored picture must be turned to stand upright.
        accept: Names of :data:`ACCEPTABLE`.
    """

    spacing_mm: tuple[float, float] | None = None
    bits: int | None = None
    polarity: str = ""
    rotate_deg: int | None = None
    accept: frozenset[str] = frozenset()


FILE_ALONE = Given()
"""No manifest: the file speaks for itself."""


@dataclass(frozen=True, eq=False)
class Stored:
    """A file as its format says it is to be shown.

    Args:
        pixels: float32, H x W, 0..1, air dark.
        spacing_mm: ``(row, column)``, or None if the file gives none.
        notes: What was corrected or applied, in plain words, for the record.
        instance: Key of the DICOM instance, from its SOP Instance UID.
    """

    pixels: FloatArray
    spacing_mm: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    instance: str = ""
