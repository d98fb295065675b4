"""Alarms of a run carry Holm's p-value beside the raw one."""

import pytest

from synnodtest.record.multiplicity import with_holm


def entry(p):
    return {"ruling": None if p is None else {"p_value": p}, "p_holm": None}


def test_holms_example_of_four_tests():
    raw = [0.01, 0.04, 0.03, 0.005]
    assert [e["p_holm"] for e in with_holm(map(entry, raw))] == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_expectations_without_a_p_value_stay_out_of_the_family():
    entries = [entry(0.02), entry(None), {"ruling": {"p_value": None}, "p_holm": None}, entry(0.9)]
    assert [e["p_holm"] for e in with_holm(entries)] == [0.04, None, None, 0.9]


def test_a_run_without_alarms_is_left_alone():
    assert with_holm([]) == []
