"""The worked examples of CONTRIBUTING.md run as they stand there, a file each."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from synnodtest.checks import Evidence, Status
from synnodtest.detectors import registry as detectors
from synnodtest.detectors import resolve_detector
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.perturbations.apply import perturb
from synnodtest.perturbations.registry import perturbation_kinds
from synnodtest.radiograph import Radiograph
from synnodtest.record.model import Record
from synnodtest.report.context import Context
from synnodtest.scene import Perturbation
from tests.expectations.evidence import trial
from tests.test_architecture import FLOOR_OF, RIDDLE, unit_of

PAGE = Path(__file__).parents[1] / "CONTRIBUTING.md"
LONGEST = 50
"""Lines of an example: one that needs more is no example of how little there is to write."""


def examples():
    """Return the Python blocks by the heading above them."""
    parts = re.split(r"^### (?:A|An) ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    found = {}
    for part in parts:
        blocks = re.findall(r"```python\n(.*?)```", part, flags=re.DOTALL)
        found[part.splitlines()[0].split(" and ")[0]] = "\n".join(blocks)
    return found


@pytest.fixture
def run(tmp_path):
    """The function that runs one example, with what the page leaves out, and returns its names."""

    def run(heading, **given):
        names = {"__name__": f"example_{heading.replace(' ', '_')}", **given}
        exec(compile(examples()[heading], PAGE.name, "exec"), names)
        return names

    return run


def test_each_example_is_short_and_every_kind_of_addition_has_one():
    found = examples()
    assert set(found) == {"expectation", "perturbation", "background format", "section of the report", "detector"}
    for text in found.values():
        assert len(text.splitlines()) <= LONGEST
        ast.parse(text)


def test_the_expectation_imports_what_a_file_of_its_floor_may():
    above = FLOOR_OF["expectations"]
    imported = [
        unit_of(line.split()[1]) for line in examples()["expectation"].splitlines() if line.startswith("from synn")
    ]
    assert [unit for unit in imported if FLOOR_OF[unit] > above or unit == "checks"] == [], (
        "checks imports expectations"
    )


def test_the_expectation_judges(run):
    kind = run("expectation")["KIND"]
    assert kind.schema["required"] == ["at_least"]
    trials = tuple(trial(f"b{i}", 0.9) for i in range(40))
    assert kind.judge({"at_least": 0.5}, Evidence(trials)).status is Status.PASSED
    lost = tuple(trial(f"x{i}", 0.9, rejected="contrast") for i in range(40))
    assert kind.judge({"at_least": 0.5}, Evidence(trials, lost)).status is Status.INCONCLUSIVE
    low = tuple(trial(f"b{i}", 0.1) for i in range(40))
    assert kind.judge({"at_least": 0.5}, Evidence(low)).status is Status.FAILED
    assert kind.judge({"at_least": 0.5}, Evidence(())).status is Status.INCONCLUSIVE


def test_the_perturbation_changes_pixels_and_its_neutral_amount_does_not(run, monkeypatch):
    kind = run("perturbation")["KIND"]
    monkeypatch.setattr(
        "synnodtest.perturbations.apply.perturbation_kinds", lambda: {**perturbation_kinds(), kind.name: kind}
    )
    radiograph = Radiograph(np.full((40, 40), 0.25, np.float32), (1.0, 1.0))
    assert kind.is_neutral(0.0)
    assert kind.fault(2) == "a number from 0 to 1"
    turned = perturb(radiograph, (Perturbation("invert", 1.0),), 0)
    np.testing.assert_allclose(turned.pixels, 0.75)


def test_the_format_reads_its_files(run, tmp_path):
    form = run("background format")["FORMAT"]
    np.save(tmp_path / "film.npy", np.full((50, 40), 0.5))
    pixels, spacing = form.read(tmp_path / "film.npy")
    assert (pixels.dtype, pixels.shape, spacing) == (np.float32, (50, 40), (0.2, 0.2))
    assert form.suffixes == (".npy",)


def test_the_section_is_built_from_the_record(run, small, tmp_path):
    section = run("section of the report")["SECTION"]
    made = section.build(Context(Record.of(small), tmp_path))
    assert (made.title, made.data, section.after) == ("Scenes", {"count": len(small["scenes"])}, "attrition")
    assert made.data["count"] > 0


def test_the_detector_answers_to_its_name(run, monkeypatch):
    detectors.load_all()  # what is registered from here on goes again
    monkeypatch.setattr(detectors.DETECTORS, "_registered", dict(detectors.DETECTORS._registered))
    run("detector")
    detector = resolve_detector("mine:0.7")
    assert detector.identity == Identity("mine", "1", configuration={"score": 0.7})
    (found,) = detector.detect([Radiograph(np.zeros((40, 40), np.float32), (1.0, 1.0))])
    assert found == [Finding((16, 16, 24, 24), 0.7)]


def test_the_examples_keep_the_rules_of_the_house(tmp_path):
    """Copied into the package they pass ``ruff check``, and their docstrings name the thing."""
    pytest.importorskip("ruff")
    for heading, text in examples().items():
        path = tmp_path / f"{heading.split()[0]}.py"
        path.write_text(text)
        assert not RIDDLE.match(ast.get_docstring(ast.parse(text)))
    config = PAGE.with_name("pyproject.toml")
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "--ignore=INP001", f"--config={config}", str(tmp_path)]
    checked = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
