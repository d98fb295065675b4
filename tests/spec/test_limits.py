"""Bounds stand twice, in the schema that editors read and in LIMITS: they may not disagree."""

import json
from pathlib import Path

import pytest

import synnodtest.spec
from synnodtest.spec.limits import LIMITS

SCHEMA = json.loads(Path(synnodtest.spec.__file__).with_name("schema.json").read_text(encoding="utf-8"))["$defs"]
STANDS_IN = {
    "diameter_mm": ("diameter_mm", "varied_diameter_mm"),
    "contrast": ("contrast", "varied_contrast"),
    "density": ("density", "varied_density", "density_number"),
}


def bounds(rule):
    """Yield the bounds of all numbers that a definition allows, without what it refers to."""
    if isinstance(rule, dict):
        if "maximum" in rule:
            yield rule.get("minimum", rule.get("exclusiveMinimum")), rule["maximum"]
        for part in rule.values():
            yield from bounds(part)
    elif isinstance(rule, list):
        for part in rule:
            yield from bounds(part)


@pytest.mark.parametrize(("quantity", "definition"), [(q, d) for q, names in STANDS_IN.items() for d in names])
def test_the_schema_and_the_limits_agree(quantity, definition):
    least, most = LIMITS[quantity]
    found = list(bounds(SCHEMA[definition]))
    assert found
    for low, high in found:
        assert high == most
        assert low in (0, least), "none, or what a normal distribution is cut to"
