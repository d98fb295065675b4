"""Distributions of what was asked for and what was made, as empirical distribution functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synnodtest.geometry import FloatArray
from synnodtest.record.model import NoduleEntry
from synnodtest.record.words import number
from synnodtest.reference import LEVELS, real_nodules
from synnodtest.report.figures.canvas import BLUE, GREY, ORANGE, axes, to_svg, widened
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure

MOST_STEPS = 300
"""Steps of a distribution that are drawn; no width of a page shows more, and each makes the document larger."""
QUANTILES = (5, 25, 50, 75, 95)
"""Percentiles in the table beside the drawing: the median, the quartiles and the middle nine tenths."""
_QUANTITIES = (("diameter_mm", "diameter (mm)"), ("contrast", "contrast"), ("conspicuity", "conspicuity"))


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
    return np.sort(np.round(np.array(asked, dtype=float), 4)), np.sort(np.round(np.array(got, dtype=float), 4))


def _distance(first: FloatArray, second: FloatArray) -> float:
    at = np.concatenate([first, second])
    shares = [np.searchsorted(v, at, side="right") / len(v) for v in (first, second)]
    return float(np.abs(shares[0] - shares[1]).max())
