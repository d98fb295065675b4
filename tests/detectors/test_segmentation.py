"""DICOM segmentations: written ones read by highdicom, and those that highdicom writes read here."""

from copy import deepcopy

import numpy as np
import pytest

from synnodtest import Finding, Identity
from synnodtest.detectors import resolve_detector
from synnodtest.detectors.dicom_objects import ReportedImage
from synnodtest.detectors.segmentation_writer import write_segmentation
from synnodtest.detectors.stated_certainty import stated_certainty
from synnodtest.errors import DetectorError

pydicom = pytest.importorskip("pydicom", reason="objects of findings need pydicom")
hd = pytest.importorskip("highdicom", reason="the independent reader and writer of segmentations")

from pydicom.sr.codedict import codes  # noqa: E402
from pydicom.uid import generate_uid  # noqa: E402

from tests.detectors.dicom_films import COLUMNS, LATERAL, PA, ROWS, answers, boxes, film  # noqa: E402

FOUND = [Finding((10.0, 20.0, 30.0, 44.0), 0.8125), Finding((60.0, 61.0, 64.0, 95.0), 0.25)]
IMAGE = ReportedImage(PA, shape=(ROWS, COLUMNS))
IDENTITY = Identity("lung CAD", "2.1")


def segment(number=1, label="Nodule", kind=None, category=None, **more):
    algorithm = hd.AlgorithmIdentificationSequence(
        name="other CAD", version="3", family=codes.DCM.ArtificialIntelligence
    )
    return hd.seg.SegmentDescription(
        number,
        label,
        category or codes.SCT.MorphologicallyAbnormalStructure,
        kind or codes.SCT.Nodule,
        "AUTOMATIC",
        algorithm,
        **more,
    )


def foreign(path, pixels, segments, kind="BINARY", change=lambda data: None, **more):
    """Write pixels (frame, row, column[, segment]) as highdicom does."""
    made = hd.seg.Segmentation(
        [film()], pixels, kind, segments, generate_uid(), 1, generate_uid(), 1, "Other", "CAD", "3", "0", **more
    )
    change(made)
    made.save_as(path)
    return path


def blank(count=1, dtype=np.uint8):
    return np.zeros((count, ROWS, COLUMNS), dtype)


def test_highdicom_reads_the_masks_that_are_written_and_they_come_back(tmp_path):
    path = tmp_path / "f.dcm"
    write_segmentation(path, FOUND, IMAGE, IDENTITY)
    read = hd.seg.segread(path)
    masks = read.get_pixels_by_source_instance([PA], segment_numbers=[1, 2])[0]
    for number, found in enumerate(FOUND):
        rows, columns = np.nonzero(masks[..., number])
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == found.box
    description = read.get_segment_description(1)
    assert description.segmented_property_type == codes.SCT.Nodule
    assert description.algorithm_identification.name == "lung CAD"
    assert answers(path) == FOUND
    detector = resolve_detector(str(path))
    assert detector.identity.name == "lung CAD 2.1"


def test_nothing_found_is_written_as_an_empty_segment_and_read_as_silence(tmp_path):
    write_segmentation(tmp_path / "f.dcm", [], IMAGE, IDENTITY)
    assert not hd.seg.segread(tmp_path / "f.dcm").pixel_array.any()
    assert answers(tmp_path / "f.dcm") == []
    with pytest.raises(DetectorError, match=r"names 1 image, not film\.dcm"):
        answers(tmp_path / "f.dcm", LATERAL)


def test_a_box_between_pixels_is_the_pixel_of_its_middle_and_one_outside_is_refused(tmp_path):
    write_segmentation(tmp_path / "f.dcm", [Finding((5.6, 5.6, 6.2, 6.2), 0.5)], IMAGE, IDENTITY)
    assert boxes(answers(tmp_path / "f.dcm")) == [(5, 5, 6, 6)]
    with pytest.raises(DetectorError, match="lies outside an image of 90 x 120"):
        write_segmentation(tmp_path / "f.dcm", [Finding((95, 5, 99, 9), 0.5)], IMAGE, IDENTITY)
    with pytest.raises(DetectorError, match="the size of its image is not known"):
        write_segmentation(tmp_path / "f.dcm", [], ReportedImage(PA), IDENTITY)


def over_two_films(data):
    """Put the second frame on the lateral film: highdicom writes a single one where there is no frame of reference."""
    frames = data.PerFrameFunctionalGroupsSequence
    second = frames[1] = deepcopy(frames[1])
    second.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 1
    second.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID = LATERAL
    del data.SegmentSequence[1]


def test_frames_go_to_the_images_they_were_made_from(tmp_path):
    pixels = np.zeros((1, ROWS, COLUMNS, 2), np.uint8)
    pixels[0, 20:30, 10:15, 0], pixels[0, 50:52, 40:44, 1] = 1, 1
    path = foreign(tmp_path / "f.dcm", pixels, [segment(1), segment(2)], change=over_two_films)
    assert answers(path) == [Finding((10, 20, 15, 30), 1.0)]
    assert answers(path, LATERAL) == [Finding((40, 50, 44, 52), 1.0)]


def test_an_image_that_is_named_and_has_no_frame_is_silence(tmp_path):
    def names_the_lateral_too(data):
        named = data.ReferencedSeriesSequence[0].ReferencedInstanceSequence
        named.append(pydicom.Dataset())
        named[1].ReferencedSOPClassUID, named[1].ReferencedSOPInstanceUID = named[0].ReferencedSOPClassUID, LATERAL

    pixels = blank()
    pixels[0, 20:30, 10:15] = 1
    path = foreign(tmp_path / "f.dcm", pixels, [segment()], change=names_the_lateral_too)
    assert boxes(answers(path)) == [(10, 20, 15, 30)]
    assert answers(path, LATERAL) == []


def test_overlapping_segments_are_findings_of_their_own_and_state_their_certainty(tmp_path):
    pixels = np.zeros((1, ROWS, COLUMNS, 2), np.uint8)
    pixels[0, 20:30, 10:15, 0], pixels[0, 25:40, 12:20, 1] = 1, 1

    def describe(data):
        data.SegmentSequence[0].SegmentDescription = "solid, confidence: 0.75"
        data.SegmentSequence[1].SegmentDescription = "probability 12.5 %"

    path = foreign(tmp_path / "f.dcm", pixels, [segment(1), segment(2, "Nodule 2")], change=describe)
    assert answers(path) == [Finding((10, 20, 15, 30), 0.75), Finding((12, 25, 20, 40), 0.125)]


def test_separate_parts_are_findings_unless_the_segment_is_tracked(tmp_path):
    pixels = blank()
    pixels[0, 20:30, 10:15], pixels[0, 30, 15], pixels[0, 60:70, 40:50] = 1, 1, 1
    path = foreign(tmp_path / "f.dcm", pixels, [segment()])
    assert boxes(answers(path)) == [(10, 20, 16, 31), (40, 60, 50, 70)]
    path = foreign(tmp_path / "f.dcm", pixels, [segment(tracking_uid=generate_uid(), tracking_id="one")])
    assert boxes(answers(path)) == [(10, 20, 50, 70)]


def test_a_fractional_segment_is_boxed_at_half_its_peak_and_scored_by_it(tmp_path):
    y, x = np.mgrid[:ROWS, :COLUMNS]
    pixels = np.stack([0.5 * np.exp(-((y - 60) ** 2 + (x - 45) ** 2) / (2 * 6.0**2))]).astype(np.float32)
    path = foreign(tmp_path / "f.dcm", pixels, [segment()], kind="FRACTIONAL")
    (found,) = answers(path)
    stored = np.rint(pixels[0] * 255)
    rows, columns = np.nonzero(stored >= stored.max() / 2)
    assert found.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert found.score == stored.max() / 255
    path = foreign(tmp_path / "f.dcm", pixels, [segment()], kind="FRACTIONAL", fractional_type="OCCUPANCY")
    assert answers(path)[0].score == 1
    pixels[0] += 0.3 * np.exp(-((y - 60) ** 2 + (x - 70) ** 2) / (2 * 4.0**2)).astype(np.float32)
    with pytest.raises(DetectorError, match=r"f\.dcm: segment 1 \(Nodule\) has several peaks that run into each other"):
        answers(foreign(tmp_path / "f.dcm", pixels, [segment()], kind="FRACTIONAL"))


def test_a_label_map_holds_every_segment_in_one_frame(tmp_path):
    pixels = blank()
    pixels[0, 20:30, 10:15], pixels[0, 60:64, 40:50] = 1, 2
    path = foreign(tmp_path / "f.dcm", pixels, [segment(1), segment(2, "Nodule 2")], kind="LABELMAP")
    assert boxes(answers(path)) == [(10, 20, 15, 30), (40, 60, 50, 64)]


def test_what_is_no_nodule_is_left_out_and_named_where_nothing_is_one(tmp_path):
    pixels = np.zeros((1, ROWS, COLUMNS, 2), np.uint8)
    pixels[0, 20:30, 10:15, 0], pixels[0, 60:64, 40:50, 1] = 1, 1
    effusion = segment(2, "Effusion", codes.SCT.PleuralEffusion)
    path = foreign(tmp_path / "f.dcm", pixels, [segment(), effusion])
    assert boxes(answers(path)) == [(10, 20, 15, 30)]
    assert boxes(answers(path, chosen=["effusion"])) == [(40, 60, 50, 64)]
    with pytest.raises(DetectorError, match="no finding has the class nodul, but Nodule"):
        answers(path, chosen=["nodul"])  # a slip would leave out all of it without a word
    lesion = segment(1, "Lesion 1", codes.SCT.Lesion)
    path = foreign(tmp_path / "f.dcm", pixels[..., 0], [lesion])
    with pytest.raises(DetectorError, match="nothing in it is a nodule by its name: Lesion") as raised:
        answers(path)
    assert "f.dcm#Lesion" in raised.value.hint
    assert boxes(answers(path, chosen=["Lesion"])) == [(10, 20, 15, 30)]
    lung = segment(1, "Lung", codes.SCT.Lung, codes.SCT.AnatomicalStructure)
    with pytest.raises(DetectorError, match=r"all of its segments are anatomy \(Lung\)"):
        answers(foreign(tmp_path / "f.dcm", pixels[..., 0], [lung]), chosen=["nodule"])


def test_another_size_is_refused_by_name(tmp_path):
    path = foreign(tmp_path / "f.dcm", blank(), [segment()], omit_empty_frames=False)
    with pytest.raises(DetectorError, match=r"f\.dcm: 90 x 120 pixels, but film\.dcm has 180 x 240") as raised:
        answers(path, shape=(240, 180))
    assert "radiograph's own pixel grid" in raised.value.hint


def source_of(data):
    return data.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence


def on_frame(data):
    source_of(data)[0].ReferencedFrameNumber = 3


def on_two_images(data):
    source_of(data).append(pydicom.Dataset())
    source_of(data)[1].ReferencedSOPInstanceUID = LATERAL


def elsewhere(data):
    source_of(data)[0].SpatialLocationsPreserved = "REORIENTED_ONLY"


def on_nothing(data):
    del data.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence
    del data.ReferencedSeriesSequence


def overrated(data):
    data.SegmentSequence[0].SegmentDescription = "score 7"


def halved(data):
    data.Rows = 60
    data.PixelData = data.PixelData[: len(data.PixelData) // 4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (on_frame, "frame 1 lies on frame 3 of a series"),
        (on_two_images, "frame 1 lies on 2 images"),
        (on_nothing, "frame 1 lies on no images"),
        (elsewhere, "frame 1 is not on the pixels of its image"),
        (overrated, "segment 1: 'score 7' is no share of 0 to 1 nor a percentage"),
        (halved, "damaged segmentation"),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused_with_the_name_of_the_file(tmp_path, change, message):
    pixels = blank()
    pixels[0, 20:30, 10:15] = 1
    with pytest.raises(DetectorError, match=rf"f\.dcm: {message}"):
        answers(foreign(tmp_path / "f.dcm", pixels, [segment()], change=change))


def test_a_frame_without_a_source_lies_on_the_only_image_that_is_named(tmp_path):
    pixels = blank()
    pixels[0, 20:30, 10:15] = 1

    def unsourced(data):
        del data.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence

    assert boxes(answers(foreign(tmp_path / "f.dcm", pixels, [segment()], change=unsourced))) == [(10, 20, 15, 30)]


@pytest.mark.parametrize(
    ("text", "share"), [("score 0.25", 0.25), ("certainty 35 % of 2 readers", 0.35), ("score: 1", 1)]
)
def test_a_stated_certainty_is_a_share(text, share):
    assert stated_certainty(text) == share


@pytest.mark.parametrize("text", ["score 1/5", "confidence: 1 of 4", "score 1 out of 10"])
def test_a_grade_on_a_scale_is_no_share(text):
    with pytest.raises(ValueError, match="is no share of 0 to 1"):
        stated_certainty(text)
