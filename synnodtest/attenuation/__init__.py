"""From density to contrast: how bright a nodule of a size and an attenuation is, and where in a radiograph.

Three steps, each documented beside its constants:

1. Thickness. A nodule is taken as a ball: over its silhouette the beam passes two thirds of its diameter.
2. Attenuation. It replaces lung by tissue of a ``density`` (1: soft tissue), which adds ``0.019 * (density - 0.2)`` of
   log exposure per mm, less the share of scattered radiation, which knows nothing of it.
3. Display. A radiograph shows :data:`LOG_EXPOSURE_SPAN` of log exposure over one lung range where its characteristic
   curve is straight; above the :class:`Display`'s knee it bends towards white, so that behind heart and diaphragm the
   same nodule is weaker.

The default of a nodule that says nothing of its brightness is the density of nodules that readers marked on films;
``benchmarks/annotated_contrast.py`` measures them and the planted ones by one rule.
"""

from synnodtest.attenuation.display import Display, Planted, white_share
from synnodtest.attenuation.outline import Outline, outline_of
from synnodtest.attenuation.resolve import contrast_asked, resolved, resolved_scene
from synnodtest.attenuation.rule import (
    LUNG_DENSITY,
    RULE_VERSION,
    annotated_contrast,
    contrast_of,
    draw_density,
    realised_density,
)

__all__ = [
    "LUNG_DENSITY",
    "RULE_VERSION",
    "Display",
    "Outline",
    "Planted",
    "annotated_contrast",
    "contrast_asked",
    "contrast_of",
    "draw_density",
    "outline_of",
    "realised_density",
    "resolved",
    "resolved_scene",
    "white_share",
]
