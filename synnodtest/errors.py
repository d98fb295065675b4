"""The two error trees of synnodtest; they never meet.

::

    Exception
    ├── SynnodError              we, the set-up or the adapter are broken
    │   ├── SpecError            a spec file cannot be used (carries every problem of the file)
    │   ├── BackgroundError      a radiograph, mask or manifest cannot be used
    │   ├── SynthesizerError     nodules cannot be made
    │   ├── DetectorError        the detector crashed, hung or returned rubbish
    │   │   └── DetectorHung     it gave no answer in time
    │   ├── InvalidEvidence      a gate failed: missing region, sham control, nothing accepted
    │   ├── StoreError           the cache on disk cannot be used
    │   └── RecordError          a results.json, lock or waiver file cannot be used
    └── AssertionError
        └── ExpectationFailed    the detector ran and misbehaved; carries its verdict

A detector that crashes is never a detector that misses: the first tree makes pytest report
an error, the second a failure.
"""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


class SynnodError(Exception):
    """Something other than the detector's judgement is broken.

    Args:
        message: What is wrong, naming the file or component.
        hint: What the user can do about it.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


@dataclass(frozen=True)
class Problem:
    """One fault at one place of a file. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        text = f"{self.file}:{self.line}:{self.column}: {where}{self.message}"
        return f"{text} ({self.hint})" if self.hint else text


class SpecError(SynnodError):
    """A spec that cannot be used; ``problems`` holds every fault of the file, in order."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class BackgroundError(SynnodError):
    """A radiograph, region mask or manifest cannot be used."""


class SynthesizerError(SynnodError):
    """A synthesizer cannot be loaded or cannot make what a scene asks for."""


class DetectorError(SynnodError):
    """The detector crashed, hung, or returned something that is not a list of findings."""


class DetectorHung(DetectorError):
    """The detector gave no answer in time; asked again it may take as long again."""


class InvalidEvidence(SynnodError):
    """The evidence cannot bear a verdict: the set lacks a region, or the sham control failed."""


class StoreError(SynnodError):
    """The store on disk cannot be read or written."""


class RecordError(SynnodError):
    """A record, lock, waiver or ledger file cannot be used."""


class ExpectationFailed(AssertionError):
    """The detector violates an expectation. ``verdict`` is the ruling that says so."""

    def __init__(self, message: str, verdict: Any = None) -> None:
        super().__init__(message)
        self.verdict = verdict


def missing_extra(package: str, extra: str, purpose: str) -> SynnodError:
    """Return the error for an optional dependency that is not installed."""
    return SynnodError(
        f"{purpose} needs the package {package!r}, which is not installed",
        hint=f"pip install 'synnodtest[{extra}]'",
    )


def require(package: str, extra: str, purpose: str) -> None:
    """Refuse what needs an optional dependency that is not installed, without importing it.

    Raises:
        SynnodError: it is not installed; names the extra that brings it.
    """
    if importlib.util.find_spec(package) is None:
        raise missing_extra(package, extra, purpose)


def likely(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return the hint that names the known word nearest to a wrong one; where none is near, ``otherwise``."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else otherwise


@contextmanager
def system_faults(path: object, kind: type[SynnodError], cannot: str = "read", hint: str = "") -> Iterator[None]:
    """Raise an error of that kind, which names the file, where the system does not let it be read, or written."""
    try:
        yield
    except OSError as error:
        raise kind(f"{path}: cannot be {cannot}: {error.strerror or error}", hint=hint) from error
