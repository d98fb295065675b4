"""The schema of the spec language, assembled: the frame of ``language.json`` and the definitions of every kind.

``schema.json``, which editors and readers take, holds the built-in kinds alone;
``python -m synnodtest.spec.write_schema`` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from synnodtest.decoding import Schema
from synnodtest.expectations.registry import claims, kinds
from synnodtest.mimics.registry import mimic_kinds
from synnodtest.perturbations.registry import perturbation_kinds
from synnodtest.spec.amounts import mimic_definitions, perturbation_definitions


@lru_cache(maxsize=1)
def _frame_text() -> str:
    return files("synnodtest.spec").joinpath("language.json").read_text(encoding="utf-8")


def signature() -> tuple[str, ...]:
    """Return the names of everything that the schema is assembled from: where they are equal, it is."""
    return (*kinds(), "/", *claims())


def built_in() -> Schema:
    """Return the JSON Schema with the kinds of this package alone."""
    return assembled("synnodtest.expectations.")


def assembled(within: str = "") -> Schema:
    """Return the JSON Schema with the kinds that are there now, those of installed packages among them.

    Args:
        within: Beginning of the modules whose kinds are wanted.
    """
    expected = {n: k.schema for n, k in kinds().items() if k.ruling.__module__.startswith(within)}
    claimed = {n: c.schema for n, c in claims().items() if c.margin.__module__.startswith(within)}
    schema: Schema = json.loads(_frame_text())
    definitions = schema["$defs"]
    definitions |= perturbation_definitions(perturbation_kinds())
    definitions |= mimic_definitions(tuple(mimic_kinds()))
    definitions |= {f"expect_{name}": part for name, part in expected.items()}
    definitions |= {f"fuzz_{name}": part for name, part in claimed.items()}
    definitions["expectation"]["properties"] = {n: {"$ref": f"#/$defs/expect_{n}"} for n in expected}
    definitions["fuzz_expectation"]["properties"] = {n: {"$ref": f"#/$defs/fuzz_{n}"} for n in claimed}
    plain: Schema = json.loads(json.dumps(schema))
    return plain


def text(schema: Mapping[str, Any]) -> str:
    """Return a schema as it is written to a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
