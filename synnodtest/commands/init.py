"""``synnodtest init``: a commented starter project that runs at once, after two questions."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from synnodtest.counted import counted
from synnodtest.errors import SynnodError
from synnodtest.spec.validation import schema

OWN = "my_detector:factory"
_WEIGHTS = (".pt", ".onnx")
IGNORED = ".synnodtest/\nreports/\n"
"""Files that git leaves alone: not the ledger, which a confirmatory run wants committed."""
YOURS = "Your detector (best.pt, model.onnx, package.module:factory; empty: a Python function to fill in)"
RADIOGRAPHS = "Folder of your nodule-free radiographs (empty: computed chest phantoms)"
ENOUGH, LEAST = 30, 15
"""Backgrounds of the starter's behaviours, as far as the folder holds them; fewest on which trends are judged."""


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    add = parser.add_argument
    add("folder", nargs="?", type=Path, default=Path("."), help="where to put it (default: here)")
    add("--detector", metavar="D", help="answers the first question: as pytest --detector names it")
    add("--backgrounds", metavar="DIR", help="answers the second: nodule-free radiographs; '': phantoms")


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    folder: Path = options.folder
    _refuse_to_overwrite(folder)
    detector = _seen_from(folder, _answer(options.detector, "--detector", YOURS)) or OWN
    given = _answer(options.backgrounds, "--backgrounds", RADIOGRAPHS)
    backgrounds = Path(given).expanduser() if given else None
    count = ENOUGH if backgrounds is None else _held(backgrounds)
    for name, text in _contents(detector, backgrounds, count).items():
        path = folder / name
        if name == ".gitignore" and path.exists():
            print(f"kept {path}: add {' and '.join(IGNORED.split())} to it")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    where = "" if folder == Path(".") else f"cd {shlex.quote(str(folder))}\n       "
    print(f"\nnext:  {where}synnodtest check specs\n       pytest --synnod-plan\n       pytest")


def _answer(given: str | None, option: str, question: str) -> str:
    """Return what an option says, else what is typed; the default where nobody sits at a terminal."""
    if given is not None:
        return given.strip()
    if sys.stdin.isatty() and sys.stdout.isatty():
        return input(f"{question}: ").strip()
    print(f"not asked, as there is no terminal, and left empty ({option} answers it): {question}")
    return ""


def _seen_from(folder: Path, detector: str) -> str:
    """Return a detector's text with the file that it names as the project's folder sees it."""
    if "://" in detector or detector.startswith(("command:", "node21:")):
        return detector
    for part in re.split("[:#]", detector):
        path = Path(part).expanduser()
        if path.suffix and not path.is_absolute() and path.is_file():
            inside = path.resolve().is_relative_to(folder.resolve())
            place = path.resolve().relative_to(folder.resolve()) if inside else path.resolve()
            return detector.replace(part, str(place), 1)
        if path.suffix in _WEIGHTS and not path.is_file():
            print(f"note: {path} is not there; pytest.ini names it")
    return detector


def _held(folder: Path) -> int:
    """Return how many backgrounds a behaviour takes of a folder; refuse one in which nothing can be used."""
    from synnodtest.backgrounds import FolderSet, open_backgrounds

    opened = open_backgrounds(folder, "normal") if folder.is_dir() else None
    count = opened.available if isinstance(opened, FolderSet) else 0
    if not count:
        raise SynnodError(
            f"{folder}: no folder with radiographs", hint="PNG, JPEG, MHA or DICOM; leave it empty for phantoms"
        )
    if count < LEAST:
        there = counted(count, "radiograph")
        print(f"note: {folder} holds {there}; trends need {LEAST} to be judged, and 30 to 100 are usual")
    return min(ENOUGH, count)


def _contents(detector: str, backgrounds: Path | None, count: int) -> dict[str, str]:
    starter = files("synnodtest.commands") / "starter"
    spec = (starter / "nodules.yaml").read_text(encoding="utf-8")
    can_diffuse = all(map(find_spec, ("torch", "diffusers", "safetensors")))
    words = ["--detector", detector, "--synthesizer", "diffusion" if can_diffuse else "gaussian"]
    if backgrounds is not None:
        words += [f"--backgrounds={backgrounds.resolve()}"]
    contents = {
        "specs/nodules.yaml": spec.replace("count: 30}", f"count: {count}}}"),
        "specs/synnodtest.schema.json": json.dumps(schema(), indent=1) + "\n",
        "pytest.ini": f"[pytest]\ntestpaths = specs\npythonpath = .\naddopts = {shlex.join(words)}\n",
        ".gitignore": IGNORED,
    }
    if detector == OWN:
        contents["my_detector.py"] = (starter / "my_detector.py.j2").read_text(encoding="utf-8")
    return contents


def _refuse_to_overwrite(folder: Path) -> None:
    names = ("specs/nodules.yaml", "specs/synnodtest.schema.json", "my_detector.py", "pytest.ini")
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise SynnodError(
            f"{folder}: {', '.join(there)} exist already", hint="name an empty folder: synnodtest init FOLDER"
        )
