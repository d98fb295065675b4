"""The page of what is read, refused and noted, by format, made from the tables that the readers themselves use.

``python -m synnodtest.backgrounds.formats_page > docs/formats.md`` writes it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

from synnodtest.backgrounds import columns, depth, dicom_header, dicom_range, dicom_spacing, manifest, metaimage

from synnodtest.backgrounds import mha, file_formats, plausible, reading, tables  # isort: skip
from synnodtest.backgrounds.annotations import UNREAD
from synnodtest.backgrounds.folder_files import UNREAD_PICTURES
from synnodtest.backgrounds.other_annotations import OTHER_FORMS
from synnodtest.text_files import TEXT_ENCODINGS

_BITS = ", ".join(map(str, depth.DEPTHS))
_RASTER = (
    ("read", "grey, or colour whose channels are equal, with an opaque alpha channel or none; 8 and 16 bits"),
    ("read", f"16-bit PNG by the smallest of {_BITS} bits that holds its largest value, or the manifest's `bits`"),
    ("refused", "another number of pixels than the header says, a wrong checksum, no palette, truncation"),
    ("refused", "colour, transparency, several pictures, 16-bit colour, no spacing in the manifest"),
    ("refused", "a manifest's `bits` other than 8 for an 8-bit file"),
    ("refused", "EXIF turns by 90 degrees where x and y differ, and any beside masks"),
    (
        "noted",
        "EXIF orientation (applied), `bits` above what the largest value needs, films of a set of different depths",
    ),
)
_METAIMAGE = (
    (
        "read",
        f"one grey plane of {', '.join(sorted(mha.KNOWN_TYPES))}, either byte order, zlib or raw",
    ),
    ("read", f"integers by the smallest of {_BITS} bits that holds the largest value; floats of 0..1"),
    ("refused", f"Modality other than {', '.join(name for name in metaimage.MODALITIES if name)}; units other than mm"),
    ("refused", "ElementToIntensityFunction, text pixels, more or fewer pixels than DimSize says, volumes, colour"),
    (
        "refused",
        f"negative values; floats beyond 0..1 by more than {depth.OVERSHOOT:.0%} unless the manifest gives `bits`",
    ),
    ("noted", "floats beyond 0..1 that were clipped; a TransformMatrix that is not the identity (not applied)"),
)
_DICOM = (
    (
        "read",
        "one grey frame, MONOCHROME1 or 2; modality LUT or rescale, then VOI LUT, else the first window, else the bits",
    ),
    ("read", f"windows by {', '.join(dicom_range.FUNCTIONS)}; with the manifest's `bits` the stored bits alone"),
    ("read", "BitsStored and HighBit are obeyed; overlays in unused bits are cut off, with a note"),
    (
        "refused",
        "bits set outside BitsStored and HighBit; more or fewer pixels than Rows times Columns; decoder warnings",
    ),
    ("refused", "a table with another number of entries than it says, RescaleSlope 0, an unknown VOILUTFunction"),
    ("refused", "signed pixels that use less than half of their range, some of them negative, without a window"),
    ("noted", "MONOCHROME1 (inverted), padding (made black), window, VOI and modality LUT, rescale"),
    (
        "noted",
        "a range other than the stated one: that of the bits that hold every value, or of a table's largest entry; "
        "films of a set of one BitsStored and different depths",
    ),
    ("noted", f"words of pictures of a part alone: {', '.join(sorted(dicom_header.PARTS))}"),
    ("noted", "a window that cannot be used, the first of several windows, PresentationLUTShape that contradicts"),
)
_MANIFEST = (
    ("read", f"`{'`, `'.join(manifest.NAMES)}`, in {', '.join(TEXT_ENCODINGS)}; parted by commas, semicolons or tabs"),
    ("read", "columns whatever their case and separators (`Patient ID`, `patient_id`, `PatientID`), see below"),
    ("refused", "a column whose name is nearly one of them, two that mean the same, impossible values"),
    ("refused", "lung masks that fit the lungs in the picture better upside down, mirrored, transposed or turned"),
    ("noted", "lung masks that have little in common with the lungs in the picture; `left_lung` on the picture's left"),
    ("noted", "files that it does not list; radiographs that it lists though one of its columns names a nodule"),
)
_TABLES = (
    ("read", f"all {' and '.join(tables.SUFFIXES)} files, COCO's JSON, YOLO's labels, beside the radiographs, above "
     "or in `annotations`"),
    ("read", "images by their stems, under any extension; boxes, labels, classes, findings; without a table the names "
     "of NODE21 and JSRT"),
    ("read", "patients and views, where neither header nor manifest tells them: other views are left out, with a note"),
    ("read", "sentences of reports, of which one that tells of a nodule counts; labels of studies (MIMIC-CXR)"),
    ("read", "any column of a table that has none of these; masks of nodules (`<stem>.nodule.png`) that are not empty"),
    ("refused", "a table without a line of column names, or with a column that tells something twice"),
    ("refused", "a table that names images of which none is here; boxes whose class is only a number"),
    ("refused", f"{', '.join(OTHER_FORMS)} files that speak of nodules in these radiographs and are none of the above"),
    ("noted", "films left out because the names of their files hold a view spelt out, such as `lateral`"),
    ("noted", "a table that names radiographs and whose columns tell no nodule"),
    ("noted", f"{', '.join(UNREAD_PICTURES)} files beside radiographs: formats that are not read"),
    ("noted", f"how many radiographs were left out; {', '.join(UNREAD)} files, which are not read"),
)  # fmt: skip


def formats_page() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Formats"
    yield ""
    yield "What is read, refused and noted, by format. Made by `python -m synnodtest.backgrounds.formats_page` from"
    yield "the tables that the readers use. Notes stand in `results.json` (`backgrounds`, `notes`), the report and the"
    yield "terminal; every refusal names the file and what to write into the manifest."
    yield ""
    yield f"Suffixes: `{'`, `'.join(file_formats.BUILT_IN)}`; DICOM files are known by their mark, whatever their name."
    for title, rows in (
        ("PNG, JPEG", _RASTER),
        ("MHA, MHD", _METAIMAGE),
        ("DICOM", _DICOM),
        ("Manifest", _MANIFEST),
        ("Annotations beside the radiographs", _TABLES),
    ):
        yield from _section(title, ("", "what"), rows)
    yield from _section("Which DICOM files are taken", ("header", "taken"), dicom_header.ALLOWED.items())
    yield ""
    yield "All others are left out of a set, with a note, and refused where they are read by name. The spacing:"
    yield ""
    yield from (f"- {rule}" for rule in dicom_spacing.RULES)
    yield from _section(
        "One check after reading, for every format", ("check", "plausible", "the manifest's word"), plausible.LIMITS
    )
    known = [(f"`{name}`", ", ".join(names)) for name, names in columns.COLUMNS.items()]
    yield from _section("Columns of a manifest", ("column", "known as (small letters, no separators)"), known)
    yield ""
    yield f"`accept` names checks that someone has looked at: {', '.join(reading.ACCEPTABLE)}."
    yield "`polarity` is `inverted` or `normal`; `rotate_deg` is 0, 90, 180 or 270, clockwise. `<region>_mask` names a"
    yield "mask; all other columns are strata. Left and right cannot be told from a picture: a mirrored one is read as"
    yield "any other."


def _section(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(cell.replace('|', ' or ') for cell in row)} |" for row in rows)


if __name__ == "__main__":
    sys.stdout.write(formats_page())
