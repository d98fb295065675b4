"""``growth``: how the confidence of a nodule changes as it grows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from synnodtest.evidence.arm import OWN, PRIOR_ARM
from synnodtest.evidence.ruling import Component, Ruling, Status
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial
from synnodtest.expectations.fewest import perfect_backgrounds
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import CURVE, Asked, Complaint, Selection, number, one_of, option, share
from synnodtest.expectations.limits import REFERENCE_AT_LEAST
from synnodtest.expectations.paired import hold_difference, no_room_to_lose, table
from synnodtest.expectations.pairing import Comparison
from synnodtest.expectations.rates import rate_bound, sensitivity_gate, verb, where_phrase
from synnodtest.expectations.rule import no_data, rule, selected
from synnodtest.expectations.worst import FOUND, MISSED, WorstScore, with_worst_case

_CHANGE = number(-1, 1)


@dataclass(frozen=True)
class Growth(Selection):
    """Parameters of ``growth``; one bound is given."""

    at_least: float | None = option("The mean change of confidence, current minus prior, must exceed this.", _CHANGE)
    at_most: float | None = option("It must stay below this: as of nodules that hardly grow.", _CHANGE)
    reference_at_least: float = option(
        "Sensitivity for the current nodules must exceed this, else INCONCLUSIVE: silence never changes. Default 0.2.",
        share(default=REFERENCE_AT_LEAST),
        REFERENCE_AT_LEAST,
    )


def _worst(parameters: Growth, evidence: Evidence) -> list[WorstScore]:
    """Take excluded nodules as found at one time only, whichever is worse for the bound."""
    now, before = (FOUND, MISSED) if parameters.at_least is None else (MISSED, FOUND)
    return [lambda trial, nodule: before if trial.arm.is_from(PRIOR_ARM) else now]


@with_worst_case(_worst)
def growth(parameters: Growth, evidence: Evidence) -> Ruling:
    """Mean change of the confidence of the same nodule from its prior to its current radiograph."""
    bound, side = rate_bound(parameters)
    criterion = f"the change of confidence from prior to current {verb(side)} {bound:g}{where_phrase(parameters)}"
    pairs, alone = _pairs(parameters, evidence)
    if not pairs:
        return no_data(criterion, "pair", evidence)
    current = [(trial, now) for trial, now, _ in pairs]
    after, before = [now.confidence for _, now, _ in pairs], [earlier for *_, earlier in pairs]
    compared = Comparison("confidence", ("current", "prior"), [trial for trial, _ in current], after, before)
    component = hold_difference("growth", compared, evidence, bound, side)
    least = float(parameters.reference_at_least)
    gate = sensitivity_gate(current, evidence, least, "sensitivity for the current nodules")
    cells = table(after, before, evidence.operating_point)
    both = [list(pair) for pair in zip(after, before, strict=True)]
    figure = {"kind": "paired", "labels": ["current", "prior"], "pairs": both, **cells}
    return rule(
        [component, gate],
        evidence,
        criterion,
        compared.trials,
        noun="pair",
        reasons=[
            *([f"{alone} of {alone + len(pairs)} nodules that grow have no prior"] if alone > len(pairs) else ()),
            *(no_room_to_lose(compared, bound, side) if _may_have_fallen(component.part) else ()),
        ],
        figure=figure,
        details={"by doubling time": _by_doubling(pairs)},
    )


def _may_have_fallen(change: Component) -> bool:
    """Return whether a change did not fail and is not sure to be a rise, which a prior without confidence allows."""
    return change.status is not Status.FAILED and change.lower <= 0


def _pairs(parameters: Growth, evidence: Evidence) -> tuple[list[tuple[Trial, NoduleTrial, float]], int]:
    """Return each grown nodule with its scene and the confidence that its prior had, 0 where it was not there yet.

    Beside them stands how many nodules have no prior to compare with, excluded ones aside.
    """
    earlier, excluded = (
        {(t.place, t.arm.before(PRIOR_ARM)): t for t in trials if t.arm.is_from(PRIOR_ARM)}
        for trials in (evidence.trials, evidence.rejected)
    )
    pairs, alone = [], 0
    for trial, now in selected(parameters, evidence):
        key = trial.place, trial.arm
        if now.requested.get("doubling_days") is None:
            continue
        if key not in earlier:
            alone += key not in excluded
            continue
        before = earlier[key].nodule(now.name)
        pairs.append((trial, now, 0.0 if before is None else before.confidence))
    return pairs, alone


def _by_doubling(pairs: list[tuple[Trial, NoduleTrial, float]]) -> list[dict[str, object]]:
    groups: dict[str, list[tuple[float, float]]] = {}
    for _, now, before in pairs:
        days = float(now.requested["doubling_days"])
        band = next((f"below {edge}" for edge in (100, 200, 400) if days < edge), "400 and more")
        groups.setdefault(band, []).append((before, now.confidence))
    return [
        {
            "doubling time (days)": band,
            "pairs": len(both),
            "prior": round(sum(b for b, _ in both) / len(both), 4),
            "current": round(sum(n for _, n in both) / len(both), 4),
        }
        for band, both in sorted(groups.items())
    ]


def _grows(parameters: Growth, asked: Asked) -> Iterable[Complaint]:
    if asked.has_scenes and "doubling_days" not in asked.fixed | asked.varied:
        hint = "nodules: [{diameter_mm: 12, growth: {doubling_days: 120, interval_days: 180}}]"
        yield Complaint("", "needs a nodule that grows", hint)


def _fewest(parameters: Growth, alpha: float, per_background: float) -> int | None:
    bound, side = rate_bound(parameters)
    return perfect_backgrounds(bound if side == "above" else -bound, alpha, -1.0)


KIND = Kind(
    name="growth",
    about="Mean change of a nodule's confidence from its prior radiograph, in which it was smaller, to the current.",
    parameters=Growth,
    ruling=growth,
    common=(*CURVE[:6], "operating_point", *CURVE[6:]),
    rules=one_of("at_least", "at_most"),
    arms=lambda p: (OWN, PRIOR_ARM),
    hits_alone=lambda p: True,
    asks=_grows,
    fewest=_fewest,
    gate=lambda p: float(p.reference_at_least),
)
