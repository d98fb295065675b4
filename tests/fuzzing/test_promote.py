"""Promotion adds one example and leaves every other byte of the spec alone."""

import pytest

from synnodtest.commands.promote import with_explicit
from synnodtest.errors import SynnodError
from synnodtest.spec import load_spec

HEAD = """\
synnodtest: 1     # version
behaviours:
  - id: other
    statement: Another.
    fuzz: {vary: {diameter_mm: [5, 9]}}
    expect: [{detected: {rate_at_least: 0.8}}]
  - id: mine        # the one
    statement: "Mine:   odd   spacing"
"""
TAIL = """\
    expect:
      - detected: {rate_at_least: 0.8}   # bound
"""
EXAMPLE = {"diameter_mm": 7.25, "place": {"part": 1, "height": -0.5}, "perturbations": {"jpeg": 35.5}}


@pytest.mark.parametrize(
    "fuzz",
    [
        "    fuzz:\n      # ranges\n      vary: {diameter_mm: [5, 9]}   # mm\n",
        "    fuzz: { vary: {diameter_mm: [5, 9]} }\n",
        "    fuzz:\n      vary: {diameter_mm: [5, 9]}\n      explicit: [ {diameter_mm: 6} ]   # old\n",
        "    fuzz:\n      vary: {diameter_mm: [5, 9]}\n      explicit: []\n",
        "    fuzz:\n      explicit:\n        # an old one\n        - {diameter_mm: 6}\n"
        "        - diameter_mm: 8\n          contrast: 0.5\n"
        "      vary: {diameter_mm: [5, 9]}\n",
    ],
    ids=["none yet", "flow mapping", "flow list", "empty list", "block list"],
)
def test_an_example_is_added_and_nothing_else_changes(tmp_path, fuzz):
    old = HEAD + fuzz + TAIL
    new = with_explicit(old, "mine", EXAMPLE)
    path = tmp_path / "spec.yaml"
    path.write_text(old)
    before = load_spec(path)
    path.write_text(new)
    after = load_spec(path)
    assert after.behaviour("other") == before.behaviour("other")
    added = [e for e in after.behaviour("mine").fuzz.explicit if e not in before.behaviour("mine").fuzz.explicit]
    assert added == [{"diameter_mm": 7.25, "place.part": 1, "place.height": -0.5, "perturbations.jpeg": 35.5}]
    start = next(i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
    rest = len(old) - start
    assert new[:start] + new[len(new) - rest :] == old


def test_a_behaviour_without_a_search_of_its_own_is_refused():
    with pytest.raises(SynnodError, match="has no 'fuzz' of its own"):
        with_explicit(HEAD + TAIL, "mine", EXAMPLE)
