"""Measurements apart from the run: credibility reports of synthesizers, and transfer results.

They are what ``synnodtest evaluate synthesizer --out FILE`` and ``synnodtest evaluate transfer --out FILE`` write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synnodtest.canonical import sha256_of
from synnodtest.decoding import JsonObject, decode
from synnodtest.errors import RecordError, SynnodError
from synnodtest.record.model.run import Identification, IdentityEntry, RunEntry
from synnodtest.shipped import shipped_model

FILE_NAME, TRANSFER = "credibility.json", "transfer.json"
"""Beside a model's weights; then they are found without being named."""
_FORMAT = 1
"""Version of a transfer result, the only one so far; another is refused rather than read by guess."""
_LARGEST_BYTES = 4_000_000
"""Size of a report, in bytes, that is read as a whole; one that the command writes takes some tens of kB."""


@dataclass(frozen=True)
class Difference:
    """Differences of an identity from one of the run.

    Args:
        another: Whether they are of different weights.
        what: In what they differ, a text each.
    """

    another: bool
    what: tuple[str, ...] = ()


def beside_models(run: RunEntry, who: Identification, root: Path, file_name: str = FILE_NAME) -> list[Path]:
    """Return the files of a name, credibility reports by default, that lie beside the models of a run.

    Args:
        run: Its options name the folder of a user's model.
        who: Names the shipped models that took part.
        root: What a relative folder is relative to.
        file_name: Of the files.
    """
    named = run.options.get("synthesizer", "").partition(":")[2]
    places = [root / named / file_name] if named else []
    for synthesizer in who.synthesizers if not named else ():
        if synthesizer.demonstration:
            with suppress(SynnodError):
                places.append(shipped_model(f"{synthesizer.name}/{file_name}"))
    return [place for place in places if place.is_file()]


def read(path: Path, transfer: bool | None = None) -> JsonObject:
    """Return a credibility report or a transfer result, with ``file`` and ``sha256`` of the file.

    A report has ``synthesizer`` (its identity) and what was ``measured``, a transfer result all that stands in it.

    Args:
        path: The file.
        transfer: Whether it must be a transfer result; None: its content tells.

    Raises:
        RecordError: the file cannot be read or is no such report or result.
    """
    of_transfer = bool(transfer)
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ValueError(f"larger than {_LARGEST_BYTES // 1_000_000} MB")
        content = path.read_bytes()
        found = json.loads(content, parse_constant=lambda word: None)
        of_transfer = is_transfer(found) if transfer is None else transfer
        checked = _transfer(found) if of_transfer else _report(found)
        return {"file": path.name, "sha256": sha256_of(content), **checked}
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        what, command = ("credibility report of a synthesizer", "synthesizer")
        if of_transfer:
            what, command = ("transfer result", "transfer")
        told = error.strerror if isinstance(error, OSError) else repr(error) if of_transfer else error
        why = f"cannot be read ({told})" if isinstance(error, OSError) else f"no {what} ({told})"
        raise RecordError(f"{path}: {why}", hint=f"written by: synnodtest evaluate {command} ... --out FILE") from error


def is_transfer(found: object) -> bool:
    """Return whether the content of a file is, or means to be, a transfer result."""
    return isinstance(found, Mapping) and "transfer" in found


def _report(found: Any) -> JsonObject:
    synthesizer = found.pop("synthesizer", None) if isinstance(found, dict) else None
    if not isinstance(synthesizer, dict):
        raise ValueError("it names no synthesizer")
    if not isinstance(synthesizer.get("name"), str):
        raise ValueError("its synthesizer has no name")
    return {"synthesizer": synthesizer, "measured": found}


def _transfer(found: Any) -> JsonObject:
    if not isinstance(found, dict) or found.get("transfer") != _FORMAT:
        raise ValueError(f"it has not the format {_FORMAT}")
    for one in found["detectors"]:
        if not isinstance(one["identity"]["name"], str) or not one["rates"]:
            raise ValueError("a detector in it has no name or no figures")
        for at in one["rates"]:
            _ = at["difference"]["value"], at["real"]["n"], at["planted"]["n"], at["bands"]
    _ = found["made_of"]["synthesizer"]["name"], found["made_of"]["nodules"]
    return found


def held_against(found: Any, who: Identification) -> JsonObject:
    """Return what :func:`read` returned with what it says of the run's own detector and synthesizer.

    Of a transfer result ``own`` is the index of the run's detector in it, None where it was not measured;
    ``of_this_synthesizer`` whether one of the run's synthesizers planted the nodules. Of either ``differs`` in what
    its synthesizer differs from the run's.
    """
    planted_by = found["made_of"]["synthesizer"] if is_transfer(found) else found["synthesizer"]
    best = closest(decode(IdentityEntry, planted_by), who.synthesizers)
    if not is_transfer(found):
        return {**found, "of_another_model": best.another, "differs": list(best.what)}
    against = [differences(decode(IdentityEntry, one["identity"]), who.detector) for one in found["detectors"]]
    same = (k for k, one in enumerate(against) if not one.what)
    own = next(same, next((k for k, one in enumerate(against) if not one.another), None))
    return {**found, "own": own, "of_this_synthesizer": not best.another, "differs": list(best.what)}


def closest(measured: IdentityEntry, used: Iterable[IdentityEntry]) -> Difference:
    """Return how an identity differs from the one among the run's that is most like it."""
    against = (differences(measured, one) for one in used)
    return min(against, key=lambda one: (one.another, len(one.what)), default=Difference(another=True))


def differences(measured: IdentityEntry, used: IdentityEntry) -> Difference:
    """Return in what two identities differ; of equal weights in their configuration too."""
    what = [
        f"{key} {(mine or 'unknown')[:12]}, in this run {(theirs or 'unknown')[:12]}"
        for key in ("name", "version", "sha256")
        if (mine := getattr(measured, key)) != (theirs := getattr(used, key))
    ]
    if measured.name != used.name or measured.sha256 != used.sha256:
        return Difference(another=True, what=tuple(what))
    mine, theirs = measured.configuration, used.configuration
    what += [
        f"{key} {mine.get(key, 'not given')}, in this run {theirs.get(key, 'not given')}"
        for key in sorted({*mine, *theirs})
        if mine.get(key) != theirs.get(key)
    ]
    return Difference(another=False, what=tuple(what))
