"""Exported networks of which the YAML does not say enough: refused with what to write, never read at a venture."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synnodtest import Radiograph
from synnodtest.detectors.exported import ExportedDetector
from synnodtest.errors import DetectorError

CHEST = Radiograph(np.full((64, 64), 0.5, np.float32), (1.0, 1.0), source="chest")
NAMES = {"names": "{0: 'rib', 1: 'no_nodule', 2: 'nodule'}", "task": "detect"}


class Network:
    """A runtime that gives the same outputs for every picture and keeps what it was shown."""

    engine, sha256 = "none", "0" * 64

    def __init__(self, folder: Path, text, answer, metadata=None, kind=np.float32, shape=(1, 3, 64, 64)):
        self.path = folder / "model.onnx"
        (folder / "model.yaml").write_text(text)
        self.answer, self.metadata, self.kind, self.shape = answer, metadata or {}, kind, shape
        self.outputs = {name: list(array.shape) for name, array in answer.items()}

    def run(self, batch):
        self.shown = batch
        return self.answer


def grid(classes):
    """A grid of 40 places whose class k has the score 0.1 + k / 10 at place k alone."""
    made = np.zeros((1, 4 + classes, 40), np.float32)
    made[0, :4] = [[30], [30], [8], [8]]
    for number in range(classes):
        made[0, 4 + number, number] = 0.1 + number / 10
    return {"output": made}


def test_classes_that_the_yaml_leaves_out_are_those_of_the_metadata(tmp_path):
    (found,) = ExportedDetector(Network(tmp_path, "decoder: yolo", grid(3), NAMES)).detect([CHEST])
    assert [one.score for one in found] == [pytest.approx(0.3)]


@pytest.mark.parametrize("more", ["", "\noutput: {class_count: 3}"])
def test_several_classes_of_which_none_is_named_are_an_error(tmp_path, more):
    with pytest.raises(DetectorError) as caught:
        ExportedDetector(Network(tmp_path, f"decoder: yolo{more}", grid(3))).detect([CHEST])
    assert "classes: [2], class_count: 3" in caught.value.hint
    text = "decoder: yolo\noutput: {classes: [2]}"
    assert len(ExportedDetector(Network(tmp_path, text, grid(3))).detect([CHEST])[0]) == 1


def test_logits_of_several_classes_of_which_none_is_named_are_an_error(tmp_path):
    answer = {"logits": np.zeros((1, 9, 4), np.float32), "pred_boxes": np.full((1, 9, 4), 0.25, np.float32)}
    with pytest.raises(DetectorError, match="logits are of 3 classes, not 1"):
        ExportedDetector(Network(tmp_path, "decoder: detr", answer)).detect([CHEST])
    assert ExportedDetector(Network(tmp_path, "decoder: detr\noutput: {classes: [1]}", answer)).detect([CHEST])[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("activation: sigmoid", "before the sigmoid reach from 0 to 0.1: the model has done it"),
        ("activation: softmax", "a softmax of a single class is 1 everywhere"),
    ],
)
def test_an_activation_that_the_model_has_done_itself_is_no_second_time_applied(tmp_path, text, message):
    answer = {"output": np.repeat(grid(1)["output"], 2, axis=2)}
    network = Network(tmp_path, f"decoder: yolo\noutput: {{{text}}}", answer)
    with pytest.raises(DetectorError, match=message):
        ExportedDetector(network).detect([CHEST])


@pytest.mark.parametrize(
    ("box", "message"), [("cxcywh", "12 boxes away from the corner .* look like corners"), ("xyxy", "")]
)
def test_corners_are_not_read_as_centre_and_size(tmp_path, box, message):
    corners = [[x, y, x + 8, y + 8] for x in (5, 20, 30, 40, 50) for y in (10, 20, 30, 40)]
    answer = {"output": np.array([[*zip(*corners, strict=True), [0.9] * 20]], np.float32)}
    network = ExportedDetector(Network(tmp_path, f"decoder: yolo\noutput: {{box: {box}}}", answer))
    if message:
        with pytest.raises(DetectorError, match=message):
            network.detect([CHEST])
    else:
        assert len(network.detect([CHEST])[0]) == 20


def test_large_boxes_of_a_model_that_says_what_they_are_are_no_corners(tmp_path):
    large = [[x, y, 1.5 * x, 1.5 * y] for x in (20, 30, 40) for y in (20, 25, 30, 35, 40)]
    answer = {"output": np.array([[*zip(*large, strict=True), [0.9] * 15]], np.float32)}
    said = {"names": "{0: 'nodule'}", "task": "detect", "head": "Detect", "imgsz": "[64, 64]"}
    (found,) = ExportedDetector(Network(tmp_path, "names: {}", answer, said)).detect([CHEST])
    assert found[0].box == (5, 5, 35, 35)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 2])
def test_a_box_that_is_no_number_does_not_silence_the_others(tmp_path, broken, place):
    """Suppression compares each box with all others: whatever overlap it has with NaN is not below the limit."""
    answer = grid(1)
    answer["output"][0, :, :3] = [[20, 40, 40], [20, 40, 20], [8, 8, 8], [8, 8, 8], [0.9, 0.8, 0.7]]
    answer["output"][0, 0, place] = broken
    with pytest.raises(DetectorError, match="1 of its 3 boxes hold NaN or infinite numbers"):
        ExportedDetector(Network(tmp_path, "decoder: yolo", answer)).detect([CHEST])


def test_shares_of_classes_are_no_logits(tmp_path):
    shares = np.tile(np.array([0.1, 0.9], np.float32), (1, 40, 1))
    network = Network(tmp_path, "decoder: detr", {"logits": shares, "pred_boxes": np.full((1, 40, 4), 0.1)})
    with pytest.raises(DetectorError, match=r"before the softmax reach from 0\.1 to 0\.9"):
        ExportedDetector(network).detect([CHEST])


def test_rows_with_the_class_before_the_score_are_an_error(tmp_path):
    rows = np.zeros((1, 5, 6), np.float32)
    rows[0, :2] = [[10, 10, 20, 20, 0, 0.875], [30, 30, 40, 40, 0, 0.25]]
    with pytest.raises(DetectorError, match="the other way round"):
        ExportedDetector(Network(tmp_path, "decoder: rows", {"output": rows})).detect([CHEST])


def test_shares_of_a_single_class_beside_the_score_as_yolov5_gives_them_are_an_error(tmp_path):
    rows = np.tile(np.array([30, 30, 8, 8, 0.5, 0.99998], np.float32), (1, 40, 1))
    for text in ("decoder: rows", "{decoder: rows, output: {classes: [0]}}"):
        with pytest.raises(DetectorError, match="YOLOv5"):
            ExportedDetector(Network(tmp_path, text, {"output": rows})).detect([CHEST])


@pytest.mark.parametrize("box", ["xyxy", "cxcywh"])
def test_shares_that_half_precision_makes_1_are_no_class_either(tmp_path, box):
    rows = _rows([30, 30, 8, 8], 0.99998).astype(np.float16)
    network = Network(tmp_path, f"{{decoder: rows, output: {{classes: [0], box: {box}}}}}", {"output": rows})
    with pytest.raises(
        DetectorError, match=r"1008 rows is 1, and nodules are \[0\]: that of a grid of YOLOv5"
    ) as caught:
        ExportedDetector(network).detect([CHEST])
    assert "class_count" in caught.value.hint


@pytest.mark.parametrize(("said", "rows"), [("classes: [0], class_count: 2", 1008), ("classes: [0]", 300)])
def test_rows_all_of_another_class_are_none_of_nodules(tmp_path, said, rows):
    ribs = _rows([8, 8, 30, 30], 1.0)
    ribs[0, rows:] = 0
    network = Network(tmp_path, f"{{decoder: rows, output: {{{said}}}}}", {"output": ribs})
    assert ExportedDetector(network).detect([CHEST]) == [[]]


def _rows(box, last):
    """(1, 1008, 6): so many places has YOLOv5 on 128 x 128; scores fall from 0.5."""
    rows = np.tile(np.array([*box, 0.5, last], np.float32), (1, 1008, 1))
    rows[0, :, 4] = np.linspace(0.5, 0.01, 1008)
    return rows


def test_a_network_of_whole_numbers_is_not_shown_a_black_picture(tmp_path):
    with pytest.raises(DetectorError, match="uint8") as caught:
        ExportedDetector(Network(tmp_path, "decoder: yolo", grid(1), kind=np.uint8))
    assert "white: 255" in caught.value.hint
    network = Network(tmp_path, "decoder: yolo\ninput: {white: 255}", grid(1), kind=np.uint8)
    ExportedDetector(network).detect([CHEST])
    assert network.shown.dtype == np.uint8
    assert int(network.shown.max()) == 128


@pytest.mark.parametrize("text", ["{white: 255, mean: [0.485, 0.456, 0.406]}", "{mean: [123.675, 116.28, 103.53]}"])
def test_a_mean_on_another_scale_than_white_is_an_error(tmp_path, text):
    with pytest.raises(DetectorError, match="must be on one scale"):
        ExportedDetector(Network(tmp_path, f"decoder: yolo\ninput: {text}", grid(1)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("input: {std: [255]}", "input.std is 255 where white is 1"),
        ("input: {std: [0]}", "must be above 0"),
        ("input: {white: 255, mean: [123.7], std: [0.229]}", "both must be on one scale"),
        ("input: {white: 0}", "value of the brightest pixel"),
        ("input: {mean: [0.1, 0.2]}", r"input.mean must be a list of 1 or 3, not \[0.1, 0.2\]"),
        ("input: {size: 640}", "input.size must be a list of 2, not 640"),
        ("output: {classes: 0}", "output.classes must be a list, not 0"),
        ("output: {classes: [nodule]}", "output.classes has 'nodule', which is no number"),
        ("input: {white: a lot}", "input.white has 'a lot', which is no number"),
        ("confidence: low", "confidence has 'low', which is no number"),
        ("confidence: 25", "confidence is 25; it must be between 0 and 1"),
        ("nms_iou: 70", "nms_iou is 70; it must be between 0 and 1"),
    ],
)
def test_settings_that_leave_no_picture_or_no_finding_are_an_error(tmp_path, text, message):
    with pytest.raises(DetectorError, match=message):
        ExportedDetector(Network(tmp_path, f"decoder: yolo\n{text}", grid(1)))


def test_channels_that_come_last_are_told(tmp_path):
    with pytest.raises(DetectorError, match="64 channels") as caught:
        ExportedDetector(Network(tmp_path, "decoder: yolo", grid(1), shape=(1, 64, 64, 3)))
    assert "layout: NHWC" in caught.value.hint


@pytest.mark.parametrize(("step", "refused"), [(640 / 255, True), (256 / 255, True), (1e-3, False)])
def test_scores_lost_in_the_steps_of_an_output_of_8_bits_are_no_finding_missed(tmp_path, step, refused):
    numbers = np.random.default_rng(0)
    raw = np.concatenate([numbers.uniform(1, 63, (4, 400)), numbers.uniform(0, 0.45, (1, 400))])
    network = Network(tmp_path, "decoder: yolo", {"output": (np.rint(raw / step) * step).astype(np.float32)[None]})
    if refused:
        with pytest.raises(DetectorError, match="an output of 8 bits, in which scores of 0 to 1 are lost"):
            ExportedDetector(network).detect([CHEST])
    else:
        assert len(ExportedDetector(network).detect([CHEST])[0]) > 10


def test_a_flat_picture_gives_round_boxes_that_are_not_of_8_bits(tmp_path):
    y, x = np.mgrid[:20, :20] * 3.0
    raw = np.stack([x, y, np.full_like(x, 16), np.full_like(x, 16), np.full_like(x, 0.505)]).reshape(1, 5, 400)
    network = ExportedDetector(Network(tmp_path, "decoder: yolo", {"output": raw.astype(np.float32)}))
    assert network.detect([CHEST])[0]


@pytest.mark.parametrize(("names", "numbers"), [("{1: 'nodule'}", "1"), ("{0: 'mass', 2: 'nodule'}", "0, 2")])
def test_names_that_are_not_counted_from_0_are_not_those_of_the_classes(tmp_path, names, numbers):
    said = {"names": names, "task": "detect", "imgsz": "[64, 64]", "args": "{'nms': True}"}
    rows = {"output": np.array([[[10, 10, 20, 20, 0.9, 0]]], np.float32)}
    with pytest.raises(DetectorError, match=f"with the numbers {numbers}, not from 0"):
        ExportedDetector(Network(tmp_path, "names: {}", rows, said))


@pytest.mark.parametrize(("decoder", "last"), [("rows", 0), ("torchvision", 1)])
def test_a_class_beyond_the_last_is_never_reported(tmp_path, decoder, last):
    text = f"decoder: {decoder}\noutput: {{classes: [{last + 1}], class_count: 1}}"
    with pytest.raises(DetectorError, match=f"are class {last + 1}, and its last class is {last}"):
        ExportedDetector(Network(tmp_path, text, {"output": np.zeros((1, 5, 6), np.float32)}))


def test_a_network_of_labels_from_0_is_told_before_it_is_sure(tmp_path):
    answer = {"boxes": np.array([[1, 2, 9, 9]], np.float32), "labels": np.array([0]), "scores": np.array([0.3])}
    with pytest.raises(DetectorError, match=r"label 0 with a score of 0\.3"):
        ExportedDetector(Network(tmp_path, "decoder: torchvision", answer)).detect([CHEST])


def test_boxes_of_tensorflow_have_y_before_x(tmp_path):
    answer = {"boxes": np.array([[0.5, 0.25, 0.75, 0.375]]), "labels": np.array([1.0]), "scores": np.array([0.75])}
    text = "decoder: torchvision\ninput: {size: [64, 64]}\noutput: {box: yxyx, unit: share}"
    (found,) = ExportedDetector(Network(tmp_path, text, answer)).detect([CHEST])[0]
    assert found.box == (16, 32, 24, 48)


@pytest.mark.parametrize(
    ("shape", "answer", "message"),
    [
        ((3, 64, 64), grid(1), "not four axes"),
        ((1, 3, 64, 64), {"dets": np.zeros((1, 9, 5)), "labels": np.zeros((1, 9))}, "not one of three axes"),
        ((1, 3, 64, 64), {"output": np.zeros((9, 7))}, "not one of three axes"),
    ],
)
def test_forms_that_are_not_read_say_what_to_do(tmp_path, shape, answer, message):
    with pytest.raises(DetectorError, match=message) as caught:
        ExportedDetector(Network(tmp_path, "decoder: rows", answer, shape=shape))
    assert "file.py:factory" in caught.value.hint


class Traced(Network):
    """Rows with suppression that was traced with a single picture: what follows it in a batch stays empty."""

    def run(self, batch):
        rows = np.zeros((len(batch), 1, 6), np.float32)
        rows[0] = [10, 10, 20, 20, batch[0].max(), 0]
        return {"output": rows}


@pytest.mark.parametrize("text", ["decoder: rows", "decoder: yolo\nnms_iou: null\noutput: {box: xyxy}"])
def test_suppression_traced_with_one_picture_leaves_no_radiograph_of_a_batch_empty(tmp_path, text):
    network = Traced(tmp_path, text, {"output": np.zeros((1, 1, 6))}, shape=("batch", 3, 64, 64))
    network.outputs = {"output": ["batch", "n", 6]}
    found = ExportedDetector(network).detect([CHEST, replace(CHEST, pixels=CHEST.pixels / 2)])
    assert [[one.score for one in items] for items in found] == [[0.5], [0.25]]


@pytest.mark.parametrize("shape", [("batch", 3, "height", "width"), (3, "height", "width")])
def test_a_network_of_torchvision_that_takes_any_size_is_shown_the_radiograph_as_it_is(tmp_path, shape):
    """torchvision itself scales by the shorter side, which padding to a square would change."""
    answer = {"boxes": np.array([[1.0, 2, 9, 10]]), "labels": np.array([1]), "scores": np.array([0.75])}
    network = Network(tmp_path, "decoder: torchvision", answer, shape=shape)
    wide = replace(CHEST, pixels=np.random.default_rng(0).random((40, 60), dtype=np.float32))
    assert ExportedDetector(network).detect([wide])[0][0].box == (1, 2, 9, 10)
    assert network.shown.shape == (*[1][: len(shape) - 3], 3, 40, 60)
    assert np.array_equal(network.shown.reshape(3, 40, 60)[1], wide.pixels)


@pytest.mark.parametrize(("activation", "scores"), [("softmax", [0.5]), ("sigmoid", [0.75, 0.25])])
def test_a_query_of_detr_counts_for_its_best_class_alone_after_a_softmax(tmp_path, activation, scores):
    shares = np.array([[0.25, 0.5, 0.25], [0.5, 0.25, 0.25]])
    logits = np.log(shares) if activation == "softmax" else np.log([[1, 3, 1], [1, 1 / 3, 1]])
    answer = {"logits": logits[None], "pred_boxes": np.full((1, 2, 4), 0.25, np.float32)}
    text = f"decoder: detr\noutput: {{classes: [1], activation: {activation}}}"
    (found,) = ExportedDetector(Network(tmp_path, text, answer)).detect([CHEST])
    assert [one.score for one in found] == pytest.approx(scores)


def queries(*logits):
    """Answers of 40 queries with the same logits, but for one that finds a nodule by the first of them."""
    rows = np.tile(np.array(logits, np.float32), (1, 40, 1))
    rows[0, 0, 0] = 2.0
    return {"logits": rows, "pred_boxes": np.full((1, 40, 4), 0.25, np.float32)}


@pytest.mark.parametrize("config", ["rt_detr", "deformable_detr", "d_fine", "detr", "yolos"])
def test_what_transformers_writes_beside_an_export_tells_sigmoids_from_a_softmax(tmp_path, config):
    """As its own post-processing has it, for the configurations that it writes."""
    transformers = pytest.importorskip("transformers")
    transformers.AutoConfig.for_model(config).save_pretrained(tmp_path)
    text = "decoder: detr\noutput: {classes: [0]}"
    (found,) = ExportedDetector(Network(tmp_path, text, queries(-3.0, -4.0))).detect([CHEST])
    softmax = np.exp(2) / (np.exp(2) + np.exp(-4))
    assert found[0].score == pytest.approx(softmax if config in ("detr", "yolos") else 1 / (1 + np.exp(-2)))
    said = "decoder: detr\noutput: {classes: [0], activation: sigmoid}"
    (found,) = ExportedDetector(Network(tmp_path, said, queries(-3.0, -4.0))).detect([CHEST])
    assert found[0].score == pytest.approx(1 / (1 + np.exp(-2)))


@pytest.mark.parametrize("indent", ["\t", None])
def test_a_configuration_beside_an_export_is_read_as_json_however_it_is_indented(tmp_path, indent):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mine", "use_focal_loss": True}, indent=indent))
    network = Network(tmp_path, "decoder: detr\noutput: {classes: [0]}", queries(-3.0))
    (found,) = ExportedDetector(network).detect([CHEST])
    assert found[0].score == pytest.approx(1 / (1 + np.exp(-2)))


def test_a_configuration_beside_an_export_that_is_no_json_is_an_error(tmp_path):
    (tmp_path / "config.json").write_text('{"use_focal_loss": tr')
    with pytest.raises(DetectorError, match=r"config\.json: cannot be read"):
        ExportedDetector(Network(tmp_path, "decoder: detr\noutput: {classes: [0]}", queries(-3.0))).detect([CHEST])


@pytest.mark.parametrize("classes", ["[0]", "[1]"])
def test_logits_of_sigmoids_are_not_read_by_a_softmax_where_nothing_says_so(tmp_path, classes):
    """Deformable DETR with a class for id 0 that no nodule has: all of its 40 queries would find 'no object'."""
    network = Network(tmp_path, f"decoder: detr\noutput: {{classes: {classes}}}", queries(-4.5, -4.0, -9.0))
    with pytest.raises(DetectorError, match=r"all logits of 98% of its queries are negative, as before a sigmoid") as e:
        ExportedDetector(network).detect([CHEST])
    assert "activation: sigmoid" in e.value.hint
    text = f"decoder: detr\noutput: {{classes: {classes}, activation: softmax}}"
    assert ExportedDetector(Network(tmp_path, text, queries(-4.5, -4.0, -9.0))).detect([CHEST])[0]


def test_a_softmax_of_which_nothing_is_said_is_read_as_ever(tmp_path):
    (found,) = ExportedDetector(Network(tmp_path, "decoder: detr", queries(-5.0, 5.0))).detect([CHEST])
    assert found[0].score == pytest.approx(1 / (1 + np.exp(3)))


def test_as_many_logits_as_classes_ask_for_a_sigmoid(tmp_path):
    network = Network(tmp_path, "decoder: detr", queries(0.5))
    with pytest.raises(DetectorError, match="logits are of 0 classes, not 1") as caught:
        ExportedDetector(network).detect([CHEST])
    assert "activation: sigmoid" in caught.value.hint
