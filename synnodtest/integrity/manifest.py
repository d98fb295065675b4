"""The manifest: sha256 of every file of a run and one root digest that stands for the evidence.

The report carries the root digest, so the digest cannot cover the report. It covers everything else in the run's
folder: ``results.json``, ``evidence/``, ``inputs/`` and whatever else lies there. The manifest lists ``report.html`` by
its own hash, beside the digest that it must carry. Left out are only ``manifest.json`` itself and its signature.

The root digest is the sha256 of the canonical JSON of ``[[path, sha256], ...]``, sorted by path.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synnodtest.canonical import sha256_of
from synnodtest.decoding import JsonObject
from synnodtest.errors import RecordError
from synnodtest.files import sha256_of_file, sweep, write_atomic

FILE_NAME = "manifest.json"
RECORD = "results.json"
REPORT = "report.html"
SIGNATURE = "manifest.sig.json"
VERSION = 1
"""Version of the manifest, the only one so far; another is refused rather than read by guess."""
_LARGEST_BYTES = 64 * 1024 * 1024
"""Size of a manifest, in bytes, that is read as a whole: at some 150 for each file it holds 400,000."""
_COVERS = f"every file of the folder but {REPORT}, which carries the digest, {FILE_NAME} and {SIGNATURE}"


@dataclass(frozen=True)
class Manifest:
    """Content of a manifest.

    Args:
        root: The root digest.
        files: sha256 of every file that it covers, by path.
        report: sha256 of the report; empty where there is none.
        content: All that it says.
    """

    root: str
    files: Mapping[str, str]
    report: str
    content: JsonObject


def root_digest(folder: Path) -> str:
    """Return the root digest of a run's folder as it stands now."""
    return _root(_hashes(folder))


def write(folder: Path) -> Path:
    """Write ``manifest.json``; call it last, after the report.

    Raises:
        RecordError: the folder holds no ``results.json``.
    """
    if not (folder / RECORD).is_file():
        raise RecordError(f"{folder}: no {RECORD} to vouch for", hint="write the record first")
    content = _content(folder, _hashes(folder))
    return write_atomic(folder / FILE_NAME, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _content(folder: Path, hashes: dict[str, str]) -> JsonObject:
    report = folder / REPORT
    return {
        "synnodtest_manifest": VERSION,
        "root": {"sha256": _root(hashes), "covers": _COVERS},
        "files": [{"path": p, "sha256": h, "bytes": (folder / p).stat().st_size} for p, h in sorted(hashes.items())],
        "report": {"path": REPORT, "sha256": sha256_of_file(report)} if report.is_file() else None,
    }


def verify(folder: Path, *, inputs: Path | None = None) -> list[str]:
    """Return what differs from the manifest, a sentence each that names the file; empty if all is as it was.

    Args:
        folder: The run's folder.
        inputs: Also hold the spec files below this folder against the hashes in the record.

    Raises:
        RecordError: there is no usable manifest.
    """
    manifest = read(folder)
    expected, hashes = manifest.files, _hashes(folder)
    faults = [f"{path}: missing" for path in sorted({RECORD, *expected} - hashes.keys())]
    faults += [f"{path}: not in the manifest" for path in sorted(hashes.keys() - expected.keys())]
    faults += [
        f"{path}: differs (sha256 {hashes[path][:12]}, the manifest says {expected[path][:12]})"
        for path in sorted(expected.keys() & hashes.keys())
        if expected[path] != hashes[path]
    ]
    faults += filter(None, [_list_fault(manifest)])
    faults += _report_faults(folder, manifest)
    if not faults and manifest.content != _content(folder, hashes):
        faults.append(f"{FILE_NAME}: differs from what was written, though not in a hash")
    return faults + (_input_faults(folder, inputs) if inputs else [])


def refuse_changed(path: Path) -> str:
    """Refuse a record that is not as its run wrote it; return a sentence where no manifest beside it can tell.

    Args:
        path: ``results.json``, or its folder.

    Raises:
        RecordError: it was changed, or the manifest cannot be read.
    """
    record = path / RECORD if path.is_dir() else path
    if record.name != RECORD or not (record.parent / FILE_NAME).is_file():
        return f"{record}: no {FILE_NAME} tells whether it is as its run wrote it"
    manifest = read(record.parent)
    fault = _list_fault(manifest)
    if manifest.files.get(RECORD) != sha256_of_file(record) or fault:
        raise RecordError(
            f"{record}: is not as its run wrote it: {fault or f'it differs from {FILE_NAME}'}",
            hint=f"restore the filed copy; or remove {FILE_NAME}, if you vouch for the file as it is now",
        )
    return ""


def read(folder: Path) -> Manifest:
    """Read ``manifest.json``.

    Raises:
        RecordError: it is missing or not a manifest of this version.
    """
    path = folder / FILE_NAME
    hint = "name the folder of a finished run"
    if (folder / RECORD).is_file() and not path.exists():
        hint = f"the run ended before its report was whole; 'synnodtest report {folder}' draws it from {RECORD}"
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise RecordError(f"{path}: too big for a manifest", hint=hint)
        content = json.loads(path.read_bytes())
        root, report = content["root"]["sha256"], content["report"]
        files = {entry["path"]: entry["sha256"] for entry in content["files"]}
        manifest = Manifest(root, files, "" if report is None else report["sha256"], content)
        texts = (root, manifest.report, *files, *files.values())
        usable = content["synnodtest_manifest"] == VERSION and all(isinstance(text, str) for text in texts)
        usable = usable and len(files) == len(content["files"])  # each once
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})", hint=hint) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordError(f"{path}: not a manifest ({error})", hint=hint) from error
    if not usable:
        raise RecordError(f"{path}: not a manifest of version {VERSION}", hint=hint)
    return manifest


def sweep_unfinished(folder: Path) -> None:
    """Remove what killed commands left of the files that are written into a finished run; they would be no part of it.

    The manifest lists none of these, so nothing that it vouches for can go.
    """
    for name in (FILE_NAME, REPORT, SIGNATURE):
        sweep(folder / name)


def _hashes(folder: Path) -> dict[str, str]:
    """Return path -> sha256 of every file that the root digest covers; hidden files are files too."""
    left_out = {FILE_NAME, REPORT, SIGNATURE}
    files = ((p.relative_to(folder).as_posix(), p) for p in folder.rglob("*") if p.is_file())
    return {name: sha256_of_file(path) for name, path in files if name not in left_out}


def _root(hashes: Mapping[str, str]) -> str:
    return sha256_of([[path, hashes[path]] for path in sorted(hashes)])


def _list_fault(manifest: Manifest) -> str:
    """Return why a manifest does not stand for its own list; empty if it does."""
    own = _root(manifest.files) == manifest.root
    return "" if own else f"{FILE_NAME}: its root digest is not the digest of its own list"


def _report_faults(folder: Path, manifest: Manifest) -> list[str]:
    report = folder / REPORT
    if not report.is_file():
        return [f"{REPORT}: missing"] if manifest.report else []
    if not manifest.report:
        return [f"{REPORT}: not in the manifest"]
    faults = []
    if sha256_of_file(report) != manifest.report:
        faults.append(f"{REPORT}: differs from the manifest")
    if manifest.root.encode(errors="replace") not in report.read_bytes():
        faults.append(f"{REPORT}: does not carry the root digest of the manifest")
    return faults


def _input_faults(folder: Path, inputs: Path) -> list[str]:
    faults = []
    try:
        specs = json.loads((folder / RECORD).read_bytes())["identification"]["specs"]
        files: dict[str, str] = {}
        for spec in specs:
            files |= {spec["file"]: spec.get("file_sha256"), **spec.get("included", {})}
        faults += [] if files else [f"{RECORD}: names no spec"]
        for file, sha256 in files.items():
            if not sha256:
                faults.append(f"{file}: the record does not tell its sha256")
            elif not (inputs / file).is_file():
                faults.append(f"{file}: the spec of the run is missing")
            elif sha256_of_file(inputs / file) != sha256:
                faults.append(f"{file}: is not the spec of the run")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        faults.append(f"{RECORD}: does not say which specs the run had ({error})")
    return faults
