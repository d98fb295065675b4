"""The declaration that expectations on a curve over all thresholds share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar

from synnodtest.evidence.arm import OWN, UNTOUCHED_ARM
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations.bounds import Estimator, hold
from synnodtest.expectations.fewest import curve_backgrounds
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import CURVE
from synnodtest.expectations.ledger import Ledger, ledger_of
from synnodtest.expectations.limits import too_few_equal_clusters
from synnodtest.expectations.parameters import Selection
from synnodtest.expectations.rates import sensitivity_gate, where_phrase
from synnodtest.expectations.rule import no_data, rule, selected
from synnodtest.expectations.worst import missed, with_worst_case

SILENT_AREA = 0.5
"""The area under a curve of a detector that reports nothing: all tie."""

P = TypeVar("P", bound=Selection)


def curve_kind(
    name: str,
    about: str,
    parameters: type[P],
    *,
    label: Callable[[P], str],
    explained: str = "",
    estimator: Callable[[P, Ledger, Evidence], Estimator],
    figure: Callable[[P, Ledger, Evidence], Mapping[str, object]] = lambda p, ledger, evidence: {"kind": "rate"},
    area: bool = False,
    noun: Literal["nodule", "image"] = "nodule",
    nothing: str = "nodule",
    **further: Any,
) -> Kind[P]:
    """Return the kind: it needs all scores of a behaviour's own images and of untouched ones.

    Args:
        name: Its name in specs.
        about: What it asks, in a sentence.
        parameters: Class of its parameters, with the bound ``at_least``.
        label: What a reader calls the estimate.
        explained: Follows it in the criterion.
        estimator: From parameters and ledger to the estimate.
        figure: Data of the figure.
        area: Whether nodules or images are held against untouched images, so that there must be some; a silent detector
            has an area of 0.5: where the bound allows that, its sensitivity must exceed 0.2 too.
        noun: What is counted. Images are ranked by their loudest finding, so that the false positive of an excluded
            scene would count for the detector.
        nothing: What there was none of, where nothing can be judged.
        further: Other fields of :class:`Kind`, in place of these.
    """

    @with_worst_case(missed, alarms=noun == "nodule")
    def ruling(parameters: P, evidence: Evidence) -> Ruling:
        bound = _bound(parameters)
        criterion = f"{label(parameters)}{explained} exceeds {bound:g}{where_phrase(parameters)}"
        ledger = ledger_of(parameters, evidence)
        untouched = len(ledger.trials) - ledger.positives
        if not ledger.positives or (area and not untouched):
            return no_data(criterion, nothing, evidence)
        estimate = estimator(parameters, ledger, evidence)
        held = [hold(name, label(parameters), estimate, alpha=evidence.alpha, bound=bound, side="above")]
        if area and bound < SILENT_AREA:
            held.append(sensitivity_gate(selected(parameters, evidence), evidence))
        return rule(
            held,
            evidence,
            criterion,
            _scenes_of_nodules(ledger) if noun == "nodule" else ledger.trials,
            noun=noun,
            counts=f", {untouched} untouched",
            reasons=too_few_equal_clusters(ledger.clusters),
            figure=figure(parameters, ledger, evidence),
        )

    kind = Kind(
        name=name,
        about=about,
        parameters=parameters,
        ruling=ruling,
        common=CURVE,
        rules={"required": ["at_least"]},
        arms=lambda p: (OWN, UNTOUCHED_ARM),
        threshold_free=lambda p: True,
        fewest=lambda p, alpha, per_background: curve_backgrounds(_bound(p), alpha),
        all_scores=True,
        curve=True,
    )
    return replace(kind, **further)


def _bound(parameters: Any) -> float:
    return float(parameters.at_least)


def _scenes_of_nodules(ledger: Ledger) -> list[Trial]:
    """Return the scene of each judged nodule."""
    return [trial for trial, count in zip(ledger.trials, ledger.nodules, strict=True) for _ in range(int(count))]
