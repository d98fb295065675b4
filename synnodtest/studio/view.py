"""What the canvas is told: one JSON text per change, pixels by version, so that only what changed is fetched."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from synnodtest.studio.session import Session

MOST_BOXES = 60
"""Findings per detector that are drawn."""
LEAST_SCORE = 0.01


@dataclass
class View:
    """What one tab shows of its session.

    Args:
        token: Of the session.
        threshold: Findings below it are not drawn.
        outlines: Regions whose borders are drawn.
        marks: Whether boxes, truth and findings are drawn.
        export: What the link offers: kind, ``native`` or ``1024``, whether SYNTHETIC is written into the picture.
        version: Counts up with every text, ``film`` with every case, ``made`` with every result.
    """

    token: str
    threshold: float = 0.25
    outlines: list[str] = field(default_factory=list)
    marks: bool = True
    export: tuple[str, str, bool] = ("PNG, 16 bits", "native", False)
    version: int = 0
    film: int = 0
    made: int = 0

    def text(self, session: Session) -> str:
        """Return the view as JSON."""
        self.version += 1
        told: dict[str, object] = {"token": self.token, "version": self.version, "film": self.film, "shown": self.made}
        if session.case is None:
            return json.dumps(told)
        radiograph, result = session.case.radiograph, session.result
        height, width = radiograph.shape
        told |= {
            "width": width,
            "height": height,
            "spacing": list(radiograph.spacing_mm),
            "threshold": self.threshold,
            "marks": self.marks,
            "outlines": [name for name in self.outlines if name in radiograph.regions],
            "boxes": [{"name": wish.name, "box": list(wish.box)} for wish in session.wishes],
            "selected": session.selected,
            "pixels": {"before": f"f{self.film}"},
        }
        if result is not None:
            told["pixels"] = {"before": f"f{self.film}", "after": f"m{self.made}", "difference": f"m{self.made}"}
            told["show"] = "after"
            told["truth"] = [{"name": truth.name, "box": list(truth.box)} for truth in result.after.nodules]
            told["findings"] = [
                {"detector": name, "boxes": [[*box, score] for box, score in found[:MOST_BOXES] if score > LEAST_SCORE]}
                for name, found in result.findings.items()
            ]
        made = session.exploration
        if made is not None and made.kind in ("map", "leak"):
            told["points"] = [[point.x, point.y, point.confidence] for point in made.points]
        return json.dumps(told)
