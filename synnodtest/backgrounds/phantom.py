"""Former place of :mod:`synnodtest.phantom`, kept for programs that import it from here."""

from synnodtest.phantom import (
    VERSION,
    Anatomy,
    PhantomNodule,
    PhantomSet,
    Projection,
    contact_sheet,
    expose,
    project,
    render,
    sample_anatomy,
    sample_nodules,
    write_dataset,
)

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
