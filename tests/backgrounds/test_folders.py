"""Background sets from folders: what belongs to them, what manifests say, what stands in for missing lungs."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import scipy
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from synnodtest.backgrounds import FolderSet, check_sets, open_backgrounds
from synnodtest.backgrounds.folder_files import check_pixel_size
from synnodtest.backgrounds.listing import list_radiographs
from synnodtest.backgrounds.manifest import read_manifest
from synnodtest.backgrounds.readers import read_mask
from synnodtest.errors import BackgroundError
from synnodtest.evidence.clusters import with_copies_joined
from synnodtest.ports import BackgroundSet

from ..warm_python import start_python
from .radiograph_files import chest, write_dicom, write_mha, write_png

pytestmark = pytest.mark.usefixtures("unturned")
SPEC = """
  - id: found
    statement: Nodules are found.
    scenes: {backgrounds: {set: normal, count: 2}, nodules: [{diameter_mm: 20, location: {region: lung}}]}
    expect: [{sensitivity: {at_least: 0.5}}]
"""
HEADER = "file,patient,view,sex,age,mm_per_px_x,mm_per_px_y"


def mask(shape=(128, 160), columns=slice(30, 60)):
    values = np.zeros(shape, dtype=np.uint8)
    values[30:100, columns] = 255
    return values


def make_set(folder, names=("a.png", "b.png", "c.png"), **rows):
    """Write radiographs and a manifest in their parent; ``rows`` override single manifest rows by stem."""
    lines = [HEADER]
    for index, name in enumerate(names):
        write_png(folder / name, chest(seed=index))
        stem = name.rpartition(".")[0]
        lines.append(rows.get(stem, f"{folder.name}/{name},p{index},PA,F,{50 + index},1.5,2.0"))
    (folder.parent / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


def ids(background_set):
    return sorted(background.id for background in background_set.backgrounds)


class TestWhatBelongsToASet:
    def test_a_folder_of_the_sets_name_is_the_set(self, tmp_path):
        make_set(tmp_path / "normal")
        backgrounds = open_backgrounds(tmp_path, "normal")
        assert isinstance(backgrounds, FolderSet)
        assert backgrounds.name == "normal"
        assert ids(backgrounds) == ["a.png", "b.png", "c.png"]

    def test_a_flat_folder_serves_every_set_name(self, tmp_path):
        make_set(tmp_path / "normal_pa")
        for name in ("normal", "pneumothorax"):
            assert ids(open_backgrounds(tmp_path / "normal_pa", name)) == ["a.png", "b.png", "c.png"]

    def test_spacing_patient_and_strata_come_from_the_manifest_in_the_parent(self, tmp_path):
        backgrounds = open_backgrounds(make_set(tmp_path / "set"), "normal")
        background = next(b for b in backgrounds.backgrounds if b.id == "b.png")
        assert (background.patient, background.cluster) == ("p1", "p1")
        radiograph = backgrounds.load(background)
        assert radiograph.spacing_mm == (2.0, 1.5)
        assert radiograph.strata.items() >= {"view": "PA", "sex": "F", "age": "51"}.items()
        assert (radiograph.background, radiograph.patient) == ("b.png", "p1")
        np.testing.assert_array_equal(radiograph.pixels, (chest(seed=1) / 255).astype(np.float32))

    @pytest.mark.parametrize("manifest_in", ["parent", "set"])
    def test_a_film_that_is_a_link_is_known_by_what_lies_beside_the_link(self, tmp_path, manifest_in):
        films = make_set(tmp_path / "set", ["a.png", "b.png"])
        if manifest_in == "set":
            text = (tmp_path / "manifest.csv").read_text().replace("set/", "")
            (tmp_path / "manifest.csv").unlink()
            (films / "manifest.csv").write_text(text)
        for stem in ("a", "b"):
            target = films / f"{stem}.png"
            (tmp_path / "objects").mkdir(exist_ok=True)
            target.rename(tmp_path / "objects" / f"SHA256-{stem}0.png")
            target.symlink_to(f"../objects/SHA256-{stem}0.png")
        write_png(films / "a.lung.png", mask())
        (films / "boxes.csv").write_text("file,x_min,y_min,x_max,y_max\na.png,,,,\nb.png,40,40,60,60\n")
        (background,) = (backgrounds := open_backgrounds(films, "normal")).backgrounds
        assert (background.id, background.patient) == ("a.png", "p0")
        film = backgrounds.load(background)
        assert film.spacing_mm == (2.0, 1.5)
        np.testing.assert_array_equal(film.regions["lung"], mask() > 0)

    def test_rows_of_other_folders_are_another_set(self, tmp_path):
        make_set(tmp_path / "one")
        first = (tmp_path / "manifest.csv").read_text()
        make_set(tmp_path / "two", ["x.png"])
        (tmp_path / "manifest.csv").write_text(first + "two/x.png,q,AP,M,70,1.5,1.5\n")
        assert ids(open_backgrounds(tmp_path, "one")) == ["a.png", "b.png", "c.png"]
        assert ids(open_backgrounds(tmp_path, "two")) == ["x.png"]
        with pytest.raises(BackgroundError, match="covers several folders") as caught:
            open_backgrounds(tmp_path, "three")
        assert "--backgrounds" in caught.value.hint
        assert f"move the manifest into {tmp_path.parent}" in caught.value.hint

    def test_a_manifest_above_serves_a_folder_of_folders_as_one_set(self, tmp_path):
        make_set(tmp_path / "nih" / "images_001")
        make_set(tmp_path / "nih" / "images_002", ["x.png"])
        rows = (f"images_001/{name},1.5,2" for name in ("a.png", "b.png", "c.png"))
        (tmp_path / "manifest.csv").write_text(
            "\n".join(["file,mm_per_px_x,mm_per_px_y", *rows, "images_002/x.png,1.5,2"])
        )
        (tmp_path / "nih" / "manifest.csv").unlink()
        assert len(open_backgrounds(tmp_path / "nih", "normal").backgrounds) == 4

    def test_a_manifest_of_its_own_may_choose_files_elsewhere(self, tmp_path):
        write_png(tmp_path / "store" / "a.png", chest())
        (tmp_path / "chosen").mkdir()
        (tmp_path / "chosen" / "manifest.yaml").write_text(
            "- {file: ../store/a.png, mm_per_px_x: 1.5, mm_per_px_y: 2, patient: 007}\n"
        )
        backgrounds = open_backgrounds(tmp_path / "chosen", "normal")
        assert backgrounds.backgrounds[0].patient == "007"
        assert backgrounds.load(backgrounds.backgrounds[0]).spacing_mm == (2.0, 1.5)

    def test_a_manifest_in_the_parent_may_name_files_without_their_folder(self, tmp_path):
        write_png(tmp_path / "images" / "a.png", chest())
        (tmp_path / "manifest.csv").write_text("file,mm_per_px_x,mm_per_px_y\na.png,1.5,2.0\n")
        backgrounds = open_backgrounds(tmp_path / "images", "normal")
        assert backgrounds.load(backgrounds.backgrounds[0]).spacing_mm == (2.0, 1.5)

    def test_masks_that_the_manifest_lists_are_no_radiographs_that_were_left_out(self, tmp_path):
        for name in ("a.png", "mask_of_a.png"):
            write_png(tmp_path / name, chest())
        row = "file,mm_per_px_x,mm_per_px_y,lung_mask\na.png,1.5,2.0,mask_of_a.png\n"
        (tmp_path / "manifest.csv").write_text(row)
        backgrounds = open_backgrounds(tmp_path, "normal")
        assert ids(backgrounds) == ["a.png"]
        assert not backgrounds.notes

    @pytest.mark.parametrize(
        ("column", "told"), [("mask", True), ("lungmask", True), ("Mask Path", True), ("by", False)]
    )
    def test_a_column_that_names_masks_of_no_region_is_told(self, tmp_path, column, told):
        write_png(tmp_path / "a.png", chest())
        (tmp_path / "manifest.csv").write_text(f"file,mm_per_px_x,mm_per_px_y,{column}\na.png,1.5,2.0,masks/a.png\n")
        note = f"the column {column!r} of the manifest is a stratum, and no mask is read"
        assert any(one.startswith(note) for one in open_backgrounds(tmp_path, "normal").notes) is told

    def test_files_that_the_manifest_does_not_list_are_left_out_and_told(self, tmp_path):
        folder = make_set(tmp_path / "set")
        write_png(folder / "extra.png", chest())
        backgrounds = open_backgrounds(folder, "normal")
        assert ids(backgrounds) == ["a.png", "b.png", "c.png"]
        assert backgrounds.notes == ("1 radiograph that manifest.csv does not list was left out",)

    def test_a_mask_beside_a_radiograph_is_never_a_radiograph(self, tmp_path):
        write_mha(tmp_path / "a.mha", chest(bits=12), (1.5, 2))
        write_png(tmp_path / "a.air_leak.png", mask())
        write_mha(tmp_path / "1.2.840.7.mha", chest(bits=12, seed=1), (1.5, 2))
        backgrounds = open_backgrounds(tmp_path, "pneumothorax")
        assert ids(backgrounds) == ["1.2.840.7.mha", "a.mha"]
        leak = backgrounds.load(next(b for b in backgrounds.backgrounds if b.id == "a.mha")).regions["air_leak"]
        np.testing.assert_array_equal(leak, mask() > 0)

    @pytest.mark.parametrize("name", ["a.Left_Lung.png", "a.left-lung.PNG"])
    def test_a_mask_is_one_in_whatever_letters(self, tmp_path, name):
        write_mha(tmp_path / "a.mha", chest(bits=12), (1.5, 2))
        write_png(tmp_path / name, mask())
        backgrounds = open_backgrounds(tmp_path, "normal")
        (background,) = backgrounds.backgrounds
        assert "left_lung" not in backgrounds.load(background).estimated

    @pytest.mark.parametrize(
        ("listed", "name"), [("sub\\a.mha", "manifest.csv"), ("a\u0308.mha", "manifest.csv"), ("a.mha", "manifest.tsv")]
    )
    def test_a_manifest_of_another_system_finds_its_files(self, tmp_path, listed, name):
        file = {"sub\\a.mha": "sub/a.mha", "a\u0308.mha": "\xe4.mha"}.get(listed, listed)
        write_mha(tmp_path / file, chest(bits=12), (1.5, 2))
        parted = "\t" if name.endswith(".tsv") else ","
        (tmp_path / name).write_text(f"file{parted}PixelSpacing\n{listed}{parted}\"['1.6', '1.7']\"\n")
        (entry,) = list_radiographs(tmp_path).entries
        assert (entry.id, entry.given.spacing_mm) == (file, (1.6, 1.7))

    def test_a_mask_column_names_a_region(self, tmp_path):
        write_png(tmp_path / "set" / "a.png", chest())
        write_png(tmp_path / "masks" / "m.png", mask())
        (tmp_path / "manifest.csv").write_text(
            "file,mm_per_px_x,mm_per_px_y,old_scar_mask\nset/a.png,1.5,2.0,masks/m.png\n"
        )
        backgrounds = open_backgrounds(tmp_path / "set", "normal")
        radiograph = backgrounds.load(backgrounds.backgrounds[0])
        np.testing.assert_array_equal(radiograph.regions["old_scar"], mask() > 0)
        assert "old_scar" not in radiograph.estimated

    def test_an_empty_mask_says_that_the_region_is_not_there(self, tmp_path):
        write_mha(tmp_path / "a.mha", chest(bits=12), (1.5, 2))
        write_png(tmp_path / "a.air_leak.png", mask() * 0)
        backgrounds = open_backgrounds(tmp_path, "pneumothorax")
        assert "air_leak" not in backgrounds.load(backgrounds.backgrounds[0]).regions

    def test_dicom_files_of_which_none_tells_the_size_of_a_pixel_are_refused_before_one_is_read(self, tmp_path):
        pytest.importorskip("pydicom")
        for name in "ab":
            write_dicom(tmp_path / f"{name}.dcm", chest(bits=12), PatientID=name, ImagerPixelSpacing=None)
        with pytest.raises(BackgroundError, match=r"a\.dcm: the size of a pixel in mm is unknown.* all 2 DICOM files"):
            list_radiographs(tmp_path)
        (tmp_path / "manifest.csv").write_text("file,mm_per_px_x,mm_per_px_y\na.dcm,1.2,1.2\nb.dcm,1.2,1.2\n")
        assert len(list_radiographs(tmp_path).entries) == 2
        (tmp_path / "manifest.csv").unlink()
        for tag in ("PixelSpacing", "NominalScannedPixelSpacing"):
            tagged = {tag: ["1.2", "1.2"]}
            write_dicom(tmp_path / "b.dcm", chest(bits=12), PatientID="b", ImagerPixelSpacing=None, **tagged)
            assert len(list_radiographs(tmp_path).entries) == 2, "single files are told of when they are read"

    def test_dicom_folders_need_no_manifest_and_hide_the_patients_name(self, tmp_path):
        pytest.importorskip("pydicom")
        for index, patient in enumerate(["Meier", "Huber", "Meier"]):
            write_dicom(
                tmp_path / f"IM{index}", chest(bits=12, seed=index), PatientID=patient, ImagerPixelSpacing=[2, 1.5]
            )
        backgrounds = open_backgrounds(tmp_path, "normal").backgrounds
        patients = {background.id: background.patient for background in backgrounds}
        assert patients == {"IM0": "patient-1", "IM1": "patient-2", "IM2": "patient-1"}
        assert backgrounds[0].strata == {"view": "PA", "sex": "F", "age": "61", "pixel_spacing_mm": "2"}

    def test_films_of_one_header_are_of_one_patient_where_the_manifest_names_some(self, tmp_path):
        pytest.importorskip("pydicom")
        for index, patient in enumerate(["0012", "0012", "12", "P7", "p 7", "P8"]):
            write_dicom(
                tmp_path / f"IM{index}", chest(bits=12, seed=index), PatientID=patient, ImagerPixelSpacing=[2, 1.5]
            )
        (tmp_path / "manifest.csv").write_text("file,patient\nIM0,case 1\n" + "".join(f"IM{n},\n" for n in range(1, 6)))
        patients = {one.id: one.patient for one in open_backgrounds(tmp_path, "normal").backgrounds}
        assert [patients[f"IM{n}"] for n in range(6)] == ["case 1"] * 3 + ["patient-1"] * 2 + ["patient-2"]

    def test_one_patients_name_on_all_files_is_told_and_our_own_files_bear_none(self, tmp_path):
        pytest.importorskip("pydicom")
        for name, patients in (("hidden", "ANON ANON"), ("two", "a b"), ("ours", "synnodtest synnodtest")):
            for index, patient in enumerate(patients.split()):
                write_dicom(
                    tmp_path / name / f"IM{index}", chest(bits=12, seed=index), PatientID=patient, PixelSpacing=[2, 1.5]
                )
        unknown, note = open_backgrounds(tmp_path / "hidden", "normal").notes
        assert unknown == "2 radiographs are of the patient 'anon' and count as one"
        assert note.startswith("all 2 radiographs are of one patient")
        assert open_backgrounds(tmp_path / "two", "normal").notes == ()
        ours = open_backgrounds(tmp_path / "ours", "normal")
        assert len({background.cluster for background in ours.backgrounds}) == 2
        assert ours.notes == ()

    def test_a_film_under_two_names_with_other_masks_is_one_cluster(self, tmp_path):
        for name, columns in (("a", slice(30, 60)), ("b", slice(30, 62)), ("c", slice(30, 60))):
            write_mha(tmp_path / f"{name}.mha", chest(bits=12, seed=int(name == "c")), (1.5, 2))
            write_png(tmp_path / f"{name}.lung.png", mask(columns=columns) * 255)
        backgrounds = open_backgrounds(tmp_path, "normal").backgrounds
        assert len({b.content for b in backgrounds}) == 3
        clusters = {b.id: b.cluster for b in with_copies_joined(backgrounds)}
        assert clusters["a.mha"] == clusters["b.mha"] != clusters["c.mha"]

    def test_a_film_in_other_files_is_one_cluster(self, tmp_path):
        """Hidden twice under other names, stored in another way, or exported into another format."""
        pydicom = pytest.importorskip("pydicom")
        film, other = chest(bits=12), chest(bits=12, seed=1)
        for patient, picture in (("A", film), ("B", film), ("C", film), ("D", other)):
            write_dicom(tmp_path / f"{patient}.dcm", picture, PatientID=patient)
        packed = pydicom.dcmread(tmp_path / "C.dcm")
        packed.compress(pydicom.uid.RLELossless)
        packed.save_as(tmp_path / "C.dcm")
        write_mha(tmp_path / "E.mha", film, (1.25, 1.2))
        for cache in (None, tmp_path / "cache", tmp_path / "cache"):
            backgrounds = FolderSet(tmp_path, "normal", cache=cache).backgrounds
            clusters = {b.id: b.cluster for b in with_copies_joined(backgrounds)}
            assert len({clusters[name] for name in ("A.dcm", "B.dcm", "C.dcm", "E.mha")}) == 1
            assert clusters["D.dcm"] != clusters["A.dcm"]

    def test_a_film_that_was_saved_again_is_one_cluster(self, tmp_path):
        """Another compression, or another text in the header, makes other bytes of the same picture."""
        folder = make_set(tmp_path / "normal")
        with Image.open(folder / "a.png") as picture:
            picture.save(folder / "b.png", compress_level=1)
        told = PngInfo()
        told.add_text("Comment", "exported again")
        with Image.open(folder / "a.png") as picture:
            picture.save(folder / "d.png", pnginfo=told)
        manifest = tmp_path / "manifest.csv"
        manifest.write_text(manifest.read_text() + "normal/d.png,p3,PA,F,53,1.5,2.0\n")
        assert len({path.read_bytes() for path in folder.iterdir()}) == 4
        clusters = {b.id: b.cluster for b in with_copies_joined(open_backgrounds(tmp_path, "normal").backgrounds)}
        assert clusters["a.png"] == clusters["b.png"] == clusters["d.png"] != clusters["c.png"]

    @pytest.mark.parametrize(
        ("table", "clusters"),
        [
            ("ImageID,PatientID,Projection\na.png,007,PA\nb.png,7,PA\nc.png,8,PA\nd.png,9,L\n", 2),
            ("dicom_id,subject_id,ViewPosition\na,10000032,AP\nb,10000032,PA\nc,10000032,\nd,10000935,LATERAL\n", 1),
            ("Path,Patient_number,Frontal/Lateral\nx/a.jpg,1,Frontal\nx/b.jpg,2,\nx/c.jpg,3,\nx/d.jpg,3,Lateral\n", 3),
            ("patientId,Target\na,0\nb,0\nc,0\nd,0\n", 4),
        ],
    )
    @pytest.mark.parametrize("above", [False, True])
    def test_a_table_beside_films_tells_patients_and_views(self, tmp_path, table, clusters, above):
        """PadChest, MIMIC-CXR, CheXpert as people drop them beside the films; RSNA's patientId names the images."""
        images = tmp_path / "images"
        for index, name in enumerate("abcd"):
            write_mha(images / f"{name}.mha", chest(bits=12, seed=index), (1.5, 2))
        (images.parent if above else images).joinpath("list.csv").write_text(table)
        found = open_backgrounds(images, "normal")
        assert len({b.cluster for b in found.backgrounds}) == clusters
        assert ("d.mha" in {b.id for b in found.backgrounds}) == (clusters == 4)
        told = " ".join(found.notes)
        assert ("by a table beside them" in told) == (clusters < 3)
        assert ("was left out: view L" in told) == (clusters < 4)

    @pytest.mark.parametrize(("one", "other"), [("P1", "p1"), ("P 1", "P1"), ("p1\u200b", "p1"), ("ro\u0308", "r\xf6")])
    def test_names_of_patients_that_differ_unseen_are_one_patient(self, tmp_path, one, other):
        for index, name in enumerate("abc"):
            write_mha(tmp_path / f"{name}.mha", chest(bits=12, seed=index), (1.5, 2))
        (tmp_path / "manifest.csv").write_text(f"file,patient\na.mha,{one}\nb.mha,{other}\nc.mha,p2\n")
        found = open_backgrounds(tmp_path, "normal")
        assert len({b.cluster for b in found.backgrounds}) == 2
        assert "leading zeros, case or blanks alone" in found.notes[0]

    def test_numbers_of_patients_that_lost_their_zeros_are_one_patient(self, tmp_path):
        for index, name in enumerate("abcd"):
            write_mha(tmp_path / f"{name}.mha", chest(bits=12, seed=index), (1.5, 2))
        (tmp_path / "manifest.csv").write_text("file,patient\na.mha,007\nb.mha,7\nc.mha,7.0\nd.mha,70\n")
        found = open_backgrounds(tmp_path, "normal")
        clusters = {b.id: b.cluster for b in found.backgrounds}
        assert clusters["a.mha"] == clusters["b.mha"] == clusters["c.mha"] != clusters["d.mha"]
        assert "1 patient by names that differ in leading zeros, case or blanks alone" in found.notes[0]

    def test_films_whose_patient_their_files_tell_are_not_said_to_count_as_one_each(self, tmp_path):
        names = ("a", "00000013_000", "00000013_001")
        for index, name in enumerate(names):
            write_mha(tmp_path / f"{name}.mha", chest(bits=12, seed=index), (1.5, 2))
        (tmp_path / "manifest.csv").write_text("file,patient\na.mha,p1\n00000013_000.mha,\n00000013_001.mha,\n")
        found = open_backgrounds(tmp_path, "normal")
        assert len({b.cluster for b in found.backgrounds}) == 2
        assert not any("no patient" in note for note in found.notes)

    def test_films_without_a_patient_among_others_and_unknown_patients_are_told(self, tmp_path):
        for index, name in enumerate("abcd"):
            write_mha(tmp_path / f"{name}.mha", chest(bits=12, seed=index), (1.5, 2))
        (tmp_path / "manifest.csv").write_text("file,patient\na.mha,p1\nb.mha,\nc.mha,nan\nd.mha,nan\n")
        assert open_backgrounds(tmp_path, "normal").notes[:2] == (
            "1 radiograph has no patient, and the others have: each counts as one of its own",
            "2 radiographs are of the patient 'nan' and count as one",
        )

    def test_coco_beside_films_tells_patients(self, tmp_path):
        for index, name in enumerate("abc"):
            write_mha(tmp_path / f"{name}.mha", chest(bits=12, seed=index), (1.5, 2))
        images = [{"id": n, "file_name": f"{name}.mha", "patient_id": n // 2} for n, name in enumerate("abc")]
        (tmp_path / "set.json").write_text(json.dumps({"images": images, "annotations": [], "categories": []}))
        clusters = {b.id: b.cluster for b in open_backgrounds(tmp_path, "normal").backgrounds}
        assert clusters["a.mha"] == clusters["b.mha"] != clusters["c.mha"]

    def test_what_was_made_of_one_film_for_training_is_one_cluster(self, tmp_path):
        names = [f"{film}_jpg.rf.{version * 32}.mha" for film, version in (("a", "1"), ("a", "f"), ("b", "2"))]
        for index, name in enumerate(names):
            write_mha(tmp_path / name, chest(bits=12, seed=index), (1.5, 2))
        assert len({b.cluster for b in open_backgrounds(tmp_path, "normal").backgrounds}) == 2

    def test_a_manifest_goes_before_the_table_beside_it(self, tmp_path):
        for index, name in enumerate("ab"):
            write_mha(tmp_path / f"{name}.mha", chest(bits=12, seed=index), (1.5, 2))
        (tmp_path / "manifest.csv").write_text("file,patient,view\na.mha,p1,PA\nb.mha,p2,PA\n")
        (tmp_path / "list.csv").write_text("image,patient,view\na,x,lateral\nb,x,lateral\n")
        assert {b.cluster for b in open_backgrounds(tmp_path, "normal").backgrounds} == {"p1", "p2"}

    @pytest.mark.parametrize(("name", "kept"), [("view2_lateral", False), ("bilateral", True), ("RL_left", True)])
    def test_a_file_that_is_called_lateral_is_left_out(self, tmp_path, name, kept):
        write_mha(tmp_path / "a.mha", chest(bits=12), (1.5, 2))
        write_mha(tmp_path / f"{name}.mha", chest(bits=12, seed=1), (1.5, 2))
        found = open_backgrounds(tmp_path, "normal")
        assert (f"{name}.mha" in {b.id for b in found.backgrounds}) == kept
        assert kept or found.notes[0] == "1 radiograph was left out: 'lateral' in the name of the file"

    @pytest.mark.parametrize(
        "names",
        [
            (
                "patient00042_study1_view1_frontal",
                "patient00042_study2_view1_frontal",
                "patient00043_study1_view1_frontal",
            ),
            ("p10000032_s50414267_02aa804e", "p10000032_s53189527_2a2277a9", "p10000764_s57375967_096052b7"),
            (
                "sub-S03044_ses-E07985_bp-chest_vp-ap_cr",
                "sub-S03044_ses-E08001_vp-pa_cr",
                "sub-S03045_ses-E07985_vp-ap_cr",
            ),
            ("LIDC-IDRI-0001_30178", "LIDC-IDRI-0001_30179", "LIDC-IDRI-0002_30178"),
            (
                f"00000013_005_png.rf.{'5f' * 16}",
                f"00000013_026_png.rf.{'a1' * 16}",
                f"00000014_000_png.rf.{'b2' * 16}",
            ),
            (f"x_png.rf.{'5f' * 16}", f"x_png.rf.{'a1' * 16}", f"y_png.rf.{'b2' * 16}"),
        ],
    )
    def test_names_of_public_sets_tell_patients_flattened_and_augmented_too(self, tmp_path, names):
        for index, name in enumerate(names):
            write_mha(tmp_path / f"{name}.mha", chest(bits=12, seed=index), (1.5, 2))
        clusters = {b.id.removesuffix(".mha"): b.cluster for b in open_backgrounds(tmp_path, "normal").backgrounds}
        assert clusters[names[0]] == clusters[names[1]] != clusters[names[2]]

    def test_films_that_their_names_give_to_one_patient_are_one_cluster(self, tmp_path):
        """NIH ChestX-ray14 and CheXpert name the patient; read as different ones, films would count for too much."""
        nih, tree = tmp_path / "nih", tmp_path / "chexpert" / "patient00009"
        for index, name in enumerate(["00000013_000", "00000013_005", "00000014_000", "other_001", "other_002"]):
            write_mha(nih / f"{name}.mha", chest(bits=12, seed=index), (1.5, 2))
        found = open_backgrounds(nih, "normal")
        clusters = {b.id.removesuffix(".mha"): b.cluster.removesuffix(".mha") for b in found.backgrounds}
        assert clusters == {
            "00000013_000": "00000013", "00000013_005": "00000013", "00000014_000": "00000014_000",
            "other_001": "other_001", "other_002": "other_002",
        }  # fmt: skip
        assert found.notes[0].startswith("2 radiographs are of 1 patient by the names of their files")
        rows = ["file"]
        for index, name in enumerate(["train/patient00042/a", "train/patient00042/b", "train/patient00043/a"]):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            write_mha(tree / f"{name}.mha", chest(bits=12, seed=index), (1.5, 2))
            rows.append(f"{name}.mha")
        (tree / "manifest.csv").write_text("\n".join(rows) + "\n")
        assert sorted(b.patient for b in FolderSet(tree, "normal").backgrounds) == ["", *["patient00042"] * 2]
        told = [f"{row},{'file' if not k else f'p{k}'}" for k, row in enumerate(rows)]
        (tree / "manifest.csv").write_text("\n".join(["file,patient", *told[1:]]) + "\n")
        assert sorted(b.patient for b in FolderSet(tree, "normal").backgrounds) == ["p1", "p2", "p3"]

    def test_films_of_one_study_whose_patients_are_hidden_are_one_cluster(self, tmp_path):
        for name, study in (("a", "1.2.3"), ("b", "1.2.3"), ("c", "1.2.4"), ("d", "")):
            write_dicom(tmp_path / f"{name}.dcm", chest(bits=12), PatientID="", StudyInstanceUID=study)
        served = FolderSet(tmp_path, "normal")
        clusters = {background.id: background.cluster for background in served.backgrounds}
        assert clusters["a.dcm"] == clusters["b.dcm"] == "study-1"
        assert len(set(clusters.values())) == 3
        assert "2 radiographs without a patient in their headers are of 1 study and count as so many" in served.notes

    def test_node21_offers_its_normals_only(self, tmp_path):
        images = tmp_path / "cxr_images" / "proccessed_data" / "images"
        for index, name in enumerate(["n0001.mha", "c0001.mha", "c0002.mha"]):
            write_mha(images / name, chest(bits=12, seed=index), (1.5, 2))
        rows = [
            ",height,img_name,label,width,x,y",
            "0,20,n0001.mha,1,20,30,30",
            "1,0,c0001.mha,0,0,0,0",
            "2,0,c0002.mha,0,0,0,0",
        ]
        (images.parent / "metadata.csv").write_text("\n".join(rows))
        for folder in (tmp_path, images.parent, images):
            assert ids(open_backgrounds(folder, "normal")) == ["c0001.mha", "c0002.mha"]
        (images.parent / "metadata.csv").unlink()
        assert ids(open_backgrounds(images, "normal")) == ["c0001.mha", "c0002.mha"]


class TestCount:
    def test_fewer_are_offered_where_fewer_are_there(self, tmp_path):
        backgrounds = open_backgrounds(make_set(tmp_path / "set"), "normal", 100)
        assert len(backgrounds.backgrounds) == 3

    def test_a_smaller_count_is_a_prefix_of_a_larger_one_and_depends_on_the_seed(self, tmp_path):
        folder = make_set(tmp_path / "set", [f"{index:02}.png" for index in range(20)])
        order = [b.id for b in open_backgrounds(folder, "normal").backgrounds]
        assert [b.id for b in open_backgrounds(folder, "normal", 7).backgrounds] == order[:7]
        assert [b.id for b in open_backgrounds(folder, "normal", master_seed=1).backgrounds] != order
        assert order != sorted(order)

    def test_different_patients_come_first(self, tmp_path):
        rows = {f"{i:02}": f"set/{i:02}.png,p{i % 4},PA,F,50,1.5,2.0" for i in range(12)}
        folder = make_set(tmp_path / "set", [f"{index:02}.png" for index in range(12)], **rows)
        patients = [b.patient for b in open_backgrounds(folder, "normal", 8).backgrounds]
        assert set(patients[:4]) == set(patients[4:]) == {"p0", "p1", "p2", "p3"}


class TestContent:
    def content(self, folder, name="a.png"):
        return next(b.content for b in FolderSet(folder, "s", outer=[folder.parent]).backgrounds if b.id == name)

    def test_it_changes_with_pixels_masks_and_spacing_and_with_nothing_else(self, tmp_path):
        folder = make_set(tmp_path / "set")
        before = self.content(folder)
        manifest = (tmp_path / "manifest.csv").read_text()
        (tmp_path / "manifest.csv").write_text(manifest.replace("PA,F,50", "AP,M,51"))
        assert self.content(folder) == before
        (tmp_path / "manifest.csv").write_text(manifest.replace("1.5,2.0", "1.5,2.1"))
        spaced = self.content(folder)
        (tmp_path / "manifest.csv").write_text(manifest)
        write_png(folder / "a.lung.png", mask())
        masked = self.content(folder)
        write_png(folder / "a.png", chest(seed=77))
        assert len({before, spaced, masked, self.content(folder)}) == 4

    def test_it_covers_the_pixel_file_of_an_mhd(self, tmp_path):
        write_mha(tmp_path / "a.mhd", chest(bits=12), (1.5, 2), data_file="a.raw", compressed=False)
        before = self.content(tmp_path, "a.mhd")
        write_mha(tmp_path / "a.mhd", chest(bits=12, seed=3), (1.5, 2), data_file="a.raw", compressed=False)
        assert self.content(tmp_path, "a.mhd") != before


class TestLungs:
    def test_missing_lungs_are_estimated_and_marked(self, tmp_path):
        backgrounds = open_backgrounds(make_set(tmp_path / "set"), "normal")
        radiograph = backgrounds.load(backgrounds.backgrounds[0])
        assert radiograph.estimated >= {"lung", "left_lung", "right_lung"}
        assert set(radiograph.regions) == radiograph.estimated
        assert all(region.any() for region in radiograph.regions.values())

    def test_a_doubtful_estimate_is_told(self, tmp_path):
        noise = np.random.default_rng(0).integers(0, 4096, (128, 160)).astype(np.uint16)
        write_mha(tmp_path / "a.mha", noise, (1.5, 2))
        backgrounds = open_backgrounds(tmp_path, "normal")
        assert backgrounds.load(backgrounds.backgrounds[0]).strata["lung_estimate"] == "doubtful"

    def test_estimates_are_kept_in_the_cache(self, tmp_path, monkeypatch):
        folder = make_set(tmp_path / "set", ["a.png"])
        first = open_backgrounds(folder, "normal", cache=tmp_path / "cache")
        regions = first.load(first.backgrounds[0]).regions
        monkeypatch.setattr("synnodtest.backgrounds.estimates.estimate_structures", None)
        again = open_backgrounds(folder, "normal", cache=tmp_path / "cache")
        for name, region in again.load(again.backgrounds[0]).regions.items():
            np.testing.assert_array_equal(region, regions[name])

    def test_a_given_lung_is_split_at_the_midline(self, tmp_path):
        write_mha(tmp_path / "a.mha", chest(bits=12), (1.5, 2))
        write_png(tmp_path / "a.lung.png", mask() | mask(columns=slice(90, 130)))
        backgrounds = open_backgrounds(tmp_path, "normal")
        radiograph = backgrounds.load(backgrounds.backgrounds[0])
        assert "lung" not in radiograph.estimated
        assert radiograph.estimated >= {"left_lung", "right_lung"}
        np.testing.assert_array_equal(radiograph.regions["right_lung"], mask() > 0)
        np.testing.assert_array_equal(radiograph.regions["left_lung"], mask(columns=slice(90, 130)) > 0)

    def test_both_given_sides_make_the_lung(self, tmp_path):
        write_mha(tmp_path / "a.mha", chest(bits=12), (1.5, 2))
        write_png(tmp_path / "a.right_lung.png", mask())
        write_png(tmp_path / "a.left_lung.png", mask(columns=slice(90, 130)))
        backgrounds = open_backgrounds(tmp_path, "normal")
        radiograph = backgrounds.load(backgrounds.backgrounds[0])
        assert not radiograph.estimated & {"lung", "left_lung", "right_lung"}
        np.testing.assert_array_equal(radiograph.regions["lung"], (mask() | mask(columns=slice(90, 130))) > 0)


BROKEN_MANIFESTS = {
    "no file column": ("files,mm_per_px_x\na.png,1\n", "manifest.csv:1: no column 'file'; is it 'files'"),
    "file that is not there": (
        f"{HEADER}\nset/a.png,p,,,,1,1\nset/gone.png,p,,,,1,1\n",
        "manifest.csv:3: set/gone.png",
    ),
    "listed twice": (f"{HEADER}\nset/a.png,p,,,,1,1\nset/a.png,p,,,,1,1\n", r"manifest.csv:3: .*first at .*:2"),
    "spacing in one direction": (f"{HEADER}\nset/a.png,p,,,,1,\n", r"manifest.csv:2: mm_per_px_y is \(empty\)"),
    "spacing with a comma": (f'{HEADER}\nset/a.png,p,,,,"0,4","0,4"\n', "manifest.csv:2: mm_per_px_y is 0,4"),
    "spacing in micrometres": (f"{HEADER}\nset/a.png,p,,,,168,168\n", "mm_per_px_y is 168, not the size of a pixel"),
    "negative spacing": (f"{HEADER}\nset/a.png,p,,,,1,-1\n", "manifest.csv:2: mm_per_px_y is -1"),
    "too many cells": (f"{HEADER}\nset/a.png,p,,,,1,1,x,y\n", "manifest.csv:2: 9 cells under 7 columns"),
    "open quote": (f'{HEADER}\nset/a.png,"p,,,,1,1\n', "manifest.csv:2: "),
    "quote in a quoted cell": (f'{HEADER}\nset/a.png,"p",,,,1,1\nset/b.png,"p" q,,,,1,1\n', "manifest.csv:3: "),
    "empty": ("", "manifest.csv:1: no column 'file'"),
    "mask that is not there": ("file,scar_mask\nset/a.png,m.png\n", "manifest.csv:2: scar_mask: m.png: no such file"),
    "column twice": ("file,sex,sex\nset/a.png,F,M\n", "manifest.csv:1: column 'sex' occurs twice"),
    "bits": ("file,bits\nset/a.png,99\n", "manifest.csv:2: bits is '99'"),
}

BROKEN_YAML = {
    "no list": ("file: a.png\n", "manifest.yaml:1: must be a list"),
    "not YAML": ("- file: a.png\n  view: [\n", "manifest.yaml:3: not valid YAML"),
    "row that is no mapping": ("- file: a.png\n- b.png\n", "manifest.yaml:2: must be a mapping"),
    "nested value": ("- file: a.png\n  view:\n    - PA\n", "manifest.yaml:3: only plain values"),
    "key twice": ("- file: a.png\n  sex: F\n  sex: M\n", "manifest.yaml:3: key 'sex' occurs twice"),
    "no file": ("- file: a.png\n- sex: F\n", "manifest.yaml:2: no file name"),
    "bottomless": ("[" * 1_000, "nested too deeply"),
}


def test_blanks_around_quoted_cells_and_quotes_of_comments_part_no_cell(tmp_path):
    write_png(tmp_path / "a.png", chest())
    rows = 'file, patient, mm_per_px_x, mm_per_px_y\na.png, "p, the first", 1, 1, \n'
    for before in ("# of 2026, exported\n\n", "sep=,\r\n", '# the "normal", "frontal" films\n', '# 1, "open\n'):
        (tmp_path / "manifest.csv").write_text(f"{before}{rows}")
        (background,) = open_backgrounds(tmp_path, "normal").backgrounds
        assert background.patient == "p, the first"


class TestBrokenSets:
    @pytest.mark.parametrize("case", BROKEN_MANIFESTS)
    def test_a_wrong_manifest_names_its_line(self, tmp_path, case):
        text, message = BROKEN_MANIFESTS[case]
        write_png(tmp_path / "set" / "a.png", chest())
        (tmp_path / "manifest.csv").write_text(text)
        with pytest.raises(BackgroundError, match=message):
            open_backgrounds(tmp_path / "set", "normal")

    @pytest.mark.parametrize(
        ("listed", "hint"),
        [("a", "did you mean 'a.png'?"), ("A.PNG", "did you mean 'a.png'?"), ("a.jpg", "did you mean 'a.png'?"),
         ("b.png", "file names are relative to")],
    )  # fmt: skip
    def test_a_file_that_is_there_with_another_suffix_is_named(self, tmp_path, listed, hint):
        for name in ("a.png", "c.png"):  # of another patient, and no remedy
            write_png(tmp_path / name, chest())
        (tmp_path / "manifest.csv").write_text(f"file,mm_per_px_x,mm_per_px_y\n{listed},1,1\n")
        with pytest.raises(BackgroundError, match="no such file") as caught:
            open_backgrounds(tmp_path, "normal")
        assert caught.value.hint.startswith(hint)

    def test_a_manifest_beside_the_folder_of_its_files_names_that_folder(self, tmp_path):
        write_png(tmp_path / "images" / "a.png", chest())
        (tmp_path / "manifest.csv").write_text("file,mm_per_px_x,mm_per_px_y\na.png,1,1\n")
        with pytest.raises(BackgroundError, match="no such file") as caught:
            open_backgrounds(tmp_path, "normal")
        assert f"it lies in {tmp_path / 'images'}: name that folder" in caught.value.hint
        assert len(open_backgrounds(tmp_path / "images", "normal").backgrounds) == 1
        write_png(tmp_path / "lung_masks" / "a.png", mask())
        with pytest.raises(BackgroundError, match="no such file") as caught:
            open_backgrounds(tmp_path, "normal")
        both = f"{tmp_path / 'images'} and {tmp_path / 'lung_masks'}"
        assert f"it lies in {both}: name that folder of the radiographs" in caught.value.hint

    @pytest.mark.parametrize("again", ["./a.png", "../set/a.png", "link.png"])
    def test_a_file_that_is_listed_under_two_names_is_an_error(self, tmp_path, again):
        write_png(tmp_path / "set" / "a.png", chest())
        (tmp_path / "set" / "link.png").symlink_to("a.png")
        (tmp_path / "set" / "manifest.csv").write_text(
            f"file,mm_per_px_x,mm_per_px_y\na.png,1.4,1.4\n{again},0.7,0.7\n"
        )
        with pytest.raises(BackgroundError, match=r"manifest\.csv:3: .* is the file that .*manifest\.csv:2 lists"):
            FolderSet(tmp_path / "set", "normal")

    @pytest.mark.parametrize("case", BROKEN_YAML)
    def test_a_wrong_yaml_manifest_names_its_line(self, tmp_path, case):
        text, message = BROKEN_YAML[case]
        (tmp_path / "manifest.yaml").write_text(text)
        with pytest.raises(BackgroundError, match=message):
            read_manifest(tmp_path / "manifest.yaml")

    @pytest.mark.parametrize("end", ["", ";", "; ;"])
    def test_a_manifest_saved_by_a_european_spreadsheet_is_read(self, tmp_path, end):
        (tmp_path / "manifest.csv").write_bytes(f"\ufefffile;age\r\na.png;50{end}\r\n".encode())
        row = read_manifest(tmp_path / "manifest.csv").rows[0]
        assert (row.file, row.strata) == ("a.png", {"age": "50"})

    def test_a_manifest_in_another_encoding_is_refused(self, tmp_path):
        (tmp_path / "manifest.csv").write_bytes("file,klinik\na.png,Köln\n".encode("latin-1"))
        with pytest.raises(BackgroundError, match="not UTF-8"):
            read_manifest(tmp_path / "manifest.csv")

    def test_two_manifests_in_one_folder_are_refused(self, tmp_path):
        make_set(tmp_path / "set")
        (tmp_path / "manifest.yaml").write_text("- file: set/a.png\n")
        with pytest.raises(BackgroundError, match=r"both manifest\.csv and manifest\.yaml"):
            open_backgrounds(tmp_path / "set", "normal")

    def test_a_broken_radiograph_names_file_and_manifest_line(self, tmp_path):
        folder = make_set(tmp_path / "set")
        (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:700])
        backgrounds = open_backgrounds(folder, "normal")
        with pytest.raises(BackgroundError, match=r"b\.png: truncated.*manifest\.csv:3"):
            backgrounds.load(next(b for b in backgrounds.backgrounds if b.id == "b.png"))

    def test_a_png_without_spacing_says_where_to_put_it(self, tmp_path):
        write_png(tmp_path / "a.png", chest())
        backgrounds = open_backgrounds(tmp_path, "normal")
        with pytest.raises(BackgroundError, match=r"a\.png: .*mm is unknown"):
            backgrounds.load(backgrounds.backgrounds[0])

    def test_a_folder_of_pictures_without_any_pixel_size_is_told_before_one_is_read(self, tmp_path):
        folder = tmp_path / "films"
        for name in ("a.png", "b.jpg"):
            write_png(folder / name, chest())
        write_png(folder / "a.lung.png", mask())
        with pytest.raises(BackgroundError, match=r"films: .* is unknown for all 2 files") as caught:
            check_pixel_size(folder)
        assert str(folder / "manifest.csv") in caught.value.hint
        (tmp_path / "manifest.csv").write_text("file,view\nfilms/a.png,PA\n")
        with pytest.raises(BackgroundError) as caught:
            check_pixel_size(folder)
        assert str(tmp_path / "manifest.csv") in caught.value.hint
        (tmp_path / "manifest.csv").write_text(f"{HEADER}\nfilms/a.png,p,,,,1,1\n")
        check_pixel_size(folder)

    def test_a_folder_with_a_file_that_may_know_its_pixel_size_is_left_to_the_readers(self, tmp_path):
        write_png(tmp_path / "flat" / "a.png", chest())
        write_mha(tmp_path / "flat" / "b.mha", chest(bits=12), (1.5, 2))
        write_png(tmp_path / "sets" / "normal" / "a.png", chest())
        check_pixel_size(tmp_path / "flat")
        check_pixel_size(tmp_path / "sets")

    def test_an_empty_lung_mask_is_an_error(self, tmp_path):
        write_mha(tmp_path / "a.mha", chest(bits=12), (1.5, 2))
        write_png(tmp_path / "a.lung.png", mask() * 0)
        backgrounds = open_backgrounds(tmp_path, "normal")
        with pytest.raises(BackgroundError, match="lung mask is empty"):
            backgrounds.load(backgrounds.backgrounds[0])

    @pytest.mark.parametrize("drawn", ["inverted", "whole"])
    def test_an_inverted_lung_mask_is_an_error(self, tmp_path, drawn):
        write_mha(tmp_path / "a.mha", chest(bits=12), (1.5, 2))
        write_png(tmp_path / "a.lung.png", 255 - mask() if drawn == "inverted" else mask() * 0 + 255)
        backgrounds = open_backgrounds(tmp_path, "normal")
        with pytest.raises(BackgroundError, match=r"lung mask covers 100% of the radiograph's edge: is it inverted\?"):
            backgrounds.load(backgrounds.backgrounds[0])

    def test_a_mask_beside_a_picture_that_exif_turns_is_refused_unless_the_manifest_tells_the_turn(self, tmp_path):
        turned, drawn = Image.Exif(), mask()
        turned[0x0112] = 3
        Image.fromarray(chest()[::-1, ::-1]).save(tmp_path / "a.jpg", quality=95, exif=turned)
        drawn[:64] = 0
        write_png(tmp_path / "a.lung.png", drawn * 255)
        for column, value in (("rotate_deg", ""), ("rotate_deg", "180")):
            manifest = f"file,mm_per_px_x,mm_per_px_y,{column}\na.jpg,1.4,1.4,{value}\n"
            (tmp_path / "manifest.csv").write_text(manifest)
            served = FolderSet(tmp_path, "normal")
            if value:
                np.testing.assert_array_equal(served.load(served.backgrounds[0]).regions["lung"], drawn[::-1, ::-1] > 0)
            else:
                with pytest.raises(BackgroundError, match="EXIF orientation 3"):
                    served.load(served.backgrounds[0])

    @pytest.mark.parametrize("labels", [(1, 2), (127, 255)])
    def test_a_map_of_labels_is_no_mask(self, tmp_path, labels):
        """Half of the largest value as threshold took the right lung alone for the lungs, without a word."""
        write_mha(tmp_path / "a.mha", chest(bits=12), (1.5, 2))
        lungs = mask()
        lungs[lungs > 0] = labels[0]
        lungs[30:100, 45:60] = labels[1]
        write_png(tmp_path / "a.lung.png", lungs)
        backgrounds = open_backgrounds(tmp_path, "normal")
        with pytest.raises(BackgroundError, match=f"holds the values {labels[0]}, {labels[1]} as a map of labels"):
            backgrounds.load(backgrounds.backgrounds[0])

    def test_a_mask_with_a_soft_edge_is_a_mask(self, tmp_path):
        soft = scipy.ndimage.uniform_filter(mask().astype(float), 3).astype(np.uint8)
        assert len(np.unique(soft)) > 3
        write_png(tmp_path / "a.png", soft)
        assert np.array_equal(read_mask(tmp_path / "a.png", soft.shape), soft > soft.max() / 2)

    def test_a_folder_without_radiographs_names_its_subfolders(self, tmp_path):
        write_png(tmp_path / "normal" / "a.png", chest())
        with pytest.raises(BackgroundError, match="no folder 'pneumothorax', as a spec calls the set; its"):
            open_backgrounds(tmp_path, "pneumothorax")
        with pytest.raises(BackgroundError, match="did you mean 'normal'"):
            open_backgrounds(tmp_path, "nomal")

    def test_a_folder_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(BackgroundError, match="no such folder"):
            open_backgrounds(tmp_path / "gone", "normal")

    def test_a_set_of_nodules_only_is_no_background_set(self, tmp_path):
        write_mha(tmp_path / "n0001.mha", chest(bits=12), (1.5, 2))
        with pytest.raises(BackgroundError, match="show annotated nodules"):
            open_backgrounds(tmp_path, "normal")

    def test_an_unknown_built_in_set_is_refused_without_a_folder(self):
        with pytest.raises(BackgroundError, match="not built in"):
            open_backgrounds(None, "unheard-of")


def test_the_set_is_a_background_set_with_an_identity(tmp_path):
    backgrounds: BackgroundSet = open_backgrounds(make_set(tmp_path / "set"), "normal", 2)
    identity = backgrounds.identity.as_dict()
    assert identity["configuration"]["available"] == 3
    assert identity["configuration"]["radiographs"] == 2
    assert len(identity["sha256"]) == 64


class TestDicomTrees:
    def tree(self, folder):
        pytest.importorskip("pydicom")
        for patient, name, fields in (
            ("P1", "ST1/SE1/IM1", {}),
            ("P1", "ST1/SE2/IM1.dcm", {"ViewPosition": "LL"}),
            ("P1", "ST2/SE1/IM1", {}),
            ("P2", "ST1/SE1/IM1.dcm", {}),
            ("P2", "ST1/SE2/SR1", {"Modality": "SR", "Rows": None}),
            ("P2", "ST1/SE3/CT1", {"Modality": "CT"}),
        ):
            write_dicom(folder / patient / name, chest(160, 160, bits=12), PatientID=f"REAL-{patient}", **fields)

    def test_an_export_by_patient_study_and_series_is_one_set(self, tmp_path):
        self.tree(tmp_path)
        (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
        served = open_backgrounds(tmp_path, "normal")
        assert sorted(b.id for b in served.backgrounds) == [
            "P1/ST1/SE1/IM1", "P1/ST2/SE1/IM1", "P2/ST1/SE1/IM1.dcm"
        ]  # fmt: skip
        assert len({b.patient for b in served.backgrounds}) == 2
        assert not any("REAL" in b.patient for b in served.backgrounds)
        assert served.load(served.backgrounds[0]).shape == (160, 160)
        assert [note for note in served.notes if "left out" in note] == [
            "1 DICOM file was left out: modality CT",
            "1 DICOM file was left out: no image (modality SR)",
            "1 DICOM file was left out: view LL",
        ]

    def test_a_pipe_in_it_is_no_film_and_nobody_waits_for_what_it_may_say(self, tmp_path):
        self.tree(tmp_path / "normal")
        os.mkfifo(tmp_path / "normal" / "P1" / "pipe")
        check_sets(tmp_path, ["pneumothorax"])
        assert len(open_backgrounds(tmp_path / "normal", "normal").backgrounds) == 3

    def test_folders_that_may_be_sets_are_not_thrown_together(self, tmp_path):
        for name in ("normal", "ill"):
            write_dicom(tmp_path / name / "a.dcm", chest(160, 160, bits=12))
        with pytest.raises(BackgroundError, match="its folders are ill, normal"):
            open_backgrounds(tmp_path, "pneumothorax")

    def test_a_folder_that_is_the_set_may_have_a_folder_per_patient(self, tmp_path):
        for name in ("p1", "p2"):
            write_dicom(tmp_path / "normal" / name / "a.dcm", chest(160, 160, bits=12), PatientID=name)
        assert len(open_backgrounds(tmp_path, "normal").backgrounds) == 2


@pytest.mark.parametrize("changed", ["a.png", "a.lung.png"])
def test_a_film_or_mask_that_changes_after_its_set_was_opened_is_not_taken_for_that_of_before(tmp_path, changed):
    folder = make_set(tmp_path / "set")
    write_png(folder / "a.lung.png", mask())
    backgrounds = open_backgrounds(folder, "normal")
    first = next(one for one in backgrounds.backgrounds if one.id == "a.png")
    assert backgrounds.load(first).background == "a.png"
    write_png(folder / changed, chest(seed=9) if changed == "a.png" else mask(columns=slice(30, 62)))
    with pytest.raises(BackgroundError, match=r"a\.png: the file, or a mask of it, was changed since"):
        backgrounds.load(first)


def test_links_that_lead_nowhere_are_told(tmp_path):
    pytest.importorskip("pydicom")
    for place in ("flat", "tree/p0/s0"):
        (tmp_path / place).mkdir(parents=True)
        write_dicom(tmp_path / place / "a.dcm", chest(bits=12), PatientID="P0")
        for name in ("b.dcm", "c.dcm"):
            (tmp_path / place / name).symlink_to(tmp_path / "store" / name)
    for folder in ("flat", "tree"):
        films = FolderSet(tmp_path / folder, "normal")
        assert len(films.backgrounds) == 1
        assert "2 links lead nowhere, such as b.dcm: left out" in films.notes


@pytest.mark.parametrize("place", ["images", "labels"])
def test_the_lock_of_an_editor_is_no_link_that_leads_nowhere(tmp_path, place):
    make_set(tmp_path / "images")
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / place / ".#a.txt").symlink_to("somebody@here.123:456")
    assert not any("nowhere" in note for note in list_radiographs(tmp_path / "images", [tmp_path]).notes)


def test_a_manifest_behind_a_link_that_leads_nowhere_is_an_error(tmp_path):
    pytest.importorskip("pydicom")
    (tmp_path / "films").mkdir()
    write_dicom(tmp_path / "films" / "a.dcm", chest(bits=12), PatientID="P0")
    (tmp_path / "manifest.csv").symlink_to(tmp_path / "store" / "manifest.csv")
    with pytest.raises(BackgroundError, match=r"manifest\.csv: cannot be read: No such file"):
        list_radiographs(tmp_path / "films", [tmp_path])


@pytest.mark.parametrize("name", ["images/boxes.csv", "labels/a.txt", "images/a.txt", "metadata.csv"])
def test_marks_behind_a_link_that_leads_nowhere_are_not_taken_for_none(tmp_path, name):
    make_set(tmp_path / "images")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).symlink_to(tmp_path / "store" / "of_large_files")
    with pytest.raises(BackgroundError, match=f"{name}: a link that leads nowhere"):
        list_radiographs(tmp_path / "images", [tmp_path])


@pytest.mark.parametrize("command", [["regions", "--backgrounds", "set", "--out", "r.png"], ["expand", "a.yaml"]])
def test_a_name_that_the_systems_encoding_has_no_letter_for_is_told_with_a_remedy(tmp_path, command):
    (tmp_path / "a.yaml").write_text("synnodtest: 1\ntitle: Gr\u00f6\u00dfe\nbehaviours:\n" + SPEC, encoding="utf-8")
    make_set(tmp_path / "set", ["a.png"], a="set/\u00e4.png,p0,PA,F,50,1.5,2.0")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ran = start_python(["synnodtest", *command], cwd=tmp_path, env=environment, timeout=120)
    assert ran.returncode == 1
    assert "'ascii' codec can't encode" in ran.stderr
    assert "set PYTHONUTF8=1" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_films_have_the_same_names_in_an_ascii_locale_as_they_have_in_utf8(tmp_path):
    make_set(tmp_path / "set")
    (tmp_path / "set" / "a.png").rename(tmp_path / "set" / "\u00e4.png")
    program = "from pathlib import Path; from synnodtest.backgrounds.listing import list_radiographs as listed"
    program += "; print(ascii([entry.id for entry in listed(Path('set')).entries]))"
    expected = ascii([entry.id for entry in list_radiographs(tmp_path / "set").entries])
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "\\xe4.png" in expected
    assert ran.stdout.strip() == expected, ran.stderr
