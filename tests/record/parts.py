"""Plain values of a record with all that its schema requires, so that a test names only what it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synnodtest.record.complete import RunFacts, complete
from synnodtest.record.model import Record


def component(**told: Any) -> dict[str, Any]:
    return {"name": "x", "label": "x", "value": None, "lower": None, "upper": None, "bound": None, "side": "above",
            "status": "PASSED", "method": ""} | told  # fmt: skip


def ruling(**told: Any) -> dict[str, Any]:
    return {"status": "PASSED", "sentence": "", "criterion": "", "components": []} | told


def expectation(**told: Any) -> dict[str, Any]:
    ruled = ruling() if told.get("status", "PASSED") == "PASSED" else None
    return {"id": "s.yaml::b::e", "behaviour": "b", "kind": "sensitivity", "status": "PASSED", "waived": None,
            "ruling": ruled, "error": "", "scenes": [], "worst": [], "failing": [], "passing": []} | told  # fmt: skip


def nodule(**told: Any) -> dict[str, Any]:
    return {"name": "n", "box": [0, 0, 1, 1]} | told


def scene(**told: Any) -> dict[str, Any]:
    return {"recipe": {}, "background": "", "nodules": [], "findings": []} | told


def run(**told: Any) -> dict[str, Any]:
    return {"id": "r", "started": "", "finished": None, "command": [], "seed": 0, "confirmatory": False,
            "exploratory_reasons": [], "interrupted": False} | told  # fmt: skip


def identification(**told: Any) -> dict[str, Any]:
    return {"synnodtest": "1", "detector": {"name": "d"}, "synthesizers": [], "backgrounds": [], "specs": []} | told


def record(**told: Any) -> dict[str, Any]:
    return {"synnodtest_record": 1, "run": run(), "identification": identification(), "behaviours": [],
            "expectations": [], "scenes": {}, "attrition": {}, "sham": [], "gallery": [], "environment": {},
            "waivers": [], "deviations": [], "anomalies": [], "limitations": []} | told  # fmt: skip


def completed(record: dict[str, Any], root: Path, **told: Any) -> dict[str, Any]:
    return complete(Record.of(record), RunFacts(root, "a-run", (), 0, **told))
