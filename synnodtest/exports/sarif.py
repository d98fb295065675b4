"""Expectations that did not pass, on their YAML lines: SARIF for code scanning, annotations for GitHub."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from posixpath import join, normpath
from urllib.parse import quote

from synnodtest.decoding import JsonObject
from synnodtest.files import write_atomic
from synnodtest.record.model import Record
from synnodtest.record.statuses import STATUSES
from synnodtest.record.words import titles_of

FILE_NAME = "results.sarif"
_LEVELS = {
    "FAILED": "error",
    "ERROR": "error",
    "INVALID": "warning",
    "INCONCLUSIVE": "warning",
    "WAIVED": "note",
    "NOT RUN": "note",
}


def log(source: Record | JsonObject, below: Path = Path()) -> JsonObject:
    """Return a SARIF 2.1.0 log with one result per expectation that did not pass, on its line.

    Args:
        source: The run.
        below: The folder of the run within the checkout, from which code scanning counts.
    """
    record = Record.of(source)
    rules = [
        {"id": look.key, "name": look.word, "shortDescription": {"text": look.meaning}}
        for word, look in STATUSES.items()
        if word in _LEVELS
    ]
    results = [
        {
            "ruleId": STATUSES[word].key,
            "level": _LEVELS[word],
            "message": {"text": message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(_place(file, below), errors="surrogateescape")},
                        "region": {"startLine": line},
                    }
                }
            ],
            "partialFingerprints": {"synnodtest/expectation": node},
        }
        for word, file, line, node, message in _told(record)
    ]
    driver = {"name": "synnodtest", "version": record.identification.synnodtest, "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}],
    }


def write(record: Record | JsonObject, folder: Path, below: Path = Path()) -> Path:
    """Write ``results.sarif`` into ``folder``; call it before the report, so that the digest covers it."""
    return write_atomic(Path(folder) / FILE_NAME, json.dumps(log(record, below), indent=1, ensure_ascii=False) + "\n")


def below_checkout(root: Path) -> Path:
    """Return the working directory, from which a record names its specs, as seen from the top of its checkout.

    Args:
        root: Taken for the top where neither GitHub's job nor git tells of one.
    """
    here, job = Path.cwd(), os.environ.get("GITHUB_WORKSPACE")
    of_git = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), root)
    tops = (top.resolve() for top in (*([Path(job)] if job else ()), of_git))
    return next((here.relative_to(top) for top in tops if here.is_relative_to(top)), Path())


def github(record: Record | JsonObject, below: Path = Path()) -> Iterator[str]:
    """Yield workflow commands (``::error file=...,line=...,title=...::message``) to print in a GitHub job.

    Args:
        record: The run.
        below: The folder of the run within the checkout, from which GitHub counts.
    """
    for word, file, line, _, message in _told(Record.of(record)):
        level = {"note": "notice"}.get(_LEVELS[word], _LEVELS[word])
        title = _property(f"synnodtest: {word}")
        place = _property(_place(file, below))
        yield f"::{level} file={place},line={line},title={title}::{_data(message)}"


def _told(record: Record) -> Iterator[tuple[str, str, int, str, str]]:
    titles = titles_of(record.expectations)
    for expectation in record.expectations:
        word = expectation.shown_status
        if word not in _LEVELS:
            continue
        behaviour = record.behaviour(expectation)
        file = expectation.file or behaviour.file or expectation.spec_file
        line = max(expectation.line or behaviour.line or 1, 1)
        yield word, file, line, expectation.id, f"{titles[expectation.id]}: {expectation.verdict or word}"


def _place(file: str, below: Path) -> str:
    return normpath(join(below.as_posix(), file))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
