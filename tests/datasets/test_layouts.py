"""Every layout is read for what it says; a round trip through all of them keeps every box; faults are named by line."""

from __future__ import annotations

import json
import struct
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synnodtest.backgrounds import open_backgrounds, read_radiograph
from synnodtest.cli import main
from synnodtest.datasets import load_image, read_dataset
from synnodtest.datasets.write import convert
from synnodtest.errors import BackgroundError

from ..backgrounds.radiograph_files import write_dicom, write_mha, write_png

pytestmark = pytest.mark.usefixtures("unturned")

BOXES = {"a": [(10.0, 20.0, 31.0, 44.0), (50.5, 60.25, 70.125, 71.0)], "b": [], "c": [(1.0, 2.0, 9.0, 8.0)]}


def picture(seed, height=96, width=80):
    return np.random.default_rng(seed).integers(0, 4096, (height, width)).astype(np.uint16)


@pytest.fixture
def table(tmp_path):
    """A folder of PNG, MHA and PNG with ``boxes.csv``: the boxes above."""
    folder = tmp_path / "set"
    write_png(folder / "a.png", picture(1))
    write_mha(folder / "b.mha", picture(2), (1.5, 1.4))
    write_png(folder / "c.png", picture(3))
    rows = [
        "file,patient,sex,mm_per_px_x,mm_per_px_y,bits",
        "a.png,p1,F,1.5,1.4,12",
        "b.mha,p1,F,,,12",
        "c.png,p2,M,1.5,1.4,12",
    ]
    (folder / "manifest.csv").write_text("\n".join(rows))
    lines = ["file,x_min,y_min,x_max,y_max"]
    for name, file in (("a", "a.png"), ("b", "b.mha"), ("c", "c.png")):
        lines += [f"{file},{','.join(map(str, box))}" for box in BOXES[name]] or [f"{file},,,,"]
    (folder / "boxes.csv").write_text("\n".join(lines))
    return folder


def test_a_conversion_that_is_interrupted_leaves_no_films_without_their_table(table, tmp_path):
    def interrupted(images):
        yield from images[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(read_dataset(table), tmp_path / "out" / "coco", "coco", progress=interrupted)
    assert list((tmp_path / "out").iterdir()) == []


def test_films_that_a_killed_conversion_left_are_gone_after_the_next(table, tmp_path):
    left = tmp_path / "out" / ".coco.0f0td5w6" / "coco" / "images"
    left.mkdir(parents=True)
    (left / "a.png").touch()
    convert(read_dataset(table), tmp_path / "out" / "coco", "coco")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["coco"]


def boxes_of(dataset):
    return {image.id: [item.box for item in image.boxes] for image in dataset.images}


@pytest.mark.parametrize("first", ["node21", "coco", "yolo", "csv"])
@pytest.mark.parametrize("second", ["node21", "coco", "yolo", "csv"])
def test_a_round_trip_keeps_boxes_pixels_spacing_and_patients(table, tmp_path, first, second):
    source = read_dataset(table)
    assert boxes_of(source) == BOXES
    convert(source, tmp_path / "one", first)
    assert read_dataset(tmp_path / "one").layout == first
    convert(read_dataset(tmp_path / "one"), tmp_path / "two", second)
    back = read_dataset(tmp_path / "two")
    assert {image.id: (image.patient, image.strata["sex"]) for image in back.images} == {
        "a": ("p1", "F"), "b": ("p1", "F"), "c": ("p2", "M")
    }  # fmt: skip
    for name, boxes in boxes_of(back).items():
        assert boxes == [pytest.approx(box, abs=1e-9) for box in BOXES[name]]
    for one, other in zip(sorted(source.images, key=str), sorted(back.images, key=str), strict=True):
        before, after = load_image(one), load_image(other)
        assert after.spacing_mm == pytest.approx(before.spacing_mm)
        assert np.abs(after.pixels - before.pixels).max() < 1.3e-4


def test_films_with_boxes_are_no_backgrounds_whoever_drew_the_boxes(table):
    lines = (table / "boxes.csv").read_text().splitlines()
    drawn = [f"{line},{'' if ',,,' in line else 'ChestX-Det'},yes" for line in lines[1:]]
    (table / "boxes.csv").write_text("\n".join([f"{lines[0]},annotation,exhaustive", *drawn]))
    assert boxes_of(read_dataset(table)) == BOXES
    assert [background.id for background in open_backgrounds(table, "normal").backgrounds] == ["b.mha"]


def test_films_on_which_nodules_may_be_unmarked_are_no_backgrounds_and_stay_so(table, tmp_path):
    first, *rows = (table / "boxes.csv").read_text().splitlines()
    lines = [f"{first},exhaustive", *(f"{row},{'no' if row.startswith('b.') else 'yes'}" for row in rows)]
    (table / "boxes.csv").write_text("\n".join(lines))
    convert(read_dataset(table), tmp_path / "made", "csv")
    for folder in (table, tmp_path / "made"):
        assert [one.id for one in read_dataset(folder).images if not one.exhaustive] == ["b"]
        with pytest.raises(BackgroundError, match="nodules"):
            _ = open_backgrounds(folder, "normal").backgrounds


@pytest.mark.parametrize("layout", ["csv", "coco"])
def test_films_with_boxes_of_a_class_that_was_chosen_are_no_backgrounds(table, tmp_path, layout):
    folder = table
    if layout == "csv":
        first, *lines = (table / "boxes.csv").read_text().splitlines()
        kinds = [f"{line},{'' if ',,,' in line else 'Opacity'}" for line in lines]
        (table / "boxes.csv").write_text("\n".join([f"{first},class_name", *kinds, "b.mha,1,2,9,8,Effusion"]))
    else:
        convert(read_dataset(table), tmp_path / "coco", "coco")
        folder = tmp_path / "coco"
        content = json.loads((folder / "annotations.json").read_text())
        content["categories"] = [{"id": 1, "name": "Opacity"}, {"id": 2, "name": "Effusion"}]
        (folder / "annotations.json").write_text(json.dumps(content))
    (folder / "nodule_classes.txt").write_text("opacity\n")
    assert boxes_of(read_dataset(folder)) == BOXES
    served = open_backgrounds(folder if layout == "csv" else folder / "images", "normal").backgrounds
    assert [Path(background.id).stem for background in served] == ["b"]


def test_a_film_that_boxes_csv_calls_a_nodules_is_no_background_without_a_box(table):
    """Whoever drew its boxes, words of a nodule in ``annotation`` are those of a class."""
    lines = (table / "boxes.csv").read_text().splitlines()
    drawn = [f"{line},{'nodule' if ',,,' in line else 'reader 1'}" for line in lines[1:]]
    (table / "boxes.csv").write_text("\n".join([f"{lines[0]},annotation", *drawn]))
    with pytest.raises(BackgroundError, match="all 3 radiographs show annotated nodules"):
        open_backgrounds(table, "normal")


def test_what_coco_and_yolo_write_is_what_they_say(table, tmp_path):
    """Against the formats' own definitions, not against the package's readers."""
    convert(read_dataset(table), tmp_path / "coco", "coco")
    content = json.loads((tmp_path / "coco" / "annotations.json").read_text())
    names = {image["id"]: image["file_name"] for image in content["images"]}
    assert [(names[one["image_id"]], one["bbox"]) for one in content["annotations"]] == [
        ("a.png", [10, 20, 21, 24]), ("a.png", [50.5, 60.25, 19.625, 10.75]), ("c.png", [1, 2, 8, 6])
    ]  # fmt: skip
    assert all((tmp_path / "coco" / "images" / name).is_file() for name in names.values())
    convert(read_dataset(table), tmp_path / "yolo", "yolo")
    (label,) = (tmp_path / "yolo" / "labels").rglob("a.txt")
    kind, x, y, width, height = map(float, label.read_text().splitlines()[0].split())
    assert (kind, x * 80, y * 96, width * 80, height * 96) == pytest.approx((0, 20.5, 32, 21, 24))
    (empty,) = (tmp_path / "yolo" / "labels").rglob("b.txt")
    assert empty.read_text() == ""


def test_the_command_converts_and_checks(table, tmp_path, capsys):
    assert main(["data", "convert", str(table), str(tmp_path / "coco"), "--to", "coco"]) == 0
    assert "3 images with 3 nodules from csv to coco" in capsys.readouterr().out
    assert main(["data", "convert", str(table), str(tmp_path / "coco"), "--to", "coco"]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert main(["data", "check", str(table)]) == 0
    Image.open(table / "a.png").resize((60, 70)).save(table / "d.png")
    with (table / "boxes.csv").open("a") as stream:
        stream.write("\nd.png,,,,")
    with (table / "manifest.csv").open("a") as stream:
        stream.write("\nd.png,p9,F,1.5,1.4,12")
    assert main(["data", "check", str(table), "--against", str(tmp_path / "coco")]) == 1
    said = capsys.readouterr().out
    assert "a and a of the training set coco" in said


@pytest.mark.parametrize(("layout", "told"), [("coco", True), ("csv", False)])
def test_converting_tells_of_marks_that_are_not_all(table, tmp_path, capsys, layout, told):
    head, first, *rest = (table / "boxes.csv").read_text().split("\n")
    lines = [f"{head},exhaustive", f"{first},no", *(f"{row}," for row in rest)]
    (table / "boxes.csv").write_text("\n".join(lines))
    assert main(["data", "convert", str(table), str(tmp_path / "made"), "--to", layout]) == 0
    assert ("1 image whose nodules are not all marked" in capsys.readouterr().out) == told


@pytest.mark.parametrize(("scale", "told"), [(1.0, False), (0.5, True)])
def test_boxes_that_were_drawn_on_smaller_copies_are_told(tmp_path, scale, told):
    places = np.random.default_rng(0).uniform(10, 85, (12, 2)) * scale
    for number in range(12):
        write_png(tmp_path / f"{number}.png", picture(number, 100, 100))
    rows = [f"{number}.png,{x},{y},{x + 5},{y + 5}" for number, (x, y) in enumerate(places)]
    (tmp_path / "boxes.csv").write_text("\n".join(["file,x_min,y_min,x_max,y_max", *rows]))
    assert any("were they drawn on smaller copies" in note for note in read_dataset(tmp_path).notes) == told


def test_the_check_tells_what_reading_noted(table, tmp_path, capsys):
    text = (table / "manifest.csv").read_text()
    (table / "manifest.csv").write_text(text.replace(",12", ","))
    write_png(table / "c.png", picture(3) >> 4)
    assert main(["data", "check", str(table), "--out", str(tmp_path / "found.json")]) == 0
    note, *_ = json.loads((tmp_path / "found.json").read_text())["notes"]
    assert "(12 for 2, 8 for 1), which shows a dim one too bright" in note
    assert note in capsys.readouterr().out


def test_dicom_files_are_read_with_patients_from_their_headers_as_pseudonyms(tmp_path):
    pytest.importorskip("pydicom")
    for name, patient in (("x.dcm", "REAL-1"), ("y.dcm", "REAL-1"), ("z.dcm", "REAL-2")):
        write_dicom(tmp_path / name, picture(4, 160, 120), PatientID=patient)
    (tmp_path / "boxes.csv").write_text("file,x,y,width,height\nx.dcm,1,2,10,12\ny.dcm,,,,\nz.dcm,,,,\n")
    dataset = read_dataset(tmp_path)
    first, same, other = (image.cluster for image in dataset.images)
    assert first == same != other
    assert dataset.images[0].boxes[0].box == (1, 2, 11, 14)
    assert load_image(dataset.images[0]).spacing_mm == (1.2, 1.25)
    convert(dataset, tmp_path / "out", "coco")
    assert "REAL" not in (tmp_path / "out" / "manifest.csv").read_text()
    listed = [{"id": number, "file_name": f"{name}.dcm"} for number, name in enumerate("zx")]
    (tmp_path / "boxes.csv").unlink()
    (tmp_path / "coco.json").write_text(json.dumps({"images": listed, "annotations": [], "categories": []}))
    again = read_dataset(tmp_path)
    assert [image.cluster for image in again.images] == [other, first], "one is in a smaller set who he is in a larger"
    assert [image.strata["age"] for image in again.images] == ["61", "61"]


@pytest.fixture
def jsrt(tmp_path):
    """Two radiographs in the database's raw layout, written byte by byte."""
    (tmp_path / "All247images").mkdir()
    for name, value in (("JPCLN001.IMG", 1000), ("JPCNN001.IMG", 3000)):
        words = (value + np.add.outer(np.arange(2048), np.arange(2048)) % 1024).astype(">u2")
        words[0, 0], words[1000:1010, 500:520] = value, 0
        (tmp_path / "All247images" / name).write_bytes(words.tobytes())
    line = "JPCLN001.IMG\t5\t14\t53\tFemale\t1634\t692\tmalignant\tl.upper lobe\tlung cancer"
    (tmp_path / "CLNDAT_EN.txt").write_bytes(f"{line}\r\n".encode())
    (tmp_path / "CNNDAT_EN.TXT").write_bytes(b"JPCNN001.IMG\t61\tMale\tnon-nodule\r\n")
    return tmp_path


def test_jsrt_is_read_big_endian_inverted_and_in_mm(jsrt):
    dataset = read_dataset(jsrt)
    ill, healthy = dataset.images
    assert (ill.id, healthy.id, healthy.boxes) == ("JPCLN001", "JPCNN001", ())
    assert dict(ill.strata) == {"age": "53", "sex": "F", "view": "PA", "subtlety": "5", "kind": "malignant"}
    assert healthy.strata["sex"] == "M"
    assert ill.boxes[0].diameter_mm == 14
    assert ill.boxes[0].box == pytest.approx((1594, 652, 1674, 732))
    radiograph = load_image(ill)
    assert radiograph.spacing_mm == (0.175, 0.175)
    assert radiograph.pixels[0, 0] == pytest.approx(1 - 1000 / 4095)
    assert radiograph.pixels[1005, 510] == 1.0
    assert struct.unpack(">H", ill.path.read_bytes()[:2]) == (1000,)


def test_jsrt_without_nodules_serves_as_backgrounds(jsrt):
    served = open_backgrounds(jsrt / "All247images", "normal")
    assert [background.id for background in served.backgrounds] == ["JPCNN001.IMG"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda root: (root / "All247images" / "JPCLN001.IMG").write_bytes(b"short"),
            r"JPCLN001\.IMG: 5 bytes.*8388608",
        ),
        (
            lambda root: (root / "All247images" / "JPCLN001.IMG").unlink(),
            r"CLNDAT_EN\.txt:1: JPCLN001\.IMG is not there",
        ),
        (lambda root: (root / "CLNDAT_EN.txt").write_text("JPCLN001.IMG 5 14"), r"CLNDAT_EN\.txt:1: 1 columns"),
        (
            lambda root: (root / "CLNDAT_EN.txt").write_text("\nJPCLN001.IMG\t5\tx\t5\tMale\t1\t2"),
            r"CLNDAT_EN\.txt:2: not a",
        ),
    ],
)
def test_what_is_wrong_with_jsrt_is_named(jsrt, change, message):
    change(jsrt)
    with pytest.raises(BackgroundError, match=message):
        [load_image(image) for image in read_dataset(jsrt).images]


@pytest.mark.parametrize(
    ("layout", "file", "text", "message"),
    [
        ("csv", "boxes.csv", "file,x_min\na.png,1", r"boxes\.csv:1: the columns are file, x_min"),
        ("csv", "boxes.csv", "file,x,y,width,height\n\nq.png,1,2,3,4", r"boxes\.csv:3: .*q\.png is not there"),
        ("csv", "boxes.csv", "file,x,y,width,height\na.png,1,2,three,4", r"boxes\.csv:2: not a number"),
        ("csv", "boxes.csv", "file,x_min,y_min,x_max,y_max\na.png,30,2,20,4", r"boxes\.csv:2: .*cannot be"),
        (
            "csv",
            "boxes.csv",
            "file,x,y,width,height\na.png,1,90,10,20",
            r"boxes\.csv:2: the box .* leaves a\.png.*80 x 96",
        ),
        ("coco", "annotations.json", "{", r"annotations\.json: not valid JSON"),
        ("coco", "annotations.json", "[" * 100_000, r"annotations\.json: not valid JSON"),
        (
            "coco",
            "annotations.json",
            '{"images": [], "annotations": [1], "annotations": []}',
            r"annotations\.json: not valid JSON: the key 'annotations' occurs twice",
        ),
        ("coco", "annotations.json", '{"images": [], "annotations": null}', r"annotations\.json: not a COCO file"),
        (
            "coco",
            "annotations.json",
            '{"images": [{"id": 1, "file_name": "q.png"}], "annotations": []}',
            r"images\[0\]: q\.png",
        ),
        (
            "coco",
            "annotations.json",
            '{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"image_id": 7, "bbox": [1, 2, 3, 4]}]}',
            r"annotations\[0\]: there is no image 7",
        ),
        (
            "coco",
            "annotations.json",
            '{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"image_id": 1, "bbox": [1, 2, 3]}]}',
            r"annotations\[0\]: ",
        ),
        pytest.param("yolo", "data.yaml", "[" * 20_000, r"data\.yaml: its class names cannot be read", id="deep"),
        ("yolo", "data.yaml", "names: [person, car]", r"data\.yaml: none of its 2 classes is a nodule: person, car"),
        ("yolo", "data.yaml", "nc: 3", r"data\.yaml: its class names"),
        ("yolo", "labels/train/ghost.txt", "", r"ghost\.txt: there is no image"),
    ],
)
def test_a_fault_is_named_by_file_and_line(table, tmp_path, layout, file, text, message):
    folder = table
    if layout != "csv":
        folder = tmp_path / layout
        convert(read_dataset(table), folder, layout)
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text(text)
    with pytest.raises(BackgroundError, match=message):
        [load_image(image) for image in read_dataset(folder, layout).images]


@pytest.mark.parametrize(("cells", "told"), [("1,2,,4", "''"), ('1,2,"3,5",4', "'3,5'"), ("1,nan,3,4", "''")])
def test_a_box_with_a_cell_that_is_no_number_says_which_and_what_to_write(table, cells, told):
    (table / "boxes.csv").write_text(f"file,x_min,y_min,x_max,y_max\na.png,{cells}\n")
    with pytest.raises(BackgroundError, match=rf"boxes\.csv:2: not a number: {told}\n") as caught:
        read_dataset(table)
    assert "decimal point" in caught.value.hint
    assert "all of its cells" in caught.value.hint


def test_a_wrong_line_of_a_label_file_is_named(table, tmp_path):
    convert(read_dataset(table), tmp_path / "yolo", "yolo")
    (label,) = (tmp_path / "yolo" / "labels").rglob("a.txt")
    for text, message in (
        ("0 .5 .5 .1 .1\n0 .5 .5 .1", r"a\.txt:2: 4 numbers"),
        ("0 .99 .5 .1 .1", r"a\.txt:1: .*leaves"),
        ("0 .5 nan .1 .1", r"a\.txt:1: .*leaves"),
        ("0 .5 .5 .1 nan", r"a\.txt:1: .*leaves"),
    ):
        label.write_text(text)
        with pytest.raises(BackgroundError, match=message):
            read_dataset(tmp_path / "yolo")


def test_a_truncated_image_stops_a_conversion_and_is_named(table, tmp_path):
    whole = (table / "b.mha").read_bytes()
    (table / "b.mha").write_bytes(whole[:400])
    with pytest.raises(BackgroundError, match=r"b\.mha.*boxes\.csv:4"):
        convert(read_dataset(table), tmp_path / "out", "node21")


def test_a_folder_without_annotations_says_what_is_sought(tmp_path):
    with pytest.raises(BackgroundError, match=r"(?s)no annotated data set.*NODE21.*COCO.*YOLO.*boxes\.csv.*JSRT"):
        read_dataset(tmp_path)


def test_converted_pixels_are_those_that_were_read(table, tmp_path):
    """An MHA of 12 bits as PNG of 16 bits: the same grey values, by Pillow."""
    convert(read_dataset(table), tmp_path / "coco", "coco")
    stored = np.asarray(Image.open(tmp_path / "coco" / "images" / "b.png")).astype(float)
    assert np.abs(stored / 65535 - picture(2) / 4095).max() < 1e-5
    assert read_radiograph(tmp_path / "coco" / "images" / "b.png", spacing_mm=(1.5, 1.5), bits=16).shape == (96, 80)


@pytest.mark.parametrize("layout", ["node21", "coco", "yolo", "csv"])
def test_images_with_annotated_nodules_are_no_backgrounds(table, tmp_path, layout):
    convert(read_dataset(table), tmp_path / "made", layout)
    served = open_backgrounds(tmp_path / "made", "normal")
    assert [Path(background.id).stem for background in served.backgrounds] == ["b"]
    folders = {image.path.parent for image in read_dataset(tmp_path / "made").images if image.id == "b"}
    inner = open_backgrounds(folders.pop(), "normal")
    assert [Path(background.id).stem for background in inner.backgrounds] == ["b"]


def test_a_file_of_the_same_name_elsewhere_says_nothing_of_a_background(tmp_path):
    for folder in ("normal", "ill"):
        write_mha(tmp_path / folder / "IM1.mha", picture(1), (1.5, 1.4))
    (tmp_path / "boxes.csv").write_text("file,x,y,width,height\nill/IM1.mha,1,2,3,4\n")
    assert len(open_backgrounds(tmp_path, "normal").backgrounds) == 1
    with pytest.raises(BackgroundError, match="show annotated nodules"):
        open_backgrounds(tmp_path, "ill")


def test_files_of_one_name_in_several_folders_stay_apart(tmp_path):
    for folder in ("p1", "p2"):
        write_png(tmp_path / folder / "IM1.png", picture(1))
    (tmp_path / "boxes.csv").write_text("file,x,y,width,height\np1/IM1.png,1,2,3,4\np2/IM1.png,,,,\n")
    assert [image.id for image in read_dataset(tmp_path).images] == ["p1_IM1", "p2_IM1"]


@pytest.mark.parametrize(
    ("unit", "read"), [("mm", False), ("Percent", False), ("px", True), ("pixels", True), ("", True)]
)
def test_boxes_that_are_said_to_be_in_another_unit_are_not_read_as_pixels(table, unit, read):
    first, *rows = (table / "boxes.csv").read_text().splitlines()
    (table / "boxes.csv").write_text("\n".join([f"{first},Unit", *(f"{row},{unit}" for row in rows)]))
    if read:
        assert boxes_of(read_dataset(table)) == BOXES
        return
    with pytest.raises(BackgroundError, match=rf"boxes\.csv:2: a box in {unit}"):
        read_dataset(table)


VINDR = """file,class_name,class_id,x_min,y_min,x_max,y_max
a.png,Cardiomegaly,3,10,10,40,40
a.png,Nodule/Mass,8,50,50,60,60
b.mha,No finding,14,,,,
c.png,Pleural effusion,10,1,2,9,8
"""


def test_a_class_column_is_obeyed(table):
    (table / "boxes.csv").write_text(VINDR)
    assert boxes_of(read_dataset(table)) == {"a": [(50.0, 50.0, 60.0, 60.0)], "b": [], "c": []}
    (table / "boxes.csv").write_text(VINDR.replace("class_name", "Finding Label"))
    assert boxes_of(read_dataset(table)) == {"a": [(50.0, 50.0, 60.0, 60.0)], "b": [], "c": []}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Nodule/Mass", "Mass", r"boxes\.csv, column 'class_name': none of its 4 classes is a nodule"),
        ("Nodule/Mass", "no_nodule", "none of its 4 classes is a nodule"),
        ("Pleural effusion", "benign nodule", r"(?s)more than one.*Nodule/Mass, benign nodule.*nodule_classes\.txt"),
        ("class_name", "remark", "column 'class_id': none of its 4 classes is a nodule: 10, 14, 3, 8"),
        ("Cardiomegaly", "", r"boxes\.csv:2: a box without a class"),
    ],
)
def test_a_class_column_that_does_not_tell_is_asked_about(table, old, new, message):
    (table / "boxes.csv").write_text(VINDR.replace(old, new))
    with pytest.raises(BackgroundError, match=message):
        read_dataset(table)


def test_a_file_beside_the_data_names_the_classes_that_are_nodules(table, tmp_path):
    (table / "boxes.csv").write_text(VINDR.replace("class_name", "remark"))
    (table / "nodule_classes.txt").write_text("8\n10\n")
    assert boxes_of(read_dataset(table)) == {"a": [(50.0, 50.0, 60.0, 60.0)], "b": [], "c": [(1.0, 2.0, 9.0, 8.0)]}
    (table / "nodule_classes.txt").write_text("lump\n")
    with pytest.raises(BackgroundError, match="no class 'lump' among 10, 14, 3, 8"):
        read_dataset(table)


@pytest.mark.parametrize("layout", ["coco", "yolo"])
def test_classes_of_declared_lists_follow_the_same_rule(table, tmp_path, layout):
    convert(read_dataset(table), tmp_path / "made", layout)
    path = tmp_path / "made" / {"coco": "annotations.json", "yolo": "data.yaml"}[layout]
    if layout == "coco":
        content = json.loads(path.read_text())
        content["categories"] = [{"id": 0, "name": "no_nodule"}, {"id": 1, "name": "nodule"}]
        for one in content["annotations"][:1]:
            one["category_id"] = 0
        path.write_text(json.dumps(content))
    else:
        path.write_text("names: {0: nodule, 1: nodule-free}")
        label = next(file for file in (tmp_path / "made" / "labels").rglob("a.txt"))
        first, *rest = label.read_text().splitlines()
        label.write_text("\n".join(["1" + first[1:], *rest]))
    assert [len(boxes) for boxes in boxes_of(read_dataset(tmp_path / "made")).values()] == [1, 0, 1]
    text = path.read_text()
    path.write_text(text.replace("no_nodule", "Mass").replace("nodule-free", "Mass"))
    assert [len(boxes) for boxes in boxes_of(read_dataset(tmp_path / "made")).values()] == [2, 0, 1]
    path.write_text(text.replace("no_nodule", "benign nodule").replace("nodule-free", "benign nodule"))
    with pytest.raises(BackgroundError, match=r"(?s)more than one.*benign nodule.*nodule_classes\.txt"):
        read_dataset(tmp_path / "made")


def test_a_class_that_is_not_declared_is_an_error(table, tmp_path):
    convert(read_dataset(table), tmp_path / "yolo", "yolo")
    label = next(file for file in (tmp_path / "yolo" / "labels").rglob("a.txt"))
    label.write_text("7" + label.read_text()[1:])
    with pytest.raises(BackgroundError, match=r"a\.txt:1: the class 7 is not among the names"):
        read_dataset(tmp_path / "yolo")
    convert(read_dataset(table), tmp_path / "coco", "coco")
    path = tmp_path / "coco" / "annotations.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["category_id"] = 7
    path.write_text(json.dumps(content))
    with pytest.raises(BackgroundError, match=r"annotations\[0\]: its category_id 7 is not among the categories"):
        read_dataset(tmp_path / "coco")


def test_a_mass_beside_nodules_is_one_unless_the_user_says_otherwise(table):
    text = VINDR.replace("Pleural effusion", "Mass").replace("Nodule/Mass", "Nodule")
    (table / "boxes.csv").write_text(text)
    assert boxes_of(read_dataset(table)) == {"a": [(50.0, 50.0, 60.0, 60.0)], "b": [], "c": [(1.0, 2.0, 9.0, 8.0)]}
    (table / "nodule_classes.txt").write_text("Nodule\n")
    assert boxes_of(read_dataset(table)) == {"a": [(50.0, 50.0, 60.0, 60.0)], "b": [], "c": []}


@pytest.mark.parametrize("name", ["Lung mass", "pulmonary_mass", "Lung tumor", "Tumours"])
def test_a_mass_in_the_lung_is_a_mass(table, name):
    (table / "boxes.csv").write_text(VINDR.replace("Pleural effusion", name).replace("Nodule/Mass", "Nodule"))
    assert boxes_of(read_dataset(table))["c"] == [(1.0, 2.0, 9.0, 8.0)]


@pytest.mark.parametrize(
    ("names", "sides", "fits"),
    [
        ("image_width,image_height", "80,96", True),
        ("image_width,image_height", "160,192", False),
        ("width,height", "80,96", True),
        ("width,height", "160,192", False),
        ("width,height", "8,6", True),  # the box's own
    ],
)
def test_boxes_of_films_of_another_size_are_refused_where_the_table_tells_it(table, names, sides, fits):
    (table / "boxes.csv").write_text(
        f"file,x_min,y_min,x_max,y_max,{names}\nc.png,1,2,9,8,{sides}\na.png,,,,,{sides}\n"
    )
    (image, _) = read_dataset(table).images
    if fits:
        assert load_image(image).shape == (96, 80)
    else:
        with pytest.raises(BackgroundError, match="80 x 96 pixels, and its boxes are those of 160 x 192"):
            load_image(image)


@pytest.mark.parametrize("layout", ["csv", "node21"])
def test_decimal_commas_that_push_cells_into_other_columns_are_an_error(table, tmp_path, layout):
    convert(read_dataset(table), tmp_path / "out", layout)
    file = next(path for name in ("boxes.csv", "metadata.csv") for path in (tmp_path / "out").rglob(name))
    file.write_text(file.read_text().replace("50.5", "50,5").replace("60.25", "60,25"))
    with pytest.raises(BackgroundError, match=rf"{file.name}: cannot be read: line 3: \d+ cells under") as caught:
        read_dataset(tmp_path / "out")
    assert "decimal points" in caught.value.hint


def test_a_comma_at_the_end_of_every_row_is_no_cell(table):
    head, *rows = (table / "boxes.csv").read_text().splitlines()
    (table / "boxes.csv").write_text("\n".join([head, *(f"{row}," for row in rows)]))
    assert boxes_of(read_dataset(table)) == BOXES


def test_cells_that_say_that_they_are_empty_are_images_without_nodules(table):
    text = (table / "boxes.csv").read_text()
    (table / "boxes.csv").write_text(text.replace("b.mha,,,,", "b.mha,nan,NaN,NA,None"))
    assert boxes_of(read_dataset(table)) == BOXES


def coco_set(folder, boxes, **changes):
    """A COCO folder of one PNG of 80 x 96 pixels, beside which its JSON lies."""
    write_png(folder / "a.png", picture(1))
    (folder / "manifest.csv").write_text("file,mm_per_px_x,mm_per_px_y\na.png,1.5,1.4\n")
    kinds = [{"id": 1, "name": "nodule"}]
    marks = [{"id": n, "image_id": 1, "category_id": 1, "bbox": box} for n, box in enumerate(boxes)]
    images = [{"id": 1, "file_name": "a.png", **changes}]
    content = {"images": images, "annotations": marks, "categories": kinds}
    (folder / "annotations.json").write_text(json.dumps(content))
    return content


@pytest.mark.parametrize(
    ("delimiter", "encoding", "before"),
    [(";", "utf-8", ""), ("\t", "utf-16", ""), (";", "utf-8-sig", "sep=;\n# ours\n")],
)
def test_tables_as_spreadsheets_write_them_are_read(table, tmp_path, delimiter, encoding, before):
    convert(read_dataset(table), tmp_path / "node21", "node21")
    (metadata,) = (tmp_path / "node21").rglob("metadata.csv")
    for path in (table / "boxes.csv", table / "manifest.csv", metadata):
        text = path.read_text().replace(",", delimiter + " ")
        path.write_bytes((before + text).encode(encoding))
    for folder in (table, tmp_path / "node21"):
        dataset = read_dataset(folder)
        assert boxes_of(dataset) == BOXES
        assert [image.patient for image in dataset.images] == ["p1", "p1", "p2"]
    with (table / "boxes.csv").open("ab") as stream:
        stream.write(f"\nx.png{delimiter}".encode(encoding.replace("-16", "-16-le").replace("-sig", "")))
    line = 6 + before.count("\n")
    with pytest.raises(BackgroundError, match=rf"boxes\.csv:{line}: .*x\.png is not there"):
        read_dataset(table)


@pytest.mark.parametrize("name", ["boxes.csv", "notes.csv"])
def test_a_quote_that_is_never_closed_loses_no_rows(table, name):
    """Read leniently, the image a would have no nodule, and all three would be backgrounds."""
    rows = ["file,note,x_min,y_min,x_max,y_max", 'b.mha,"clear,,,,', *(f"{x}.png,,10,20,30,40" for x in "ac")]
    (table / "boxes.csv").unlink()
    (table / name).write_text("\n".join(rows))
    with pytest.raises(BackgroundError, match=rf"{name}: cannot be read: unexpected end of data"):
        read_dataset(table) if name == "boxes.csv" else open_backgrounds(table, "normal")


@pytest.mark.parametrize(("layout", "listed"), [("node21", "{}"), ("coco", "E:\\films\\{}"), ("csv", "old/{}")])
def test_a_manifest_knows_images_by_their_names_wherever_they_lie(table, tmp_path, layout, listed):
    convert(read_dataset(table), tmp_path / "made", layout)
    (manifest,) = (tmp_path / "made").rglob("manifest.csv")
    manifest.unlink()
    images = read_dataset(tmp_path / "made").images
    rows = [f"{listed.format(image.path.name)},p{int(image.id == 'c')},12" for image in images]
    (tmp_path / "made" / "manifest.csv").write_text("\n".join(["file,patient,bits", *rows]))
    told = [(image.patient, image.given.bits) for image in read_dataset(tmp_path / "made").images]
    assert told == [("p0", 12), ("p0", 12), ("p1", 12)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("of_image", ["1", 1.0])
def test_coco_is_read_as_programs_and_mac_os_write_it(tmp_path, encoding, of_image):
    write_png(tmp_path / "images" / "\xe4.png", picture(1))
    content = {
        "images": [{"id": 1, "file_name": "images\\a\u0308.png"}],
        "categories": [{"id": 1, "name": "nodule"}],
        "annotations": [{"id": 1, "image_id": of_image, "category_id": 1, "bbox": [30, 40, 20, 20]}],
    }
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "all.json").write_text(json.dumps(content), encoding=encoding)
    (tmp_path / "annotations" / "._all.json").write_bytes(b"\0\5\x16\7")
    assert [one.box for one in read_dataset(tmp_path).images[0].boxes] == [(30, 40, 50, 60)]


def test_boxes_in_shares_of_the_image_are_an_error(table, tmp_path):
    coco_set(tmp_path / "coco", [[0.1, 0.2, 0.3, 0.3]])
    (table / "boxes.csv").write_text("file,x_min,y_min,x_max,y_max\na.png,0.1,0.2,0.4,0.5\n")
    for folder in (tmp_path / "coco", table):
        with pytest.raises(BackgroundError, match="lies within one pixel") as caught:
            read_dataset(folder)
        assert "shares" in caught.value.hint


def test_corners_that_stand_where_sizes_should_are_an_error(tmp_path):
    coco_set(tmp_path, [[30, 40, 50, 60], [10, 20, 25, 41], [5, 50, 20, 70]])
    with pytest.raises(BackgroundError, match="every box is wider and higher than its distance"):
        read_dataset(tmp_path)
    coco_set(tmp_path, [[30, 40, 20, 20], [10, 20, 15, 21], [5, 50, 15, 20]])
    assert len(read_dataset(tmp_path).images[0].boxes) == 3


def test_boxes_that_a_program_turned_are_told_as_read_upright(tmp_path):
    content = coco_set(tmp_path, [[30, 40, 20, 10], [10, 20, 15, 21], [5, 50, 15, 20]])
    assert read_dataset(tmp_path).notes == []
    for entry, attributes in zip(content["annotations"], ({"rotation": 30.0}, {"rotation": 0.0}, []), strict=True):
        entry["attributes"] = attributes
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    told = "annotations.json: 1 box has a rotation and is read without it: draw them upright"
    assert read_dataset(tmp_path).notes == [told]


def test_boxes_of_an_image_of_another_size_are_an_error(tmp_path):
    coco_set(tmp_path, [[30, 40, 20, 20]], width=160, height=192)
    with pytest.raises(BackgroundError, match=r"a\.png: 80 x 96 pixels, and its boxes are those of 160 x 192"):
        load_image(read_dataset(tmp_path).images[0])


def test_two_images_of_one_identifier_and_an_image_in_two_lists_are_errors(tmp_path):
    content = coco_set(tmp_path, [[30, 40, 20, 20]])
    write_png(tmp_path / "b.png", picture(2))
    twice = {**content, "images": [*content["images"], {"id": 1, "file_name": "b.png"}]}
    (tmp_path / "annotations.json").write_text(json.dumps(twice))
    with pytest.raises(BackgroundError, match="2 images have 1 identifiers"):
        read_dataset(tmp_path)
    for name in ("annotations.json", "annotations_all.json"):
        (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(BackgroundError, match=r"a\.png is listed twice, first at .*annotations\.json"):
        read_dataset(tmp_path)


def test_films_that_their_names_give_to_one_patient_are_one_cluster(tmp_path):
    names = ["00000013_000.png", "00000013_005.png", "00000014_000.png"]
    for number, name in enumerate(names):
        write_png(tmp_path / name, picture(number))
    (tmp_path / "boxes.csv").write_text("file,x_min,y_min,x_max,y_max\n" + "".join(f"{name},,,,\n" for name in names))
    read = read_dataset(tmp_path)
    assert [image.cluster for image in read.images] == ["00000013", "00000013", "00000014_000"]
    assert read.notes[0].startswith("2 radiographs are of 1 patient by the names of their files")


@pytest.mark.parametrize("place", ["boxes.csv", "list.csv", "coco"])
def test_patients_of_annotated_films_are_read_whatever_their_column_is_called(tmp_path, place):
    names = ["a.png", "b.png", "c.png"]
    for number, name in enumerate(names):
        write_png(tmp_path / name, picture(number))
    if place == "coco":
        images = [{"id": n, "file_name": name, "patient_id": 7 + n // 2} for n, name in enumerate(names)]
        content = {"images": images, "annotations": [], "categories": [{"id": 1, "name": "nodule"}]}
        (tmp_path / "annotations.json").write_text(json.dumps(content))
    else:
        told = dict(zip(names, ("007", "7", "8"), strict=True))
        rows = [f"{name},,,,,{told[name] if place == 'boxes.csv' else ''}\n" for name in names]
        (tmp_path / "boxes.csv").write_text("file,x_min,y_min,x_max,y_max,PatientID\n" + "".join(rows))
        if place == "list.csv":
            (tmp_path / place).write_text("image;Subject ID\n" + "".join(f"{n};{told[n]}\n" for n in names))
    first, second, third = (image.cluster for image in read_dataset(tmp_path).images)
    assert first == second != third


@pytest.mark.parametrize(("count", "side", "taken"), [(8, 80, True), (7, 80, False), (8, 40, False)])
def test_many_boxes_in_the_middle_of_small_crops_are_no_corners(tmp_path, count, side, taken):
    rows = ["file,x,y,width,height"]
    for number in range(count):
        write_png(tmp_path / f"{number}.png", picture(number, side, side))
        rows.append(f"{number}.png,{18 + number % 3},20,30,34")
    (tmp_path / "boxes.csv").write_text("\n".join(rows) + "\n")
    if taken:
        assert read_dataset(tmp_path).images[0].boxes[0].box == (18, 20, 48, 54)
    else:
        with pytest.raises(BackgroundError, match="x_max and y_max stand"):
            read_dataset(tmp_path)


def test_a_table_of_somebody_else_that_cannot_be_read_is_passed_over(table):
    (table.parent / "prices.csv").write_bytes("gr\xf6\xdfe,preis\n1,2\n".encode("latin-1"))
    assert len(read_dataset(table).images) == 3


def test_a_patient_of_a_table_is_held_out_of_a_larger_set_too(tmp_path):
    """The split goes by a hash of the patient's name, which other patients must not change."""
    found = []
    for count in (2, 3):
        names = [f"{letter}.png" for letter in "abc"[-count:]]
        for number, name in enumerate(names):
            write_png(tmp_path / str(count) / name, picture(number))
        rows = [f"{name},,,,,{ord(name[0])}\n" for name in names]
        (tmp_path / str(count) / "boxes.csv").write_text("file,x_min,y_min,x_max,y_max,mrn\n" + "".join(rows))
        found.append({image.id: image.cluster for image in read_dataset(tmp_path / str(count)).images})
    assert found[0] == {key: found[1][key] for key in "bc"}
    assert not {"98", "99", "b", "c"} & set(found[0].values())


def test_films_without_a_patient_and_unknown_patients_are_told(table):
    manifest = (table / "manifest.csv").read_text()
    (table / "manifest.csv").write_text(manifest.replace("p1", "unknown").replace("p2", ""))
    assert list(read_dataset(table).notes) == [
        "1 radiograph has no patient, and the others have: each counts as one of its own",
        "2 radiographs are of the patient 'unknown' and count as one",
    ]


def test_scores_beside_boxes_and_films_that_are_not_listed_are_told(tmp_path, table):
    write_png(table / "d.png", picture(4))
    assert read_dataset(table).notes == ["1 radiograph beside them that the annotations do not list: left out"]
    (table / "d.png").unlink()
    (table / "boxes.csv").write_text(
        "file,x_min,y_min,x_max,y_max,Score\na.png,10,20,31,44,0.2\nb.mha,,,,\nc.png,,,,\n"
    )
    assert [note.partition(",")[0] for note in read_dataset(table).notes] == ["boxes.csv: boxes have scores"]
    content = coco_set(tmp_path, [[30, 40, 20, 20]])
    content["annotations"][0] |= {"score": 0.1, "iscrowd": 1}
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    told = " ".join(read_dataset(tmp_path, "coco").notes)
    assert "annotations.json: boxes have scores" in told
    assert "annotations.json: 1 boxes are marked iscrowd or ignore" in told


def test_a_box_that_is_not_that_of_its_own_outline_is_an_error(tmp_path):
    """One box in two corners is no chance by itself; its outline tells."""
    content = coco_set(tmp_path, [[30, 40, 20, 20]])
    outline = [[30, 40, 50, 40, 50, 60, 30, 60]]
    for bbox, right in (([30, 40, 20, 20], True), ([30, 40, 50, 60], False)):
        told = {**content["annotations"][0], "bbox": bbox, "segmentation": outline}
        (tmp_path / "annotations.json").write_text(json.dumps({**content, "annotations": [told]}))
        if right:
            assert read_dataset(tmp_path).images[0].boxes[0].box == (30, 40, 50, 60)
        else:
            with pytest.raises(BackgroundError, match=r"is not that of its segmentation, which lies in \(30, 40, 50,"):
                read_dataset(tmp_path)


def test_two_descriptions_of_one_yolo_set_that_name_classes_otherwise_are_an_error(tmp_path):
    write_png(tmp_path / "images" / "a.png", picture(1))
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (tmp_path / "data.yaml").write_text("names: [nodule, heart]\n")
    (tmp_path / "old.yml").write_text("names: {0: nodule, 1: heart}\n")
    (tmp_path / "args.yaml").write_text("epochs: 3\n")
    assert len(read_dataset(tmp_path).images[0].boxes) == 1
    (tmp_path / "old.yml").write_text("names: {0: heart, 1: nodule}\n")
    with pytest.raises(BackgroundError, match=r"old\.yml: gives the classes other names than data\.yaml"):
        read_dataset(tmp_path)


@pytest.fixture
def yolo(tmp_path):
    """Three images, of which ``a`` has a box; classes in an order that only ``data.yaml`` knows."""
    for number, name in enumerate("abc"):
        write_png(tmp_path / "images" / f"{name}.png", picture(number, 100, 100))
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("1 0.5 0.5 0.1 0.1\n")
    (tmp_path / "data.yaml").write_text("names: [heart, nodule]\n")
    return tmp_path


ONE = {"a": [(pytest.approx(45), pytest.approx(45), pytest.approx(55), pytest.approx(55))], "b": [], "c": []}


def test_what_programs_leave_among_labels_and_images_is_neither(yolo):
    (yolo / "labels" / "a.txt").rename(yolo / "labels" / "a.TXT")
    (yolo / "labels" / "classes.txt").write_text("heart\nnodule\nmass\n")
    (yolo / "labels" / "._a.txt").write_bytes(b"\0\5\x16\7")
    for name in ("._a.png", ".ipynb_checkpoints/a-checkpoint.png", "b.lung.png"):
        write_png(yolo / "images" / name, picture(9))
    assert boxes_of(read_dataset(yolo)) == ONE


def test_a_label_file_behind_a_link_that_leads_nowhere_makes_no_negative(yolo):
    (yolo / "labels" / "a.txt").unlink()
    (yolo / "labels" / "a.txt").symlink_to(yolo / "store" / "a.txt")
    with pytest.raises(BackgroundError, match=r"a\.txt: a link that leads nowhere"):
        read_dataset(yolo)


@pytest.mark.parametrize("place", ["classes.txt", "labels/classes.txt", "obj.names"])
def test_a_list_of_classes_in_another_order_is_an_error(yolo, place):
    (yolo / place).write_text("nodule\nheart\n")
    with pytest.raises(BackgroundError, match=r"gives the classes other names than data\.yaml"):
        read_dataset(yolo)


@pytest.mark.parametrize(
    ("key", "form", "refused"),
    [("bbox_mode", 0, True), ("bbox_format", "yxhw", True), ("bbox_mode", 1, False), ("bbox_mode", "XYWH_ABS", False)],
)
def test_a_box_of_coco_that_says_it_is_of_another_form_is_an_error(tmp_path, key, form, refused):
    content = coco_set(tmp_path, [[10, 20, 30, 40]])
    content["annotations"][0][key] = form
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    with pytest.raises(BackgroundError, match=key) if refused else nullcontext():
        read_dataset(tmp_path)


@pytest.mark.parametrize(
    ("x", "width", "read"), [(-0.4, 8, (0, 7.6)), (-1, 8, (0, 7)), (-1.4, 8, None), (-0.4, 0.3, None)]
)
def test_a_box_that_passes_the_left_edge_by_a_rounding_is_cut_there(tmp_path, x, width, read):
    """As one of YOLO is, and as little may lie beyond the right one."""
    coco_set(tmp_path, [[x, 20, width, 10]])
    with pytest.raises(BackgroundError, match="cannot be") if read is None else nullcontext():
        (image,) = read_dataset(tmp_path).images
        assert image.boxes[0].box == pytest.approx((read[0], 20, read[1], 30))


@pytest.mark.parametrize(("count", "refused"), [(2, False), (3, True)])
def test_corners_that_stand_where_middle_and_size_should_are_an_error(yolo, count, refused):
    corners = ["1 0.3 0.35 0.36 0.4", "1 0.25 0.3 0.3 0.36", "1 0.4 0.5 0.44 0.54"]  # of small boxes, all within
    (yolo / "labels" / "a.txt").write_text("\n".join(corners[:count]))
    with pytest.raises(BackgroundError, match="x_max and y_max stand") if refused else nullcontext():
        read_dataset(yolo)


def test_parts_of_a_yolo_set_may_be_folders_of_their_own(yolo):
    for name in ("images", "labels"):
        (yolo / "train").mkdir(exist_ok=True)
        (yolo / name).rename(yolo / "train" / name)
        (yolo / "valid" / name).mkdir(parents=True)
    (yolo / "train" / "images" / "c.png").rename(yolo / "valid" / "images" / "c.png")
    assert boxes_of(read_dataset(yolo)) == ONE


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_labels_with_few_digits_in_any_encoding_are_read(yolo, encoding):
    (yolo / "labels" / "a.txt").write_text("1 0.9 0.5 0.205 0.1\n", encoding=encoding)
    assert boxes_of(read_dataset(yolo))["a"] == [pytest.approx((79.75, 45, 100, 55))]


@pytest.mark.parametrize(("diameter", "fits"), [(25, True), (12, True), (2.5, False), (250, False)])
def test_a_diameter_that_its_box_cannot_have_is_an_error(table, diameter, fits):
    (table / "boxes.csv").write_text(f"file,x_min,y_min,x_max,y_max,diameter_mm\na.png,10,20,31,44,{diameter}\n")
    image = read_dataset(table).images[0]
    if fits:
        load_image(image)
    else:
        with pytest.raises(BackgroundError, match=rf"boxes\.csv:2: a diameter of {diameter:g} mm in a box of 31"):
            load_image(image)
