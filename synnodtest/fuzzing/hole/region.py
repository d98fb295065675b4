"""The region that fails: what a walk around a counterexample comes to, in words and as the record keeps it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from synnodtest.counted import joined
from synnodtest.fuzzing.failure_rule import INSIDE, Rule, named

_PLAIN = ("right_lung", "left_lung")
_UNITS = {"diameter_mm": " mm", "distance_mm": " mm", "rotate_deg": " degrees", "rotate": " degrees"}


@dataclass(frozen=True)
class Boundary:
    """Edge of a failing region.

    Args:
        value: In the unit of the parameter.
        lower: Lower end of its 95% interval.
        upper: Upper end.
        holds_at: The nearest value beyond it that was seen to hold.
    """

    value: float
    lower: float
    upper: float
    holds_at: float | None = None

    def words(self, unit: str) -> str:
        """Return ``25.3 mm (24.9 to 25.8)``."""
        return f"{self.value:.3g}{unit} ({self.lower:.3g} to {self.upper:.3g})"


@dataclass(frozen=True)
class Part:
    """One failing stretch of a parameter; a side without a boundary fails to the end of the range.

    Args:
        low: The boundary below.
        high: The boundary above.
        start: Lowest failing value.
        end: Highest failing value.
    """

    low: Boundary | None
    high: Boundary | None
    start: float
    end: float

    def words(self, unit: str) -> str:
        """Return ``above 25.3 mm (24.9 to 25.8)``."""
        if self.low and self.high:
            return f"between {self.low.words(unit)} and {self.high.words(unit)}"
        if self.low:
            return f"above {self.low.words(unit)}"
        return f"below {self.high.words(unit)}" if self.high else "everywhere"


@dataclass(frozen=True)
class Term:
    """Condition of the region on one parameter.

    Args:
        name: Flat name of the parameter.
        parts: Failing stretches of a range.
        levels: Failing levels, in place of ``parts``.
        said: The levels in words.
        held: Values that were seen to hold, nearest first.
    """

    name: str
    parts: tuple[Part, ...] = ()
    levels: tuple[Any, ...] = ()
    said: str = ""
    held: tuple[float, ...] = ()

    def words(self) -> str:
        """Return it in words; a diameter goes without its name."""
        if self.levels:
            return self.said
        key = self.name.rpartition(".")[2]
        text = " and ".join(part.words(_UNITS.get(key, "")) for part in self.parts)
        return text if self.name == "diameter_mm" else f"at {_label(self.name)} {text}"

    def holds(self) -> str:
        """Return ``holds at 20 mm``; empty where no value was seen to hold."""
        unit = _UNITS.get(self.name.rpartition(".")[2], "")
        ends = " and ".join(f"{v:.3g}{unit}" for v in self.held)
        label = "" if self.name == "diameter_mm" else f"{_label(self.name)} "
        return f"holds at {label}{ends}" if ends else ""


@dataclass(frozen=True)
class Region:
    """The largest region around a counterexample that was shown to fail.

    Args:
        terms: One per parameter that matters.
        rule: On where in the chest the nodule lies, if that says it better than the parameters of the place.
        border: The rule's boundary, where the rule is a distance.
        free: Parameters that do not matter, as far as scenes did for them.
        share: Share of the searched space.
        inside: Scenes within the region that fail, and of how many.
        outside: The same outside of it.
        scenes: What the walk cost.
        shown: Whether the rate inside surely falls short of the rate asked for.
        parameters: The searched parameters: ``name``, ``range`` or ``levels``, for the picture.
        points: Every scene of the walk: its parameters in this order, then whether it failed.
        complete: False where time or scenes ran out before all was looked at.
    """

    terms: tuple[Term, ...]
    rule: Rule | None
    border: Boundary | None
    free: tuple[str, ...]
    share: float
    inside: tuple[int, int]
    outside: tuple[int, int]
    scenes: int
    shown: bool
    complete: bool
    parameters: tuple[dict[str, object], ...] = ()
    points: tuple[tuple[Any, ...], ...] = ()

    def sentence(self) -> str:
        """Return ``fails above 25.3 mm (24.9 to 25.8) in the right lung; holds at 20 mm; contrast does not matter``."""
        cost = f"{self.scenes} scenes" + ("" if self.complete else ", not all looked at")
        if not self.shown:
            return (
                f"no larger region is shown to fail: {self.inside[0]} of {self.inside[1]} scenes fail in the one "
                f"that was reached ({self._where()}; {cost})"
            )
        parts = [f"fails {self._where()}", *filter(None, (t.holds() for t in self.terms))]
        if self.free:
            parts.append(f"{joined([_label(n) for n in self.free])} {'do' if self.free[1:] else 'does'} not matter")
        parts.append(f"{float(f'{100 * self.share:.2g}'):g}% of the searched space")
        parts.append(
            f"{self.inside[0]} of {self.inside[1]} scenes inside fail, {self.outside[0]} of {self.outside[1]} outside"
        )
        return f"{'; '.join(parts)} ({cost})"

    def _where(self) -> str:
        terms = sorted(self.terms, key=lambda t: t.name != "diameter_mm")
        words = [", ".join(t.words() for t in terms if not t.levels), *(t.words() for t in terms if t.levels)]
        return " ".join([*words, *([self._rule_words()] if self.rule else [])]).strip() or "everywhere"

    def _rule_words(self) -> str:
        assert self.rule is not None
        region = self.rule.region
        if self.rule.name.startswith(INSIDE):
            plain = region.replace("_", " ") if region in _PLAIN else f"region {region}"
            return f"{'outside' if self.rule.below else 'in'} the {plain}"
        limit = self.border.words(" mm") if self.border else f"{self.rule.threshold:.3g} mm"
        return f"{f'within {limit} of the border of' if self.rule.below else f'more than {limit} from'} {named(region)}"

    def plain(self) -> dict[str, object]:
        """Return it as the record keeps it."""
        terms = [
            {
                "name": t.name,
                "levels": list(t.levels) or None,
                "parts": [asdict(p) for p in t.parts],
                "held": list(t.held),
            }
            for t in self.terms
        ]
        border = self.border and asdict(self.border)
        rule = self.rule and {"name": self.rule.name, "below": self.rule.below, "border": border}
        fields = {name: value for name, value in vars(self).items() if name != "border"}
        columns = [p["name"] for p in self.parameters]
        return {**fields, "sentence": self.sentence(), "terms": terms, "rule": rule, "columns": columns}


def _label(name: str) -> str:
    return name.removeprefix("perturbations.").removeprefix("radiomics.").removesuffix("_mm").removesuffix("_deg")
