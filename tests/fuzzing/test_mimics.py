"""Searches that add a distractor: which one and how near is found, told as a region, promoted and planted again."""

import pytest

from synnodtest.commands.promote import with_explicit
from synnodtest.spec import load_spec
from tests.fuzzing.parts import Holed, centre, hunt, ruling

KINDS = "[clip, bone-island]"


def kinds(radiograph):
    return [truth.requested["mimic"] for truth in radiograph.mimics]


def nearest_mm(truth, radiograph):
    """Distance from a nodule's centre to that of the nearest mimic, on pixels of 1 mm."""
    x, y = centre(truth)
    places = [truth.requested["centre_mm"] for truth in radiograph.mimics]
    return min((((x - a) ** 2 + (y - b) ** 2) ** 0.5 for a, b in places), default=1e9)


class Watching(Holed):
    """A sound detector that notes the mimics it was shown."""

    def detect(self, radiographs):
        self.asked = {*getattr(self, "asked", ()), *(kind for one in radiographs for kind in kinds(one))}
        return super().detect(radiographs)


@pytest.mark.usefixtures("little_around")
def test_how_near_a_mimic_blinds_is_told_and_promoted(tmp_path):
    vary = f"{{diameter_mm: [10, 20], location: {{at_mm: [56, 56]}}, mimic: {KINDS}}}"
    near = Holed(lambda truth, radiograph: nearest_mm(truth, radiograph) < 25)
    gathered = hunt(tmp_path, near, vary=vary, examples=30)
    region = gathered.entry["region"]
    terms = {term["name"]: term for term in region["terms"]}
    assert set(terms) == {"mimic", "mimic_distance_mm"}
    assert terms["mimic"]["levels"] == ["clip", "bone-island"]
    (part,) = terms["mimic_distance_mm"]["parts"]
    assert part["high"]["value"] == pytest.approx(25, rel=0.1)
    assert "below 25" in region["sentence"]
    assert "with mimic clip or bone-island" in region["sentence"]
    first = gathered.entry["counterexamples"][0]
    assert set(first["matters"].split(", ")) == {"mimic", "mimic_distance_mm"}
    path = tmp_path / "fuzz.yaml"
    path.write_text(with_explicit(path.read_text(), "found", gathered.entry["example"]))
    (explicit,) = load_spec(path).behaviours[0].fuzz.explicit
    assert explicit["mimic"] in ("clip", "bone-island")
    assert explicit["mimic_distance_mm"] <= 26


@pytest.mark.usefixtures("briefly_described")
def test_a_detector_that_takes_mimics_for_nodules_is_not_silent_and_one_that_does_not_is(tmp_path):
    vary, expect = f"{{mimic: {KINDS}}}", "silent: {rate_at_least: 0.8}"
    fires = Holed(fires=lambda radiograph: "bone-island" in kinds(radiograph))
    gathered = hunt(tmp_path, fires, vary=vary, expect=expect, examples=20)
    assert ruling(gathered).status.value == "FAILED"
    assert "mimic bone-island" in gathered.entry["counterexamples"][0]["example"]
    sound = Watching(name="sound")
    gathered = hunt(tmp_path, sound, vary=vary, expect=expect, examples=20, store="other")
    assert ruling(gathered).status.value == "PASSED"
    assert {"bone-island", "clip"} <= set(sound.asked)
