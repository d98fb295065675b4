"""Films that more than one file begins with, read once for all."""

import pytest

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.evaluation.transfer.negatives import negative_films
from tests.evaluation.annotated_folder import write_annotated, write_negatives
from tests.shared_folders import shared_folder


@pytest.fixture(scope="session")
def read_films(tmp_path_factory):
    """Films with a nodule (``real``), without (``plain``), and a ``store`` in which all were read; to be copied."""

    def fill(folder):
        write_annotated(folder / "real", 24, brightness=0.16, diameters=(9, 11, 13))
        write_negatives(folder / "plain", 10)
        films = AnnotatedFilms(folder / "real", cache=folder / "store")
        for each in (films, negative_films(folder / "plain", films, split="all", cache=folder / "store")):
            for background in each.backgrounds:
                each.load(background)

    return shared_folder(tmp_path_factory, "read-films", fill)
