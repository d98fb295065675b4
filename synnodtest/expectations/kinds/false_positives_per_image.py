"""``false_positives_per_image``: findings per untouched background."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.evidence.arm import UNTOUCHED_ARM
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.fewest import count_backgrounds
from synnodtest.expectations.kind import Kind, false_alarm
from synnodtest.expectations.language import IMAGES, Selection, number, option
from synnodtest.expectations.limits import many_false_positives
from synnodtest.expectations.power import count_power
from synnodtest.expectations.rates import where_phrase
from synnodtest.expectations.rule import hold, no_data, rule
from synnodtest.statistics import Estimate, count_rate


@dataclass(frozen=True)
class FalsePositives(Selection):
    """Parameters of ``false_positives_per_image``."""

    at_most: float = option("Mean number per image must stay below this.", number(above=0))


def false_positives_per_image(parameters: FalsePositives, evidence: Evidence) -> Ruling:
    """Findings at or above the operating point per untouched background."""
    bound = float(parameters.at_most)
    criterion = (
        f"false positives per untouched radiograph at operating point {evidence.operating_point:g} "
        f"stay below {bound:g}{where_phrase(parameters)}"
    )
    trials = evidence.untouched(parameters.arm, where=parameters.where, strict=True)
    if not trials:
        return no_data(criterion, "untouched background", evidence)
    counts = [t.false_positives_at(evidence.operating_point) for t in trials]
    clusters = [t.cluster for t in trials]

    def estimator(alpha: float) -> Estimate:
        return count_rate(counts, clusters, alpha=alpha, seed=evidence.seed)

    name = "false_positives_per_image"
    held = hold(name, name.replace("_", " "), estimator, evidence.alpha, bound, "below", unit="per image")
    dispersion = held.estimate.extra.get("dispersion")
    spread = "" if dispersion is None else f"variance over mean {dispersion:.2f}; "
    return rule(
        [held],
        evidence,
        criterion,
        trials,
        noun="image",
        notes=[f"{spread}interval: {held.estimate.method}"],
        figure={"kind": "rate"},
        details={
            "images by number of false positives": [
                {"false positives": k, "images": counts.count(k)} for k in sorted(set(counts))
            ]
        },
    )


KIND = Kind(
    name="false_positives_per_image",
    about="Findings at the operating point per untouched background.",
    parameters=FalsePositives,
    ruling=false_positives_per_image,
    title="False positives per image",
    common=IMAGES,
    rules={"required": ["at_most"]},
    arms=lambda p: (UNTOUCHED_ARM,),
    unit=lambda p: "image",
    needs_nodules=False,
    passes_in_silence=lambda p: True,
    asks_little=lambda p: many_false_positives(p.at_most),
    fewest=lambda p, alpha, per_background: count_backgrounds(float(p.at_most), alpha, per_background),
    power=count_power(lambda p: float(p.at_most)),
    grade=false_alarm,
)
