"""The experiments: what each runs, and what the paper says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from studies.paper.job import Drawn, Job
from studies.paper.places import air_leak, companion, confidence_map
from studies.paper.shapes import shape
from studies.paper.sizes import average_precision, size, small_against_large


@dataclass(frozen=True)
class Experiment:
    """One experiment of the paper.

    Args:
        title: What it is about.
        paper: Where the paper has it, and what it says.
        run: Does it.
        synthesizer: The paper's, taken where the user names none; empty: the user must name one.
        scenes: Scenes of the behaviours with replicates where the user names no number; None: as the spec says.
    """

    title: str
    paper: str
    run: Callable[[Job], Drawn]
    synthesizer: str = "diffusion"
    scenes: int | None = None


_SIZES = "5,710 nodules of 4 to 40 mm: Spearman 0.58 of size and confidence, which rises steadily"

EXPERIMENTS: Mapping[str, Experiment] = {
    "size": Experiment("Confidence and size", f"3.2, figure 3. {_SIZES}", size, scenes=5710),
    "map": Experiment(
        "Confidence over the lung", "3.2, figure 3, second row. Lower near the hila and the diaphragm", confidence_map
    ),
    "companion": Experiment(
        "A companion nodule",
        "3.3, figure 4 (a). One example: a nodule near the heart is found when a clear second one is there, and missed "
        "alone",
        companion,
    ),
    "air-leak": Experiment(
        "Nodules in an air leak",
        "3.3, figure 4 (b). One example: nodules in the leak are not reported",
        air_leak,
    ),
    "gaussian": Experiment(
        "Gaussian nodules of all sizes",
        "A.2, figure 6. As with diffusion, confidence rises with size; found more easily",
        size,
        synthesizer="gaussian",
        scenes=5710,
    ),
    "shape": Experiment(
        "Projected CT nodules of one size",
        "A.2, figure 7. Six patches at 20 mm: round and large ones score higher, elongated and small ones lower",
        shape,
        synthesizer="",
    ),
    "correlation": Experiment(
        "A small real set against a large synthetic one",
        "3.2. Spearman 0.12 on 863 real nodules, 0.58 on 5,710 synthetic ones",
        small_against_large,
        scenes=5710,
    ),
    "average-precision": Experiment(
        "Average precision, real against synthetic",
        "3.1. YOLOv8x 0.641 on NODE21 and 0.566 on synthetic images, YOLOv9c 0.673 and 0.578",
        average_precision,
    ),
}
"""By the name of ``synnodtest paper NAME``."""
