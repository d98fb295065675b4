"""Brightness of a behaviour's nodules beside real ones: of its spec before a run, of its scenes after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from synnodtest.attenuation import contrast_of, draw_density
from synnodtest.reference import Reference, Standing, real_nodules
from synnodtest.spec.model import Behaviour, NoduleSpec
from synnodtest.spec.values import Constant, Value

BRIGHT = 0.95
"""Brighter than this share of the real nodules of its size, a nodule is unlike them."""
MOST = 0.5
"""So many bright nodules make a behaviour's nodules unlike real ones: at its end alone a spec may ask for the dense."""
DRAWS = 200
"""Nodules drawn before a run; set by hand: a share of them has a standard error of 3.5% at most, and no verdict rests
on it."""
_DEFAULT_MM = 20.0
"""Of a fuzzed nodule whose diameter the spec does not name."""


@dataclass(frozen=True)
class Brightness:
    """Contrasts of nodules among those of real nodules of their size.

    Args:
        count: How many nodules.
        bright: How many are brighter than :data:`BRIGHT` of the real ones of their size.
        diameter_mm: Of the middle one by its multiple of the real median.
        contrast: Of the middle one.
        middle: Where it stands.
    """

    count: int
    bright: int
    diameter_mm: float
    contrast: float
    middle: Standing

    @property
    def unlike_real(self) -> bool:
        """True where most of the nodules are brighter than nearly all real ones."""
        return self.bright >= MOST * self.count

    def sentence(self) -> str:
        """Return it in words, without a capital and without a full stop."""
        share = "all" if self.bright == self.count else f"{self.bright / self.count:.0%}"
        who = f"{share} of its nodules are brighter than {BRIGHT:.0%} of annotated nodules of their size"
        return f"{who}; {self.middle_sentence()}"

    def middle_sentence(self) -> str:
        """Return where the middle one stands, without a capital and without a full stop."""
        return f"the median one, contrast {self.contrast:.2g} at {self.diameter_mm:.3g} mm, is {self.middle.sentence()}"


def brightness(nodules: Iterable[tuple[float, float]], reference: Reference | None = None) -> Brightness | None:
    """Return how bright nodules are, given as ``(contrast, diameter_mm)``; None where there are none."""
    real = real_nodules() if reference is None else reference
    known = [(c, d) for c, d in nodules if np.isfinite(c) and np.isfinite(d)]
    if not known:
        return None
    standing = [real.contrast(contrast, diameter) for contrast, diameter in known]
    times = [one.value / max(one.median, 1e-6) for one in standing]
    middle = int(np.argsort(times)[len(times) // 2])
    contrast, diameter = known[middle]
    return Brightness(len(known), sum(one.above >= BRIGHT for one in standing), diameter, contrast, standing[middle])


def asked_for(behaviour: Behaviour) -> Brightness | None:
    """Return how bright the nodules are that a behaviour asks for, by drawing some; None where it leaves that open.

    A density is taken where nothing lies over the lung.
    """
    return brightness([pair for one in _values(behaviour) for pair in _drawn(*one)])


def _values(behaviour: Behaviour) -> Iterator[tuple[Value, Value | None, Value | None, Value | None]]:
    """Yield diameter, contrast, density and attenuation of every nodule that names one of the last three."""
    nodules: Sequence[NoduleSpec] = behaviour.scenes.nodules if behaviour.scenes is not None else ()
    for nodule in nodules:
        if nodule.contrast or nodule.density or nodule.attenuation:
            yield nodule.diameter_mm, nodule.contrast, nodule.density, nodule.attenuation
    fuzz = behaviour.fuzz
    if fuzz is not None:
        fixed = {name: Constant(value) for name, value in fuzz.fixed.items() if isinstance(value, (int, float, str))}
        values: dict[str, Value] = {**fixed, **fuzz.vary}
        contrast, density, attenuation = (values.get(name) for name in ("contrast", "density", "attenuation"))
        if contrast or density or attenuation:
            yield values.get("diameter_mm", Constant(_DEFAULT_MM)), contrast, density, attenuation


def _drawn(
    diameter: Value, contrast: Value | None, density: Value | None, attenuation: Value | None
) -> Iterator[tuple[float, float]]:
    rng = np.random.default_rng(0)
    for _ in range(DRAWS):
        size = float(diameter.draw(rng))  # type: ignore[arg-type]
        if contrast is not None:
            yield float(contrast.draw(rng)), size  # type: ignore[arg-type]
            continue
        word = str(attenuation.draw(rng)) if attenuation is not None else ""
        dense = draw_density(word, size, rng) if density is None else float(density.draw(rng))  # type: ignore[arg-type]
        yield contrast_of(dense, size), size
