"""Backgrounds and the statistical clusters they fall into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from synnodtest.ports import Background
from synnodtest.statistics import cluster_index


def with_copies_joined(backgrounds: Sequence[Background]) -> tuple[Background, ...]:
    """Return the backgrounds with copies of one radiograph, and all images of their patients, in one cluster.

    A file that lies in a set twice, under two names, with other masks or not, would otherwise count as two independent
    radiographs.
    """
    contents = [("content", known) if (known := b.film or b.content) else ("id", b.id) for b in backgrounds]
    index = cluster_index(contents, [b.patient for b in backgrounds])
    names: dict[int, str] = {}
    return tuple(
        b if (name := names.setdefault(int(i), b.cluster)) == b.cluster else replace(b, patient=name)
        for b, i in zip(backgrounds, index, strict=True)
    )
