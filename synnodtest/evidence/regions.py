"""Region expressions: a name, or any / all / not of expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from synnodtest.geometry import BoolArray


@dataclass(frozen=True, slots=True)
class AnyOf:
    """In at least one of these."""

    any: tuple[RegionExpression, ...]

    @property
    def parts(self) -> tuple[RegionExpression, ...]:
        """These."""
        return self.any


@dataclass(frozen=True, slots=True)
class AllOf:
    """In every one of these."""

    all: tuple[RegionExpression, ...]

    @property
    def parts(self) -> tuple[RegionExpression, ...]:
        """These."""
        return self.all


@dataclass(frozen=True, slots=True)
class NotIn:
    """Outside of this."""

    excluded: RegionExpression


RegionExpression = str | AnyOf | AllOf | NotIn


def region_names(expression: RegionExpression) -> frozenset[str]:
    """Return every region that the expression names."""
    if isinstance(expression, str):
        return frozenset({expression})
    if isinstance(expression, NotIn):
        return region_names(expression.excluded)
    return frozenset().union(*map(region_names, expression.parts))


def lies_in(region: RegionExpression, names: frozenset[str]) -> bool:
    """Return whether a point that lies in the regions ``names`` lies in a region expression."""
    if isinstance(region, str):
        return region in names
    if isinstance(region, NotIn):
        return not lies_in(region.excluded, names)
    if isinstance(region, AnyOf):
        return any(lies_in(part, names) for part in region.any)
    return all(lies_in(part, names) for part in region.all)


def region_text(expression: RegionExpression) -> str:
    """Return the expression in words: ``lung and not hilar``."""
    if isinstance(expression, str):
        return expression
    if isinstance(expression, NotIn):
        return f"not {_inner(expression.excluded)}"
    return (" or " if isinstance(expression, AnyOf) else " and ").join(map(_inner, expression.parts))


def _inner(expression: RegionExpression) -> str:
    text = region_text(expression)
    many = isinstance(expression, AnyOf | AllOf) and len(expression.parts) > 1
    return f"({text})" if many else text


def evaluate(expression: RegionExpression, masks: Mapping[str, BoolArray]) -> BoolArray:
    """Return the mask (H x W) of a region expression.

    Raises:
        KeyError: a named region is not among ``masks``; the key is its name.
    """
    if isinstance(expression, str):
        return np.asarray(masks[expression], dtype=np.bool_)
    if isinstance(expression, NotIn):
        return ~evaluate(expression.excluded, masks)
    combined = [evaluate(part, masks) for part in expression.parts]
    mask: BoolArray = np.any(combined, axis=0) if isinstance(expression, AnyOf) else np.all(combined, axis=0)
    return mask


def control_name(region: RegionExpression) -> str:
    """Return the name under which a radiograph carries the control region of ``region``."""
    return f"@control:{region_text(region)}"


def shown_name(region: RegionExpression) -> str:
    """Return the name under which a radiograph carries ``region``, where it has any of it."""
    return f"@shown:{region_text(region)}"
