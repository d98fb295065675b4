"""Forms of files that people have: each is read right, refused with what to do, or noted; none is silently another."""

import gzip
import importlib.util
import json
import re
import sys
import warnings
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from synnodtest.backgrounds import FolderSet, open_backgrounds, read_radiograph, tables
from synnodtest.backgrounds.columns import spelt_otherwise
from synnodtest.backgrounds.entries import Entry
from synnodtest.backgrounds.estimates import Estimates
from synnodtest.backgrounds.manifest import read_manifest
from synnodtest.datasets import load_image, read_dataset
from synnodtest.errors import BackgroundError

from .formats_page import formats_page
from .radiograph_files import chest, write_dicom, write_mha, write_png

ROOT = Path(__file__).resolve().parents[2]
SPACING = (1.5, 1.4)


def same(radiograph, truth, spacing=None):
    np.testing.assert_allclose(radiograph.pixels, truth, atol=1 / 255)
    assert spacing is None or radiograph.spacing_mm == pytest.approx(spacing)


def refused(match, path, **options):
    with pytest.raises(BackgroundError, match=match) as caught:
        read_radiograph(path, **options)
    assert caught.value.hint
    return caught.value


@pytest.fixture
def unestimated(monkeypatch):
    """Leave the regions of a film as given: estimating them takes longer than all that is asked of a film here."""
    monkeypatch.setattr(Estimates, "completed", lambda self, radiograph, content: radiograph)


@pytest.fixture(scope="module")
def adult():
    """An upright chest of 512 x 512 pixels, as 16 bits, and its spacing."""
    served = open_backgrounds(None, "normal", 1)
    whole = served.load(served.backgrounds[0])
    pixels = np.asarray(Image.fromarray(whole.pixels).resize((512, 512), Image.Resampling.BOX))
    return np.rint(pixels * 65535).astype(np.uint16), tuple(mm * whole.shape[0] / 512 for mm in whole.spacing_mm)


def table(says, top, entries=4096):
    from pydicom.dataset import Dataset

    item = Dataset()
    item.LUTDescriptor = [entries, 0, says]
    item.LUTData = np.rint(np.linspace(0, top, entries)).astype("<u2").tobytes()
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "OW"
    return [item]


@pytest.mark.usefixtures("unturned")
class TestRangeOfFloats:
    @pytest.mark.parametrize(("low", "high"), [(0.0, 1.05), (0.0, 1.00008), (-0.03, 1.0), (-0.02, 1.08)])
    def test_a_small_overshoot_is_clipped_and_noted(self, tmp_path, low, high):
        picture = (chest(bits=12) / 4095).astype(np.float32)
        picture[8:14, 8:14], picture[20:24, 8:14] = high, low
        radiograph = read_radiograph(write_mha(tmp_path / "a.mha", picture))
        same(radiograph, np.clip(picture, 0, 1))
        assert "were clipped" in radiograph.notes[0]

    @pytest.mark.parametrize("top", [1.3, 255.0, 4095.0, 4095.4])
    def test_other_floats_need_the_manifests_word(self, tmp_path, top):
        picture = (chest(bits=12) / 4095 * top).astype(np.float32)
        picture[0, 0] = top
        path = write_mha(tmp_path / "a.mha", picture)
        assert "bits" in refused("range is not known", path).hint
        if top > 2:
            bits = 8 if top == 255 else 12
            same(read_radiograph(path, bits=bits), np.clip(picture / (2**bits - 1), 0, 1))


@pytest.mark.usefixtures("unturned")
class TestSpacing:
    pytest.importorskip("pydicom")

    @pytest.mark.parametrize(
        "tags",
        [
            {"ImageType": ["DERIVED", "SECONDARY"]},
            {"PixelSpacingCalibrationType": "FIDUCIAL"},
            {"PixelSpacingCalibrationType": "GEOMETRY"},
            {"EstimatedRadiographicMagnificationFactor": "1.2"},
        ],
    )
    def test_a_calibrated_or_derived_pixel_spacing_counts(self, tmp_path, tags):
        path = write_dicom(
            tmp_path / "a.dcm", chest(bits=12), ImagerPixelSpacing=[1.44, 1.68], PixelSpacing=[1.2, 1.4], **tags
        )
        radiograph = read_radiograph(path)
        assert radiograph.spacing_mm == (1.2, 1.4)
        assert any("PixelSpacing counts" in note for note in radiograph.notes)

    @pytest.mark.parametrize(
        "tags", [{}, {"PixelSpacingCalibrationType": "OTHER", "ImageType": ["DERIVED", "PRIMARY"]}]
    )
    def test_two_spacings_without_a_reason_are_refused(self, tmp_path, tags):
        path = write_dicom(tmp_path / "a.dcm", chest(bits=12), PixelSpacing=[1.9, 1.9], **tags)
        assert "mm_per_px_x" in refused("differ", path).hint
        assert read_radiograph(path, spacing_mm=SPACING).spacing_mm == SPACING

    def test_rounding_is_no_difference(self, tmp_path):
        path = write_dicom(tmp_path / "a.dcm", chest(bits=12), PixelSpacing=[1.201, 1.251])
        assert read_radiograph(path).spacing_mm == (1.201, 1.251)

    @pytest.mark.parametrize(
        ("tags", "note"),
        [
            ({"EstimatedRadiographicMagnificationFactor": "1.15"}, "a magnification is not applied (1.15)"),
            ({"EstimatedRadiographicMagnificationFactor": "1"}, ""),
            ({"PixelAspectRatio": [2, 1]}, "PixelAspectRatio contradicts the spacing, which is obeyed (2:1)"),
            ({"PixelAspectRatio": [96, 100]}, ""),
        ],
    )
    def test_what_bears_on_the_spacing_and_is_not_applied_is_noted(self, tmp_path, tags, note):
        radiograph = read_radiograph(write_dicom(tmp_path / "a.dcm", chest(bits=12), **tags))
        assert radiograph.spacing_mm == (1.2, 1.25)
        told = [one for one in radiograph.notes if "magnification" in one or "Aspect" in one]
        assert [note in one for one in told] == [True] * bool(note)

    @pytest.mark.parametrize("name", ["a.mha", "a.mhd", "a.dcm"])
    def test_exactly_one_millimetre_needs_the_manifests_word(self, tmp_path, name):
        picture = chest(bits=12)
        if name == "a.dcm":
            path = write_dicom(tmp_path / name, picture, ImagerPixelSpacing=None, PixelSpacing=[1, 1])
        else:
            path = write_mha(tmp_path / name, picture, (1, 1), data_file="LOCAL" if name == "a.mha" else "a.raw")
        refused("exactly 1 mm", path)
        assert read_radiograph(path, spacing_mm=(1.0, 1.0)).spacing_mm == (1.0, 1.0)

    @pytest.mark.parametrize(
        ("spacing", "match"), [((0.14, 0.14), "no chest"), ((4, 4), "no chest"), ((1, 2.5), "no radiograph")]
    )
    def test_what_makes_no_chest_is_refused(self, tmp_path, spacing, match):
        path = write_png(tmp_path / "a.png", chest())
        refused(match, path, spacing_mm=spacing)

    @pytest.mark.parametrize(("share", "told"), [(1.0, False), (0.62, True)])
    def test_narrow_lungs_are_noted_as_of_a_smaller_copy_with_the_spacing_of_its_original(
        self, tmp_path, adult, share, told
    ):
        pixels, (row, column) = adult
        path = write_png(tmp_path / "a.png", pixels)
        notes = read_radiograph(path, spacing_mm=(row * share, column * share)).notes
        assert any(note.startswith("lungs narrower than an adult's") for note in notes) == told

    def test_narrow_lungs_of_an_adult_are_refused_in_backgrounds_and_annotated_films(
        self, tmp_path, adult, unestimated
    ):
        """As in RSNA's copies of NIH films, whose headers keep the spacing of before and the age."""
        pixels, spacing = adult
        write_png(tmp_path / "a.png", pixels)
        (tmp_path / "boxes.csv").write_text("file,x_min,y_min,x_max,y_max\na.png,,,,\n")
        row, column = (0.62 * side for side in spacing)

        def load(age, accept=""):
            line = f"a.png,{age},{column},{row},{accept}\n"
            (tmp_path / "manifest.csv").write_text("file,age,mm_per_px_x,mm_per_px_y,accept\n" + line)
            served = FolderSet(tmp_path, "normal")
            load_image(read_dataset(tmp_path).images[0])
            served.load(served.backgrounds[0])

        for age, accept in (("", ""), ("7", ""), ("051Y", "size"), ("0-20", ""), ("24-36 months", ""), ("<60", "")):
            load(age, accept)
        for age in ("90+", ">89", "60-69", "51.5"):
            with pytest.raises(BackgroundError, match=f"the patient is {re.escape(age)} years old"):
                load(age)
        with pytest.raises(BackgroundError, match=r"a\.png: lungs narrower .* mm\), and the patient is 51 years old"):
            load("051Y")
        served = FolderSet(tmp_path, "normal")
        with pytest.raises(BackgroundError, match="51 years old"):
            served.load(served.backgrounds[0])

    def test_a_narrow_chest_is_noted(self, tmp_path):
        radiograph = read_radiograph(write_png(tmp_path / "a.png", chest()), spacing_mm=(1.0, 1.0))
        assert "narrower than an adult's chest (160 mm)" in radiograph.notes


@pytest.mark.usefixtures("unturned")
class TestRangeOfDicom:
    pytest.importorskip("pydicom")

    @pytest.mark.parametrize(("says", "top"), [(16, 4095), (16, 1023), (14, 4095), (8, 4095), (0, 4095)])
    @pytest.mark.parametrize("window", [{}, {"WindowCenter": 2048, "WindowWidth": 4096}])
    def test_a_table_is_taken_by_what_it_holds(self, tmp_path, says, top, window):
        picture = chest(bits=12)
        radiograph = read_radiograph(
            write_dicom(tmp_path / "a.dcm", picture, VOILUTSequence=table(says, top), **window)
        )
        same(radiograph, picture / 4095)
        assert any("largest entry" in note for note in radiograph.notes)

    def test_a_table_that_holds_what_it_says_is_only_noted_as_applied(self, tmp_path):
        radiograph = read_radiograph(write_dicom(tmp_path / "a.dcm", chest(bits=12), VOILUTSequence=table(12, 4095)))
        assert radiograph.notes[0] == "shown through its VOI LUT"

    def test_bits_that_no_value_uses_are_noted(self, tmp_path):
        picture = chest(bits=12)
        radiograph = read_radiograph(write_dicom(tmp_path / "a.dcm", picture, bits=16))
        same(radiograph, picture / 4095)
        assert radiograph.notes[0] == "12 bits by its largest value of BitsStored 16"

    def test_pixels_at_the_upper_end_of_their_words_are_shifted(self, tmp_path):
        picture = chest(bits=12)
        same(read_radiograph(write_dicom(tmp_path / "a.dcm", picture << 4, HighBit=15)), picture / 4095)

    @pytest.mark.parametrize(
        ("fields", "match"),
        [
            ({"HighBit": 15}, "bits outside"),
            ({"BitsStored": 10, "HighBit": 9}, "bits outside"),
            ({"BitsStored": 20}, "cannot be together"),
            ({"VOILUTFunction": "CUBIC", "WindowCenter": 2048, "WindowWidth": 4096}, "VOILUTFunction"),
            ({"WindowCenter": 30000, "WindowWidth": 100}, "all pixels have the same value|range of its values"),
            ({"WindowCenter": 32768, "WindowWidth": 65536}, "range of its values"),
            ({"WindowCenter": 50, "WindowWidth": 100}, "range of its values|same value"),
            ({"RescaleSlope": 0}, "RescaleSlope"),
        ],
    )
    def test_a_range_that_cannot_be_is_refused(self, tmp_path, fields, match):
        refused(match, write_dicom(tmp_path / "a.dcm", np.maximum(chest(bits=12), 300), **fields))

    @pytest.mark.parametrize("extra", [2, 320, 40960])
    def test_more_pixels_than_rows_times_columns_are_refused(self, tmp_path, extra):
        picture = chest(bits=12)
        refused(
            "more pixels than rows",
            write_dicom(tmp_path / "a.dcm", picture, PixelData=picture.tobytes() + b"\7" * extra),
        )

    def test_a_display_shutter_is_told(self, tmp_path):
        path = write_dicom(tmp_path / "a.dcm", chest(bits=12), ShutterShape="RECTANGULAR")
        assert "display shutter is not applied (RECTANGULAR)" in read_radiograph(path).notes

    def test_padding_is_noted_and_bits_of_the_manifest_go_before_the_window(self, tmp_path):
        picture = np.maximum(chest(bits=12), 1)
        picture[:, :20] = 0
        path = write_dicom(tmp_path / "a.dcm", picture, PixelPaddingValue=0, WindowCenter=9000, WindowWidth=100)
        radiograph = read_radiograph(path, bits=12)
        same(radiograph, picture / 4095)
        assert any("padding" in note for note in radiograph.notes)


FOREIGN = {
    "body part HAND": {"BodyPartExamined": "HAND"},
    "body part SKULL": {"BodyPartExamined": "SKULL"},
    "body part 'XR Hand PA'": {"SeriesDescription": "XR Hand PA", "StudyDescription": "Chest and hand"},
    "body part 'H\xfcfte links'": {"StudyDescription": "H\xfcfte links", "SpecificCharacterSet": "ISO_IR 100"},
    "modality MG": {"Modality": "MG"},
    "modality PX": {"Modality": "PX"},
    "modality RF": {"Modality": "RF"},
    r"modality \(none\)": {"Modality": None},
    "SOP class Digital Mammography": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.2"},
    "presentation intent FOR PROCESSING": {"PresentationIntentType": "FOR PROCESSING"},
    "view LL": {"ViewPosition": "LL"},
    "view RAO": {"ViewPosition": "RAO"},
    "view 'Chest lateral'": {"ViewPosition": None, "SeriesDescription": "Chest lateral"},
    "view 'THORAX SEITLICH'": {"ViewPosition": "", "ProtocolName": "THORAX SEITLICH"},
    r"patient orientation A\\F: a lateral view": {"PatientOrientation": ["A", "F"]},
    r"patient orientation L\\H": {"PatientOrientation": ["L", "H"]},
    r"patient orientation R\\F": {"PatientOrientation": ["R", "F"]},
}


@pytest.mark.usefixtures("unturned")
class TestDicomAllowList:
    pytest.importorskip("pydicom")

    @pytest.mark.parametrize("reason", FOREIGN)
    def test_what_is_no_frontal_chest_is_left_out_of_flat_folders_and_refused_by_name(self, tmp_path, reason):
        write_dicom(tmp_path / "good.dcm", chest(bits=12), PatientID="a")
        bad = write_dicom(tmp_path / "bad.dcm", chest(bits=12, seed=1), PatientID="b", **FOREIGN[reason])
        served = FolderSet(tmp_path, "normal")
        assert [background.id for background in served.backgrounds] == ["good.dcm"]
        assert any(note.startswith("1 DICOM file was left out") for note in served.notes)
        assert "accept" in refused(reason, bad).hint

    @pytest.mark.parametrize(
        ("says", "fields"),
        [
            ("a picture in colour (RGB)", {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}),
            ("a picture in colour (PALETTE COLOR)", {"PhotometricInterpretation": "PALETTE COLOR"}),
            ("a picture of several frames", {"NumberOfFrames": 2}),
        ],
    )
    def test_captured_reports_and_loops_among_radiographs_are_left_out(self, tmp_path, says, fields):
        write_dicom(tmp_path / "good.dcm", chest(bits=12), PatientID="a")
        bad = write_dicom(tmp_path / "bad.dcm", chest(bits=12, seed=1), PatientID="b", **fields)
        served = FolderSet(tmp_path, "normal")
        assert [background.id for background in served.backgrounds] == ["good.dcm"]
        assert f"1 DICOM file was left out: {says}" in served.notes
        with pytest.raises(BackgroundError, match=r"2 frames|photometric interpretation"):
            read_radiograph(bad)
        (tmp_path / "good.dcm").unlink()
        with pytest.raises(BackgroundError, match=re.escape(says)):
            FolderSet(tmp_path, "normal")

    def test_a_view_by_code_counts_by_its_meaning(self, tmp_path):
        from pydicom.dataset import Dataset

        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "399348003", "SCT", "lateral"
        path = write_dicom(tmp_path / "a.dcm", chest(bits=12), ViewPosition=None, ViewCodeSequence=[code])
        refused("view lateral", path)
        code.CodeMeaning = "projection frontale"
        read_radiograph(write_dicom(path, chest(bits=12), ViewPosition=None, ViewCodeSequence=[code]))
        code.CodeMeaning = "antero-posterior"
        write_dicom(path, chest(bits=12), ViewPosition=None, ViewCodeSequence=[code])
        read_radiograph(path)

    @pytest.mark.parametrize(
        "fields",
        [
            {"BodyPartExamined": "CHEST"}, {"BodyPartExamined": "PORT CHEST"}, {"ViewPosition": "AP SUPINE"},
            {"PatientOrientation": ["L", "F"]}, {"Modality": "CR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1"},
            {"ViewPosition": "PA", "SeriesDescription": "CHEST PA AND LAT"},
            {"SeriesDescription": "PA erect", "StudyDescription": "XR THORAX UND ABDOMEN"},
            {"BodyPartExamined": "CHEST", "StudyDescription": "Hand"},
            {"SeriesDescription": "Chest PA", "StudyDescription": "Hand and chest"},
            {"PresentationIntentType": "FOR PRESENTATION"}, {"ViewPosition": "AP SEMI ERECT"},
        ],
    )  # fmt: skip
    def test_frontal_chests_are_taken(self, tmp_path, fields):
        same(read_radiograph(write_dicom(tmp_path / "a.dcm", chest(bits=12), **fields)), chest(bits=12) / 4095)

    @pytest.mark.parametrize(("kind", "taken"), [("", True), (".1", True), (".1.1", False), (".2", False)])
    def test_a_header_without_modality_and_class_is_judged_by_the_class_of_its_file(self, tmp_path, kind, taken):
        """VinDr-CXR's files tell sex, age, spacing and pixels, and nothing else."""
        import pydicom

        path = write_dicom(tmp_path / "a.dicom", chest(bits=12), Modality=None, PatientID=None, ViewPosition=None)
        data = pydicom.dcmread(path)
        data.file_meta.MediaStorageSOPClassUID = f"1.2.840.10008.5.1.4.1.1.1{kind}"
        del data.SOPClassUID
        data.save_as(path)
        if taken:
            assert not any("modality" in note for note in read_radiograph(path).notes)
        else:
            refused(r"modality \(none\)", path)

    def test_a_body_part_in_words_with_accents_is_known(self, tmp_path):
        from pydicom.dataset import Dataset

        part = Dataset()
        part.CodeValue, part.CodingSchemeDesignator, part.CodeMeaning = "51185008", "SCT", "T\xf3rax"
        fields = {"AnatomicRegionSequence": [part], "SpecificCharacterSet": "ISO_IR 100"}
        read_radiograph(write_dicom(tmp_path / "a.dcm", chest(bits=12), **fields))

    def test_the_manifest_may_say_that_a_header_is_wrong(self, tmp_path):
        write_dicom(tmp_path / "a.dcm", chest(bits=12), BodyPartExamined="HAND")
        (tmp_path / "manifest.csv").write_text("file,accept\na.dcm,body_part\n")
        assert len(FolderSet(tmp_path, "normal").backgrounds) == 1


@pytest.fixture(scope="module")
def phantom():
    """An upright chest of 256 x 240 pixels, 0..1."""
    served = open_backgrounds(None, "normal", 1)
    pixels = served.load(served.backgrounds[0]).pixels
    return np.asarray(Image.fromarray(pixels).resize((240, 256), Image.Resampling.BOX))


class TestOrientationAndPolarity:
    def write(self, path, pixels):
        return write_png(path, np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8))

    @pytest.mark.parametrize("clockwise", [90, 180, 270])
    def test_a_turned_chest_is_refused_and_turned_back_on_the_manifests_word(self, tmp_path, phantom, clockwise):
        path = self.write(tmp_path / "a.png", np.rot90(phantom, clockwise // 90))
        assert f"write {clockwise} " in refused("does not stand upright", path, spacing_mm=(1.6, 1.6)).hint
        same(read_radiograph(path, spacing_mm=(1.6, 1.6), rotate_deg=clockwise), phantom, (1.6, 1.6))

    def test_a_negative_is_refused_and_inverted_on_the_manifests_word(self, tmp_path, phantom):
        path = self.write(tmp_path / "a.png", 1 - phantom)
        assert "polarity" in refused("negative", path, spacing_mm=(1.6, 1.6)).hint
        same(read_radiograph(path, spacing_mm=(1.6, 1.6), polarity="inverted"), phantom)

    def test_a_monochrome1_that_is_stored_as_monochrome2_is_refused(self, tmp_path, phantom):
        pytest.importorskip("pydicom")
        stored = np.rint(np.clip(phantom, 0, 1) * 4095).astype(np.uint16)
        refused(
            "negative",
            write_dicom(tmp_path / "a.dcm", stored, photometric="MONOCHROME1", ImagerPixelSpacing=[1.6, 1.6]),
        )

    @pytest.mark.parametrize("turn", range(2, 9))
    def test_exif_turns_as_pillow_does_and_is_noted(self, tmp_path, turn):
        exif = Image.Exif()
        exif[0x0112] = turn
        Image.fromarray(chest()).save(tmp_path / "a.jpg", quality=95, exif=exif)
        radiograph = read_radiograph(tmp_path / "a.jpg", spacing_mm=(1.4, 1.4))
        with Image.open(tmp_path / "a.jpg") as picture:
            same(radiograph, np.asarray(ImageOps.exif_transpose(picture)) / 255)
        assert radiograph.notes[0] == f"EXIF orientation {turn} applied"

    def test_wrong_dimensions_and_swapped_bytes_are_refused(self, tmp_path, phantom):
        stored = np.rint(np.clip(phantom, 0, 1) * 4095).astype(np.uint16)
        refused("do not continue", write_mha(tmp_path / "a.mha", stored, (1.6, 1.6), DimSize="256 240"))
        refused(
            "byte order|exceeds|do not", write_mha(tmp_path / "b.mha", stored, (1.6, 1.6), BinaryDataByteOrderMSB=True)
        )


class TestManifestColumns:
    @pytest.mark.parametrize("name", ["patient", "patient_id", "Patient ID", "PatientID", "PATIENT-ID", "Subject ID"])
    def test_the_patient_is_known_however_the_column_is_written(self, tmp_path, name):
        (tmp_path / "manifest.csv").write_text(f"file,{name},Sex,ViewPosition,PixelSpacing\na.png,P1,F,PA,0.14\\0.15\n")
        row = read_manifest(tmp_path / "manifest.csv").rows[0]
        assert (row.patient, row.given.spacing_mm) == ("P1", (0.14, 0.15))
        assert dict(row.strata) == {"sex": "F", "view": "PA"}

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("pateint", "patient"), ("patients", "patient"), ("Patient Nr", "patient"), ("patient_name", "patient"),
            ("mm_per_px", "mm_per_px_x"), ("mm_per_pixel_y", "mm_per_px_y"), ("pixel_size", "mm_per_px_x"),
            ("bit", "bits"),
            ("gendr", "sex"), ("spacing", "mm_per_px_x"), ("rotat_deg", "rotate_deg"), ("polarty", "polarity"),
            ("pid", "patient"), ("PatID", "patient"), ("MRN", "patient"), ("case_id", "patient"),
            ("Patientennummer", "patient"), ("paciente", "patient"), ("participant_id", "patient"),
            ("deid_patient_id", "patient"), ("PatientID_DICOM", "patient"), ("Patient ID (hashed)", "patient"),
            ("Patient Identifier", "patient"), ("USUBJID", "patient"), ("pt_id", "patient"), ("empi_anon", "patient"),
        ],
    )  # fmt: skip
    def test_near_misses_are_errors(self, tmp_path, name, meant):
        (tmp_path / "manifest.csv").write_text(f"file,{name}\na.png,1\n")
        with pytest.raises(BackgroundError, match=f"did you mean '{meant}'"):
            read_manifest(tmp_path / "manifest.csv")

    @pytest.mark.parametrize(
        "name",
        [
            "labels",
            "site",
            "orig_w",
            "OriginalImagePixelSpacing[x",
            "stage",
            "PatientIdentityRemoved",
            "IssuerOfPatientID",
        ],
    )
    def test_other_columns_stay_strata(self, tmp_path, name):
        (tmp_path / "manifest.csv").write_text(f"file,{name}\na.png,1\n")
        assert dict(read_manifest(tmp_path / "manifest.csv").rows[0].strata) == {name: "1"}

    def test_whole_numbers_that_a_program_wrote_as_fractions_are_read(self, tmp_path):
        """As pandas does where other cells of the column are empty."""
        (tmp_path / "manifest.csv").write_text("file,bits,rotate_deg\na.png,12.0,90.0\nb.png,,\n")
        given = read_manifest(tmp_path / "manifest.csv").rows[0].given
        assert (given.bits, given.rotate_deg) == (12, 90)

    def test_another_number_beside_the_patient_is_a_stratum(self, tmp_path):
        (tmp_path / "manifest.csv").write_text("file,patient,case_id\na.png,P1,17\n")
        assert dict(read_manifest(tmp_path / "manifest.csv").rows[0].strata) == {"case_id": "17"}

    @pytest.mark.parametrize("text", ["1,2", "1,1"])
    def test_a_spacing_that_may_have_a_decimal_comma_is_an_error(self, tmp_path, text):
        (tmp_path / "manifest.csv").write_text(f"file;pixel_spacing\na.png;{text}\n")
        with pytest.raises(BackgroundError, match="decimal comma"):
            read_manifest(tmp_path / "manifest.csv")

    @pytest.mark.parametrize(
        ("column", "text"), [("Projection", "L"), ("view", "L"), ("view", "Thorax seitl."), ("projection", "COSTAL")]
    )
    def test_other_views_are_left_out_however_the_manifest_says_so(self, tmp_path, column, text):
        for index, name in enumerate(("a.png", "b.png")):
            write_png(tmp_path / name, chest(seed=index))
        (tmp_path / "manifest.csv").write_text(f"file,{column},pixel_spacing\na.png,PA,1.5\nb.png,{text},1.5\n")
        assert [background.id for background in FolderSet(tmp_path, "normal").backgrounds] == ["a.png"]

    @pytest.mark.parametrize("header", ["file,patient,Patient ID", "file,sex,Gender", "file,File Name"])
    def test_two_columns_of_the_same_meaning_are_an_error(self, tmp_path, header):
        (tmp_path / "manifest.csv").write_text(header + "\n" + ",".join("abc"[: header.count(",") + 1]) + "\n")
        with pytest.raises(BackgroundError, match="are both"):
            read_manifest(tmp_path / "manifest.csv")

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
    def test_any_encoding_with_a_mark_or_zeros_is_read(self, tmp_path, encoding):
        (tmp_path / "Manifest.CSV").write_bytes("file;Klinik\na.png;Köln\n".encode(encoding))
        assert read_manifest(tmp_path / "Manifest.CSV").rows[0].strata == {"Klinik": "Köln"}


LABELS = {
    "a line for Excel first": ("list.csv", "sep=;\nimage;finding\na.png;Nodule\nb.png;No Finding\n"),
    "a comment first": ("list.csv", "# made by hand\nimage,finding\na.png,Nodule\nb.png,No Finding\n"),
    "parted by bars": ("list.csv", "image|finding\na.png|Nodule\nb.png|No Finding\n"),
    "reports": ("list.csv", 'image,report\na,"Heart normal. A nodule, 12 mm, left."\nb,"No nodule. Clear lungs."\n'),
    "german reports": ("list.csv", "image;Befund\na;Rundherd rechts\nb;kein Rundherd\n"),
    "node21 as png": ("metadata.csv", "img_name,label,x,y,width,height\na.mha,1,9,9,9,9\nb.mha,0,0,0,0,0\n"),
    "vindr": ("train.csv", "image_id,class_name,x_min\na,Nodule/Mass,5\nb,Cardiomegaly,7\nb,No finding,\n"),
    "nih": ("Data_Entry_2017.csv", "Image Index,Finding Labels\na.dcm,Infiltration|Nodule\nb.png,No Finding\n"),
    "nih mass": ("Data_Entry_2017.csv", "Image Index,Finding Labels\na.png,Mass\nb.png,Effusion\n"),
    "chexpert": ("train.csv", "Path,Lung Lesion,No Finding\nx/a.jpg,1.0,\nx/b.jpg,0.0,1.0\n"),
    "an uncertain finding": ("labels.csv", "Path,Nodule\na.jpg,-1.0\nb.jpg,\n"),
    "boxes": ("boxes.csv", "file,x_min,y_min,x_max,y_max\na.mha,1,2,3,4\nb.mha,,,,\n"),
    "denied": ("labels.csv", "file,class\na.png,nodule\nb.png,no_nodule\n"),
    "truth values": ("labels.csv", "image,label\na.png,True\nb.png,False\n"),
    "positive": ("labels.csv", "image,diagnosis\na.png,positive\nb.png,negative\n"),
    "malignant": ("labels.csv", "image,class\na.png,malignant\nb.png,normal\n"),
    "absent": ("labels.csv", "image,nodule\na.png,present\nb.png,absent\n"),
    "a count": ("labels.csv", "image,nodule_count\na.png,2\nb.png,0\n"),
    "a size": ("labels.csv", "image,nodule_size_mm\na.png,12.5\nb.png,\n"),
    "a denial that is denied": ("labels.csv", "image,no_nodule\na.png,0\nb.png,1\n"),
    "nan where there is no number": ("found.csv", "image,nodule_size_mm\na.png,12.5\nb.png,nan\n"),
    "nan where there is no box": ("found.csv", "image,x,y,w,h\na.png,10,10,20,20\nb.png,NaN,NaN,NaN,NaN\n"),
    "nan where nothing is denied": ("labels.csv", "image,no_nodule\na.png,0\nb.png,nan\n"),
    "one column of boxes": ("boxes2.csv", 'image,bbox\na.png,"[10, 10, 20, 20]"\nb.png,[]\n'),
    "corners": ("found.csv", "image,x0,y0,x1,y1\na.png,10,10,20,20\nb.png,,,,\n"),
    "left and top": ("found.csv", "image,left,top,right,bottom\na.png,10,10,20,20\nb.png,,,,\n"),
    "centres": ("found.csv", "image,x_center,y_center,width,height\na.png,10,10,20,20\nb.png,,,,\n"),
    "a count that begins with no": ("labels.csv", "image,No. of nodules\na.png,1\nb.png,0\n"),
    "a count that ends with no": ("labels.csv", "image,nodules_no\nc.png,3\na.png,1\nb.png,0\n"),
    "a mass of another kind": ("labels.csv", "image,Body Mass Index,lesions\na.png,23,1\nb.png,24,0\n"),
    "a finding by number": ("labels.csv", "image,finding\na.png,1\nb.png,0\n"),
    "a lesion by number": ("labels.csv", "image,Lesion\na.png,1.0\nb.png,\n"),
    "a mass in Spanish": ("informes.csv", "imagen,informe\na.png,Masa pulmonar derecha.\nb.png,Sin masas.\n"),
    "a tumour in French": ("cr.csv", "image,conclusion\na.png,Tumeur du lobe moyen\nb.png,Pas de tumeur\n"),
    "tabs in utf-16": ("labels.tsv", "filename\tlabel\na\t1\nb\t0\n"),
}


class TestTablesBesideRadiographs:
    def put(self, folder):
        rows = ["file,mm_per_px_x,mm_per_px_y"]
        for index, name in enumerate(("a.png", "b.png")):
            write_png(folder / name, chest(seed=index))
            rows.append(f"{name},1.4,1.5")
        (folder / "manifest.csv").write_text("\n".join(rows) + "\n")

    @pytest.mark.parametrize("kind", LABELS)
    @pytest.mark.parametrize("above", [False, True])
    def test_radiographs_with_a_nodule_are_no_backgrounds_whatever_their_extension(self, tmp_path, kind, above):
        images = tmp_path / "images"
        self.put(images)
        name, text = LABELS[kind]
        place = tmp_path if above else images
        (place / name).write_bytes(text.encode("utf-16" if "utf-16" in kind else "utf-8"))
        served = FolderSet(images, "normal")
        assert [background.id for background in served.backgrounds] == ["b.png"]
        assert "1 radiograph with annotated nodules was left out" in served.notes

    def test_a_table_above_a_folder_that_was_packed_twice_is_read(self, tmp_path):
        self.put(tmp_path / "train/train")
        (tmp_path / "train.csv").write_text("image_id,class_name\na,Nodule/Mass\nb,No finding\n")
        served = FolderSet(tmp_path / "train/train", "normal")
        assert [background.id for background in served.backgrounds] == ["b.png"]

    def test_a_table_that_matches_no_radiograph_is_an_error(self, tmp_path):
        self.put(tmp_path)
        (tmp_path / "metadata.csv").write_text("img_name,label\nn0001.mha,1\n")
        with pytest.raises(BackgroundError, match=r"metadata\.csv: names images of which none is here"):
            FolderSet(tmp_path, "normal")

    def test_boxes_whose_class_is_only_a_number_are_an_error(self, tmp_path):
        self.put(tmp_path)
        (tmp_path / "train.csv").write_text("image_id,class_id,x_min,y_min,x_max,y_max\na,8,1,2,3,4\nb,3,1,2,3,4\n")
        with pytest.raises(BackgroundError, match=r"train\.csv:2: a box of class 8"):
            FolderSet(tmp_path, "normal")

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("a.png,Nodule\nb.png,Normal\n", r"list\.csv:1: 'a\.png' stands where the names of the columns should"),
            ("image,label,label\na,Nodule,\nb,Normal,\n", r"list\.csv:1: the column 'label' occurs twice"),
        ],
    )
    def test_a_table_whose_columns_are_unclear_is_an_error(self, tmp_path, text, says):
        self.put(tmp_path)
        (tmp_path / "list.csv").write_text(text)
        with pytest.raises(BackgroundError, match=says):
            FolderSet(tmp_path, "normal")

    def test_files_that_macos_writes_beside_tables_are_passed_over(self, tmp_path):
        self.put(tmp_path)
        for name in ("._list.csv", "._list.json", "._list.txt"):
            (tmp_path / name).write_bytes(b"\0\5\26\7\xff\xfe nodule a b")
        assert len(FolderSet(tmp_path, "normal").backgrounds) == 2

    def test_labels_of_studies_count_for_their_films(self, tmp_path):
        """As MIMIC-CXR parts its list of films from the labels of their studies."""
        self.put(tmp_path)
        (tmp_path / "metadata.csv").write_text("dicom_id,subject_id,study_id\na,10,501\nb,11,502\n")
        labels = tmp_path / "mimic-cxr-2.0.0-chexpert.csv"
        labels.write_text("subject_id,study_id,Lung Lesion,No Finding\n10,501,1.0,\n11,502,,1.0\n12,503,1.0,\n")
        assert [background.id for background in FolderSet(tmp_path, "normal").backgrounds] == ["b.png"]
        labels.write_text("subject_id,study_id,Lung Lesion,No Finding\n12,503,1.0,\n")
        served = FolderSet(tmp_path, "normal")
        assert len(served.backgrounds) == 2
        assert f"{labels.name} says nothing of these radiographs" in served.notes

    def test_labels_of_studies_are_read_as_mimic_cxr_comes_compressed(self, tmp_path):
        """Its three tables are ``.csv.gz``; their columns as PhysioNet lists them."""
        files = [f"files/p10/p1000003{n}/s5041426{n}/{name}.png" for n, name in enumerate("abcd")]
        for number, name in enumerate(files):
            write_png(tmp_path / name, chest(seed=number))
        listed = "".join(f"{name},1.4,1.5\n" for name in files)
        (tmp_path / "manifest.csv").write_text("file,mm_per_px_x,mm_per_px_y\n" + listed)
        tables = {
            "metadata": "dicom_id,subject_id,study_id,ViewPosition,ViewCodeSequence_CodeMeaning\n"
            "a,10000030,50414260,PA,\nb,10000031,50414261,AP,\nc,10000032,50414262,,lateral\nd,10000030,50414263,PA,\n",
            "chexpert": "subject_id,study_id,Lung Lesion,No Finding\n10000030,50414260,,1.0\n10000031,50414261,1.0,\n",
        }
        for name, text in tables.items():
            (tmp_path / f"mimic-cxr-2.0.0-{name}.csv.gz").write_bytes(gzip.compress(text.encode()))
        served = FolderSet(tmp_path, "normal").backgrounds
        assert sorted(Path(one.id).name for one in served) == ["a.png", "d.png"]
        assert served[0].cluster == served[1].cluster
        report = "study,findings\ns50414260,A 3 cm mass in the lingula.\ns50414263,No nodule.\n"
        (tmp_path / "mimic_cxr_sectioned.csv").write_text(report)
        assert [Path(one.id).name for one in FolderSet(tmp_path, "normal").backgrounds] == ["d.png"]
        (tmp_path / "mimic-cxr-2.0.0-chexpert.csv.gz").write_bytes(gzip.compress(b"cut short")[:-9])
        with pytest.raises(BackgroundError, match=r"chexpert\.csv\.gz: cannot be read"):
            FolderSet(tmp_path, "normal")

    def test_a_compressed_table_is_refused_before_it_unpacks_beyond_what_any_table_has(self, tmp_path, monkeypatch):
        self.put(tmp_path)
        monkeypatch.setattr(tables, "MAX_BYTES", 10_000)
        for many, refused in ((10, False), (2_000, True)):
            text = "image,label\na.png,0\n" + "elsewhere.png,0\n" * many
            (tmp_path / "labels.csv.gz").write_bytes(gzip.compress(text.encode()))
            with pytest.raises(BackgroundError, match=r"csv\.gz: becomes more") if refused else nullcontext():
                FolderSet(tmp_path, "normal")

    @pytest.mark.parametrize("name", ["StudyInstanceUID", "SeriesInstanceUID", "AccessionNumber"])
    def test_labels_of_studies_are_joined_by_the_headers_of_dicom_files(self, tmp_path, name):
        pytest.importorskip("pydicom")
        for number, film in enumerate("abc"):
            write_dicom(tmp_path / f"{film}.dcm", chest(bits=12, seed=number), **{name: f"1.2.{number}"})
        (tmp_path / "labels.csv").write_text(f"{name},Nodule\n1.2.0,0\n1.2.1,1\n1.2.9,1\n")
        served = FolderSet(tmp_path, "normal")
        assert sorted(background.id for background in served.backgrounds) == ["a.dcm", "c.dcm"]
        assert not any("says nothing" in note for note in served.notes)

    def test_reports_of_studies_are_joined_as_open_i_parts_them(self, tmp_path):
        """Its reports have a column ``image`` that describes the view and names no file."""
        images = tmp_path / "images" / "images_normalized"
        self.put(images)
        (tmp_path / "indiana_projections.csv").write_text("uid,filename,projection\n1,a.png,Frontal\n2,b.png,Frontal\n")
        (tmp_path / "indiana_reports.csv").write_text(
            "uid,Problems,image,findings,impression\n1,Nodule,PA and lateral chest,A nodule in the left base.,\n"
            "2,normal,Xray Chest PA and Lateral,Lungs are clear. No nodule.,Normal.\n"
        )
        assert [background.id for background in FolderSet(images, "normal").backgrounds] == ["b.png"]

    @pytest.mark.parametrize("place", ["CXR_png/ClinicalReadings/a.txt", "CXR_png/reports/a.txt", "s50414267.txt"])
    def test_reports_beside_the_folder_of_a_film_are_read(self, tmp_path, place):
        """As Montgomery and Shenzhen have one text for each film, MIMIC-CXR one for each study's folder."""
        (tmp_path / place).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / place).write_text("Patient's Sex: F\nPatient's Age: 028Y\nRUL nodule and infiltrate\n")
        studies = {"a.png": tmp_path / "s50414267", "b.png": tmp_path / "s50414268"}
        if "CXR_png" in place:
            studies = dict.fromkeys(studies, tmp_path / "CXR_png/images")
        rows = ["file,mm_per_px_x,mm_per_px_y"]
        for number, (name, folder) in enumerate(studies.items()):
            write_png(folder / name, chest(seed=number))
            rows.append(f"../{folder.relative_to(tmp_path)}/{name},1.4,1.5")
        (tmp_path / "set").mkdir()
        root = studies["a.png"] if "CXR_png" in place else tmp_path / "set"
        (root / "manifest.csv").write_text("\n".join(rows).replace("../CXR_png/images/", ""))
        assert [Path(background.id).name for background in FolderSet(root, "normal").backgrounds] == ["b.png"]

    def test_names_of_jsrt_count_beside_a_table_whose_diagnoses_are_no_word_for_nodules(self, tmp_path):
        names, rows = ("JPCLN002.png", "JPCLN003.png", "JPCNN001.png"), ["file,mm_per_px_x,mm_per_px_y"]
        for number, name in enumerate(names):
            write_png(tmp_path / name, chest(seed=number))
            rows.append(f"{name},1.4,1.5")
        (tmp_path / "manifest.csv").write_text("\n".join(rows))
        (tmp_path / "jsrt_metadata.csv").write_text(
            "study_id,x,y,size,diagnosis\nJPCLN002.png,1614,1090,30,pulmonary hematoma\n"
            "JPCLN003.png,1303,447,30,tuberculoma\nJPCNN001.png,,,,non-nodule\n"
        )
        assert [background.id for background in FolderSet(tmp_path, "normal").backgrounds] == ["JPCNN001.png"]

    def test_films_of_jsrt_with_a_nodule_are_left_out_among_films_of_other_names_too(self, tmp_path):
        self.put(tmp_path)
        rows = [f"{name},1.4,1.5" for name in ("JPCLN001.png", "JPCNN001.png")]
        for number, row in enumerate(rows):
            write_png(tmp_path / row.partition(",")[0], chest(seed=5 + number))
        with (tmp_path / "manifest.csv").open("a") as manifest:
            manifest.write("\n".join(rows) + "\n")
        served = FolderSet(tmp_path, "normal")
        assert {background.id for background in served.backgrounds} == {"JPCNN001.png", "a.png", "b.png"}
        assert served.notes == ("1 radiograph with annotated nodules was left out",)

    def test_rows_of_films_of_equal_names_that_are_not_here_say_nothing(self, tmp_path):
        """CheXpert calls most films ``view1_frontal.jpg``, and its table lists 200,000 of them."""
        rows = ["file,mm_per_px_x,mm_per_px_y"]
        for number in (1, 2):
            write_png(tmp_path / f"small/train/patient0000{number}/study1/view1_frontal.png", chest(seed=number))
            rows.append(f"small/train/patient0000{number}/study1/view1_frontal.png,1.4,1.5")
        (tmp_path / "manifest.csv").write_text("\n".join(rows))
        film = "CheXpert-v1.0/train/patient{}/study{}/view1_frontal.jpg,{}\n"
        others = film.format("00099", 1, 1.0) + film.format("00099", 2, 1.0)
        (tmp_path / "train.csv").write_text(
            "Path,Lung Lesion\n" + film.format("00001", 1, "") + film.format("00002", 1, 1.0) + others
        )
        (tmp_path / "valid.csv").write_text("Path,Lung Lesion\n" + others)
        served = FolderSet(tmp_path, "normal")
        assert [one.id for one in served.backgrounds] == ["small/train/patient00001/study1/view1_frontal.png"]
        assert "valid.csv says nothing of these radiographs" in served.notes

    def test_a_film_among_those_of_other_collections_is_known_under_another_root(self, tmp_path):
        """The row that shares most folders with a film tells of it, whatever the folders above are called here."""
        rows = ["file,mm_per_px_x,mm_per_px_y"]
        films = ("nih/00000001_000.png", "chex/tr/patient00001/study1/v.png", "chex/tr/patient00002/study1/v.png")
        for number, name in enumerate(films):
            write_png(tmp_path / "store" / name, chest(seed=number))
            rows.append(f"../store/{name},1.4,1.5")
        (tmp_path / "set").mkdir()
        (tmp_path / "set" / "manifest.csv").write_text("\n".join(rows))
        told = {"00001/study1": "", "00002/study1": 1, "00099/study1": 1, "00099/study2": 1}
        listed = "".join(f"CheXpert/train/patient{name}/v.jpg,{one}\n" for name, one in told.items())
        (tmp_path / "train.csv").write_text("Path,Lung Lesion\n" + listed)
        served = FolderSet(tmp_path / "set", "normal")
        assert sorted(one.id for one in served.backgrounds) == [f"../store/{films[1]}", f"../store/{films[0]}"]

    def test_a_column_of_any_name_that_names_most_films_counts_in_a_table_of_many_more(self, tmp_path):
        self.put(tmp_path)
        others = "".join(f"x{number}.png,1\n" for number in range(9))
        (tmp_path / "list.csv").write_text("patientId,Nodule\na.png,1\nb.png,0\n" + others)
        assert [background.id for background in FolderSet(tmp_path, "normal").backgrounds] == ["b.png"]

    @pytest.mark.parametrize("told", ["12 mm nodule in the left upper lobe", "A 4 cm mass in the lingula"])
    def test_a_report_of_a_films_own_name_is_read(self, tmp_path, told):
        self.put(tmp_path)
        (tmp_path / "a.txt").write_text(f"Heart not enlarged. {told}.\n")
        (tmp_path / "b.txt").write_text("No nodule. Heart not enlarged. There is no mass.\n")
        served = FolderSet(tmp_path, "normal")
        assert [background.id for background in served.backgrounds] == ["b.png"]

    def test_marks_in_json_that_is_not_read_are_told(self, tmp_path):
        write_png(tmp_path / "film12.png", chest(seed=2))
        (tmp_path / "marks.json").write_text('{"film12.png": [[1, 2, 30, 40]]}')
        assert "marks.json names these radiographs and was not read" in FolderSet(tmp_path, "normal").notes

    @pytest.mark.parametrize(
        ("name", "text", "told"),
        [
            ("labels.yaml", "film12.png: 1\nfilm13.png: 0\n", True),
            ("labels.txt", "film12.png 1\nfilm13.png 0\n", True),
            ("../train.txt", "images/film12.png,1\n", True),
            ("nodules.txt", "film12.png\n", True),
            ("all.txt", "film12.png\nfilm13.png\n", False),
            ("train.lst", "0\t1.0\tfilm12.png\n1\t0.0\tfilm13.png\n", True),
            ("all.lst", "film12.png\nfilm13.png\n", False),
            ("film12.txt", "Film12 shows a normal chest.\n", False),
            ("some.yaml", "synnodtest: 1\nbehaviours: [{id: film12}]\n", False),
        ],
    )
    def test_labels_in_lines_or_yaml_that_are_not_read_are_told(self, tmp_path, name, text, told):
        for number in (12, 13):
            write_png(tmp_path / "images" / f"film{number}.png", chest(seed=number))
        (tmp_path / "images" / name).write_text(text)
        note = f"{Path(name).name} names these radiographs and was not read"
        assert (note in FolderSet(tmp_path / "images", "normal").notes) is told

    def test_a_manifest_in_yaml_that_tells_of_nodules_is_no_other_form(self, tmp_path):
        write_png(tmp_path / "film12.png", chest(seed=2))
        rows = "- {file: film12.png, mm_per_px_x: 1.4, mm_per_px_y: 1.5, comment: no nodule}\n"
        (tmp_path / "manifest.yaml").write_text(rows)
        assert len(FolderSet(tmp_path, "normal").backgrounds) == 1

    @pytest.mark.parametrize("column", ["class", "label", "category_id"])
    def test_boxes_of_a_class_that_is_called_0_are_an_error(self, tmp_path, column):
        self.put(tmp_path)
        (tmp_path / "train.csv").write_text(f"image,{column},x_min,y_min,x_max,y_max\na.png,0,1,2,3,4\n")
        with pytest.raises(BackgroundError, match=r"train\.csv:2: a box of class 0"):
            FolderSet(tmp_path, "normal")

    @pytest.mark.parametrize(
        ("named", "cell"),
        [("0012.png", "12"), ("0012.png", "12.0"), ("a b.png", "a%20b.png"), ("ro\u0308ntgen.png", "r\xf6ntgen.png")],
    )
    def test_an_image_is_known_though_its_name_was_changed_on_the_way(self, tmp_path, named, cell):
        for name in (named, "0013.png"):
            write_png(tmp_path / name, chest())
        (tmp_path / "labels.csv").write_text(f"image_id,Nodule\n{cell},1\n0013,0\n")
        assert [background.id for background in FolderSet(tmp_path, "normal").backgrounds] == ["0013.png"]

    def test_an_image_that_was_uploaded_to_be_annotated_is_known_by_its_name(self, tmp_path):
        self.put(tmp_path)
        (tmp_path / "made.csv").write_text("image,label\n/data/upload/3/5f2a1b3c-a.png,nodule\n")
        assert [background.id for background in FolderSet(tmp_path, "normal").backgrounds] == ["b.png"]

    def test_of_equal_names_in_different_folders_the_table_means_one(self, tmp_path):
        rows = ["file,mm_per_px_x,mm_per_px_y"]
        for number in (1, 2, 3):
            write_png(tmp_path / "all" / f"p{number}" / "view.png", chest(seed=number))
            rows.append(f"../all/p{number}/view.png,1.4,1.5")
        (tmp_path / "set").mkdir()
        (tmp_path / "set" / "manifest.csv").write_text("\n".join(rows) + "\n")
        (tmp_path / "train.csv").write_text("Path,Nodule\nCXR/p1/view.jpg,1\nCXR/p2/view.jpg,0\nCXR/p3/view.jpg,0\n")
        served = FolderSet(tmp_path / "set", "normal")
        assert sorted(one.id for one in served.backgrounds) == ["../all/p2/view.png", "../all/p3/view.png"]

    def coco(self, folder, **changes):
        images = [{"id": number, "file_name": name} for number, name in enumerate(("a.png", "b.png"))]
        kinds = [{"id": 1, "name": "nodule"}, {"id": 2, "name": "rib"}]
        content = {"images": images, "categories": kinds, **changes}
        (folder / "annotations.json").write_text(json.dumps(content))

    @pytest.mark.parametrize(("image", "kind"), [("0", 1), (0, "1")])
    def test_identifiers_of_coco_may_be_text_or_numbers(self, tmp_path, image, kind):
        self.put(tmp_path)
        self.coco(tmp_path, annotations=[{"image_id": image, "category_id": kind, "bbox": [1, 2, 3, 4]}])
        assert [background.id for background in FolderSet(tmp_path, "normal").backgrounds] == ["b.png"]

    def test_an_annotation_of_an_image_that_coco_does_not_list_is_an_error(self, tmp_path):
        self.put(tmp_path)
        self.coco(tmp_path, annotations=[{"image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4]}])
        with pytest.raises(BackgroundError, match=r"annotations\.json: annotations of the image 7"):
            FolderSet(tmp_path, "normal")

    def test_an_annotation_of_a_category_that_coco_does_not_list_is_an_error(self, tmp_path):
        self.put(tmp_path)
        self.coco(tmp_path, annotations=[{"image_id": 0, "category_id": 9, "bbox": [1, 2, 3, 4]}])
        with pytest.raises(BackgroundError, match=r"annotations\.json: annotations of the category 9") as caught:
            FolderSet(tmp_path, "normal")
        assert "export it again" in caught.value.hint

    @pytest.mark.parametrize("name", ["annotations.json", "marks.json"])
    @pytest.mark.parametrize("place", [".", "above"])
    @pytest.mark.parametrize("fault", ["twice", "cut"])
    def test_a_coco_file_of_which_annotations_would_be_lost_is_an_error(self, tmp_path, name, place, fault):
        films = tmp_path / "images" if place == "above" else tmp_path
        self.put(films)
        self.coco(tmp_path, annotations=[{"image_id": 0, "category_id": 1, "bbox": [1, 2, 3, 4]}])
        whole = (tmp_path / "annotations.json").read_text()
        (tmp_path / "annotations.json").unlink()
        (tmp_path / name).write_text(f'{whole[:-1]}, "annotations": []}}' if fault == "twice" else whole[:-3])
        with pytest.raises(BackgroundError, match=rf"{name}: cannot be read as JSON"):
            FolderSet(films, "normal")

    @pytest.mark.parametrize("place", ["above/set/images", "above/images/train", "set"])
    @pytest.mark.parametrize("kind", ["table", "annotations"])
    def test_annotations_are_sought_where_collections_keep_them(self, tmp_path, place, kind):
        self.put(tmp_path / place)
        root = tmp_path / place.partition("/")[0] if place != "set" else tmp_path
        (root / "annotations").mkdir()
        (root / ("annotations" if kind == "annotations" else "") / "labels.csv").write_text("image,Nodule\na.png,1\n")
        assert [background.id for background in FolderSet(tmp_path / place, "normal").backgrounds] == ["b.png"]

    @pytest.mark.parametrize(
        "place", ["{}/a.txt", "{}/labels/a.txt", "{}/labels/train/a.txt", "labels/a.txt", "labels/set/a.txt"]
    )
    def test_labels_of_yolo_are_sought_where_programs_write_them(self, tmp_path, place):
        self.put(tmp_path / "set")
        label = tmp_path / place.format("set")
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text("0 0.5 0.5 0.1 0.1\n")
        assert [background.id for background in FolderSet(tmp_path / "set", "normal").backgrounds] == ["b.png"]

    @pytest.mark.parametrize(
        ("place", "encoding"),
        [("a.txt", "utf-8-sig"), ("a.txt", "utf-16"), ("a.TXT", "utf-8"), ("labels/a.TXT", "utf-8")],
    )
    def test_labels_of_yolo_count_however_they_are_written(self, tmp_path, place, encoding):
        self.put(tmp_path)
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text("0 0.5 0.5 0.1 0.1\n", encoding=encoding)
        assert [background.id for background in FolderSet(tmp_path, "normal").backgrounds] == ["b.png"]

    @pytest.mark.parametrize("label", ["labels/A.txt", "labels/train/a.txt", "labels/train/A.TXT"])
    def test_a_label_of_yolo_counts_in_other_letters_and_in_folders_of_a_split(self, tmp_path, label):
        self.put(tmp_path / "images")
        (tmp_path / label).parent.mkdir(parents=True)
        (tmp_path / label).write_text("0 0.5 0.5 0.1 0.1\n")
        assert [background.id for background in FolderSet(tmp_path / "images", "normal").backgrounds] == ["b.png"]

    def test_of_films_that_differ_in_the_case_of_their_names_each_has_its_own_label(self, tmp_path):
        for index, name in enumerate(("a.mha", "A.mha")):
            write_mha(tmp_path / "images" / name, chest(seed=index), spacing=(2.1, 2.1))
        (tmp_path / "labels").mkdir()
        (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.1 0.1\n")
        (tmp_path / "labels" / "A.txt").write_text("")
        if len(list((tmp_path / "images").iterdir())) < 2:
            pytest.skip("a file system that keeps no letters apart")
        assert [background.id for background in FolderSet(tmp_path / "images", "normal").backgrounds] == ["A.mha"]

    def test_a_report_beside_a_radiograph_is_no_label(self, tmp_path):
        self.put(tmp_path)
        (tmp_path / "a.txt").write_text("1 view. No nodule is seen.\n")
        assert len(FolderSet(tmp_path, "normal").backgrounds) == 2

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("ChestX_Det_train.json", '[{"file_name": "chest1.png", "syms": ["Nodule"], "boxes": [[1, 2, 3, 4]]}]'),
            ("chest1.json", '{"shapes": [{"label": "nodule", "points": [[1, 2], [3, 4]]}]}'),
            ("via.json", '{"chest1.png99": {"filename": "chest1.png", "regions": [{"name": "nodule"}]}}'),
            ("Annotations/chest1.xml", "<annotation><object><name>nodule</name></object></annotation>"),
            ("Annotations/chest1.xml", "<annotation><object><name>Mass</name></object></annotation>"),
            ("chest1.json", '{"shapes": [{"label":"Lung tumor","points": [[1, 2], [3, 4]]}]}'),
            ("all.jsonl", '{"image": "chest1.png", "label": "nodule"}\n'),
            ("labels.txt", "chest1.png nodule\nchest2.png normal\n"),
            ("labels.yaml", "chest1.png: nodule\nchest2.png: normal\n"),
            ("labels.yml", "- {file: chest1.png, label: nodule}\n"),
            ("ann/chest1.png.json", '{"objects": [{"classTitle": "nodule", "points": {"exterior": [[1, 2]]}}]}'),
            ("project.json", '[{"image": "/data/upload/3/5f2a1b3c-chest1.png", "label": [{"labels": ["Nodule"]}]}]'),
        ],
    )
    def test_annotations_in_a_form_that_is_not_read_are_an_error(self, tmp_path, name, text):
        for number in (1, 2):
            write_png(tmp_path / f"chest{number}.png", chest(seed=number))
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        with pytest.raises(BackgroundError, match=f"{name}: speaks of nodules in these radiographs") as caught:
            FolderSet(tmp_path, "normal")
        assert "boxes.csv" in caught.value.hint

    def test_a_film_of_a_short_name_is_known_by_name_and_suffix(self, tmp_path):
        for number in (1, 2):
            write_png(tmp_path / "images" / f"{number}.png", chest(seed=number))
        text = (
            '<image id="1" name="%s" width="512"><box label="nodule" xtl="1" ytl="2" xbr="30" ybr="24"></box></image>'
        )
        (tmp_path / "annotations.xml").write_text(text % "12.png")
        assert len(FolderSet(tmp_path / "images", "normal").backgrounds) == 2
        (tmp_path / "annotations.xml").write_text(text % "2.png")
        with pytest.raises(BackgroundError, match="speaks of nodules in these radiographs"):
            FolderSet(tmp_path / "images", "normal")

    @pytest.mark.parametrize("first", ["synnodtest_findings", "attrition"])
    def test_what_this_package_writes_is_no_annotation(self, tmp_path, first):
        write_png(tmp_path / "set" / "chest1.png", chest())
        (tmp_path / "results.json").write_text(json.dumps({first: {}, "a": ["chest1.png", "nodule"]}, sort_keys=False))
        (tmp_path / "results.json").write_text((tmp_path / "results.json").read_text().replace(": {}", ":{}"))
        assert len(FolderSet(tmp_path / "set", "normal").backgrounds) == 1

    def test_a_json_that_ends_early_is_an_error(self, tmp_path):
        self.put(tmp_path)
        (tmp_path / "annotations.json").write_text('{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"im')
        with pytest.raises(BackgroundError, match=r"annotations\.json: cannot be read as JSON"):
            FolderSet(tmp_path, "normal")

    def test_a_table_whose_columns_tell_nothing_of_nodules_is_noted(self, tmp_path):
        self.put(tmp_path)
        (tmp_path / "reports.csv").write_text("image,tube\na.png,mobile\nb.png,fixed\n")
        assert "reports.csv names 2 of these radiographs; its columns tell no nodule" in FolderSet(tmp_path, "n").notes

    @pytest.mark.parametrize("column", ["Problems", "tags", "\u6240\u898b", "tube"])
    def test_a_nodule_counts_in_whatever_column_it_is_told(self, tmp_path, column):
        self.put(tmp_path)
        (tmp_path / "list.csv").write_text(f"image,{column}\na.png,calcinosis; nodule\nb.png,no nodule\n")
        assert [background.id for background in FolderSet(tmp_path, "normal").backgrounds] == ["b.png"]

    def test_a_mask_of_a_nodule_tells_of_one_unless_it_is_empty(self, tmp_path):
        self.put(tmp_path)
        for name, inside in (("a.nodule.png", 255), ("b.nodule.png", 0)):
            write_png(tmp_path / name, (chest() > 100).astype(np.uint8) * np.uint8(inside))
        assert [background.id for background in FolderSet(tmp_path, "normal").backgrounds] == ["b.png"]

    @pytest.mark.parametrize("place", ["nodule_masks", "../nodule_masks", "../NoduleSegmentations", "../masks/nodule"])
    def test_masks_in_a_folder_of_nodules_tell_of_one_unless_they_are_empty(self, tmp_path, place):
        self.put(tmp_path / "images")
        write_png(tmp_path / "images" / "c.png", chest(seed=3))
        with (tmp_path / "images" / "manifest.csv").open("a") as manifest:
            manifest.write("c.png,1.4,1.5\n")
        for name, inside in (("a.png", 255), ("b.png", 0), ("c_nodule_2.png", 255)):
            write_png(tmp_path / "images" / place / name, (chest() > 100).astype(np.uint8) * np.uint8(inside))
        served = FolderSet(tmp_path / "images", "normal")
        assert [background.id for background in served.backgrounds] == ["b.png"]
        assert "2 radiographs with annotated nodules were left out" in served.notes

    def test_masks_of_lungs_and_films_with_nodules_beside_the_set_are_no_masks_of_nodules(self, tmp_path):
        self.put(tmp_path / "normal")
        for place in ("masks", "nodule", "nodule/masks"):
            write_png(tmp_path / place / "a.png", chest())
        assert len(FolderSet(tmp_path / "normal", "normal").backgrounds) == 2

    @pytest.mark.parametrize(
        ("place", "side", "told"),
        [
            ("masks", 4, True),
            ("../Mask", 4, True),
            ("masks", 30, False),
            ("masks", 0, False),
            ("masks/clavicle", 4, False),
        ],
    )
    def test_masks_of_nobody_knows_what_are_told_where_they_are_as_small_as_nodules(self, tmp_path, place, side, told):
        self.put(tmp_path / "images")
        shape = chest().shape
        for name in ("a.png", "b_mask.png"):
            mask = np.zeros(shape, np.uint8)
            mask[5 : 5 + side, 5 : 5 + side] = 255
            write_png(tmp_path / "images" / place / name, mask)
        (tmp_path / "images" / place / "a_mask.png").write_bytes(b"no picture")
        served = FolderSet(tmp_path / "images", "normal")
        assert len(served.backgrounds) == 2
        name = place.rpartition("/")[2]
        kept = "their radiographs were kept: call it nodule_masks if that is so"
        assert served.notes == ((f"2 masks in {name} as small as a nodule, and {kept}",) if told else ())

    def test_masks_in_a_format_that_is_not_read_are_told_and_those_of_nodules_refused(self, tmp_path):
        self.put(tmp_path)
        (tmp_path / "masks").mkdir()
        for name in ("a.npy", "b_mask.nii.gz", "c.npy", "a.txt"):
            (tmp_path / "masks" / name).write_bytes(b"")
        assert FolderSet(tmp_path, "normal").notes == (
            "2 masks in masks not read: as PNG in nodule_masks they tell of nodules",
        )
        (tmp_path / "masks").rename(tmp_path / "nodule_masks")
        with pytest.raises(BackgroundError, match=r"a\.npy: a mask of a nodule in a format that is not read"):
            FolderSet(tmp_path, "normal")

    def test_a_folder_that_is_called_after_nodules_is_told(self, tmp_path):
        self.put(tmp_path / "Nodule")
        note = "the folder is called 'Nodule': its radiographs are taken for such without nodules"
        assert note in FolderSet(tmp_path / "Nodule", "normal").notes
        self.put(tmp_path / "NonNodule93images")
        assert not FolderSet(tmp_path / "NonNodule93images", "normal").notes

    def test_films_in_a_folder_of_a_tree_that_is_called_after_nodules_are_left_out(self, tmp_path):
        pytest.importorskip("pydicom")
        for number, name in enumerate(("Nodule/p1", "Nodule/p2", "Normal/p1", "no nodule/p2")):
            write_dicom(tmp_path / name / "1.dcm", chest(bits=12, seed=number))
        served = FolderSet(tmp_path, "normal")
        assert sorted(one.id for one in served.backgrounds) == ["Normal/p1/1.dcm", "no nodule/p2/1.dcm"]
        assert "2 radiographs with a nodule in the name of file or folder were left out" in served.notes

    def test_names_of_files_that_tell_of_a_nodule_leave_them_out_unless_all_do_or_a_manifest_lists_them(self, tmp_path):
        names = ("with_nodule_001", "a", "a_nodule_mask", "no_nodule_7", "normal_001")
        for number, name in enumerate(names):
            write_png(tmp_path / "some" / f"{name}.png", chest(seed=number))
            write_png(tmp_path / "all" / f"nodule_study_{number}.png", chest(seed=number))
        served = FolderSet(tmp_path / "some", "normal")
        assert sorted(one.id for one in served.backgrounds) == ["no_nodule_7.png", "normal_001.png"]
        assert served.notes == ("3 radiographs with a nodule in the name of file or folder were left out",)
        (note,) = FolderSet(tmp_path / "all", "normal").notes
        assert note.startswith("the name of every radiograph tells of a nodule, such as nodule_study_")
        listed = "".join(
            f"{name}.png,1.2,1.25,{note}\n" for name, note in zip(names, ["", "8 mm nodule"], strict=False)
        )
        (tmp_path / "some" / "manifest.csv").write_text("file,mm_per_px_x,mm_per_px_y,comment\n" + listed)
        served = FolderSet(tmp_path / "some", "normal")
        assert len(served.backgrounds) == 2
        assert any("with a nodule in the column 'comment' and kept" in note for note in served.notes)

    def test_names_of_large_sets_are_told_apart_without_comparing_each_with_each(self, tmp_path, monkeypatch):
        """Two minutes of 20,000 radiographs, half of them with a nodule."""
        for name in ("nodule_1", "normal_1", "normal_2"):
            write_png(tmp_path / f"{name}.png", chest())
        monkeypatch.setattr(Entry, "__eq__", lambda *_: pytest.fail("compared"))
        assert len(FolderSet(tmp_path, "normal").backgrounds) == 2

    def test_what_says_nothing_or_is_not_read_is_noted(self, tmp_path):
        self.put(tmp_path)
        (tmp_path / "costs.csv").write_text("month,euro\nMay,3\n")
        (tmp_path / "labels.xlsx").write_bytes(b"PK")
        assert set(FolderSet(tmp_path, "normal").notes) == {
            "costs.csv says nothing of these radiographs", "labels.xlsx was not read: save it as CSV"
        }  # fmt: skip

    def test_what_pytest_writes_of_tests_is_no_table_of_marks(self, tmp_path):
        self.put(tmp_path / "images")
        (tmp_path / "marks.xml").write_text("<annotation/>")
        head = '<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite errors="0">'
        (tmp_path / "junit.xml").write_text(f"{head}</testsuite></testsuites>")
        assert set(FolderSet(tmp_path / "images", "normal").notes) == {"marks.xml was not read: save it as CSV"}

    def test_tables_that_are_too_large_to_be_read_are_told(self, tmp_path):
        self.put(tmp_path)
        for name in ("labels.csv", "marks.json", "more.csv.gz"):
            with (tmp_path / name).open("wb") as stream:
                stream.truncate(512 * 2**20 + 1)  # takes no place on the disk
        assert set(FolderSet(tmp_path, "normal").notes) == {
            f"{name} was not read: it has more than 512 MiB" for name in ("labels.csv", "marks.json", "more.csv.gz")
        }

    def test_tables_above_a_folder_that_are_not_read_are_told_and_many_counted(self, tmp_path):
        self.put(tmp_path / "images")
        for name in ("a.parquet", "b.csv.zip", "c.xlsx", "d.xlsx", "~$d.xlsx"):
            (tmp_path / name).write_bytes(b"PK")
        assert set(FolderSet(tmp_path / "images", "normal").notes) == {
            *(f"{name} was not read: save it as CSV" for name in ("a.parquet", "b.csv.zip", "c.xlsx")),
            "1 further table or file of marks was not read",
        }

    def test_pictures_in_a_format_that_is_not_read_are_counted(self, tmp_path):
        write_png(tmp_path / "a.png", chest())
        for name in ("b.tif", "c.TIF", "d.nii.gz"):
            (tmp_path / name).write_bytes(b"II*")
        notes = FolderSet(tmp_path, "normal").notes
        assert "2 .tif files were left out: the format is not read" in notes
        assert "1 .nii.gz file was left out: the format is not read" in notes

    @pytest.mark.parametrize("cut", [128, 132])
    def test_dicom_files_without_their_mark_are_told(self, tmp_path, cut):
        pytest.importorskip("pydicom")
        for name in ("IM1", "IM2"):
            write_dicom(tmp_path / name, chest())
        (tmp_path / "IM2").write_bytes((tmp_path / "IM2").read_bytes()[cut:])
        (tmp_path / "README").write_text("two films")
        backgrounds = FolderSet(tmp_path, "normal")
        assert [one.id for one in backgrounds.backgrounds] == ["IM1"]
        assert "1 file without the mark of DICOM (DICM), such as IM2: left out" in backgrounds.notes

    def test_a_folder_of_files_that_are_not_read_is_told_of_them(self, tmp_path):
        (tmp_path / "a.nii.gz").write_bytes(b"")
        with pytest.raises(BackgroundError, match=r"1 \.nii\.gz file was left out") as caught:
            FolderSet(tmp_path, "normal")
        assert "16 bits, MHA or DICOM" in str(caught.value.hint)

    @pytest.mark.parametrize(
        "fields", [{"SeriesDescription": "Chest PA Bone"}, {"ImageType": ["DERIVED", "PRIMARY", "", "SUBTRACTION"]}]
    )
    def test_a_picture_of_bones_alone_is_noted(self, tmp_path, fields):
        path = write_dicom(tmp_path / "a.dcm", chest(bits=12), **fields)
        assert any(note.startswith("a part of a radiograph by its header") for note in read_radiograph(path).notes)
        plain = write_dicom(tmp_path / "b.dcm", chest(bits=12), SeriesDescription="Chest PA")
        assert not any("a part of" in note for note in read_radiograph(plain).notes)

    def test_names_of_node21_tell_under_any_extension(self, tmp_path):
        for name in ("n0001.png", "c0001.png"):
            write_png(tmp_path / name, chest())
        assert [background.id for background in FolderSet(tmp_path, "normal").backgrounds] == ["c0001.png"]

    def test_a_label_in_the_manifest_itself_is_noted(self, tmp_path):
        self.put(tmp_path)
        text = "file,labels,mm_per_px_x,mm_per_px_y\na.png,Nodule,1.4,1.5\nb.png,No Finding,1.4,1.5\n"
        (tmp_path / "manifest.csv").write_text(text)
        served = FolderSet(tmp_path, "normal")
        assert len(served.backgrounds) == 2
        assert "1 radiograph is listed in manifest.csv with a nodule in the column 'labels'" in served.notes[0]


def test_notes_of_reading_reach_the_set_also_where_everything_was_read_before(tmp_path, unestimated):
    picture = (chest(bits=12) / 4095).astype(np.float32)
    picture[:6, :6] = 1.05
    write_mha(tmp_path / "set" / "a.mha", picture)
    first = FolderSet(tmp_path / "set", "normal", cache=tmp_path / "cache")
    first.load(first.backgrounds[0])
    again = FolderSet(tmp_path / "set", "normal", cache=tmp_path / "cache")
    assert [b.id for b in again.backgrounds] == ["a.mha"]
    assert any("were clipped" in note for note in again.notes)
    assert first.notes == again.notes


@pytest.mark.parametrize("suffix", ["mha", "dcm"])
@pytest.mark.parametrize(("bits", "told"), [("", True), ("14", False)])
def test_a_dim_film_among_those_of_more_bits_is_told_unless_the_manifest_gives_them(
    tmp_path, unestimated, suffix, bits, told
):
    for number, share in enumerate((1.0, 1.0, 0.2)):
        picture = (chest(bits=14, seed=number) * share).astype(np.uint16)
        if suffix == "mha":
            write_mha(tmp_path / f"{number}.mha", picture, (1.5, 1.4))
        else:
            write_dicom(
                tmp_path / f"{number}.dcm", picture, bits=14, ImagerPixelSpacing=[1.4, 1.5], PatientID=f"p{number}"
            )
    rows = [f"{number}.{suffix},{bits},brightness" for number in range(3)]
    (tmp_path / "manifest.csv").write_text("\n".join(["file,bits,accept", *rows]))
    served = FolderSet(tmp_path, "normal")
    for background in served.backgrounds:
        served.load(background)
    assert any("(12 for 1, 14 for 2), which shows a dim one too bright" in note for note in served.notes) == told


def test_films_that_say_truly_how_many_bits_they_have_are_not_told(tmp_path, unestimated):
    for bits in (10, 12):
        write_dicom(tmp_path / f"{bits}.dcm", chest(bits=bits, seed=bits), bits=bits, PatientID=f"p{bits}")
    served = FolderSet(tmp_path, "normal")
    for background in served.backgrounds:
        served.load(background)
    assert not [note for note in served.notes if "bits" in note]


def test_the_page_of_formats_is_what_the_tables_say():
    assert (ROOT / "docs" / "formats.md").read_text(encoding="utf-8") == formats_page(), (
        "python -m tests.backgrounds.formats_page > docs/formats.md"
    )


def test_no_changed_header_field_gives_silently_another_radiograph(unestimated):
    pytest.importorskip("pydicom")
    spec = importlib.util.spec_from_file_location("header_fuzz", ROOT / "benchmarks" / "header_fuzz.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, silent = module.fuzz(60, seed=7)
    assert silent == []
    assert all(counts["right"] and counts["refused"] for counts in found.values())


def test_a_spacing_of_one_number_is_told_with_what_to_write(tmp_path):
    with pytest.raises(BackgroundError, match="is not a pair of positive numbers") as caught:
        read_radiograph(write_dicom(tmp_path / "a.dcm", chest(bits=12), ImagerPixelSpacing="1.5"))
    assert "mm_per_px_x" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "age"),
    [("061Y", "61"), ("61 years", "61"), ("61.0", "61"), ("018M", "1.5"), ("60-69", "60-69"), ("61.5", "61.5")],
)
def test_ages_as_dicom_and_people_write_them_are_numbers(tmp_path, text, age):
    (tmp_path / "manifest.csv").write_text(f"file,Patient Age\na.png,{text}\n")
    assert read_manifest(tmp_path / "manifest.csv").rows[0].strata == {"age": age}


def test_groups_that_are_spelt_in_two_ways_are_told(tmp_path):
    rows = []
    for index, (sex, view) in enumerate([("F", "PA"), ("female", "AP"), ("M", "pa"), ("M", "AP")]):
        write_png(tmp_path / f"{index}.png", chest(seed=index))
        rows.append(f"{index}.png,p{index},{sex},{view}")
    (tmp_path / "manifest.csv").write_text("\n".join(["file,patient,sex,view", *rows]))
    told = [note for note in FolderSet(tmp_path, "n").notes if "count as different" in note]
    assert [note.partition(" count")[0] for note in told] == ["sex: 'F' and 'female'", "view: 'PA' and 'pa'"]


def test_ages_that_nobody_reaches_are_told():
    told = spelt_otherwise([{"age": "22310"}, {"age": "61"}, {"age": "411"}, {"age": "0"}, {"age": "unknown"}])
    assert told == ["age: 22310, 411: not in years; write years into the manifest"]
    assert spelt_otherwise([{"age": "61"}, {"age": "0.5"}, {"dose": "22310"}]) == []


@pytest.mark.parametrize("column", ["nodule", "label", "target"])
def test_a_positive_film_that_a_manifest_lists_as_a_background_is_told(tmp_path, column):
    for index in range(2):
        write_png(tmp_path / f"{index}.png", chest(seed=index))
    (tmp_path / "manifest.csv").write_text(f"file,patient,{column}\n0.png,p0,1\n1.png,p1,0\n")
    told = f"1 radiograph is listed in manifest.csv with a nodule in the column {column!r}"
    assert any(note.startswith(told) for note in FolderSet(tmp_path, "n").notes)


def test_spellings_are_told_in_one_order_whatever_the_order_of_the_rows():
    cells = [{"site": text} for word in "hgfedcba" for text in (word, word.upper())]
    told = [f"site: {a.upper()!r} and {a!r} count as different; write them alike in the manifest" for a in "abcdefgh"]
    assert spelt_otherwise(cells) == sorted(told)
