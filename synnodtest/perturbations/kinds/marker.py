"""``marker``: a lead letter or a word burnt into the radiograph, white: letters 12 mm high, words 6 mm.

``L`` and ``R`` lie on the patient's left and right (left is on the image's right), ``AP``, ``PORTABLE`` and ``SUPINE``
on the patient's right; in the upper corner, or further down where less of lung and of no nodule is covered. Markers are
known shortcuts (Zech and others, PLoS Med 2018;15:e1002683).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from synnodtest.geometry import BoolArray
from synnodtest.perturbations.kind import PerturbationKind
from synnodtest.radiograph import Radiograph

WORDS = ("L", "R", "AP", "PORTABLE", "SUPINE")
_LETTER_MM, _WORD_MM = 12.0, 6.0
"""Heights of letters and of words, in mm; set by hand after lead markers: larger words would cover lung."""
_FEW_LETTERS = 2
"""Letters up to which a marker is one of large letters: L, R and AP; PORTABLE and SUPINE are words."""
_EDGE_MM = 6.0
"""Distance from the edge of the film, in mm; set by hand: less is cut off by collimation, more moves it towards the
lung."""
_WHITE = 0.97
"""Lead lets nearly nothing through."""
_GLYPHS = {
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "B": "11110 10001 10001 11110 10001 10001 11110",
    "E": "11111 10000 10000 11110 10000 10000 11111",
    "I": "01110 00100 00100 00100 00100 00100 01110",
    "L": "10000 10000 10000 10000 10000 10000 11111",
    "N": "10001 11001 10101 10101 10011 10001 10001",
    "O": "01110 10001 10001 10001 10001 10001 01110",
    "P": "11110 10001 10001 11110 10000 10000 10000",
    "R": "11110 10001 10001 11110 10100 10010 10001",
    "S": "01111 10000 10000 01110 00001 00001 11110",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    "U": "10001 10001 10001 10001 10001 10001 01110",
}
"""Seven rows of five."""


def _marker(radiograph: Radiograph, word: Any, rng: np.random.Generator) -> Radiograph:
    letters = _letters(word, radiograph.spacing_mm, radiograph.shape)
    top, left = _place(radiograph, letters.shape, on_right=word == "L")
    pixels = radiograph.pixels.copy()
    window = pixels[top : top + letters.shape[0], left : left + letters.shape[1]]
    window[letters] = np.maximum(window[letters], np.float32(_WHITE))
    return radiograph.with_pixels(pixels)


def _letters(word: str, spacing_mm: tuple[float, float], shape: tuple[int, int]) -> BoolArray:
    """Return the word as a mask, of the height wanted, cut to the radiograph."""
    gap = np.zeros((7, 1), dtype=np.bool_)
    parts = [part for letter in word for part in (_glyph(letter), gap)][:-1]
    small = np.concatenate(parts, axis=1)
    height_mm = _LETTER_MM if len(word) <= _FEW_LETTERS else _WORD_MM
    rows = np.arange(max(7, round(height_mm / spacing_mm[0])))
    columns = np.arange(max(small.shape[1], round(height_mm / 7 * small.shape[1] / spacing_mm[1])))
    drawn = small[rows * 7 // rows.size][:, columns * small.shape[1] // columns.size]
    return np.asarray(drawn[: shape[0], : shape[1]])


def _glyph(letter: str) -> BoolArray:
    return np.array([[dot == "1" for dot in row] for row in _GLYPHS[letter].split()])


def _place(radiograph: Radiograph, size: tuple[int, int], *, on_right: bool) -> tuple[int, int]:
    """Return the first pixel: at the edge, where it covers least of a nodule, then of the lung, then highest."""
    height, width = radiograph.shape
    edge = [
        min(round(_EDGE_MM / step), (length - part) // 2)
        for step, length, part in zip(radiograph.spacing_mm, radiograph.shape, size, strict=True)
    ]
    left = width - edge[1] - size[1] if on_right else edge[1]
    lung = radiograph.regions.get("lung", np.zeros(radiograph.shape, dtype=np.bool_))
    nodules = np.zeros(radiograph.shape, dtype=np.bool_)
    for truth in radiograph.nodules:
        nodules |= truth.mask(radiograph.shape)

    def covered(top: int) -> tuple[int, int, int]:
        under = slice(top, top + size[0]), slice(left, left + size[1])
        return int(nodules[under].sum()), int(lung[under].sum()), top

    last = height - edge[0] - size[0]
    return min({edge[0], *range(edge[0], last + 1, max(size[0] // 2, 1))}, key=covered), left


KIND = PerturbationKind.of_words("marker", f"Burnt-in marker: {', '.join(WORDS)}.", WORDS, _marker)
