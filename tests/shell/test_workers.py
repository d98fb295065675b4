"""Which items of a run share a worker."""

import pytest

pytest.importorskip("xdist")

from synnodtest.shell.workers import scope_of


@pytest.mark.parametrize(
    ("node_id", "scope"),
    [("specs/core.yaml::size::monotone", "specs/core.yaml::size"),
     ("specs/core.yaml::size::sensitivity[arm::x]", "specs/core.yaml::size"),
     ("specs/other.yml::size::monotone", "specs/other.yml::size"),
     ("specs/OTHER.YAML::size::monotone", "specs/OTHER.YAML::size"),
     ("tests/test_a.py::test_b", "tests/test_a.py::test_b"),
     ("tests/test_a.py::TestC::test_b", "tests/test_a.py::TestC::test_b")],
)  # fmt: skip
def test_items_of_one_behaviour_stay_together_and_other_tests_go_alone(node_id, scope):
    assert scope_of(node_id) == scope
