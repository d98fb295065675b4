"""The shipped detector: small, honest about what it is, and able to find what nobody could miss."""

from __future__ import annotations

import re
import zipfile

import pytest

from synnodtest.detectors import resolve_detector
from synnodtest.detectors.conform_geometry import READINGS, hits
from synnodtest.detectors.conform_pictures import blind, conspicuous_radiographs
from synnodtest.errors import DetectorError
from synnodtest.shipped import shipped_model
from tests.extras import needs

needs("ultralytics")


def test_it_is_small_and_says_that_it_is_a_demonstration():
    assert shipped_model("detector/demo.pt").stat().st_size < 7_000_000
    identity = resolve_detector("demo").identity
    assert identity.name == "demo"
    assert identity.configuration["demonstration"] is True
    assert len(identity.configuration["classes"]) == 1


def test_its_file_holds_no_paths_of_whoever_trained_it():
    with zipfile.ZipFile(shipped_model("detector/demo.pt")) as archive:
        (pickle,) = [name for name in archive.namelist() if name.endswith("data.pkl")]
        assert not re.findall(rb"/(?:home|work|tmp|root|Users)/[ -~]*", archive.read(pickle))


def test_it_finds_conspicuous_nodules_and_little_else():
    shown = conspicuous_radiographs(4, size=512)
    found = resolve_detector("demo").detect([blind(radiograph) for radiograph in shown])
    assert hits(READINGS[0], shown, found) >= 3
    assert sum(finding.score > 0.5 for items in found for finding in items) <= 8


def test_it_takes_no_argument():
    with pytest.raises(DetectorError, match="takes no argument"):
        resolve_detector("demo:large")
