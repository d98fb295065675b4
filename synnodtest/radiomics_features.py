"""The 67 PyRadiomics features that condition a nodule, and how they are measured.

Features are measured on a window of :data:`WINDOW_SPACING_MM` per pixel whose gray values are standardised to the
lung: 128 is the mean brightness around the nodule, 128 further units are one 5th-to-95th percentile range of the
lung (the unit of contrast). So the same nodule has the same features in a bright and in a dark radiograph.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import scipy

from synnodtest.errors import SynthesizerError, missing_extra
from synnodtest.geometry import Array, BoolArray, FloatArray

BIN_COUNT = 128
"""Grey levels of texture features (``binCount`` of PyRadiomics), as in RadiomicsFill-Mammo; the trained models know no
other."""
WINDOW_SPACING_MM = 0.7
"""Pixel of the window, in mm, that the shipped models were trained on; set by hand: 96 of them hold a nodule of 40 mm
with its surroundings."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    group: tuple(names.split())
    for group, names in {
        "shape2D": """
            Elongation MajorAxisLength MaximumDiameter MeshSurface MinorAxisLength Perimeter PerimeterSurfaceRatio
            PixelSurface Sphericity""",
        "firstorder": """
            10Percentile 90Percentile Energy Entropy InterquartileRange Kurtosis Maximum MeanAbsoluteDeviation Mean
            Median Minimum Range RobustMeanAbsoluteDeviation RootMeanSquared Skewness TotalEnergy Uniformity
            Variance""",
        "glcm": """
            Autocorrelation ClusterProminence ClusterShade ClusterTendency Contrast Correlation DifferenceAverage
            DifferenceEntropy DifferenceVariance Id Idm Idmn Idn Imc1 Imc2 InverseVariance JointAverage JointEnergy
            JointEntropy MCC MaximumProbability SumAverage SumEntropy SumSquares""",
        "glszm": """
            GrayLevelNonUniformity GrayLevelNonUniformityNormalized GrayLevelVariance HighGrayLevelZoneEmphasis
            LargeAreaEmphasis LargeAreaHighGrayLevelEmphasis LargeAreaLowGrayLevelEmphasis LowGrayLevelZoneEmphasis
            SizeZoneNonUniformity SizeZoneNonUniformityNormalized SmallAreaEmphasis SmallAreaHighGrayLevelEmphasis
            SmallAreaLowGrayLevelEmphasis ZoneEntropy ZonePercentage ZoneVariance""",
    }.items()
}
"""By group, as PyRadiomics names both."""

FEATURE_NAMES: tuple[str, ...] = tuple(name for names in GROUPS.values() for name in names)
PAPER_FEATURES = ("Sphericity", "Contrast", "Energy", "Entropy", "Idm", "GrayLevelVariance")
"""The six of SynNodBench's sliders, by PyRadiomics name (Idm: inverse difference moment)."""
_GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}


def standard_gray(values: FloatArray) -> FloatArray:
    """Return gray values for measuring from brightness relative to the surroundings in lung ranges."""
    return np.asarray(128.0 + 128.0 * values, dtype=np.float32)


def about_surroundings(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Return brightness about the mean of what lies 3 pixels and more from a mask."""
    around = ~scipy.ndimage.binary_dilation(mask, iterations=3)
    return np.asarray(values - values[around].mean(), dtype=np.float32)


@lru_cache(maxsize=32)
def _radiomics(names: tuple[str, ...]) -> tuple[Any, Any]:
    try:
        import SimpleITK
        from radiomics import setVerbosity
        from radiomics.featureextractor import RadiomicsFeatureExtractor
    except ImportError:
        raise missing_extra("pyradiomics", "radiomics", "measuring radiomics features") from None
    setVerbosity(60)
    settings = {"binCount": BIN_COUNT, "force2D": True, "force2Ddimension": 0, "label": 1}
    extractor = RadiomicsFeatureExtractor(additionalInfo=False, **settings)
    extractor.disableAllFeatures()
    by_group = {group: [name for name in known if name in names] for group, known in GROUPS.items()}
    extractor.enableFeaturesByName(**{group: some for group, some in by_group.items() if some})
    return SimpleITK, extractor


def measure_features(
    gray: FloatArray, mask: BoolArray, *, spacing_mm: float = WINDOW_SPACING_MM, names: tuple[str, ...] = FEATURE_NAMES
) -> Array:
    """Measure the features of one nodule.

    Args:
        gray: (h, w) gray values, see :func:`standard_gray`.
        mask: (h, w) the nodule; at least 4 pixels in at least 2 rows and 2 columns.
        spacing_mm: Distance between pixel centres, both axes.
        names: Which features; few take a fraction of the time of all.

    Returns:
        The values in the order of ``names``, in PyRadiomics' own units.

    Raises:
        SynthesizerError: the mask is too small to be measured.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if int(mask.sum()) < 4 or rows.size < 2 or columns.size < 2:
        raise SynthesizerError("a nodule of fewer than 4 pixels, or of one row or column, has no radiomics features")
    top, left = max(int(rows[0]) - 2, 0), max(int(columns[0]) - 2, 0)
    cut = (slice(top, int(rows[-1]) + 3), slice(left, int(columns[-1]) + 3))
    sitk, extractor = _radiomics(names)
    image = sitk.GetImageFromArray(np.ascontiguousarray(gray[cut], dtype=np.float64)[None])
    label = sitk.GetImageFromArray(np.ascontiguousarray(mask[cut], dtype=np.uint8)[None])
    for item in (image, label):
        item.SetSpacing((spacing_mm, spacing_mm, 1.0))
    measured = extractor.execute(image, label)
    return np.asarray([float(measured[f"original_{_GROUP_OF[name]}_{name}"]) for name in names], dtype=np.float64)


def features_or_none(
    values: FloatArray,
    mask: BoolArray,
    *,
    spacing_mm: float = WINDOW_SPACING_MM,
    names: tuple[str, ...] = FEATURE_NAMES,
) -> Array | None:
    """Return the features of a nodule from brightness relative to the surroundings, in lung ranges.

    None where the mask is too small or a value is not finite; see :func:`measure_features`.
    """
    try:
        measured = measure_features(standard_gray(values), mask, spacing_mm=spacing_mm, names=names)
    except SynthesizerError:
        return None
    return measured if np.isfinite(measured).all() else None
