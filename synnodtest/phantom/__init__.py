"""A three-dimensional analytic chest, projected to radiographs whose masks and nodules are exact."""

from synnodtest.phantom.anatomy import VERSION, Anatomy, sample_anatomy
from synnodtest.phantom.dataset import write_dataset
from synnodtest.phantom.exposure import expose, render
from synnodtest.phantom.nodules import PhantomNodule
from synnodtest.phantom.planting import sample_nodules
from synnodtest.phantom.projection import Projection, project
from synnodtest.phantom.sets import PhantomSet
from synnodtest.phantom.sheet import contact_sheet

__all__ = [
    "VERSION",
    "Anatomy",
    "PhantomNodule",
    "PhantomSet",
    "Projection",
    "contact_sheet",
    "expose",
    "project",
    "render",
    "sample_anatomy",
    "sample_nodules",
    "write_dataset",
]
