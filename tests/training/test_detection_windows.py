"""Windows of a batch carry the labels of the nodules that lie in them."""

import pytest

torch = pytest.importorskip("torch")

from synnodtest.training.detection_windows import PER_IMAGE, windows_of_batch  # noqa: E402


def batch_of(boxes, images=1, size=512):
    """Images that are 1 inside the boxes ``(image, x, y, width, height)`` in pixels and 0 elsewhere."""
    pixels = torch.zeros(images, 3, size, size)
    rows = torch.tensor([box[1:] for box in boxes], dtype=torch.float32).reshape(-1, 4)
    for image, x, y, width, height in boxes:
        pixels[image, :, y : y + height, x : x + width] = 1
    shares = torch.cat([rows[:, :2] + rows[:, 2:] / 2, rows[:, 2:]], dim=1) / size
    owners = torch.tensor([float(box[0]) for box in boxes])
    return {"img": pixels, "bboxes": shares, "cls": torch.zeros(len(boxes), 1), "batch_idx": owners}


def test_every_label_frames_what_its_window_shows():
    torch.manual_seed(0)
    made = windows_of_batch(batch_of([(0, 40, 60, 30, 20), (2, 300, 400, 40, 40), (2, 10, 10, 12, 12)], 3), 128)
    assert made["img"].shape == (3 * PER_IMAGE, 3, 128, 128)
    labelled = {int(owner) for owner in made["batch_idx"]}
    assert labelled
    for window in labelled:
        box = made["bboxes"][made["batch_idx"] == window]
        assert len(box) == 1
        x, y, width, height = (box[0] * 128).tolist()
        shown = made["img"][window, 0].nonzero()
        assert shown[:, 1].min() == pytest.approx(x - width / 2, abs=1e-3)
        assert shown[:, 0].max() + 1 == pytest.approx(y + height / 2, abs=1e-3)


def test_images_without_nodules_give_windows_without_labels():
    made = windows_of_batch(batch_of([], 2), 64)
    assert made["img"].shape[0] == 2 * PER_IMAGE
    assert made["bboxes"].shape == (0, 4)
    assert made["cls"].shape == (0, 1)


def test_most_windows_of_an_image_with_a_nodule_show_it():
    torch.manual_seed(1)
    made = windows_of_batch(batch_of([(k, 100 + 10 * k, 90, 16, 16) for k in range(20)], 20), 128)
    assert len({int(owner) for owner in made["batch_idx"]}) > 0.6 * 20 * PER_IMAGE


def test_a_nodule_cut_to_less_than_its_share_is_not_labelled():
    torch.manual_seed(2)
    made = windows_of_batch(batch_of([(k, 0, 0, 512, 512) for k in range(4)], 4), 128)
    assert len(made["bboxes"]) == 0
