"""Contents of an ultralytics ``.pt``, read without torch and without running anything in it.

A ``.pt`` is a zip around a pickle. The reader here puts an inert stub in the place of every class, so that class names,
task and image size are known before torch is imported, and an unusable file is refused at once.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synnodtest.errors import DetectorError

MAX_PICKLE_BYTES = 64 * 1024 * 1024
"""The pickle holds the structure, never the weights; a real one has a few hundred kB."""


@dataclass(frozen=True)
class Checkpoint:
    """Facts that the adapter needs before it loads the weights.

    Args:
        names: Class index -> class name.
        task: ``detect``, ``segment``, ...; empty if the file does not say.
        image_size: Side in pixels it was trained at, or None if it was never trained.
        head: Class name of the network's last layer, and the Python module of that class; empty if there is none.
    """

    names: Mapping[int, str]
    task: str
    image_size: int | None
    head: tuple[str, str] = ("", "")


class _Stub:
    """Stands in for every class of the pickle: takes any argument, remembers its state, does nothing."""

    stands_for = ("", "")
    """Name and module of the class in whose place a subclass stands."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> _Stub:
        return super().__new__(cls)

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        self.state: dict[str, object] = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}

    def __call__(self, *_args: Any, **_kwargs: Any) -> _Stub:
        return _Stub()

    def __setitem__(self, _key: Any, _value: Any) -> None:
        """Swallow the items of a pickled mapping."""

    def append(self, _value: Any) -> None:
        """Swallow the items of a pickled list."""

    def extend(self, _values: Any) -> None:
        """Swallow the items of a pickled list."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        return type("_Stub", (_Stub,), {"stands_for": (name, module)})

    def persistent_load(self, _identifier: Any) -> Any:
        return _Stub()


def read_checkpoint(path: Path) -> Checkpoint:
    """Return what the ``.pt`` at ``path`` says about itself.

    Raises:
        DetectorError: the file is no ultralytics checkpoint of a model with classes.
    """
    try:
        content = _unpickle(path)
        network = content.get("ema") or content.get("model")
        if not isinstance(network, _Stub):
            raise _no_network(path)
        state: Any = network.state
        names = state.get("names") or state.get("yaml", {}).get("names")
        classes = dict(enumerate(names)) if isinstance(names, (list, tuple)) else dict(names)
        named = {int(index): str(name) for index, name in classes.items()}
        size = _image_size(content.get("train_args"))
    except DetectorError:
        raise
    except Exception as error:
        raise DetectorError(
            f"{path} is not an ultralytics checkpoint ({type(error).__name__}: {error})",
            hint="a .pt written by ultralytics (YOLOv8, YOLOv9, ...) is expected; is the file complete?",
        ) from error
    return Checkpoint(named, str(state.get("task") or ""), size, _head(state))


def _head(state: Mapping[str, object]) -> tuple[str, str]:
    """Return name and module of the last layer's class; ultralytics keeps the layers in a list called ``model``."""
    layers = _modules(_modules(state).get("model"))
    last = list(layers.values())[-1] if layers else None
    return last.stands_for if isinstance(last, _Stub) else ("", "")


def _modules(state: Any) -> Mapping[str, object]:
    """Return the named parts of a network, as torch pickles them."""
    state = state.state if isinstance(state, _Stub) else state
    modules = state.get("_modules") if isinstance(state, Mapping) else None
    return modules if isinstance(modules, Mapping) else {}


def _unpickle(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        inner = [info for info in archive.infolist() if info.filename.endswith("/data.pkl")]
        if len(inner) != 1 or inner[0].file_size > MAX_PICKLE_BYTES:
            raise ValueError("torch.save did not write it")
        with archive.open(inner[0]) as stream:
            content = _Reader(stream).load()
    if not isinstance(content, dict):
        raise _no_network(path)
    return content


def _no_network(path: Path) -> DetectorError:
    return DetectorError(
        f"{path} holds no ultralytics checkpoint, that is, no network with its classes",
        hint=f"weights alone (a state dict) or TorchScript are not enough; torchvision:MODEL:{path.name} takes those "
        "of a torchvision model, package.module:factory whatever your own code loads",
    )


def _image_size(train_args: Any) -> int | None:
    """Return the side the model was trained at, None where nothing is said; ultralytics writes an int or a pair.

    Raises:
        ValueError: what is said is no side.
    """
    size = train_args.get("imgsz") if isinstance(train_args, dict) else None
    if size is None:
        return None
    side = max(float(one) for one in (size if isinstance(size, (list, tuple)) else [size]))
    if not (side > 0 and side.is_integer()):
        raise ValueError(f"its imgsz is {size!r}")
    return int(side)
