"""Evaluation: COCO's counts as pycocotools gives them, FROC by hand, and no look at the truth."""

import contextlib
import dataclasses
import io
import json
import math

import numpy as np
import pytest

from synnodtest import Finding, Radiograph
from synnodtest.annotated.dataset_set import DatasetSet
from synnodtest.annotated.sets import Case
from synnodtest.cli import main
from synnodtest.commands.options import template
from synnodtest.counted import counted
from synnodtest.datasets.similarity import perceptual_hash
from synnodtest.detectors import CallableDetector
from synnodtest.evaluation.answers import answers_of, answers_with_copies_joined, coco_hits
from synnodtest.evaluation.detector import evaluate
from synnodtest.identity import Identity
from synnodtest.radiograph import Truth
from synnodtest.statistics import average_precision
from tests.evaluation.annotated_folder import write_annotated, write_copy


class Made:
    """Radiographs given outright."""

    name = "made"

    def __init__(self, radiographs):
        self._radiographs = radiographs

    @property
    def cases(self):
        return [Case(str(k), f"patient-{k}") for k in range(len(self._radiographs))]

    def load(self, case):
        return self._radiographs[int(case.id)]


def truth(x, y, side, spacing=1.0):
    return Truth("nodule", np.ones((side, side), bool), (y, x), side * spacing, 0.3)


def radiograph(k, *truths):
    return Radiograph(np.full((100, 100), k / 100, np.float32), (1.0, 1.0), background=f"b{k}", nodules=truths)


def scripted(answers):
    """Detector that answers by the grey value of the radiograph, and must not see its truth."""

    def detect(radiographs):
        assert all(not one.nodules for one in radiographs)
        return [answers[round(float(one.pixels[0, 0]) * 100)] for one in radiographs]

    return CallableDetector(detect, Identity("scripted"))


def test_coco_hits_give_the_average_precision_of_pycocotools():
    coco = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    rng = np.random.default_rng(5)
    images, truths, found, hits, scores = [], [], [], {0.5: [], 0.75: []}, []
    for k in range(30):
        images.append({"id": k + 1, "width": 200, "height": 200})
        boxes = [(*rng.uniform(0, 150, 2), *rng.uniform(10, 40, 2)) for _ in range(rng.integers(0, 4))]
        truths += [
            {
                "id": len(truths) + i + 1,
                "image_id": k + 1,
                "category_id": 1,
                "bbox": list(b),
                "area": b[2] * b[3],
                "iscrowd": 0,
            }
            for i, b in enumerate(boxes)
        ]
        own = [np.array(b) + rng.normal(0, 3, 4) for b in boxes for _ in range(2)]
        own += [np.array([*rng.uniform(0, 150, 2), 20, 20]) for _ in range(3)]
        own = [(box, float(rng.random())) for box in own]
        found += [{"image_id": k + 1, "category_id": 1, "bbox": list(b), "score": s} for b, s in own]
        own.sort(key=lambda item: -item[1])
        edges = [(b[0], b[1], b[0] + b[2], b[1] + b[3]) for b, _ in own]
        real = [(b[0], b[1], b[0] + b[2], b[1] + b[3]) for b in boxes]
        scores += [s for _, s in own]
        for level, kept in hits.items():
            kept += coco_hits(edges, real, level)
    with contextlib.redirect_stdout(io.StringIO()):
        reference = coco.COCO()
        reference.dataset = {"images": images, "annotations": truths, "categories": [{"id": 1}], "info": {}}
        reference.createIndex()
        run = cocoeval.COCOeval(reference, reference.loadRes(found), "bbox")
        run.evaluate()
        run.accumulate()
    for level, column in ((0.5, 0), (0.75, 5)):
        precision = run.eval["precision"][column, :, 0, 0, -1]
        assert average_precision(scores, hits[level], len(truths)) == pytest.approx(float(precision.mean()), abs=1e-6)


def test_sensitivity_at_a_false_positive_rate_by_hand():
    images = [radiograph(0, truth(10, 10, 20)), radiograph(1, truth(50, 50, 8)), radiograph(2), radiograph(3)]
    hit, small = Finding((10, 10, 30, 30), 0.9), Finding((50, 50, 58, 58), 0.4)
    false = [Finding((70, 10, 80, 20), score) for score in (0.8, 0.7, 0.6, 0.5, 0.3)]
    answers = {0: [hit], 1: [small], 2: false[:2], 3: false[2:]}
    result = evaluate(scripted(answers), Made(images), resamples=0)
    # Above 0.4 there are 4 false positives on 4 images: at one per image both nodules are found, at a half one.
    assert result["sensitivity_at_1_fp"]["value"] == 1.0
    assert result["froc"]["0.5"] == 0.5
    assert result["froc"]["0.125"] == 0.5
    assert result["by_size"]["0 to 10 mm"] == {"value": 1.0, "nodules": 1, "images": 4}
    assert result["by_size"]["20 to 30 mm"]["value"] == 1.0
    assert result["by_size"]["30 mm and more"]["value"] is None
    # Highest scores of images with nodules 0.9 and 0.4, without 0.8 and 0.6: two of four pairs are in order.
    assert result["auc"]["value"] == pytest.approx(0.5)
    assert result["node21_score"] == pytest.approx(0.75 * 0.5 + 0.25 * 0.5)
    assert result["average_precision"]["0.50"] == pytest.approx(
        average_precision([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], [1, 0, 0, 0, 0, 1, 0], 2)
    )


def test_the_table_says_one_false_positive_and_several_false_positives_per_image():
    images = [radiograph(0, truth(10, 10, 20)), radiograph(1)]
    figures = {"made": evaluate(scripted({0: [Finding((10, 10, 30, 30), 0.9)], 1: []}), Made(images), resamples=0)}
    results = {"made": {"detectors": [figures["made"]], "comparisons": [], "unadjusted": ""}}
    lines = template("figures.txt.j2").render(results=results, labels={}, counted=counted).splitlines()
    ends = [line.partition("sensitivity at ")[2] for line in lines if line.endswith("per image")]
    assert ends == [
        f"{rate} false positive{'' if rate == '1' else 's'} per image" for rate in figures["made"]["froc_bounds"]
    ]
    assert "1 false positive per image" in ends


class PartlyMarked(Made):
    """On the first radiograph nodules may be unmarked."""

    @property
    def cases(self):
        return [dataclasses.replace(case, exhaustive=case.id != "0") for case in super().cases]


def test_a_finding_where_nodules_may_be_unmarked_is_no_false_positive():
    images = [radiograph(0, truth(10, 10, 20)), radiograph(1, truth(10, 10, 20)), radiograph(2)]
    hit, elsewhere = Finding((10, 10, 30, 30), 0.5), [Finding((70, y, 80, y + 10), 0.9) for y in (10, 40, 70)]
    answers = {0: [hit, *elsewhere], 1: [hit], 2: elsewhere[:1]}
    result = evaluate(scripted(answers), PartlyMarked(images), resamples=0)
    # One false positive on the two images that are marked in full; precision is of these alone.
    assert result["froc"]["0.5"] == 1.0
    assert result["froc"]["0.25"] == 0.0
    assert result["average_precision"]["0.50"] == pytest.approx(average_precision([0.9, 0.5], [0, 1], 1))
    assert result["images_partly_marked"] == 1
    assert result["average_precision"]["at_0.50"] | {"value": 0} == {"value": 0, "nodules": 1, "images": 2}
    assert result["auc"]["value"] == pytest.approx(0.25)


def test_an_image_without_a_mark_is_no_negative_where_nodules_may_be_unmarked():
    found = Finding((10, 10, 30, 30), 0.5)
    answers = {0: [Finding((70, 10, 80, 20), 0.9)], 1: [found], 2: []}
    result = evaluate(scripted(answers), PartlyMarked([radiograph(0), radiograph(1, truth(10, 10, 20)), radiograph(2)]))
    assert result["auc"]["value"] == 1.0
    assert result["node21_score"] == 1.0
    nobody = evaluate(scripted(answers), PartlyMarked([radiograph(0), radiograph(1, truth(10, 10, 20))]), resamples=0)
    assert nobody["auc"] is None


def test_where_no_image_is_marked_in_full_there_is_no_curve():
    answers = {0: [Finding((10, 10, 30, 30), 0.5), Finding((70, 10, 80, 20), 0.9)]}
    result = evaluate(scripted(answers), PartlyMarked([radiograph(0, truth(10, 10, 20))]), resamples=100)
    assert result["sensitivity_at_1_fp"]["value"] is None
    assert result["average_precision"]["0.50"] is None


def test_a_table_says_which_films_are_marked_in_part(tmp_path):
    write_annotated(tmp_path, 2)
    assert [case.exhaustive for case in DatasetSet(tmp_path).cases] == [True, False]


def test_a_film_that_is_marked_in_part_may_have_no_mark(tmp_path):
    write_annotated(tmp_path, 2)
    table = tmp_path / "boxes.csv"
    first, *rows = table.read_text().splitlines()
    columns = first.split(",")
    empty = {"file": rows[1].split(",")[columns.index("file")], "exhaustive": "no"}
    table.write_text("\n".join([first, rows[0], ",".join(empty.get(name, "") for name in columns)]))
    (full, partly) = DatasetSet(tmp_path).dataset.images
    assert (full.exhaustive, len(partly.boxes), partly.exhaustive) == (True, 0, False)


def test_a_silent_detector_has_precision_zero_and_no_score_is_made_up():
    result = evaluate(scripted({0: [], 1: []}), Made([radiograph(0, truth(10, 10, 20)), radiograph(1)]), resamples=0)
    assert result["average_precision"]["0.50:0.95"] == 0.0
    assert result["sensitivity_at_1_fp"]["value"] == 0.0
    assert result["auc"]["value"] == 0.5


class Repeated(Made):
    """Every radiograph four times, of the same patient."""

    @property
    def cases(self):
        return [Case(str(k), f"patient-{k % (len(self._radiographs) // 4)}") for k in range(len(self._radiographs))]


def test_images_of_one_patient_tell_no_more_of_the_auc_than_one():
    scores = np.random.default_rng(3).normal(np.arange(24) % 2, 1.2)
    images = [radiograph(k, *[truth(10, 10, 20)] * (k % 2)) for k in range(24)]
    answers = {k: [Finding((10, 10, 30, 30), float(score))] for k, score in enumerate(scores)}
    once = evaluate(scripted(answers), Made(images), resamples=100)["auc"]
    again = evaluate(scripted(answers), Repeated(images * 4), resamples=300)["auc"]
    assert again["value"] == pytest.approx(once["value"])
    assert again["clusters"] == once["clusters"] == 24
    assert again["upper"] - again["lower"] > 0.85 * (once["upper"] - once["lower"])  # DeLong alone: half of it


def test_an_image_without_a_finding_ranks_below_any_score():
    images = [radiograph(0, truth(10, 10, 20)), radiograph(1)]  # scores may be logits
    result = evaluate(scripted({0: [Finding((10, 10, 30, 30), -2.0)], 1: []}), Made(images), resamples=0)
    assert result["auc"]["value"] == 1.0


def test_without_normal_images_there_is_no_auc():
    result = evaluate(scripted({0: []}), Made([radiograph(0, truth(10, 10, 20))]), resamples=0)
    assert result["auc"] is None
    assert result["node21_score"] is None


def test_froc_precision_and_the_challenges_score_have_bounds_around_them(annotated):
    folder, found = annotated
    result = evaluate(Scored(found), DatasetSet(folder), resamples=100)
    values = [(result["froc"][rate], result["froc_bounds"][rate]) for rate in result["froc"]]
    values.append((result["average_precision"]["0.50:0.95"], result["average_precision"]["at_0.50:0.95"]))
    values.append((result["node21_score"], result["node21_score_bounds"]))
    for value, bounds in values:
        assert bounds["value"] == pytest.approx(value)
        assert 0 <= bounds["lower"] <= value <= bounds["upper"] <= 1
        assert bounds["lower"] < bounds["upper"]


def test_bounds_hold_the_value():
    rng = np.random.default_rng(1)
    images = [radiograph(k, truth(10, 10, 20)) for k in range(40)]
    answers = {k: [Finding((10, 10, 30, 30), 0.9)] if rng.random() < 0.7 else [] for k in range(40)}
    found = evaluate(scripted(answers), Made(images), resamples=200)["sensitivity_at_1_fp"]
    assert 0.5 < found["lower"] < found["value"] < found["upper"] < 0.9
    assert math.isclose(found["value"], sum(map(bool, answers.values())) / 40)


class Scored:
    """A detector with one answer per image of a COCO folder, told by the first pixel."""

    identity = Identity("scored")

    def __init__(self, answers):
        self._answers = answers

    def detect(self, radiographs):
        return [self._answers[round(float(one.pixels[0, 0]) * 65535)] for one in radiographs]


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """A COCO folder of 40 small images with fractional boxes, and findings near them and elsewhere."""
    from PIL import Image

    folder, rng = tmp_path_factory.mktemp("coco"), np.random.default_rng(11)
    (folder / "images").mkdir()
    images, truths, found, rows = [], [], {}, ["file,mm_per_px_x,mm_per_px_y,bits,rotate_deg,polarity"]
    for k in range(40):
        pixels = rng.integers(0, 65536, (90, 100)).astype(np.uint16)
        pixels[0, 0], pixels[1, 1] = k, 65535
        Image.fromarray(pixels).save(folder / "images" / f"i{k}.png")
        images.append({"id": k + 1, "file_name": f"i{k}.png", "width": 100, "height": 90})
        rows.append(f"images/i{k}.png,1.4,1.6,16,0,normal")
        boxes = [
            [float(v) for v in (*rng.uniform(0, 50, 2), *rng.uniform(8, 35, 2))] for _ in range(rng.integers(0, 3))
        ]
        truths += [
            {
                "id": len(truths) + n + 1,
                "image_id": k + 1,
                "category_id": 1,
                "bbox": b,
                "area": b[2] * b[3],
                "iscrowd": 0,
            }
            for n, b in enumerate(boxes)
        ]
        near = [np.array(b) + rng.normal(0, 2, 4) for b in boxes]
        own = [*near, *(np.array([*rng.uniform(0, 60, 2), 15, 18]) for _ in range(2))]
        found[k] = [Finding((x, y, x + w, y + h), float(rng.random())) for x, y, w, h in own]
    content = {"images": images, "annotations": truths, "categories": [{"id": 1, "name": "nodule"}], "info": {}}
    (folder / "annotations.json").write_text(json.dumps(content))
    (folder / "manifest.csv").write_text("\n".join(rows))
    return folder, found


def test_a_coco_folder_gets_the_figures_of_pycocotools_and_scikit_learn(annotated):
    """From files to figures, at every IoU: boxes with fractions are not rounded on the way."""
    coco, cocoeval = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    metrics = pytest.importorskip("sklearn.metrics")
    folder, found = annotated
    result = evaluate(Scored(found), DatasetSet(folder), resamples=0)
    with contextlib.redirect_stdout(io.StringIO()):
        reference = coco.COCO(str(folder / "annotations.json"))
        theirs = [
            {
                "image_id": k + 1,
                "category_id": 1,
                "score": f.score,
                "bbox": [f.box[0], f.box[1], f.box[2] - f.box[0], f.box[3] - f.box[1]],
            }
            for k, items in found.items()
            for f in items
        ]
        run = cocoeval.COCOeval(reference, reference.loadRes(theirs), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    for column, level in enumerate(np.arange(0.5, 1.0, 0.05)):
        expected = float(run.eval["precision"][column, :, 0, 0, -1].mean())
        assert result["average_precision"][f"{level:.2f}"] == pytest.approx(expected, abs=1e-6)
    assert result["average_precision"]["0.50:0.95"] == pytest.approx(float(run.stats[0]), abs=1e-6)
    ill = {one["image_id"] - 1 for one in json.loads((folder / "annotations.json").read_text())["annotations"]}
    tops = [max(f.score for f in found[k]) for k in range(40)]
    area = metrics.roc_auc_score([k in ill for k in range(40)], tops)
    assert result["auc"]["value"] == pytest.approx(area, abs=1e-6)


def test_regions_are_those_of_the_nodules_centre():
    left = np.zeros((100, 100), bool)
    left[:, :50] = True
    images = [
        dataclasses.replace(radiograph(k, truth(10, 10, 20), truth(70, 60, 20)), regions={"left": left, "right": ~left})
        for k in range(3)
    ]
    answers = {k: [Finding((10, 10, 30, 30), 0.9)] for k in range(3)}
    answers[0].append(Finding((70, 60, 90, 80), 0.8))
    result = evaluate(scripted(answers), Made(images), resamples=0)
    assert result["by_region"]["left"] == {"value": 1.0, "nodules": 3, "images": 3}
    assert result["by_region"]["right"]["value"] == pytest.approx(1 / 3)


def test_an_image_of_the_training_is_named(annotated):
    folder, found = annotated
    data = DatasetSet(folder)
    seen = {"train-7": perceptual_hash(data.load(data.cases[7]).pixels)}
    assert evaluate(Scored(found), data, resamples=0, trained_on=seen)["in_training"] == {"i7": "train-7"}


def test_copies_of_one_film_are_of_one_patient_and_told(tmp_path, capsys):
    write_annotated(tmp_path, 2)
    write_copy(tmp_path, "real000")
    with (tmp_path / "boxes.csv").open("a") as table:
        table.write("again.jpg,tight,,,,,yes\n")
    data = DatasetSet(tmp_path)
    seen = answers_of(scripted({k: [] for k in range(101)}), data)
    answers, (note,) = answers_with_copies_joined(data.cases, seen)
    assert [one.cluster for one in answers] == ["p-real000", "p-real001", "p-real000"]
    assert note.startswith("1 radiograph looks like copies of others")
    command = ["evaluate", "detector", "--detector", "mutant:always-silent", "--resamples", "0", "--split", "all"]
    assert main([*command, "--data", str(tmp_path)]) == 0
    assert f"note: {note}" in capsys.readouterr().err


def test_the_area_under_the_afroc_counts_pairs_of_nodules_and_normal_images():
    """Chakraborty & Winter (1990): a nodule beats a normal image whose loudest finding is below its own, ties half."""
    rng = np.random.default_rng(8)
    images, answers, nodules, normal = [], {}, [], []
    for k in range(40):
        elsewhere = [
            Finding((70, y, 80, y + 10), round(rng.random(), 1)) for y in range(0, 10 * rng.integers(0, 3), 10)
        ]
        images.append(radiograph(k, *[truth(10, 10, 20), truth(40, 40, 10)][: k % 3]))
        answers[k] = list(elsewhere)
        for box in [(10, 10, 30, 30), (40, 40, 50, 50)][: k % 3]:
            found = [round(rng.random() + 0.2, 1) for _ in range(rng.integers(0, 3))]  # missed, found, found twice
            answers[k] += [Finding(box, score) for score in found]
            nodules.append(max(found, default=-math.inf))
        if not k % 3 and k:
            normal.append(max((f.score for f in elsewhere), default=-math.inf))
    area = np.mean([(n > m) + 0.5 * (n == m) for n in nodules for m in normal])
    # The first radiograph has no marked nodule, but may have others: it is no normal one.
    result = evaluate(scripted(answers), PartlyMarked(images), resamples=100)["afroc"]
    assert result["value"] == pytest.approx(area)
    assert result["lower"] < area < result["upper"]
    assert (result["nodules"], result["normal_images"]) == (len(nodules), len(normal))


def test_without_normal_images_there_is_no_afroc():
    images = [radiograph(0), radiograph(1, truth(10, 10, 20))]
    answers = {0: [], 1: [Finding((10, 10, 30, 30), 0.5)]}
    assert evaluate(scripted(answers), PartlyMarked(images), resamples=0)["afroc"] is None
    assert evaluate(scripted(answers), Made(images), resamples=0)["afroc"]["value"] == 1.0


def test_a_loud_finding_elsewhere_on_the_film_finds_no_nodule():
    """The area of images is 1, that of nodules counts places."""
    images = [radiograph(0, truth(10, 10, 20)), radiograph(1)]
    answers = {0: [Finding((70, 10, 80, 20), 0.9)], 1: [Finding((70, 10, 80, 20), 0.5)]}
    result = evaluate(scripted(answers), Made(images), resamples=0)
    assert result["auc"]["value"] == 1.0
    assert result["afroc"]["value"] == 0.0
