"""The fixture ``synnod``: what it is asked for by name is what it plants, or it says why not."""

import pytest

from synnodtest.errors import SynnodError
from synnodtest.planning.example import Example
from synnodtest.shell import scene_fixture
from synnodtest.shell.scene_fixture import SceneFixture


@pytest.fixture
def asked(monkeypatch):
    """Return the function that asks the fixture, and what it had planted."""
    planted = []

    def plant(campaign, example, name, number, matching):
        planted.append((example, matching))
        return "a trial", ""

    monkeypatch.setattr(scene_fixture, "plant", plant)
    return SceneFixture(None), planted


@pytest.mark.parametrize(
    ("scene", "said"),
    [
        ({"diamter_mm": 4}, "'diamter_mm' is not known; did you mean 'diameter_mm'?"),
        ({"diameter_mm": float("nan")}, "diameter_mm: must be "),
        ({"diameter_mm": -3}, "diameter_mm: must be above 0, not -3"),
        ({"Sphericity": 0.8}, "'Sphericity' has no place here, but in 'radiomics'"),
        ({"perturbations.blurr": 3}, "perturbations: 'blurr' is not known; did you mean 'blur'?"),
        ({"place": "x"}, "place: must be "),
        ({"view": "PA"}, "view of a scene"),
        ({"location": {"region": "hilar"}}, "location of a scene"),
        ({"contrast": 0.3, "density": 1}, "contrast and density each say how bright"),
    ],
)
def test_a_parameter_that_would_be_left_out_is_refused(asked, scene, said):
    fixture, planted = asked
    with pytest.raises(SynnodError) as refused:
        fixture(scene)
    assert said in str(refused.value)
    assert refused.value.hint
    assert not planted


@pytest.mark.parametrize(
    ("matching", "said"),
    [
        ({"criterion": "iuo"}, "'iuo' is not known; did you mean 'iou'?"),
        ({"criterion": "iou", "at_laest": 0.9}, "did you mean 'at_least'?"),
        ({"tolerance": 3}, "did you mean 'tolerance_mm'?"),
        ({"at_least": 0.9}, "'at_least' belongs to the criterion 'iou'"),
    ],
)
def test_a_matching_that_would_be_another_is_refused(asked, matching, said):
    with pytest.raises(SynnodError) as refused:
        asked[0]({"diameter_mm": 12}, matching=matching)
    assert said in str(refused.value)


def test_perturbations_are_taken_by_flat_name_and_as_specs_nest_them(asked):
    fixture, planted = asked
    flat = {"diameter_mm": 12, "perturbations.blur": 2, "companion.diameter_mm": 9, "radiomics.Sphericity": 0.8}
    nested = {"diameter_mm": 12, "perturbations": {"blur": 2}, "companion": {"diameter_mm": 9}}
    for scene in (flat, {**nested, "radiomics": {"Sphericity": 0.8}}, Example.of(flat), {}):
        assert fixture(scene, matching={"criterion": "iou", "at_least": 0.5}) == "a trial"
    one, two, three, nothing = (example for example, _ in planted)
    assert one == two == three == Example.of(flat)
    assert nothing == Example.of({})
    assert {(rule.criterion, rule.at_least) for _, rule in planted} == {("iou", 0.5)}
    fixture({"diameter_mm": 12}, matching={"tolerance_mm": 3})
    assert planted[-1][1].tolerance_mm == 3
