"""Detectors that are Python: ``package.module:factory`` or ``file.py:factory``.

The factory takes no required argument and returns a function ``radiographs -> list of lists of Finding`` or an object
with ``detect``, which may have ``detect_pairs`` too (:mod:`synnodtest.detectors.pairs`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from synnodtest.detectors.registry import Options
from synnodtest.errors import DetectorError
from synnodtest.factories import Loader, source_sha256
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph

DetectPairs = Callable[[Sequence[Radiograph], Sequence[Radiograph | None]], list[list[Finding]]]
Detect = Callable[[Sequence[Radiograph]], list[list[Finding]]]


class CallableDetector:
    """A detector that is a plain function.

    Args:
        function: ``radiographs -> list of lists of Finding``, one list per radiograph, in order.
        identity: Who it is. None: the function's name and the sha256 of its source file.
        pairs: ``radiographs, priors -> list of lists of Finding``, of a detector that takes pairs, too.

    Attributes:
        may_change_unseen: Whether the identity says nothing of the weights, since no ``sha256`` was declared.
    """

    may_change_unseen = False

    def __init__(self, function: Detect, identity: Identity | None = None, pairs: DetectPairs | None = None) -> None:
        self._function = function
        name = getattr(function, "__qualname__", type(function).__name__)
        named = f"{getattr(function, '__module__', '?')}:{name}"
        self.identity = identity or Identity(named, sha256=source_sha256(function))
        if pairs is not None:
            self.detect_pairs = pairs

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return one list of findings per radiograph, in order."""
        return self._function(radiographs)


def load_callable(text: str, options: Options) -> CallableDetector:
    """Return the detector that the factory ``module:factory`` makes.

    Args:
        text: ``module:factory``, ``package.module:factory`` or ``path/to/file.py:factory``.
        options: ``base`` is put on the import path.

    Raises:
        DetectorError: the module or factory is not there, raises, wants arguments, or returns no detector.
    """
    product, identity, by_source = Loader(text, "detector", DetectorError, options.base).make()
    function = product.detect if hasattr(product, "detect") else product
    if not callable(function):
        raise DetectorError(
            f"detector {text!r}: the factory returned {type(product).__name__}, no function and no object with detect",
            hint="return a function that takes a list of radiographs and returns a list of lists of Finding",
        )
    detector = CallableDetector(function, identity, getattr(product, "detect_pairs", None))
    detector.may_change_unseen = by_source
    return detector
