"""Density, attenuation and margin: from a spec to scenes; contrast follows from density at the place."""

import json

import numpy as np
import pytest

from synnodtest.attenuation import Display, annotated_contrast, contrast_of, outline_of
from synnodtest.attenuation.rule import ANNOTATED_SPREAD, DENSITIES
from synnodtest.engine import job
from synnodtest.errors import SpecError, SynthesizerError
from synnodtest.planning.draw import own_recipes
from synnodtest.planning.place import Placer
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Nodule, Scene
from synnodtest.spec import load_spec
from synnodtest.spec.plain import resolved
from synnodtest.synthesizers.gaussian import GaussianSynthesizer

SPEC = """synnodtest: 1
behaviours:
  - id: b
    statement: s.
    scenes:
      backgrounds: {{set: normal, count: 60}}
      nodules: [{{diameter_mm: 12, {look}}}]
    expect: [{{sensitivity: {{at_least: 0.5}}}}]
"""


def behaviour(tmp_path, look):
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.format(look=look), encoding="utf-8")
    return load_spec(path).behaviours[0]


def recipes(tmp_path, look, count=60):
    return list(own_recipes(behaviour(tmp_path, look), [Background(f"b{k}") for k in range(count)], 1))


@pytest.fixture(scope="module")
def film():
    rng = np.random.default_rng(0)
    pixels = np.clip(np.linspace(0.1, 0.95, 240)[None, :] + rng.normal(0, 0.02, (240, 240)), 0, 1).astype(np.float32)
    lung = np.zeros((240, 240), bool)
    lung[:, :180] = True
    return Radiograph(pixels, (0.5, 0.5), {"lung": lung}, background="film")


def test_words_draw_their_densities(tmp_path):
    for word, (low, high) in DENSITIES.items():
        drawn = [r.nodules[0].density for r in recipes(tmp_path, f"attenuation: {word}")]
        assert low <= min(drawn) < max(drawn) <= high
        assert {r.nodules[0].attenuation for r in recipes(tmp_path, f"attenuation: {word}", 2)} == {word}


def test_without_a_word_nodules_are_as_marked_ones(tmp_path):
    drawn = [contrast_of(r.nodules[0].density, 12) for r in recipes(tmp_path, "margin: smooth", 400)]
    assert np.median(drawn) == pytest.approx(annotated_contrast(12), rel=0.1)
    assert np.std(np.log(drawn)) == pytest.approx(ANNOTATED_SPREAD, rel=0.15)


def test_an_order_of_contrast_keeps_the_hash_of_its_scene(film):
    nodule = Nodule(12, (40, 50), 0.3, radiomics={"Sphericity": 0.9}, name="a", seed=3)
    plain = Scene("film", (nodule,), seed=5).as_dict()
    assert set(plain["nodules"][0]) == {"diameter_mm", "centre_mm", "contrast", "radiomics", "name", "seed"}
    other = Scene("film", (Nodule(12, (40, 50), density=1.0, attenuation="solid", margin="lobulated"),), seed=5)
    assert Scene.from_dict(json.loads(json.dumps(other.as_dict()))) == other


def test_placing_turns_density_into_contrast_by_place(tmp_path, film):
    (recipe,) = recipes(tmp_path, "density: 1.0, location: {at_mm: [30, 60]}", 1)
    (dark,) = Placer(film).place(recipe).nodules
    (recipe,) = recipes(tmp_path, "density: 1.0, location: {at_mm: [105, 60]}", 1)
    (bright,) = Placer(film).place(recipe).nodules
    assert dark.contrast == pytest.approx(contrast_of(1.0, 12), rel=1e-3)
    weakening = Display.of(film).weakening(film, (105, 60), 12)
    assert bright.contrast == pytest.approx(weakening * dark.contrast, rel=1e-3)
    assert weakening < 0.6


def test_a_sweep_of_words_keeps_everything_else(tmp_path):
    swept = recipes(tmp_path, "attenuation: {sweep: [ground-glass, solid, calcified]}, hold: [location, seed]", 1)
    assert [r.levels for r in swept] == [(("attenuation", w),) for w in ("ground-glass", "solid", "calcified")]
    assert len({r.nodules[0].place_seed for r in swept}) == len({r.nodules[0].seed for r in swept}) == 1
    densities = [r.nodules[0].density for r in swept]
    assert densities == sorted(densities)


@pytest.mark.parametrize(
    "look", ["contrast: 0.3, density: 1", "contrast: 0.3, attenuation: solid", "density: 1, attenuation: solid"]
)
def test_brightness_is_said_once(tmp_path, look):
    with pytest.raises(SpecError, match="each say how bright the nodule is; give one of them"):
        behaviour(tmp_path, look)


@pytest.mark.parametrize("look", ["attenuation: dense", "margin: {choice: [round]}", "density: 0.1", "density: [1, 2]"])
def test_words_and_numbers_that_mean_nothing_are_errors(tmp_path, look):
    with pytest.raises(SpecError):
        behaviour(tmp_path, look)


def test_a_resolved_spec_reads_the_same(tmp_path):
    look = "attenuation: {choice: [solid, calcified]}, margin: {sweep: [smooth, spiculated]}"
    first = behaviour(tmp_path, look)
    again = tmp_path / "again.yaml"
    again.write_text(resolved(load_spec(tmp_path / "spec.yaml")), encoding="utf-8")
    (nodule,) = load_spec(again).behaviours[0].scenes.nodules
    assert (nodule.attenuation, nodule.margin) == (first.scenes.nodules[0].attenuation, first.scenes.nodules[0].margin)


@pytest.mark.parametrize("margin", ["smooth", "lobulated", "spiculated"])
def test_a_margin_bends_the_outline_and_keeps_the_area(film, margin):
    nodule = Nodule(20, (40, 60), density=1.0, margin=margin, seed=4)
    (made,) = GaussianSynthesizer().synthesize([Scene("film", (nodule,))], [film])
    (truth,) = made.nodules
    assert truth.diameter_mm == pytest.approx(20, rel=0.03)
    assert truth.requested["margin"] == margin
    assert truth.requested["density"] == 1.0
    assert truth.contrast == pytest.approx(truth.requested["contrast"], rel=1e-3)
    outline = outline_of(margin, "", 4)
    reach = 1.0 if outline is None else outline.reach
    assert {"smooth": reach == 1, "lobulated": 1.05 < reach < 1.3, "spiculated": reach > 1.2}[margin]
    if outline is not None:
        turn = np.linspace(0, 2 * np.pi, 721)
        assert np.trapezoid(outline.radius**2, turn) / 2 == pytest.approx(np.pi, rel=1e-6)
        near, edge = (outline.radius_at(r * np.cos(turn), r * np.sin(turn), 20.0) for r in (3.0, 14.0))
        assert edge.max() == pytest.approx(reach)
        assert near == pytest.approx(outline.body, rel=0.1), "spicules run through the body to its centre"


def test_how_spicules_are_drawn_is_in_the_keys_of_scenes_that_have_them_alone(monkeypatch):
    def key(margin):
        scene = Scene("b", (Nodule(diameter_mm=12.0, centre_mm=(40.0, 40.0), contrast=0.1, margin=margin),))
        return job.Keys("s", "d", []).radiograph(scene, Background("b", content="c"))

    before = {margin: key(margin) for margin in ("", "lobulated", "spiculated")}
    monkeypatch.setattr(job, "SPICULES_VERSION", 99)
    assert [margin for margin in before if key(margin) != before[margin]] == ["spiculated"]


def test_a_part_solid_nodule_has_a_core(film):
    scenes = [
        Scene("film", (Nodule(20, (30, 60), density=0.8, attenuation=w, seed=2),)) for w in ("part-solid", "solid")
    ]
    core, even = GaussianSynthesizer().synthesize(scenes, [film, film])
    added = [one.pixels - film.pixels for one in (core, even)]
    inside = core.nodules[0].mask(film.shape)
    assert added[0][inside].std() > 1.5 * added[1][inside].std()
    assert added[0][inside].mean() == pytest.approx(added[1][inside].mean(), rel=0.01)


def test_unknown_words_are_refused():
    with pytest.raises(SynthesizerError, match="'dense' is not one of ground-glass, part-solid, solid, calcified"):
        Nodule(12, (1, 1), attenuation="dense")


@pytest.mark.parametrize(
    "fuzz",
    [
        "vary: {diameter_mm: [8, 20], contrast: [0.1, 0.3], density: [0.5, 1]}",
        "vary: {diameter_mm: [8, 20], density: [0.5, 1]}, fixed: {contrast: 0.3}",
        "vary: {diameter_mm: [8, 20]}, fixed: {attenuation: solid}, explicit: [{diameter_mm: 9, density: 1}]",
    ],
)
def test_a_search_says_brightness_once(tmp_path, fuzz):
    path = tmp_path / "fuzz.yaml"
    head = "synnodtest: 1\nbehaviours:\n  - id: any\n    statement: s.\n"
    path.write_text(f"{head}    fuzz: {{{fuzz}}}\n    expect: [{{detected: {{rate_at_least: 0.8}}}}]\n")
    with pytest.raises(SpecError, match="each say how bright the nodule is"):
        load_spec(path)


def test_a_search_varies_words_and_densities_from_easy_to_hard(tmp_path):
    from synnodtest.planning.example_space import space_of

    path = tmp_path / "fuzz.yaml"
    head = "synnodtest: 1\nbehaviours:\n  - id: any\n    statement: s.\n"
    for look, easy, hard in (
        ("attenuation: [ground-glass, calcified, solid]", "calcified", "ground-glass"),
        ("density: [0.5, 1.5]", 1.5, 0.5),
    ):
        fuzz = f"vary: {{diameter_mm: [8, 20], margin: [spiculated, smooth], {look}}}"
        path.write_text(f"{head}    fuzz: {{{fuzz}}}\n    expect: [{{detected: {{rate_at_least: 0.8}}}}]\n")
        space = space_of(load_spec(path).behaviours[0], "detected", {}, 2)
        name = look.partition(":")[0]
        (found,) = [d for d in space if d.name == name]
        assert (found.value(0), found.value(found.bounds[1])) == (easy, hard)
        assert space.values(space.easiest)["margin"] == "smooth"


@pytest.mark.parametrize(
    ("look", "rest"),
    [
        ("contrast: 0.3", "where: {density: {at_least: 1}}"),
        ("density: 1", "where: {attenuation: solid}"),
        ("contrast: 0.3", "by: {density: [0.4, 1, 2]}"),
        ("attenuation: solid", "where: {attenuation: calcified}"),
    ],
)
def test_a_selection_that_no_nodule_can_meet_is_an_error(tmp_path, look, rest):
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.format(look=look).replace("at_least: 0.5}", f"at_least: 0.5, {rest}}}"), encoding="utf-8")
    with pytest.raises(SpecError, match="selects nothing"):
        load_spec(path)


def test_densities_make_strata_also_where_they_are_drawn(tmp_path):
    path = tmp_path / "spec.yaml"
    text = SPEC.format(look="margin: {choice: [smooth, spiculated]}")
    path.write_text(
        text.replace("at_least: 0.5}", "at_least: 0.5, by: {margin: [smooth, spiculated], density: [0.5, 2, 4]}}")
    )
    strata = load_spec(path).behaviours[0].expectations[0].parameters["strata"]
    assert len(strata) == 4
