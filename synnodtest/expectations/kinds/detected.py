"""``detected``: the rate of scenes in which every nodule that is judged is hit."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations.language import Selection, option, share
from synnodtest.expectations.rate_kind import rate_kind
from synnodtest.expectations.rates import detections
from synnodtest.expectations.rule import selected
from synnodtest.expectations.worst import against_rate, with_worst_case


@dataclass(frozen=True)
class Detected(Selection):
    """Parameters of ``detected``."""

    rate_at_least: float = option("The share must exceed this.", share())


def _units(parameters: Detected, evidence: Evidence) -> list[tuple[Trial, bool]]:
    scenes: dict[int, tuple[Trial, bool]] = {}
    for trial, hit in detections(selected(parameters, evidence), evidence):
        scenes[id(trial)] = trial, hit and scenes.get(id(trial), (trial, True))[1]
    return list(scenes.values())


KIND = rate_kind(
    "detected",
    "Share of scenes whose nodules are all hit at the operating point.",
    Detected,
    units=_units,
    criterion="the rate of scenes with all nodules detected at operating point {point:g}",
    nothing="scene with a nodule",
    worst_case=with_worst_case(against_rate),
    bound=lambda p: (float(p.rate_at_least), "above"),
    label="rate of scenes with all nodules detected",
    noun="scene",
    rules={"required": ["rate_at_least"]},
    hits_alone=lambda p: True,
    unit=lambda p: "scene",
)
