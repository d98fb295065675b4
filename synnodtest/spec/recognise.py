"""Recognition of specs by their name and first lines: no YAML is parsed, and nothing is raised."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from synnodtest.files import is_lfs_pointer
from synnodtest.spec.source import LIMIT_BYTES
from synnodtest.text_files import head_text

SUFFIXES = (".yaml", ".yml")
KEY = "synnodtest"
LIST = {"behaviours", "behaviors", "behaviour", "behavior"}
"""The key of the behaviours, and how else it is spelt."""
_KEY = re.compile(r"""(?P<quote>["']?)(?P<key>[^\s"':#,{}\[\]]+)(?P=quote)\s*:(?:\s|$)""")
_FLOW_KEY = re.compile(r"""[{,\s](?P<quote>["']?)(?P<key>[\w.-]+)(?P=quote)\s*:""")
_ALIKE = 0.85
"""Similarity from which a top-level key is a slip of ``synnodtest``: ``synodtest`` has 0.95, ``pytest`` 0.63."""


def has_spec_suffix(path: Path) -> bool:
    """Return whether a file is named as YAML, in capitals too."""
    return path.suffix.lower() in SUFFIXES


def is_spec(path: Path) -> bool:
    """Return whether the top level of a YAML file has the key ``synnodtest``, or reads like a spec that lacks it.

    That is ``behaviours`` beside a slip of the key, or ``behaviours`` of which one has expectations of something shown.

    Byte order marks, UTF-16 and UTF-32, leading blanks, comments and an indented document are looked past, so that
    whatever is meant as a spec is loaded, or complained of. What cannot be read is no spec.
    """
    try:
        with Path(path).open("rb") as stream:
            text = head_text(stream.read(LIMIT_BYTES))
    except (OSError, ValueError):
        return False
    keys = {key.casefold() for key in _top_level_keys(text)}
    return KEY in keys or (bool(LIST & keys) and (any(map(_resembles, keys)) or _has_behaviour(text)))


def unread(path: Path) -> str:
    """Return why nobody can tell whether a YAML file is a spec; empty where its content is there to be read."""
    if path.is_symlink() and not path.exists():
        return f"it points to {path.readlink()}, which is not there"
    if not path.is_file():
        return ""
    try:
        return "it stands for a file that Git LFS keeps elsewhere: git lfs pull" if is_lfs_pointer(path) else ""
    except OSError as error:
        return f"it cannot be read: {error.strerror}"


def run_that_keeps(path: Path) -> Path | None:
    """Return the folder of the run whose ``inputs/`` and manifest hold this file, a copy of what was run; else None."""
    above = (folder.parent for folder in path.parents if folder.name == "inputs")
    return next((folder for folder in above if _lists(folder, path)), None)


def _lists(run: Path, path: Path) -> bool:
    """Return whether the manifest of a run has a file, as a JSON text with its quotes."""
    try:
        manifest = (run / "manifest.json").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return json.dumps(path.relative_to(run).as_posix(), ensure_ascii=False) in manifest


def _has_behaviour(text: str) -> bool:
    """Return whether there are expectations, and what they are of."""
    keys = ("expect", "(?:scenes|fuzz|statement|extends)")
    return all(re.search(rf"""(?:^|[-{{,])\s*["']?{key}["']?\s*:""", text, re.MULTILINE) for key in keys)


def _resembles(key: str) -> bool:
    return difflib.SequenceMatcher(None, key, KEY).ratio() >= _ALIKE


def _top_level_keys(text: str) -> Iterator[str]:
    """Yield the keys of lines that are indented as the first line with content is; of JSON and its like every key."""
    indent: str | None = None
    for line in text.splitlines():
        content = line.lstrip(" \t\ufeff\xa0")
        if content.startswith("---"):
            content = content[3:].lstrip()
            line = content
        if not content or content.startswith(("#", "%")):
            continue
        if indent is None and content.startswith("{"):
            yield from (match["key"] for match in _FLOW_KEY.finditer(text))
            return
        own = line[: len(line) - len(content)]
        indent = own if indent is None else indent
        match = _KEY.match(content) if own == indent else None
        if match:
            yield match["key"]
