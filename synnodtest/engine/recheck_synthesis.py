"""Check that a synthesizer still draws as it did when the radiographs of the store were made.

The identity of a Python factory is its source. It may load weights of which that says nothing: replaced, they would go
on as the radiographs that the old ones drew. So one stored radiograph of each run is drawn again.
"""

from __future__ import annotations

import math

import numpy as np

from synnodtest.engine.synthesis import synthesize
from synnodtest.engine.tally import Tally
from synnodtest.errors import SynthesizerError
from synnodtest.ports import Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Scene

TOLERANCE = 0.02
"""Of the brightness that nodules add or take at most. From batch to batch a network rounds by a hundredth of that;
other weights draw otherwise."""
LEAST = 1e-4
"""Of 0..1: of a nodule that adds next to nothing."""


class SynthesisRecheck:
    """Has a synthesizer draw again what the store holds of it.

    Args:
        synthesizer: One whose identity is the content of its weights draws nothing again.
    """

    def __init__(self, synthesizer: Synthesizer) -> None:
        self._synthesizer = synthesizer
        self._left = bool(getattr(synthesizer, "may_change_unseen", False))
        self._changed: SynthesizerError | None = None

    @property
    def wanted(self) -> bool:
        """True where the next stored radiograph is to be compared."""
        return self._left or self._changed is not None

    def compare(self, scene: Scene, background: Radiograph, stored: Radiograph) -> None:
        """Draw a scene again. One that is drawn otherwise every time tells nothing and is let pass.

        Args:
            scene: Without perturbations.
            background: It stands on.
            stored: What the store holds of it.

        Raises:
            SynthesizerError: it is drawn otherwise now; none of the stored ones is used from then on.
        """
        self._left = False
        if self._changed is None:
            redrawn, most = self._drawn(scene, background), max(LEAST, TOLERANCE * _apart(stored, background))
            apart = _apart(redrawn, stored)
            if apart <= most or _apart(self._drawn(scene, background), redrawn) > most:
                return
            self._changed = SynthesizerError(
                f"synthesizer {self._synthesizer.identity.name!r} draws otherwise than when the radiographs of the "
                f"store were made, on {background.background!r}: up to {apart:.3g} of the range apart, and its "
                "identity is the same",
                hint="its weights or a module that it loads changed: give it an identity with the sha256 of its "
                "weights, or a folder of its own by --synnod-cache",
            )
        raise self._changed

    def _drawn(self, scene: Scene, background: Radiograph) -> Radiograph:
        (edit,) = synthesize(self._synthesizer, [scene], [background], Tally())
        return edit.radiograph


def _apart(one: Radiograph, other: Radiograph) -> float:
    if one.shape != other.shape:
        return math.inf
    return float(np.abs(one.pixels - other.pixels).max())
