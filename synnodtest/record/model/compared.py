"""Changes against an earlier record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ChangedVerdict:
    """An expectation whose status differs.

    Args:
        id: Of the expectation.
        before: Status then.
        after: Status now.
        estimate_before: Primary estimate then.
        estimate_after: Primary estimate now.
    """

    id: str = ""
    before: str = ""
    after: str = ""
    estimate_before: float | None = None
    estimate_after: float | None = None


@dataclass(frozen=True)
class ChangedParameter:
    """A bound or parameter that differs, so that verdicts are not comparable.

    Args:
        id: Of the expectation.
        what: Its name.
        before: Value then.
        after: Value now.
    """

    id: str
    what: str
    before: Any = None
    after: Any = None


@dataclass(frozen=True)
class DifferenceEntry:
    """A paired difference on scenes that both records have.

    Args:
        behaviour: Of the scenes; empty: all scenes.
        metric: That is compared.
        n: Pairs.
        clusters: Independent ones.
        before: Value then; as the difference, every cluster counts alike.
        after: Value now.
        value: The difference.
        lower: One-sided lower bound.
        upper: One-sided upper bound.
        shown: Whether the interval excludes no difference.
        usable: Whether the interval rests on enough for a verdict.
        method: The estimator, in words.
        alpha: One-sided error rate of each bound.
        operating_point: A finding of at least this score counts; None: that of each behaviour's first expectation, or
            none is needed.
    """

    behaviour: str
    metric: str
    n: int
    clusters: int
    before: float
    after: float
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    shown: bool = False
    usable: bool = False
    method: str = ""
    alpha: float = 0.05
    operating_point: float | None = None

    @property
    def title(self) -> str:
        """The metric in words."""
        return self.metric.replace("_", " ") + self.at

    @property
    def at(self) -> str:
        """The operating point in words where it is a further one, with a space before."""
        return "" if self.operating_point is None else f" at operating point {self.operating_point:g}"

    @property
    def level(self) -> str:
        """Level of the two-sided interval, such as ``90%``."""
        return f"{100 * (1 - 2 * self.alpha):g}%"


@dataclass(frozen=True)
class LimitEntry:
    """Limit on how far a metric may move.

    Args:
        limit: As it was asked for.
        kept: Whether it was kept.
        sentence: In words.
    """

    limit: str
    kept: bool
    sentence: str


@dataclass(frozen=True)
class Comparison:
    """This record against an earlier one.

    Args:
        earlier: What that is called.
        started: ISO time of it.
        detector: Of it.
        unchanged: Expectations with the same status.
        verdicts: That differ.
        margins: Bounds and parameters that differ.
        new: Expectations that are only here.
        removed: Expectations that are only there.
        differences: On scenes that both have.
        unpaired: Scenes that are not compared.
        limits: On what may change.
    """

    earlier: str = ""
    started: str = ""
    detector: str = ""
    unchanged: int | None = None
    verdicts: tuple[ChangedVerdict, ...] = ()
    margins: tuple[ChangedParameter, ...] = ()
    new: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    differences: tuple[DifferenceEntry, ...] = ()
    unpaired: int = 0
    limits: tuple[LimitEntry, ...] = ()

    @property
    def level(self) -> str:
        """Level of the differences' intervals, such as ``90%``."""
        return self.differences[0].level if self.differences else "90%"

    @property
    def apart(self) -> int:
        """Nodules of behaviours alone: those that hold that nodules are missed are not among all scenes together."""
        hits = (d for d in self.differences if d.metric == "sensitivity" and d.operating_point is None)
        return sum(d.n if d.behaviour else -d.n for d in hits)
