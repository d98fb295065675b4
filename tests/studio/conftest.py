"""A film, two quick detectors and a session on them."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from synnodtest.backgrounds import FolderSet
from synnodtest.backgrounds.entries import Entry
from synnodtest.backgrounds.estimated_regions import REGIONS
from synnodtest.backgrounds.reading import Given
from synnodtest.studio.bench import Bench
from synnodtest.studio.case import FILMS, SET, Catalogue, case_of_file
from synnodtest.studio.session import Session
from tests.backgrounds.radiograph_files import chest, write_png

DETECTOR = '''
"""Finds what is brighter than its surroundings."""

import time

from scipy import ndimage

from synnodtest import Finding


def make(factor=1.0):
    return lambda radiographs: [_blobs(radiograph.pixels, factor) for radiograph in radiographs]


def faint():
    return make(0.5)


def slow():
    """Take as long as a large model, without the work."""

    def detect(radiographs):
        time.sleep(0.2 * len(radiographs))
        return make()(radiographs)

    return detect


def _blobs(pixels, factor):
    raised = ndimage.gaussian_filter(pixels, 2) - ndimage.gaussian_filter(pixels, 14)
    labels, _ = ndimage.label(raised > 0.05)
    return [
        Finding((columns.start, rows.start, columns.stop, rows.stop), float(raised[rows, columns].max()) * 4 * factor)
        for rows, columns in ndimage.find_objects(labels)
    ]
'''


@pytest.fixture(scope="session")
def detectors(tmp_path_factory):
    """URIs of two detectors, as ``--detector`` takes them."""
    path = tmp_path_factory.mktemp("detectors") / "brightest.py"
    path.write_text(DETECTOR)
    return f"{path}:make", f"{path}:faint"


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """A PNG of 8 bits without a pixel size."""
    return write_png(tmp_path_factory.mktemp("film") / "some film.png", chest(300, 360))


@pytest.fixture(scope="session")
def masks(tmp_path_factory):
    """Masks of every region of the film, so that none has to be estimated."""
    mask = np.zeros((300, 360), np.uint8)
    mask[40:260, 30:330] = 255
    folder = tmp_path_factory.mktemp("masks")
    return {region: write_png(folder / f"{region}.png", mask) for region in REGIONS}


@pytest.fixture
def session(tmp_path, detectors):
    bench = Bench(detectors, ("gaussian",))
    made = Session(tmp_path / "session", bench, Catalogue(None, tmp_path / "cache"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def case(tmp_path_factory, film, masks):
    """The film and its masks, read once."""
    entry = Entry(film.name, film, masks, Given((0.9, 0.9)))
    return case_of_file(tmp_path_factory.mktemp("case"), entry, film.name)


@pytest.fixture
def opened(session, case):
    """A session with the film and its masks open."""
    folder = session._new_folder()
    shutil.copytree(case.folder, folder, dirs_exist_ok=True)
    session._opened(replace(case, folder=folder, backgrounds=FolderSet(folder / FILMS, SET, count=1)))
    return session
