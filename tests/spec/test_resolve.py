"""include, vars, extends, matrix and defaults."""

from pathlib import Path

import pytest

from synnodtest.errors import SpecError
from synnodtest.evidence.regions import AllOf, NotIn
from synnodtest.expectations import check, registry
from synnodtest.spec import load_spec, resolved
from synnodtest.spec.values import Constant, Sweep, Uniform

BODY = """    statement: Nodules are found.
    scenes:
      backgrounds: {set: normal, count: 30}
      nodules:
        - {diameter_mm: {uniform: [8, 20]}, location: {region: lung}}
    expect:
      - sensitivity: {at_least: 0.8}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(**files):
        for name, text in files.items():
            Path(f"{name}.yaml").write_text("synnodtest: 1\n" + text, encoding="utf-8")
        return load_spec(Path("main.yaml"))

    return written


def problems(folder, **files):
    with pytest.raises(SpecError) as caught:
        folder(**files)
    return [str(problem) for problem in caught.value.problems]


def test_a_variable_keeps_its_type(folder):
    spec = folder(
        main="""vars: {bound: 0.75, size: {sweep: [4, 8]}, place: {all: [lung, {not: "${out}"}]}, out: hilar, n: 30}
scope: {limit: "${bound}"}
behaviours:
  - id: found
    statement: Found at ${bound} on ${n} backgrounds, $${bound} is no variable here.
    scenes:
      backgrounds: {set: normal, count: "${n}"}
      nodules: [{diameter_mm: "${size}", location: {region: "${place}"}}]
    expect: [{sensitivity: {at_least: "${bound}"}}]
"""
    )
    behaviour = spec.behaviours[0]
    assert spec.scope == {"limit": 0.75}
    assert behaviour.statement == "Found at 0.75 on 30 backgrounds, ${bound} is no variable here."
    assert behaviour.scenes.count == 30
    assert behaviour.scenes.nodules[0].diameter_mm == Sweep((4.0, 8.0))
    assert behaviour.scenes.nodules[0].location.region == AllOf(("lung", NotIn("hilar")))
    assert behaviour.expectations[0].parameters["at_least"] == 0.75


def test_an_extension_takes_over_and_overrides(folder):
    base = f"""behaviours:
  - id: base
    abstract: true
    gate: safety
    tags: [size]
    matching: {{criterion: iou, at_least: 0.5}}
{BODY}  - id: small
    extends: base
    matching: {{criterion: centre-in-nodule}}
    scenes:
      backgrounds: {{count: 99}}
      nodules: [{{diameter_mm: 6}}]
  - id: smaller
    extends: small
    tags: null
    scenes: {{replicates: 2}}
"""
    small, smaller = folder(main=base).behaviours
    assert (small.id, smaller.id) == ("small", "smaller")
    assert small.gate == smaller.gate == "safety"
    assert (small.tags, smaller.tags) == (("size",), ())
    assert small.matching == {"criterion": "centre-in-nodule", "tolerance_mm": 5}
    assert (small.scenes.set, small.scenes.count) == ("normal", 99)
    assert smaller.scenes.nodules[0].diameter_mm == Constant(6.0)
    assert (small.scenes.replicates, smaller.scenes.replicates) == (1, 2)


def test_words_that_exclude_each_other_displace_each_other(folder):
    spec = folder(
        main=f"""vars: {{}}
behaviours:
  - id: base
{BODY}  - id: searched
    extends: base
    fuzz: {{vary: {{diameter_mm: [8, 20]}}}}
    expect: [{{detected: {{rate_at_least: 0.8}}}}]
"""
    )
    assert spec.behaviours[1].scenes is None
    assert spec.behaviours[1].fuzz.vary == {"diameter_mm": Uniform(8.0, 20.0)}


def test_a_matrix_runs_once_per_combination(folder):
    spec = folder(
        main="""behaviours:
  - id: found
    statement: Found in the ${region} region at ${size} mm.
    matrix: {region: [apical, hilar], size: [8, 12.5]}
    scenes:
      backgrounds: {set: normal, count: 30}
      nodules: [{diameter_mm: "${size}", location: {region: "${region}"}}]
    expect: [{sensitivity: {at_least: 0.5}}]
"""
    )
    assert [b.id for b in spec.behaviours] == [
        "found[region=apical,size=8]",
        "found[region=apical,size=12.5]",
        "found[region=hilar,size=8]",
        "found[region=hilar,size=12.5]",
    ]
    assert spec.behaviours[1].statement == "Found in the apical region at 12.5 mm."
    assert spec.behaviours[1].scenes.nodules[0].diameter_mm == Constant(12.5)
    Path("again.yaml").write_text(resolved(spec), encoding="utf-8")
    assert load_spec(Path("again.yaml")).sha256 == spec.sha256


def test_a_matrix_is_inherited(folder):
    spec = folder(
        main="""behaviours:
  - id: base
    abstract: true
    statement: Found.
    matrix: {region: [apical, hilar]}
    scenes:
      backgrounds: {set: normal, count: 30}
      nodules: [{diameter_mm: 10, location: {region: "${region}"}}]
    expect: [{sensitivity: {at_least: "${bound}"}}]
  - {id: easy, extends: base, expect: [{sensitivity: {at_least: 0.5}}]}
"""
    )
    assert [b.id for b in spec.behaviours] == ["easy[region=apical]", "easy[region=hilar]"]


def test_included_files_lend_but_do_not_run(folder):
    spec = folder(
        main="""include: [lib.yaml]
vars: {bound: 0.9}
defaults: {operating_point: 0.4}
behaviours:
  - {id: mine, extends: base}
""",
        lib=f"""include: [deeper.yaml]
vars: {{bound: 0.5}}
defaults: {{sampling: {{alpha: 0.01}}, operating_point: 0.1, backgrounds: {{set: normal}}}}
behaviours:
  - id: base
{BODY.replace("0.8", '"${bound}"').replace("set: normal, ", "")}""",
        deeper="vars: {bound: 0.1}\n",
    )
    (mine,) = spec.behaviours
    assert mine.expectations[0].parameters["at_least"] == 0.9
    assert mine.operating_point == (0.4,)
    assert mine.sampling.alpha == 0.01
    assert mine.scenes.set == "normal"
    assert spec.included == ("deeper.yaml", "lib.yaml")


def test_errors_of_an_included_file_name_it(folder):
    found = problems(
        folder,
        main="include: [lib.yaml]\nbehaviours:\n  - {id: mine, extends: base}\n",
        lib=f"vras: {{}}\nbehaviours:\n  - id: base\n{BODY.replace('lung', 'lungs')}",
    )
    assert found == [
        "lib.yaml:2:1: 'vras' is not known; did you mean 'vars'?",
        "lib.yaml:9:64: behaviours[0].scenes.nodules[0].location.region: region 'lungs' is not known;"
        " did you mean 'lung'?",
    ]


def test_includes_in_a_circle_name_the_chain(folder):
    found = problems(folder, main="include: [a.yaml]\n", a="include: [b.yaml]\n", b="include: [a.yaml]\n")
    assert found == ["b.yaml:2:11: include[0]: the includes go in a circle: a.yaml -> b.yaml -> a.yaml"]


def test_an_include_that_is_no_spec_is_told(folder, tmp_path):
    (tmp_path / "foreign.yaml").write_text("services: {}\n", encoding="utf-8")
    (found,) = problems(folder, main="include: [foreign.yaml]\n")
    assert found == "main.yaml:2:11: include[0]: 'foreign.yaml' is not a spec (it must begin with 'synnodtest: 1')"


@pytest.mark.parametrize("name", ["/etc/passwd", "lib.txt"])
def test_an_include_is_a_relative_yaml_file(folder, name):
    (found,) = problems(folder, main=f"include: [{name}]\n")
    assert found.endswith(f"{name!r} must be a .yaml file, relative to this one")


def test_a_diamond_of_includes_is_no_circle(folder):
    spec = folder(
        main="include: [a.yaml, b.yaml]\nbehaviours:\n  - {id: mine, extends: base}\n",
        a="include: [base.yaml]\n",
        b="include: [base.yaml]\n",
        base=f"behaviours:\n  - id: base\n{BODY}",
    )
    assert spec.behaviours[0].id == "mine"


def test_a_misspelling_in_an_abstract_behaviour_is_told_at_once(folder):
    found = problems(folder, main="behaviours:\n  - {id: base, abstract: true, staetment: x}\n")
    assert found == ["main.yaml:3:32: behaviours[0]: 'staetment' is not known; did you mean 'statement'?"]


def test_the_digest_knows_meaning_and_not_layout(folder, tmp_path):
    spec = folder(main=f"title: One\nbehaviours:\n  - id: a\n{BODY}")
    same = folder(
        main="# a comment\ntitle: One\nvars: {bound: 8e-1}\nbehaviours:\n  - id: a\n"
        + BODY.replace("0.8", "'${bound}'").replace("[8, 20]", "[8.0, 2e1]")
        + "    gate: performance\n    operating_point: [0.25]\n"
    )
    other = folder(main=f"title: One\nbehaviours:\n  - id: a\n{BODY.replace('0.8', '0.7')}")
    assert spec.sha256 == same.sha256
    assert spec.sha256 != other.sha256


CLAIM = """\
synnodtest: 1
title: Claim
behaviours:
  - id: sought
    fuzz:
      vary: {diameter_mm: [12, 40], location: {region: lung}}
      fixed: {contrast: 0.5}
    expect:
      - invariant: {under: {flip: horizontal}, margin: 0.2, rate_at_least: 0.9}
"""


def test_the_digest_knows_every_bound_of_a_search(tmp_path):
    (tmp_path / "strict.yaml").write_text(CLAIM)
    (tmp_path / "loose.yaml").write_text(CLAIM.replace("0.9", "0.1"))
    strict, loose = (load_spec(tmp_path / f"{name}.yaml") for name in ("strict", "loose"))
    assert strict.sha256 != loose.sha256
    (tmp_path / "resolved.yaml").write_text(resolved(loose))
    (expectation,) = load_spec(tmp_path / "resolved.yaml").behaviours[0].expectations
    assert expectation.parameters["rate_at_least"] == 0.1


def test_the_digest_knows_every_parameter_of_a_bare_function(folder, monkeypatch):
    monkeypatch.setattr(registry._KINDS, "_registered", {})
    check("few_findings")(lambda parameters, evidence: None)
    body = BODY.replace("sensitivity", "few_findings").replace("at_least: 0.8", "most: 3, by: {sex: [F, M]}")
    three, four = (folder(main=f"behaviours:\n  - id: a\n{body.replace('3,', most)}") for most in ("3,", "4,"))
    text = resolved(three)
    again = folder(main=text.removeprefix("synnodtest: 1\n"))
    registry.forget()
    assert three.sha256 != four.sha256
    assert again.sha256 == three.sha256
    assert "strata" not in text


def test_a_file_that_only_lends_is_a_spec_without_behaviours(folder):
    assert folder(main="vars: {a: 1}\n").behaviours == ()
