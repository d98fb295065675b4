"""From an example to the recipes of its scenes: seeds, places of further replicates, and what has grown."""

import math

import pytest

from synnodtest.expectations.claim import BASE, GROWN
from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.places import Places
from synnodtest.fuzzing.recipes import RecipeMaker
from synnodtest.planning.example import Example
from synnodtest.spec.model import Location
from tests.fuzzing.parts import Lungs

VALUES = {"diameter_mm": 12.0, "contrast": 0.5, "place.height": 0.25, "place.across": -0.5}


def recipes(values=VALUES, replicate=0, namespace="search", kind="detected", **parameters):
    lungs = Lungs(2)
    claim = Claim(kind, {"operating_point": 0.25, **parameters})
    maker = RecipeMaker("found", claim, Places(lungs.load, Location(region="lung")), plants=True, seed=3)
    return {r.arm: r for r in maker.recipes(Example.of(values), lungs.backgrounds[0], replicate, namespace)}


def test_further_replicates_on_a_radiograph_lie_up_to_a_millimetre_beside_the_first_and_no_two_alike():
    places = [recipes(replicate=k)[BASE].nodules[0].location.at_mm for k in range(12)]
    away = [math.dist(places[0], place) for place in places[1:]]
    assert len(set(places)) == 12
    assert 0.5 < max(away) <= 1.0


def test_every_replicate_has_a_seed_of_its_own_and_the_first_takes_the_one_that_is_pinned():
    seeds = [recipes(replicate=k, namespace=n)[BASE].seed for k in range(5) for n in ("search", "confirm")]
    assert len(set(seeds)) == 10
    assert recipes()[BASE] == recipes()[BASE]
    pinned = [recipes({**VALUES, "seed": 7}, replicate=k)[BASE].seed for k in range(3)]
    assert pinned[0] == 7
    assert len({*pinned, *seeds}) == 13


@pytest.mark.parametrize(
    ("over", "values", "grown"),
    [
        ("diameter_mm", {"diameter_mm": 12.0, "contrast": 0.5}, (18.0, 0.5)),
        ("diameter_mm", {"diameter_mm": 80.0, "contrast": 0.5}, (100.0, 0.5)),
        ("contrast", {"diameter_mm": 12.0, "contrast": 0.5}, (12.0, 0.75)),
        ("contrast", {"diameter_mm": 12.0, "contrast": 0.9}, (12.0, 1.0)),
    ],
)
def test_a_nodule_grows_by_the_factor_up_to_what_a_spec_may_ask_for(over, values, grown):
    made = recipes({**VALUES, **values}, kind="no_reversal", over=over, factor=1.5, max_drop=0.1)
    (before,), (after,) = made[BASE].nodules, made[GROWN].nodules
    assert (after.diameter_mm, after.contrast) == grown
    assert (after.location, after.seed) == (before.location, before.seed)
