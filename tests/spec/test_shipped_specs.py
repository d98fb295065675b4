from pathlib import Path

import pytest

from synnodtest.spec import is_spec, load_spec, resolved

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("**/*.yaml"))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_shipped_spec_loads(path):
    assert is_spec(path)
    assert load_spec(path).behaviours


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_resolved_spec_loads_again_to_the_same(path, tmp_path):
    spec = load_spec(path)
    copy = tmp_path / "resolved.yaml"
    copy.write_text(resolved(spec), encoding="utf-8")
    again = load_spec(copy)
    assert again.sha256 == spec.sha256
    assert resolved(again) == resolved(spec)


def test_the_paper_s_three_behaviours_ship():
    spec = load_spec(Path(__file__).parents[2] / "specs" / "paper.yaml")
    assert [(b.id, b.gate) for b in spec.behaviours] == [
        ("confidence-rises-with-size", "performance"),
        ("silent-in-the-air-leak", "safety"),
        ("companion-keeps-sensitivity", "safety"),
    ]
    for behaviour in spec.behaviours:
        for expectation in behaviour.expectations:
            assert expectation.parameters["rationale"], (
                f"{behaviour.id}: {expectation.id} gives no reason for its bound"
            )


def asks_for_nodules(expectation):
    """Whether a detector that reports nothing cannot pass."""
    if expectation.kind in {"specificity", "false_positives_per_image"}:
        return False
    return not (expectation.kind == "sensitivity" and "at_most" in expectation.parameters)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_no_behaviour_is_passed_by_silence(path):
    for behaviour in load_spec(path).behaviours:
        assert any(map(asks_for_nodules, behaviour.expectations)), behaviour.id
