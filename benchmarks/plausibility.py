"""Where real films lie against the limits of the check after reading, and what it refuses of them when spoilt.

    python benchmarks/plausibility.py FOLDER [FOLDER ...] [--most 100]

reads the radiographs of background sets; prints how many are refused as they are (each should be read), and how many
are refused when turned, inverted, of wrong bits, of swapped bytes or of a wrong spacing (each should be refused).
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from synnodtest.backgrounds.listing import list_radiographs
from synnodtest.backgrounds.plausible import check_chest, check_picture, check_spacing
from synnodtest.backgrounds.readers import read_given
from synnodtest.backgrounds.reading import FILE_ALONE
from synnodtest.errors import SynnodError
from synnodtest.geometry import FloatArray

_Picture = tuple[FloatArray, tuple[float, float]]


def _swapped(pixels: FloatArray) -> FloatArray:
    stored = np.rint(pixels * 4095).astype("<u2").byteswap()
    return (stored / 65535).astype(np.float32)


SPOILT: dict[str, Callable[[FloatArray, tuple[float, float]], _Picture]] = {
    "as it is": lambda p, s: (p, s),
    "turned by 90": lambda p, s: (np.rot90(p, -1), (s[1], s[0])),
    "turned by 180": lambda p, s: (np.rot90(p, 2), s),
    "turned by 270": lambda p, s: (np.rot90(p), (s[1], s[0])),
    "inverted": lambda p, s: (1 - p, s),
    "12 bits shown as 16": lambda p, s: (p / 16, s),
    "12 bits shown as 14": lambda p, s: (p / 4.001, s),
    "bytes swapped": lambda p, s: (_swapped(p), s),
    "width off by 8": lambda p, s: (p.ravel()[: p.shape[0] * (p.shape[1] - 8)].reshape(p.shape[0], -1), s),
    "spacing in cm": lambda p, s: (p, (s[0] / 10, s[1] / 10)),
    "spacing of the full size": lambda p, s: (p, (s[0] * 2.5, s[1] * 2.5)),
}


def pictures(folder: Path, most: int) -> Iterator[tuple[Path, _Picture]]:
    """Yield the radiographs of a folder, unchecked."""
    for entry in list_radiographs(folder, [folder.parent]).entries[:most]:
        radiograph = read_given(entry.path, entry.given)
        yield entry.path, (radiograph.pixels, radiograph.spacing_mm)


def refused(path: Path, picture: _Picture) -> bool:
    """Return whether the check refuses a picture."""
    pixels = np.ascontiguousarray(picture[0], dtype=np.float32)
    try:
        check_picture(path, pixels)
        check_spacing(path, pixels.shape, picture[1], FILE_ALONE)
        check_chest(path, pixels, picture[1], FILE_ALONE)
    except SynnodError:
        return True
    return False


def main() -> int:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--most", type=int, default=100, help="radiographs of each folder")
    options = parser.parse_args()
    counts, total = Counter[str](), 0
    for folder in options.folders:
        for path, picture in pictures(folder, options.most):
            total += 1
            counts.update(name for name, spoil in SPOILT.items() if refused(path, spoil(*picture)))
    for name in SPOILT:
        print(f"{name:<26}{counts[name]:>6} of {total} refused")
    return int(counts["as it is"] > 0)


if __name__ == "__main__":
    sys.exit(main())
