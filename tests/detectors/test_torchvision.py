"""torchvision's detection models: from a state dict, and as a module that a user's factory makes."""

from argparse import Namespace
from collections import Counter

import numpy as np
import pytest

from synnodtest import Finding, Radiograph
from synnodtest.detectors import Guard, resolve_detector
from synnodtest.detectors.torchvision import TorchvisionDetector
from synnodtest.errors import DetectorError
from tests.extras import needs

torch = pytest.importorskip("torch")
needs("torchvision")
NAME = "fasterrcnn_mobilenet_v3_large_320_fpn"


@pytest.fixture(scope="module")
def chest():
    pixels = np.random.default_rng(0).random((120, 160), dtype=np.float32)
    return Radiograph(pixels, (0.5, 0.5), source="chest")


def untrained(**more):
    from torchvision.models import detection  # takes longer to load than torch itself

    return getattr(detection, NAME)(weights=None, weights_backbone=None, num_classes=2, **more)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    model = untrained()
    path = tmp_path_factory.mktemp("weights") / "nodules.pth"
    torch.save(model.state_dict(), path)
    return path


@pytest.fixture
def undrawn(monkeypatch):
    """Leave weights as memory held them, where a network gets those of a file: drawing twenty million takes longer."""
    for name in ("kaiming_normal_", "kaiming_uniform_", "normal_", "uniform_"):
        monkeypatch.setattr(torch.nn.init, name, lambda weights, *_, **__: weights)


@pytest.fixture(scope="module")
def detector(weights):
    return resolve_detector(f"torchvision:{NAME}:{weights}")


def test_a_state_dict_gives_what_torchvision_gives(detector, weights, chest, undrawn):
    assert NAME in str(detector.identity), "others take the same weights"
    found = detector.detect([chest, chest])
    model = untrained(box_score_thresh=0.001)
    model.load_state_dict(torch.load(weights, weights_only=True))
    with torch.inference_mode():
        (answer,) = model.eval()([torch.from_numpy(chest.pixels).expand(3, -1, -1)])
    wide = (answer["boxes"][:, 2:] > answer["boxes"][:, :2]).all(dim=1)
    assert len(found[0]) == int(wide.sum()) > 0
    assert [f.score for f in found[0]] == pytest.approx(answer["scores"][wide].tolist(), abs=1e-5)
    assert found[0] == found[1]


def test_findings_do_not_hang_on_the_shapes_of_others_in_a_batch(detector, chest):
    wide = Radiograph(chest.pixels[:90], (0.5, 0.5), source="wide")
    assert detector.detect([wide, chest, chest]) == [detector.detect([one])[0] for one in (wide, chest, chest)]


class Answering(torch.nn.Module):
    """Reports the same boxes on every picture."""

    def __init__(self, boxes):
        super().__init__()
        self.boxes = torch.tensor(boxes)

    def forward(self, pictures):
        count = len(self.boxes)
        return [{"boxes": self.boxes, "labels": torch.ones(count), "scores": torch.full((count,), 0.9)}] * len(pictures)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ([float("nan")] * 4, "not finite"),
        ([5.0, 5.0, float("inf"), 9.0], "not finite"),
        ([40.0, 40.0, 8.0, 8.0], "inverted"),
    ],
)
def test_boxes_that_are_no_numbers_or_of_another_order_are_no_silence(chest, box, message):
    detector = Guard(TorchvisionDetector(Answering([[5.0, 5.0, 20.0, 20.0], box]), "mine"), 60)
    with pytest.raises(DetectorError, match=message):
        detector.detect([chest])
    flat = Guard(TorchvisionDetector(Answering([[5.0, 5.0, 20.0, 20.0], [7.0, 7.0, 7.0, 9.0]]), "mine"), 60)
    assert [one.box for one in flat.detect([chest])[0]] == [(5, 5, 20, 20)]


class Bright(torch.nn.Module):
    """Reports label 1 around the brightest pixel and label 2 elsewhere."""

    def forward(self, pictures):
        made = []
        for picture in pictures:
            y, x = divmod(int(picture[0].argmax()), picture.shape[2])
            boxes = torch.tensor([[0.0, 0.0, 5.0, 5.0], [x, y, x + 1, y + 1]])
            made.append({"boxes": boxes, "labels": torch.tensor([2, 1]), "scores": torch.tensor([0.9, 0.5])})
        return made


def test_any_module_with_this_interface_is_a_detector(chest):
    (found,) = TorchvisionDetector(Bright(), "mine").detect([chest])
    y, x = divmod(int(chest.pixels.argmax()), 160)
    assert found == [Finding((x, y, x + 1, y + 1), 0.5)]
    assert [f.score for f in TorchvisionDetector(Bright(), "mine", labels=(1, 2)).detect([chest])[0]] == pytest.approx(
        [0.9, 0.5]
    )


@pytest.mark.parametrize(
    "packed",
    [
        lambda state: {"model_state_dict": state, "epoch": 3, "optimizer": {"state": {}, "param_groups": []}},
        lambda state: {"state_dict": {f"model.{key}": value for key, value in state.items()}},
        lambda state: {f"module.{key}": value for key, value in state.items()},
        lambda state: {"model": state, "args": Namespace(lr=0.02), "lr_scheduler": {"milestones": Counter([16])}},
    ],
)
def test_a_checkpoint_of_a_training_program_gives_the_same(detector, weights, chest, undrawn, tmp_path, packed):
    state = torch.load(weights, weights_only=True)
    torch.save(packed(state), tmp_path / "packed.pth")
    found = resolve_detector(f"torchvision:{NAME}:packed.pth", base=tmp_path).detect([chest])
    assert found == detector.detect([chest])


def test_an_average_beside_the_weights_is_an_error(weights, undrawn, tmp_path):
    state = torch.load(weights, weights_only=True)
    torch.save({"model": state, "model_ema": state}, tmp_path / "both.pth")
    with pytest.raises(DetectorError, match="several sets of weights: model, model_ema"):
        resolve_detector(f"torchvision:{NAME}:both.pth", base=tmp_path)


class FromZero(Bright):
    """As RetinaNet trained with the nodule as label 0."""

    def forward(self, pictures):
        return [{**one, "labels": one["labels"] * 0} for one in super().forward(pictures)]


def test_a_network_whose_labels_begin_at_0_is_not_taken_for_silent(chest):
    with pytest.raises(DetectorError, match=r"reports label 0 with a score of 0\.9") as caught:
        TorchvisionDetector(FromZero(), "mine").detect([chest])
    assert "labels=(0,)" in caught.value.hint
    assert len(TorchvisionDetector(FromZero(), "mine", labels=(0,)).detect([chest])[0]) == 2


class Hostile:
    def __reduce__(self):
        return (open, ("owned", "w"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"torchvision:{NAME}:gone.pth", "never downloads"),
        (f"torchvision:{NAME}", "names no weights"),
        (
            "torchvision:no_such_net:evil.pth",
            r"'no_such_net'\n  hint: fasterrcnn_mobilenet_v3_large_320_fpn, .*, fcos_resnet50_fpn, .*, ssdlite320",
        ),
        (
            f"torchvision:{NAME}:evil.pth",
            r"evil\.pth cannot be loaded as .*: WeightsUnpickler error: Unsupported .*open",
        ),
        (f"torchvision:{NAME}:other.pth", r"other\.pth cannot be loaded as .* with two classes"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_in_it_runs(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    torch.save({"model": Hostile()}, tmp_path / "evil.pth")
    torch.save({"backbone.weight": torch.zeros(1)}, tmp_path / "other.pth")
    (tmp_path / "owned").unlink(missing_ok=True)
    with pytest.raises(DetectorError, match=message):
        resolve_detector(text, base=tmp_path)
    assert not (tmp_path / "owned").exists()


def test_weights_that_are_replaced_while_they_are_loaded_are_not_known_by_either_content(tmp_path, monkeypatch):
    path, load = tmp_path / "nodules.pth", torch.load
    torch.save({}, path)

    def replaced_meanwhile(weights, **options):
        content = load(weights, **options)
        torch.save({"of another": torch.zeros(1)}, path)
        return content

    monkeypatch.setattr(torch, "load", replaced_meanwhile)
    with pytest.raises(DetectorError, match=r"nodules\.pth was replaced while"):
        resolve_detector(f"torchvision:{NAME}:{path}")
