"""A transfer result as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Figures = Mapping[str, Any]
"""Plain JSON values: a result of ``evaluate transfer``, or a part of it."""


def as_text(result: Figures) -> str:
    """Return what a reader wants first: sensitivity planted and real, their difference, band by band."""
    return "\n".join([*_head(result["made_of"]), *_detectors(result), *_agreement(result), *_visibility(result), ""])


def _head(made: Figures) -> Iterator[str]:
    yield (
        f"{made['nodules']} annotated nodules on {made['films']} films of {made['patients']} patients "
        f"({made['data']['name']}, split {made['data']['split']}; {made['masses_left_out']} boxes above "
        f"{made['largest_mm']:g} mm left out)"
    )
    yield (
        f"{made['scenes']} planted scenes in {made['negative_films']} negative films, {made['moved']} nodules of them "
        "in another zone than asked for"
    )
    yield f"a hit: {made['hit']}; interval {1 - 2 * made['alpha']:.0%}, margin {made['margin']:g}"


def _detectors(result: Figures) -> Iterator[str]:
    for one in result["detectors"]:
        area = one["image_auc"]
        yield ""
        yield f"{one['name']}: image AUC real {_value(area['real'])}, planted {_value(area['planted'])}"
        yield f"{'FP/film':>8} {'box mm':>9} {'real':>18} {'planted':>18} {'planted - real':>26}  equivalent"
        for at in one["rates"]:
            rate = f"{at['false_positives_per_image']:g}"
            yield _line(rate, "all", at)
            for band in at["bands"]:
                yield _line("", f"{band['from_mm']:g}-{band['to_mm']:g}", band)
        shares = one["variance"]
        if "host" in shares:
            yield (
                f"variance of the score of planted nodules: host {shares['host']:.0%}, nodule {shares['nodule']:.0%}, "
                f"rest {shares['rest']:.0%}"
            )
        if one["rejected"] or one["unplaced"]:
            yield f"scenes left out: {one['rejected']} rejected {one['why_rejected']}, {one['unplaced']} unplaced"


def _line(rate: str, band: str, pair: Figures) -> str:
    gap = pair["difference"]
    inside = "yes" if pair["equivalent"] else "no"
    between = f"{_value(gap)} ({gap['lower']:+.2f} to {gap['upper']:+.2f})"
    return (
        f"{rate:>8} {band:>9} {_rate(pair['real']):>18} {_rate(pair['planted']):>18} {between:>26}  "
        f"{inside} (p {pair['p_equivalence']:.3f})"
    )


def _rate(estimate: Figures) -> str:
    return f"{_value(estimate)} of {estimate['n']}"


def _value(estimate: Figures) -> str:
    return "-" if estimate["value"] is None else f"{estimate['value']:.2f}"


def _agreement(result: Figures) -> Iterator[str]:
    agreement = result.get("agreement")
    if not agreement:
        return
    yield ""
    yield f"over {agreement['detectors']} detectors, sensitivity to planted against real nodules:"
    for at in (*agreement["rates"], agreement["all_rates"]):
        rate = f"{at['false_positives_per_image']:g} FP/film" if "false_positives_per_image" in at else "all rates"
        rank = "-" if at["spearman"] is None else f"{at['spearman']:.2f}"
        gap, most = at["mean_absolute_difference"], at["largest_difference"]
        yield f"  {rate}: Spearman {rank}, mean absolute difference {gap:.3f}, largest {most:.3f}"
    again = agreement.get("yardstick")
    if again and again["spearman"]:
        rank, gap = (
            "{median:.2f} ({p5:.2f} to {p95:.2f})".format(**again[name])
            for name in ("spearman", "mean_absolute_difference")
        )
        yield f"  real patients drawn anew against the real ones: Spearman {rank}, mean absolute difference {gap}"


def _visibility(result: Figures) -> Iterator[str]:
    for name, bands in result["visibility"].items():
        yield ""
        yield (
            f"{name} in place, median real / planted (ratio, Kolmogorov-Smirnov):" if name == "contrast" else f"{name}:"
        )
        for band in bands:
            if "real" in band:
                ratio = "-" if band["median_ratio"] is None else f"{band['median_ratio']:.2f}"
                yield (
                    f"  {band['from_mm']:g} to {band['to_mm']:g} mm: {band['real'][1]:.3f} / {band['planted'][1]:.3f} "
                    f"({ratio}, {band['kolmogorov_smirnov']:.2f})"
                )
