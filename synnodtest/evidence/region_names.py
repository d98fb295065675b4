"""Names of the built-in regions; their masks are the phantom's and those estimated on films."""

from __future__ import annotations

BUILT_IN_REGIONS = frozenset(
    {
        "lung",
        "left_lung",
        "right_lung",
        "apical",
        "hilar",
        "retrocardiac",
        "subdiaphragmatic",
        "peripheral",
        "air_leak",
        "rib",
        "clavicle",
        "mediastinum",
    }
)
