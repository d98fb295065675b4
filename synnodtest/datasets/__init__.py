"""Annotated data sets on disk: read in any of five layouts, written in four, checked as a whole.

``read_dataset(folder)`` finds out the layout; nothing here reads more pixels than it must.
"""

from __future__ import annotations

from synnodtest.datasets.layouts import read_dataset
from synnodtest.datasets.pixels import load_image
from synnodtest.datasets.records import AnnotatedBox, AnnotatedImage, Dataset
from synnodtest.datasets.split import is_held_out

__all__ = ["AnnotatedBox", "AnnotatedImage", "Dataset", "is_held_out", "load_image", "read_dataset"]
