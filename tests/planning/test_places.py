"""Places are drawn among the pixels that the whole masks allow, and by the same numbers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from synnodtest.planning.draw import control_recipes, own_recipes
from synnodtest.planning.place import MissingRegion, NoPlace, Placer, region_mask
from synnodtest.planning.region_pixels import LEAST_SHARE
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph
from synnodtest.spec.model import Behaviour, Location, NoduleSpec, Scenes
from synnodtest.spec.values import Sweep, Uniform


def film(spacing):
    lung = np.zeros((180, 160), bool)
    lung[20:160, 15:60], lung[30:150, 95:150] = True, True
    return Radiograph(np.full(lung.shape, 0.4, np.float32), spacing, {"lung": lung})


def plainly(recipe, radiograph):
    """Return the places of a recipe by masks over the whole radiograph, numbers drawn as the placer draws them."""
    lung, (row_mm, column_mm) = radiograph.regions["lung"], radiograph.spacing_mm
    depth = distance_transform_edt(np.pad(lung, 1), sampling=(row_mm, column_mm))[1:-1, 1:-1].astype(np.float32)
    most = np.quantile(depth[lung], 1 - LEAST_SHARE)
    rows, columns = np.indices(lung.shape)
    made = []
    for nodule in recipe.nodules:
        allowed = lung & (depth >= min(nodule.clearance_mm, most))
        for x, y in made if nodule.location.min_distance_mm else ():
            away = ((columns + 0.5) * column_mm - x) ** 2 + ((rows + 0.5) * row_mm - y) ** 2
            allowed &= away >= nodule.location.min_distance_mm**2
        at, rng = np.argwhere(allowed), np.random.default_rng(nodule.place_seed)
        row, column = at[rng.integers(len(at))]
        x, y = column + rng.uniform(), row + rng.uniform()
        made.append((round(float(x * column_mm), 3), round(float(y * row_mm), 3)))
    return made


@pytest.mark.parametrize("spacing", [(0.5, 0.6), (0.5, 0.5)])
@pytest.mark.parametrize("apart", [0.0, 25.0])
def test_the_places_are_those_of_the_whole_masks(apart, spacing):
    nodules = (
        NoduleSpec("index", Uniform(6.0, 14.0), location=Location(region="lung")),
        NoduleSpec("companion", Uniform(6.0, 14.0), location=Location(region="lung", min_distance_mm=apart)),
    )
    behaviour = Behaviour("b", "s", scenes=Scenes("normal", 1, nodules=nodules, replicates=25))
    radiograph = film(spacing)
    recipes = list(own_recipes(behaviour, [Background("a")], 0))
    placer = Placer(radiograph, recipes)
    for recipe in recipes:
        drawn = [nodule.centre_mm for nodule in placer.place(recipe).nodules]
        assert drawn == plainly(recipe, radiograph)
        alone = Placer(radiograph).place(recipe)  # the first places of a background are found in another way
        assert [nodule.centre_mm for nodule in alone.nodules] == drawn


def with_hilum(spacing=(0.5, 0.6)):
    made = film(spacing)
    hilar = np.zeros(made.shape, bool)
    hilar[60:110, 40:115] = True
    return replace(made, regions={**made.regions, "hilar": hilar})


@pytest.mark.parametrize(("hold", "clearances"), [(("location",), [15.0, 15.0]), ((), [3.0, 15.0])])
def test_a_place_that_is_held_has_room_for_the_largest_of_the_sweep(hold, clearances):
    nodule = NoduleSpec("index", Sweep((6.0, 30.0)), location=Location(region="lung"), hold=frozenset(hold))
    behaviour = Behaviour("b", "s", scenes=Scenes("normal", 1, nodules=(nodule,)))
    made = [recipe.nodules[0] for recipe in own_recipes(behaviour, [Background("a")], 0)]
    assert [one.clearance_mm for one in made] == clearances
    assert len({one.place_seed for one in made}) == (1 if hold else 2)


def test_controls_lie_in_the_lung_outside_the_region_and_nowhere_else():
    radiograph = with_hilum()
    hilar, lung = radiograph.regions["hilar"], radiograph.regions["lung"]
    nodules = (NoduleSpec("index", Uniform(6.0, 14.0), location=Location(region="hilar")),)
    behaviour = Behaviour("b", "s", scenes=Scenes("normal", 1, nodules=nodules, replicates=40))
    inside, outside = (
        [Placer(radiograph).place(recipe).nodules[0] for recipe in recipes]
        for recipes in (
            own_recipes(behaviour, [Background("a")], 0),
            control_recipes(behaviour, [Background("a")], 0, "hilar"),
        )
    )
    for nodule, moved in zip(inside, outside, strict=True):
        (x, y), (to_x, to_y) = nodule.centre_mm, moved.centre_mm
        assert hilar[int(y / 0.5), int(x / 0.6)]
        assert lung[int(to_y / 0.5), int(to_x / 0.6)]
        assert not hilar[int(to_y / 0.5), int(to_x / 0.6)]
        assert (moved.diameter_mm, moved.seed) == (nodule.diameter_mm, nodule.seed)


def test_a_centre_may_lie_in_the_region_or_box_that_is_asked_for_less_what_is_avoided():
    radiograph = with_hilum()
    hilar, lung = radiograph.regions["hilar"], radiograph.regions["lung"]
    box = np.zeros(radiograph.shape, bool)
    box[10:, :20] = True
    for location, mask in (
        (Location(region="lung"), lung),
        (Location(region="lung", avoid=("hilar",)), lung & ~hilar),
        (Location(region=None, avoid=("hilar", "lung")), ~(lung | hilar)),
        (Location(box_px=(-5.0, 9.6, 20.4, 400.0)), box),
        (Location(box_px=(-5.0, 9.6, 20.4, 400.0), avoid=("lung",)), box & ~lung),
    ):
        assert (region_mask(radiograph, location) == mask).all()
    for location in (Location(region="apex"), Location(region="lung", avoid=("apex",))):
        with pytest.raises(MissingRegion, match="no region 'apex'"):
            region_mask(radiograph, location)


def test_an_empty_region_has_no_place():
    radiograph = with_hilum()
    none = replace(radiograph, regions={**radiograph.regions, "hilar": np.zeros(radiograph.shape, bool)})
    nodules = (NoduleSpec("index", Uniform(6.0, 14.0), location=Location(region="hilar")),)
    behaviour = Behaviour("b", "s", scenes=Scenes("normal", 1, nodules=nodules))
    (recipe,) = own_recipes(behaviour, [Background("a")], 0)
    with pytest.raises(NoPlace, match="region hilar is empty on this background"):
        Placer(none).place(recipe)
