"""The seven Cs of synthetic data, answered with the run's own numbers.

After the scorecard of Zamzmi et al. (FDA/CDRH; Commun Eng 2025;4:130) for synthetic medical data: congruence, coverage,
constraint, completeness, compliance, comprehension, consistency. Guidance on the credibility of computational models is
cited by analogy: nothing here claims conformity with it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from synnodtest.record.model import NoduleEntry, Record
from synnodtest.record.model.measured import CredibilityReport
from synnodtest.record.rejections import by_kind
from synnodtest.record.words import joined, number, plural
from synnodtest.report.figures.credibility import inside
from synnodtest.report.order import number_of

NO_REPORT = "none: no credibility report of the synthesizer was given (synnodtest evaluate synthesizer --out FILE)"
Row = tuple[str, str, str]


def seven_cs(record: Record) -> list[Row]:
    """Return aspect, question and what this run shows of it."""
    measured = [report for report in record.credibility.reports if not report.of_another_model]
    return [
        ("Congruence", "How alike the synthetic and the real distribution are.", _congruence(measured)),
        ("Coverage", "Whether the synthetic nodules span the claimed range.", _coverage(record, measured)),
        ("Constraint", "Whether anatomy and physics are respected.", _constraint(record)),
        ("Completeness", "Whether every part of the claim has data.", _completeness(record)),
        ("Compliance", "Whether data may be used for this.", _compliance(record, measured)),
        ("Comprehension", "Whether people can tell how it was made.", _comprehension(record)),
        ("Consistency", "Whether the same request gives the same nodule.", _consistency(record)),
    ]


def _domains(measured: Sequence[CredibilityReport]) -> Iterator[tuple[str, Any]]:
    """Yield background and comparison with real nodules of every credibility report of this model."""
    for one in measured:
        for domain, figures in one.measured.items():
            against = inside(figures, "against_real", one.synthesizer.name)
            if isinstance(against, Mapping):
                yield domain, against


def _congruence(measured: Sequence[CredibilityReport]) -> str:
    sentences = []
    for domain, against in _domains(measured):
        far = [number(inside(against, "distances", "kernel", pair))
               for pair in ("synthetic_to_real", "real_to_real_mean", "real_to_real_p95")]  # fmt: skip
        areas = inside(against, "two_sample_auc") or {}
        sentences.append(
            f"{domain}: kernel distance to real nodules {far[0]}, real to real {far[1]} (95th percentile {far[2]}); "
            f"two-sample AUC {' and '.join(map(number, areas.values()))}"
        )
    return "; ".join(sentences) or NO_REPORT


def _nodules(record: Record) -> list[NoduleEntry]:
    return [n for s in record.accepted for n in s.nodules]


def _coverage(record: Record, measured: Sequence[CredibilityReport]) -> str:
    nodules = _nodules(record)
    if not nodules:
        return "no nodule was planted"
    keys = ("diameter_mm", "contrast")
    sizes, contrasts = ([v for n in nodules if (v := n.realised(k)) is not None] or [math.nan] for k in keys)
    regions = Counter(name for n in nodules for name in n.regions)
    sentences = [
        f"{plural(len(nodules), 'nodule')} of {min(sizes):.1f} to {max(sizes):.1f} mm (median {np.median(sizes):.1f}), "
        f"contrast {min(contrasts):.2f} to {max(contrasts):.2f}, in {plural(len(regions), 'region')}; envelope in "
        f"section {number_of('envelope')}"
    ]
    for domain, against in _domains(measured):
        cover = against.get("coverage")
        if cover:
            recall, vendi = cover["recall"], cover["vendi"]
            sentences.append(
                f"{domain}: recall of real nodules {number(recall['synthetic'])} (real by real "
                f"{number(recall['real_mean'])}), Vendi score {number(vendi['synthetic'])} "
                f"(real {number(vendi['real_mean'])})"
            )
    return "; ".join(sentences)


def _constraint(record: Record) -> str:
    counts = record.attrition
    reasons = [f"{number(n)}: {why}" for why, n in by_kind(counts.reasons).items()]
    rule = f"{number(counts.accepted)} of {number(counts.synthesized)} scenes kept by rules fixed beforehand"
    shams = [s for s in record.sham if s.n]
    sentences = [rule + (f" ({joined(reasons)})" if reasons else "")]
    if shams:
        words = Counter(s.status for s in shams)
        sentences.append(f"sham control: {joined([f'{n} {word}' for word, n in words.items()])}")
    return "; ".join(sentences)


def _completeness(record: Record) -> str:
    entries = record.expectations
    run = sum(e.status not in ("NOT RUN", "ERROR") for e in entries)
    counts = record.attrition
    return (
        f"{number(run)} of {plural(len(entries), 'expectation')} judged, {number(counts.evaluated)} of "
        f"{number(counts.requested)} requested scenes shown to the detector, on "
        f"{plural(counts.unique_backgrounds, 'background')} of {plural(counts.unique_patients, 'patient')}; "
        f"section {number_of('attrition')}"
    )


def _compliance(record: Record, measured: Sequence[CredibilityReport]) -> str:
    sentences = ["data terms of backgrounds and models: their cards"]
    for one in measured:
        copied = inside(one.measured, "memorisation")
        if copied:
            low, high = copied["interval_95"]
            sentences.append(
                f"copies of training nodules: {number(copied['copies'])} of {plural(copied['n'], 'planted nodule')} "
                f"({100 * copied['share']:.1f}%, 95% interval {100 * low:.1f} to {100 * high:.1f}%; 1% by chance)"
            )
    return "; ".join(sentences if len(sentences) > 1 else [*sentences, "copies of training nodules: not measured"])


def _comprehension(record: Record) -> str:
    who = record.identification
    makers = [s.title for s in who.synthesizers]
    hashed = sum(bool(s.sha256) for s in who.synthesizers)
    return (
        f"{joined(makers) or 'no synthesizer'}; weights of {hashed} of {len(makers)} and "
        f"{plural(len(who.specs), 'specification')} named by sha256; section {number_of('identification')}"
    )


def _consistency(record: Record) -> str:
    sentences = []
    for key, unit in (("diameter_mm", " mm"), ("contrast", "")):
        pairs = [(a, b) for n in _nodules(record) if (a := n.asked(key)) and (b := n.realised(key)) is not None]
        if pairs:
            off = np.abs([float(b) - float(a) for a, b in pairs])
            within = float(np.percentile(off, 95))
            sentences.append(
                f"realised {key.removesuffix('_mm')} within {within:.2g}{unit} of the requested in 95% of {len(pairs)}"
            )
    return "; ".join([*sentences, "seed and sha256 of every radiograph in the record"])
