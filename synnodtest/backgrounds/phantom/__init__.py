"""A three-dimensional analytic chest, projected to radiographs whose masks and nodules are exact."""

from synnodtest.backgrounds.phantom.anatomy import VERSION, Anatomy, sample_anatomy
from synnodtest.backgrounds.phantom.exposure import expose, render
from synnodtest.backgrounds.phantom.nodules import PhantomNodule
from synnodtest.backgrounds.phantom.projection import Projection, project
from synnodtest.backgrounds.phantom.sets import PhantomSet

__all__ = [
    "VERSION",
    "Anatomy",
    "PhantomNodule",
    "PhantomSet",
    "Projection",
    "expose",
    "project",
    "render",
    "sample_anatomy",
]
