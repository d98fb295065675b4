"""A detector's finding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A box and a score.

    Args:
        box: ``(x_min, y_min, x_max, y_max)`` in pixels of the radiograph; x runs along columns, y along rows.
            Edges, not centres: a box over the first pixel is ``(0, 0, 1, 1)``.
        score: The detector's confidence, higher is surer. Raw: nothing rescales it.
    """

    box: tuple[float, float, float, float]
    score: float

    @property
    def centre(self) -> tuple[float, float]:
        """The box's centre ``(x, y)`` in pixels."""
        x_min, y_min, x_max, y_max = self.box
        return (x_min + x_max) / 2, (y_min + y_max) / 2
