"""What a check of your own is written with: the evidence it is given, the ruling it returns."""

from synnodtest.evidence.ruling import Component, Ruling, Side, Status
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial
from synnodtest.expectations import Check, check, find_check, known_checks

__all__ = [
    "Check",
    "Component",
    "Evidence",
    "NoduleTrial",
    "Ruling",
    "Side",
    "Status",
    "Trial",
    "check",
    "find_check",
    "known_checks",
]
