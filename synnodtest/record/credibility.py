"""Credibility reports of synthesizers: what ``synnodtest evaluate synthesizer --out FILE`` measured."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from synnodtest.canonical import sha256_of
from synnodtest.decoding import JsonObject, decode
from synnodtest.errors import RecordError, SynnodError
from synnodtest.record.model.run import Identification, IdentityEntry, RunEntry
from synnodtest.shipped import shipped_model

FILE_NAME = "credibility.json"
"""Beside a model's weights; then it is found without being named."""
_LARGEST_BYTES = 4_000_000
"""Size of a report, in bytes, that is read as a whole; one that the command writes takes some tens of kB."""
_HINT = "written by: synnodtest evaluate synthesizer ... --out FILE"


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


def read(path: Path) -> JsonObject:
    """Return a credibility report: ``file`` and ``sha256``, ``synthesizer`` (its identity) and what was ``measured``.

    Raises:
        RecordError: the file cannot be read or is no such report.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ValueError(f"larger than {_LARGEST_BYTES // 1_000_000} MB")
        content = path.read_bytes()
        content_read = json.loads(content, parse_constant=lambda word: None)
        synthesizer = content_read.pop("synthesizer", None) if isinstance(content_read, dict) else None
        if not isinstance(synthesizer, dict):
            raise ValueError("it names no synthesizer")
        if not isinstance(synthesizer.get("name"), str):
            raise ValueError("its synthesizer has no name")
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})", hint=_HINT) from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path}: no credibility report of a synthesizer ({error})", hint=_HINT) from error
    return {"file": path.name, "sha256": sha256_of(content), "synthesizer": synthesizer, "measured": content_read}


def read_all(paths: Iterable[Path], synthesizers: Iterable[IdentityEntry]) -> list[JsonObject]:
    """Return every report, and how its synthesizer differs from the run's.

    Raises:
        RecordError: one of the files cannot be used.
    """
    used = list(synthesizers)
    reports = [(one := read(path), closest(decode(IdentityEntry, one["synthesizer"]), used)) for path in paths]
    return [{**one, "of_another_model": least.another, "differs": list(least.what)} for one, least in reports]


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
