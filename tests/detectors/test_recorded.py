from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from synnodtest import Finding
from synnodtest.cli import main
from synnodtest.detectors import CallableDetector, resolve_detector
from synnodtest.detectors.findings_file import read_findings
from synnodtest.detectors.recorded import Recorder, write_findings
from synnodtest.errors import DetectorError
from synnodtest.identity import Identity, instance_key
from synnodtest.radiograph import Truth


def test_a_record_answers_as_the_detector_did(tmp_path, radiographs):
    def subject(given):
        return [[Finding((1.0, 2.0, 3.0, 4.0 + float(r.pixels[0, 0])), 0.125)] for r in given]

    recorder = Recorder(CallableDetector(subject, Identity("vendor 3.2")))
    answers = recorder.detect(radiographs)
    write_findings(tmp_path / "findings.json", recorder.findings, recorder.identity)
    replayed = resolve_detector("findings.json", base=tmp_path)
    assert replayed.detect(radiographs[::-1]) == answers[::-1]
    assert replayed.identity.name == "vendor 3.2"


def test_a_record_of_nothing_is_not_written(tmp_path):
    with pytest.raises(DetectorError, match="nothing is there to record") as refused:
        write_findings(tmp_path / "f.json", {}, Identity("x"))
    assert "--synnod-cache" in refused.value.hint
    assert not (tmp_path / "f.json").exists()


def test_a_radiograph_that_is_not_in_the_record_is_an_error_and_no_miss(tmp_path, radiographs):
    write_findings(tmp_path / "f.json", {"chest-0.png": []}, Identity("x"))
    detector = resolve_detector("f.json", base=tmp_path)
    assert detector.detect(radiographs[:1]) == [[]]
    with pytest.raises(DetectorError, match=r"chest-1\.png.*holds no findings"):
        detector.detect(radiographs[1:])


@pytest.mark.parametrize("name", ["Chest-0.PNG", "C:\\films\\chest-0.png", "/data/chest-0", "0chest-0.png "])
def test_a_name_that_is_nearly_that_of_the_radiograph_is_told(tmp_path, radiographs, name):
    write_findings(tmp_path / "f.json", {"b": [], name: []}, Identity("x"))
    with pytest.raises(DetectorError, match="holds no findings") as refused:
        resolve_detector("f.json", base=tmp_path).detect(radiographs[:1])
    assert f"it calls one {name!r}: write 'chest-0.png' there" in refused.value.hint


def test_a_file_name_stands_only_for_the_untouched_radiograph(tmp_path, radiographs):
    write_findings(tmp_path / "f.json", {"chest-0.png": []}, Identity("x"))
    truth = Truth("nodule", np.ones((2, 2), np.bool_), (5, 5), 1.0, 0.3)
    planted = replace(radiographs[0], nodules=(truth,))
    with pytest.raises(DetectorError, match="holds no findings"):
        resolve_detector("f.json", base=tmp_path).detect([planted])


def test_findings_of_a_radiograph_under_two_names_are_no_half_of_them(tmp_path, radiographs):
    text = "radiograph,x_min,y_min,x_max,y_max,score\nchest-0,1,2,30,40,0.5\nchest-0.png,{},2,30,40,0.5\n"
    (tmp_path / "f.csv").write_text(text.format(3))
    with pytest.raises(DetectorError, match=r"by 'chest-0\.png' and by 'chest-0', with other findings each"):
        resolve_detector("f.csv", base=tmp_path).detect(radiographs[:1])
    (tmp_path / "f.csv").write_text(text.format(1))
    assert len(resolve_detector("f.csv", base=tmp_path).detect(radiographs[:1])[0]) == 1


def test_a_record_may_name_dicom_files_by_their_instance(tmp_path, radiographs):
    uid = "1.2.840.113619.2.5.7"
    write_findings(tmp_path / "f.json", {uid: [Finding((1.0, 2.0, 3.0, 4.0), 0.5)], "chest-1": []}, Identity("x"))
    detector = read_findings(tmp_path / "f.json")
    film = replace(radiographs[0], instance=instance_key(uid))
    assert [len(found) for found in detector.detect([film, radiographs[1]])] == [1, 0]
    assert not detector.holds(replace(film, instance=instance_key(f"{uid}.1")))
    write_findings(tmp_path / "f.json", {uid: []}, Identity("x"))
    assert not read_findings(tmp_path / "f.json").holds(replace(film, instance="", source=f"{uid}.1", background=""))


def test_one_name_does_not_stand_for_two_radiographs(tmp_path, radiographs):
    (tmp_path / "f.csv").write_text("radiograph,x_min,y_min,x_max,y_max,score\nchest-0.png,,,,,\n")
    detector = read_findings(tmp_path / "f.csv")
    assert detector.detect([radiographs[0], radiographs[0]]) == [[], []]
    namesake = replace(radiographs[1], source=radiographs[0].source, background=radiographs[0].background)
    with pytest.raises(DetectorError, match=r"'chest-0\.png' once, and two different radiographs are called so"):
        detector.detect([namesake])


def test_what_was_recorded_without_region_masks_is_told_from_what_was_not_recorded(tmp_path, radiographs):
    mask = np.zeros(radiographs[0].shape, np.bool_)
    mask[2:4, 2:4] = True
    masked = replace(radiographs[0], regions={"lung": mask})
    recorder = Recorder(CallableDetector(lambda given: [[] for _ in given], Identity("x")))
    recorder.detect([replace(masked, regions={})])
    write_findings(tmp_path / "f.json", recorder.findings, recorder.identity)
    with pytest.raises(DetectorError) as refused:
        resolve_detector("f.json", base=tmp_path).detect([masked])
    assert "same pixels without region masks" in refused.value.hint
    assert "regions=True" in refused.value.hint


def test_csv_with_an_empty_row_for_no_finding(tmp_path, radiographs):
    (tmp_path / "f.csv").write_text(
        "radiograph,x_min,y_min,x_max,y_max,score\nchest-0,1,2,3,4,0.5\nchest-0,5,6,7,8,0.25\nb1,,,,,\nchest-2.png,0,0,9,9,1\n"
    )
    found = resolve_detector("f.csv", base=tmp_path).detect(radiographs)
    assert [len(items) for items in found] == [2, 0, 1]
    assert found[0][1] == Finding((5.0, 6.0, 7.0, 8.0), 0.25)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f.json", "{", "not a record"),
        ("f.json", "[]", "not a record"),
        ("f.json", json.dumps({"synnodtest_findings": 2, "radiographs": {}}), "must be 1"),
        ("f.json", json.dumps({"synnodtest_findings": 1}), "radiographs"),
        (
            "f.json",
            json.dumps({"synnodtest_findings": 1, "radiographs": {"a": [{"box": [1, 2, 3], "score": 1}]}}),
            r"radiographs\['a'\]\[0\]",
        ),
        ("f.json", '{"synnodtest_findings": 1, "radiographs": {"a": [], "a": []}}', "'a' occurs twice"),
        ("f.csv", "radiograph,x_min\n", "score.*missing"),
        ("f.csv", "radiograph,x_min,y_min,x_max,y_max,score\na,1,2,3,4,high\n", "line 2"),
        ("f.csv", "radiograph,x_min,y_min,x_max,y_max,score\na,1,2,3,4,0,87\n", "line 2: 7 cells under 6 columns"),
        ("f.csv", "radiograph,x_min,y_min,x_max,y_max,score,score\na,1,2,3,4,0.9,0.1\n", "'score' occurs twice"),
    ],
)
def test_a_broken_record_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(DetectorError, match=message):
        resolve_detector(name, base=tmp_path)


def test_a_record_is_not_asked_whether_it_conforms(tmp_path, capsys):
    write_findings(tmp_path / "f.json", {"chest-0.png": []}, Identity("x"))
    assert main(["conform", str(tmp_path / "f.json")]) == 1
    told = capsys.readouterr()
    assert "is a record of findings" in told.err
    assert "WRONG" not in told.out


ONE = {"a": [{"box": [1, 2, 3, 4], "score": 1}]}


def record(findings, **top):
    return json.dumps({"synnodtest_findings": 1, **top, "radiographs": findings})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f.json", record(ONE, unit="mm"), r"f\.json: the record says unit 'mm'"),
        ("f.json", record({"a": [{"box": {"0": 1, "1": 1, "2": 9, "3": 9}, "score": 1}]}), "not a list of four"),
        ("f.csv", "radiograph,x_min,y_min,x_max,y_max,score,status\na,,,,,,failed\n", "says that it failed"),
        ("f.csv", "radiograph,x_min,y_min,x_max,y_max,score,note\na,,,,,,unreadable\n", "holds no findings and says"),
        (
            "f.csv",
            "radiograph,x_min,y_min,x_max,y_max,score,remark\na,,,,,,could not be read\n",
            "holds no findings and",
        ),
        ("f.json", record({"a": []}, failed=["a"]), "says that it failed"),
        (
            "f.json",
            record({"a": [{**ONE["a"][0], "suppressed": True}]}),
            r"radiographs\['a'\]\[0\] says suppressed: True",
        ),
        ("f.csv", "radiograph,x_min,y_min,x_max,y_max,score,shown\na,1,2,3,4,1,False\n", "line 2 says shown: False"),
        ("f.json", record({"a": {}}), r"radiographs\['a'\] is {}, not a list"),
        ("f.json", record({"a": []}, errors={"a": "out of memory"}), "says that it failed"),
        ("f.json", record(ONE, bbox_mode=1), "bbox_mode 1"),
        ("f.json", record(ONE, box_format="xywh"), "box_format 'xywh'"),
        ("f.json", record({"a": [{"box": [9, 9, 9, 9], "score": 1, "format": "cxcywh"}]}), "format 'cxcywh'"),
        ("f.csv", "radiograph,x_min,y_min,x_max,y_max,score,unit\na,1,2,3,4,1,mm\n", r"f\.csv: .*unit 'mm'"),
        ("f.json", record({"a": [{"box": [0.1, 0.2, 0.3, 0.4], "score": 1}], "b": []}), "look like shares"),
        ("f.csv", "radiograph,x_min,y_min,x_max,y_max,score\na,0.1,0.2,0.3,0.4,1\n", "no edge of its 1 box is"),
        ("f.json", record({"a": [{"box": "1234", "score": 1}]}), "its box is '1234'"),
        ("f.json", record({"a": [{"box": [1, 2, 3, 4], "score": True}]}), r"\['a'\]\[0\]: .*its score True is none"),
        ("f.csv", "radiograph,x_min,y_min,x_max,y_max,score\n,1,2,3,4,1\n", "line 2 names no radiograph"),
    ],
)
def test_boxes_of_another_form_than_is_read_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(DetectorError, match=message):
        resolve_detector(name, base=tmp_path)


@pytest.mark.parametrize("names", ["image_width,image_height", "Original Width,Original Height"])
def test_findings_that_were_made_on_another_number_of_pixels_are_refused(tmp_path, radiographs, names):
    height, width = radiographs[0].shape
    text = f"radiograph,x_min,y_min,x_max,y_max,score,{names}\nchest-0,1,2,30,40,0.5,{{}},{{}}\n"
    (tmp_path / "f.csv").write_text(text.format(width, height))
    assert len(resolve_detector("f.csv", base=tmp_path).detect(radiographs[:1])[0]) == 1
    (tmp_path / "f.csv").write_text(text.format(2 * width, 2 * height))
    with pytest.raises(DetectorError, match=rf"f\.csv: {2 * width} x {2 * height} pixels, but chest-0\.png has"):
        resolve_detector("f.csv", base=tmp_path).detect(radiographs[:1])


@pytest.mark.parametrize("text", ["tall", "nan", "352.4 mm"])
def test_a_record_whose_number_of_pixels_is_no_number_is_refused(tmp_path, text):
    (tmp_path / "f.csv").write_text(f"radiograph,x_min,y_min,x_max,y_max,score,Image_Height\na,1,2,3,4,0.5,{text}\n")
    with pytest.raises(
        DetectorError, match=rf"f\.csv: line 2 says '{text}' of its image's height, which is no number of pixels"
    ):
        resolve_detector("f.csv", base=tmp_path)


@pytest.mark.parametrize("text", ["False", "no", "0"])
def test_a_column_that_denies_the_nodule_is_obeyed_as_in_json(tmp_path, text):
    rows = f"a,1,2,3,4,0.5,{text}\na,5,6,7,8,0.5,True\n"
    (tmp_path / "f.csv").write_text(f"radiograph,x_min,y_min,x_max,y_max,score,is_nodule\n{rows}")
    assert len(resolve_detector("f.csv", base=tmp_path).detector.scores()) == 1


def test_a_class_that_pandas_wrote_as_1_point_0_is_class_1(tmp_path):
    rows = "a,1,2,3,4,0.5,1.0\na,5,6,7,8,0.25,2.0\nb,,,,,,\n"
    (tmp_path / "f.csv").write_text(f"radiograph,x_min,y_min,x_max,y_max,score,label\n{rows}")
    assert resolve_detector("f.csv#1", base=tmp_path).detector.scores() == [0.5]
    with pytest.raises(DetectorError, match="the classes 1, 2"):
        resolve_detector("f.csv", base=tmp_path)


@pytest.mark.parametrize("chosen", ["nodul", "1"])
def test_a_class_that_no_finding_of_a_record_has_is_a_slip(tmp_path, chosen):
    rows = "a,1,2,3,4,0.5,Nodule\na,5,6,7,8,0.25,Mass\n"
    (tmp_path / "f.csv").write_text(f"radiograph,x_min,y_min,x_max,y_max,score,label\n{rows}")
    with pytest.raises(DetectorError, match=f"no finding has the class {chosen}, but Nodule, Mass"):
        resolve_detector(f"f.csv#{chosen}", base=tmp_path)
    assert resolve_detector("f.csv#nodule", base=tmp_path).detector.scores() == [0.5]
    (tmp_path / "f.csv").write_text((tmp_path / "f.csv").read_text().replace("Nodule", "Effusion"))
    assert resolve_detector("f.csv#nodule", base=tmp_path).detector.scores() == []  # of films without one


def test_rows_that_are_empty_name_no_radiograph(tmp_path):
    (tmp_path / "f.csv").write_text("radiograph,x_min,y_min,x_max,y_max,score,shown\na,,,,,,False\n\n,,,,,,\n")
    assert resolve_detector("f.csv", base=tmp_path).detector.reported(0.5) == (1, 0)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("f.json", record({"chest-0.png": [{"box": [1, 2, 3, 4], "score": 0.5}]}, unit="pixels")),
        ("f.csv", "radiograph,x_min,y_min,x_max,y_max,score\nchest-0.png,1,2,3,4,0.5\n"),
        ("f.csv", "sep=;\nradiograph; x_min; y_min; x_max; y_max; score\nchest-0.png;1;2;3;4;0.5\n"),
    ],
)
def test_a_record_is_read_in_any_encoding(tmp_path, radiographs, encoding, name, content):
    (tmp_path / name).write_bytes(content.encode(encoding))
    found = resolve_detector(name, base=tmp_path).detect(radiographs[:1])
    assert found == [[Finding((1.0, 2.0, 3.0, 4.0), 0.5)]]


@pytest.mark.parametrize(("count", "held"), [("2", False), ("0", True), ("", True)])
def test_a_row_that_counts_findings_and_holds_none_is_no_radiograph_without_findings(tmp_path, count, held):
    (tmp_path / "f.csv").write_text(f"radiograph,x_min,y_min,x_max,y_max,score,count\nchest-0,,,,,,{count}\n")
    if held:
        assert resolve_detector("f.csv", base=tmp_path).detector.scores() == []
        return
    with pytest.raises(DetectorError, match=r"holds 0 findings and says \{'count': 2\}"):
        resolve_detector("f.csv", base=tmp_path)
