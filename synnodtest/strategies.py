"""Hypothesis strategies of nodules and scenes, by difficulty: what shrinks ends at the easiest case that still fails.

Large, dense and round is easy, so are the middle of the lung, no companion and no perturbation. What is drawn is an
:class:`~synnodtest.planning.example.Example`: parameters with a place relative to the lung, free of pixels. The pytest
fixture ``synnod`` plants it, runs the detector and matches::

    import synnodtest.strategies as st
    from hypothesis import given

    @given(scene=st.scenes(diameter_mm=(12, 40), contrast=(0.4, 1.0)))
    def test_conspicuous_nodules_are_found(synnod, scene):
        assert synnod(scene).nodules[0].detected(0.25)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from synnodtest.evidence.regions import RegionExpression
from synnodtest.perturbations import perturbation_kinds
from synnodtest.planning.difficulty import NEUTRAL, Difficulties, Dimension, Space, dimension, ranged
from synnodtest.planning.example import Example
from synnodtest.planning.example_space import place_dimensions
from synnodtest.planning.radiomics_space import vectors
from synnodtest.radiomics_features import FEATURE_NAMES
from synnodtest.scene import ATTENUATION_WORDS, MARGIN_WORDS
from synnodtest.spec.limits import LIMITS
from synnodtest.spec.model import Location
from synnodtest.spec.values import Choice

__all__ = ["Example", "nodules", "perturbations", "points", "radiomics", "scenes"]

Range = tuple[float, float]
_FAR = 7 * 10**30
"""Offset of whole numbers. Near zero Hypothesis prefers small ones (easy examples), and constants that it finds
in whatever local modules happen to be loaded; this far out its draws hang on the seed alone."""


def nodules(
    *,
    diameter_mm: Range = (4.0, 40.0),
    contrast: Range | None = None,
    region: RegionExpression = "lung",
    parts: int = 2,
    radiomics: st.SearchStrategy[Mapping[str, float]] | None = None,
    density: Range | None = None,
    attenuation: Sequence[str] = (),
    margin: Sequence[str] = (),
) -> st.SearchStrategy[Example]:
    """Draw one nodule; shrinks to a large and dense one in the middle of the region.

    Args:
        diameter_mm: Smallest and largest diameter.
        contrast: Lowest and highest contrast. Without it, a density and an attenuation: as nodules are that readers
            marked on films.
        region: Where its centre lies.
        parts: Parts of the region (two lungs), from the image's left.
        radiomics: Features of it, such as :func:`radiomics`; needs a synthesizer that takes them.
        density: Lowest and highest density (1: soft tissue), in place of a contrast.
        attenuation: Words to draw from, in place of a contrast and a density.
        margin: Words to draw from; empty: the synthesizer's own outlines.

    Raises:
        ValueError: a range is empty, a word unknown, brightness is said twice, or no nodule can be like that.
    """
    looks = tuple(_looks(contrast, density, attenuation, margin))
    diameters = ranged("diameter_mm", *_range("diameter_mm", diameter_mm))
    space = Space((*place_dimensions(parts), *looks, diameters))
    drawn = _points(space)
    located = drawn if region == "lung" else drawn.map(lambda v: {**v, "location": Location(region=region)})
    if radiomics is None:
        return located.map(Example.of)
    return st.tuples(located, radiomics).map(
        lambda pair: Example.of({**pair[0], **{f"radiomics.{name}": value for name, value in pair[1].items()}})
    )


def perturbations(**ranges: Range) -> st.SearchStrategy[dict[str, float]]:
    """Draw perturbations by name: ``perturbations(jpeg=(40, 95), rotate_deg=(-5, 5))``; shrinks to the neutral end.

    Raises:
        ValueError: a perturbation is unknown or takes no range (``flip``, ``shift_px``), or a range is empty.
    """
    for name, (low, high) in ranges.items():
        if name not in NEUTRAL:
            raise ValueError(
                f"{name!r} takes no range; those that do: {', '.join(k for k in perturbation_kinds() if k in NEUTRAL)}"
            )
        if low > high:
            raise ValueError(f"{name}: {low:g} is above {high:g}")
    return _points(Space(tuple(ranged(f"perturbations.{name}", *pair) for name, pair in ranges.items()))).map(
        lambda values: {name.removeprefix("perturbations."): value for name, value in values.items()}
    )


def radiomics(names: Sequence[str] = FEATURE_NAMES) -> st.SearchStrategy[dict[str, float]]:
    """Draw the features of one of 256 nodules that the shipped diffusion model was trained on.

    So every combination is a possible one. Shrinks to the most typical nodule.

    Args:
        names: Features wanted, by PyRadiomics name.

    Raises:
        ValueError: a name is none of the 67.
    """
    unknown = sorted(set(names) - set(FEATURE_NAMES))
    if unknown:
        raise ValueError(f"no radiomics features: {', '.join(unknown)}")
    rows = vectors()
    return _whole(len(rows) - 1).map(lambda k: {name: rows[k][name] for name in names})


def scenes(
    *,
    diameter_mm: Range = (4.0, 40.0),
    contrast: Range | None = None,
    region: RegionExpression = "lung",
    parts: int = 2,
    companion_distance_mm: Range | None = None,
    perturbations: st.SearchStrategy[Mapping[str, object]] | None = None,
    radiomics: st.SearchStrategy[Mapping[str, float]] | None = None,
    density: Range | None = None,
    attenuation: Sequence[str] = (),
    margin: Sequence[str] = (),
) -> st.SearchStrategy[Example]:
    """Draw a scene: a nodule, perhaps a second one, perhaps perturbations.

    The arguments of :func:`nodules`, and two more.

    Args:
        diameter_mm: Smallest and largest diameter.
        contrast: As of :func:`nodules`, like ``density``, ``attenuation`` and ``margin``.
        region: Where the first nodule's centre lies.
        parts: Parts of the region.
        companion_distance_mm: Distances of a second nodule; shrinks to none at all, then to a far one.
        perturbations: Such as :func:`perturbations`.
        radiomics: Such as :func:`radiomics`.
        density: Of the first nodule.
        attenuation: Of the first nodule.
        margin: Of the first nodule.
    """
    first = nodules(
        diameter_mm=diameter_mm,
        contrast=contrast,
        region=region,
        parts=parts,
        radiomics=radiomics,
        density=density,
        attenuation=attenuation,
        margin=margin,
    )
    nothing: st.SearchStrategy[Mapping[str, object]] = st.just({})
    second = nothing
    if companion_distance_mm is not None:
        low, high = _range("companion_distance_mm", companion_distance_mm, "distance_mm")
        second = _points(
            Space((Dimension("companion.present", levels=(False, True)), ranged("companion.distance_mm", low, high)))
        )
    changes = nothing if perturbations is None else perturbations
    return st.tuples(changes, second, first).map(
        lambda drawn: Example.of(
            {**drawn[2].values, **drawn[1], **{f"perturbations.{name}": value for name, value in drawn[0].items()}}
        )
    )


def points(space: Space) -> st.SearchStrategy[Difficulties]:
    """Draw a point of a space; shrinks to the easiest."""
    return st.tuples(*(_difficulty(d) for d in space))


def _difficulty(dimension: Dimension) -> st.SearchStrategy[int]:
    low, high = dimension.bounds
    if low == 0:
        return _whole(high)
    return st.tuples(st.booleans(), _whole(high)).map(lambda drawn: -drawn[1] if drawn[0] else drawn[1])


def _whole(most: int) -> st.SearchStrategy[int]:
    return st.integers(_FAR, _FAR + most).map(lambda k: k - _FAR)


def _points(space: Space) -> st.SearchStrategy[dict[str, Any]]:
    return points(space).map(space.values)


def _looks(
    contrast: Range | None, density: Range | None, attenuation: Sequence[str], margin: Sequence[str]
) -> Iterator[Dimension]:
    orders = {"contrast": contrast, "density": density, "attenuation": attenuation}
    named = [name for name, value in orders.items() if value]
    if len(named) > 1:
        raise ValueError(f"{' and '.join(named)} each say how bright a nodule is; give one of them")
    if margin:
        yield _words("margin", margin, MARGIN_WORDS)
    if contrast:
        yield ranged("contrast", *_range("contrast", contrast))
    if density:
        yield ranged("density", *_range("density", density))
    if attenuation:
        yield _words("attenuation", attenuation, ATTENUATION_WORDS)


def _words(name: str, given: Sequence[str], known: Sequence[str]) -> Dimension:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"{name}: {', '.join(unknown)}: not one of {', '.join(known)}")
    return dimension(name, Choice(tuple(given)))


def _range(name: str, given: Range, quantity: str = "") -> Range:
    low, high = float(given[0]), float(given[1])
    most = LIMITS[quantity or name][1]
    if not 0 < low <= high <= most:
        raise ValueError(f"{name}: needs 0 < low <= high <= {most:g}, not {given!r}")
    return low, high
