"""The pack for recorded findings, over DICOM objects: findings in their place pass, those beside it fail."""

from dataclasses import replace
from pathlib import Path

import pytest

from synnodtest.detectors.oracle import OracleDetector
from synnodtest.detectors.recorded import Recorder
from synnodtest.detectors.resolve import resolve_detector
from synnodtest.finding import Finding
from synnodtest.identity import Identity, planted_uid
from synnodtest.shell.selftest import Bench, cases_of, run_cases
from synnodtest.spec import load_spec
from synnodtest.store import Store
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from tests.engine.parts import Squares

pytest.importorskip("pydicom", reason="DICOM objects need pydicom")

from synnodtest.detectors.dicom_objects import ReportedImage
from synnodtest.detectors.presentation_state_writer import write_presentation_state
from synnodtest.detectors.segmentation_writer import write_segmentation
from synnodtest.detectors.structured_report_writer import write_report

PACK = Path(__file__).parents[2] / "specs" / "stored_findings.yaml"
PRODUCT = Identity("product", "1")
SIZE = 128
"""Pixels along each side of the squares."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The bench, its cases, and what the oracle finds on every radiograph of them, by content."""
    bench = Bench(
        lambda name, count: Squares(count), GaussianSynthesizer(), Store(tmp_path_factory.mktemp("store")), limit=16
    )
    cases = list(cases_of([load_spec(PACK)]))
    recorder = Recorder(OracleDetector())
    run_cases(recorder, cases, bench)
    return bench, cases, recorder.findings


@pytest.mark.parametrize("write", [write_report, write_segmentation, write_presentation_state])
def test_findings_that_are_stored_in_their_place_pass_and_shifted_ones_do_not(recorded, tmp_path, write):
    bench, cases, findings = recorded

    def statuses(name, stored):
        (tmp_path / name).mkdir()
        for number, (content, found) in enumerate(findings.items()):
            image = ReportedImage(planted_uid(content, 12), shape=(SIZE, SIZE))
            write(tmp_path / name / f"{number:03}.dcm", [stored(f) for f in found], image, PRODUCT)
        tried = run_cases(resolve_detector(str(tmp_path / name)), cases, bench)
        return {entry.kind: entry.status for entry in tried.expectations.values()}

    assert statuses("right", lambda f: f) == {"afroc": "PASSED", "localization": "PASSED"}
    assert statuses("beside", lambda f: replace(f, box=_moved(f)))["localization"] == "FAILED"


def _moved(found: Finding) -> tuple[float, float, float, float]:
    """The box 8 pixels further in, as a product that scales by the wrong size stores it."""
    by = 8 if found.centre[0] < SIZE / 2 else -8
    x_min, y_min, x_max, y_max = found.box
    return x_min + by, y_min, x_max + by, y_max
