"""Masses and consolidations: the area asked for, nothing outside the lung, air within, no nodule in their place."""

import numpy as np
import pytest
from scipy import ndimage

from synnodtest import Nodule, Radiograph, Scene, SynthesizerError
from synnodtest.engine.acceptance import rejection
from synnodtest.engine.synthesis import synthesize
from synnodtest.engine.tally import Tally
from synnodtest.geometry import equal_area_diameter_mm
from synnodtest.planning.draw import own_recipes
from synnodtest.planning.place import Placer
from synnodtest.spec import load_spec
from synnodtest.spec.plain import resolved
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from synnodtest.synthesizers.lesions import lesion_patch, refuse_lesions
from tests.engine.parts import Counting, Squares

LESIONS = ("mass", "consolidation")


@pytest.fixture
def chest():
    """A lung of 140 mm beside a white mediastinum, 0.8 and 1 mm pixels."""
    rng = np.random.default_rng(1)
    pixels = (0.3 + 0.05 * ndimage.gaussian_filter(rng.standard_normal((200, 180)), 4) * 10).astype(np.float32)
    lung = np.zeros(pixels.shape, dtype=bool)
    lung[20:180, 10:150] = True
    pixels[~lung] = 0.8
    return Radiograph(pixels.clip(0, 1), (0.8, 1.0), {"lung": lung}, background="chest")


def planted(chest, lesion, seed=0, centre=(80.0, 80.0), size=40.0, density=1.2):
    nodule = Nodule(size, centre, density=density, lesion=lesion, seed=seed)
    return GaussianSynthesizer().synthesize([Scene("chest", (nodule,), seed=seed)], [chest])[0]


@pytest.mark.parametrize("lesion", LESIONS)
@pytest.mark.parametrize("seed", range(4))
def test_a_lesion_has_the_area_and_contrast_asked_for_in_one_part_within_the_lung(chest, lesion, seed):
    made = planted(chest, lesion, seed)
    (truth,) = made.nodules
    mask = truth.mask(chest.shape)
    assert truth.diameter_mm == pytest.approx(40, rel=0.08)
    assert truth.diameter_mm == pytest.approx(equal_area_diameter_mm(mask.sum(), chest.spacing_mm))
    assert truth.contrast == pytest.approx(truth.requested["contrast"], rel=0.02)
    assert ndimage.label(mask)[1] == 1
    assert not (mask & ~chest.regions["lung"]).any()
    assert rejection(chest, made) == ""
    changed = made.pixels != chest.pixels
    assert not (changed & ~ndimage.binary_dilation(chest.regions["lung"], iterations=2)).any()
    again = planted(chest, lesion, seed)
    assert (again.pixels == made.pixels).all()
    assert (planted(chest, lesion, seed + 9).pixels != made.pixels).any()


def test_a_consolidation_ends_with_the_lung_and_fades_within_it(chest):
    nodule = Nodule(40, (145, 80), contrast=0.3, lesion="consolidation", seed=2)
    patch = lesion_patch(nodule, chest, 2)
    window = tuple(slice(o, o + n) for o, n in zip(patch.origin, patch.mask.shape, strict=True))
    lung = chest.regions["lung"][window]
    inner = patch.added > 0
    depth = ndimage.distance_transform_edt(lung, sampling=chest.spacing_mm)
    assert not inner[ndimage.distance_transform_edt(~lung, sampling=chest.spacing_mm) > 1.5].any()
    at_border = patch.added[(depth > 0) & (depth < 2) & patch.mask]
    assert np.median(at_border) > 0.5, "it is bright right up to the border of the lung"
    into = ndimage.distance_transform_edt(patch.mask, sampling=chest.spacing_mm)
    beyond = ndimage.distance_transform_edt(~patch.mask, sampling=chest.spacing_mm)
    free = lung & (depth > 8)
    steps = [patch.added[free & (beyond > 2)].mean(), patch.added[free & patch.mask & (into < 2)].mean()]
    assert steps[0] < steps[1] < patch.added[free & (into > 4)].mean(), "in the lung it fades"


def test_bronchi_hold_air_in_a_consolidation(chest, monkeypatch):
    from synnodtest.synthesizers import lesions

    nodule = Nodule(50, (80, 80), contrast=0.3, lesion="consolidation", seed=4)
    with_air = lesion_patch(nodule, chest, 4)
    monkeypatch.setattr(lesions, "_AIR", 0.0)
    without = lesion_patch(nodule, chest, 4)
    assert (with_air.mask == without.mask).all()
    taken = 1 - with_air.added[with_air.mask].sum() / without.added[with_air.mask].sum()
    assert 0.01 < taken < 0.15
    assert (with_air.added <= without.added + 1e-6).all()


class Disc(Counting):
    lesions = ("mass",)


def test_a_synthesizer_that_does_not_draw_a_lesion_is_not_taken_at_its_word(chest):
    scene = Scene("chest", (Nodule(40, (80, 80), contrast=0.3, lesion="consolidation"),))
    for synthesizer in (Counting(), Disc()):
        with pytest.raises(SynthesizerError, match="draws no consolidation"):
            synthesize(synthesizer, [scene], [chest], Tally())
    refuse_lesions(Disc(), [Scene("chest", (Nodule(40, (80, 80), contrast=0.3, lesion="mass"),))])
    with pytest.raises(SynthesizerError, match="not one of mass, consolidation"):
        Nodule(40, (80, 80), lesion="effusion")


def test_the_word_reaches_the_scene_and_the_truth(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        "synnodtest: 1\nbehaviours:\n  - id: b\n    statement: s\n    scenes:\n"
        "      backgrounds: {set: squares, count: 1}\n"
        "      nodules: [{lesion: {sweep: [nodule, mass]}, diameter_mm: 30, density: 1.2}]\n"
        "    expect:\n      - sensitivity: {by: lesion, at_least: 0.5}\n"
    )
    spec = load_spec(path)
    again = tmp_path / "again.yaml"
    again.write_text(resolved(spec))
    assert load_spec(again).sha256 == spec.sha256
    squares = Squares(1)
    radiograph = squares.load(squares.backgrounds[0])
    scenes = [Placer(radiograph).place(r) for r in own_recipes(spec.behaviours[0], squares.backgrounds, 0)]
    assert [scene.nodules[0].lesion for scene in scenes] == ["", "mass"]
    assert Scene.from_dict(scenes[1].as_dict()) == scenes[1]
    made = GaussianSynthesizer().synthesize(scenes, [radiograph] * 2)
    assert [r.nodules[0].requested.get("lesion") for r in made] == [None, "mass"]
