"""Tools for a check of your own: the evidence it is given, the ruling it returns."""

from synnodtest.evidence.arm import CONTROL_ARM, OWN, UNDER_ARM, UNTOUCHED_ARM
from synnodtest.evidence.ruling import Component, Ruling, Side, Status
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial
from synnodtest.expectations import Kind, check, find_check, known_checks
from synnodtest.expectations.language import Selection, choice, number, one_of, option, share
from synnodtest.expectations.rule import hold, no_data, rule, selected

__all__ = [
    "CONTROL_ARM",
    "OWN",
    "UNDER_ARM",
    "UNTOUCHED_ARM",
    "Component",
    "Evidence",
    "Kind",
    "NoduleTrial",
    "Ruling",
    "Selection",
    "Side",
    "Status",
    "Trial",
    "check",
    "choice",
    "find_check",
    "hold",
    "known_checks",
    "no_data",
    "number",
    "one_of",
    "option",
    "rule",
    "selected",
    "share",
]
