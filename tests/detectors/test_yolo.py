from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import pickle
import zipfile
from importlib.util import find_spec, module_from_spec
from types import SimpleNamespace

import numpy as np
import pytest

from synnodtest import Radiograph
from synnodtest.detectors import resolve_detector, yolo
from synnodtest.detectors.checkpoint import read_checkpoint
from synnodtest.errors import DetectorError
from tests.extras import needs

from .yolo_checkpoints import save_checkpoint

needs("ultralytics")


@pytest.fixture(scope="module")
def one_class(tmp_path_factory):
    return save_checkpoint(tmp_path_factory.mktemp("weights") / "best.pt", {0: "lump"}, image_size=320)


@pytest.fixture(scope="module")
def chests():
    rng = np.random.default_rng(3)
    pixels = np.clip(rng.normal(0.5, 0.2, (2, 512, 512)), 0, 1).astype(np.float32)
    return [Radiograph(p, (0.7, 0.7), source=f"chest-{i}") for i, p in enumerate(pixels)]


def test_cocos_eighty_classes_are_refused_with_some_of_their_names(tmp_path):
    names = {0: "person", 1: "bicycle", 2: "car"} | {i: f"thing{i}" for i in range(3, 80)}
    path = save_checkpoint(tmp_path / "yolov8x.pt", names, lively=False)
    with pytest.raises(DetectorError, match=r"yolov8x\.pt has 80 classes.*person, bicycle, car"):
        resolve_detector(str(path))


def test_one_class_of_several_is_taken_by_its_name(tmp_path, chests):
    path = save_checkpoint(tmp_path / "many.pt", {0: "rib", 1: "Lung Nodule", 2: "heart"})
    detector = resolve_detector(str(path))
    assert detector.identity.configuration["classes"] == ["Lung Nodule"]
    assert len(detector.detect(chests[:1])[0]) > 0


def test_a_missing_file_is_never_downloaded(tmp_path):
    with pytest.raises(DetectorError, match=r"yolov8n\.pt are not there"):
        resolve_detector("yolov8n.pt", base=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 truncated"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "bad.pt").write_bytes(content)
    with pytest.raises(DetectorError, match=r"bad\.pt"):
        resolve_detector("bad.pt", base=tmp_path)


def test_a_zip_file_that_is_no_checkpoint_is_told_with_a_remedy(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.pt", "w") as archive:
        archive.writestr("readme.txt", "weights will follow")
    with pytest.raises(DetectorError, match=r"bad\.pt is not an ultralytics checkpoint") as caught:
        resolve_detector("bad.pt", base=tmp_path)
    assert "is the file complete?" in caught.value.hint


@pytest.mark.parametrize("content", [{"model_state": {"w": 0.5}}, {"model": None}, [0.5]])
def test_weights_without_their_network_are_told_what_takes_them(tmp_path, content):
    import torch

    torch.save(content, tmp_path / "state.pt")
    with pytest.raises(
        DetectorError, match=r"state\.pt holds no ultralytics checkpoint.*\n.*torchvision:MODEL:state\.pt"
    ):
        resolve_detector("state.pt", base=tmp_path)


def test_a_truncated_checkpoint_is_named(tmp_path, one_class):
    whole = one_class.read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DetectorError, match=r"cut\.pt"):
        resolve_detector("cut.pt", base=tmp_path)


class _Evil:
    def __reduce__(self):
        return (os.mkdir, ("owned",))


def test_reading_a_hostile_pickle_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(tmp_path / "evil.pt", "w") as archive:
        archive.writestr("evil/data.pkl", pickle.dumps({"model": _Evil()}))
    with pytest.raises(DetectorError, match=r"evil\.pt"):
        resolve_detector("evil.pt", base=tmp_path)
    assert not (tmp_path / "owned").exists()


def test_what_is_hidden_in_a_sound_checkpoint_runs_only_where_one_says_unsafe(tmp_path, one_class, chests, monkeypatch):
    import torch

    monkeypatch.chdir(tmp_path)
    content = torch.load(one_class, map_location="cpu", weights_only=False)
    torch.save({**content, "hidden": _Evil()}, tmp_path / "gift.pt")
    detector = resolve_detector("gift.pt", base=tmp_path)
    with pytest.raises(DetectorError, match=r"(?s)gift\.pt cannot be loaded.*if you trust the file.*unsafe:"):
        detector.detect(chests[:1])
    assert not (tmp_path / "owned").exists()
    unsafe = resolve_detector("unsafe:gift.pt", base=tmp_path)
    assert unsafe.identity.configuration["safe_load"] is False
    unsafe.detect(chests[:1])
    assert (tmp_path / "owned").exists()


def test_what_a_checkpoint_says_about_itself_needs_no_torch(one_class):
    checkpoint = read_checkpoint(one_class)
    assert (checkpoint.names, checkpoint.task, checkpoint.image_size) == ({0: "lump"}, "", 320)


def test_the_size_of_training_is_read_however_it_was_written(one_class, tmp_path):
    import torch

    content = torch.load(one_class, map_location="cpu", weights_only=False)
    for number, size in enumerate(["320", 320.0, [192, 320], ("320",), "large"]):
        torch.save({**content, "train_args": {"imgsz": size}}, tmp_path / f"{number}.pt")
    assert [read_checkpoint(tmp_path / f"{number}.pt").image_size for number in range(4)] == [320] * 4
    with pytest.raises(DetectorError, match="large"):
        read_checkpoint(tmp_path / "4.pt")


def test_scores_are_raw_and_the_threshold_is_near_zero(one_class, chests):
    found = resolve_detector(str(one_class)).detect(chests)
    assert [len(items) > 10 for items in found] == [True, True]
    scores = [finding.score for finding in found[0]]
    assert scores == sorted(scores, reverse=True)
    assert 0.001 < min(scores) < max(scores)


def test_findings_equal_those_of_ultralytics_own_predict(one_class):
    from ultralytics import YOLO

    grey = np.random.default_rng(1).integers(0, 256, (320, 320), dtype=np.uint8)
    radiograph = Radiograph((grey / 255).astype(np.float32), (0.5, 0.5))
    ours = resolve_detector(str(one_class)).detect([radiograph])[0]
    options = {"conf": 0.001, "iou": 0.7, "imgsz": 320, "verbose": False, "save": False}
    theirs = YOLO(str(one_class)).predict(np.repeat(grey[..., None], 3, axis=2), **options)[0].boxes
    assert len(ours) == len(theirs)
    for finding, box, score in list(zip(ours, theirs.xyxy.numpy(), theirs.conf.numpy(), strict=True))[:50]:
        assert finding.score == pytest.approx(float(score), abs=1e-4)  # 1.3e-5 off without AVX-512
        assert finding.box == pytest.approx(tuple(box), abs=0.02)


def test_boxes_are_suppressed_by_torchvisions_operator_to_the_findings_of_ultralytics_own_loop(
    one_class, chests, monkeypatch
):
    import torch
    from ultralytics.utils import nms

    as_installed = find_spec(nms.__name__)
    as_installed.loader.exec_module(fresh := module_from_spec(as_installed))
    counted = []
    loop = staticmethod(lambda *boxes: counted.append(1) or fresh.TorchNMS.nms(*boxes))
    monkeypatch.setattr(nms, "sys", SimpleNamespace(modules={}))  # as where torchvision is not loaded
    monkeypatch.setattr(nms.TorchNMS, "nms", loop)
    detector = resolve_detector(str(one_class))
    quick = detector.detect(chests)
    assert not counted
    assert nms.TorchNMS.nms is torch.ops.torchvision.nms
    nms.TorchNMS.nms = loop
    assert detector.detect(chests) == quick
    assert counted


def test_where_the_operator_is_no_library_of_its_own_torchvision_is_loaded_whole(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(yolo, "find_spec", lambda name: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    monkeypatch.setattr(importlib, "import_module", lambda name: asked.append(name) or SimpleNamespace(TorchNMS=None))
    yolo._suppress_at_once()
    assert asked == ["ultralytics.utils.nms", "torchvision"]


def test_a_torchvision_that_was_built_for_another_torch_leaves_ultralytics_own_loop(monkeypatch, tmp_path):
    def broken(name):
        raise {"torchvision": RuntimeError("operator torchvision::nms does not exist")}.get(name, ImportError(name))

    monkeypatch.setattr(yolo, "find_spec", lambda name: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    monkeypatch.setattr(importlib, "import_module", broken)
    yolo._suppress_at_once()


def test_a_checkpoint_that_was_never_trained_runs_at_1024(tmp_path):
    path = save_checkpoint(tmp_path / "new.pt", {0: "nodule"}, lively=False)
    assert resolve_detector(str(path)).identity.configuration["image_size"] == 1024


def test_a_batch_gives_what_single_radiographs_give(one_class, chests):
    detector = resolve_detector(str(one_class))
    for together, alone in zip(detector.detect(chests), (detector.detect([chest])[0] for chest in chests), strict=True):
        assert [f.score for f in together] == pytest.approx([f.score for f in alone], abs=1e-5)


def test_differences_below_eight_bits_reach_the_network(one_class, chests):
    dim = chests[0].with_pixels(np.full((512, 512), 0.5, np.float32))
    lifted = dim.pixels.copy()
    lifted[200:260, 200:260] += 0.4 / 255
    detector = resolve_detector(str(one_class))
    first, second = detector.detect([dim, dim.with_pixels(lifted)])
    assert [f.score for f in first] != [f.score for f in second]


def test_boxes_lie_in_the_pixels_of_a_radiograph_that_is_not_square(one_class):
    pixels = np.random.default_rng(2).random((300, 500), dtype=np.float32)
    found = resolve_detector(str(one_class)).detect([Radiograph(pixels, (0.5, 0.5))])[0]
    assert max(f.box[2] for f in found) > 450
    assert max(f.box[3] for f in found) <= 300


def test_the_identity_holds_what_decides_on_the_findings(one_class, tmp_path):
    identity = resolve_detector(str(one_class)).identity
    assert identity.configuration["image_size"] == 320
    assert identity.version.startswith("ultralytics 8")
    other = save_checkpoint(tmp_path / "best.pt", {0: "lump"}, seed=1, lively=False)
    detector = resolve_detector(str(other))
    assert detector.identity.key() != identity.key()
    save_checkpoint(other, {0: "lump"}, seed=2, lively=False)
    with pytest.raises(DetectorError, match=r"best\.pt was replaced while the run went on"):
        detector.detect([Radiograph(np.full((320, 320), 0.5, np.float32), (0.5, 0.5))])


@pytest.fixture
def memory_given_back():
    """Let the system have what a large network leaves free: 0.8 GB, which the C library would keep to the end."""
    yield
    with contextlib.suppress(AttributeError, OSError, TypeError):  # where the C library is another
        ctypes.CDLL(None).malloc_trim(0)


@pytest.mark.usefixtures("memory_given_back")
def test_a_real_yolov8x_without_training_runs(tmp_path):
    path = save_checkpoint(tmp_path / "yolov8x.pt", {0: "nodule"}, "yolov8x.yaml", image_size=32, lively=False)
    detector = resolve_detector(str(path))
    found = detector.detect([Radiograph(np.full((1024, 1024), 0.5, np.float32), (0.35, 0.35))])
    assert len(found) == 1


def test_weights_alone_under_the_name_of_a_model_are_told_as_such(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"model": {"0.weight": torch.zeros(2)}, "epoch": 3}, tmp_path / "last.pt")
    with pytest.raises(DetectorError, match="no network with its classes") as caught:
        read_checkpoint(tmp_path / "last.pt")
    assert "weights alone" in caught.value.hint
