"""Requested against realised: scatter and Bland-Altman of size and contrast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from synnodtest.record.model import NoduleEntry
from synnodtest.record.words import number
from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, axes, rcparams, side_by_side, to_svg, widened
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure, table_of

__all__ = ["agreement_figure"]

MOST_POINTS = 300
_LABELS = {"diameter_mm": ("diameter", "mm"), "contrast": ("contrast", "")}


@drawn
def agreement_figure(nodules: Sequence[NoduleEntry], key: str, name: str) -> Figure | None:
    """Draw realised over requested, and their difference over their mean; None without such data."""
    from scipy import stats

    pairs = np.array(
        [
            (asked, realised)
            for n in nodules
            if (asked := n.asked(key)) is not None and (realised := n.realised(key)) is not None
        ],
        dtype=float,
    )
    if len(pairs) < 2:
        return None
    asked, got = pairs.T
    difference, mean = got - asked, (got + asked) / 2
    bias, spread = float(difference.mean()), float(difference.std(ddof=1))
    relative = float(np.median(np.abs(difference) / np.maximum(np.abs(asked), 1e-9)))
    varied = len(set(asked)) > 1 and len(set(got)) > 1
    rho = float(stats.spearmanr(asked, got).statistic) if varied else None
    word, unit = _LABELS[key]
    suffix = f" ({unit})" if unit else ""
    title = f"Requested against realised {word}"
    limits = f"{number(bias - 1.96 * spread)} to {number(bias + 1.96 * spread)}"
    description = (
        f"{len(pairs)} nodules; bias {number(bias)}{f' {unit}' if unit else ''}, limits of agreement {limits}, median "
        f"relative error {100 * relative:.1f}%."
    )
    keep = np.linspace(0, len(pairs) - 1, min(len(pairs), MOST_POINTS)).astype(int)
    look: dict[str, Any] = {
        "marker": "o",
        "linestyle": "none",
        "color": BLUE,
        "markersize": 3,
        "alpha": 0.5,
        "markeredgewidth": 0,
    }
    with rcparams():
        figure, left = axes(340, 270)
        left.plot(asked[keep], got[keep], **look)
        ends = [float(pairs.min()), float(pairs.max())]
        left.plot(ends, ends, color=INK, linewidth=1)
        around = widened(ends[0], ends[1], ends[1])
        left.set(xlim=around, ylim=around)
        left.set_xlabel(f"requested {word}{suffix}")
        left.set_ylabel(f"realised {word}{suffix}")
        first = to_svg(figure, f"{name}-0", title, description)
        figure, right = axes(340, 270)
        right.plot(mean[keep], difference[keep], **look)
        right.axhline(bias, color=ORANGE, linewidth=1.6)
        for edge in (bias - 1.96 * spread, bias + 1.96 * spread):
            right.axhline(edge, color=GREY, linewidth=1, linestyle=(0, (4, 2)))
        right.set_xlim(widened(float(mean.min()), float(mean.max()), ends[1]))
        reach = max(float(np.abs(difference).max()), abs(bias) + 1.96 * spread)
        right.set_ylim(widened(-reach, reach, ends[1]))
        right.set_xlabel(f"mean of both{suffix}")
        right.set_ylabel(f"realised \N{MINUS SIGN} requested{suffix}")
        second = to_svg(figure, f"{name}-1", f"Bland-Altman plot of {word}", description)
    row = [
        number(len(pairs)),
        number(bias),
        limits,
        f"{100 * relative:.1f}%",
        number(rho),
    ]
    columns = ["nodules", "bias", "95% limits of agreement", "median relative error", "Spearman"]
    return Figure(
        title, description, side_by_side([first, second]), table_of(title, columns, [row], numeric=columns), wide=True
    )
