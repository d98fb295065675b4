"""What is drawn is told whole: places, brightness, sweeps, arms and their perturbations, spaces of searches."""

import textwrap

from synnodtest.record.scenes_text import scenes_text
from synnodtest.spec import load_spec


def told(tmp_path, scenes, expect="sensitivity: {at_least: 0.5}"):
    path = tmp_path / "s.yaml"
    body = textwrap.indent(textwrap.dedent(scenes), "    ")
    path.write_text(f"synnodtest: 1\nbehaviours:\n  - id: b\n    statement: s\n{body}    expect: [{expect}]\n")
    return scenes_text(load_spec(path).behaviours[0])


def test_nodules_are_told_with_place_brightness_and_what_is_held(tmp_path):
    scenes = """\
    scenes:
      backgrounds: {set: normal, count: 30}
      replicates: 2
      nodules:
        - {name: index, diameter_mm: {sweep: [4, 6.5]}, location: {region: lung}, hold: [location]}
        - {name: other, diameter_mm: {normal: [12, 3]}, contrast: 0.2, margin: {choice: [smooth, lobulated]},
           location: {region: {any: [apical, hilar]}, avoid: [rib], min_distance_mm: 40}}
        - {name: fixed, diameter_mm: {log_uniform: [5, 20]}, density: 1, location: {at_mm: [90, 120.5]}}
    """
    assert told(tmp_path, scenes).split("; ") == [
        "30 backgrounds of the set normal",
        "2 replicates each",
        "nodule 'index' of 4, 6.5 mm (each), as bright as nodules that readers marked, in lung, with the same location "
        "in all scenes of a background",
        "nodule 'other' of 12 mm (normal, sd 3), contrast 0.2, margin smooth, lobulated (one of them), in apical or "
        "hilar, not in rib, at least 40 mm from the others",
        "nodule 'fixed' of 5 to 20 mm (log-uniform), density 1, at 90, 120.5 mm from the upper left corner",
    ]


def test_arms_are_told_with_what_each_holds_and_how_it_is_perturbed(tmp_path):
    scenes = """\
    scenes:
      backgrounds: {set: normal, count: 30}
      nodules: [{diameter_mm: 12, contrast: 0.2}]
      distractors: [{name: clip, mimic: clip, size_mm: {uniform: [3, 5]}}]
      perturbations: [{gamma: 0.9}]
      arms:
        plain: {nodules: [nodule], distractors: []}
        worn: {nodules: [nodule], distractors: [clip], perturbations: [{noise: 0.02}, {shift_px: [4, -2]}]}
        empty: {nodules: [], distractors: []}
    """
    assert told(tmp_path, scenes, "sensitivity: {arm: worn, at_least: 0.5}").split("; ")[2:] == [
        "distractor 'clip': clip, of 3 to 5 mm (uniform), where its kind is found",
        "every radiograph with gamma 0.9",
        "arm 'plain': 'nodule'",
        "arm 'worn': 'nodule' and 'clip' under noise 0.02, shift_px 4 by -2",
        "arm 'empty': no nodule",
    ]


def test_a_search_is_told_with_its_space(tmp_path):
    scenes = """\
    fuzz:
      vary: {diameter_mm: [12, 40], contrast: [0.4, 1.0], location: {region: lung}}
      examples: 60
    """
    assert told(tmp_path, scenes, "detected: {rate_at_least: 0.8}") == (
        "a search for a counterexample over diameter 12 to 40 mm, contrast 0.4 to 1, in lung; "
        "up to 60 examples on 20 backgrounds of the set normal"
    )


def test_a_count_that_follows_from_the_power_is_said_to(tmp_path):
    scenes = """\
    sampling: {assume: {sensitivity: 0.8}}
    scenes:
      backgrounds: {set: normal, count: auto}
      nodules: [{diameter_mm: 12, contrast: 0.2}]
    """
    assert told(tmp_path, scenes).startswith("as many backgrounds as the power takes of the set normal; ")
