"""A data set of phantoms and what the commands make of it, once for all tests that begin with either."""

import pytest

from synnodtest.cli import main
from tests.shared_folders import shared_folder


@pytest.fixture(scope="session")
def node21(tmp_path_factory):
    """Ten phantoms in the NODE21 layout, of which some are held out."""

    def fill(folder):
        assert main(["phantom", "--out", str(folder), "--count", "10", "--nodules", "--size", "128"]) == 0

    return shared_folder(tmp_path_factory, "node21-of-phantoms", fill)


@pytest.fixture(scope="session")
def trained(node21, tmp_path_factory):
    """A folder with the phantoms converted (``coco``) and a training on them (``run``), by commands alone.

    Ultralytics warns: a test that begins with it lets warnings pass.
    """

    def fill(folder):
        coco, run = str(folder / "coco"), str(folder / "run")
        assert main(["data", "convert", str(node21), coco, "--to", "coco"]) == 0
        small = ["--epochs", "1", "--imgsz", "64", "--batch", "4", "--crop", "32"]
        assert main(["train", "detector", "--data", coco, "--out", run, *small]) == 0

    return shared_folder(tmp_path_factory, "trained-detector", fill)
