"""A three-dimensional analytic chest, projected to radiographs whose masks and nodules are exact."""

from synnodtest.backgrounds.phantom.anatomy import VERSION, Anatomy, sample_anatomy
from synnodtest.backgrounds.phantom.dataset import write_dataset
from synnodtest.backgrounds.phantom.exposure import expose, render
from synnodtest.backgrounds.phantom.nodules import PhantomNodule
from synnodtest.backgrounds.phantom.planting import sample_nodules
from synnodtest.backgrounds.phantom.projection import Projection, project
from synnodtest.backgrounds.phantom.sets import PhantomSet
from synnodtest.backgrounds.phantom.sheet import contact_sheet

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
