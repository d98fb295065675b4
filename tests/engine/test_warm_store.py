"""What a run asks of its parts when all radiographs and findings are in the store: their identity, and no more."""

import subprocess
import sys

import pytest

CODE = """
import sys
from synnodtest.detectors import resolve_detector
from synnodtest.synthesizers import resolve_synthesizer

synthesizer, detector = resolve_synthesizer("diffusion"), resolve_detector("demo")
assert len(synthesizer.identity.sha256) == len(detector.identity.sha256) == 64
synthesizer.sham_is_identity
print([m for m in ("torch", "diffusers", "transformers", "ultralytics", "torchvision") if m in sys.modules])
"""


def test_the_identity_of_the_shipped_models_loads_no_model_and_no_torch():
    pytest.importorskip("diffusers")
    pytest.importorskip("ultralytics")
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
