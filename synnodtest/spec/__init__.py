"""The spec language: YAML -> :class:`Spec`, with every error of a file at once."""

from synnodtest.spec.expectations import FUZZ_EXPECTATIONS, SCENE_EXPECTATIONS
from synnodtest.spec.loader import is_spec, load_spec
from synnodtest.spec.model import (
    Arm,
    Behaviour,
    Companion,
    Expectation,
    Fuzz,
    Location,
    NoduleSpec,
    PerturbationSpec,
    Sampling,
    Scenes,
    Spec,
)
from synnodtest.spec.plain import behaviour_dict, resolved
from synnodtest.spec.quantities import Stratum
from synnodtest.spec.regions import (
    BUILT_IN_REGIONS,
    AllOf,
    AnyOf,
    NotIn,
    RegionExpression,
    evaluate,
    region_names,
    region_text,
)
from synnodtest.spec.validation import schema
from synnodtest.spec.values import Choice, Constant, LogUniform, Normal, Sweep, Uniform, Value

EXPECTATIONS = tuple(dict.fromkeys(SCENE_EXPECTATIONS + FUZZ_EXPECTATIONS))
"""Every kind of expectation that the language knows."""

__all__ = [
    "BUILT_IN_REGIONS",
    "EXPECTATIONS",
    "FUZZ_EXPECTATIONS",
    "SCENE_EXPECTATIONS",
    "AllOf",
    "AnyOf",
    "Arm",
    "Behaviour",
    "Choice",
    "Companion",
    "Constant",
    "Expectation",
    "Fuzz",
    "Location",
    "LogUniform",
    "NoduleSpec",
    "Normal",
    "NotIn",
    "PerturbationSpec",
    "RegionExpression",
    "Sampling",
    "Scenes",
    "Spec",
    "Stratum",
    "Sweep",
    "Uniform",
    "Value",
    "behaviour_dict",
    "evaluate",
    "is_spec",
    "load_spec",
    "region_names",
    "region_text",
    "resolved",
    "schema",
]
