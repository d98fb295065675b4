"""How bright a behaviour's nodules are beside annotated ones: in check, on the verdict page, in section 13."""

import numpy as np
import pytest

from synnodtest.cli import main
from synnodtest.record.model import Record
from synnodtest.reference import asked_for, brightness, real_nodules
from synnodtest.report.sections.brightness import beside_real, bright_behaviours
from synnodtest.spec import load_spec
from tests.record import parts

SPEC = """synnodtest: 1
behaviours:
  - id: spots
    statement: s.
    scenes:
      backgrounds: {{set: normal, count: 10}}
      nodules: [{{diameter_mm: 8, {look}}}]
    expect: [{{sensitivity: {{at_least: 0.5}}}}]
"""


def spec_of(tmp_path, look):
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.format(look=look), encoding="utf-8")
    return path


def test_check_says_how_far_a_contrast_is_from_real_nodules(tmp_path, capsys):
    assert main(["check", str(spec_of(tmp_path, "contrast: 0.5"))]) == 0
    told = capsys.readouterr().out
    median = real_nodules().quantile("contrast", 0.5, 8.0)
    assert "WARNING 'spots' says little of real nodules" in told
    assert "contrast 0.5 at 8 mm, is brighter than all" in told
    assert f"{0.5 / median:.2g} times their median" in told


@pytest.mark.parametrize("look", ["margin: lobulated", "attenuation: solid", "contrast: 0.05", "density: 1.2"])
def test_check_is_silent_about_nodules_as_real_ones(tmp_path, capsys, look):
    assert main(["check", str(spec_of(tmp_path, look))]) == 0
    assert "real nodules" not in capsys.readouterr().out


def test_the_share_of_bright_nodules_is_that_of_brute_force():
    rng = np.random.default_rng(1)
    nodules = [(float(c), float(d)) for c, d in zip(rng.uniform(0, 0.4, 60), rng.uniform(5, 40, 60), strict=True)]
    found = brightness(nodules)
    limits = [real_nodules().quantile("contrast", 0.95, diameter) for _, diameter in nodules]
    assert found.bright == sum(c >= limit for (c, _), limit in zip(nodules, limits, strict=True))
    assert found.count == 60
    assert brightness([]) is None


def test_a_search_is_looked_at_too(tmp_path):
    text = """synnodtest: 1
behaviours:
  - id: any
    statement: s.
    fuzz: {{vary: {{diameter_mm: [12, 40], {look}}}}}
    expect: [{{detected: {{rate_at_least: 0.8}}}}]
"""
    path = tmp_path / "fuzz.yaml"
    path.write_text(text.format(look="contrast: [0.4, 1.0]"))
    assert asked_for(load_spec(path).behaviours[0]).unlike_real
    path.write_text(text.format(look="attenuation: [ground-glass, solid]"))
    assert not asked_for(load_spec(path).behaviours[0]).unlike_real


def record(contrast):
    nodules = [parts.nodule(contrast=contrast, diameter_mm=8.0), parts.nodule(contrast=None, diameter_mm=0.0)]
    scenes = {"a": parts.scene(behaviour="spots", nodules=nodules), "b": parts.scene(accepted=False, nodules=nodules)}
    return Record.of(parts.record(scenes=scenes))


def test_the_report_names_behaviours_with_nodules_brighter_than_real_ones():
    ((name, found),) = bright_behaviours(record(0.5))
    assert (name, found.count) == ("spots", 1)
    assert (
        "spots: all of its nodules are brighter than 95% of annotated nodules" in beside_real(record(0.5))["bright"][0]
    )
    assert bright_behaviours(record(0.05)) == []
    assert beside_real(record(0.05))["bright"] == []
    assert brightness([]) is None
    assert beside_real(Record.of(parts.record()))["beside_real"] is None
