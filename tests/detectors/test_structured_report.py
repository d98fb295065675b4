"""DICOM structured reports, read back by hand with pydicom, by highdicom, and as other vendors write them."""

from dataclasses import replace

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom", reason="structured reports need pydicom")

from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.uid import ExplicitVRLittleEndian, generate_uid  # noqa: E402

from synnodtest import Finding, Identity, Perturbation, Radiograph, write_radiograph  # noqa: E402
from synnodtest.backgrounds.readers import read_given  # noqa: E402
from synnodtest.backgrounds.reading import Given  # noqa: E402
from synnodtest.detectors import resolve_detector  # noqa: E402
from synnodtest.detectors.dicom_findings import read_objects  # noqa: E402
from synnodtest.detectors.dicom_objects import ReportedImage, image_of_file  # noqa: E402
from synnodtest.detectors.structured_report_writer import write_report  # noqa: E402
from synnodtest.errors import DetectorError  # noqa: E402
from synnodtest.identity import instance_key, planted_uid  # noqa: E402
from synnodtest.perturbations import perturb  # noqa: E402

FOUND = [Finding((10.0, 20.5, 30.0, 44.0), 0.8125), Finding((100.0, 60.0, 130.0, 95.0), 0.25)]
PA, LATERAL = "1.2.3.4.1", "1.2.3.4.2"
IDENTITY = Identity("lung CAD", "2.1")
CHEST_CAD = "1.2.840.10008.5.1.4.1.1.88.65"


def all_items(item):
    yield item
    for child in item.get("ContentSequence", []):
        yield from all_items(child)


def named(root, value):
    return [
        i for i in all_items(root) if "ConceptNameCodeSequence" in i and i.ConceptNameCodeSequence[0].CodeValue == value
    ]


def read_reports(path, chosen=()):
    return read_objects(path, chosen, ["dicom-sr"])


def answers(path, uid=PA):
    return read_reports(path).detect(
        [Radiograph(np.zeros((200, 200), np.float32), (1, 1), instance=instance_key(uid))]
    )[0]


def content(kind, relation="CONTAINS", name=None, children=(), **more):
    item = Dataset()
    item.ValueType, item.RelationshipType = kind, relation
    if name:
        item.ConceptNameCodeSequence = [coded(*name)]
    for key, value in more.items():
        setattr(item, key, value)
    if children:
        item.ContentSequence = list(children)
    return item


def coded(value, meaning, scheme="DCM"):
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def image(uid, frame=None):
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", uid
    if frame:
        reference.ReferencedFrameNumber = frame
    return content("IMAGE", "SELECTED FROM", ReferencedSOPSequence=[reference])


def region(points, images, kind="POLYLINE", name=("111041", "Outline"), value_type="SCOORD"):
    return content(value_type, "HAS PROPERTIES", name, images, GraphicType=kind, GraphicData=points)


def percent(value, code=("111012", "Certainty of Finding"), unit="%"):
    measured = Dataset()
    measured.NumericValue, measured.MeasurementUnitsCodeSequence = str(value), [coded(unit, "unit", "UCUM")]
    return content("NUM", "HAS PROPERTIES", code, MeasuredValueSequence=[measured])


def finding(*children, meaning="Pulmonary nodule"):
    return content(
        "CODE",
        "CONTAINS",
        ("111059", "Single Image Finding"),
        children,
        ConceptCodeSequence=[coded("X", meaning, "99V")],
    )


def foreign(path, *children, kind=CHEST_CAD):
    data = content("CONTAINER", "CONTAINS", ("112000", "Chest CAD Report"), children)
    del data.RelationshipType
    data.file_meta = FileMetaDataset()
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = kind
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("form", ["chest-cad", "coordinates"])
def test_what_is_written_is_read_by_hand_and_comes_back(tmp_path, form):
    path = tmp_path / "f.dcm"
    write_report(path, FOUND, ReportedImage(PA), IDENTITY, form=form)
    root = pydicom.dcmread(path)
    outlines = named(root, "111041" if form == "chest-cad" else "111030")
    corners = [np.array(o.GraphicData).reshape(-1, 2) for o in outlines]
    boxes = [(*points.min(axis=0), *points.max(axis=0)) for points in corners]
    np.testing.assert_allclose(boxes, [f.box for f in FOUND])
    assert [float(n.MeasuredValueSequence[0].NumericValue) for n in named(root, "111012")] == [81.25, 25]
    assert root.ConceptNameCodeSequence[0].CodeValue == ("112000" if form == "chest-cad" else "126000")
    if form == "chest-cad":
        assert root.SOPClassUID == CHEST_CAD
        assert root.ContentTemplateSequence[0].TemplateIdentifier == "4100"
        _, *positions = outlines[0].ContentSequence[0].ReferencedContentItemIdentifier
        pointed = root
        for position in positions:
            pointed = pointed.ContentSequence[position - 1]
        assert pointed.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == PA
    assert answers(path) == FOUND
    assert read_reports(path).identity.name == "lung CAD 2.1"


def test_highdicom_reads_the_measurement_groups_that_are_written(tmp_path):
    hd = pytest.importorskip("highdicom", reason="the independent reader")
    path = tmp_path / "f.dcm"
    write_report(path, FOUND, ReportedImage(PA), IDENTITY, form="coordinates")
    tree = hd.sr.ContentSequence.from_sequence([pydicom.dcmread(path)], is_root=True)
    regions = hd.sr.utils.find_content_items(tree[0], value_type=hd.sr.ValueTypeValues.SCOORD, recursive=True)
    boxes = [(*np.min(r.value, axis=0), *np.max(r.value, axis=0)) for r in regions]
    np.testing.assert_allclose(boxes, [f.box for f in FOUND])


def test_a_report_without_findings_is_silence_on_its_image_and_on_no_other(tmp_path):
    write_report(tmp_path / "f.dcm", [], ReportedImage(PA), IDENTITY)
    assert answers(tmp_path / "f.dcm") == []
    with pytest.raises(DetectorError, match="holds no findings for this radiograph"):
        answers(tmp_path / "f.dcm", LATERAL)


def test_reports_answer_for_the_dicom_files_they_name(tmp_path, chest_like):
    image_path, planted_path = tmp_path / "a.dcm", tmp_path / "b.dcm"
    write_radiograph(chest_like, image_path, bits=12)
    planted = chest_like.with_pixels(np.minimum(chest_like.pixels + np.float32(0.01), 1))
    write_radiograph(planted, planted_path, bits=12)
    (tmp_path / "reports").mkdir()
    write_report(tmp_path / "reports" / "1.dcm", FOUND, image_of_file(image_path), IDENTITY)
    uid = planted_uid(planted.content_sha256(), 12)
    write_report(tmp_path / "reports" / "2.dcm", FOUND[:1], ReportedImage(uid), IDENTITY)
    assert pydicom.dcmread(planted_path).SOPInstanceUID == uid
    detector = resolve_detector("reports", base=tmp_path)
    assert detector.detect([chest_like, planted]) == [FOUND, FOUND[:1]]


def test_a_report_answers_for_a_foreign_file_by_its_uid_unless_the_file_was_turned(tmp_path, chest_like):
    path = tmp_path / "a.dcm"
    write_radiograph(replace(chest_like, spacing_mm=(2.0, 2.0)), path, bits=12)
    stored = pydicom.dcmread(path)
    stored.SOPInstanceUID = stored.file_meta.MediaStorageSOPInstanceUID = PA
    stored.save_as(path)
    write_report(tmp_path / "f.dcm", FOUND, image_of_file(path), IDENTITY)
    detector = resolve_detector(str(tmp_path / "f.dcm"))
    assert detector.detect([read_given(path, Given())]) == [FOUND]
    assert detector.detect([read_given(path, Given(spacing_mm=(2.1, 2.1)))]) == [FOUND]
    with pytest.raises(DetectorError, match=r"names 1 image, not a\.dcm"):
        detector.detect([read_given(path, Given(rotate_deg=180))])


def test_a_perturbed_radiograph_is_not_answered_by_the_report_of_its_file(tmp_path):
    write_report(tmp_path / "f.dcm", [], ReportedImage(PA), IDENTITY)
    film = Radiograph(np.full((90, 90), 0.4, np.float32), (1, 1), instance=instance_key(PA), source="a.dcm")
    detector = read_reports(tmp_path / "f.dcm")
    assert detector.detect([film]) == [[]]
    assert perturb(film, (Perturbation("gamma", 1),), 0) is film
    with pytest.raises(DetectorError, match="holds no findings"):
        detector.detect([perturb(film, (Perturbation("gamma", 1.2),), 0)])
    with pytest.raises(DetectorError, match="holds no findings"):
        detector.detect([replace(film, altered=True)])


def test_findings_on_several_images_go_each_to_its_own(tmp_path):
    views = [
        region([1, 2, 11, 22], [image(PA)], "MULTIPOINT"),
        region([50, 60, 70, 90], [image(LATERAL)], "MULTIPOINT"),
    ]
    path = foreign(tmp_path / "f.dcm", finding(percent(60), *views))
    assert answers(path) == [Finding((1, 2, 11, 22), 0.6)]
    assert answers(path, LATERAL) == [Finding((50, 60, 70, 90), 0.6)]


def test_every_graphic_type_gives_its_box(tmp_path):
    shapes = [
        ([100, 50, 103, 54], "CIRCLE", (95, 45, 105, 55)),
        ([90, 50, 110, 50, 100, 45, 100, 55], "ELLIPSE", (90, 45, 110, 55)),
        ([96, 47, 104, 53, 97, 54, 103, 46], "ELLIPSE", None),
        ([20.5, 30.5], "POINT", (20, 30, 21, 31)),
        ([5, 6, 9, 6, 9, 8, 5, 6], "POLYLINE", (5, 6, 9, 8)),
    ]
    path = foreign(tmp_path / "f.dcm", *(finding(region(points, [image(PA)], kind)) for points, kind, _ in shapes))
    for found, (points, _, box) in zip(answers(path), shapes, strict=True):
        if box is None:
            ends = np.array(points, dtype=float).reshape(4, 2)
            centre, turn = ends[:2].mean(axis=0), np.linspace(0, 2 * np.pi, 3601)[:, None]
            drawn = centre + np.cos(turn) * (ends[1] - centre) + np.sin(turn) * (ends[3] - centre)
            box = (*drawn.min(axis=0), *drawn.max(axis=0))
        np.testing.assert_allclose(found.box, box, atol=1e-3)
        assert found.score == 1


def test_score_comes_from_certainty_then_probability_and_is_inherited(tmp_path):
    nested = content(
        "CONTAINER", "CONTAINS", ("111034", "Impression"), [percent(40), finding(region([0, 0, 2, 2], [image(PA)]))]
    )
    cancer = percent(0.7, ("111047", "Probability of cancer"), "1")
    both = finding(cancer, percent(90), region([4, 4, 8, 8], [image(PA)]))
    alone = finding(cancer, region([4, 4, 8, 8], [image(PA)]))
    assert [f.score for f in answers(foreign(tmp_path / "f.dcm", nested, both, alone))] == [0.4, 0.9, 0.7]


def test_what_is_not_for_presentation_and_what_is_no_nodule_is_no_finding(tmp_path):
    hidden = content(
        "CODE", "HAS CONCEPT MOD", ("111056", "Rendering Intent"), ConceptCodeSequence=[coded("111152", "Not for")]
    )
    spot = region([0, 0, 2, 2], [image(PA)])
    path = foreign(tmp_path / "f.dcm", finding(hidden, spot), finding(spot, meaning="Pneumothorax"), finding(spot))
    assert len(answers(path)) == 1
    chosen = read_reports(path, ["pneumothorax"]).detect(
        [Radiograph(np.zeros((9, 9), np.float32), (1, 1), instance=instance_key(PA))]
    )
    assert len(chosen[0]) == 1


SPOT = [0, 0, 2, 2]


@pytest.mark.parametrize(
    ("children", "message"),
    [
        ([finding(region([0, 0, 0, 2, 2, 2], [], "POLYGON", value_type="SCOORD3D"))], "patient's frame of reference"),
        ([finding(region(SPOT, [image(PA), image(LATERAL)]))], "coordinates on 2 images"),
        ([finding(region(SPOT, []))], "coordinates on no images"),
        ([finding(region(SPOT, [image(PA, 3)]))], "frame 3 of a series"),
        ([finding(region(SPOT, [image(PA)], "SPLINE"))], "'SPLINE' is not known"),
        ([finding(percent(140), region(SPOT, [image(PA)]))], "140 % is no share"),
        *(
            ([content("CODE", "CONTAINS", of, ConceptCodeSequence=[coded(*says)])], "its silence is no answer")
            for of, says in (
                (("111017", "Summary"), ("111245", "No algorithms succeeded")),
                (("111064", "Summary of Detections"), ("111224", "Failed")),
                (("111064", "Summary of Detections"), ("111225", "Not Attempted")),
            )
        ),
        (
            [content("NUM", "CONTAINS", ("G-A185", "Long Axis"), [region(SPOT, [image(PA)])])],
            "belong to measurements alone",
        ),
        (
            [finding(region([0, 0, 2], [image(PA)]))],
            "damaged structured report",
        ),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused_in_words(tmp_path, children, message):
    with pytest.raises(DetectorError, match=message):
        read_reports(foreign(tmp_path / "f.dcm", *children))


def test_two_reports_on_one_image_several_algorithms_and_other_files_are_refused(tmp_path):
    write_report(tmp_path / "a.dcm", FOUND, ReportedImage(PA), IDENTITY)
    write_report(tmp_path / "b.dcm", [], ReportedImage(PA), IDENTITY)
    with pytest.raises(DetectorError, match="a second report on one image"):
        read_reports(tmp_path)
    write_report(tmp_path / "b.dcm", [], ReportedImage(LATERAL), Identity("other"))
    with pytest.raises(DetectorError, match=r"several algorithms: lung CAD 2\.1, other"):
        read_reports(tmp_path)
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "x.txt").write_text("no report")
    with pytest.raises(DetectorError, match="no DICOM structured report"):
        read_reports(tmp_path / "none")
    with pytest.raises(DetectorError, match=r"SOP class 1\.2\.840\.10008\.5\.1\.4\.1\.1\.1"):
        read_reports(foreign(tmp_path / "image.dcm", kind="1.2.840.10008.5.1.4.1.1.1"))


@pytest.fixture
def chest_like():
    steps = np.arange(150 * 140, dtype=np.float32).reshape(150, 140) % 4096
    return Radiograph(pixels=(steps / 4095).astype(np.float32), spacing_mm=(0.7, 0.7))
