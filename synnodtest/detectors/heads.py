"""Network heads that are read, and how: an allow-list. Whatever is not on it is refused by name.

A head is the last layer of an ultralytics network. Two heads can give outputs of the same shape that mean other things,
so that an unknown one is never read as the one it resembles.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synnodtest.errors import DetectorError


@dataclass(frozen=True)
class Head:
    """One head that is read.

    Args:
        name: Class name in ultralytics.
        fit: How a radiograph becomes the input: ``letterbox`` or ``stretch``.
        rows: The network gives finished rows ``cx, cy, w, h`` (shares of the input), score, class; else a grid of boxes
            that wants non-maximum suppression, or rows of an export that has it built in.
    """

    name: str
    fit: str
    rows: bool


HEADS = (
    Head("Detect", "letterbox", rows=False),  # YOLOv3 to v9, 11, 12, 26
    Head("v10Detect", "letterbox", rows=False),
    Head("RTDETRDecoder", "stretch", rows=True),
)

WRAP = "wrap any other model in Python (file.py:factory)"
_HINT = f"the heads Detect, v10Detect and RTDETRDecoder are read; {WRAP}"


def accepted_head(name: str, module: str, path: Path) -> Head:
    """Return how a head is read.

    Args:
        name: Its class name.
        module: The Python module of its class, or "" where an export names the class alone.
        path: For messages.

    Raises:
        DetectorError: it is not on the allow-list.
    """
    head = next((head for head in HEADS if head.name == name), None)
    if head is None:
        raise DetectorError(f"{path}: its head {name or 'without a name'} is not read", hint=_HINT)
    if module and not module.startswith("ultralytics.nn.modules"):
        raise DetectorError(f"{path}: its head {module}.{name} is not ultralytics' own", hint=_HINT)
    return head


def check_task(task: str, path: Path) -> None:
    """Refuse what says that it is not for detection.

    Raises:
        DetectorError: it does.
    """
    if task not in ("", "detect"):  # older files do not say
        raise DetectorError(f"{path} is a model for {task!r}, not for detection", hint=_HINT)
