from __future__ import annotations

import numpy as np
import pytest

from synnodtest import Radiograph
from synnodtest.detectors import resolve_detector
from synnodtest.detectors.preflight import preflight
from synnodtest.errors import DetectorError
from synnodtest.store import Store

from . import onnx_models
from .onnx_models import write_model

pytest.importorskip("onnxruntime")


def chest(row=2, column=5, shape=(128, 128)):
    """A dark radiograph with one bright cell."""
    pixels = np.full(shape, 0.1, np.float32)
    side = shape[0] // 8
    pixels[row * side : (row + 1) * side, column * side : (column + 1) * side] = 0.9
    return Radiograph(pixels, (0.5, 0.5), source=f"chest-{row}-{column}")


def settled(tmp_path, decoder, text="", **options):
    write_model(tmp_path / "model.onnx", decoder, **options)
    (tmp_path / "model.yaml").write_text(f"decoder: {decoder}\n{text}")
    return resolve_detector("model.onnx", base=tmp_path)


@pytest.mark.parametrize("decoder", ["yolo", "torchvision", "detr"])
def test_every_decoder_finds_the_bright_cell(tmp_path, decoder):
    found = settled(tmp_path, decoder).detect([chest(), chest(7, 0)])
    assert [items[0].box for items in found] == [pytest.approx((80, 32, 96, 48)), pytest.approx((0, 112, 16, 128))]
    score = 1 / (1 + np.exp(-0.9)) if decoder == "detr" else 0.9
    assert found[0][0].score == pytest.approx(score, abs=1e-5)
    assert len(found[0]) == 64


def test_labels_of_a_torchvision_model_that_begin_at_0_are_not_taken_for_silence(tmp_path):
    """As of detectors exported by MMDetection, or trained without torchvision's background."""
    with pytest.raises(DetectorError, match=r"reports label 0 with a score of 0\.9") as caught:
        settled(tmp_path, "torchvision", label=0).detect([chest()])
    assert "classes: [0]" in caught.value.hint
    found = settled(tmp_path, "torchvision", "output: {classes: [0]}", label=0).detect([chest()])
    assert found[0][0].box == pytest.approx((80, 32, 96, 48))


def test_a_torchvision_model_of_several_labels_must_say_which_are_nodules(tmp_path):
    with pytest.raises(DetectorError, match="reports label 2, of 1 class") as caught:
        settled(tmp_path, "torchvision", label=2).detect([chest()])
    assert "says which of how many classes" in caught.value.hint
    assert settled(tmp_path, "torchvision", "output: {classes: [2]}", label=2).detect([chest()])[0]


@pytest.mark.parametrize("decoder", ["yolo", "detr"])
def test_a_model_of_any_size_must_say_at_which_it_was_trained(tmp_path, decoder):
    with pytest.raises(DetectorError, match="takes pictures of any size") as caught:
        settled(tmp_path, decoder, side="any")
    assert "size: [640, 640]" in caught.value.hint
    found = settled(tmp_path, decoder, "input: {size: [64, 64]}", side="any").detect([chest()])
    assert found[0][0].box == pytest.approx((80, 32, 96, 48))


def test_boxes_come_back_from_a_radiograph_that_is_not_square(tmp_path):
    pixels = np.full((64, 128), 0.1, np.float32)
    pixels[16:32, 96:112] = 0.9
    wide = Radiograph(pixels, (0.5, 0.5))
    assert settled(tmp_path, "yolo").detect([wide])[0][0].box == pytest.approx((96, 16, 112, 32))
    stretched = settled(tmp_path, "yolo", "input: {fit: stretch}").detect([wide])[0]
    assert sorted(found.box for found in stretched[:2]) == [(96, 16, 112, 24), (96, 24, 112, 32)]


def test_normalisation_and_white_are_applied(tmp_path):
    plain = settled(tmp_path, "yolo").detect([chest()])[0][0].score
    text = "input: {white: 255, mean: [25.5, 25.5, 25.5], std: [510, 510, 510]}"
    assert settled(tmp_path, "yolo", text).detect([chest()])[0][0].score == pytest.approx((plain - 0.1) / 2, abs=1e-5)


def test_one_channel_and_a_batch_of_any_size(tmp_path):
    found = settled(tmp_path, "yolo", "input: {channels: 1}", channels=1).detect([chest(1, 1)])
    assert found[0][0].box == pytest.approx((16, 16, 32, 32))


def test_an_export_of_ultralytics_needs_no_yaml(tmp_path):
    meta = {"names": "{0: 'nodule'}", "task": "detect", "imgsz": "[64, 64]", "stride": "32"}
    write_model(tmp_path / "best.onnx", "yolo", meta=meta)
    assert resolve_detector("best.onnx", base=tmp_path).detect([chest()])[0][0].box == pytest.approx((80, 32, 96, 48))
    write_model(tmp_path / "coco.onnx", "yolo", meta=meta | {"names": "{0: 'person', 1: 'car'}"})
    with pytest.raises(DetectorError, match=r"2 classes.*person, car"):
        resolve_detector("coco.onnx", base=tmp_path)


def test_without_yaml_the_error_says_what_to_write(tmp_path):
    write_model(tmp_path / "bare.onnx", "yolo")
    with pytest.raises(DetectorError, match=r"(?s)bare\.onnx.*write bare\.yaml"):
        resolve_detector("bare.onnx", base=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("decoder: yolov8", "decoder is 'yolov8'"),
        ("input: {}", "'decoder' is missing"),
        ("decoder: yolo\ninputs: {}", "unknown key.* inputs"),
        ("decoder: yolo\ninput: {fit: crop}", "input.fit is 'crop'"),
        ("decoder: yolo\ninput: {size: big}", r"model\.yaml"),
        ("decoder: yolo\nconfidence: low", r"model\.yaml"),
        ("decoder: [", r"model\.yaml: cannot be read"),
        pytest.param("[" * 20_000, r"model\.yaml: cannot be read", id="deep"),
        ("decoder: !!python/object/apply:os.system ['true']", r"model\.yaml: cannot be read"),
    ],
)
def test_a_wrong_yaml_is_named(tmp_path, text, message):
    write_model(tmp_path / "model.onnx", "yolo")
    (tmp_path / "model.yaml").write_text(text)
    with pytest.raises(DetectorError, match=message):
        resolve_detector("model.onnx", base=tmp_path)


def test_an_output_that_is_not_there_is_named(tmp_path):
    detector = settled(tmp_path, "detr", "output: {boxes: corners}")
    with pytest.raises(DetectorError, match=r"(?s)model\.onnx.*no output 'corners'.*pred_boxes, logits"):
        detector.detect([chest()])


def test_a_class_that_the_model_lacks_is_an_error(tmp_path):
    with pytest.raises(DetectorError, match="class 3"):
        settled(tmp_path, "yolo", "output: {classes: [3]}").detect([chest()])


@pytest.mark.parametrize("content", [b"", b"not a model", b"<!DOCTYPE html><html>404</html>"])
def test_a_damaged_model_is_named_with_a_remedy(tmp_path, content):
    (tmp_path / "bad.onnx").write_bytes(content)
    with pytest.raises(DetectorError, match=r"bad\.onnx") as caught:
        resolve_detector("bad.onnx", base=tmp_path)
    assert caught.value.hint.startswith("copy the file again from its source")


@pytest.mark.parametrize("name", ["weights.bin", "model.onnx.data", "parts/" + "conv_" * 30 + ".weight"])
def test_weights_in_files_of_their_own_are_part_of_the_identity(tmp_path, monkeypatch, name):
    """Replaced behind the same ``.onnx``, they would pass on the stored findings of the old ones."""
    inline, kept = onnx_models._tensor, tmp_path / name
    kept.parent.mkdir(exist_ok=True)

    def outside(called, array):
        if called != "w":
            return inline(called, array)
        kept.write_bytes(array.tobytes())
        entry = onnx_models._field(13, onnx_models._field(1, "location") + onnx_models._field(2, name))
        return (
            inline(called, array).partition(onnx_models._field(9, array.tobytes()))[0]
            + entry
            + onnx_models._field(14, 1)
        )

    monkeypatch.setattr(onnx_models, "_tensor", outside)
    detector = settled(tmp_path, "yolo")
    first, score = detector.identity.sha256, detector.detect([chest()])[0][0].score
    kept.write_bytes((np.frombuffer(kept.read_bytes(), np.float32) / 2).tobytes())
    again = resolve_detector("model.onnx", base=tmp_path)
    assert again.detect([chest()])[0][0].score == pytest.approx(score / 2)
    assert again.identity.sha256 != first


def test_the_settings_are_part_of_the_identity(tmp_path):
    first = settled(tmp_path, "yolo").identity.key()
    assert settled(tmp_path, "yolo", "confidence: 0.2").identity.key() != first


@pytest.mark.parametrize(("text", "told"), [("", []), ("confidence: 0.01", []), ("confidence: 0.3", ["0.3"])])
def test_a_confidence_that_cuts_every_curve_is_a_limit_that_is_told_before_a_run(tmp_path, text, told):
    checks = preflight(settled(tmp_path, "yolo", text), Store(tmp_path / "store"))
    low = [check for check in checks if check.name == "low scores"]
    assert [check.says.partition(":")[0] for check in low] == [
        f"findings of {cut} or less are left out" for cut in told
    ]
    assert all(check.passed is False for check in low)


def test_a_model_that_is_replaced_while_it_is_loaded_is_not_known_by_either_content(tmp_path, monkeypatch):
    from synnodtest.detectors import onnx

    loaded = onnx._session

    def replaced_meanwhile(path, device):
        session = loaded(path, device)
        path.write_bytes(path.read_bytes() + b"\n")
        return session

    monkeypatch.setattr(onnx, "_session", replaced_meanwhile)
    with pytest.raises(DetectorError, match=r"model\.onnx was replaced while"):
        settled(tmp_path, "yolo")
