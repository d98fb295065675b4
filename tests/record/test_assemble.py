"""The name of a run, and what several workers gathered for it."""

import json
import math
import re
import time
from collections import namedtuple
from types import MappingProxyType

import pytest

from synnodtest.canonical import plain
from synnodtest.decoding import decode
from synnodtest.record.assemble import Fragment, new_run_id
from synnodtest.record.model import ExpectationEntry
from synnodtest.record.model.run import BackgroundsEntry, IdentityEntry, SpecEntry

from .parts import expectation


def test_tuples_lists_and_what_is_made_of_them_become_lists_in_plain_json():
    Box = namedtuple("Box", "left right")
    given = ((1.5, 2), [(True, None)], Box(math.inf, (3,)), MappingProxyType({1: ("a", Box(4, 5))}), ())
    made = plain(given)
    assert made == [[1.5, 2], [[True, None]], [None, [3]], {"1": ["a", [4, 5]]}, []]
    assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_runs_sort_by_their_names_within_a_second_too():
    names = []
    for _ in range(20):
        names.append(new_run_id())
        time.sleep(0.001)
    assert names == sorted(names)
    assert len(set(names)) == 20
    assert all(re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{6}", name) for name in names)


@pytest.mark.parametrize("order", [("PASSED", "FAILED"), ("FAILED", "PASSED"), ("ERROR", "PASSED")])
def test_of_two_workers_that_ruled_one_item_the_one_stands_that_did_not_pass(order):
    whole = Fragment()
    for status in order:
        entry = decode(ExpectationEntry, expectation(status=status))
        whole.planned = {entry.id: entry}
        whole.merge(Fragment(expectations={entry.id: entry}).as_dict())
    assert [e.status for e in whole.expectations.values()] == [max(order, key="PASSED".__ne__)]


def test_scenes_that_two_behaviours_lack_for_one_reason_are_those_of_both_and_of_one_only_the_most():
    whole, why = Fragment(), "no region 'hilar'"
    for behaviour, count in (("a", 3), ("b", 4), ("a", 5)):  # two workers judged expectations of a
        whole.merge(Fragment(lacking={behaviour: {why: count}}).as_dict())
    assert whole.shortfall == {why: 9}


@pytest.mark.parametrize("part", ["the detector", "gaussian", "specs/a.yaml", "set normal:16"])
def test_what_a_worker_judged_of_another_version_is_an_error(part):
    def judged(node_id, version):
        entry = decode(ExpectationEntry, expectation(id=node_id, status="PASSED"))
        parts = {
            "the detector": {"detector": IdentityEntry("d", configuration={"device": node_id, "code": version})},
            "gaussian": {"synthesizers": {"gaussian": IdentityEntry("gaussian", version)}},
            "specs/a.yaml": {"specs": {"specs/a.yaml": SpecEntry("specs/a.yaml", version)}},
            "set normal:16": {
                "backgrounds": {"normal:16": BackgroundsEntry("normal", IdentityEntry("folder", sha256=version), 16)}
            },
        }
        return Fragment(planned={entry.id: entry}, expectations={entry.id: entry}, **parts[part])

    whole = Fragment()
    for node_id, version in (("a", "1"), ("b", "1"), ("c", "2")):
        whole.merge(judged(node_id, version).as_dict())
    assert {e.id: e.status for e in whole.expectations.values()} == {"a": "PASSED", "b": "PASSED", "c": "ERROR"}
    assert whole.expectations["c"].error.startswith(f"{part} changed while the run went on")
    assert [anomaly.id for anomaly in whole.anomalies] == [part]
    first = judged("a", "1")
    assert (whole.detector, whole.synthesizers, whole.specs) == (first.detector, first.synthesizers, first.specs)
