"""Strategies shrink to the easiest case."""

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings

import synnodtest.strategies as st
from synnodtest.planning.radiomics_space import plausible, vector
from synnodtest.radiomics_features import FEATURE_NAMES

QUIET = settings(
    max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def test_a_scene_shrinks_to_a_large_dense_nodule_mid_lung_alone_and_unperturbed():
    strategy = st.scenes(
        diameter_mm=(4, 40),
        contrast=(0.2, 1.0),
        companion_distance_mm=(15, 80),
        perturbations=st.perturbations(jpeg=(20, 100), rotate_deg=(-10, 10)),
    )
    assert find(strategy, lambda scene: True, settings=QUIET).plain() == {
        "diameter_mm": 40.0,
        "contrast": 1.0,
        "place": {"part": 0, "height": 0.0, "across": 0.0},
        "perturbations": {"jpeg": 100.0, "rotate_deg": 0.0},
    }
    close = find(strategy, lambda scene: scene.get("companion.distance_mm", 99) < 30, settings=QUIET)
    assert 29.5 < close.get("companion.distance_mm") < 30
    assert close.get("diameter_mm") == 40.0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: st.scenes(diameter_mm=(20, 10)), "diameter_mm"),
        (lambda: st.perturbations(flip=(0, 1)), "flip"),
        (lambda: st.perturbations(jpeg=(90, 40)), "above"),
        (lambda: st.radiomics(("Roundness",)), "Roundness"),
    ],
)
def test_impossible_arguments_are_refused_at_once(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@QUIET
@given(st.radiomics())
def test_vectors_have_every_feature_and_are_possible_together(features):
    assert list(features) == list(FEATURE_NAMES)
    assert np.isfinite(list(features.values())).all()
    assert features["MinorAxisLength"] <= 1.05 * features["MajorAxisLength"]
    assert features["Minimum"] <= features["Median"] <= features["Maximum"]


def test_contradictory_features_are_not_plausible():
    typical = vector([0.0] * 8)
    assert plausible({name: typical[name] for name in ("Sphericity", "Perimeter", "PixelSurface")})
    small, large = vector([-2.0] + [0.0] * 7), vector([2.0] + [0.0] * 7)
    sizes = {"MeshSurface": small["MeshSurface"], "PixelSurface": large["PixelSurface"]}
    assert not plausible(sizes)
    assert plausible({"MeshSurface": small["MeshSurface"], "PixelSurface": small["PixelSurface"]})
