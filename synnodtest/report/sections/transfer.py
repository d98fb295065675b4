"""Transfer of a verdict on planted nodules to real ones, for this detector."""

from __future__ import annotations

from synnodtest.record.model.measured import Transfer, TransferData, TransferDetector, TransferPair
from synnodtest.record.words import interval, number, short_hash
from synnodtest.report.model import Table

NO_TRANSFER = (
    "none: whether these verdicts carry over to real nodules was not measured "
    "(synnodtest evaluate transfer --out FILE, then --credibility FILE)"
)
_COLUMNS = (
    "False positives per negative film",
    "Box (mm)",
    "Real nodules found",
    "Planted nodules found",
    "Planted minus real",
    "Interval",
    "Within the margin",
)


def transfer(found: Transfer, name: str) -> dict[str, object]:
    """Return what is shown of one transfer result: sentences and tables."""
    data, own = found.made_of, found.own
    detectors = found.detectors if own is None else (found.detectors[own],)
    return {
        "id": name,
        "lead": _lead(found, data),
        "warnings": _warnings(found),
        "sentences": [sentence for one in detectors for sentence in _sentences(one, data)],
        "tables": [_table(one, data) for one in detectors] + [t for t in (_agreement(found), _visibility(found)) if t],
    }


def _lead(found: Transfer, made: TransferData) -> str:
    return (
        f"{found.file} (sha256 {short_hash(found.sha256)}): {number(made.nodules)} annotated nodules on "
        f"{number(made.films)} films of {number(made.patients)} patients, beside nodules planted in "
        f"{number(made.negative_films)} negative films, matched in size, region and number; thresholds set on the "
        f"negative films; {number(made.masses_left_out)} boxes above {_edge(made.largest_mm)} mm left out; "
        f"a hit: {made.hit}."
    )


def _warnings(found: Transfer) -> list[str]:
    notes = []
    if found.own is None:
        notes.append(f"This detector was not measured; the figures are of {found.names} and say nothing certain of it.")
    differs = "; ".join(found.differs)
    if not found.of_this_synthesizer:
        notes.append(f"The nodules were planted by another synthesizer than this run's: {differs}.")
    elif differs:
        notes.append(f"The nodules were planted with other settings: {differs}.")
    return notes


def _sentences(one: TransferDetector, made: TransferData) -> list[str]:
    """Return the finding in words: the middle rate, the image level, what explains the scores."""
    at = one.middle
    gap, margin = at.difference, number(made.margin)
    tells = (
        f"A sensitivity to planted nodules tells that to real ones within {margin}"
        if at.equivalent
        else f"It is not shown that a sensitivity to planted nodules tells that to real ones within {margin}"
    )
    area, shares = one.image_auc, one.variance
    sentences = [
        f"{one.name}: {tells}. At {number(at.false_positives_per_image)} false positives per film it finds "
        f"{at.real.short} of the real and {at.planted.short} of the planted nodules; difference "
        f"{number(gap.value, 'difference')} ({interval(gap.lower, gap.upper, 'difference')}).",
        f"Area under the curve of films with a nodule against negative ones: real {area.real.short}, "
        f"planted {area.planted.short}.",
    ]
    if shares.host is not None:
        sentences.append(
            f"Of the variance of its scores at planted nodules the chest explains {shares.host:.0%}, the nodule "
            f"{shares.nodule:.0%}, their interaction and noise {shares.rest:.0%}."
        )
    return sentences


def _table(one: TransferDetector, made: TransferData) -> Table:
    rows = []
    for at in one.rates:
        rows.append(_row(number(at.false_positives_per_image), "all", at))
        rows += [_row("", _band(b.from_mm, b.to_mm), b) for b in at.bands]
    title = f"{one.name}: sensitivity to real and to planted nodules, {1 - 2 * made.alpha:.0%} intervals"
    return Table(title, list(_COLUMNS), rows, numeric=list(_COLUMNS[2:5]))


def _band(low: float | None, high: float | None) -> str:
    return f"{_edge(low)} to {_edge(high)}" if low else f"under {_edge(high)}"


def _edge(size_mm: float | None) -> str:
    return "–" if size_mm is None else f"{size_mm:g}"


def _row(rate: str, band: str, pair: TransferPair) -> list[str]:
    gap = pair.difference
    return [
        rate,
        band,
        *(f"{side.short} of {number(side.n)}" for side in (pair.real, pair.planted)),
        number(gap.value, "difference"),
        interval(gap.lower, gap.upper, "difference"),
        f"{'yes' if pair.equivalent else 'not shown'} (p {pair.p_equivalence:.3f})",
    ]


def _agreement(found: Transfer) -> Table | None:
    agreement = found.agreement
    if agreement is None:
        return None
    columns = ["False positives per negative film", "Spearman", "Mean absolute difference", "Largest difference"]
    rows = [
        [
            "all" if at.false_positives_per_image is None else number(at.false_positives_per_image),
            *map(number, (at.spearman, at.mean_absolute_difference, at.largest_difference)),
        ]
        for at in (*agreement.rates, agreement.all_rates)
    ]
    title = f"Over {number(agreement.detectors)} detectors ({found.names}): sensitivity to planted against real nodules"
    return Table(title, columns, rows, numeric=columns[1:])


def _visibility(found: Transfer) -> Table | None:
    columns = ["Measured", "Box (mm)", "Real, median", "Planted, median", "Ratio", "Kolmogorov-Smirnov distance"]
    rows = [
        [
            {"contrast": "contrast in place", "conspicuity": "conspicuity"}[name],
            _band(band.from_mm, band.to_mm),
            *map(number, (band.real[1], band.planted[1], band.median_ratio, band.kolmogorov_smirnov)),
        ]
        for name, bands in found.visibility.items()
        for band in bands
        if band.real is not None
    ]
    title = "How visible planted and real nodules are, measured by one rule"
    return Table(title, columns, rows, numeric=columns[2:]) if rows else None
