"""Parts that settings name are opened where the run was started."""

from pathlib import Path

import pytest

from synnodtest.errors import DetectorError
from synnodtest.shell.opened_parts import OpenedParts
from synnodtest.shell.settings import Settings

MOVER = """import os

def factory():
    os.chdir("elsewhere")
    return lambda radiographs: [[] for _ in radiographs]
"""


@pytest.mark.parametrize("whole", [False, True])
def test_a_detector_that_leaves_the_folder_that_backgrounds_are_named_from_is_refused(tmp_path, monkeypatch, whole):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere" / "cxr").mkdir(parents=True)
    (tmp_path / "mover.py").write_text(MOVER)
    films = tmp_path / "cxr" if whole else Path("cxr")
    opened = OpenedParts(Settings(tmp_path, "mover.py:factory", "gaussian", films, cache=tmp_path / "cache"))
    if whole:
        assert opened.campaign
        return
    for _ in range(2):
        with pytest.raises(DetectorError, match=r"changed the working folder to .*elsewhere, where --backgrounds cxr"):
            _ = opened.campaign
