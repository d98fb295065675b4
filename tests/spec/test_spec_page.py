"""docs/spec.md is true: its examples load, and it names the whole language."""

import re
import textwrap
from pathlib import Path

import pytest

from synnodtest.attenuation.rule import CONTRAST_PER_MM, DENSITIES, annotated_contrast, annotated_density
from synnodtest.evidence.region_names import BUILT_IN_REGIONS
from synnodtest.spec import load_spec, schema
from synnodtest.spec.validation import kinds

TEXT = (Path(__file__).parents[2] / "docs" / "spec.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
AROUND = """synnodtest: 1
behaviours:
  - id: around
    statement: An example.
    scenes:
      backgrounds: {set: normal, count: 100}
      nodules: [{diameter_mm: {sweep: [4, 6, 8, 14, 20, 40]}}]
    expect:
"""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[0][:40])
def test_every_example_loads(example, tmp_path):
    path = tmp_path / "example.yaml"
    if not example.startswith("- "):
        text = example
    elif example.startswith("- id"):
        text = "synnodtest: 1\nbehaviours:\n" + textwrap.indent(example, "  ")
    else:
        text = AROUND + textwrap.indent(example, "      ")
    path.write_text(text, encoding="utf-8")
    assert load_spec(path).behaviours


def test_the_error_it_shows_is_worded_as_the_loader_words_it():
    folder = Path(__file__).parents[2] / "fixtures" / "malformed_specs"
    given = (folder / "unknown_parameter_in_a_block.expected").read_text(encoding="utf-8")
    assert given.split(":", 3)[3].strip() in TEXT


def test_it_names_the_whole_language():
    definitions = schema()["$defs"]
    words = set(re.findall(r"[A-Za-z_0-9]+", TEXT))
    expectations = {*kinds("expectation"), *kinds("fuzz_expectation")}
    named = {*expectations, *BUILT_IN_REGIONS}
    for part in (
        "behaviour",
        "scenes",
        "nodule",
        "location",
        "sampling",
        "matching",
        "fuzz",
        "companion",
        "backgrounds",
    ):
        named |= set(definitions[part]["properties"])
    for kind in expectations:
        for prefix in ("expect", "fuzz"):
            named |= set(definitions.get(f"{prefix}_{kind}", {}).get("properties", {}))
    assert named <= words, sorted(named - words)


def test_the_contrasts_and_densities_it_gives_are_those_drawn():
    rows = {
        line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]]
        for line in TEXT.splitlines()
        if line.startswith("|")
    }
    for diameter, contrast, density in zip(
        *(map(float, rows[k]) for k in ("diameter (mm)", "median contrast", "its density")), strict=True
    ):
        assert annotated_contrast(diameter) == pytest.approx(contrast, abs=5e-4)
        assert annotated_density(diameter) == pytest.approx(density, abs=0.06)
    for word, (low, high) in DENSITIES.items():
        assert rows[f"`{word}`"][0] == f"{low:g} to {high:g}"
    assert f"`{CONTRAST_PER_MM * 2 / 3:.4f} * diameter_mm * (density - 0.2)`" in TEXT
