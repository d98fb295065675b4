"""The example of docs/fuzzing.md runs, and fails as it should on a detector with a hole."""

import re
from pathlib import Path

import pytest

from tests.fuzzing.test_runs import searched  # noqa: F401
from tests.pytest_plugin.conftest import project  # noqa: F401

DOCS = Path(__file__).parents[2] / "docs" / "fuzzing.md"


def example():
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), flags=re.DOTALL)
    return code


@pytest.mark.parametrize(("least", "outcome"), [("0.0", {"passed": 1}), ("0.6", {"failed": 1})])
def test_the_documented_example(searched, least, outcome):  # noqa: F811
    (searched.path / "least.txt").write_text(least)
    (searched.path / "test_mine.py").write_text(
        example().replace("max_examples=25", "max_examples=10, derandomize=True")
    )
    result = searched("test_mine.py", detector="holes:holed")
    assert result.parseoutcomes() == outcome
    if outcome == {"failed": 1}:
        assert re.search(r"Example\(.*contrast', 0\.(59|5[0-9]|600?)", result.stdout.str())


def test_without_a_detector_the_fixture_says_what_to_do(searched):  # noqa: F811
    (searched.path / "test_mine.py").write_text(example())
    result = searched("test_mine.py", detector=None)
    assert "needs a detector" in result.stdout.str()
