"""Distractors in specs: placed, matched, judged, chosen by kind; nodules beside and under them."""

import numpy as np
import pytest
from scipy import ndimage

from synnodtest import Finding, Identity
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.judgement import Providers
from synnodtest.evidence.sightings import Sighting
from synnodtest.evidence.trial import score_mimics, score_trial
from synnodtest.forecast.power import units_per_background
from synnodtest.matching import Matching, lies_on
from synnodtest.mimics import mimic_mask, with_mimics
from synnodtest.planning.draw import own_recipes
from synnodtest.planning.place import Placer
from synnodtest.planning.variants import variants
from synnodtest.radiograph import Truth
from synnodtest.spec import load_spec
from synnodtest.spec.plain import resolved
from synnodtest.statistics import clopper_pearson
from synnodtest.store import Store
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from tests.engine.parts import Squares

SPEC = """
synnodtest: 1
behaviours:
  - id: quiet
    statement: Clips and nipples are not reported.
    scenes:
      backgrounds: {set: squares, count: 12}
      distractors:
        - {name: thing, mimic: {sweep: [clip, nipple]}, location: {region: lung}, size_mm: 9}
    expect:
      - distractor: {by: mimic, at_most: 0.3}
      - distractor: {id: all, at_most: 0.3, where: {size_mm: {at_least: 5}}}
  - id: beside
    statement: A nodule by a clip is found.
    scenes:
      backgrounds: {set: squares, count: 4}
      distractors: [{name: clip, mimic: clip, location: {region: lung}, size_mm: 9}]
      nodules:
        - {name: near, diameter_mm: 12, contrast: 0.9, location: {region: lung, beside: clip, gap_mm: 6}}
        - {name: below, diameter_mm: 12, contrast: 0.9, location: {region: lung, under: clip}}
      arms: {bare: {distractors: []}, full: {}}
    expect:
      - sensitivity: {at_least: 0.3, of: near, arm: full, where: {mimic: clip}}
"""


class OnClips:
    """Reports the middle of every clip, and of nothing else."""

    identity = Identity("on clips", "1")

    def detect(self, radiographs):
        return [[Finding(m.box, 0.9) for m in r.mimics if m.requested["mimic"] == "clip"] for r in radiographs]


class OnNothing:
    """Reports nothing."""

    identity = Identity("on nothing", "1")

    def detect(self, radiographs):
        return [[] for _ in radiographs]


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(SPEC)
    return load_spec(path)


def judged(spec, tmp_path, detector=None, films=None):
    providers = Providers(
        detector=detector or OnClips(),
        synthesizer=lambda name: GaussianSynthesizer(),
        backgrounds=lambda name, count: films or Squares(count),
        default_synthesizer="gaussian",
    )
    campaign = Campaign(providers, Store(tmp_path / "store"))
    for behaviour in spec.behaviours:
        for expectation in behaviour.expectations:
            for variant in variants(behaviour, expectation):
                yield variant.id, campaign.gather(behaviour, variant).ruling


def test_each_kind_is_judged_by_its_own_rate_with_the_interval_of_clopper_and_pearson(spec, tmp_path):
    ruled = dict(judged(spec, tmp_path))
    assert {name: str(ruling.status) for name, ruling in ruled.items()} == {
        "distractor[mimic=clip]": "FAILED",
        "distractor[mimic=nipple]": "PASSED",
        "all": "FAILED",
        "sensitivity": "INCONCLUSIVE",
    }
    part = ruled["distractor[mimic=nipple]"].components[0]
    expected = clopper_pearson(0, 12, alpha=0.05)
    assert (part.value, part.upper) == pytest.approx((0.0, expected.upper))
    assert ruled["all"].details["by kind"] == [
        {"mimic": "clip", "distractors": 12, "reported": 12, "rate": 1.0},
        {"mimic": "nipple", "distractors": 12, "reported": 0, "rate": 0.0},
    ]
    without = next(part for part in ruled["all"].components if part.role == "shown")
    assert without.value == 0.0, "at the same places of untouched backgrounds nothing is found"
    assert ruled["all"].n_clusters == 12
    assert ruled["all"].n_nodules == 24


BLACK = """
synnodtest: 1
behaviours:
  - id: quiet
    statement: Clips are not reported.
    scenes:
      backgrounds: {set: squares, count: 12}
      distractors: [{mimic: clip, location: LOCATION, size_mm: 9}]
    expect:
      - distractor: {at_most: 0.5}
"""


class Framed(Squares):
    """Squares whose left half is black outside the lung, as the air around a patient."""

    def load(self, background):
        film = super().load(background)
        pixels = film.pixels.copy()
        pixels[:, : pixels.shape[1] // 2][~film.regions["lung"][:, : pixels.shape[1] // 2]] = 0
        return film.with_pixels(pixels, film.nodules)


@pytest.mark.parametrize(
    ("location", "status", "trials"),
    [("{region: {not: lung}}", "PASSED", 12), ("{at_mm: [2, 2]}", "INCONCLUSIVE", 0)],
)
def test_a_mimic_that_shows_nowhere_is_not_one_that_the_detector_left_alone(tmp_path, location, status, trials):
    path = tmp_path / "s.yaml"
    path.write_text(BLACK.replace("LOCATION", location))
    films = Framed(12)
    ((_, ruling),) = judged(load_spec(path), tmp_path, OnNothing(), films)
    assert (str(ruling.status), ruling.n_nodules) == (status, trials)
    behaviour = load_spec(path).behaviours[0]
    drawn = [with_mimics(films.load(r.background), Placer(films.load(r.background)).place(r).mimics)
             for r in own_recipes(behaviour, films.backgrounds, 0)]  # fmt: skip
    assert sum(bool(film.mimics[0].crop.any()) for film in drawn) == trials


def test_arms_share_places_and_differ_in_the_distractor_alone(spec):
    behaviour = spec.behaviour("beside")
    squares = Squares(4)
    recipes = list(own_recipes(behaviour, squares.backgrounds, 0))
    assert [r.arm for r in recipes[:2]] == ["bare", "full"]
    for bare, full in zip(recipes[::2], recipes[1::2], strict=True):
        radiograph = squares.load(bare.background)
        without, with_clip = Placer(radiograph).place(bare), Placer(radiograph).place(full)
        assert without.nodules == with_clip.nodules
        assert not without.mimics
        mask = mimic_mask(radiograph, with_clip.mimics[0])
        away = ndimage.distance_transform_edt(~mask)
        near, below = (away[int(n.centre_mm[1]), int(n.centre_mm[0])] for n in with_clip.nodules)
        assert below == 0
        assert 12 <= near <= 17.1


def test_the_resolved_spec_loads_to_the_same(spec, tmp_path):
    path = tmp_path / "again.yaml"
    path.write_text(resolved(spec))
    assert load_spec(path).sha256 == spec.sha256


def test_a_plan_counts_distractors(spec):
    behaviour = spec.behaviour("quiet")
    by_kind, every = behaviour.expectations
    backgrounds = Squares(12).backgrounds
    assert units_per_background(behaviour, variants(behaviour, every)[0], backgrounds, 0) == 2
    assert units_per_background(behaviour, variants(behaviour, by_kind)[0], backgrounds, 0) == 1


def truth(name, rows, columns, **requested):
    height, width = rows.stop - rows.start, columns.stop - columns.start
    return Truth(name, np.ones((height, width), dtype=bool), (rows.start, columns.start), 5.0, 0.2, requested)


@pytest.mark.parametrize(
    ("centre", "on_nodule", "on_mimic"),
    [
        ((25, 25), True, False),  # in the nodule
        ((33, 25), False, True),  # within 5 mm of the mimic, further from the nodule
        ((37, 25), False, True),  # in the mimic
        ((48, 25), False, False),  # beyond both
        ((32, 25), True, False),  # between them, a hit of the nodule by its tolerance
    ],
)
def test_a_finding_is_on_the_mimic_where_it_hits_no_nodule(centre, on_nodule, on_mimic):
    nodule, mimic = truth("n", range(20, 30), range(20, 28)), truth("m", range(20, 30), range(36, 42), mimic="clip")
    x, y = centre
    sightings = [Sighting(Finding((x - 1, y - 1, x + 2, y + 2), 0.7))]
    nodules, _, false = score_trial(sightings, [nodule], [frozenset()], (1.0, 1.0), Matching())
    (fooled,) = score_mimics(sightings, [mimic], [frozenset()], nodules, (1.0, 1.0), Matching())
    assert nodules[0].detected(0.5) == on_nodule
    assert fooled.detected(0.5) == on_mimic
    assert bool(false) != on_nodule


def test_a_hit_that_lies_on_the_mimic_itself_counts_against_the_detector():
    nodule, mimic = truth("n", range(20, 30), range(20, 28)), truth("m", range(20, 30), range(30, 36), mimic="clip")
    sightings = [Sighting(Finding((30, 24, 33, 27), 0.7))]
    nodules, *_ = score_trial(sightings, [nodule], [frozenset()], (1.0, 1.0), Matching())
    (fooled,) = score_mimics(sightings, [mimic], [frozenset()], nodules, (1.0, 1.0), Matching())
    assert nodules[0].detected(0.5)
    assert fooled.detected(0.5)


def test_a_box_around_a_bent_wire_is_on_it_though_its_centre_lies_beside():
    mask = np.zeros((60, 60), np.bool_)
    mask[5:55, 5:8] = mask[52:55, 5:55] = True
    bent = Truth("wire", mask, (0, 0), 20.0, 0.2, {"mimic": "line", "size_mm": 2.0})
    around, beside = Finding((5, 5, 55, 55), 0.7), Finding((24, 24, 36, 36), 0.7)
    for finding, reported in ((around, True), (beside, False)):
        (fooled,) = score_mimics([Sighting(finding)], [bent], [frozenset()], [], (1.0, 1.0), Matching())
        assert fooled.detected(0.5) == reported
        assert lies_on(finding, bent, (1.0, 1.0), Matching()) == reported


ASIDE = """
synnodtest: 1
behaviours:
  - id: aside
    statement: Clips raise no alarm, on them or beside.
    scenes:
      backgrounds: {set: squares, count: 30}
      distractors: [{name: clip, mimic: clip, location: {region: lung}, size_mm: 9}]
      nodules: [{diameter_mm: 12, contrast: 0.9, location: {region: lung}}]
      arms: {bare: {distractors: []}, full: {}}
    expect:
      - distractor: {at_most: 0.3, arm: full}
      - non_inferior: {metric: false_positives_per_image, arm: full, reference: bare, margin: 0.5}
"""


class BesideClips:
    """Reports every nodule, and in the corner away from a clip another."""

    identity = Identity("beside clips", "1")

    def detect(self, radiographs):
        return [
            [*(Finding(n.box, 0.9) for n in r.nodules), *(Finding((0, 0, 4, 4), 0.9) for _ in r.mimics)]
            for r in radiographs
        ]


@pytest.mark.parametrize(("detector", "on"), [(BesideClips, "PASSED"), (OnClips, "FAILED")])
def test_a_finding_beside_a_distractor_counts_where_the_arm_is_compared_with_a_bare_one(tmp_path, detector, on):
    path = tmp_path / "s.yaml"
    path.write_text(ASIDE)
    ruled = dict(judged(load_spec(path), tmp_path, detector()))
    assert {name: str(ruling.status) for name, ruling in ruled.items()} == {"distractor": on, "non_inferior": "FAILED"}
    assert ruled["non_inferior"].components[0].value == 1.0
