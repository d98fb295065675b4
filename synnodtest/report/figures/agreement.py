"""Requested against realised: scatter and Bland-Altman of size and contrast, and the distributions of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from synnodtest.geometry import FloatArray
from synnodtest.record.model import NoduleEntry
from synnodtest.record.words import number, plural
from synnodtest.reference import LEVELS, real_nodules
from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, axes, to_svg, widened
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure
from synnodtest.statistics import spearman
from synnodtest.statistics.curves import thinned

MOST_POINTS = 300
"""Nodules that are drawn: more only blacken the page."""
LIMITS_SD = 1.96
"""Standard deviations within which 95% of normal differences lie."""
_POINTS: dict[str, Any] = {"marker": "o", "linestyle": "none", "color": BLUE, "markersize": 3, "alpha": 0.5,
                           "markeredgewidth": 0}  # fmt: skip
_LABELS = {"diameter_mm": ("diameter", "mm"), "contrast": ("contrast", "")}
_DIGITS = 4
"""Of sizes and contrasts that are ranked or counted: what differs less was asked alike, and is rounding."""
MOST_STEPS = 300
"""Steps of a distribution that are drawn; no width of a page shows more, and each makes the document larger."""
QUANTILES = (5, 25, 50, 75, 95)
"""Percentiles in the table beside the drawing: the median, the quartiles and the middle nine tenths."""
_QUANTITIES = (("diameter_mm", "diameter (mm)"), ("contrast", "contrast"), ("conspicuity", "conspicuity"))


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
    ranked = np.round(pairs, _DIGITS).T
    rank = number(spearman(*ranked).value if np.ptp(ranked, axis=1).all() else None)
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


@drawn
def ecdf_figure(nodules: Sequence[NoduleEntry], name: str) -> Figure | None:
    """Draw the distributions of diameter, contrast and conspicuity, beside annotated nodules; None without nodules."""
    drawn = [(word, asked, got) for key, word in _QUANTITIES for asked, got in [_values(nodules, key)] if len(got) > 1]
    real = real_nodules().bands[-1]
    if not drawn:
        return None
    title = "Distributions of requested and realised nodules"
    description = "; ".join(
        f"{word}: largest distance of the two curves {number(_distance(asked, got))}"
        for word, asked, got in drawn
        if len(asked)
    )
    panels = []
    for index, (word, asked, got) in enumerate(drawn):
        figure, axis = axes(340, 250)
        for values, look, label in (
            (asked, {"color": GREY, "linestyle": (0, (4, 2))}, "requested"),
            (got, {"color": BLUE}, "realised"),
        ):
            if len(values):
                steps = np.quantile(values, np.linspace(0, 1, min(len(values), MOST_STEPS)))
                axis.step(steps, np.linspace(0, 1, len(steps)), where="post", label=label, **look)
        if word in real:
            axis.plot(real[word], LEVELS, color=ORANGE, linestyle=(0, (1, 2)), label="annotated on films")
        every = np.concatenate([asked, got, real.get(word, [])])
        low, high = float(every.min()), float(every.max())
        axis.set(xlim=widened(low, high, high), xlabel=word, ylim=(-0.02, 1.02))
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, columnspacing=0.8, handlelength=1.2)
        axis.set_ylabel("share of nodules")
        panels.append(to_svg(figure, f"{name}-{index}", f"{title}: {word}", description))
    columns = ["quantity", "nodules", *(f"{q}%" for q in QUANTILES)]
    rows = [
        [f"{word}, {which}", number(len(values)), *(number(float(v)) for v in np.percentile(values, QUANTILES))]
        for word, asked, got in drawn
        for which, values in (("requested", asked), ("realised", got))
        if len(values)
    ]
    return Figure.of(title, f"{description}.", "".join(panels), columns, rows, wide=True)


def _values(nodules: Sequence[NoduleEntry], key: str) -> tuple[FloatArray, FloatArray]:
    asked = [v for n in nodules if (v := n.asked(key)) is not None]
    got = [v for n in nodules if (v := n.realised(key)) is not None]
    first, second = (np.sort(np.round(np.array(values, dtype=float), _DIGITS)) for values in (asked, got))
    return first, second


def _distance(first: FloatArray, second: FloatArray) -> float:
    at = np.concatenate([first, second])
    shares = [np.searchsorted(v, at, side="right") / len(v) for v in (first, second)]
    return float(np.abs(shares[0] - shares[1]).max())
