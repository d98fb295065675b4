"""Alarms of a run carry Holm's p-value beside the raw one."""

import pytest

from synnodtest.record.model import ExpectationEntry, RulingEntry
from synnodtest.record.whole import with_holm


def ruled(number, p):
    return entry(number, RulingEntry("PASSED", "", "", (), p_value=p))


def entry(number, ruling):
    return ExpectationEntry(f"node {number}", "behaviour", "sensitivity", "PASSED", None, ruling, "", (), (), (), ())


def test_holms_example_of_four_tests():
    raw = [ruled(number, p) for number, p in enumerate([0.01, 0.04, 0.03, 0.005])]
    assert [e.p_holm for e in with_holm(raw)] == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_expectations_without_a_p_value_stay_out_of_the_family():
    entries = [ruled(1, 0.02), entry(2, None), ruled(3, None), ruled(4, 0.9)]
    assert [e.p_holm for e in with_holm(entries)] == [0.04, None, None, 0.9]


def test_a_run_without_alarms_is_left_alone():
    assert with_holm([]) == []
