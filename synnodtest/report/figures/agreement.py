"""Requested against realised: scatter and Bland-Altman of size and contrast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from synnodtest.geometry import FloatArray
from synnodtest.record.model import NoduleEntry
from synnodtest.record.words import number, plural
from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, axes, thinned, to_svg, widened
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure
from synnodtest.statistics import spearman

MOST_POINTS = 300
"""Nodules that are drawn: more only blacken the page."""
LIMITS_SD = 1.96
"""Standard deviations within which 95% of normal differences lie."""
_POINTS: dict[str, Any] = {"marker": "o", "linestyle": "none", "color": BLUE, "markersize": 3, "alpha": 0.5,
                           "markeredgewidth": 0}  # fmt: skip
_LABELS = {"diameter_mm": ("diameter", "mm"), "contrast": ("contrast", "")}


@drawn
def agreement_figure(nodules: Sequence[NoduleEntry], key: str, name: str) -> Figure | None:
    """Draw realised over requested, and their difference over their mean; None without such data."""
    both = ((n.asked(key), n.realised(key)) for n in nodules)
    pairs = np.array([pair for pair in both if None not in pair], dtype=float)
    if len(pairs) < 2:
        return None
    asked, got = pairs.T
    word, unit = _LABELS[key]
    difference = got - asked
    bias, reach = float(difference.mean()), LIMITS_SD * float(difference.std(ddof=1))
    limits = (bias - reach, bias + reach)
    relative = np.median(np.abs(difference) / np.maximum(np.abs(asked), 1e-9))
    error, span = f"{100 * float(relative):.1f}%", " to ".join(map(number, limits))
    varied = len(set(asked)) > 1 and len(set(got)) > 1
    rank = number(spearman(asked, got).value if varied else None)
    title = f"Requested against realised {word}"
    description = (
        f"{plural(len(pairs), 'nodule')}; bias {' '.join(filter(None, [number(bias), unit]))}, limits of agreement "
        f"{span}, median relative error {error}."
    )
    scatter, plot = _scatter(pairs, word, unit), _bland_altman(pairs, (bias, *limits), unit)
    first = to_svg(scatter, f"{name}-0", title, description)
    second = to_svg(plot, f"{name}-1", f"Bland-Altman plot of {word}", description)
    row = [number(len(pairs)), number(bias), span, error, rank]
    columns = ["nodules", "bias", "95% limits of agreement", "median relative error", "Spearman"]
    return Figure.of(title, description, first + second, columns, [row], numeric=columns, wide=True)


def _scatter(pairs: FloatArray, word: str, unit: str) -> Any:
    figure, axis = axes(340, 270)
    axis.plot(*pairs[thinned(len(pairs), MOST_POINTS)].T, **_POINTS)
    low, high = float(pairs.min()), float(pairs.max())
    axis.plot([low, high], [low, high], color=INK, linewidth=1)
    around = widened(low, high, high)
    axis.set(xlim=around, ylim=around)
    axis.set(xlabel=_label(f"requested {word}", unit), ylabel=_label(f"realised {word}", unit))
    return figure


def _bland_altman(pairs: FloatArray, lines: tuple[float, ...], unit: str) -> Any:
    """Draw differences over means, with the bias and the limits of agreement as lines."""
    figure, axis = axes(340, 270)
    mean, difference = pairs.sum(axis=1) / 2, pairs[:, 1] - pairs[:, 0]
    shown, high = thinned(len(pairs), MOST_POINTS), float(pairs.max())
    axis.plot(mean[shown], difference[shown], **_POINTS)
    bias, *limits = lines
    axis.axhline(bias, color=ORANGE, linewidth=1.6)
    for edge in limits:
        axis.axhline(edge, color=GREY, linewidth=1, linestyle=(0, (4, 2)))
    axis.set_xlim(widened(float(mean.min()), float(mean.max()), high))
    reach = max(float(np.abs(difference).max()), *map(abs, limits))
    axis.set_ylim(widened(-reach, reach, high))
    axis.set(xlabel=_label("mean of both", unit), ylabel=_label("realised \N{MINUS SIGN} requested", unit))
    return figure


def _label(what: str, unit: str) -> str:
    return f"{what} ({unit})" if unit else what
