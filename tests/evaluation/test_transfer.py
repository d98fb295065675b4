"""Transfer: hits and thresholds by hand, places in the same zones, and detectors of which the answer is known."""

import json
import shutil
from functools import cache, lru_cache

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage, stats

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.cli import main
from synnodtest.commands.transfer import fields_of
from synnodtest.detectors.callables import CallableDetector
from synnodtest.errors import SynnodError
from synnodtest.evaluation.transfer.compare import agreement, compare, threshold_at, visibility_of
from synnodtest.evaluation.transfer.gather import Found, Gathered, scores_in
from synnodtest.evaluation.transfer.negatives import negative_films
from synnodtest.evaluation.transfer.places import corresponding, zones_at
from synnodtest.evaluation.transfer.scenes import counterparts, nodule_template
from synnodtest.evaluation.transfer.study import Design, Study
from synnodtest.evaluation.transfer.table import as_text
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph
from synnodtest.store import Store
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from tests.backgrounds.radiograph_files import chest as picture
from tests.backgrounds.radiograph_files import write_dicom
from tests.evaluation.annotated_folder import SPACING, masks, remembered, write_annotated, write_copy, write_negatives


def at(x, y, score):
    return Finding((x - 2, y - 2, x + 2, y + 2), score)


def test_a_hit_is_a_centre_in_the_box_grown_by_five_millimetres():
    box = (40.0, 60.0, 60.0, 90.0)
    inside, outside = [at(35.1, 75, 0.4), at(50, 94.9, 0.7)], [at(34.9, 75, 0.9), at(50, 95.1, 0.8)]
    assert scores_in(inside + outside, [box], (1.0, 1.0)) == [0.7]
    assert scores_in([at(30.1, 75, 0.4)], [box], (1.0, 0.5)) == [0.4]
    assert scores_in([at(50, 75, 0.4)], [], (1.0, 1.0)) == []


def test_a_finding_hits_one_nodule_and_the_best_goes_first():
    near, far = (40.0, 40.0, 60.0, 60.0), (55.0, 40.0, 75.0, 60.0)
    assert scores_in([at(57, 50, 0.9), at(48, 50, 0.5)], [near, far], (1.0, 1.0)) == [0.9, 0.0]
    assert scores_in([at(57, 50, 0.9), at(57, 50, 0.5)], [near, far], (1.0, 1.0)) == [0.9, 0.5]


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_leaves_as_many_false_positives_as_allowed(seed):
    rng = np.random.default_rng(seed)
    films = [list(np.round(rng.random(rng.integers(0, 6)), 1)) for _ in range(20)]
    every = sorted({0.0, *(score for film in films for score in film)})
    for rate in (0.25, 0.5, 1.0, 2.0, 100.0):
        found = threshold_at(films, rate)
        allowed = [t for t in every if sum(s > t for film in films for s in film) / 20 <= rate]
        assert found == min(allowed)


def chest(scale=1.0, shift=0):
    regions = {name: np.roll(mask, shift, axis=0) for name, mask in masks().items()}
    return Radiograph(np.zeros((200, 200), dtype=np.float32), (SPACING * scale, SPACING * scale), regions)


@pytest.mark.parametrize(
    "point", [(60.5, 90.5), (80.5, 95.5), (20.5, 100.5), (140.5, 30.5), (120.5, 150.5), (100.5, 100.5)]
)
def test_a_place_keeps_its_zones_and_its_relative_height(point):
    host = chest(0.8, shift=10)
    found, same = corresponding(chest(), point, host)
    assert same
    assert zones_at(host, found) == zones_at(chest(), point)
    assert found == pytest.approx((point[0], point[1] + 10), abs=1.5)


def test_a_zone_that_the_host_lacks_leaves_the_lung_and_says_so():
    host = chest()
    host = Radiograph(host.pixels, host.spacing_mm, {k: v for k, v in host.regions.items() if k != "hilar"})
    found, same = corresponding(chest(), (80.5, 95.5), host)
    assert not same
    assert "right_lung" in zones_at(host, found)


def test_a_place_outside_all_zones_keeps_its_relative_place():
    found, same = corresponding(chest(), (5.5, 100.5), chest())
    assert same
    assert found == pytest.approx((5.5, 100.5))


@cache
def well_inside():
    """Return the lung but for its rim, of which a bright border is no finding."""
    return ndimage.binary_erosion(masks()["lung"], iterations=8)


@lru_cache(maxsize=300)
def peaks_of(pixels):
    """Return rows and columns of what is brighter than its surroundings, and by how much, in a film given as bytes."""
    film = np.frombuffer(pixels, np.float32).reshape(masks()["lung"].shape)
    response = -ndimage.gaussian_laplace(film.astype(float), 4) * 16
    rows, columns = np.nonzero((ndimage.maximum_filter(response, 9) == response) & well_inside())
    return rows, columns, response[rows, columns]


class Blobs:
    """Finds what is brighter than its surroundings; knows nothing of who put it there."""

    def __init__(self, least=0.02, blind=()):
        self.least, self.blind, self.calls = least, blind, 0

    @property
    def identity(self):
        return Identity("blobs", "1", configuration={"least": self.least, "blind": list(self.blind)})

    def detect(self, radiographs):
        self.calls += len(radiographs)
        return [self._one(radiograph) for radiograph in radiographs]

    def _one(self, radiograph):
        if radiograph.background.startswith(tuple(self.blind) or ("#",)):
            return []
        peaks = zip(*peaks_of(radiograph.pixels.tobytes()), strict=True)
        return [at(x + 0.5, y + 0.5, float(np.tanh(2 * by))) for y, x, by in peaks if by > self.least]


@pytest.fixture(scope="module")
def world(read_films, tmp_path_factory):
    root = shutil.copytree(read_films, tmp_path_factory.mktemp("world"), dirs_exist_ok=True)
    films = AnnotatedFilms(root / "real", cache=root / "store")
    negatives = negative_films(root / "plain", films, split="all", cache=root / "store")
    for each in (films, negatives):
        each.load = remembered(each.load)
    return root, films, negatives


def study(world, store=None, **design):
    root, films, negatives = world
    nodule = {"contrast": design.pop("contrast", 0.95)}
    made = Design(per_film=2, nodule=nodule, **design)
    return Study(films, negatives, GaussianSynthesizer(), Store(store or root / "store"), made)


def test_a_films_nodules_are_planted_alike_in_several_hosts(world):
    _, films, negatives = world
    scenes = list(counterparts(films, negatives, nodule_template({"contrast": 0.2}), per_film=3, seed=1))
    assert len(scenes) == 3 * 24
    for film in films.backgrounds:
        own = [scene for scene in scenes if scene.film == film.id]
        assert len({scene.recipe.background.id for scene in own}) == 3
        assert len({(n.diameter_mm, n.contrast, n.seed) for scene in own for n in scene.recipe.nodules}) == 1
        (real,) = films.nodules(film.id)
        assert own[0].recipe.nodules[0].diameter_mm == pytest.approx(real.diameter_mm, abs=0.01)
    served = [scene.recipe.background.id for scene in scenes]
    assert max(served.count(one) for one in set(served)) - min(served.count(one) for one in set(served)) <= 1
    assert served == sorted(served, key=served.index)


def test_a_detector_that_treats_both_alike_is_found_to_do_so(world):
    made = study(world, margin=0.3)
    made.run("blobs", Blobs())
    result = made.result()
    (told,) = result["detectors"]
    for row in told["rates"]:
        assert row["real"]["value"] > 0.7
        assert abs(row["difference"]["value"]) < 0.25
    assert told["rates"][-1]["equivalent"]
    assert told["rejected"] == 0
    assert result["made_of"]["nodules"] == 24
    assert "planted - real" in as_text(result)


def test_what_a_transfer_says_keeps_its_sides_signs_and_numbers_of_one(world):
    made = study(world)
    made.run("blobs", Blobs())
    result = made.result()
    result["made_of"] |= {"nodules": 1, "films": 1, "patients": 1, "masses_left_out": 1, "negative_films": 1}
    (told,) = result["detectors"]
    first, second, third = told["rates"]
    first["difference"] = {"value": 0.0002, "lower": -0.0, "upper": 0.1004}
    second["difference"] = {"value": None, "lower": -1.0, "upper": 1.0}
    third["p_equivalence"] = 1e-9
    text = as_text(result)
    assert "1 annotated nodule on 1 film of 1 patient (" in text
    assert "; 1 box above 45 mm left out)" in text
    assert "planted scenes in 1 negative film, " in text
    assert " 0.000 (0.0000 to +0.1004)  " in text
    assert " – (\N{MINUS SIGN}1.00 to +1.00)  " in text
    assert "(p < 0.0001)" in text


def test_a_detector_that_sees_planted_nodules_alone_is_caught(world):
    made = study(world)
    made.run("blobs", Blobs())
    made.run("blind to real films", Blobs(blind=("real",)))
    fair, unfair = made.result()["detectors"]
    for row in unfair["rates"]:
        assert row["real"]["value"] == 0
        assert row["planted"]["value"] == fair["rates"][unfair["rates"].index(row)]["planted"]["value"] > 0.7
        assert not row["equivalent"]
        assert not row["covers_0"]
    assert unfair["image_auc"]["real"]["value"] < 0.5 < unfair["image_auc"]["planted"]["value"]


def test_a_silent_detector_is_equivalent_to_nothing(world):
    made = study(world)
    made.run("silent", Blobs(least=99))
    (told,) = made.result()["detectors"]
    assert all(row["difference"]["value"] == 0 and not row["equivalent"] for row in told["rates"])
    assert "reason" in told["variance"]


def test_fainter_planted_nodules_are_found_less_and_are_less_conspicuous(world):
    made = study(world, contrast=0.02)
    made.run("blobs", Blobs())
    result = made.result()
    assert result["detectors"][0]["rates"][0]["difference"]["upper"] < -0.2
    band = result["visibility"]["conspicuity"][-1]
    assert band["planted"][1] < band["real"][1]
    assert band["kolmogorov_smirnov"] > 0.4


def test_medians_that_are_not_both_above_zero_have_no_ratio():
    def seen(*contrasts):
        return [Found("n", "h", 20.0, 0.0, contrast, 2.0) for contrast in contrasts]

    told = {}
    for real, planted in (((0.1, 0.2, 0.3), (0.1, 0.1)), ((-0.1, -0.01, 0.2), (0.1, 0.1)), ((0.1, 0.1), (-0.1,))):
        band = visibility_of(seen(*real), seen(*planted))["contrast"][-1]
        told[real, planted] = band["median_ratio"]
    assert [*told.values()] == [pytest.approx(0.5), None, None]


def test_an_interrupted_study_goes_on_where_it_was(world, tmp_path):
    class Dies(Blobs):
        def detect(self, radiographs):
            if self.calls > 30:
                raise RuntimeError("power cut")
            return super().detect(radiographs)

    with pytest.raises(RuntimeError):
        study(world, tmp_path).run("blobs", Dies())
    again = Blobs()
    first = study(world, tmp_path)
    first.run("blobs", again)
    assert again.calls < first.steps - 20
    fresh = study(world)
    fresh.run("blobs", Blobs())
    assert first.result() == fresh.result()


def found(score, size=20.0, host="h", nodule="n"):
    return Found(nodule, host, size, score, 0.05, 2.0)


def test_bands_are_of_the_annotated_box_and_close_at_the_top():
    real = [found(0.9, size, f"h{k}") for k, size in enumerate((14.9, 15.0, 24.9, 25.0, 45.0))]
    done = Gathered(tuple(real), tuple(real), (), (), ((0.5,), ()), ("a", "b"), (), 0)
    bands = compare(done, margin=0.1)["rates"][1]["bands"]
    assert [band["real"]["n"] for band in bands] == [1, 2, 2]


def test_false_positives_on_annotated_films_count_only_where_all_nodules_are_marked():
    done = Gathered((found(0.9),), (found(0.9),), (), (), ((0.5,), (0.4,)), ("a", "b"), (0.8, 0.3), 4)
    row = compare(done, margin=0.1)["rates"][0]
    assert row["threshold"] == 0.4
    assert row["on_annotated_films"] == 1 / 4


def detector(planted, real):
    rates = [{"planted": {"value": p}, "real": {"value": r}} for p, r in zip(planted, real, strict=True)]
    return {"rates": rates}


def test_agreement_over_detectors_is_spearmans_and_the_mean_difference():
    planted = [(0.3, 0.4, 0.5), (0.5, 0.6, 0.7), (0.2, 0.25, 0.3), (0.6, 0.8, 0.9)]
    real = [(0.25, 0.42, 0.5), (0.55, 0.6, 0.6), (0.3, 0.2, 0.35), (0.5, 0.7, 0.95)]
    told = agreement([detector(p, r) for p, r in zip(planted, real, strict=True)])
    for k, row in enumerate(told["rates"]):
        x, y = [p[k] for p in planted], [r[k] for r in real]
        assert row["spearman"] == pytest.approx(stats.spearmanr(x, y).statistic)
        assert row["mean_absolute_difference"] == pytest.approx(np.mean(np.abs(np.subtract(x, y))))
    assert told["all_rates"]["n"] == 12
    assert (
        agreement([detector(*pair) for pair in zip(planted[:2], real[:2], strict=True)])["rates"][0]["spearman"] is None
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"diameter_mm": 8}, "taken from the annotated films"), ({"contrst": 1}, "^--nodule: 'contrst' is not known")],
)
def test_fields_of_the_planted_nodules_are_of_the_language_and_not_of_the_films(fields, message):
    with pytest.raises(SynnodError, match=message):
        nodule_template(fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{density: 1_0}", "^--nodule: density: must be a number.*not the text '1_0'"),
        ("{contrast: -3, margin: foo}", "contrast: must be above 0, not -3; margin: must be one of"),
        ("{a: [", "--nodule:1:6: not valid YAML"),
        ("{density: 1, density: 2}", "'density' is given twice"),
        ("nodule.yaml", "is no mapping"),
    ],
)
def test_a_fault_of_the_option_names_the_option_and_no_file_that_nobody_wrote(text, message):
    with pytest.raises(SynnodError, match=message):
        nodule_template(fields_of(text))


def test_the_command_writes_the_result_and_prints_a_table(world, tmp_path, capsys):
    root, *_ = world
    out = tmp_path / "transfer.json"
    arguments = ["--data", root / "real", "--backgrounds", root / "plain", "--synthesizer", "gaussian"]
    arguments += ["--store", root / "store", "--nodule", "{contrast: 0.8}", "--per-film", 1, "--out", out]
    detectors = ["--detector", "oracle", "--detector", "mutant:always-silent"]
    assert main(["evaluate", "transfer", *detectors, *map(str, arguments)]) == 0
    told = json.loads(out.read_text())
    assert [one["name"] for one in told["detectors"]] == ["oracle", "mutant:always-silent"]
    assert told["agreement"]["detectors"] == 2
    assert "FP/film" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "message"),
    [(["--margin", "0"], "--margin 0"), (["--per-film", "0"], "--per-film 0"), (["--nodule", "[1"], "--nodule")],
)
def test_options_that_cannot_be_are_errors(world, capsys, option, message):
    root, *_ = world
    folders = ["--data", str(root / "real"), "--backgrounds", str(root / "plain"), "--store", str(root / "store")]
    code = main(
        ["evaluate", "transfer", "--detector", "mutant:always-silent", *folders, "--synthesizer", "gaussian", *option]
    )
    assert code != 0
    assert message in capsys.readouterr().err


def test_a_patient_with_an_annotated_nodule_is_no_negative(world, tmp_path):
    root, films, _ = world
    write_negatives(tmp_path / "plain", 3)
    text = (tmp_path / "plain" / "manifest.csv").read_text().replace("p-plain001", "p-real003")
    (tmp_path / "plain" / "manifest.csv").write_text(text)
    left = negative_films(tmp_path / "plain", films, split="all", cache=root / "store")
    assert {one.id for one in left.backgrounds} == {"plain000.png", "plain002.png"}


def test_a_copy_of_an_annotated_film_is_no_negative_whatever_its_name(tmp_path):
    write_annotated(tmp_path / "real", 1)
    write_negatives(tmp_path / "plain", 2)
    shutil.copy(tmp_path / "real" / "real000.png", tmp_path / "plain" / "plain001.png")
    films = AnnotatedFilms(tmp_path / "real", share=0.8)
    left = negative_films(tmp_path / "plain", films, split="all")
    assert [one.id for one in left.backgrounds] == ["plain000.png"]


@pytest.mark.parametrize(("patient", "kept"), [("", []), ("p-other", ["copy.jpg"])])
def test_a_film_that_was_saved_anew_is_no_negative_unless_another_patient_is_named(tmp_path, patient, kept):
    write_annotated(tmp_path / "real", 1)
    write_negatives(tmp_path / "plain", 2)
    with Image.open(tmp_path / "real" / "real000.png") as film:
        film.resize((160, 160), Image.Resampling.BOX).save(tmp_path / "plain" / "copy.jpg", quality=80)
    with (tmp_path / "plain" / "manifest.csv").open("a") as manifest:
        manifest.write(f"copy.jpg,{patient},1.875,1.875,0,normal\n")
    films = AnnotatedFilms(tmp_path / "real", share=0.8)
    left = negative_films(tmp_path / "plain", films, split="all")
    assert sorted(one.id for one in left.backgrounds) == [*kept, "plain000.png", "plain001.png"]


def test_the_same_pixels_in_another_file_are_no_negative_whoever_is_named(tmp_path):
    write_annotated(tmp_path / "real", 1)
    write_negatives(tmp_path / "plain", 2)
    with Image.open(tmp_path / "real" / "real000.png") as film:
        film.save(tmp_path / "plain" / "again.png", compress_level=1)
    with (tmp_path / "plain" / "manifest.csv").open("a") as manifest:
        manifest.write(f"again.png,p-other,{SPACING},{SPACING},0,normal\n")
    assert (tmp_path / "plain" / "again.png").read_bytes() != (tmp_path / "real" / "real000.png").read_bytes()
    films = AnnotatedFilms(tmp_path / "real", share=0.8)
    left = negative_films(tmp_path / "plain", films, split="all")
    assert sorted(one.id for one in left.backgrounds) == ["plain000.png", "plain001.png"]
    assert left.notes == []


def test_too_many_films_to_be_compared_are_told_of(tmp_path, monkeypatch):
    write_annotated(tmp_path / "real", 1)
    write_negatives(tmp_path / "plain", 2)
    monkeypatch.setattr("synnodtest.backgrounds.films.MOST", 2)
    left = negative_films(tmp_path / "plain", AnnotatedFilms(tmp_path / "real", share=0.8), split="all")
    assert len(left.notes) == 1
    assert "were not sought among more than" in left.notes[0]


def test_copies_of_a_negative_film_are_one_host(tmp_path):
    write_annotated(tmp_path / "real", 1)
    write_negatives(tmp_path / "plain", 2)
    write_copy(tmp_path / "plain", "plain001")
    films = AnnotatedFilms(tmp_path / "real", share=0.8)
    left = negative_films(tmp_path / "plain", films, split="all").backgrounds
    assert len(left) == 3
    assert len({one.cluster for one in left}) == 2


def test_a_patient_whose_header_has_an_annotated_nodule_is_no_negative_and_stays_on_a_side_of_the_split(tmp_path):
    pytest.importorskip("pydicom")
    for name, patient in {"real/x": "P77", "plain/a": "p77 ", "plain/b": "P78", "plain/c": "P79"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_dicom(tmp_path / f"{name}.dcm", picture(bits=12, seed=len(patient + name)), PatientID=patient)
    (tmp_path / "real" / "boxes.csv").write_text("file,x_min,y_min,x_max,y_max\nx.dcm,40,40,50,50\n")
    films = AnnotatedFilms(tmp_path / "real", share=1)
    few = {one.id: one.cluster for one in negative_films(tmp_path / "plain", films, split="all").backgrounds}
    assert set(few) == {"b.dcm", "c.dcm"}
    write_dicom(tmp_path / "plain" / "0.dcm", picture(bits=12, seed=20), PatientID="P00")
    more = {one.id: one.cluster for one in negative_films(tmp_path / "plain", films, split="all").backgrounds}
    assert few.items() < more.items()
    assert not any(name in cluster for cluster in more.values() for name in ("P7", "P0"))


def test_callables_are_detectors_too(world):
    made = study(world)
    made.run("none", CallableDetector(lambda radiographs: [[] for _ in radiographs], Identity("none")))
    assert made.result()["detectors"][0]["rates"][0]["real"]["value"] == 0
