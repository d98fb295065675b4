"""Machine and packages of a run, for the record: the list of software of unknown provenance (SOUP)."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from synnodtest.record.model.run import Environment, PackageEntry

PACKAGES = (
    "numpy", "scipy", "statsmodels", "pytest", "PyYAML", "jsonschema", "jsonschema-rs", "hypothesis", "Jinja2",
    "matplotlib", "pillow", "torch", "torchvision", "diffusers", "transformers", "ultralytics", "pyradiomics",
    "pydicom", "onnxruntime", "openvino", "pyarrow", "cryptography",
)  # fmt: skip
"""Packages that may take part in a run; those that are installed are listed."""


def environment() -> Environment:
    """Return operating system, processor, GPU with its driver, Python, and packages with version and hash.

    The hash of a package is the sha256 of its ``RECORD``, which holds the sha256 of each of its installed files.
    """
    return Environment(
        os=platform.platform(),
        processor=_processor(),
        cores=os.cpu_count() or 1,
        gpu=_gpu(),
        python=platform.python_version(),
        packages=tuple(entry for name in PACKAGES if (entry := _package(name))),
    )


@lru_cache
def _package(name: str) -> PackageEntry | None:
    try:
        there = distribution(name)
    except PackageNotFoundError:
        return None
    listed = there.read_text("RECORD")
    return PackageEntry(name, there.version, hashlib.sha256(listed.encode()).hexdigest() if listed else "")


def _gpu() -> str:
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return "; ".join(line.strip() for line in done.stdout.splitlines() if line.strip())


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()
