"""Requested against realised: scatter and Bland-Altman of size and contrast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True)
class _Agreement:
    """Requested and realised values of one quantity."""

    asked: NDArray[np.float64]
    got: NDArray[np.float64]
    word: str
    unit: str

    @cached_property
    def difference(self) -> NDArray[np.float64]:
        return self.got - self.asked

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        return (self.got + self.asked) / 2

    @cached_property
    def bias(self) -> float:
        return float(self.difference.mean())

    @cached_property
    def limits(self) -> tuple[float, float]:
        reach = LIMITS_SD * float(self.difference.std(ddof=1))
        return self.bias - reach, self.bias + reach

    @property
    def ends(self) -> tuple[float, float]:
        both = np.concatenate([self.asked, self.got])
        return float(both.min()), float(both.max())

    @property
    def shown(self) -> NDArray[np.int64]:
        """Positions of the nodules that are drawn."""
        return thinned(len(self.asked), MOST_POINTS)

    def label(self, what: str, word: str = "") -> str:
        """Return an axis label with the unit."""
        return " ".join(filter(None, [what, word])) + (f" ({self.unit})" if self.unit else "")


@drawn
def agreement_figure(nodules: Sequence[NoduleEntry], key: str, name: str) -> Figure | None:
    """Draw realised over requested, and their difference over their mean; None without such data."""
    agreement = _agreement(nodules, key)
    if agreement is None:
        return None
    title = f"Requested against realised {agreement.word}"
    unit = f" {agreement.unit}" if agreement.unit else ""
    limits = " to ".join(map(number, agreement.limits))
    relative = np.median(np.abs(agreement.difference) / np.maximum(np.abs(agreement.asked), 1e-9))
    error = f"{100 * float(relative):.1f}%"
    varied = len(set(agreement.asked)) > 1 and len(set(agreement.got)) > 1
    rank = number(spearman(agreement.asked, agreement.got).value if varied else None)
    description = (
        f"{plural(len(agreement.asked), 'nodule')}; bias {number(agreement.bias)}{unit}, limits of agreement {limits}, "
    )
    description += f"median relative error {error}."
    first = to_svg(_scatter(agreement), f"{name}-0", title, description)
    second = to_svg(_bland_altman(agreement), f"{name}-1", f"Bland-Altman plot of {agreement.word}", description)
    row = [number(len(agreement.asked)), number(agreement.bias), limits, error, rank]
    columns = ["nodules", "bias", "95% limits of agreement", "median relative error", "Spearman"]
    return Figure.of(title, description, "".join([first, second]), columns, [row], numeric=columns, wide=True)


def _agreement(nodules: Sequence[NoduleEntry], key: str) -> _Agreement | None:
    both = ((n.asked(key), n.realised(key)) for n in nodules)
    pairs = np.array([pair for pair in both if None not in pair], dtype=float)
    return None if len(pairs) < 2 else _Agreement(pairs[:, 0], pairs[:, 1], *_LABELS[key])


def _scatter(found: _Agreement) -> Any:
    figure, left = axes(340, 270)
    left.plot(found.asked[found.shown], found.got[found.shown], **_POINTS)
    left.plot(found.ends, found.ends, color=INK, linewidth=1)
    around = widened(*found.ends, found.ends[1])
    left.set(xlim=around, ylim=around)
    left.set(xlabel=found.label("requested", found.word), ylabel=found.label("realised", found.word))
    return figure


def _bland_altman(found: _Agreement) -> Any:
    figure, right = axes(340, 270)
    right.plot(found.mean[found.shown], found.difference[found.shown], **_POINTS)
    right.axhline(found.bias, color=ORANGE, linewidth=1.6)
    for edge in found.limits:
        right.axhline(edge, color=GREY, linewidth=1, linestyle=(0, (4, 2)))
    right.set_xlim(widened(float(found.mean.min()), float(found.mean.max()), found.ends[1]))
    reach = max(float(np.abs(found.difference).max()), *map(abs, found.limits))
    right.set(
        ylim=widened(-reach, reach, found.ends[1]),
        xlabel=found.label("mean of both"),
        ylabel=found.label("realised \N{MINUS SIGN} requested"),
    )
    return figure
