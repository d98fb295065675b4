"""The picture of how realised nodules agree with requested ones (Bland & Altman, Lancet 1986)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

SHOWN = (
    ("diameter_mm", "diameter", "Diameter in mm", (4, 8, 16, 32)),
    ("contrast", "contrast", "Contrast", (0.1, 0.2, 0.4, 0.8)),
)
FINE, COARSE = (0.92, 0.95, 0.98, 1, 1.02, 1.05, 1.08), (0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2)


def bland_altman(figures: Mapping[str, object], path: Path) -> None:
    """Draw realised over requested against their mean, per kind of background, with limits of agreement.

    Args:
        figures: What :func:`synnodtest.evaluation.synthesizer.evaluate_synthesizer` returned.
        path: A PNG or SVG file to write.
    """
    from matplotlib.figure import Figure

    grounds = [(name, found) for name, found in figures.items() if isinstance(found, Mapping) and "pairs" in found]
    figure = Figure(figsize=(9, 3.2 * len(grounds)), layout="constrained")
    axes = figure.subplots(len(grounds), 2, squeeze=False)
    for row, (name, found) in zip(axes, grounds, strict=True):
        for axis, (pairs, summary, label, places) in zip(row, SHOWN, strict=True):
            requested, realised = np.asarray(found["pairs"][pairs]).T
            low, high = found[summary]["limits_of_agreement_ratio"]
            axis.scatter(np.sqrt(requested * realised), realised / requested, s=12, alpha=0.6, color="#1f5a94", lw=0)
            axis.axhline(found[summary]["median_ratio"], color="#333333", lw=1)
            for limit in (low, high):
                axis.axhline(limit, color="#333333", lw=0.8, ls="--")
            axis.set(xscale="log", yscale="log", xlabel=f"{label} (geometric mean)", ylabel="realised / requested")
            axis.set_title(f"{name}, n = {len(requested)}: 95% limits {low:.3f} to {high:.3f}", fontsize=9, loc="left")
            widest = max(1.05, float(np.exp(np.abs(np.log(np.r_[realised / requested, low, high])).max())) * 1.02)
            axis.set_ylim(1 / widest, widest)
            ticks = [t for t in (FINE if widest < 1.1 else COARSE) if 1 / widest < t < widest]
            axis.set_yticks(ticks, [f"{t:g}" for t in ticks])
            axis.set_xticks(places, [f"{place:g}" for place in places])
            axis.minorticks_off()
    figure.savefig(path, dpi=110)
