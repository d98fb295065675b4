"""The texts of appendix A."""

from __future__ import annotations

__all__ = ["GLOSSARY", "STANDARDS"]

STANDARDS = (
    ("IEC 62304:2006+A1:2015, 5.6", "Software integration testing: plan, results, anomalies", "3, 8, 16"),
    (
        "IEC 62304:2006+A1:2015, 5.7",
        "Software system testing: requirements covered, deviations, records",
        "3, 7, 8, 17, 20",
    ),
    ("IEC 62304:2006+A1:2015, 8.1", "SOUP: software of unknown provenance", "20"),
    ("ISO 14971:2019, 7", "Verification of risk control measures", "7, 15"),
    (
        "FDA, CADe devices: premarket guidance (2022)",
        "Standalone assessment: truthing, scoring, subgroups, operating point",
        "2, 6, 8, 10, 11; not replaced, see 19",
    ),
    ("STARD-AI", "Reporting of diagnostic accuracy: participants, index test, flow", "1, 2, 5, 6, 8"),
    ("CLAIM", "Reporting of AI in medical imaging: data, model, evaluation", "1, 5, 8, 13, 20"),
)
"""Document, topic, sections of this report. A guide; no claim of conformance."""

GLOSSARY = (
    ("Background", "A radiograph free of nodules. Scenes that share one, or its patient, are not independent."),
    ("Behaviour", "One testable statement of a specification, with its scenes."),
    ("Confidence", "Raw score of the finding that hits a nodule, whatever the operating point; 0 if there is none."),
    ("Confirmatory", "The specification was frozen before the run and the working tree was clean."),
    ("Expectation", "One pre-specified criterion of a behaviour; it receives one verdict."),
    ("Finding", "A box and a score that the detector reports."),
    ("Gate", "How an expectation binds: integrity, safety, performance, or exploratory (does not bind)."),
    ("Interval", "One-sided bounds at error rate α each; together a 1 − 2α interval. The 95% interval is for display."),
    ("Nodule", "Planted truth: place, size, contrast and mask."),
    ("Operating point", "A finding of at least this score counts as a detection."),
    ("Scene", "The recipe of one synthetic radiograph: background, nodules, perturbation, seed."),
    ("Sham control", "The same edit without a nodule. A detector that reacts to it reacts to the edit."),
)
