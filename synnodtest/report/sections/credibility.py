"""Transfer of verdicts to real nodules, what was planted, and its credibility."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synnodtest.counted import counted
from synnodtest.record.model import PictureEntry
from synnodtest.record.model.measured import CredibilityReport
from synnodtest.record.model.scenes import IntervalEntry, ShamEntry
from synnodtest.record.rejections import without_numbers
from synnodtest.record.statuses import STATUSES
from synnodtest.record.words import interval, joined, number, plural, value_text
from synnodtest.report.context import Context
from synnodtest.report.crops import encoded
from synnodtest.report.figures import credibility as drawings
from synnodtest.report.figures.agreement import agreement_figure, ecdf_figure
from synnodtest.report.model import Cell, Figure, Section, Table, status
from synnodtest.report.sections.brightness import beside_real
from synnodtest.report.sections.seven_cs import NO_REPORT, seven_cs
from synnodtest.report.sections.transfer import tables_of

MOST, SIDE = 24, 112
"""Cuts shown, and their side in pixels; set by hand: four rows of six that fill the width of a printed page."""
ROW = 6
"""Cuts in a row of the printed page. Rows after the first are whole: one cut more would push the figure a page on."""
_FIRST = ("random pass", "random failure")
"""Kinds of scenes that are drawn at random; they come before all others."""


def credibility(context: Context) -> Section:
    """Return requested against realised nodules, the sham control and the credibility reports of the synthesizers."""
    record = context.record
    nodules = [n for s in record.accepted for n in s.nodules]
    pictures = [item for item in record.gallery if record.scenes[item.scene].nodules]
    data = {
        "transfers": [(found, tables_of(found)) for found in record.credibility.transfers],
        **beside_real(record),
        "figures": [
            sheet_figure(pictures, context.folder) if context.pixels else None,
            agreement_figure(nodules, "diameter_mm", "f-agree-diameter-mm"),
            agreement_figure(nodules, "contrast", "f-agree-contrast"),
            ecdf_figure(nodules, "f-ecdf"),
        ],
        **_sham(record.sham),
        "reports": [_report(r, f"f-cred-{i}") for i, r in enumerate(record.credibility.reports)],
        "none": NO_REPORT,
        "seven": Table(
            "The seven Cs and what this run shows of them", ["Aspect", "Question", "Evidence"], seven_cs(record)
        ),
    }
    return Section("Synthesis credibility", "credibility", data)


def _sham(entries: Sequence[ShamEntry]) -> dict[str, object]:
    """Return the table of sham controls; those that had nothing to compare share one sentence."""
    idle: dict[str, list[str]] = {}
    rows = []
    files = {id: {s.file for s in entries if s.behaviour == id} for id in {s.behaviour for s in entries}}
    for s in entries:
        name = f"{s.file}::{s.behaviour}" if len(files[s.behaviour]) > 1 else s.behaviour
        if not s.n:
            idle.setdefault(f"{s.synthesizer}: {s.sentence}", []).append(name)
            continue
        gap, table = s.estimate or IntervalEntry(), " / ".join(map(number, (s.n11, s.n10, s.n01, s.n00)))
        bounds = interval(gap.lower, gap.upper, "difference")
        says = status(s.status) if s.status in STATUSES else Cell(s.status.capitalize())
        rows.append([name, s.synthesizer, s.mode, number(s.n), table, number(gap.value, "difference"), bounds,
                     says, s.sentence])  # fmt: skip
    counted = "Both / sham only / untouched only / neither"
    columns = ["Behaviour", "Synthesizer", "Mode", "Pairs", counted, "Difference", "Interval", "Says", "In words"]
    return {
        "sham": Table("Sham control: the same edit without a nodule", columns, rows, numeric=["Pairs"]),
        "idle": [f"{what} ({joined(names)})" for what, names in idle.items()],
    }


def _report(made: CredibilityReport, name: str) -> dict[str, object]:
    """Return what is shown of one credibility report."""
    domains = drawings.domains_of(made.measured)
    return {
        "made": made,
        "planted": _planted(domains),
        "figures": [
            drawings.agreement(domains, f"{name}-agree"),
            *drawings.distances(domains, f"{name}-far"),
            drawings.two_sample(domains, f"{name}-auc"),
            drawings.sham(domains, f"{name}-sham"),
            *drawings.by_size(domains, f"{name}-size"),
        ],
        "tables": [_sweeps(made.measured.get("sweeps")), _rejections(domains)],
    }


def _planted(domains: list[drawings.Domain]) -> str:
    known = {domain: n if isinstance(n := data.get("n"), int) else None for domain, data in domains}
    parts = [f"{plural(count, 'nodule')} on {domain}" for domain, count in known.items()]
    return f"{joined(parts)}, backgrounds that training had not seen" if parts else "no nodule was planted"


def _sweeps(swept: Any) -> Table:
    """Return how single radiomics features follow the request, all others left open."""
    rows = [
        [str(name), number(s.get("n")), f"{number(s.get('from'))} to {number(s.get('to'))}", number(s.get("spearman")),
         number(s.get("median_of_lower_third")), number(s.get("median_of_upper_third"))]
        for name, s in (swept.items() if isinstance(swept, Mapping) else ()) if isinstance(s, Mapping)
    ]  # fmt: skip
    columns = ["Feature", "Nodules", "Requested", "Spearman", "Realised, lower third", "Realised, upper third"]
    title = "Requested against realised radiomics features, one at a time"
    return Table(title, columns, rows, numeric=columns[1:])


def _rejected(counts: Any) -> str:
    """Return ``5: realised contrast far from the one requested``; older measurements left gaps for the numbers."""
    if not isinstance(counts, Mapping) or not counts:
        return value_text(counts or "none")
    whole = {without_numbers(reason): count for reason, count in counts.items()}
    return "; ".join(f"{number(count)}: {reason}" for reason, count in whole.items())


def _rejections(domains: list[drawings.Domain]) -> Table:
    rows = [
        [domain, number(data.get("n")), number(data.get("redraws")), _rejected(data.get("rejected")),
         number(data.get("pixels_changed_far_away"))]
        for domain, data in domains
    ]  # fmt: skip
    columns = ["Backgrounds", "Scenes", "Redrawn", "Rejected", "Pixels changed away from the nodule"]
    return Table("Acceptance", columns, rows, numeric=["Scenes", "Redrawn", columns[-1]])


def sheet_figure(gallery: Sequence[PictureEntry], folder: Path) -> Figure | None:
    """Return up to 24 cuts around planted nodules, of different scenes; None without pictures."""
    from PIL import Image

    root = Path(folder).resolve()
    order = sorted(gallery, key=lambda item: item.rule not in _FIRST)
    paths = dict.fromkeys((root / item.synthetic).resolve() for item in order if item.synthetic)
    there = [p for p in paths if p.suffix == ".webp" and p.is_relative_to(root) and p.is_file()][:MOST]
    if not there:
        return None
    names: dict[str, None] = {}
    for path in there:
        with Image.open(path) as cut:
            small = encoded(cut.convert("L").resize((SIDE, SIDE)), "webp", quality=80, method=4)
        names[base64.b64encode(small).decode()] = None
    pictures = list(names)[: max(len(names) - len(names) % ROW, min(len(names), ROW))]
    description = f"{counted(len(pictures), 'cut')} around planted nodules, scenes drawn at random first."
    size, of = f'width="{SIDE}" height="{SIDE}"', len(pictures)
    sheet = "".join(
        f'<img src="data:image/webp;base64,{data}" alt="cut {number} of {of}" {size}>'
        for number, data in enumerate(pictures, 1)
    )
    return Figure("What was planted", description, sheet, wide=True)
