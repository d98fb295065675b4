"""The manifest of a background set: ``manifest.csv``, ``.tsv`` or ``.yaml``.

Columns (CSV) or keys (YAML, a list of mappings): ``file`` (relative to the manifest's folder), ``patient``,
``view``, ``sex``, ``age``, ``mm_per_px_x``, ``mm_per_px_y`` or ``pixel_spacing`` (row and column), ``bits`` (of the
stored integers, where it cannot be told from the largest value), ``polarity``, ``rotate_deg``, ``accept`` (checks that
someone has looked at), and ``<region>_mask`` for every mask; :mod:`.columns` says how they may be written. All other
columns are kept as strata.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import yaml

from synnodtest.backgrounds.columns import COLUMNS, MASK_COLUMN, canonical_columns, folded, number_in, years
from synnodtest.backgrounds.contents import by_name
from synnodtest.backgrounds.reading import ACCEPTABLE, FILE_ALONE, Given
from synnodtest.csv_rows import checked_rows, rows_of
from synnodtest.errors import BackgroundError
from synnodtest.text_files import TEXT_ENCODINGS, decoded

NAMES = ("manifest.csv", "manifest.tsv", "manifest.yaml", "manifest.yml")
MAX_BYTES = 32 * 1024 * 1024
"""Size of a manifest, in bytes, which is read as a whole: some 160 for each of the most files."""
MOST_FILES = 200_000
"""Whose names are looked at for masks."""
MOST_MM = 100.0
"""Below which a distance between pixels lies: far above any, so that a length of the whole picture is none."""

_OWN_COLUMNS = frozenset(COLUMNS) - {"view", "sex", "age"}
_Cells = Mapping[str, str]


@dataclass(frozen=True)
class ManifestRow:
    """One radiograph of a manifest.

    Args:
        file: As written.
        where: ``manifest.csv:12``, for messages.
        folder: The manifest's folder, to which ``file`` and ``masks`` are relative.
        given: What it says of the pixels: spacing, bits, polarity, turn, waived checks.
        patient: The statistical cluster, or "".
        strata: All further columns that are not empty.
        masks: Region name -> mask file as written.
    """

    file: str
    where: str
    folder: Path
    given: Given = FILE_ALONE
    patient: str = ""
    strata: Mapping[str, str] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """A manifest file and its rows, in the file's order."""

    path: Path
    rows: Sequence[ManifestRow]


def find_manifest(folders: Sequence[Path]) -> Manifest | None:
    """Return the manifest of the first of ``folders`` that has one, or None.

    Raises:
        BackgroundError: a manifest cannot be read, or a folder has two of them.
    """
    for folder in folders:
        paths = _in(folder)
        if len(paths) > 1:
            raise BackgroundError(
                f"{folder}: has both {paths[0].name} and {paths[1].name}", hint="keep one of the two manifests"
            )
        if paths:
            return read_manifest(paths[0])
    return None


def _in(folder: Path) -> list[Path]:
    """Return the manifests of a folder, whatever the case of their names."""
    named = {path.name.lower(): path for path in reversed(by_name(folder)) if path.name.lower() in NAMES}
    return [named[name] for name in NAMES if name in named and not named[name].is_dir()]


def mask_regions(directory: str | Path | None) -> frozenset[str]:
    """Return the names of regions for which ``directory`` or its manifest has a mask.

    No folder brings none, and one that cannot be read brings none: whoever opens the set says why.
    """
    root = None if directory is None else Path(directory)
    if root is None or not root.is_dir():
        return frozenset()
    masks = (path.name.split(".") for path in islice(root.rglob("*.*.png"), MOST_FILES))
    names = {parts[-2] for parts in masks if len(parts) >= 3}
    try:
        manifest = find_manifest([root, root.parent])
    except BackgroundError:
        manifest = None
    if manifest is not None:
        names |= {region for row in manifest.rows for region in row.masks}
    return frozenset(names)


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        BackgroundError: it is too large, malformed, lists a file twice or holds an impossible value; the message
            names file and line.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BackgroundError(f"{path}: larger than {MAX_BYTES // 2**20} MiB, hardly a manifest")
        data = path.read_bytes()
        text = decoded(data)
    except UnicodeDecodeError as error:
        known = " or ".join(TEXT_ENCODINGS)
        raise BackgroundError(f"{path}: not {known} text ({error})", hint="save it as CSV UTF-8") from error
    except OSError as error:
        raise BackgroundError(f"{path}: cannot be read: {error.strerror or error}") from error
    cells = _csv_rows(path, data) if path.suffix.lower() in (".csv", ".tsv") else _yaml_rows(path, text)
    rows = [_row(path, line, row) for line, row in cells]
    first: dict[str, str] = {}
    for row in rows:
        if row.file in first:
            raise BackgroundError(
                f"{row.where}: {row.file!r} is listed twice, first at {first[row.file]}", hint="remove one of the rows"
            )
        first[row.file] = row.where
    return Manifest(path, rows)


def _csv_rows(path: Path, data: bytes) -> Iterator[tuple[int, _Cells]]:
    read = 0
    try:
        reader = rows_of(data)
        reader.fieldnames, read = _header(path, reader.fieldnames or ()), reader.line_num
        for row in checked_rows(reader):
            read = reader.line_num
            cells = {name: (cell or "").strip() for name, cell in row.items()}
            if any(cells.values()):
                yield read, cells
    except csv.Error as error:
        raise BackgroundError(f"{path}:{read + 1}: {error}", hint="check that every quote is closed") from error
    except ValueError as error:
        told = str(error).removeprefix("line ")
        raise BackgroundError(f"{path}:{told}", hint="quote cells that contain a comma") from error


def _header(path: Path, names: Sequence[str]) -> list[str]:
    """Return the columns by their own names."""
    if not any(folded(name) in COLUMNS["file"] for name in names):
        near = difflib.get_close_matches("file", names, n=1, cutoff=0.4)
        raise BackgroundError(
            f"{path}:1: no column 'file'" + (f"; is it {near[0]!r}?" if near else ""),
            hint="the first line names the columns: file, patient, view, sex, age, mm_per_px_x, mm_per_px_y, ...",
        )
    return canonical_columns(names, f"{path}:1")


def _yaml_rows(path: Path, text: str) -> Iterator[tuple[int, _Cells]]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError as error:
        raise BackgroundError(f"{path}: nested too deeply for a manifest") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise BackgroundError(f"{path}:{line}: not valid YAML: {getattr(error, 'problem', error)}") from error
    if isinstance(root, yaml.MappingNode):
        root = next((value for key, value in root.value if key.value == "radiographs"), root)
    if not isinstance(root, yaml.SequenceNode):
        raise BackgroundError(f"{path}:1: must be a list with one mapping per radiograph", hint="- file: a.png")
    for node in root.value:
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.MappingNode):
            raise BackgroundError(f"{path}:{line}: must be a mapping such as {{file: a.png, mm_per_px_x: 0.4, ...}}")
        cells: dict[str, str] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
                raise BackgroundError(f"{path}:{value.start_mark.line + 1}: only plain values are known here")
            if key.value in cells:
                raise BackgroundError(f"{path}:{key.start_mark.line + 1}: key {key.value!r} occurs twice")
            cells[key.value] = "" if value.tag == "tag:yaml.org,2002:null" else value.value.strip()
        yield line, dict(zip(canonical_columns(list(cells), f"{path}:{line}"), cells.values(), strict=True))


def _row(path: Path, line: int, cells: _Cells) -> ManifestRow:
    where = f"{path}:{line}"
    file = cells.get("file", "")
    if not file or "\0" in file:
        raise BackgroundError(f"{where}: no file name", hint="fill the column 'file' or remove the row")
    masks = {m.group(1): v for k, v in cells.items() if v and (m := MASK_COLUMN.fullmatch(k))}
    strata = {k: v for k, v in cells.items() if k and v and k not in _OWN_COLUMNS and not MASK_COLUMN.fullmatch(k)}
    if "age" in strata:
        strata["age"] = years(strata["age"]) or strata["age"]
    return ManifestRow(file, where, path.parent, _given(where, cells), cells.get("patient", ""), strata, masks)


def _given(where: str, cells: _Cells) -> Given:
    polarity, turn = cells.get("polarity", "").lower(), cells.get("rotate_deg", "").removesuffix(".0")
    accept = frozenset(re.findall(r"[a-z_]+", cells.get("accept", "").lower()))
    if polarity not in ("", "normal", "inverted"):
        raise BackgroundError(f"{where}: polarity is {polarity!r}", hint="inverted, or normal if someone looked at it")
    if turn not in ("", "0", "90", "180", "270"):
        raise BackgroundError(f"{where}: rotate_deg is {turn!r}", hint="0, 90, 180 or 270, clockwise")
    if accept - set(ACCEPTABLE):
        raise BackgroundError(
            f"{where}: accept is {cells['accept']!r}", hint=f"any of {', '.join(ACCEPTABLE)}, parted by blanks"
        )
    spacing, bits = _spacing(where, cells), _bits(where, cells.get("bits", "").removesuffix(".0"))
    return Given(spacing, bits, polarity, int(turn) if turn else None, accept)


def _spacing(where: str, cells: _Cells) -> tuple[float, float] | None:
    texts = {name: cells.get(name, "") for name in ("mm_per_px_y", "mm_per_px_x")}
    pair = _pixel_spacing(where, cells.get("pixel_spacing", ""))
    if not any(texts.values()):
        return pair
    row, column = (number_in(text) or 0.0 for text in texts.values())
    for (name, text), value in zip(texts.items(), (row, column), strict=True):
        if not 0.0 < value < MOST_MM:
            raise BackgroundError(
                f"{where}: {name} is {text or '(empty)'}, not the size of a pixel in mm",
                hint="both mm_per_px_x and mm_per_px_y are needed, with a decimal point, such as 0.168",
            )
    if pair not in (None, (row, column)):
        raise BackgroundError(
            f"{where}: mm_per_px and pixel_spacing give different spacings", hint="remove the wrong one"
        )
    return row, column


def _pixel_spacing(where: str, text: str) -> tuple[float, float] | None:
    """Return ``(row, column)`` from one number or two, parted as in DICOM, by a comma, or as a list."""
    if not text:
        return None
    numbers = [number_in(part) or 0.0 for part in re.split(r"[\\\s,;x'\"]+", text.strip("[]()'\" "))]
    if re.fullmatch(r"\d+,\d+", text.strip()):
        doubt = ": one number with a decimal comma, or two whole ones?"
    elif len(numbers) not in (1, 2) or not all(0.0 < number < MOST_MM for number in numbers):
        doubt = ", not one or two lengths in mm"
    else:
        return numbers[0], numbers[-1]
    raise BackgroundError(
        f"{where}: pixel_spacing is {text!r}{doubt}",
        hint="row and column as in DICOM, such as 0.14\\0.14, with a decimal point",
    )


def _bits(where: str, text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not 8 <= int(text) <= 16:
        raise BackgroundError(f"{where}: bits is {text!r}, not a whole number from 8 to 16")
    return int(text)
