"""What the words of a spec mean once it is loaded."""

import pickle

import jsonschema
import pytest
import yaml

from synnodtest.canonical import sha256_of
from synnodtest.errors import SpecError
from synnodtest.evidence.region_names import BUILT_IN_REGIONS
from synnodtest.evidence.regions import AllOf, NotIn
from synnodtest.spec import is_spec, load_spec, resolved, schema
from synnodtest.spec.validation import kinds
from synnodtest.spec.values import Choice, Constant, LogUniform, Normal, Sweep, Uniform

HEAD = """synnodtest: 1
title: A test
behaviours:
  - id: size
    statement: A larger nodule scores higher.
"""
SCENES = """    scenes:
      backgrounds: {set: normal, count: 30}
      nodules:
        - {name: index, diameter_mm: {sweep: [4, 6, 8, 10, 14]}}
        - {name: other, diameter_mm: {uniform: [10, 30]}, location: {region: lung, min_distance_mm: 40}}
      arms:
        single: {nodules: [index]}
        double: {}
"""


@pytest.fixture
def load(tmp_path):
    def loaded(text, **regions):
        path = tmp_path / "spec.yaml"
        path.write_text(text, encoding="utf-8")
        return load_spec(path, **regions)

    return loaded


def expecting(load, *lines, scenes=SCENES, extra=""):
    expect = "    expect:\n" + "".join(f"      - {line}\n" for line in lines)
    return load(HEAD + extra + scenes + expect).behaviours[0]


def test_every_line_is_kept(load):
    behaviour = expecting(
        load, "sensitivity: {at_least: 0.8}", "monotone: {over: diameter_mm, min_spearman: 0, max_drop: 0.1, of: index}"
    )
    assert (behaviour.line, behaviour.column) == (4, 5)
    assert [(e.line, e.column) for e in behaviour.expectations] == [(15, 9), (16, 9)]
    assert [(n.line, n.column) for n in behaviour.scenes.nodules] == [(9, 11), (10, 11)]


def test_defaults_are_filled_in(load):
    behaviour = expecting(load, "sensitivity: {at_least: 0.8}")
    assert (behaviour.gate, behaviour.tags, behaviour.operating_point) == ("performance", (), (0.25,))
    assert behaviour.matching == {"criterion": "centre-in-nodule", "tolerance_mm": 5}
    assert (behaviour.sampling.alpha, behaviour.sampling.icc, behaviour.sampling.power) == (0.05, 0.2, 0.8)
    parameters = behaviour.expectations[0].parameters
    assert parameters["alpha"] == 0.05
    assert parameters["operating_point"] == [0.25]
    assert parameters["matching"] == behaviour.matching
    assert behaviour.scenes.nodules[0].location.region == "lung"
    assert behaviour.scenes.nodules[0].contrast is None


def test_an_expectation_s_own_words_win(load):
    behaviour = expecting(
        load,
        "sensitivity: {at_least: 0.8, alpha: 0.01, operating_point: [0.15, 0.5], matching: {criterion: iou}}",
        extra="    sampling: {alpha: 0.1}\n    operating_point: 0.4\n",
    )
    parameters = behaviour.expectations[0].parameters
    assert behaviour.sampling.alpha == 0.1
    assert behaviour.operating_point == (0.4,)
    assert parameters["alpha"] == 0.01
    assert parameters["operating_point"] == [0.15, 0.5]
    assert parameters["matching"] == {"criterion": "iou", "at_least": 0.2}


def test_repeated_expectations_have_ids_of_their_own(load):
    behaviour = expecting(
        load, "sensitivity: {at_least: 0.8}", "sensitivity: {at_most: 0.9}", "sensitivity: {id: high, at_least: 0.7}"
    )
    assert [e.id for e in behaviour.expectations] == ["sensitivity", "sensitivity-2", "high"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", Constant(12.0)),
        ("1.2e1", Constant(12.0)),
        ("{sweep: [4, 8]}", Sweep((4.0, 8.0))),
        ("{uniform: [4, 8]}", Uniform(4.0, 8.0)),
        ("{log_uniform: [4, 8]}", LogUniform(4.0, 8.0)),
        ("{normal: [12, 3]}", Normal(12.0, 3.0, 0.1, 100.0)),
        ("{choice: [4, 8, 8]}", Choice((4.0, 8.0, 8.0))),
    ],
)
def test_a_value_is_a_scalar_or_a_distribution(load, text, value):
    scenes = f"    scenes:\n      backgrounds: {{set: normal, count: 3}}\n      nodules: [{{diameter_mm: {text}}}]\n"
    assert expecting(load, "sensitivity: {at_least: 0.5}", scenes=scenes).scenes.nodules[0].diameter_mm == value


def test_places_arms_perturbations_and_features_are_read(load):
    scenes = """    scenes:
      backgrounds: {set: normal, count: 3}
      replicates: 2
      perturbations: {noise: 0.01}
      nodules:
        - {name: a, diameter_mm: 10, hold: [seed],
           location: {region: {all: [lung, {not: hilar}]}, avoid: [rib, scapula]}}
        - {name: b, diameter_mm: 10, location: {at_mm: [100, 120]}, contrast: {uniform: [0.2, 0.4]}}
        - {name: c, diameter_mm: 10, location: {box_px: [1, 2, 3, 4]}, radiomics: {Sphericity: 0.8}}
      arms:
        plain: {nodules: [c, a]}
        turned: {perturbations: [{rotate_deg: 5, shift_px: [3, -4]}, {flip: true}, {rotate_deg: {uniform: [-5, 5]}}]}
"""
    text = HEAD + scenes + "    expect:\n      - sensitivity: {at_least: 0.5}\n"
    found = load(text, known_regions=frozenset({"scapula"})).behaviours[0].scenes
    a, b, c = found.nodules
    assert a.location.region == AllOf(("lung", NotIn("hilar")))
    assert a.location.avoid == ("rib", "scapula")
    assert a.hold == {"seed"}
    assert (b.location.region, b.location.at_mm, b.contrast) == (None, (100.0, 120.0), Uniform(0.2, 0.4))
    assert c.location.box_px == (1.0, 2.0, 3.0, 4.0)
    assert c.radiomics == {"Sphericity": Constant(0.8)}
    assert found.replicates == 2
    assert found.arms["plain"].nodules == ("a", "c")
    assert found.arms["turned"].nodules == ("a", "b", "c")
    assert [(kind, value) for kind, value in found.arms["turned"].perturbations] == [
        ("rotate_deg", Constant(5.0)),
        ("shift_px", Constant((3.0, -4.0))),
        ("flip", Constant("horizontal")),
        ("rotate_deg", Uniform(-5.0, 5.0)),
    ]
    assert found.perturbations == (("noise", Constant(0.01)),)


def test_the_model_is_hashable_and_travels_between_processes(load):
    behaviour = expecting(load, "sensitivity: {at_least: 0.8}")
    assert hash(behaviour) == hash(pickle.loads(pickle.dumps(behaviour)))
    assert pickle.loads(pickle.dumps(behaviour)) == behaviour
    assert len({nodule.location for nodule in behaviour.scenes.nodules}) == 2


def test_different_region_expressions_have_different_keys():
    assert len({sha256_of(e) for e in (AllOf(("lung",)), NotIn("lung"), "lung")}) == 3


def test_strata_are_where_conditions(load):
    behaviour = expecting(
        load,
        "sensitivity: {of: index, by: {sex: [F, M], diameter_mm: [4, 8, 14]}, at_least: 0.5}",
        "sensitivity: {of: index, by: diameter_mm, at_least: 0.5}",
        "parity: {across: {region: [apical, hilar]}, margin: 0.1}",
    )
    crossed, levels, regions = (e.parameters["strata"] for e in behaviour.expectations)
    assert [s.label for s in crossed] == [
        "sex=F,diameter_mm=4-8",
        "sex=F,diameter_mm=8-14",
        "sex=M,diameter_mm=4-8",
        "sex=M,diameter_mm=8-14",
    ]
    assert crossed[0].where["sex"] == {"equals": "F"}
    low = crossed[0].where["diameter_mm"]
    assert low["at_least"] == 4
    assert 7.99 < low["at_most"] < 8, "the edge belongs to the next bin"
    assert crossed[1].where["diameter_mm"] == {"at_least": 8.0, "at_most": 14.0}
    assert [s.label for s in levels] == [f"diameter_mm={d}" for d in (4, 6, 8, 10, 14)]
    assert [s.where for s in regions] == [{"region": {"in": ["apical"]}}, {"region": {"in": ["hilar"]}}]


def test_strata_narrow_the_expectation_s_own_where(load):
    behaviour = expecting(
        load,
        "sensitivity: {of: index, where: {diameter_mm: {at_least: 6}, sex: F},"
        " by: {diameter_mm: [4, 8, 15]}, at_least: 0.5}",
    )
    low, high = behaviour.expectations[0].parameters["strata"]
    assert low.where["sex"] == high.where["sex"] == {"equals": "F"}
    assert low.where["diameter_mm"]["at_least"] == 6
    assert high.where["diameter_mm"] == {"at_least": 8, "at_most": 15}


def test_where_accepts_what_only_a_manifest_knows(load):
    behaviour = expecting(load, "sensitivity: {where: {sex: F, scanner: {in: [A, B]}, region: apical}, at_least: 0.5}")
    assert behaviour.expectations[0].parameters["where"] == {
        "sex": "F",
        "scanner": {"in": ["A", "B"]},
        "region": "apical",
    }


def test_yaml_1_1_has_no_surprises(load):
    text = HEAD.replace("id: size", "id: no").replace("A test", "1e3 mm") + SCENES
    text += "    hazard: [on, 012]\n".replace("012", "'012'") + "    expect:\n      - sensitivity: {at_least: 5e-1}\n"
    spec = load(text)
    assert spec.behaviours[0].id == "no"
    assert spec.behaviours[0].hazard == ("on", "012")
    assert spec.behaviours[0].expectations[0].parameters["at_least"] == 0.5


def test_merge_keys_and_anchors_work(load):
    scenes = """    scenes:
      backgrounds: {set: normal, count: 3}
      nodules:
        - &base {name: a, diameter_mm: 10, contrast: 0.4}
        - {<<: *base, name: b, diameter_mm: 20}
"""
    a, b = expecting(load, "sensitivity: {at_least: 0.5}", scenes=scenes).scenes.nodules
    assert (b.name, b.diameter_mm, b.contrast) == ("b", Constant(20.0), a.contrast)


def test_an_own_check_is_named_by_module_and_function(load):
    behaviour = expecting(
        load, "python: checks.mine:symmetry", "python: {function: 'checks:other', with: {limit: 3}, where: {sex: F}}"
    )
    assert [e.parameters["function"] for e in behaviour.expectations] == ["checks.mine:symmetry", "checks:other"]
    assert behaviour.expectations[1].parameters["with"] == {"limit": 3}


def test_count_auto_takes_what_is_assumed(load):
    scenes = SCENES.replace("count: 30", "count: auto")
    behaviour = expecting(
        load,
        "sensitivity: {at_least: 0.8}",
        "specificity: {at_least: 0.8}",
        scenes=scenes,
        extra="    sampling: {assume: {sensitivity: 0.9, discordant: 0.05}, power: 0.9}\n",
    )
    assert behaviour.scenes.count == "auto"
    assert behaviour.sampling.assumed_for("sensitivity") == 0.9
    assert behaviour.sampling.assumed_for("specificity") is None
    general = expecting(load, "sensitivity: {at_least: 0.8}", scenes=scenes, extra="    sampling: {assume: 0.9}\n")
    assert general.sampling.assumed_for("") == 0.9


def test_a_search_is_read(load):
    spec = load(
        """synnodtest: 1
behaviours:
  - id: found
    statement: Any conspicuous nodule is found.
    fuzz:
      vary:
        diameter_mm: [12, 40]
        contrast: {log_uniform: [0.4, 1.0]}
        location: {region: {all: [lung, {not: hilar}]}}
        radiomics: {Sphericity: [0.6, 1]}
        perturbations: {jpeg: [30, 95]}
        companion: {diameter_mm: 20, distance_mm: [15, 80]}
        view: [PA, AP]
      fixed: {radiomics: {Elongation: 0.9}}
      explicit:
        - {diameter_mm: 12, contrast: 0.4, location: {at_mm: [80, 90]}, seed: 3}
      examples: 200
      time_budget: 2min
      search_with: gaussian
    expect:
      - detected: {rate_at_least: 0.8}
      - invariant: {under: {flip: horizontal}, margin: 0.1}
      - not_lower: {companion: {diameter_mm: 20, distance_mm: [20, 60]}, max_drop: 0.1}
      - no_reversal: {max_drop: 0.1}
      - silent: {region: mediastinum}
"""
    )
    behaviour = spec.behaviours[0]
    fuzz = behaviour.fuzz
    assert behaviour.scenes is None
    assert fuzz.vary == {
        "diameter_mm": Uniform(12.0, 40.0),
        "contrast": LogUniform(0.4, 1.0),
        "radiomics.Sphericity": Uniform(0.6, 1.0),
        "perturbations.jpeg": Uniform(30.0, 95.0),
        "companion.diameter_mm": Constant(20.0),
        "companion.distance_mm": Uniform(15.0, 80.0),
        "view": Choice(("PA", "AP")),
    }
    assert fuzz.fixed == {"radiomics.Elongation": 0.9}
    assert fuzz.explicit[0]["location"].at_mm == (80.0, 90.0)
    assert (fuzz.examples, fuzz.time_budget_s, fuzz.search_with, fuzz.confirm_trials) == (200, 120.0, "gaussian", 60)
    assert fuzz.location.region == AllOf(("lung", NotIn("hilar")))
    kinds = {e.kind: e.parameters for e in behaviour.expectations}
    assert kinds["invariant"]["under"] == (("flip", Constant("horizontal")),)
    assert kinds["no_reversal"]["factor"] == 1.5
    assert kinds["not_lower"]["companion"].distance_mm == Uniform(20.0, 60.0)


def test_a_resolved_search_loads_again_to_the_same(load, tmp_path):
    self = load(
        "synnodtest: 1\nbehaviours:\n  - id: found\n    statement: 'It says ${x} and no.'\n    fuzz:\n"
        "      vary: {diameter_mm: [12, 40], companion: {diameter_mm: [5, 9]}, location: {at_mm: [1, 2]}}\n"
        "      fixed: {contrast: 0.5}\n      explicit: [{location: {region: {any: [rib, hilar]}}}]\n"
        "    expect:\n      - invariant: {under: [{jpeg: 50}, {jpeg: 50}], margin: 0.1}\n"
        "      - silent: {region: {not: lung}}\n".replace("${x}", "$${x}")
    )
    assert self.behaviours[0].statement == "It says ${x} and no."
    again = tmp_path / "again.yaml"
    again.write_text(resolved(self), encoding="utf-8")
    assert load_spec(again).sha256 == self.sha256


# the whole language ---------------------------------------------------------------------------------------------


def test_the_language_is_all_there():
    named = """sensitivity false_positives_per_image specificity no_detection detected monotone correlation
        size_at_sensitivity non_inferior superior equivalent invariant parity froc auc afroc average_precision
        calibration localization distractor growth python silent not_lower no_reversal"""
    assert set(named.split()) <= {*kinds("expectation"), *kinds("fuzz_expectation")}
    perturbations = schema()["$defs"]["perturbations"]["properties"]
    wanted = """flip shift_px rotate_deg scale gamma brightness contrast noise blur jpeg downsample
            dose scatter focus processing collimation marker"""
    assert set(wanted.split()) <= set(perturbations)
    assert len(schema()["$defs"]["radiomics"]["properties"]) == 67
    assert len(BUILT_IN_REGIONS) == 12


def test_the_features_are_those_that_condition_a_nodule():
    from synnodtest.radiomics_features import FEATURE_NAMES

    assert sorted(schema()["$defs"]["radiomics"]["properties"]) == sorted(FEATURE_NAMES)


def test_the_perturbations_are_those_that_can_be_applied():
    from synnodtest.perturbations import perturbation_kinds

    assert sorted(schema()["$defs"]["perturbations"]["properties"]) == sorted(perturbation_kinds())


def test_the_schema_is_valid_and_tells_an_editor_about_every_property():
    jsonschema.Draft202012Validator.check_schema(schema())
    definitions = schema()["$defs"]

    def described(part, where):
        if isinstance(part, list):
            for item in part:
                described(item, where)
        elif isinstance(part, dict):
            for name, rule in part.get("properties", {}).items():
                referred = definitions.get(rule.get("$ref", "").split("/")[-1], {})
                text = rule.get("description") or referred.get("description")
                assert text, f"{where}.{name} has no description"
            for key, child in part.items():
                described(child, f"{where}.{key}")

    described({"properties": schema()["properties"], "$defs": definitions}, "")


def test_an_editor_accepts_variables_where_the_loader_does(load):
    text = """synnodtest: 1
vars: {bound: 0.8, size: {uniform: [8, 20]}, levels: [F, M]}
behaviours:
  - id: found
    statement: Found at ${bound}.
    scenes:
      backgrounds: {set: normal, count: "${n}"}
      nodules: [{diameter_mm: "${size}", location: {region: "${region}"}}]
    matrix: {n: [10, 20], region: [apical, hilar]}
    expect:
      - sensitivity: {at_least: "${bound}"}
"""
    jsonschema.Draft202012Validator(schema()).validate(yaml.safe_load(text))
    assert len(load(text).behaviours) == 4


# which files are specs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"synnodtest: 1\n", True),
        (b"# comment\n---\ntitle: x\nsynnodtest: 1\n", True),
        (b"\xef\xbb\xbfsynnodtest: 1\r\n", True),
        (b'"synnodtest": 1\n', True),
        (b"{synnodtest: 1, behaviours: []}\n", True),
        (b"synnodtest: [1\n", True),
        (b"synnodtest:\n", True),
        (b"other: {synnodtest: 1}\n", False),
        (b"a:\n  synnodtest: 1\n", False),
        (b"synnodtests: 1\n", False),
        (b"synnodtest:1\n", False),
        (b"# synnodtest: 1\n", False),
        (b"", False),
        (b"\x00\xff\xfe{[", False),
        (b"services: {db: !Ref x}\n", False),
    ],
)
def test_only_a_top_level_key_makes_a_spec(text, expected, tmp_path):
    path = tmp_path / "some.yaml"
    path.write_bytes(text)
    assert is_spec(path) is expected


def test_what_cannot_be_read_is_no_spec(tmp_path):
    assert not is_spec(tmp_path / "nowhere.yaml")
    assert not is_spec(tmp_path)


def test_an_unknown_region_may_be_made_known(load):
    text = (
        HEAD + SCENES.replace("region: lung", "region: scapula") + "    expect:\n      - sensitivity: {at_least: 0.5}\n"
    )
    with pytest.raises(SpecError, match="scapula"):
        load(text)
    assert load(text, known_regions=frozenset({"scapula"}))


def test_a_behaviour_without_a_statement_says_its_id(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("""synnodtest: 1
title: A search
behaviours:
  - id: any-conspicuous-nodule-is-found
    matrix: {region: [apical]}
    fuzz:
      vary: {diameter_mm: [12, 40], contrast: [0.4, 1.0], location: {region: "${region}"}}
      fixed: {}
      examples: 100
    expect:
      - detected: {rate_at_least: 0.8}
""")
    assert [b.statement for b in load_spec(path).behaviours] == ["Any conspicuous nodule is found (region=apical)."]
