"""The guide: each method of an interval is explained, and none that the run did not use."""

import re
from pathlib import Path

import synnodtest
from synnodtest.record.model import Record
from synnodtest.report.context import Context
from synnodtest.report.sections.guide import guide
from synnodtest.report.sections.protocol import protocol

BESIDE = {"mee", "newcombe", "newcombe-paired"}
"""Cross-checks, which no verdict rests on."""


def shown(record):
    return [row[0] for row in guide(Context(Record.of(record), Path("."))).data["methods"].rows]


def test_the_methods_of_the_run_are_explained_and_no_others(small):
    part = small["expectations"][0]["ruling"]["components"][0]
    small["expectations"] = small["expectations"][:1]
    small["expectations"][0]["ruling"]["components"] = [
        part | {"method": "hybrid, miettinen-nurminen at effective sizes, cluster-t"}
    ]
    assert shown(small) == ["cluster-t", "miettinen-nurminen"]


def test_every_method_that_the_package_names_is_explained(small):
    folder = Path(synnodtest.__file__).parent
    sources = [p.read_text() for room in ("statistics", "expectations") for p in (folder / room).rglob("*.py")]
    pattern = r'(?:method=|METHOD = |name = |name, reason = |alpha, )f?"([a-z]+-[a-z-]+[a-z, ]*)"'
    named = {one for text in sources for one in re.findall(pattern, text)} - BESIDE
    assert {"garwood", "clopper-pearson", "cluster-tango", "confidence-sequence"} - named == {"garwood"}
    part = small["expectations"][0]["ruling"]["components"][0]
    for method in named | {"garwood", "delong", "korn-graubard, guarded", "cluster-bootstrap-t", "hybrid, cluster-t"}:
        small["expectations"][0]["ruling"]["components"] = [part | {"method": method}]
        assert shown(small | {"expectations": small["expectations"][:1]}), method


def test_the_table_of_runs_says_which_detector_each_had(small):
    small["ledger"] = [{"run": "first", "seed": 1, "detector": "old.pt", "spec_sha256": "0"}]
    table = protocol(Context(Record.of(small), Path("."))).data["ledger"]
    assert dict(zip(table.columns, table.rows[0], strict=True))["Detector"] == "old.pt"
