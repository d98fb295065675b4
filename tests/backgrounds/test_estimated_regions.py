"""Estimated regions: against a phantom's exact ones, against given masks, and where there is nothing to find."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from synnodtest.backgrounds import open_backgrounds
from synnodtest.backgrounds.estimated_regions import REGIONS, regions_of_structures, within_lungs
from synnodtest.backgrounds.estimates import Estimates, estimate_structures, estimator
from synnodtest.backgrounds.segmenter import forward, read_safetensors, segment, shipped_weights
from synnodtest.errors import BackgroundError
from synnodtest.phantom import PhantomSet

LEAST_DICE = {"lung": 0.95, "left_lung": 0.95, "right_lung": 0.95, "mediastinum": 0.93, "peripheral": 0.9}
LEAST_DICE |= {"retrocardiac": 0.85, "subdiaphragmatic": 0.85, "apical": 0.85, "hilar": 0.8}


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.fixture(scope="module")
def exact():
    phantoms = PhantomSet("normal", 3, master_seed=77, size=256)
    return [phantoms.load(background) for background in phantoms.backgrounds]


@pytest.fixture(scope="module")
def completed(exact):
    return [Estimates().completed(replace(one, regions={}), one.background) for one in exact]


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_of_a_phantom_is_found_where_it_is(exact, completed, region):
    scores = [dice(found.regions[region], truth.regions[region]) for found, truth in zip(completed, exact, strict=True)]
    assert min(scores) > LEAST_DICE[region]


@pytest.mark.parametrize(("rows", "limit"), [((10, 14), 28), ((50, 54), 52), (None, 28)])
def test_the_apex_ends_at_the_clavicle_and_where_that_is_raised_above_the_lung_at_its_top_eighth(rows, limit):
    """Lungs of 100 rows below row 20, so 8% end at row 28; clavicles across the picture, above them or over them."""
    lung = np.zeros((140, 140), dtype=bool)
    lung[20:120, 10:60] = True
    clavicle = np.zeros_like(lung)
    if rows:
        clavicle[slice(*rows), 5:135] = True
    apical = within_lungs(lung[:, ::-1], lung, clavicle, (1.0, 1.0))["apical"]
    for side in (lung, lung[:, ::-1]):
        found = np.flatnonzero((apical & side).any(axis=1))
        assert found[0] == 20
        assert abs(found[-1] + 1 - limit) <= 1


def test_what_was_estimated_is_marked_and_nothing_else(exact, completed):
    assert completed[0].estimated == set(REGIONS)
    assert "lung_estimate" not in completed[0].strata
    assert Estimates().completed(exact[0], "x").estimated == frozenset()


def test_brightness_and_contrast_change_little(exact, completed):
    dull = replace(exact[0], regions={}, pixels=(0.3 + 0.25 * exact[0].pixels ** 0.7).astype(np.float32))
    assert dice(Estimates().completed(dull, "dull").regions["lung"], completed[0].regions["lung"]) > 0.95


def test_a_given_lung_wins_and_bounds_what_lies_in_it(exact):
    upper = exact[0].regions["lung"].copy()
    upper[140:] = False
    made = Estimates().completed(replace(exact[0], regions={"lung": upper}), "given")
    np.testing.assert_array_equal(made.regions["lung"], upper)
    assert "lung" not in made.estimated
    assert not (made.regions["peripheral"] & ~upper).any()
    assert dice(made.regions["retrocardiac"], exact[0].regions["retrocardiac"]) > 0.85


def test_a_given_region_is_left_as_it_is(exact):
    mine = np.zeros(exact[0].shape, dtype=np.bool_)
    mine[100:120, 60:80] = True
    made = Estimates().completed(replace(exact[0], regions={"hilar": mine}), "mine")
    np.testing.assert_array_equal(made.regions["hilar"], mine)
    assert "hilar" not in made.estimated


def test_a_given_air_leak_is_no_lung(exact):
    leak = np.zeros(exact[0].shape, dtype=np.bool_)
    leak[:110, :90] = True
    made = Estimates().completed(replace(exact[0], regions={"air_leak": leak}), "leak")
    assert not (made.regions["lung"] & leak).any()
    assert not (made.regions["apical"] & leak).any()


def test_a_picture_without_a_chest_is_doubtful():
    noise = np.random.default_rng(0).random((256, 256), dtype=np.float32)
    estimate = estimate_structures(noise, (1.4, 1.4))
    assert estimate.doubts
    assert estimate.structures["left_lung"].any()


def test_without_weights_lungs_are_outlined_and_the_name_says_so(exact, monkeypatch):
    named = estimator()
    monkeypatch.setattr("synnodtest.backgrounds.estimates.shipped_weights", lambda: None)
    assert estimator() != named
    assert "segmenter" not in estimator()
    made = Estimates().completed(replace(exact[0], regions={}), "bare")
    assert dice(made.regions["lung"], exact[0].regions["lung"]) > 0.6
    assert "retrocardiac" not in made.regions


def test_a_set_tells_what_is_estimated_in_it(tmp_path, exact):
    for name, masks in (("a", ()), ("b", REGIONS)):
        Image.fromarray((exact[0].pixels * 255).astype(np.uint8)).save(tmp_path / f"{name}.png")
        for region in masks:
            Image.fromarray(exact[0].regions[region]).save(tmp_path / f"{name}.{region}.png")
    (tmp_path / "manifest.csv").write_text("file,mm_per_px_x,mm_per_px_y\na.png,1.4,1.4\nb.png,1.4,1.4\n")
    assert open_backgrounds(tmp_path, "normal").estimated_regions == set(REGIONS)
    (tmp_path / "manifest.csv").write_text("file,mm_per_px_x,mm_per_px_y\nb.png,1.4,1.4\n")
    whole = open_backgrounds(tmp_path, "normal")
    assert whole.estimated_regions == frozenset()
    assert whole.load(whole.backgrounds[0]).estimated == frozenset()


def test_new_weights_never_meet_old_masks(tmp_path, monkeypatch, exact):
    Image.fromarray((exact[0].pixels * 255).astype(np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "manifest.csv").write_text("file,mm_per_px_x,mm_per_px_y\na.png,1.4,1.4\n")
    before = open_backgrounds(tmp_path, "normal")
    content, identity = before.backgrounds[0].content, before.identity.key()
    monkeypatch.setattr("synnodtest.backgrounds.estimates.weights_sha256", lambda path: "0" * 64)
    after = open_backgrounds(tmp_path, "normal")
    assert after.backgrounds[0].content != content
    assert after.identity.key() != identity


def test_unequal_pixels_make_no_difference(exact):
    squeezed = segment(exact[0].pixels[:, ::2], (1.4, 2.8), shipped_weights())
    assert dice(squeezed.masks["right_lung"], exact[0].regions["right_lung"][:, ::2]) > 0.93


def test_broken_weights_are_named(tmp_path):
    path = tmp_path / "cut.safetensors"
    path.write_bytes(shipped_weights().read_bytes()[:10_000])
    with pytest.raises(BackgroundError, match=r"cut\.safetensors"):
        read_safetensors(path)


def test_the_network_is_the_one_that_torch_trains(tmp_path):
    torch = pytest.importorskip("torch")
    from synnodtest.training.segmenter import _exported, _network

    torch.manual_seed(3)
    net = _network(torch).eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    picture = np.random.default_rng(0).random((2, 160, 160), dtype=np.float32)
    path = _exported(torch, net, 0, tmp_path / "network.safetensors")
    with torch.no_grad():
        expected = torch.sigmoid(net(torch.from_numpy(picture)[None]))[0].numpy()
    np.testing.assert_allclose(forward(read_safetensors(path), picture), expected, atol=5e-3)


def test_geometry_of_a_drawn_chest():
    right, left = np.zeros((200, 200), dtype=np.bool_), np.zeros((200, 200), dtype=np.bool_)
    right[20:180, 20:90], left[20:180, 110:180] = True, True
    heart = np.zeros_like(right)
    heart[100:160, 70:150] = True
    structures = {"left_lung": left, "right_lung": right, "heart": heart}
    made = regions_of_structures(structures, (1.0, 1.0))
    assert made["peripheral"][100, 44]
    assert not made["peripheral"][100, 46]
    assert made["peripheral"][44, 60]
    assert not made["peripheral"][46, 60]
    np.testing.assert_array_equal(made["retrocardiac"], heart & (left | right))
    assert "subdiaphragmatic" not in made
    assert made["hilar"][90, 75]
    assert not made["hilar"][170, 75]


@pytest.mark.parametrize(
    "spoil", [lambda x: 1 - x, lambda x: np.ascontiguousarray(np.rot90(x))], ids=["negative", "side"]
)
def test_a_negative_and_a_film_on_its_side_are_doubted_by_the_segmenter_itself(exact, spoil):
    radiograph = exact[0]
    assert not estimate_structures(radiograph.pixels, radiograph.spacing_mm).doubts
    assert estimate_structures(spoil(radiograph.pixels), radiograph.spacing_mm).doubts
