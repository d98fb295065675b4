"""docs/spec.md is true: its examples load, and it names the whole language."""

import re
import textwrap
from pathlib import Path

import pytest

from synnodtest.planning.draw import DEFAULT_CONTRAST
from synnodtest.spec import BUILT_IN_REGIONS, EXPECTATIONS, load_spec, schema

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
    named = {*EXPECTATIONS, *BUILT_IN_REGIONS}
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
    for kind in EXPECTATIONS:
        for prefix in ("expect", "fuzz"):
            named |= set(definitions.get(f"{prefix}_{kind}", {}).get("properties", {}))
    assert named <= words, sorted(named - words)


def test_the_contrast_it_gives_as_default_is_the_one_drawn():
    low, high = DEFAULT_CONTRAST.bounds
    assert f"drawn evenly from {low:g} to {high:g}" in TEXT
