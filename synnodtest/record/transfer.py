"""Transfer results: what ``synnodtest evaluate transfer --out FILE`` measured, held against the run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from synnodtest.canonical import sha256_of
from synnodtest.decoding import JsonObject, decode
from synnodtest.errors import RecordError
from synnodtest.record.credibility import closest, differences
from synnodtest.record.model.run import Identification, IdentityEntry

FILE_NAME = "transfer.json"
"""Beside a synthesizer's weights; then it is found without being named."""
_FORMAT = 1
"""Version of the file, the only one so far; another is refused rather than read by guess."""
_HINT = "written by: synnodtest evaluate transfer ... --out FILE"
_LARGEST_BYTES = 4_000_000
"""Size of a file, in bytes, that is read as a whole; one that the command writes takes some tens of kB."""


def is_transfer(path: Path) -> bool:
    """Return whether a file is, or means to be, a transfer result; False where it cannot be read."""
    try:
        content = json.loads(path.read_bytes()[:_LARGEST_BYTES])
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "transfer" in content


def read(path: Path) -> JsonObject:
    """Return a transfer result with ``file`` and ``sha256``.

    Raises:
        RecordError: the file cannot be read or is no such result.
    """
    try:
        content = path.read_bytes()
        content_read = json.loads(content, parse_constant=lambda word: None)
        if not isinstance(content_read, dict) or content_read.get("transfer") != _FORMAT:
            raise ValueError(f"it has not the format {_FORMAT}")
        for one in content_read["detectors"]:
            if not isinstance(one["identity"]["name"], str) or not one["rates"]:
                raise ValueError("a detector in it has no name or no figures")
            for at in one["rates"]:
                _ = at["difference"]["value"], at["real"]["n"], at["planted"]["n"], at["bands"]
        _ = content_read["made_of"]["synthesizer"]["name"], content_read["made_of"]["nodules"]
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})", hint=_HINT) from error
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise RecordError(f"{path}: no transfer result ({error!r})", hint=_HINT) from error
    return {"file": path.name, "sha256": sha256_of(content), **content_read}


def read_all(paths: Iterable[Path], identification: Identification) -> list[JsonObject]:
    """Return transfer results, each with what it says of the run's own detector and synthesizer.

    ``own`` is the index of the run's detector in it, None where it was not measured; ``of_this_synthesizer`` whether
    one of the run's synthesizers planted the nodules, ``differs`` in what it differs if not.

    Raises:
        RecordError: one of the files cannot be used.
    """
    return [_against(read(path), identification) for path in paths]


def _against(found: Any, identification: Identification) -> JsonObject:
    measured = [decode(IdentityEntry, one["identity"]) for one in found["detectors"]]
    against = [differences(one, identification.detector) for one in measured]
    best = closest(decode(IdentityEntry, found["made_of"]["synthesizer"]), identification.synthesizers)
    same = (k for k, one in enumerate(against) if not one.what)
    own = next(same, next((k for k, one in enumerate(against) if not one.another), None))
    return {**found, "own": own, "of_this_synthesizer": not best.another, "differs": list(best.what)}
