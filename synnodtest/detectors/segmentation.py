"""Findings in DICOM segmentations: ``--detector dicom-seg:PATH``, a file or a folder of them.

Binary, fractional and label map segmentations. Each segment on one image is a finding, its box that of its mask; a
segment of several separate parts is a finding per part, unless it is tracked (Tracking UID) and so one thing. Of a
fractional segment the mask is what reaches half of the part's highest value. The score is the certainty that the
description or the label of the segment states, else of a fractional segment of probabilities the highest one, else 1.

What cannot be read for certain is refused in words: frames of a series, frames on several images or on none, tiles, a
grid that is not the image's, peaks that run into each other, segments of anatomy alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from synnodtest.detectors.dicom_findings import ObjectKind, Reading, code_of, named, referenced_uids, register_kind
from synnodtest.finding import Finding
from synnodtest.geometry import BoolArray, box_of_mask

NAME = "dicom-seg"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
_ANATOMY = {"123037004", "91723000", "T-D000A"}
"""Category codes of what is anatomy and no finding (CID 7150): Anatomical Structure, newer and older."""
_OWN_GRID = "export the mask on the image's own grid"
_TOUCHING = np.ones((3, 3), dtype=np.bool_)
"""Pixels that meet at a corner belong together."""


@dataclass(frozen=True)
class _Segment:
    """One segment: what it is called, whether it is anatomy, what certainty it states, whether it is one thing."""

    number: int
    names: tuple[str, ...]
    anatomy: bool
    certainty: float | None
    tracked: bool


def _read(seg: Reading) -> None:
    """Take the findings of one segmentation."""
    data = seg.data
    if data.get("DimensionOrganizationType") == "TILED_FULL" or "TotalPixelMatrixColumns" in data:
        raise seg.fail("tiles of a whole slide: a radiograph has one frame", _OWN_GRID)
    segments = [_segment(seg, item) for item in data.SegmentSequence]
    seg.algorithm = _algorithm(data)
    for uid in referenced_uids(data):
        seg.findings.setdefault(uid, [])
    segments_kept = {segment.number: segment for segment in segments if seg.keeps(segment.names)}
    if not segments_kept and segments and all(segment.anatomy for segment in segments):
        raise seg.fail(
            f"all of its segments are anatomy ({', '.join(s.names[0] for s in segments)}): no answer of a detector",
            "leave it out of the folder, or name the segmentation of the findings",
        )
    frames_seen: set[tuple[str, int]] = set()
    for uid, number, values in _masks(seg):
        if (uid, number) in frames_seen:
            raise seg.fail(f"segment {number} has two frames on one image", "export one frame per segment and image")
        frames_seen.add((uid, number))
        findings = seg.findings.setdefault(uid, [])
        if number in segments_kept:
            findings += _found(seg, segments_kept[number], values)
    seg.shapes = dict.fromkeys(seg.findings, (int(data.Rows), int(data.Columns)))


def _segment(seg: Reading, item: Any) -> _Segment:
    label, text = str(item.get("SegmentLabel", "")), str(item.get("SegmentDescription", ""))
    names = (code_of(item, "SegmentedPropertyTypeCodeSequence", "CodeMeaning"), label)
    certainty = seg.certainty(f"{label}\n{text}", f"segment {item.SegmentNumber}: ")
    called = tuple(filter(None, names)) or (f"segment {item.SegmentNumber}",)
    anatomy = code_of(item, "SegmentedPropertyCategoryCodeSequence") in _ANATOMY
    return _Segment(int(item.SegmentNumber), called, anatomy, certainty, "TrackingUID" in item)


def _algorithm(data: Any) -> str:
    """Return name and version of the algorithm; of several, all."""
    names = []
    for item in data.SegmentSequence:
        about = item.get("SegmentationAlgorithmIdentificationSequence")
        if about:
            names.append(named(about[0].get("AlgorithmName", ""), about[0].get("AlgorithmVersion", "")))
        else:
            names.append(named(item.get("SegmentAlgorithmName", "")))
    return ", ".join(dict.fromkeys(name for name in names if name))


def _masks(seg: Reading) -> Iterator[tuple[str, int, NDArray[Any]]]:
    """Yield image, segment and values of every frame; of a label map, of every segment in it."""
    from pydicom.pixels.utils import iter_pixels

    data = seg.data
    groups = list(data.get("PerFrameFunctionalGroupsSequence") or ())
    shared = (data.get("SharedFunctionalGroupsSequence") or [None])[0]
    for number, values in enumerate(iter_pixels(data)):
        of_frame = [group for group in (groups[number] if number < len(groups) else None, shared) if group is not None]
        uid = _image_of(seg, of_frame, number + 1)
        if data.SOPClassUID == LABEL_MAP:
            for item in data.SegmentSequence:
                yield uid, int(item.SegmentNumber), values == int(item.SegmentNumber)
        else:
            identified = _first(of_frame, "SegmentIdentificationSequence")
            yield uid, int(identified.ReferencedSegmentNumber), values


def _first(groups: Sequence[Any], name: str) -> Any:
    """Return the first item of the functional group of a frame, its own before the shared one; None without."""
    return next((group.get(name)[0] for group in groups if group.get(name)), None)


def _image_of(seg: Reading, groups: Sequence[Any], number: int) -> str:
    """Return the UID of the image that a frame lies on: its source image, else the only one that the file names."""
    derived = [item for group in groups for item in group.get("DerivationImageSequence") or ()]
    sources = [source for item in derived for source in item.get("SourceImageSequence") or ()]
    for source in sources:
        seg.check_frame(source, f"frame {number} lies")
        if str(source.get("SpatialLocationsPreserved", "YES")) != "YES":
            raise seg.fail(f"frame {number} is not on the pixels of its image", _OWN_GRID)
    uids = {str(source.ReferencedSOPInstanceUID) for source in sources} or set(referenced_uids(seg.data))
    if len(uids) != 1:
        raise seg.fail(
            f"frame {number} lies on {len(uids) or 'no'} images: it cannot be told which pixels it means",
            "export frames that name the one image they were made from",
        )
    return uids.pop()


def _found(seg: Reading, segment: _Segment, values: NDArray[Any]) -> list[Finding]:
    """Return the findings of a segment on one image."""
    inside = np.asarray(values > 0)
    parts, count = (inside.astype(np.int8), int(inside.any())) if segment.tracked else _separate(inside)
    findings = []
    for part in range(1, count + 1):
        mask = parts == part
        highest = float(values[mask].max())
        core = mask & (values >= highest / 2)
        if not segment.tracked and _separate(core)[1] > 1:
            raise seg.fail(
                f"segment {segment.number} ({segment.names[0]}) has several peaks that run into each other",
                "export a segment per finding, or a binary mask",
            )
        box = box_of_mask(core)
        assert box is not None
        findings.append(Finding(box, _score(segment, highest, seg.data)))
    return findings


def _separate(inside: BoolArray) -> tuple[NDArray[Any], int]:
    labelled, count = scipy.ndimage.label(inside, structure=_TOUCHING)
    return labelled, int(count)


def _score(segment: _Segment, highest: float, data: Any) -> float:
    if segment.certainty is not None:
        return segment.certainty
    if data.get("SegmentationType") == "FRACTIONAL" and data.get("SegmentationFractionalType") == "PROBABILITY":
        return highest / float(data.MaximumFractionalValue)
    return 1.0


register_kind(
    ObjectKind(NAME, "segmentation", {SEGMENTATION: "Segmentation", LABEL_MAP: "Label Map Segmentation"}, _read)
)
