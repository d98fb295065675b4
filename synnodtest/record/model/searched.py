"""What a search for counterexamples left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from synnodtest.decoding import JsonObject, Member

__all__ = ["CoverageEntry", "FailureMap", "LocalEntry", "ParameterEntry", "SearchEntry"]


@dataclass(frozen=True)
class ParameterEntry:
    """A parameter of the searched space.

    Args:
        name: Its name.
        levels: Of a discrete one.
        range: Of a continuous one.
        logarithmic: Whether it is spaced by ratios.
    """

    name: str
    levels: tuple[Any, ...] | None = None
    range: tuple[float, ...] | None = None
    logarithmic: bool = False


@dataclass(frozen=True)
class CoverageEntry:
    """Every example that was tried.

    Args:
        parameters: Columns of the points.
        points: Values and, last, what came of it.
    """

    parameters: tuple[ParameterEntry, ...] = ()
    points: tuple[tuple[Any, ...], ...] = ()


@dataclass(frozen=True)
class FailureMap:
    """Examples around a counterexample over two parameters.

    Args:
        parameters: Their names.
        points: Two values, and whether it failed.
    """

    parameters: tuple[str, ...] = ()
    points: tuple[Any, ...] = ()


@dataclass(frozen=True)
class LocalEntry:
    """Examples around a counterexample.

    Args:
        map: Over the two parameters that tell failing from holding ones.
    """

    map: FailureMap | None = None


@dataclass(frozen=True)
class SearchEntry:
    """One search.

    Args:
        behaviour: It searched.
        kind: Of its expectation.
        expectation: Its claim.
        expectation_id: Node id of its expectation.
        id: By which a failure is replayed.
        status: Of what was found.
        local: Around the counterexample.
        coverage: Of the space.
        region: The largest that fails.
        confirmations: Scenes that were made to confirm an example, by example.
        trials: From which a failure is made again.
    """

    behaviour: str = ""
    kind: str = ""
    expectation: str = ""
    expectation_id: str = ""
    id: str = ""
    status: str = ""
    local: LocalEntry | None = None
    coverage: CoverageEntry | None = None
    region: Annotated[JsonObject, Member(null=True)] = field(default_factory=dict)
    confirmations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trials: tuple[Any, ...] = ()
    raw: Annotated[JsonObject, Member(whole=True)] = field(default_factory=dict, repr=False, compare=False)
