"""Conspicuity as a quantity of a nodule: selected by, and kept with the radiograph's snapshot."""

import math
from dataclasses import replace

import numpy as np
import pytest

from synnodtest.engine.outcome import Snapshot
from synnodtest.evidence.trial import NoduleTrial, predicate, value_of
from synnodtest.radiograph import Radiograph, Truth
from tests.expectations.evidence import trial


def seen(conspicuity, contrast=0.05):
    made = trial("a", 0.5)
    (nodule,) = made.nodules
    truth = replace(nodule.truth, conspicuity=conspicuity, contrast_in_place=contrast)
    return made, replace(nodule, truth=truth)


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"conspicuity": {"at_least": 2}}, True),
        ({"conspicuity": {"at_most": 2}}, False),
        ({"contrast_in_place": {"at_most": 0.06}, "conspicuity": {"at_least": 1}}, True),
    ],
)
def test_where_selects_by_how_visible_a_nodule_is(where, kept):
    assert predicate(where)(*seen(2.5)) is kept


def test_a_nodule_of_which_it_is_not_known_is_selected_by_no_condition():
    made, nodule = seen(math.nan)
    assert value_of("conspicuity", made, nodule) is None
    assert not predicate({"conspicuity": {"at_most": 100}})(made, nodule)
    assert isinstance(nodule, NoduleTrial)


def test_a_snapshot_measures_it_and_keeps_it():
    pixels = np.random.default_rng(0).normal(0.4, 0.02, (160, 160)).astype(np.float32)
    pixels[72:88, 72:88] += 0.2
    truth = Truth("nodule", np.ones((16, 16), dtype=bool), (72, 72), 18.0, math.nan)
    empty = Truth("none", np.zeros((2, 2), dtype=bool), (5, 5), 0.0, 0.0)
    taken = Snapshot.of(Radiograph(pixels, (1.0, 1.0), nodules=(truth, empty)))
    again = Snapshot.decode(taken.encode())
    assert again.nodules[0].conspicuity > 3
    assert again.nodules[0].conspicuity == taken.nodules[0].conspicuity
    assert again.nodules[0].contrast_in_place == taken.nodules[0].contrast_in_place
    assert math.isnan(again.nodules[0].contrast)
    assert math.isnan(again.nodules[1].conspicuity)
