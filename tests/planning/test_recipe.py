"""A recipe is kept under a key that nothing can change without its scene."""

from dataclasses import replace

import pytest

from synnodtest.planning.draw import own_recipes
from synnodtest.planning.recipe import MimicRecipe, NoduleRecipe, Recipe
from synnodtest.ports import Background
from synnodtest.scene import Perturbation
from synnodtest.spec.model import Behaviour, Location, NoduleSpec, Scenes
from synnodtest.spec.values import Constant

LUNG, FLIP = Location(region="lung"), (Perturbation("flip", "horizontal"),)
GROWING = NoduleRecipe(
    12.0, density=1.0, location=LUNG, clearance_mm=6.0, place_seed=1, seed=2, doubling_days=400.0, interval_days=100.0
)
LEAD = MimicRecipe("wire", size_mm=9.0, location=LUNG, place_seed=3, seed=4)
BY_CONTRAST = replace(GROWING, density=None, contrast=0.2)
RECIPE = Recipe("b", Background("a", content="1"), "default", 0, (), (GROWING,), mimics=(LEAD,), pair=True)


@pytest.mark.parametrize("nodule", [GROWING, BY_CONTRAST])
@pytest.mark.parametrize(
    "change",
    [
        {"diameter_mm": 13.0},
        {"contrast": 0.3},
        {"radiomics": (("Sphericity", 0.8),)},
        {"name": "index"},
        {"seed": 9},
        {"density": 0.5},
        {"attenuation": "solid"},
        {"margin": "spiculated"},
        {"doubling_days": 401.0},
        {"interval_days": 101.0},
        {"lesion": "mass"},
        {"location": Location(region="hilar")},
        {"clearance_mm": 7.0},
        {"place_seed": 8},
        {"fills": (0.0, 0.0, 9.0, 9.0)},
    ],
)
def test_no_change_of_a_nodule_keeps_the_key(nodule, change):
    """Else the scene of another density, say, would be taken from the store."""
    one, other = (replace(RECIPE, nodules=(made,)).key() for made in (nodule, replace(nodule, **change)))
    assert one != other


@pytest.mark.parametrize(
    "change", [{"size_mm": 8.0}, {"name": "x"}, {"location": None}, {"place_seed": 8}, {"seed": 9}]
)
def test_no_change_of_a_distractor_keeps_the_key(change):
    assert replace(RECIPE, mimics=(replace(LEAD, **change),)).key() != RECIPE.key()


@pytest.mark.parametrize(
    "change",
    [
        {"background": Background("c", content="1")},
        {"background": Background("a", content="2")},
        {"nodules": ()},
        {"nodules": (GROWING, GROWING)},
        {"ghosts": frozenset({"nodule"})},
        {"perturbations": FLIP},
        {"seed": 1},
        {"sham": True},
        {"mimics": ()},
        {"pair": False},
        {"alone": True},
        {"prior_perturbations": FLIP},
    ],
)
def test_no_change_of_a_scene_keeps_the_key(change):
    assert replace(RECIPE, **change).key() != RECIPE.key()


@pytest.mark.parametrize("days", [None, 400.0])
def test_scenes_have_a_prior_where_a_nodule_has_grown(days):
    grown = {} if days is None else {"doubling_days": Constant(days), "interval_days": Constant(100.0)}
    nodule = NoduleSpec("index", Constant(10.0), location=LUNG, **grown)
    behaviour = Behaviour("b", "s", scenes=Scenes("normal", 1, nodules=(nodule,)))
    (recipe,) = own_recipes(behaviour, [Background("a")], 0)
    assert recipe.pair is (days is not None)
