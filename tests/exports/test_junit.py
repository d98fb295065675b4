"""JUnit properties say what the record says."""

from __future__ import annotations

from synnodtest.decoding import decode
from synnodtest.exports import junit
from synnodtest.record.model import BehaviourEntry, ExpectationEntry


def test_properties_name_requirement_hazard_verdict_and_estimate(made):
    expectation, behaviour = made["expectations"][1], made["behaviours"][0]
    pairs = junit.properties(decode(ExpectationEntry, expectation), decode(BehaviourEntry, behaviour))
    assert ("synnodtest.requirement", "SRS-014") in pairs
    assert ("synnodtest.hazard", "HAZ-003") in pairs
    assert ("synnodtest.verdict", expectation["status"]) in pairs
    first = expectation["ruling"]["components"][0]
    assert ("synnodtest.estimate", f"{first['value']:.6g}") in pairs
    assert all(isinstance(n, str) and isinstance(v, str) for n, v in pairs)


def test_an_expectation_without_ruling_has_its_verdict_and_error(made):
    broken = next(e for e in made["expectations"] if e["status"] == "ERROR")
    pairs = dict(junit.properties(decode(ExpectationEntry, broken)))
    assert pairs["synnodtest.verdict"] == "ERROR"
    assert "timed out" in pairs["synnodtest.error"]
    assert "synnodtest.estimate" not in pairs
