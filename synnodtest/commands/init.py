"""``synnodtest init``: a commented starter project with editor completion."""

from __future__ import annotations

import argparse
import json
from importlib.resources import files
from pathlib import Path

from synnodtest.errors import SynnodError
from synnodtest.spec.loader import schema

__all__ = ["configure"]

DETECTOR = '''\
"""Your detector, if it is not a checkpoint that synnodtest can load: pytest --detector my_detector:factory"""

from synnodtest import Finding, Radiograph


def factory():
    """Return the function under test; loaded once per run."""

    def detect(radiographs: list[Radiograph]) -> list[list[Finding]]:
        # pixels: float32, H x W, 0..1, air dark; spacing_mm: (row, column). Boxes are (x_min, y_min, x_max, y_max).
        return [[] for _ in radiographs]

    return detect
'''
PYTEST = "[pytest]\ntestpaths = specs\n"
IGNORED = ".synnodtest/\nreports/\n"


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of the command."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path("."), help="where to put it (default: here)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    folder: Path = options.folder
    starter = files("synnodtest.commands") / "starter" / "nodules.yaml"
    contents = {
        "specs/nodules.yaml": starter.read_text(encoding="utf-8"),
        "specs/synnodtest.schema.json": json.dumps(schema(), indent=1) + "\n",
        "my_detector.py": DETECTOR,
        "pytest.ini": PYTEST,
        ".gitignore": IGNORED,
    }
    there = [name for name in contents if (folder / name).exists()]
    if there:
        raise SynnodError(
            f"{folder}: {', '.join(there)} exist already", hint="name an empty folder: synnodtest init FOLDER"
        )
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    print("\nnext:  synnodtest check specs\n       pytest --detector my_detector:factory --synthesizer gaussian")
    return 0
