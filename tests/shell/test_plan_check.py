"""Change control plans beside specs, tried with the same detector again and with seeded faults as new versions."""

from pathlib import Path

import pytest

from synnodtest.commands.selftest import page
from synnodtest.detectors.mutants import MUTANTS, MutantDetector
from synnodtest.detectors.oracle import OracleDetector
from synnodtest.errors import RecordError
from synnodtest.integrity.protocol import read_protocol
from synnodtest.shell.plan_check import SAME, plans_beside
from synnodtest.shell.selftest import Bench, selftest
from synnodtest.shell.violations import BROKEN
from synnodtest.spec import load_spec
from synnodtest.store import Store
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from tests.engine.parts import Squares

SHIPPED = Path(__file__).parents[2] / "specs"
SPEC = """
synnodtest: 1
behaviours:
  - id: a-version-finds
    statement: A nodule is found.
    gate: safety
    scenes:
      backgrounds: {set: squares, count: 60}
      nodules: [{diameter_mm: 16, contrast: 0.9, location: {region: lung}}]
    expect: [sensitivity: {at_least: 0.3}]
"""
PLAN = """
synnodtest_pccp: 1
title: Plan
specs: {specs/s.yaml: SHA}
may_change: [version, weights]
must_hold:
  passed: [safety]
  non_inferior: [{metric: sensitivity, behaviour: a-version-finds, margin: 0.08}]
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(SPEC)
    made = load_spec(path)
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "p.yaml").write_text(PLAN.replace("SHA", made.sha256))
    return made


class LosesSome:
    """Finds nothing in one background of four: enough for the spec, too little for the plan."""

    def __init__(self, detector):
        self.identity, self._detector = detector.identity, detector

    def detect(self, radiographs):
        found = self._detector.detect(radiographs)
        return [
            [] if one.background.endswith(("0", "4", "8")) else f for one, f in zip(radiographs, found, strict=True)
        ]


def test_a_version_that_passes_its_spec_and_loses_a_part_is_outside_the_plan(spec, tmp_path, monkeypatch):
    from synnodtest.shell import plan_check
    from synnodtest.shell import selftest as module

    monkeypatch.setattr(module, "MUTANTS", {"always-silent": MUTANTS["always-silent"], "random": MUTANTS["random"]})

    def spoiled(name, detector):
        return LosesSome(detector) if name == "random" else MutantDetector(name, detector)

    monkeypatch.setattr(module, "MutantDetector", spoiled)
    bench = Bench(lambda name, count: Squares(count), GaussianSynthesizer(), Store(tmp_path / "store"), limit=20)
    told = []
    made = selftest([spec], OracleDetector(), bench, told.append)
    versions = {one.version: one for one in made.versions}
    assert versions[SAME].verdict == "WITHIN THE PLAN", "on all backgrounds, whatever the limit of the kill table"
    assert versions["always-silent"].broken == ("gates", "retention", "sensitivity of a-version-finds")
    lossy = versions["random"]
    assert (lossy.verdict, lossy.broken) == ("OUTSIDE THE PLAN", ("sensitivity of a-version-finds",))
    assert all(one.holds for one in made.versions)
    assert made.as_dict()["change_control"][0]["new_version"] == SAME
    shown = page(made.as_dict(), "conditions")
    assert "By `plans/p.yaml`:" in shown
    assert "| random | OUTSIDE THE PLAN | sensitivity of a-version-finds | none |" in shown
    assert any("random as a new version: OUTSIDE THE PLAN" in line for line in told)
    monkeypatch.setattr(plan_check, "breaks", lambda *words: False)
    again = selftest([spec], OracleDetector(), bench)
    assert again.versions[-1].unjust == ("sensitivity of a-version-finds",)
    assert not again.versions[-1].holds


def test_a_plan_over_another_state_of_a_spec_is_told_and_one_over_other_specs_is_passed_over(spec, tmp_path):
    assert [plan.path.name for plan in plans_beside([spec])] == ["p.yaml"]
    plan = tmp_path / "plans" / "p.yaml"
    plan.write_text(PLAN.replace("SHA", "f" * 64))
    with pytest.raises(RecordError, match=r"p\.yaml: specs/s\.yaml is not the spec that the plan names") as raised:
        plans_beside([spec])
    assert spec.sha256 in raised.value.hint
    plan.write_text(PLAN.replace("specs/s.yaml", "specs/other.yaml"))
    assert plans_beside([spec]) == []


def test_the_shipped_plan_names_the_shipped_spec_and_only_faults_and_clauses_that_there_are():
    (plan,) = plans_beside([load_spec(path) for path in sorted(SHIPPED.glob("*.yaml"))])
    assert list(plan.specs) == ["specs/change_control.yaml"]
    assert set(BROKEN) <= set(MUTANTS)
    margins = {
        f"{m.metric.replace('_', ' ')}{f' of {m.behaviour}' if m.behaviour else ''}"
        for m in read_protocol(plan.path).margins
    }
    assert {clause for clauses in BROKEN.values() for clause in clauses} <= margins | {"gates", "retention"}
