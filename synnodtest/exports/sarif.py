"""What did not pass, on the YAML lines where it is asked for: SARIF for code scanning, annotations for GitHub."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from synnodtest.files import write_atomic
from synnodtest.record.lookup import behaviour_of
from synnodtest.record.words import STATUSES, expectation_title, shown_status

__all__ = ["FILE_NAME", "github", "log", "write"]

FILE_NAME = "results.sarif"
_LEVELS = {
    "FAILED": "error",
    "ERROR": "error",
    "INVALID": "warning",
    "INCONCLUSIVE": "warning",
    "WAIVED": "note",
    "NOT RUN": "note",
}


def log(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a SARIF 2.1.0 log with one result per expectation that did not pass, on its line."""
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
                {"physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": max(line, 1)}}}
            ],
            "partialFingerprints": {"synnodtest/expectation": node},
        }
        for word, file, line, node, message in _told(record)
    ]
    driver = {"name": "synnodtest", "version": record["identification"]["synnodtest"], "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}],
    }


def write(record: Mapping[str, Any], folder: Path) -> Path:
    """Write ``results.sarif`` into ``folder``; call it before the report, so that the digest covers it."""
    return write_atomic(Path(folder) / FILE_NAME, json.dumps(log(record), indent=1, ensure_ascii=False) + "\n")


def github(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield workflow commands (``::error file=...,line=...,title=...::message``) to print in a GitHub job."""
    for word, file, line, _, message in _told(record):
        level = {"note": "notice"}.get(_LEVELS[word], _LEVELS[word])
        title = _property(f"synnodtest: {word}")
        yield f"::{level} file={_property(file)},line={max(line, 1)},title={title}::{_data(message)}"


def _told(record: Mapping[str, Any]) -> Iterator[tuple[str, str, int, str, str]]:
    for expectation in record["expectations"]:
        word = shown_status(expectation)
        if word not in _LEVELS:
            continue
        behaviour = behaviour_of(record, expectation)
        file = str(expectation.get("file") or behaviour.get("file") or str(expectation["id"]).partition("::")[0])
        line = int(expectation.get("line") or behaviour.get("line") or 1)
        said = (expectation.get("ruling") or {}).get("sentence") or expectation.get("error") or word
        yield word, file, line, str(expectation["id"]), f"{expectation_title(expectation)}: {said}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
