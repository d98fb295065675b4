"""DICOM presentation states: written ones read by hand, and those that highdicom writes read here."""

import numpy as np
import pytest

from synnodtest import Finding, Identity
from synnodtest.detectors import resolve_detector
from synnodtest.detectors.dicom_findings import read_objects
from synnodtest.detectors.dicom_objects import ReportedImage
from synnodtest.detectors.presentation_state_writer import write_presentation_state
from synnodtest.detectors.segmentation_writer import write_segmentation
from synnodtest.errors import DetectorError

pydicom = pytest.importorskip("pydicom", reason="objects of findings need pydicom")
hd = pytest.importorskip("highdicom", reason="the independent writer of presentation states")

from pydicom.uid import generate_uid  # noqa: E402

from tests.detectors.dicom_films import COLUMNS, LATERAL, PA, ROWS, answers, boxes, film  # noqa: E402

FOUND = [Finding((10.0, 20.5, 30.0, 44.0), 0.8125), Finding((60.0, 61.0, 64.0, 95.25), 0.25)]
IMAGE = ReportedImage(PA, shape=(ROWS, COLUMNS))
IDENTITY = Identity("lung CAD", "2.1")
LAYER = hd.pr.GraphicLayer("FINDINGS", 1)
SQUARE = ("POLYLINE", [[10, 20], [15, 20], [15, 30], [10, 30], [10, 20]])
BOX = (10, 20, 15, 30)


def graphic(kind, points, units="PIXEL", group=None):
    return hd.pr.GraphicObject(kind, np.array(points, float), units, graphic_group=group)


def text(words, group=None):
    return hd.pr.TextObject(words, "PIXEL", anchor_point=(1.0, 1.0), graphic_group=group)


def annotation(*graphics, texts=(), layer=LAYER, films=None):
    return hd.pr.GraphicAnnotation(
        films or [film()], layer, graphic_objects=list(graphics) or None, text_objects=list(texts) or None
    )


def foreign(path, *annotations, films=None, layers=(LAYER,), groups=None, change=lambda data: None):
    made = hd.pr.GrayscaleSoftcopyPresentationState(
        films or [film()],
        generate_uid(),
        1,
        generate_uid(),
        1,
        "Other",
        "CAD",
        "3",
        "0",
        "MARKS",
        graphic_annotations=list(annotations) or None,
        graphic_layers=list(layers) or None,
        graphic_groups=groups,
    )
    change(made)
    made.save_as(path)
    return path


def test_what_is_written_is_read_by_hand_and_comes_back(tmp_path):
    path = tmp_path / "f.dcm"
    write_presentation_state(path, FOUND, IMAGE, IDENTITY)
    data = pydicom.dcmread(path)
    for item, found in zip(data.GraphicAnnotationSequence, FOUND, strict=True):
        drawn = item.GraphicObjectSequence[0]
        points = np.array(drawn.GraphicData).reshape(-1, 2)
        assert (drawn.GraphicType, drawn.GraphicAnnotationUnits, drawn.NumberOfGraphicPoints) == (
            "POLYLINE",
            "PIXEL",
            5,
        )
        assert (*points.min(axis=0), *points.max(axis=0)) == found.box
        assert item.ReferencedImageSequence[0].ReferencedSOPInstanceUID == PA
    assert data.DisplayedAreaSelectionSequence[0].DisplayedAreaBottomRightHandCorner == [COLUMNS, ROWS]
    assert answers(path) == FOUND
    assert resolve_detector(str(path)).identity.name == "lung CAD 2.1"
    write_presentation_state(path, [], IMAGE, IDENTITY)
    assert answers(path) == []


def test_every_graphic_of_another_writer_gives_its_box(tmp_path):
    shapes = [
        (*SQUARE, BOX),
        ("CIRCLE", [[50, 40], [53, 44]], (45, 35, 55, 45)),
        ("ELLIPSE", [[40, 50], [60, 50], [50, 45], [50, 55]], (40, 45, 60, 55)),
        ("POINT", [[20.5, 30.5]], (20, 30, 21, 31)),
        ("INTERPOLATED", [[5, 6], [9, 6], [9, 8], [5, 6]], (5, 6, 9, 8)),
    ]
    path = foreign(tmp_path / "f.dcm", annotation(*(graphic(kind, points) for kind, points, _ in shapes)))
    assert answers(path) == [Finding(box, 1.0) for _, _, box in shapes]
    assert resolve_detector(str(path)).identity.name == "CAD 3"


def shown(data, first, last, rotation=0, flip="N"):
    """Have the data show pixels ``first`` (top left) to ``last``, after rotation and flip."""
    area = data.DisplayedAreaSelectionSequence[0]
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = list(first), list(last)
    data.ImageRotation, data.ImageHorizontalFlip = rotation, flip


def displayed(pixels, rotation, flip):
    """Return pixels as they are shown: rotated clockwise, then flipped (PS3.3 C.10.6)."""
    turned = np.rot90(pixels, -rotation // 90)
    return turned[:, ::-1] if flip == "Y" else turned


@pytest.mark.parametrize("flip", ["N", "Y"])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [False, True])
def test_shares_of_the_displayed_area_are_found_on_the_image_however_it_is_turned(tmp_path, rotation, flip, crop):
    top, left, bottom, right = (12, 7, 100, 71) if crop else (0, 0, ROWS, COLUMNS)
    y, x = np.mgrid[:ROWS, :COLUMNS]
    seen_x, seen_y = (displayed(axis[top:bottom, left:right], rotation, flip) for axis in (x, y))
    marked = displayed(((y >= 30) & (y < 44) & (x >= 20) & (x < 26))[top:bottom, left:right], rotation, flip)
    rows, columns = np.nonzero(marked)
    height, width = marked.shape
    low, high = (columns.min() / width, rows.min() / height), ((columns.max() + 1) / width, (rows.max() + 1) / height)
    outline = graphic("POLYLINE", [low, (high[0], low[1]), high, (low[0], high[1]), low], "DISPLAY")
    corners = [(int(seen_x[at]) + 1, int(seen_y[at]) + 1) for at in ((0, 0), (-1, -1))]
    path = foreign(tmp_path / "f.dcm", annotation(outline), change=lambda data: shown(data, *corners, rotation, flip))
    np.testing.assert_allclose(answers(path)[0].box, (20, 30, 26, 44), atol=1e-4)


def test_a_certainty_is_read_where_it_is_clear_what_it_belongs_to(tmp_path):
    groups = [hd.pr.GraphicGroup(1, "first"), hd.pr.GraphicGroup(2, "second")]
    alone = annotation(graphic(*SQUARE), texts=[text("Nodule\nconfidence: 0.75")])
    circle = ("CIRCLE", [[50, 40], [53, 44]])
    grouped = annotation(
        graphic(*SQUARE, group=groups[0]),
        graphic("POINT", [[2.5, 25.5]], group=groups[0]),
        graphic(*circle, group=groups[1]),
        texts=[text("probability 12.5 %", groups[1]), text("certainty 50%", groups[0])],
    )
    path = foreign(tmp_path / "f.dcm", alone, grouped, groups=groups)
    assert answers(path) == [Finding(BOX, 0.75), Finding((2, 20, 15, 30), 0.5), Finding((45, 35, 55, 45), 0.125)]
    for words in ("confidence 0.75", "Nodule"):
        both = annotation(graphic(*SQUARE), graphic(*circle), texts=[text(words)])
        with pytest.raises(DetectorError, match=rf"f\.dcm: the text '{words}' stands beside 2 graphics"):
            answers(foreign(tmp_path / "f.dcm", both))


def test_an_annotation_lies_on_the_images_it_names_else_on_all(tmp_path):
    films = [film(), film(LATERAL)]
    path = foreign(tmp_path / "f.dcm", annotation(graphic(*SQUARE), films=films[1:]), films=films)
    assert answers(path) == []
    assert boxes(answers(path, LATERAL)) == [BOX]

    def on_all(data):
        del data.GraphicAnnotationSequence[0].ReferencedImageSequence

    path = foreign(tmp_path / "f.dcm", annotation(graphic(*SQUARE)), films=films, change=on_all)
    assert boxes(answers(path)) == boxes(answers(path, LATERAL)) == [BOX]


def test_names_of_layers_and_texts_decide_what_is_a_nodule(tmp_path):
    nodules, heart = hd.pr.GraphicLayer("NODULES", 1), hd.pr.GraphicLayer("HEART", 2)
    both = [annotation(graphic(*SQUARE), layer=nodules), annotation(graphic("POINT", [[3.5, 3.5]]), layer=heart)]
    with pytest.raises(DetectorError, match=r"graphics on several layers \(HEART, NODULES\)"):
        answers(foreign(tmp_path / "f.dcm", *both, layers=[nodules, heart]))
    assert boxes(answers(tmp_path / "f.dcm", chosen=["nodules"])) == [BOX]
    mixed = [
        annotation(graphic(*SQUARE), texts=[text("Nodule, 12 mm")]),
        annotation(graphic("POINT", [[3.5, 3.5]]), texts=[text("Effusion")]),
    ]
    path = foreign(tmp_path / "f.dcm", *mixed)
    assert boxes(answers(path)) == [BOX]
    with pytest.raises(DetectorError, match="nothing in it is a nodule by its name: Effusion"):
        answers(foreign(tmp_path / "f.dcm", mixed[1]))
    assert boxes(answers(tmp_path / "f.dcm", chosen=["effusion"])) == [(3, 3, 4, 4)]


def compound(kind, points):
    """Have a compound graphic stand for the simple one that draws it again."""

    def change(data):
        item = data.GraphicAnnotationSequence[0]
        made = pydicom.Dataset()
        made.CompoundGraphicInstanceID, made.CompoundGraphicType, made.CompoundGraphicUnits = 1, kind, "PIXEL"
        made.GraphicDimensions, made.NumberOfGraphicPoints, made.GraphicData = 2, 2, points
        item.CompoundGraphicSequence = [made]
        item.GraphicObjectSequence[0].CompoundGraphicInstanceID = 1

    return change


def test_a_compound_rectangle_is_one_finding_and_not_two(tmp_path):
    path = foreign(tmp_path / "f.dcm", annotation(graphic(*SQUARE)), change=compound("RECTANGLE", [10, 20, 15, 30]))
    assert boxes(answers(path)) == [BOX]


def on_frame(data):
    data.GraphicAnnotationSequence[0].ReferencedImageSequence[0].ReferencedFrameNumber = 2


def unlisted(data):
    data.GraphicAnnotationSequence[0].ReferencedImageSequence[0].ReferencedSOPInstanceUID = "1.2.9"


def of_a_slide(data):
    data.GraphicAnnotationSequence[0].GraphicObjectSequence[0].GraphicAnnotationUnits = "MATRIX"


def no_area(data):
    data.GraphicAnnotationSequence[0].GraphicObjectSequence[0].GraphicAnnotationUnits = "DISPLAY"
    del data.DisplayedAreaSelectionSequence


def odd(data):
    data.GraphicAnnotationSequence[0].GraphicObjectSequence[0].GraphicData = [1, 2, 3]


def splined(data):
    data.GraphicAnnotationSequence[0].GraphicObjectSequence[0].GraphicType = "SPLINE"


def twice(data):
    no_area(data)
    area = pydicom.Dataset()
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [1, 1], [2, 2]
    data.DisplayedAreaSelectionSequence = [area, area]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (on_frame, "graphics on frame 2 of a series"),
        (unlisted, "graphics on an image that the state does not list"),
        (of_a_slide, "graphics in units 'MATRIX'"),
        (no_area, "graphics in shares of a displayed area that is not stated"),
        (twice, "damaged presentation state: the displayed area of one image is specified twice"),
        (odd, "damaged presentation state"),
        (splined, "damaged presentation state: graphic type 'SPLINE' is not known"),
        (compound("ARROW", [10, 20, 15, 30]), "a graphic of type 'ARROW' encloses nothing"),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused_with_the_name_of_the_file(tmp_path, change, message):
    with pytest.raises(DetectorError, match=rf"f\.dcm: {message}"):
        answers(foreign(tmp_path / "f.dcm", annotation(graphic(*SQUARE)), change=change))


def test_a_line_an_ambiguous_circle_a_saved_window_and_an_overlay_are_no_findings(tmp_path):
    with pytest.raises(DetectorError, match="a line of two points encloses nothing"):
        answers(foreign(tmp_path / "f.dcm", annotation(graphic("POLYLINE", [[1, 2], [9, 9]]))))
    circle = annotation(graphic("CIRCLE", [[0.5, 0.5], [0.6, 0.5]], "DISPLAY"))

    def oblong(data):
        data.DisplayedAreaSelectionSequence[0].PresentationPixelAspectRatio = [2, 1]

    assert boxes(answers(foreign(tmp_path / "f.dcm", circle))) == [pytest.approx((36, 51, 54, 69), abs=1e-4)]
    with pytest.raises(DetectorError, match="whose pixels are not square"):
        answers(foreign(tmp_path / "f.dcm", circle, change=oblong))
    with pytest.raises(DetectorError, match="a window that somebody saved is no answer"):
        answers(foreign(tmp_path / "f.dcm", layers=()))

    def overlaid(data):
        data.add_new(0x60001001, "CS", "FINDINGS")

    with pytest.raises(DetectorError, match="an overlay of pixels"):
        answers(foreign(tmp_path / "f.dcm", layers=(), change=overlaid))


def test_a_folder_of_several_kinds_is_read_where_no_image_is_spoken_of_twice(tmp_path):
    write_presentation_state(tmp_path / "a.dcm", FOUND[:1], IMAGE, IDENTITY)
    write_segmentation(tmp_path / "b.dcm", [], ReportedImage(LATERAL, shape=(ROWS, COLUMNS)), IDENTITY)
    assert answers(tmp_path) == FOUND[:1]
    assert answers(tmp_path, LATERAL) == []
    write_segmentation(tmp_path / "b.dcm", [], IMAGE, IDENTITY)
    with pytest.raises(DetectorError, match=r"b\.dcm: a second report on one image, beside .*a\.dcm") as raised:
        answers(tmp_path)
    assert f"dicom-seg:{tmp_path}" in raised.value.hint
    assert len(read_objects(tmp_path, (), ["dicom-pr"])._findings) == 1
    assert resolve_detector(f"dicom-seg:{tmp_path}").identity.name == "lung CAD 2.1"
    with pytest.raises(DetectorError, match="no DICOM structured report with findings is in this folder"):
        resolve_detector(f"dicom-sr:{tmp_path}")
