"""DICOM structured reports of findings: SOP classes, codes and value types."""

from __future__ import annotations

REPORT_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.88.65": "Chest CAD SR",
    "1.2.840.10008.5.1.4.1.1.88.22": "Enhanced SR",
    "1.2.840.10008.5.1.4.1.1.88.33": "Comprehensive SR",
    "1.2.840.10008.5.1.4.1.1.88.34": "Comprehensive 3D SR",
}
"""SOP classes that hold findings with coordinates."""

CODES = {
    "chest CAD report": ("112000", "DCM", "Chest CAD Report"),
    "image library": ("111028", "DCM", "Image Library"),
    "summary": ("111017", "DCM", "CAD Processing and Findings Summary"),
    "with findings": ("111242", "DCM", "All algorithms succeeded; with findings"),
    "without findings": ("111241", "DCM", "All algorithms succeeded; without findings"),
    "impression": ("111034", "DCM", "Individual Impression/Recommendation"),
    "rendering": ("111056", "DCM", "Rendering Intent"),
    "to be shown": ("111150", "DCM", "Presentation Required: Rendering device is expected to present"),
    "finding": ("111059", "DCM", "Single Image Finding"),
    "centre": ("111010", "DCM", "Center"),
    "outline": ("111041", "DCM", "Outline"),
    "certainty": ("111012", "DCM", "Certainty of Finding"),
    "algorithm": ("111001", "DCM", "Algorithm Name"),
    "version": ("111003", "DCM", "Algorithm Version"),
    "detections": ("111064", "DCM", "Summary of Detections"),
    "succeeded": ("111222", "DCM", "Succeeded"),
    "analyses": ("111065", "DCM", "Summary of Analyses"),
    "not attempted": ("111225", "DCM", "Not Attempted"),
    "nodule": ("27925004", "SCT", "Nodule"),
    "measurement report": ("126000", "DCM", "Imaging Measurement Report"),
    "measurements": ("126010", "DCM", "Imaging Measurements"),
    "group": ("125007", "DCM", "Measurement Group"),
    "what was found": ("121071", "DCM", "Finding"),
    "region": ("111030", "DCM", "Image Region"),
    "language": ("121049", "DCM", "Language of Content Item and Descendants"),
    "english": ("en-US", "RFC5646", "English (United States)"),
    "percent": ("%", "UCUM", "Percent"),
    "abnormal": ("49755003", "SCT", "Morphologically Abnormal Structure"),
    "segmented": ("113076", "DCM", "Segmentation"),
    "segmentation source": ("121322", "DCM", "Source image for image processing operation"),
    "artificial intelligence": ("123110", "DCM", "Artificial Intelligence"),
}
"""Value, scheme and meaning, by what this package calls them (PS3.16, TID 1500 and 4100)."""
