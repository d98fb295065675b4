"""``synnodtest pccp check`` with a detector in place of a run."""

from __future__ import annotations

import argparse

from synnodtest.commands import pccp
from synnodtest.decoding import decode
from synnodtest.record.model.side import Side
from synnodtest.record.pccp import _gate
from synnodtest.shell import baseline

SPEC = """\
synnodtest: 1
behaviours:
  - id: searched
    statement: No nodule is missed.
    gate: safety
    fuzz: {backgrounds: {set: normal, count: 2}, examples: 5, vary: {diameter_mm: [18, 24]}}
    expect: [detected: {rate_at_least: 0.9}]
"""


def test_a_search_that_a_detector_was_not_put_to_was_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(SPEC)
    who = {"run": {"id": "d"}, "identification": {"detector": {"name": "d"}}, "expectations": [], "scenes": {}}
    side = decode(Side, who | {"left_out": ["a.yaml::searched::detected"]})
    monkeypatch.setattr(baseline, "record_of", lambda *_: side)
    parser = argparse.ArgumentParser()
    pccp.configure("pccp", parser)
    options = parser.parse_args(["check", "--protocol", "plan.yaml", "--old", "oracle", "--new", "oracle"])
    (tmp_path / "b.yaml").write_text(SPEC.replace("safety", "exploratory"))
    of_detector = pccp._version("oracle", options, ["b.yaml", "a.yaml"])
    (entry,) = of_detector.side.expectations
    assert (entry.id, entry.status, entry.behaviour) == ("a.yaml::searched::detected", "NOT RUN", "searched")
    assert _gate(entry, of_detector) == "safety", "not that of the behaviour of this id in another specification"
