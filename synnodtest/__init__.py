"""synnodtest: pytest for chest-radiograph nodule detectors."""

from synnodtest.api import open_detector, plant, read_radiograph, write_radiograph
from synnodtest.errors import (
    BackgroundError,
    DetectorError,
    ExpectationFailed,
    RecordError,
    SpecError,
    StoreError,
    SynnodError,
    SynthesizerError,
)
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.scene import Nodule, Perturbation, Scene

__version__ = "0.1.0"

__all__ = [
    "BackgroundError",
    "DetectorError",
    "ExpectationFailed",
    "Finding",
    "Identity",
    "Nodule",
    "Perturbation",
    "Radiograph",
    "RecordError",
    "Scene",
    "SpecError",
    "StoreError",
    "SynnodError",
    "SynthesizerError",
    "Truth",
    "__version__",
    "open_detector",
    "plant",
    "read_radiograph",
    "write_radiograph",
]
