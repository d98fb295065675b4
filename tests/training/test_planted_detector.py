"""Training on nodules planted anew: what is drawn has the size asked for, labels follow the pictures, runs resume."""

import shutil

import numpy as np
import pytest

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.training.planted_data import planted_data
from synnodtest.training.stock import SHADOW_PX, Shadows, Stock, stock_of
from tests.evaluation.annotated_folder import write_annotated, write_copy

torch = pytest.importorskip("torch", reason="training needs the extra diffusion or yolo")

from synnodtest.radiograph import Radiograph  # noqa: E402
from synnodtest.training.planter import PATCH_PX, Plan, Planter  # noqa: E402

SIDE = 192
TINY = """
nc: 1
backbone: [[-1, 1, Conv, [8, 3, 2]], [-1, 1, Conv, [16, 3, 2]], [-1, 1, Conv, [16, 3, 2]], [-1, 1, Conv, [16, 3, 2]]]
head: [[[1, 2, 3], 1, Detect, [nc]]]
"""
"""A network of a few thousand weights, which is made, copied and stored in no time."""


def _balls(count=70):
    y, x = (np.mgrid[:SHADOW_PX, :SHADOW_PX] - (SHADOW_PX - 1) / 2) / (SHADOW_PX / 4)
    ball = np.sqrt(np.clip(1 - x**2 - y**2, 0, None))
    ball = (ball / ball[ball > 0].mean()).astype(np.float16)
    disc = (x**2 + y**2 <= 1).astype(np.float16)
    return Shadows(np.stack([ball] * count), np.stack([disc] * count), np.full(count, 12, np.float32))


def _stock(films, boxes=(), owner=(), unit=0.5):
    films = np.asarray(films, np.uint8)
    count = len(films)
    return Stock(
        films=films,
        lungs=np.ones(films.shape, np.bool_),
        unit=np.full(count, unit, np.float32),
        spacing_mm=np.full((count, 2), (0.5, 0.8), np.float32),
        boxes=np.asarray(boxes, np.float32).reshape(-1, 4),
        owner=np.asarray(owner, np.int64),
        kind=np.zeros(count, np.int8),
    )


def test_a_drawn_shadow_has_the_area_asked_for_and_mean_one_over_its_silhouette():
    planter = Planter(_stock(np.zeros((1, SIDE, SIDE))), _balls(), Plan((1.0,)), "cpu")
    asked = np.array([6.0, 12.0, 20.0, 35.0])
    added, covered = planter.drawn(asked, np.tile(np.float32([0.5, 0.8]), (4, 1)))
    area_mm2 = covered.sum((1, 2)).numpy() * 0.5 * 0.8
    assert 2 * np.sqrt(area_mm2 / np.pi) == pytest.approx(asked, rel=0.04)
    mean = (added * covered).sum((1, 2)) / covered.sum((1, 2))
    assert mean.numpy() == pytest.approx(np.ones(4), abs=1e-4)
    assert added.shape[-1] == PATCH_PX


def test_labels_follow_the_picture_when_it_is_turned_scaled_shifted_and_mirrored():
    y, x = np.mgrid[:SIDE, :SIDE]
    # Far off the middle, so that a sign error in any of the four would show.
    blob = ((x - 130) / 14) ** 2 + ((y - 70) / 9) ** 2 <= 1
    stock = _stock([np.where(blob, 255, 0)], [[116, 61, 144.5, 79.5]], [0])
    planter = Planter(stock, _balls(), Plan((1.0,), counts=(1.0,)), "cpu", seed=4)
    errors = []
    for _ in range(6):
        batch = planter.batch(4)
        for index in range(4):
            own = batch["bboxes"][batch["batch_idx"] == index].numpy() * SIDE
            picture = batch["img"][index, 0].numpy()
            bright = picture > (picture.min() + picture.max()) / 2
            rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
            seen = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)
            for cx, cy, width, height in own:
                errors.append(np.abs([cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2] - seen).max())
    assert len(errors) >= 20
    assert np.median(errors) < 2.0


def test_planted_nodules_brighten_their_boxes_and_white_shows_hardly_any():
    dark, white = np.full((SIDE, SIDE), 70), np.full((SIDE, SIDE), 250)
    plan = Plan((1.0,), counts=(0.0, 1.0), diameter_mm=(15, 15.01), spread=0.0, plain=1.0, wide=(0.4, 0.401))
    gains = []
    for film in (dark, white):
        planter = Planter(_stock([film]), _balls(), plan, "cpu", seed=1)
        images = torch.full((1, SIDE, SIDE), film[0, 0] / 255)
        planter._bright = [70 / 255]
        _, boxes = planter._plant(images, np.array([0]))
        gains.append(float(images.max()) - film[0, 0] / 255 if len(boxes) else 0.0)
    # A ball's peak is 1.5 times its mean: 0.4 * 0.5 * 1.5.
    assert gains[0] == pytest.approx(0.3, rel=0.12)
    assert gains[1] < 0.05


def test_a_stock_keeps_boxes_in_the_square_and_leaves_half_a_lung_out():
    lung = np.ones((100, 50), np.bool_)
    pixels = np.linspace(0, 1, 5000, dtype=np.float32).reshape(100, 50)
    film = Radiograph(pixels, (0.4, 0.4), regions={"lung": lung})
    stock = stock_of([(film, [(10, 20, 15, 30)]), (film, [(0, 0, 40, 90)])], 2, 200)
    assert len(stock) == 1
    assert stock.boxes.tolist() == [[70, 40, 80, 60]]  # twice as large, 50 pixels of padding on the left
    assert stock.kind.tolist() == [2]
    assert stock.spacing_mm[0].tolist() == pytest.approx([0.2, 0.2])


def test_what_is_noted_of_annotated_films_is_told_as_the_stock_is_made(tmp_path):
    write_annotated(tmp_path / "set", 2)
    write_copy(tmp_path / "set", "real000")
    with (tmp_path / "set" / "boxes.csv").open("a") as table:
        table.write("again.jpg,tight,60,60,10,10,yes\n")
    (tmp_path / "work").mkdir()
    _balls(1).save(tmp_path / "work" / "shadows.npz")
    said = []
    choices = {"size": 64, "ct_patches": tmp_path, "annotated": tmp_path / "set", "split": "all", "report": said.append}
    planted_data(tmp_path / "work", **choices)
    assert said
    assert said == [f"note: {note}" for note in AnnotatedFilms(tmp_path / "set").notes]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The name of a small network's definition, as a schedule takes it."""
    path = tmp_path_factory.mktemp("architecture") / "tiny.yaml"
    path.write_text(TINY)
    return str(path)


def test_an_interrupted_training_goes_on_and_ends_in_a_checkpoint_that_detects(tmp_path, tiny):
    pytest.importorskip("ultralytics", reason="YOLO needs the extra yolo")
    from synnodtest.detectors.yolo import UltralyticsDetector
    from synnodtest.training.planted_detector import Schedule, train_planted

    stock = _stock(np.full((2, 64, 64), 80))
    said = []
    for minutes in (0.005, 0.015):
        schedule = Schedule(minutes, batch=2, warm_up=2, architecture=tiny)
        made = train_planted(stock, _balls(), tmp_path, Plan((1.0,)), schedule, report=said.append)
    assert any(line.startswith("resumed at step") for line in said)
    detector = UltralyticsDetector(made)
    found = detector.detect([Radiograph(np.full((64, 64), 0.3, np.float32), (0.4, 0.4))])
    assert len(found) == 1
    assert detector.identity.configuration["image_size"] == 64


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny):
    """A checkpoint of hardly any training, which nobody may change."""
    pytest.importorskip("ultralytics", reason="YOLO needs the extra yolo")
    from synnodtest.training.planted_detector import Schedule, train_planted

    stock, schedule = _stock(np.full((1, 64, 64), 80)), Schedule(0.004, batch=2, architecture=tiny)
    return train_planted(stock, _balls(), tmp_path_factory.mktemp("trained"), Plan((1.0,)), schedule)


def test_a_blend_lies_between_its_start_and_what_was_trained(trained, tiny, tmp_path):
    import torch
    from ultralytics.nn.tasks import torch_safe_load

    from synnodtest.training.planted_detector import Schedule, train_planted

    def weights(path):
        return torch_safe_load(str(path), safe_only=True)[0]["model"].float().state_dict()["model.0.conv.weight"]

    stock, plan = _stock(np.full((1, 64, 64), 80)), Plan((1.0,))
    schedule = Schedule(0.004, batch=2, warm_up=1, architecture=tiny)
    made = {
        share: weights(train_planted(stock, _balls(), tmp_path, plan, schedule, weights=trained, blend=share))
        for share in (1.0, 0.25, 0.0)
    }
    assert torch.equal(made[0.0], weights(trained))
    assert not torch.equal(made[1.0], made[0.0])
    assert torch.allclose(made[0.25], 0.75 * made[0.0] + 0.25 * made[1.0], atol=1e-3)  # stored in half precision


def test_weights_of_another_architecture_are_refused(trained, tmp_path):
    from synnodtest.errors import SynnodError
    from synnodtest.training.planted_detector import Schedule, train_planted

    stock, plan = _stock(np.full((1, 64, 64), 80)), Plan((1.0,))
    schedule = Schedule(0.002, batch=2, architecture="yolov8n.yaml")
    with pytest.raises(SynnodError, match="another architecture"):
        train_planted(stock, _balls(), tmp_path, plan, schedule, weights=trained)


def test_settled_scores_keep_their_order_and_meet_the_operating_point(trained, tmp_path):
    from synnodtest.detectors.yolo import UltralyticsDetector
    from synnodtest.training.scores import AT_ONE_PER_FILM, score_at, settle_scores

    made = shutil.copy(trained, tmp_path / "best.pt")
    rng = np.random.default_rng(5)
    films = [Radiograph(rng.random((64, 64), np.float32), (0.4, 0.4)) for _ in range(3)]

    def found():
        detector = UltralyticsDetector(made)
        return [finding for film in films for finding in detector.detect([film])[0]]

    before = sorted((f.score for f in found()), reverse=True)
    if len(before) < 4:
        pytest.skip("the untrained network reports too little to settle")
    addend = settle_scores(made, films)
    after = sorted((f.score for f in found()), reverse=True)
    raw = before[3]
    assert addend == pytest.approx(np.log(0.25 / 0.75) - np.log(raw / (1 - raw)), abs=1e-6)
    shifted = 1 / (1 + np.exp(-(np.log(np.divide(before, 1 - np.array(before))) + addend)))
    assert after[: len(before)] == pytest.approx(shifted[: len(after)], rel=0.02)
    assert score_at(made, films) == pytest.approx(AT_ONE_PER_FILM, rel=0.02)
