"""Assumptions that an item is planned with: what its spec assumes of the detector, else a default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from synnodtest.errors import SynnodError

ASSUMED = {"margin_to_bound": 0.1, "discordant": 0.05, "count_share": 0.5, "rise": 0.2, "spread": 0.4}
"""Planned for where a spec assumes nothing: a rate 0.1 above its bound, 5% discordant, half the allowed count; a mean
correlation 0.2 above its bound, with the standard deviation between backgrounds that the shipped detector shows."""
DROP_SPREAD = 0.15
"""Likewise of the difference of two levels' scores: of neighbouring sizes the shipped detector shows 0.08 to 0.27."""
BY_DEFAULT = "a default of synnodtest: the specification assumes nothing"


@dataclass(frozen=True)
class Source:
    """The source of an assumption, in words for readers of the record.

    Args:
        unsaid: Names under ``sampling: {assume: ..}`` by which a spec could have said it; none where it did.
    """

    unsaid: tuple[str, ...] = ()

    def __str__(self) -> str:
        return BY_DEFAULT if self.unsaid else "sampling.assume of the spec"


@dataclass(frozen=True)
class Assumed:
    """Assumptions of one item; each value comes with its source in words.

    Args:
        behaviour: Its identifier.
        expectation: Likewise.
        kind: Of the expectation.
        given: The value that the spec assumes for the first of some names that has one, else None.
    """

    behaviour: str
    expectation: str
    kind: str
    given: Callable[..., float | None]

    def true_rate(self, bound: float, below: bool) -> tuple[float, Source]:
        """Return the true rate to plan for, and where it comes from.

        Raises:
            SynnodError: the value assumed for this very expectation does not meet its bound.
        """
        step = ASSUMED["margin_to_bound"]
        return self._true(bound, bound / 5 if below else min(bound + step, (1 + bound) / 2), below=below)

    def true_count(self, bound: float) -> tuple[float, Source]:
        """Return the true number of events per image to plan for, and where it comes from.

        Raises:
            SynnodError: the value assumed for this very expectation does not meet its bound.
        """
        return self._true(bound, bound * ASSUMED["count_share"], below=True)

    def true_correlation(self, bound: float) -> tuple[float, float, Source]:
        """Return the mean correlation to plan for, its standard deviation between backgrounds, and their source.

        Raises:
            SynnodError: the mean assumed for this very expectation does not exceed its bound, or the spread is 0.
        """
        spread, named = self._spread("spread"), self.given(self.expectation, self.kind)
        if named is not None and not bound < named <= 1:
            self._refuse("mean correlation", named, f"exceed its bound of {bound:g}", "between the bound and 1")
        mean = min(bound + ASSUMED["rise"], (1 + bound) / 2) if named is None else named
        source = Source((self.expectation, "spread") if named is None else ())
        return mean, ASSUMED["spread"] if spread is None else spread, source

    def drop_spread(self) -> tuple[float, Source]:
        """Return how much the difference of two levels' scores varies between backgrounds, and where it comes from.

        Raises:
            SynnodError: the spread that is assumed is 0.
        """
        spread = self._spread("drop_spread")
        return (DROP_SPREAD, Source(("drop_spread",))) if spread is None else (spread, Source())

    def discordant_share(self) -> tuple[float, Source]:
        """Return the share of discordant pairs to plan for, and where it comes from."""
        share = self.given(self.expectation, self.kind, "discordant")
        return (ASSUMED["discordant"], Source(("discordant",))) if share is None else (share, Source())

    def _spread(self, name: str) -> float | None:
        spread = self.given(name)
        if spread is not None and spread <= 0:
            told = f"behaviour {self.behaviour!r}: {name}: {spread:g} is assumed, and backgrounds always differ"
            raise SynnodError(told, hint="assume a standard deviation above 0")
        return spread

    def _true(self, bound: float, default: float, *, below: bool) -> tuple[float, Source]:
        """Return the true value to plan for, and its source; one for all counts only where it meets the bound."""
        named = self.given(self.expectation, self.kind)
        value = self.given("") if named is None else named
        if value is not None and (0 <= value < bound if below else bound < value):
            return value, Source()
        if named is not None:
            self._refuse("true value", named, f"meet its bound of {bound:g}", "on the other side of the bound")
        return default, Source((self.expectation,))

    def _refuse(self, of: str, named: float, missed: str, better: str) -> NoReturn:
        raise SynnodError(
            f"behaviour {self.behaviour!r}: a {of} of {named:g} is assumed for {self.expectation}, and that does not "
            f"{missed}",
            hint=f"assume a value {better}",
        )
