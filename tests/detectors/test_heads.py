"""Heads that are read give what ultralytics itself gives, as ``.pt``, ONNX and OpenVINO; all others are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from synnodtest import Radiograph
from synnodtest.detectors import resolve_detector
from synnodtest.detectors.heads import HEADS as READ
from synnodtest.detectors.openvino import OpenVinoDetector
from synnodtest.errors import DetectorError
from tests.extras import needs

from .onnx_models import write_model
from .small_networks import SIZE, export, found_by_ultralytics, save_network

needs("ultralytics")
HEADS = ["Detect", "v10Detect", "RTDETRDecoder"]
FORMS = [("Detect", {}), ("Detect", {"nms": True, "conf": 0.001}), ("v10Detect", {"nms": False}), ("RTDETRDecoder", {})]


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    return {head: save_network(folder / f"{head}.pt", head) for head in HEADS}


def picture(height, width, doubled=False):
    """Smooth noise. Doubled pixels are halved exactly: ultralytics rounds to 8 bits when it scales, and that may tip
    which of two boxes suppresses the other."""
    smooth = gaussian_filter(np.random.default_rng(height).random((height, width)), 2)
    grey = ((smooth - smooth.min()) / np.ptp(smooth) * 255).round().astype(np.uint8)
    return np.kron(grey, np.ones((2, 2), np.uint8)) if doubled else grey


def assert_as_ultralytics(detector, path, head, grey, channels=3):
    """Assert equal counts and, for every finding, another within a pixel and a hundredth, in both directions."""
    theirs = found_by_ultralytics(path, head, grey, channels)
    ours = [(f.box, f.score) for f in detector.detect([Radiograph((grey / 255).astype(np.float32), (0.5, 0.5))])[0]]
    assert len(theirs) > 10
    assert len({round(score, 3) for _, score in theirs}) > 5
    assert len(ours) == pytest.approx(len(theirs), rel=0.05)  # suppression decides on ties of a last digit
    for some, others in ((theirs, ours), (ours, theirs)):
        alone = [one for one in some if one[1] > 0.01 and not any(_same(one, other) for other in others)]
        assert len(alone) <= max(1, 0.02 * len(some)), alone[:3]


def _same(one, other):
    return abs(one[1] - other[1]) <= 0.01 and max(abs(a - b) for a, b in zip(one[0], other[0], strict=True)) <= 1


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("shape", [(256, 256), (224, 256), (180, 256, True)])
def test_a_checkpoint_gives_what_ultralytics_gives(networks, head, shape):
    assert_as_ultralytics(resolve_detector(str(networks[head])), networks[head], head, picture(*shape))


@pytest.mark.parametrize(("head", "options"), FORMS)
def test_an_onnx_export_gives_what_ultralytics_gives(networks, tmp_path, head, options):
    pytest.importorskip("onnx")
    path = export(networks[head], head, "onnx", **options).rename(tmp_path / "model.onnx")
    assert_as_ultralytics(resolve_detector(str(path)), path, head, picture(192, 256, True))


@pytest.mark.parametrize("head", ["Detect", "RTDETRDecoder"])
def test_openvino_gives_what_ultralytics_gives(networks, head):
    needs("openvino")
    grey = picture(256, 256)
    shown = np.stack([grey / np.float32(255), np.random.default_rng(0).random((256, 256), dtype=np.float32)])
    detector = OpenVinoDetector(networks[head], shown.astype(np.float32))
    assert_as_ultralytics(detector, networks[head], head, grey)


def test_a_folder_exported_for_openvino_is_read_by_its_metadata(networks):
    needs("openvino")
    folder = export(networks["Detect"], "Detect", "openvino", nms=True, conf=0.001)
    # Compared on the checkpoint: ultralytics runs the folder in bfloat16 on some processors, this package in float32.
    assert_as_ultralytics(resolve_detector(f"openvino:{folder}"), networks["Detect"], "Detect", picture(256, 256))


def test_one_channel_is_taken_from_the_model(tmp_path):
    pytest.importorskip("onnx")
    path = save_network(tmp_path / "grey.pt", "Detect", channels=1)
    assert_as_ultralytics(resolve_detector(str(path)), path, "Detect", picture(256, 256), channels=1)
    exported = export(path, "Detect", "onnx")
    assert_as_ultralytics(resolve_detector(str(exported)), exported, "Detect", picture(256, 256), channels=1)


@pytest.mark.parametrize("head", ["Segment", "Pose", "OBB", "Classify", "WorldDetect"])
def test_any_other_head_is_refused_by_name(tmp_path, head):
    path = save_network(tmp_path / "other.pt", head)
    with pytest.raises(DetectorError, match=rf"other\.pt.*({head}|{head.lower()}|obb|'classify'|'segment'|'pose')"):
        resolve_detector(str(path))


@pytest.mark.parametrize("head", ["Segment", "YOLOEDetect", "WorldDetect", "OBB26", "DFineDecoder"])
def test_a_head_in_the_metadata_of_an_export_is_refused_by_name(tmp_path, head):
    meta = {"names": "{0: 'nodule'}", "task": "detect", "imgsz": "[64, 64]", "head": head}
    write_model(tmp_path / "other.onnx", "yolo", meta=meta)
    with pytest.raises(DetectorError, match=rf"other\.onnx: its head {head} is not read"):
        resolve_detector("other.onnx", base=tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"imgsz": "[128, 128]"}, "declares an input of 64 x 64 .*say 128 x 128"),
        ({"channels": "1"}, "declares an input of 3 channels, and its metadata 1"),
        ({"channels": "4"}, "wants 4 channels"),
        ({"names": "{0: 'nodule', 1: 'rib'}"}, r"not \(N, 6, places\) for 2 classes"),
        ({"args": "{'nms': True}"}, "rows of 6 numbers are announced"),
        ({"end2end": "True"}, "rows of 6 numbers are announced"),
        ({"head": "RTDETRDecoder"}, "rows of 6 numbers are announced"),
        ({"stride": "48"}, "no multiple of its stride 48"),
        ({"task": "pose"}, "a model for 'pose'"),
        ({"args": "{'nms': 'maybe'}"}, "its metadata cannot be read"),
        ({"names": "{0: 'no_nodule'}"}, "only class 'no_nodule' means that nothing is there"),
    ],
)
def test_metadata_that_do_not_fit_the_model_are_refused(tmp_path, change, message):
    meta = {"names": "{0: 'nodule'}", "task": "detect", "imgsz": "[64, 64]", "stride": "32", "head": "Detect"}
    write_model(tmp_path / "best.onnx", "yolo", meta=meta | change)
    with pytest.raises(DetectorError, match=message):
        resolve_detector("best.onnx", base=tmp_path)


@pytest.mark.parametrize("text", ["input: {white: 255}", "input: {mean: [0.5, 0.5, 0.5]}"])
def test_scores_outside_0_to_1_are_an_error(tmp_path, text):
    write_model(tmp_path / "model.onnx", "yolo")
    (tmp_path / "model.yaml").write_text(f"decoder: yolo\n{text}")
    pixels = np.random.default_rng(0).random((SIZE, SIZE), dtype=np.float32)
    pixels[:32, :32] = 0
    with pytest.raises(DetectorError, match=r"its scores reach from .*, not 0 to 1"):
        resolve_detector("model.onnx", base=tmp_path).detect([Radiograph(pixels, (0.5, 0.5))])


def test_scores_that_are_no_number_are_an_error(tmp_path):
    import torch

    path = save_network(tmp_path / "broken.pt", "Detect")
    content = torch.load(path, weights_only=False)
    content["model"].model[-1].cv3[0][-1].bias.data.fill_(float("nan"))
    torch.save(content, path)
    with pytest.raises(DetectorError, match="its scores reach from nan"):
        resolve_detector(str(path)).detect([Radiograph(np.zeros((64, 64), np.float32), (0.5, 0.5))])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("output: {box: xyxy}", "boxes are inverted when read as xyxy"),
        ("output: {unit: share}", "no shares of the input"),
    ],
)
def test_boxes_read_in_another_way_than_they_are_meant_are_an_error(tmp_path, text, message):
    write_model(tmp_path / "model.onnx", "yolo")
    (tmp_path / "model.yaml").write_text(f"decoder: yolo\n{text}")
    pixels = np.full((64, 64), 0.5, np.float32)
    with pytest.raises(DetectorError, match=message):
        resolve_detector("model.onnx", base=tmp_path).detect([Radiograph(pixels, (0.5, 0.5))])


def test_a_class_that_denies_nodules_is_left_out_and_several_are_asked_for(tmp_path):
    path = save_network(tmp_path / "two.pt", "Detect", {0: "no_nodule", 1: "nodule"})
    assert resolve_detector(str(path)).identity.configuration["classes"] == ["nodule"]
    path = save_network(tmp_path / "kinds.pt", "Detect", {0: "benign nodule", 1: "malignant nodule", 2: "rib"})
    with pytest.raises(DetectorError, match=r"(?s)more than one.*benign nodule, malignant nodule.*'kinds\.pt#NAME'"):
        resolve_detector(str(path))
    for text, names in (("malignant nodule", [1]), ("1", [1]), ("benign nodule,1", [0, 1])):
        detector = resolve_detector(f"{path}#{text}")
        assert detector.detector._classes == names
    with pytest.raises(DetectorError, match="no class 'tumour'"):
        resolve_detector(f"{path}#tumour")


def test_each_place_counts_for_its_best_class_only_as_in_ultralytics(tmp_path):
    from ultralytics import YOLO

    path = save_network(tmp_path / "two.pt", "Detect", {0: "rib", 1: "nodule"})
    grey = picture(256, 256)
    options = {"conf": 0.001, "iou": 0.7, "imgsz": SIZE, "verbose": False, "classes": [1]}
    theirs = YOLO(str(path)).predict(np.repeat(grey[..., None], 3, axis=2), **options)[0].boxes
    radiograph = Radiograph((grey / 255).astype(np.float32), (0.5, 0.5))
    ours = resolve_detector(str(path)).detect([radiograph])[0]
    assert [f.score for f in ours] == pytest.approx(theirs.conf.tolist(), abs=1e-4)


@pytest.mark.parametrize(
    "content", ["nc: 1\nbackbone: []\nhead: []\nscales: {n: [1, 1, 1]}", "names: [nodule]\ntrain: a"]
)
def test_a_yaml_of_ultralytics_own_beside_an_export_is_no_settings(tmp_path, content):
    meta = {"names": "{0: 'nodule'}", "task": "detect", "imgsz": "[64, 64]"}
    write_model(tmp_path / "yolov8n.onnx", "yolo", meta=meta)
    (tmp_path / "yolov8n.yaml").write_text(content)
    assert resolve_detector("yolov8n.onnx", base=tmp_path).identity.name == "yolov8n.onnx"
    write_model(tmp_path / "yolov8n.onnx", "yolo")
    with pytest.raises(DetectorError, match=r"(?s)yolov8n\.yaml holds .*not settings.*write yolov8n\.onnx\.yaml"):
        resolve_detector("yolov8n.onnx", base=tmp_path)
    (tmp_path / "yolov8n.onnx.yaml").write_text("decoder: yolo")
    assert resolve_detector("yolov8n.onnx", base=tmp_path).identity.configuration["decoder"] == "yolo"


def test_the_table_of_the_documentation_is_the_codes_own():
    page = Path(__file__).parents[2] / "docs" / "detectors.md"
    table = page.read_text(encoding="utf-8").split("| head that is read")[1].split("\n\n")[0]
    rows = [[cell.strip("` ") for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert [row[:2] for row in rows] == [[head.name, head.fit] for head in READ]
