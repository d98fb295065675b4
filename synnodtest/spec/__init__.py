"""The spec language: YAML -> :class:`Spec`, with every error of a file at once."""

from synnodtest.evidence.region_names import BUILT_IN_REGIONS
from synnodtest.evidence.regions import (
    AllOf,
    AnyOf,
    NotIn,
    RegionExpression,
    evaluate,
    region_names,
    region_text,
)
from synnodtest.spec.expectations import fuzz_expectations, scene_expectations
from synnodtest.spec.loader import load_spec
from synnodtest.spec.model import (
    ArmSpec,
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
from synnodtest.spec.recognise import is_spec
from synnodtest.spec.validation import schema
from synnodtest.spec.values import Choice, Constant, LogUniform, Normal, Sweep, Uniform, Value

__all__ = [
    "BUILT_IN_REGIONS",
    "AllOf",
    "AnyOf",
    "ArmSpec",
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
    "expectations",
    "fuzz_expectations",
    "is_spec",
    "load_spec",
    "region_names",
    "region_text",
    "resolved",
    "scene_expectations",
    "schema",
]


def expectations() -> tuple[str, ...]:
    """Return every kind of expectation that the language knows, those of installed packages among them."""
    return tuple(dict.fromkeys(scene_expectations() + fuzz_expectations()))
