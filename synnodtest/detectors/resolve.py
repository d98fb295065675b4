"""``--detector TEXT`` -> a guarded detector."""

from __future__ import annotations

import difflib
from pathlib import Path

from synnodtest.detectors.callables import load_callable
from synnodtest.detectors.choice import split_choice
from synnodtest.detectors.files import is_lfs_pointer
from synnodtest.detectors.guard import Guard
from synnodtest.detectors.registry import Factory, Options, find_factory, registered_names
from synnodtest.errors import DetectorError
from synnodtest.factories import Loader
from synnodtest.ports import Detector
from synnodtest.threads import wait_asleep

__all__ = ["DEFAULT_TIMEOUT_S", "check_named", "make_detector", "names_record", "resolve_detector"]

DEFAULT_TIMEOUT_S = 300.0

_SUFFIXES = {
    ".pt": "ultralytics",
    ".onnx": "onnx",
    ".xml": "openvino",
    ".json": "recorded",
    ".csv": "recorded",
    ".dcm": "dicom-findings",
}
_RECORDS = ("recorded", "dicom-findings", "dicom-sr", "dicom-seg", "dicom-pr")

_TAKE_A_FILE = (*_SUFFIXES.values(), "unsafe", "dicom-sr", "dicom-seg", "dicom-pr")
"""Names whose argument is a file; those of programs, addresses and other packages may end like one."""


def resolve_detector(
    text: str, *, device: str = "cpu", timeout_s: float = DEFAULT_TIMEOUT_S, base: Path | None = None
) -> Detector:
    """Return the detector that ``text`` names, wrapped in the guard.

    Args:
        text: ``best.pt``, ``model.onnx``, ``findings.json``, ``http://host/predict``, ``command:...``,
            ``package.module:factory``, ``demo``, or a registered ``name`` or ``name:argument``.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        timeout_s: Seconds that one call may take.
        base: Where relative paths and modules are sought; the working directory by default.

    Raises:
        DetectorError: nothing answers to ``text``, or what does cannot be used.
        SynnodError: it needs a package that is not installed.
    """
    wait_asleep()
    options = Options(device=device, base=base or Path.cwd(), timeout_s=timeout_s)
    return Guard(make_detector(text, options), timeout_s)


def check_named(text: str, base: Path | None = None) -> None:
    """Refuse a text that names no detector, without loading one: a slip is told before a run begins.

    A file must be there, and the module and factory that a user names. What a checkpoint of ultralytics says of itself
    is read, without its weights; whether the others can be used is seen when they are.

    Raises:
        DetectorError: nothing answers to ``text``.
    """
    options = Options(device="cpu", base=base or Path.cwd(), timeout_s=DEFAULT_TIMEOUT_S)
    text = text.strip()
    named = _named(text) if text else None
    name = text.partition(":")[0]
    if named is not None and name == "mutant":
        spoiled = named[1].partition(":")[2]
        if spoiled:
            check_named(spoiled, base)
    elif named is not None:
        if name in _TAKE_A_FILE:
            _check_file(named[1], text, options)
    elif _suffix(text, options) in _SUFFIXES:
        _check_file(text, text, options)
        if _suffix(text, options) == ".pt":
            make_detector(text, options)
    elif options.path(split_choice(text, options.base)[0]).is_dir():
        return
    elif ":" in text:
        Loader(text, "detector", DetectorError, options.base).find()
    else:
        raise _unknown(text)


def names_record(text: str, base: Path | None = None) -> bool:
    """Return whether a text names findings that were recorded, without reading them."""
    name, _, _ = text.strip().partition(":")
    path = (base or Path.cwd()) / split_choice(text.strip(), base or Path.cwd())[0]
    return name in _RECORDS or _SUFFIXES.get(path.suffix.lower()) in _RECORDS or path.is_dir()


def _suffix(text: str, options: Options) -> str:
    """Return the suffix of the file that a text names, with or without a choice of classes behind it."""
    return Path(split_choice(text, options.base)[0]).suffix.lower()


def _check_file(argument: str, text: str, options: Options) -> None:
    name, _ = split_choice(argument, options.base)
    path = options.path(name)
    if Path(name).suffix.lower() in _SUFFIXES and "://" not in name and not path.exists():
        beside = sorted(one.name for one in path.parent.glob(f"*{path.suffix}")) if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, beside, n=1)
        raise DetectorError(
            f"detector {text!r}: {path} is not there", hint=f"did you mean {close[0]!r}?" if close else _ways()
        )
    if is_lfs_pointer(path):
        raise DetectorError(
            f"detector {text!r}: {path} stands for a file that Git LFS keeps elsewhere",
            hint="fetch it: git lfs pull (or download the file itself)",
        )


def _unknown(text: str) -> DetectorError:
    if text.endswith(".py"):
        return DetectorError(
            f"detector {text!r}: a Python file, of which no factory is named", hint=f"name its function: {text}:factory"
        )
    close = difflib.get_close_matches(text, registered_names(), n=1)
    return DetectorError(
        f"nothing is known as the detector {text!r}", hint=f"did you mean {close[0]!r}?" if close else _ways()
    )


def make_detector(text: str, options: Options) -> Detector:
    """Return the bare detector that ``text`` names; wrappers such as mutants build on it."""
    text = text.strip()
    if not text:
        raise DetectorError("no detector is named", hint=_ways())
    named = _named(text)
    if named is not None:
        factory, argument = named
        return factory(argument, options)
    suffix = _suffix(text, options)
    if suffix in _SUFFIXES:
        by_suffix = find_factory(_SUFFIXES[suffix])
        assert by_suffix is not None
        return by_suffix(text, options)
    if options.path(split_choice(text, options.base)[0]).is_dir():
        reports = find_factory("dicom-findings")
        assert reports is not None
        return reports(text, options)
    if ":" in text:
        return load_callable(text, options)
    raise _unknown(text)


def _named(text: str) -> tuple[Factory, str] | None:
    """Return the registered factory and its argument: the scheme ``http`` keeps its own text."""
    name, _, argument = text.partition(":")
    factory = find_factory(name)
    if factory is None:
        return None
    return factory, text if argument.startswith("//") else argument


def _ways() -> str:
    return (
        "a detector is best.pt, model.onnx, findings.json, http://host/predict, package.module:factory, or one of "
        + ", ".join(registered_names())
    )
