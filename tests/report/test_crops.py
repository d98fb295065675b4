"""Gallery pictures: right sizes, right places, lossless beside lossy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from synnodtest.errors import RecordError
from synnodtest.finding import Finding
from synnodtest.radiograph import Radiograph, Truth
from tests.report.example import write_gallery_pictures

SCENE = "ab" * 32


def opened(path):
    with Image.open(path) as image:
        return np.asarray(image)


def planted(shape=(400, 300), spacing=(0.5, 0.7), at=(120, 150), side=20):
    pixels = np.linspace(0.2, 0.8, shape[0] * shape[1], dtype=np.float32).reshape(shape)
    background = Radiograph(pixels, spacing)
    changed = pixels.copy()
    changed[at[0] : at[0] + side, at[1] : at[1] + side] += 0.1
    truth = Truth("nodule", np.ones((side, side), dtype=bool), at, 10.0, 0.2)
    return background, Radiograph(changed, spacing, nodules=(truth,))


def test_a_failing_scene_has_thumbnails_cuts_and_lossless_copies(tmp_path):
    background, synthetic = planted()
    paths = write_gallery_pictures(
        tmp_path, SCENE, background, synthetic, [Finding((150, 120, 170, 140), 0.7)], failing=True
    )
    roles = ("background", "synthetic", "difference", "boxes")
    assert set(paths) == {*roles, *(f"{r}_crop" for r in roles), "whole", "background_png16", "synthetic_png16"}
    for role in roles:
        assert max(opened(tmp_path / paths[role]).shape[:2]) == 192
        assert max(opened(tmp_path / paths[f"{role}_crop"]).shape[:2]) == 512
        assert paths[role].startswith("evidence/")
    lossless = opened(tmp_path / paths["synthetic_png16"]).astype(float) / 65535
    before = opened(tmp_path / paths["background_png16"]).astype(float) / 65535
    assert lossless.shape == before.shape
    changed = np.abs(lossless - before) > 1e-4
    assert changed.sum() == 20 * 20
    assert np.allclose((lossless - before)[changed], 0.1, atol=1e-4)


def test_a_passing_scene_has_thumbnails_only(tmp_path):
    paths = write_gallery_pictures(tmp_path, SCENE, *planted(), [])
    assert not [role for role in paths if role.endswith("_crop")]


def test_the_cut_is_square_in_millimetres_and_holds_the_nodule_at_the_edge(tmp_path):
    background, synthetic = planted(at=(0, 280), side=20)
    paths = write_gallery_pictures(tmp_path, SCENE, background, synthetic, [])
    height, width = opened(tmp_path / paths["synthetic_png16"]).shape
    assert height * 0.5 == pytest.approx(width * 0.7, abs=0.7)
    assert height * 0.5 == pytest.approx(60, abs=0.7)


def test_boxes_are_yellow_on_dark_and_stand_where_the_truth_is(tmp_path):
    background, synthetic = planted()
    paths = write_gallery_pictures(tmp_path, SCENE, background, synthetic, [], failing=True)
    boxed = opened(tmp_path / paths["boxes_crop"]).astype(int)
    yellow = (boxed[..., 0] > 180) & (boxed[..., 1] > 150) & (boxed[..., 2] < 90)
    rows, columns = np.nonzero(yellow)
    middle = ((rows.min() + rows.max()) / 2 / boxed.shape[0], (columns.min() + columns.max()) / 2 / boxed.shape[1])
    assert middle == pytest.approx((0.5, 0.5), abs=0.02)


def test_findings_below_the_operating_point_are_not_drawn(tmp_path):
    background, synthetic = planted()
    finding = Finding((150, 160, 170, 180), 0.1)
    drawn = write_gallery_pictures(tmp_path / "a", SCENE, background, synthetic, [finding])
    left_out = write_gallery_pictures(tmp_path / "b", SCENE, background, synthetic, [finding], operating_point=0.25)
    none = write_gallery_pictures(tmp_path / "c", SCENE, background, synthetic, [])
    read = [(tmp_path / f / p["boxes"]).read_bytes() for f, p in (("a", drawn), ("b", left_out), ("c", none))]
    assert read[0] != read[1] == read[2]


def test_an_untouched_radiograph_is_shown_whole(tmp_path):
    background, _ = planted()
    paths = write_gallery_pictures(tmp_path, SCENE, background, background, [])
    assert opened(tmp_path / paths["synthetic_png16"]).shape == background.shape
    assert np.unique(opened(tmp_path / paths["difference"])).size == 1


def test_a_box_far_outside_and_a_huge_one_are_no_trouble(tmp_path):
    findings = [Finding((-1e6, -1e6, 1e6, 1e6), 0.9), Finding((5000, 5000, 5001, 5001), 0.9)]
    write_gallery_pictures(tmp_path, SCENE, *planted(), findings, failing=True)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "abc/def"])
def test_a_scene_id_that_is_no_hash_is_refused(tmp_path, name):
    with pytest.raises(RecordError):
        write_gallery_pictures(tmp_path, name, *planted(), [])


def test_the_inside_of_a_bright_nodule_is_not_all_white(tmp_path):
    """A nodule far brighter than anything around it keeps its profile in the picture and in the difference."""
    rng = np.random.default_rng(1)
    pixels = (0.2 + 0.02 * rng.standard_normal((128, 128))).astype(np.float32)
    y, x = np.mgrid[:128, :128] - 63.5
    bump = np.clip(1 - np.hypot(y, x) / 20, 0, 1)
    background = Radiograph(pixels, (0.7, 0.7))
    truth = Truth("one", bump > 0, (0, 0), 28.0, 0.6)
    synthetic = background.with_pixels((pixels + 0.6 * bump).astype(np.float32), (truth,))
    paths = write_gallery_pictures(tmp_path, SCENE, background, synthetic, [])
    for role in ("synthetic", "difference"):
        middle = opened(tmp_path / paths[role])[91:101, 60:132].astype(int)
        assert (middle >= 250).mean() < 0.1
        assert middle.max() > 225


def test_a_black_frame_takes_no_grey_from_the_film_within_it(tmp_path):
    background, synthetic = planted(at=(20, 20))
    within = opened(write_pictures(tmp_path / "plain", background, synthetic))[100:, 100:].astype(int)
    framed = [pixels.pixels.copy() for pixels in (background, synthetic)]
    for pixels in framed:
        pixels[:10] = pixels[:, :10] = 0.0
    before, after = (Radiograph(pixels, (0.5, 0.7)) for pixels in framed)
    after = Radiograph(after.pixels, after.spacing_mm, nodules=synthetic.nodules)
    shown = opened(write_pictures(tmp_path / "framed", before, after)).astype(int)
    assert shown[:5, :5].max() < 5
    assert np.abs(shown[100:, 100:] - within).mean() < 10


def write_pictures(folder, background, synthetic):
    return folder / write_gallery_pictures(folder, SCENE, background, synthetic, [])["synthetic"]


def test_boxes_at_two_operating_points_are_two_pictures(tmp_path):
    found = [Finding((150, 120, 170, 140), 0.3)]
    usual, higher = (
        write_gallery_pictures(tmp_path, SCENE, *planted(), found, operating_point=point) for point in (0.25, 0.5)
    )
    assert {role for role in usual if usual[role] != higher[role]} == {"boxes", "whole"}
    dashed = (np.ptp(opened(tmp_path / paths["boxes"]).astype(int), axis=2) > 60 for paths in (usual, higher))
    at_usual, at_higher = (colours.sum() for colours in dashed)
    assert at_usual > at_higher


def test_the_cut_holds_what_looks_like_a_nodule_too_as_a_finding_on_it_may_be_the_failure(tmp_path):
    background, synthetic = planted(at=(20, 20))
    pixels = synthetic.pixels.copy()
    pixels[300:310, 200:210] += 0.1
    mimic = Truth("ecg-electrode", np.ones((10, 10), dtype=bool), (300, 200), 6.0, 0.2)
    synthetic = replace(synthetic, pixels=pixels, mimics=(mimic,))
    paths = write_gallery_pictures(tmp_path, SCENE, background, synthetic, [])
    before, after = (opened(tmp_path / paths[f"{role}_png16"]).astype(float) for role in ("background", "synthetic"))
    assert ((after - before) > 0.05 * 65535).sum() == 20 * 20 + 10 * 10
