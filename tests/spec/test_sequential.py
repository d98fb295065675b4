"""A sequential run is refused by ``synnodtest check`` where e-values cannot judge it, at the line, all at once."""

import pytest

from synnodtest.errors import SpecError
from synnodtest.spec import load_spec

SPEC = """\
synnodtest: 1
behaviours:
  - id: b
    statement: s
    sampling: {sampling}
    scenes:
      backgrounds: {{set: normal, count: 30}}
      replicates: {replicates}
      nodules: [{{diameter_mm: {diameter}, location: {{region: lung}}}}]
      arms: {{a: {{}}, b: {{}}}}
    expect:
{expect}
"""
SEQUENTIAL = "{sequential: true, max_scenes: 400}"


@pytest.fixture
def check(tmp_path):
    def checked(*expect, sampling=SEQUENTIAL, diameter=12, replicates=1):
        path = tmp_path / "s.yaml"
        lines = "\n".join(f"      - {text}" for text in expect)
        path.write_text(SPEC.format(sampling=sampling, diameter=diameter, replicates=replicates, expect=lines))
        return load_spec(path).behaviours[0]

    return checked


RATES = ("sensitivity: {at_least: 0.5}", "specificity: {at_least: 0.5}", "detected: {rate_at_least: 0.5}")
PAIRS = ("non_inferior: {arm: a, reference: b, margin: 0.1}", "superior: {arm: a, reference: b}")


def test_rates_and_paired_rates_are_accepted(check):
    assert len(check(*RATES, *PAIRS).expectations) == 5
    assert check(*RATES, diameter="{sweep: [8, 12]}", replicates=2).sampling.sequential
    assert check(
        "non_inferior: {arm: a, reference: b, margin: 0.1, metric: specificity}", replicates=2
    ).sampling.sequential


def test_all_that_cannot_be_judged_is_told_at_its_line(check):
    with pytest.raises(SpecError) as caught:
        check(
            "sensitivity: {at_least: 0.5}",
            "froc: {at_least: 0.5}",
            "superior: {arm: a, reference: b, metric: confidence}",
        )
    told = [(p.line, p.message) for p in caught.value.problems]
    assert [line for line, _ in told] == [13, 14]
    assert "cannot judge 'froc'" in told[0][1]
    assert "cannot judge 'superior of confidence'" in told[1][1]


@pytest.mark.parametrize("more", [{"diameter": "{sweep: [8, 12]}"}, {"replicates": 2}])
def test_pairs_that_share_a_background_are_refused(check, more):
    with pytest.raises(SpecError, match="one pair per background"):
        check(PAIRS[0], **more)


def test_a_cap_without_a_sequential_run_is_not_ignored(check):
    with pytest.raises(SpecError, match="'max_scenes' is the cap of a sequential run, and this run is none") as caught:
        check(RATES[0], sampling="{max_scenes: 40}")
    assert caught.value.problems[0].line == 5
    assert not check("froc: {at_least: 0.5}", sampling="{sequential: false, max_scenes: 40}").sampling.sequential


def test_a_search_is_never_sequential(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        "synnodtest: 1\nbehaviours:\n  - id: b\n    statement: s\n    sampling: {sequential: true}\n"
        "    fuzz: {vary: {diameter_mm: [12, 40]}}\n    expect: [detected: {rate_at_least: 0.8}]\n"
    )
    with pytest.raises(SpecError, match=r"s.yaml:5:.* never judged sequentially"):
        load_spec(path)


@pytest.mark.parametrize("under", ["{rotate_deg: 0}", "{shift_px: [0, 0]}", "[{gamma: 1}, {noise: 0}]"])
def test_a_perturbation_that_changes_nothing_is_no_test_of_invariance(check, under):
    with pytest.raises(SpecError, match="changes nothing"):
        check(f"invariant: {{under: {under}, margin: 0.1}}", sampling="{}")


@pytest.mark.parametrize(
    "under", ["{flip: horizontal}", "[{gamma: 1}, {noise: 0.01}]", "{rotate_deg: {uniform: [-5, 5]}}"]
)
def test_one_that_changes_something_is(check, under):
    assert check(f"invariant: {{under: {under}, margin: 0.1}}", sampling="{}")
