"""Limitations: the sentence of every report, and those that a run's backgrounds bring."""

from __future__ import annotations

from synnodtest.record.assemble import Fragment

LIMITATION = (
    "Results characterise detector behaviour on synthesized nodules within the stated envelope; they are not clinical "
    "sensitivity or specificity and do not replace standalone testing on real, independently truthed images."
)


def limitations_of(fragment: Fragment) -> list[str]:
    """Return the limitations that the backgrounds of a run bring."""
    sentences = []
    if any(b.source.startswith("phantom") for b in fragment.backgrounds.values()):
        sentences.append("The backgrounds are computed phantoms, not radiographs of people.")
    if any(b.estimated_regions for b in fragment.backgrounds.values()):
        sentences.append("Region masks marked as estimated were computed by a simple estimator, not drawn by a reader.")
    return sentences
