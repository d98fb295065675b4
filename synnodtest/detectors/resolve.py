"""``--detector TEXT`` -> a guarded detector."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from synnodtest.detectors.callables import load_callable
from synnodtest.detectors.guard import Guard
from synnodtest.detectors.registry import Factory, Options, find_factory, registered_names
from synnodtest.errors import DetectorError, likely
from synnodtest.factories import Loader
from synnodtest.files import is_lfs_pointer
from synnodtest.ports import DEFAULT_TIMEOUT_S, Detector
from synnodtest.threads import wait_asleep

_SUFFIXES = {
    ".pt": "ultralytics", ".onnx": "onnx", ".xml": "openvino",
    ".json": "recorded", ".csv": "recorded", ".dcm": "dicom-findings",
}  # fmt: skip
_NOT_READ = (
    ".torchscript", ".jit", ".engine", ".trt", ".plan", ".mlmodel", ".mlpackage", ".tflite", ".pb", ".safetensors",
    ".h5", ".keras", ".pth", ".ckpt", ".bin", ".pdparams", ".zip", ".tar", ".gz", ".mar",
)  # fmt: skip
"""Suffixes of networks in forms that are not read."""
_WEIGHTS = (".pt", ".onnx", ".xml", *_NOT_READ)
_RECORDS = ("recorded", "dicom-findings", "dicom-sr", "dicom-seg", "dicom-pr")

_PORT = re.compile(r"\d{2,5}(/|$)")
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


def in_guard(detector: Detector) -> Guard:
    """Return a detector behind its guard; one without a guard gets one."""
    return detector if isinstance(detector, Guard) else Guard(detector, DEFAULT_TIMEOUT_S)


def check_named(text: str, base: Path | None = None) -> None:
    """Refuse a text that names no detector, without loading one: a slip is told before a run begins.

    A file must be there, and the module and factory that a user names. What a checkpoint of ultralytics says of itself
    is read, without its weights; whether the others can be used is seen when they are.

    Raises:
        DetectorError: nothing answers to ``text``.
    """
    options = Options(base=base or Path.cwd())
    text = text.strip()
    named = _named(text, options) if text else None
    if named is not None:
        name, _, argument = named
        spoiled = argument.partition(":")[2]
        if name == "mutant" and spoiled:
            check_named(spoiled, base)
        elif name in _TAKE_A_FILE:
            _check_file(argument, text, options)
            if name == "dicom-findings" and (folder := options.file(argument)[0]).is_dir():
                from synnodtest.detectors.dicom_findings import check_folder

                check_folder(folder)
        elif name == "torchvision" and spoiled:
            _check_file(spoiled, text, options)
        if name == "ultralytics" and argument == text:
            make_detector(text, options)
    elif ":" in text:
        Loader(text, "detector", DetectorError, options.base).find()
    else:
        raise _unknown(text)


def names_record(text: str) -> bool:
    """Return whether a text names findings that were recorded, without reading them."""
    path, _ = Options().file(text.strip())
    return text.strip().partition(":")[0] in _RECORDS or _of_file(path) in _RECORDS


def _of_file(path: Path) -> str:
    """Return the name of the detector that reads a file or folder; empty where none does."""
    if path.is_dir() and (path / "metadata.yaml").is_file() and any(path.glob("*.xml")):
        return "openvino"
    folder = path.is_dir() and path.suffix.lower() not in _NOT_READ
    return _SUFFIXES.get(path.suffix.lower(), "dicom-findings" if folder else "")


def _check_file(argument: str, text: str, options: Options) -> None:
    path, _ = options.file(argument)
    weights = path.suffix.lower() in (*_SUFFIXES, ".pth")
    if weights and "://" not in argument and not path.exists():
        beside = sorted(one.name for one in path.parent.glob(f"*{path.suffix}")) if path.parent.is_dir() else []
        raise DetectorError(f"detector {text!r}: {path} is not there", hint=likely(path.name, beside, _ways()))
    if path.is_dir() and path.suffix.lower() in (".pt", ".onnx", ".json", ".csv"):
        raise DetectorError(f"detector {text!r}: {path} is a folder", hint="name the file, which may lie in it")
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
    if Path(text).suffix.lower() in _NOT_READ:
        return DetectorError(
            f"detector {text!r}: files of the type {Path(text).suffix} are not read",
            hint="export the network as ONNX, or wrap it in Python: file.py:factory; weights of torchvision are "
            "torchvision:MODEL:FILE",
        )
    return DetectorError(f"nothing is known as the detector {text!r}", hint=likely(text, registered_names(), _ways()))


def make_detector(text: str, options: Options) -> Detector:
    """Return the bare detector that ``text`` names; wrappers such as mutants build on it."""
    text = text.strip()
    if not text:
        raise DetectorError("no detector is named", hint=_ways())
    named = _named(text, options)
    if named is not None:
        _, factory, argument = named
        return factory(argument, options)
    if ":" in text:
        return load_callable(text, options)
    raise _unknown(text)


def _named(text: str, options: Options) -> tuple[str, Factory, str] | None:
    """Return name, factory and argument of a registered detector: by its scheme, else by what reads such a file.

    The scheme ``http`` keeps its own text.

    Raises:
        DetectorError: an address of weights, one that cannot be read, or of another kind.
    """
    name, _, argument = text.partition(":")
    factory = find_factory(name)
    if argument.startswith("//") and PurePosixPath(_path_of(text)).suffix.lower() in _WEIGHTS:
        raise DetectorError(
            f"detector {text!r}: an address of weights, not of a server that takes radiographs",
            hint="download them and name the file: synnodtest never downloads weights",
        )
    if factory is not None:
        return name, factory, text if argument.startswith("//") else argument
    if argument.startswith("//") or _PORT.match(argument):
        raise DetectorError(f"detector {text!r}: an address of a kind that is not read", hint="http://host:port/path")
    name = _of_file(options.file(text)[0])
    factory = find_factory(name) if name else None
    return None if factory is None else (name, factory, text)


def _path_of(url: str) -> str:
    """Return the path of an address whose host and port can be read."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise DetectorError(f"the address of the detector is no URL: {error}", hint="http://host:port/path") from error
    return parts.path


def _ways() -> str:
    return (
        "a detector is best.pt, model.onnx, findings.json, http://host/predict, package.module:factory, or one of "
        + ", ".join(registered_names())
    )
