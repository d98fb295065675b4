"""The projected-CT baseline."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from synnodtest.errors import SynthesizerError
from synnodtest.ports import Synthesizer
from synnodtest.radiograph import Radiograph, lung_range
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.ct_library import CtLibrary
from synnodtest.synthesizers.ct_patch import CtPatchSynthesizer
from synnodtest.synthesizers.projection import project, random_rotation, stamp
from tests.backgrounds.radiograph_files import write_mha


def scene(*nodules: Nodule, seed: int = 1, sham: bool = False) -> Scene:
    return Scene("made-up", nodules, seed=seed, sham=sham)


def test_rotations_are_orthonormal_and_proper() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        rotation = random_rotation(rng)
        assert np.allclose(rotation @ rotation.T, np.eye(3))
        assert np.linalg.det(rotation) == pytest.approx(1)


def test_a_ball_projects_to_its_chord_length_times_its_excess_attenuation() -> None:
    z, y, x = np.mgrid[-20:21, -20:21, -20:21]
    ball = z**2 + y**2 + x**2 <= 10**2
    hounsfield = np.where(ball, 150, -850).astype(np.int16)
    projected = project(hounsfield, ball, random_rotation(np.random.default_rng(0)))
    middle = projected.excess.shape[0] // 2
    assert projected.excess[middle, middle] == pytest.approx(20.0, rel=0.06)
    assert projected.diameter_mm == pytest.approx(20.0, rel=0.06)
    off = projected.excess[middle, middle + 6]
    assert off == pytest.approx(2 * np.sqrt(10**2 - 6**2), rel=0.08)


@pytest.mark.parametrize("diameter", [4.0, 11.0, 30.0])
def test_a_stamp_has_the_diameter_asked_for_and_mean_brightness_one(ct_folder: Path, diameter: float) -> None:
    nodule = CtLibrary(ct_folder).nodules[1]
    projected = project(*nodule.read(), np.eye(3))
    added, mask = stamp(projected, diameter, (30.0, 28.0), (150, 150), (0.4, 0.35), stretch=1.3, turn=0.4)
    realised = 2 * np.sqrt(mask.sum() * 0.4 * 0.35 / np.pi)
    assert realised == pytest.approx(diameter, rel=0.06)
    assert added[mask].mean() == pytest.approx(1.0, abs=1e-5)


def test_it_realises_size_and_contrast_and_leaves_the_rest_alone(ct_folder: Path, radiograph: Radiograph) -> None:
    nodule = Nodule(15, (80, 75), 0.4)
    (made,) = CtPatchSynthesizer(ct_folder).synthesize([scene(nodule)], [radiograph])
    (truth,) = made.nodules
    mask = truth.mask(radiograph.shape)
    added = made.pixels.astype(np.float64) - radiograph.pixels
    assert truth.diameter_mm == pytest.approx(15, rel=0.05)
    assert added[mask].mean() / lung_range(radiograph) == pytest.approx(0.4, rel=1e-3)
    assert truth.contrast == pytest.approx(0.4, rel=1e-3)
    y, x = np.nonzero(added)
    far = np.hypot((y + 0.5) * 0.5 - 75, (x + 0.5) * 0.4 - 80)
    assert far.max() < 15


def test_the_seed_decides_the_nodule_and_batches_do_not(ct_folder: Path, radiograph: Radiograph) -> None:
    synthesizer = CtPatchSynthesizer(ct_folder)
    scenes = [scene(Nodule(14, (80, 80)), seed=seed) for seed in (1, 2, 3)]
    together = synthesizer.synthesize(scenes, [radiograph] * 3)
    alone = synthesizer.synthesize(scenes[1:2], [radiograph])
    assert np.array_equal(together[1].pixels, alone[0].pixels)
    assert not np.array_equal(together[0].pixels, together[1].pixels)


def test_overlapping_nodules_and_nodules_at_the_border_are_planted(ct_folder: Path, radiograph: Radiograph) -> None:
    nodules = (Nodule(12, (0.5, 0.5)), Nodule(20, (80, 80)), Nodule(20, (90, 84)))
    (made,) = CtPatchSynthesizer(ct_folder).synthesize([scene(*nodules)], [radiograph])
    assert len(made.nodules) == 3
    assert made.nodules[0].diameter_mm < 12
    assert (made.nodules[1].mask(radiograph.shape) & made.nodules[2].mask(radiograph.shape)).any()


def test_a_sham_edit_changes_nothing(ct_folder: Path, radiograph: Radiograph) -> None:
    synthesizer = CtPatchSynthesizer(ct_folder)
    (made,) = synthesizer.synthesize([scene(Nodule(20, (80, 80)), sham=True)], [radiograph])
    assert synthesizer.sham_is_identity
    assert np.array_equal(made.pixels, radiograph.pixels)
    assert made.nodules[0].contrast == 0


def test_its_identity_follows_the_nodules(ct_folder: Path) -> None:
    plain = CtPatchSynthesizer(ct_folder)
    assert isinstance(plain, Synthesizer)
    assert plain.identity == CtPatchSynthesizer(ct_folder).identity
    assert plain.identity != CtPatchSynthesizer(ct_folder, series=["series1", "series2"]).identity


def test_an_empty_folder_and_radiomics_are_errors(tmp_path: Path, ct_folder: Path, radiograph: Radiograph) -> None:
    with pytest.raises(SynthesizerError, match="no CT nodule"):
        CtPatchSynthesizer(tmp_path)
    asked = Nodule(10, (80, 80), radiomics=(("Sphericity", 0.8),))
    with pytest.raises(SynthesizerError, match="cannot take radiomics"):
        CtPatchSynthesizer(ct_folder).synthesize([scene(asked)], [radiograph])
    with pytest.raises(SynthesizerError, match="covers no pixel"):
        CtPatchSynthesizer(ct_folder).synthesize([scene(Nodule(10, (500, 80)))], [radiograph])


def test_the_list_of_nodules_is_read_as_a_spreadsheet_saves_it(tmp_path: Path, ct_folder: Path) -> None:
    shutil.copytree(ct_folder / "nodule_patches", tmp_path / "nodule_patches")
    table = tmp_path / "ct_nodules.csv"
    table.write_text("\ufeffimg_name;diameter\nseries1_dcm_1.mha;12,0\n", encoding="utf-8")
    assert [nodule.series for nodule in CtLibrary(tmp_path).nodules] == ["series1"]
    table.write_text("file,diameter\nseries1_dcm_1.mha,12.0\n")
    with pytest.raises(SynthesizerError, match="no table with a column 'img_name'"):
        CtLibrary(tmp_path)


@pytest.mark.parametrize(
    ("spacing", "offset", "message"),
    [((0.7, 0.7, 2.5), 0, r"voxels of 0\.7 x 0\.7 x 2\.5 mm"), ((1, 1, 1), 1024, "no Hounsfield units")],
)
def test_crops_that_would_be_planted_out_of_shape_or_scale_are_refused(
    tmp_path: Path, spacing: tuple[float, ...], offset: int, message: str
) -> None:
    inside = np.zeros((20, 20, 20), np.uint8)
    inside[5:15, 5:15, 5:15] = 1
    for name, values in (
        ("a_dcm_0.mha", (np.where(inside, 40, -850) + offset).astype(np.int16)),
        ("a_seg_0.mha", inside),
    ):
        write_mha(tmp_path / name, values, spacing)
    with pytest.raises(SynthesizerError, match=message):
        CtLibrary(tmp_path)
