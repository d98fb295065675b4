"""Training end to end, as small as it gets: phantoms in, a checkpoint that --detector takes out."""

import pytest

from synnodtest.detectors import resolve_detector
from synnodtest.errors import SynnodError
from synnodtest.phantom import PhantomSet
from synnodtest.training.detector import PRESETS, Changes, train_detector
from tests.extras import needs

needs("ultralytics")


@pytest.fixture
def data(trained):
    return trained / "run" / "data" / "data.yaml"


@pytest.mark.filterwarnings("default")
def test_a_trained_checkpoint_is_a_detector_of_nodules(trained, data, tmp_path):
    weights = trained / "run" / "best.pt"
    detector = resolve_detector(str(weights))
    assert detector.identity.configuration["classes"] == ["nodule"]
    assert detector.identity.configuration["image_size"] == 64
    phantoms = PhantomSet("normal", 1, size=128)
    assert len(detector.detect([phantoms.load(phantoms.backgrounds[0])])) == 1
    changes = Changes(epochs=1, imgsz=64, batch=4, weights=weights, learning_rate=1e-4)
    again = train_detector(data, tmp_path / "tuned", changes)
    assert again == tmp_path / "tuned" / "best.pt"
    assert again.is_file()


def test_what_cannot_be_trained_is_named(data, tmp_path):
    with pytest.raises(SynnodError, match="no detector preset 'huge'"):
        train_detector(data, tmp_path, preset="huge")
    with pytest.raises(SynnodError, match=r"data\.yaml is not there"):
        train_detector(tmp_path, tmp_path)
    with pytest.raises(SynnodError, match=r"yolov8n\.pt are not there(?s:.*)never downloads"):
        train_detector(data, tmp_path, Changes(weights=tmp_path / "yolov8n.pt"))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SynnodError, match="nothing to resume"):
        train_detector(data, tmp_path, resume=True)


@pytest.mark.parametrize(
    ("epoch", "args", "asked", "said"),
    [
        (-1, {"epochs": 40}, {}, "this training is finished"),
        (3, {"epochs": 40, "seed": 0}, {"changes": Changes(epochs=20)}, "interrupted with epochs 40"),
        (3, {"epochs": 40, "seed": 0}, {"seed": 1}, "interrupted with seed 0"),
    ],
)
def test_what_would_go_on_otherwise_than_asked_for_is_refused(data, tmp_path, monkeypatch, epoch, args, asked, said):
    last = tmp_path / "run" / "weights" / "last.pt"
    last.parent.mkdir(parents=True)
    last.touch()
    content = {"epoch": epoch, "train_args": args}
    monkeypatch.setattr("synnodtest.training.detector.checkpoint_content", lambda path: content)
    with pytest.raises(SynnodError, match=said):
        train_detector(data, tmp_path, resume=True, **asked)


def test_the_papers_presets_have_the_papers_settings():
    assert [
        tuple(PRESETS[n][name] for name in ("imgsz", "batch", "epochs", "mosaic")) for n in ("yolov8x", "yolov9c")
    ] == [
        (1024, 8, 100, 1.0),
        (1024, 16, 500, 1.0),
    ]
