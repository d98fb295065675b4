"""Margins between an arm and its reference: the shared part of their kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import number, option
from synnodtest.expectations.paired import (
    agreeing_backgrounds,
    comparison_unit,
    margin_below_1,
    paired_needs,
    wide_margin,
)
from synnodtest.expectations.pairing import Compared
from synnodtest.expectations.power import paired_power
from synnodtest.expectations.sequential import EarlyStop


@dataclass(frozen=True)
class Margined(Compared):
    """Parameters of an expectation that allows a difference below a margin."""

    margin: float = option("Margin, in units of the metric.", number(above=0))


M = TypeVar("M", bound=Margined)


def margin_kind(
    name: str,
    about: str,
    parameters: type[M],
    ruling: Callable[[M, Evidence], Ruling],
    *,
    title: str,
    rules: Mapping[str, object],
    both: bool,
    early_stop: EarlyStop[M] | None = None,
) -> Kind[M]:
    """Return the kind.

    Args:
        name: Its name in specs.
        about: What it asks, in a sentence.
        parameters: Class of its parameters.
        ruling: Its judge.
        title: Its name in the report.
        rules: Further JSON Schema.
        both: Whether the difference is bounded either way.
        early_stop: How a sequential run decides it.
    """
    return Kind(
        name=name,
        about=about,
        parameters=parameters,
        ruling=ruling,
        title=title,
        rules=rules,
        arms=paired_needs,
        hits_alone=lambda p: not p.on_images,
        asks_little=wide_margin,
        unit=comparison_unit,
        asks=margin_below_1,
        early_stop=early_stop,
        fewest=lambda p, alpha, per_background: agreeing_backgrounds(p, float(p.margin), alpha, per_background),
        power=paired_power(lambda p: float(p.margin) if p.rates else None, both=both),
    )
