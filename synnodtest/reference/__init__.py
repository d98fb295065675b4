"""Position of nodules among real ones: quantiles of those that readers annotated on films, and brightness beside them.

    from synnodtest.reference import real_nodules

    real_nodules().contrast(0.5, diameter_mm=8).sentence()
    # 'brighter than all 24 annotated nodules of 4 to 12 mm, 4.9 times their median'

The figures in ``real_nodules.json`` are aggregate numbers of annotated films; ``synnodtest evaluate reference`` makes
them, of your own films too. Contrast is contrast in place and conspicuity that of :mod:`synnodtest.conspicuity`,
both of the nodule without its annotators' margin; the diameter is that of this nodule, as a spec asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.attenuation import contrast_of, draw_density
from synnodtest.errors import SynnodError
from synnodtest.spec.model import Behaviour, NoduleSpec
from synnodtest.spec.values import Constant, Value

FORMAT = 1
"""Version of the file, the only one so far; another is refused rather than read by guess."""
LEVELS = tuple(round(0.05 * k, 2) for k in range(21))
"""At which quantiles are kept."""
_MORE = {"contrast": "brighter", "conspicuity": "more conspicuous"}
_LESS = {"contrast": "fainter", "conspicuity": "less conspicuous"}


@dataclass(frozen=True)
class Standing:
    """One value among those of real nodules of the same size.

    Args:
        name: ``contrast`` or ``conspicuity``.
        value: The value.
        above: Share of real nodules that have less of it, 0 to 1.
        median: Of the real ones.
        count: How many real ones there are.
        size_mm: Least and largest diameter of these, or of all where the size's own are too few.
    """

    name: str
    value: float
    above: float
    median: float
    count: int
    size_mm: tuple[float, float]

    def sentence(self) -> str:
        """Return it in words, without a capital and without a full stop."""
        who = f"annotated nodules of {self.size_mm[0]:g} to {self.size_mm[1]:g} mm"
        times = f", {self.value / self.median:.2g} times their median" if self.median > 0 else ""
        if self.above >= 1:
            return f"{_MORE[self.name]} than all {self.count} {who}{times}"
        if self.above <= 0:
            return f"{_LESS[self.name]} than all {self.count} {who}{times}"
        if self.above < 0.5:
            return f"{_LESS[self.name]} than {1 - self.above:.0%} of {self.count} {who}"
        return f"{_MORE[self.name]} than {self.above:.0%} of {self.count} {who}"


@dataclass(frozen=True)
class Reference:
    """Quantiles of real nodules by diameter.

    Args:
        source: Which films, how many, and who annotated them.
        bands: Per band ``from_mm``, ``to_mm``, ``n`` and, per quantity, quantiles at :data:`LEVELS`; the last band
            holds all sizes together.
        places: Share of the nodules in each region.
    """

    source: Mapping[str, object]
    bands: Sequence[Mapping[str, Any]]
    places: Mapping[str, float]

    def contrast(self, value: float, diameter_mm: float) -> Standing:
        """Return how a contrast stands among the contrasts in place of real nodules of this diameter."""
        return self._standing("contrast", value, diameter_mm)

    def conspicuity(self, value: float, diameter_mm: float) -> Standing:
        """Return how a conspicuity stands among those of real nodules of this diameter."""
        return self._standing("conspicuity", value, diameter_mm)

    def quantile(self, name: str, level: float, diameter_mm: float) -> float:
        """Return a quantile of ``contrast`` or ``conspicuity`` of real nodules of this diameter, ``level`` in 0..1."""
        return float(np.interp(level, LEVELS, self.band(diameter_mm)[name]))

    def band(self, diameter_mm: float) -> Mapping[str, Any]:
        """Return the band of a diameter; below the first and above the last band these stand in."""
        own = self.bands[:-1] or self.bands
        for band in own:
            if diameter_mm < band["to_mm"]:
                return band
        return own[-1]

    def _standing(self, name: str, value: float, diameter_mm: float) -> Standing:
        band = self.band(diameter_mm)
        quantiles = np.asarray(band[name], dtype=np.float64)
        above = float(np.interp(value, np.maximum.accumulate(quantiles), LEVELS, left=0.0, right=1.0))
        if value > quantiles[-1]:
            above = 1.0
        median = float(np.interp(0.5, LEVELS, quantiles))
        return Standing(name, value, above, median, int(band["n"]), (float(band["from_mm"]), float(band["to_mm"])))


@cache
def real_nodules() -> Reference:
    """Return the reference that ships with the package."""
    with resources.as_file(resources.files(__name__) / "real_nodules.json") as path:
        return read_reference(path)


def read_reference(path: Path) -> Reference:
    """Return a reference that ``synnodtest evaluate reference --out FILE`` wrote.

    Raises:
        SynnodError: the file cannot be read or is no such reference.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']!r}, not {FORMAT}")
        for band in content["bands"]:
            if any(len(band[name]) != len(LEVELS) for name in _MORE) or not band["from_mm"] < band["to_mm"]:
                raise ValueError("a band has not the quantiles that it should have")
        return Reference(content["source"], tuple(content["bands"]), content["places"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SynnodError(
            f"{path}: no reference of real nodules: {error}", hint="synnodtest evaluate reference --data DIR --out FILE"
        ) from error


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


def brightness(nodules: Iterable[tuple[float, float]]) -> Brightness | None:
    """Return how bright nodules are, given as ``(contrast, diameter_mm)``; None where there are none."""
    known = [(c, d) for c, d in nodules if np.isfinite(c) and np.isfinite(d)]
    if not known:
        return None
    standing = [real_nodules().contrast(contrast, diameter) for contrast, diameter in known]
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
