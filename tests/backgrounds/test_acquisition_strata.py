"""How a radiograph was taken, from its DICOM header, as strata of a set."""

import pytest

pydicom = pytest.importorskip("pydicom", reason="DICOM headers need pydicom")

from pydicom.dataset import Dataset  # noqa: E402

from synnodtest.backgrounds import open_backgrounds  # noqa: E402
from synnodtest.backgrounds.dicom_header import acquisition_of, facts_of  # noqa: E402
from synnodtest.evidence.conditions import holds  # noqa: E402
from tests.backgrounds.radiograph_files import chest, write_dicom  # noqa: E402


def header(**fields):
    data = Dataset()
    for name, value in fields.items():
        setattr(data, name, value)
    return data


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, {}),
        ({"Manufacturer": "SIEMENS Healthineers"}, {"manufacturer": "siemens"}),
        ({"Manufacturer": "GE Healthcare"}, {"manufacturer": "ge"}),
        ({"Manufacturer": "FUJIFILM Corporation"}, {"manufacturer": "fujifilm"}),
        ({"Manufacturer": " Small  Maker "}, {"manufacturer": "small maker"}),
        ({"KVP": "120", "ExposureInuAs": "1500", "Exposure": "1"}, {"kvp": "120", "exposure_mas": "1.5"}),
        ({"KVP": "117.5", "Exposure": "4"}, {"kvp": "117.5", "exposure_mas": "4"}),
        ({"KVP": "0", "Exposure": None}, {}),
        ({"DetectorType": "SCINTILLATOR"}, {"detector_type": "scintillator"}),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1"}, {"detector_type": "storage"}),
        ({"ImagerPixelSpacing": [0.139, 0.139], "PixelSpacing": [0.2, 0.2]}, {"pixel_spacing_mm": "0.139"}),
        ({"PixelSpacing": [0.2, 0.2]}, {"pixel_spacing_mm": "0.2"}),
        ({"PatientName": "Doe^John", "InstitutionName": "General Hospital"}, {}),
    ],
)
def test_what_a_header_tells_and_nothing_that_it_does_not(fields, told):
    assert acquisition_of(header(**fields)) == told


@pytest.mark.parametrize(("age", "years"), [("061Y", "61"), ("006M", "0.5"), ("005D", "0.01369"), ("", "")])
def test_an_age_is_one_in_years(age, years):
    assert facts_of(header(PatientAge=age)).strata.get("age", "") == years


def test_a_set_knows_how_its_radiographs_were_taken_and_the_manifest_wins(tmp_path):
    for name, maker, kvp in (("a", "SIEMENS", "125"), ("b", "Philips Medical Systems", "81")):
        write_dicom(
            tmp_path / f"{name}.dcm",
            chest(bits=12, seed=ord(name)),
            Manufacturer=maker,
            KVP=kvp,
            DetectorType="DIRECT",
            PatientID=name,
            ImagerPixelSpacing=[2.0, 2.0],
        )
    found = {b.id: b.strata for b in open_backgrounds(tmp_path, "normal").backgrounds}
    strata = {name.rpartition("/")[2].removesuffix(".dcm"): told for name, told in found.items()}
    assert strata["a"]["manufacturer"] == "siemens"
    assert strata["b"]["manufacturer"] == "philips"
    assert strata["a"]["detector_type"] == "direct"
    assert strata["a"]["pixel_spacing_mm"] == "2"
    assert holds(strata["a"]["kvp"], {"at_least": 100, "at_most": 150})
    assert not holds(strata["b"]["kvp"], {"at_least": 100, "at_most": 150})
    (tmp_path / "manifest.csv").write_text("file,manufacturer\na.dcm,agfa\nb.dcm,\n")
    again = {b.id: b.strata["manufacturer"] for b in open_backgrounds(tmp_path, "normal").backgrounds}
    assert sorted(again.values()) == ["agfa", "philips"]
