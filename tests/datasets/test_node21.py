"""NODE21 folders: what is in them is read, what is wrong with them is named."""

import numpy as np
import pytest

from synnodtest.annotated.dataset_set import DatasetSet
from synnodtest.errors import BackgroundError
from synnodtest.phantom.mha_writer import write_picture

pytestmark = pytest.mark.usefixtures("unturned")

HEADER = ",height,img_name,label,width,x,y"


@pytest.fixture
def folder(tmp_path):
    base = tmp_path / "set" / "cxr_images" / "proccessed_data"
    (base / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("n0001.mha", "c0001.mha"):
        write_picture(base / "images" / name, rng.random((64, 80), dtype=np.float32), (4.0, 2.0))
    rows = [HEADER, "0,10,n0001.mha,1,20,30,40", "1,8,n0001.mha,1,8,1,2", "2,0,c0001.mha,0,0,0,0"]
    (base / "metadata.csv").write_text("\n".join(rows))
    return tmp_path / "set"


def rewrite(folder, line, text):
    table = folder / "cxr_images" / "proccessed_data" / "metadata.csv"
    rows = table.read_text().splitlines()
    rows[line - 1] = text
    table.write_text("\n".join(rows))


def test_boxes_become_truth(folder):
    data = DatasetSet(folder)
    assert [case.id for case in data.cases] == ["n0001", "c0001"]
    radiograph = data.load(data.cases[0])
    assert radiograph.shape == (64, 80)
    assert [truth.box for truth in radiograph.nodules] == [(30.0, 40.0, 50.0, 50.0), (1.0, 2.0, 9.0, 10.0)]
    # An ellipse of 20 x 10 pixels of 2 x 4 mm is a disc of 40 mm.
    assert radiograph.nodules[0].diameter_mm == pytest.approx(40.0)
    assert data.load(data.cases[1]).nodules == ()


def test_the_measured_truth_of_a_phantom_set_is_taken(folder):
    truth = "img_name,name,x_min,y_min,x_max,y_max,diameter_mm,contrast,requested\nn0001.mha,a,30,40,50,50,4.2,0.3,{}\n"
    (folder / "cxr_images" / "proccessed_data" / "truth.csv").write_text(truth)
    data = DatasetSet(folder)
    assert data.load(data.cases[0]).nodules[0].diameter_mm == 4.2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,10,n0009.mha,1,20,30,40", r"metadata\.csv:2: .*n0009\.mha is not there"),
        ("0,10,n0001.mha,2,20,30,40", r"metadata\.csv:2: label is '2'"),
        ("0,ten,n0001.mha,1,20,30,40", r"metadata\.csv:2: not a number"),
        ("0,0,n0001.mha,1,20,30,40", r"metadata\.csv:2: .*cannot be"),
        ("0,10,../n0001.mha,1,20,30,40", r"metadata\.csv:2: img_name"),
        ("0,10,n0001.mha,0,20,30,40", r"(?s)metadata\.csv:2: label 0 with a box.*swapped"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(folder, text, message):
    rewrite(folder, 2, text)
    with pytest.raises(BackgroundError, match=message):
        DatasetSet(folder)


def test_a_swapped_column_is_named(folder):
    rewrite(folder, 2, "0,10,n0001.mha,1,20,40,60")
    data = DatasetSet(folder)
    with pytest.raises(BackgroundError, match=r"metadata\.csv:2: the box .* leaves n0001\.mha.*"):
        data.load(data.cases[0])


def test_a_missing_column_and_a_missing_data_set_are_named(folder, tmp_path):
    rewrite(folder, 1, ",height,img_name,label,width,x")
    with pytest.raises(BackgroundError, match=r"column\(s\) y"):
        DatasetSet(folder)
    with pytest.raises(BackgroundError, match="no such folder"):
        DatasetSet(tmp_path / "nothing")


def test_a_truncated_image_is_named(folder):
    image = folder / "cxr_images" / "proccessed_data" / "images" / "n0001.mha"
    image.write_bytes(image.read_bytes()[:300])
    data = DatasetSet(folder)
    with pytest.raises(BackgroundError, match=r"n0001\.mha.*metadata\.csv:2"):
        data.load(data.cases[0])


def test_both_spellings_and_a_bare_folder_are_read(folder):
    base = folder / "cxr_images" / "proccessed_data"
    base.rename(folder / "cxr_images" / "processed_data")
    assert len(DatasetSet(folder).cases) == 2
    (folder / "cxr_images" / "processed_data" / "images").rename(folder / "Images")
    (folder / "cxr_images" / "processed_data" / "metadata.csv").rename(folder / "metadata.csv")
    assert len(DatasetSet(folder).cases) == 2


def test_a_patient_is_never_on_both_sides_whatever_the_layout(folder):
    rows = (
        "file,patient\ncxr_images/proccessed_data/images/n0001.mha,p1\ncxr_images/proccessed_data/images/c0001.mha,p1\n"
    )
    (folder / "manifest.csv").write_text(rows)
    assert {case.cluster for case in DatasetSet(folder).cases} == {"p1"}
