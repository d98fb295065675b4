"""Shape and profile of drawn nodules: measured as PyRadiomics does, and brought to those of the nodules trained on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from synnodtest.errors import SynthesizerError
from synnodtest.synthesizers.diffusion import compose, outline
from synnodtest.synthesizers.diffusion.adhere import TONE_LIMITS, Variant, tone_for
from synnodtest.synthesizers.diffusion.calibration import Calibration
from synnodtest.synthesizers.diffusion.compose import Place, fit
from synnodtest.synthesizers.diffusion.outline import FARTHEST, bend_for, sphericity_of
from synnodtest.synthesizers.diffusion.segment import Drawn, Region, flatness_of, segment
from synnodtest.synthesizers.patch import Patch
from synnodtest.synthesizers.window import Window

Y, X = (axis - 47.5 for axis in np.mgrid[:96, :96].astype(float))


def cone(diameter: float, squeezed: float = 1.0) -> NDArray[np.float32]:
    return np.clip(1 - np.hypot(Y / squeezed, X * squeezed) / (diameter / 2), 0, 1).astype(np.float32)


def drawn(diameter: float, squeezed: float = 1.0) -> Drawn:
    found = segment(0.4 * cone(diameter * 1.15, squeezed), Region(diameter * 0.7).mask(), 0.12, diameter)
    assert found is not None
    return found


def test_sphericity_is_that_of_pyradiomics() -> None:
    pytest.importorskip("radiomics")
    from synnodtest.radiomics_features import measure_features

    rng = np.random.default_rng(3)
    blobs = [cone(20) > 0, cone(44, 0.7) > 0.2]
    for width in (3.0, 5.0, 8.0):
        labels, _ = ndimage.label(ndimage.gaussian_filter(rng.normal(size=(96, 96)), width) > 0)
        blobs.append(ndimage.binary_fill_holes(labels == labels[48, 48] if labels[48, 48] else labels == 1))
    gray = rng.uniform(size=(96, 96)).astype(np.float32)
    for blob in blobs:
        (theirs,) = measure_features(gray, blob, names=("Sphericity",))
        assert sphericity_of(np.asarray(blob)) == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize("asked", [0.93, 0.9])
def test_bending_makes_a_nodule_as_irregular_as_asked_at_its_size_and_place(asked: float) -> None:
    found = drawn(36)
    reached = []
    for seed in range(8):
        bend = bend_for(found, asked, seed)
        assert bend is not None
        patch = fit(found, 24.0, Place((60, 60), 60.0, (400, 400), (0.3, 0.3), Window((60, 60))), bend=bend)
        y, x = np.nonzero(patch.mask)
        assert 2 * np.sqrt(patch.mask.sum() * 0.09 / np.pi) == pytest.approx(24, rel=0.02)
        assert np.hypot(y.mean() + patch.origin[0] - 199.5, x.mean() + patch.origin[1] - 199.5) * 0.3 < 2.0
        assert ndimage.label(patch.mask)[1] == 1
        reached.append(sphericity_of(patch.mask))
        assert np.sqrt((bend.field[:, found.mask] ** 2).sum(axis=0).mean()) <= FARTHEST * found.diameter_px / 2 * 1.001
    assert np.median(reached) == pytest.approx(asked, abs=0.02)
    assert sphericity_of(found.mask) > asked + 0.02


def test_what_is_irregular_enough_or_tiny_is_not_bent() -> None:
    assert bend_for(drawn(36), 1.0, 1) is None
    assert bend_for(drawn(36, 0.6), 0.9, 1) is None
    assert bend_for(drawn(8), 0.5, 1) is None


@pytest.mark.parametrize(("power", "flatness"), [(1.0, 1 / 3), (0.0, 1.0), (2.0, 1 / 6)])
def test_flatness_of_known_profiles(power: float, flatness: float) -> None:
    """The mean over a disc of (1 - r)^p is 2 / ((p + 1)(p + 2)); the rim, which counts as 0, costs a little."""
    added = np.where(cone(80) > 0, cone(80) ** power, 0).astype(np.float32)
    assert flatness_of(added, cone(80) > 0) == pytest.approx(flatness, abs=0.035 if power else 1.0)


def test_a_profile_is_brought_to_the_flatness_asked_for() -> None:
    patch = Patch((0, 0), cone(60), np.asarray(cone(60) > 0), 1.0)
    for asked in (0.25, 0.45):
        toned = Variant(0.3, tone_for(patch, asked)).of(patch, 1, (0.3, 0.3))
        assert flatness_of(toned.added, toned.mask) == pytest.approx(asked, abs=0.005)
    assert tone_for(patch, 0.01) == TONE_LIMITS[1]
    assert tone_for(patch, 0.99) == TONE_LIMITS[0]


def test_profiles_of_all_drawn_nodules_get_the_distribution_of_those_trained_on() -> None:
    rng = np.random.default_rng(1)
    trained, drew = rng.normal(0.35, 0.05, 4000), rng.normal(0.30, 0.03, 4000)
    shares = np.linspace(0, 1, 21)
    fitted = Calibration(flatness=tuple(np.quantile(trained, shares)), drawn_flatness=tuple(np.quantile(drew, shares)))
    got = [fitted.flat_as(one) for one in rng.normal(0.30, 0.03, 2000)]
    assert np.quantile(got, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(trained, [0.1, 0.5, 0.9]), abs=0.006)
    assert Calibration().flat_as(0.42) == 0.42


def test_profiles_are_made_flatter_at_most_as_a_ball_is() -> None:
    shares = (0.2, 0.3, 0.4)
    assert Calibration(flatness=shares, drawn_flatness=shares, flatter=1.5).flat_as(0.3) == pytest.approx(0.45)
    radius = np.linspace(0, 1, 200_001)
    ball = np.average(np.sqrt(1 - radius**2), weights=radius)
    assert Calibration(flatness=shares, drawn_flatness=shares, flatter=2.0).flat_as(0.4) == pytest.approx(
        ball, abs=1e-4
    )


def test_shapes_are_those_of_nodules_of_the_same_size() -> None:
    shapes = Calibration(
        shape_mm=(10.0, 40.0),
        elongations=((0.6, 0.8, 1.0), (0.4, 0.6, 0.8)),
        sphericities=((0.8, 0.9, 0.95), (0.6, 0.8, 0.9)),
    )
    assert shapes.shape_for({}, 10.0, (0.5, 0.5)) == pytest.approx((0.8, 0.9))
    assert shapes.shape_for({}, 20.0, (0.5, 0.0)) == pytest.approx((0.7, 0.7))
    assert shapes.shape_for({}, 90.0, (1.0, 1.0)) == pytest.approx((0.8, 0.9))
    assert shapes.shape_for({"Sphericity": 0.6}, 40.0, (0.9, 0.9)) == pytest.approx((0.4, 0.6))
    assert shapes.shape_for({"Elongation": 0.5, "Sphericity": 0.7}, 40.0, (0.9, 0.9)) == (0.5, 0.7)


def test_a_calibration_of_another_layout_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text(json.dumps({"elongations": [0.6, 0.8, 0.95]}))
    with pytest.raises(SynthesizerError, match="one per diameter") as caught:
        Calibration.load(tmp_path)
    assert "train diffusion" in str(caught.value)


@pytest.mark.parametrize(("diameter", "squeezed"), [(9, 1.0), (22, 1.15), (40, 0.85)])
def test_looking_only_around_the_nodule_changes_nothing(
    diameter: float, squeezed: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = drawn(diameter, squeezed)

    def made() -> list[Patch]:
        place = Place((60.0, 61.0), 60.0, (300, 300), (0.3, 0.35), Window((60, 61)))
        return [
            fit(found, mm, place, elongation, bend_for(found, asked, 3))
            for mm in (0.6 * diameter, 0.9 * diameter)
            for elongation in (None, 0.6)
            for asked in (0.99, 0.9, 0.8)
        ]

    near = made()
    monkeypatch.setattr(compose, "_reach_px", lambda *_: 1e9)
    monkeypatch.setattr(outline, "_around", lambda *_: (slice(None), slice(None)))
    for one, other in zip(near, made(), strict=True):
        assert one.zoom == other.zoom
        assert np.array_equal(one.added, other.added)
        assert np.array_equal(one.mask, other.mask)
