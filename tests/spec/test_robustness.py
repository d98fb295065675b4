"""Whatever stands in a file: a spec, or a SpecError that points into it."""

from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synnodtest.errors import SpecError
from synnodtest.spec import is_spec, load_spec, resolved

ROOT = Path(__file__).parents[2]
FUZZED = """synnodtest: 1
vars: {bound: 0.8}
behaviours:
  - id: any
    statement: Found.
    matrix: {region: [lung, apical]}
    fuzz:
      vary: {diameter_mm: [12, 40], location: {region: "${region}"}, companion: {diameter_mm: [5, 9]}, view: [PA]}
      fixed: {contrast: 0.5}
      explicit: [{diameter_mm: 12}]
    expect:
      - detected: {rate_at_least: "${bound}"}
  - {id: more, extends: any, sampling: {assume: {detected: 0.9}}}
"""
SEEDS = [(ROOT / "specs" / "paper.yaml").read_text(encoding="utf-8"), FUZZED]
TREES = [yaml.safe_load(text) for text in SEEDS]
WRITER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

quick = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


def loads_or_explains(path, text):
    path.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
    spec, problems = None, []
    try:
        spec = load_spec(path)
    except SpecError as error:
        problems = error.problems
    if spec is None:
        assert problems
        lines = text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + 2
        for problem in problems:
            assert 1 <= problem.line <= lines
            assert problem.column >= 1
            assert problem.message
        return
    path.write_text(resolved(spec), encoding="utf-8")
    assert load_spec(path).sha256 == spec.sha256


@quick
@given(data=st.data())
def test_any_edit_of_a_spec_gives_a_spec_or_a_spec_error(data, tmp_path):
    text = data.draw(st.sampled_from(SEEDS))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text) - 1))
        end = data.draw(st.integers(start, min(len(text), start + 25)))
        piece = data.draw(st.text(max_size=4) | st.sampled_from(["&a ", "*a", "null", "[]", "{}", "- ", "<<", "${b}"]))
        text = text[:start] + piece + text[end:]
    loads_or_explains(tmp_path / "mutant.yaml", text)


def leaves(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from leaves(child, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 500)
    | st.floats(-2, 200)
    | st.sampled_from(["", "lung", "auto", "${x}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["sweep", "uniform", "any", "not", "at_least", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@quick
@given(data=st.data())
def test_any_value_at_any_place_gives_a_spec_or_a_spec_error(data, tmp_path):
    tree = TREES[data.draw(st.sampled_from(range(len(TREES))))]
    path = data.draw(st.sampled_from(list(leaves(tree))[1:]))
    tree = replaced(tree, path, data.draw(anything))
    loads_or_explains(tmp_path / "mutant.yaml", yaml.dump(tree, Dumper=WRITER, sort_keys=False))


@quick
@given(content=st.binary(max_size=200))
def test_no_bytes_upset_the_search_for_specs(content, tmp_path):
    path = tmp_path / "any.yaml"
    path.write_bytes(content)
    assert is_spec(path) in (True, False)
