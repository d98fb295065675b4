"""Transfer of a verdict on planted nodules to real ones: its tables."""

from __future__ import annotations

from synnodtest.record.model.measured import AgreementEntry, Transfer, TransferData, TransferDetector, TransferPair
from synnodtest.record.words import interval, number, p_text, plural
from synnodtest.report.model import Table


def tables_of(found: Transfer) -> list[Table]:
    """Return the tables of one transfer result; what it says in words stands in the template."""
    tables = [_table(one, found.made_of) for one in found.shown]
    return [*tables, *([_agreement(found, found.agreement)] if found.agreement else []), _visibility(found)]


def _table(one: TransferDetector, made: TransferData) -> Table:
    rows = []
    for at in one.rates:
        rate = number(at.false_positives_per_image)
        rows.append(_row(rate, "all", at, made.margin))
        rows += [_row(rate, _band(b.from_mm, b.to_mm), b, made.margin) for b in at.bands]
    title = f"{one.name}: sensitivity to real and to planted nodules, {1 - 2 * made.alpha:.0%} intervals"
    columns = ["False positives per negative film", "Box (mm)", "Real nodules found", "Planted nodules found",
               "Planted minus real", "Interval", "Within the margin"]  # fmt: skip
    return Table(title, columns, rows, numeric=columns[2:5])


def _band(low: float | None, high: float | None) -> str:
    return f"{_edge(low)} to {_edge(high)}" if low else f"under {_edge(high)}"


def _edge(size_mm: float | None) -> str:
    return "–" if size_mm is None else f"{size_mm:g}"


def _row(rate: str, band: str, pair: TransferPair, margin: float | None) -> list[str]:
    gap = pair.difference
    return [
        rate,
        band,
        *(f"{side.short} of {number(side.n)}" for side in (pair.real, pair.planted)),
        number(gap.value, "difference"),
        interval(gap.lower, gap.upper, "difference", bound=margin),
        f"{'yes' if pair.equivalent else 'not shown'} (p {p_text(pair.p_equivalence)})",
    ]


def _agreement(found: Transfer, agreement: AgreementEntry) -> Table:
    columns = ["False positives per negative film", "Spearman", "Mean absolute difference", "Largest difference"]
    rows = [
        [
            "all" if at.false_positives_per_image is None else number(at.false_positives_per_image),
            *map(number, (at.spearman, at.mean_absolute_difference, at.largest_difference)),
        ]
        for at in (*agreement.rates, agreement.all_rates)
    ]
    title = (
        f"Over {plural(agreement.detectors, 'detector')} ({found.names}): sensitivity to planted against real nodules"
    )
    return Table(title, columns, rows, numeric=columns[1:])


def _visibility(found: Transfer) -> Table:
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
    return Table(title, columns, rows, numeric=columns[2:])
