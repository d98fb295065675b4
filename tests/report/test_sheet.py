"""The sheet of cuts: as many as there are in one row, whole rows beyond."""

import numpy as np
import pytest
from PIL import Image

from synnodtest.counted import counted
from synnodtest.record.model import PictureEntry
from synnodtest.report.sections.credibility import sheet_figure


@pytest.mark.parametrize(("there", "shown"), [(1, 1), (5, 5), (6, 6), (7, 6), (13, 12), (30, 24)])
def test_rows_after_the_first_are_whole(tmp_path, there, shown):
    gallery = []
    for number in range(there):
        pixels = np.full((40, 40), 8 * number, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.webp", lossless=True)
        gallery.append(PictureEntry(f"s{number}", "e", "random pass", synthetic=f"{number}.webp"))
    figure = sheet_figure(gallery, tmp_path)
    assert str(figure.svg).count("<img ") == shown
    assert figure.description.startswith(f"{counted(shown, 'cut')} around")


def test_without_pictures_there_is_no_sheet(tmp_path):
    assert sheet_figure([PictureEntry("s", "e", "worst", synthetic="gone.webp")], tmp_path) is None
