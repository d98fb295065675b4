"""Detached signature over root digest and report, with a key of the user's: Ed25519 by the package ``cryptography``.

Signed are the lines ``synnodtest root digest <64 hex digits>``, ``report <64 hex digits>`` (the sha256 of
``report.html``, which the root digest leaves out) and ``signed ["who","when"]`` (JSON), each with its newline;
signatures of version 2 lack the last, those of version 1 the last two. The signature stands in ``manifest.sig.json``
beside the manifest, with the public key; whose key that is, no file can say: compare the fingerprint with one got
elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from synnodtest.canonical import canonical_json
from synnodtest.decoding import JsonObject
from synnodtest.errors import RecordError, require, system_faults
from synnodtest.files import sha256_if_there, write_atomic
from synnodtest.integrity import manifest

VERSION = 3
"""Number of lines that are signed."""
KEY_HINT = "give the line of a .pub file, or its fingerprint (SHA256:...)"
_LARGEST_BYTES = 100_000
"""Size of a key or a signature, in bytes: either takes less than a thousand, so that a larger file is another."""


def sign(folder: Path, key_file: Path, *, signer: str = "", password: bytes | None = None) -> Path:
    """Sign root digest and report of a run with an Ed25519 private key (PEM, PKCS#8 or OpenSSH).

    Args:
        folder: The run's folder, with its manifest.
        key_file: The private key, such as ``ssh-keygen -t ed25519`` makes.
        signer: Who signs, as text.
        password: Of the key file, if it has one.

    Raises:
        SynnodError: ``cryptography`` is not installed.
        RecordError: the run does not verify, or the key cannot be used.
    """
    serialization, ed25519, _ = _cryptography()
    manifest.sweep_unfinished(folder)
    faults = manifest.verify(folder)
    if faults:
        raise RecordError(f"{folder}: not signed, it does not verify: {faults[0]}", hint="sign a run as it was written")
    data, hint = _read(key_file), "use an Ed25519 private key, such as: ssh-keygen -t ed25519 -f report_key"
    try:
        load = (
            serialization.load_ssh_private_key
            if b"BEGIN OPENSSH PRIVATE KEY" in data
            else serialization.load_pem_private_key
        )
        key = load(data, password=password)
    except (ValueError, TypeError) as error:
        raise RecordError(f"{key_file}: not a usable private key ({error})", hint=hint) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise RecordError(f"{key_file}: not an Ed25519 key", hint=hint)
    listed = manifest.read(folder)
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    content = {
        "synnodtest_signature": VERSION,
        "algorithm": "Ed25519",
        "root_sha256": listed.root,
        "report_sha256": listed.report,
        "public_key": base64.b64encode(public).decode(),
        "signer": signer,
        "signed": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    content["signature"] = base64.b64encode(key.sign(_message(VERSION, content))).decode()
    return write_atomic(folder / manifest.SIGNATURE, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def verify(folder: Path, public_key: str = "") -> list[str]:
    """Return what is wrong with the signature of a run; empty if it holds.

    Args:
        folder: The run's folder.
        public_key: The expected key, as a line of ``ssh-keygen``'s ``.pub`` file or as base64 of its 32 bytes, or its
            fingerprint, as ``ssh-keygen -l`` prints it; without it any key is accepted.

    Raises:
        SynnodError: ``cryptography`` is not installed.
        RecordError: there is no readable signature, or the expected key is blank.
    """
    if public_key.isspace():
        raise RecordError("the expected public key is blank", hint=KEY_HINT)
    _, ed25519, invalid = _cryptography()
    path = folder / manifest.SIGNATURE
    content = _content(path)
    raw, drawn = content["public_key"], folder / manifest.REPORT
    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise RecordError(f"{path}: not a signature ({error})", hint="sign the run again") from error
    faults = []
    if content["root_sha256"] != manifest.root_digest(folder):
        faults.append(f"{path.name}: signs another root digest than that of the files")
    of_report = content["synnodtest_signature"] > 1
    if of_report and content["report_sha256"] != sha256_if_there(drawn):
        faults.append(f"{path.name}: signs another {manifest.REPORT}")
    if public_key and not _is_of(public_key, raw):
        faults.append(f"{path.name}: made with another key than the expected one")
    try:
        key.verify(content["signature"], _message(content["synnodtest_signature"], content))
    except invalid:
        faults.append(f"{path.name}: the signature does not belong to digest and key")
    return faults


def told(folder: Path) -> str:
    """Return who signed when with which key, as the signature says; whether it holds, :func:`verify` says.

    Raises:
        RecordError: there is no readable signature.
    """
    content = _content(folder / manifest.SIGNATURE)
    version = content["synnodtest_signature"]
    unsigned = " (which are not signed)" if version < 3 else ""
    old = f", of the files without {manifest.REPORT}" if version == 1 else ""
    who = f"{content['signer'] or 'no name'}, {content['signed']}{unsigned}"
    return f"{who}, key {fingerprint(content['public_key'])}{old}"


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_read(path))
        version = content["synnodtest_signature"]
        if version not in range(1, VERSION + 1):
            raise ValueError(f"version {version!r}")
        return {
            "synnodtest_signature": int(version),
            "public_key": base64.b64decode(content["public_key"], validate=True),
            "signature": base64.b64decode(content["signature"], validate=True),
            "root_sha256": str(content["root_sha256"]),
            "report_sha256": str(content.get("report_sha256", "")),
            "signer": str(content.get("signer", "")),
            "signed": str(content.get("signed", "")),
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RecordError(f"{path}: not a signature ({error})", hint="sign the run again") from error


def fingerprint(public_key: bytes) -> str:
    """Return ``SHA256:...`` of a public key (32 bytes), as ``ssh-keygen -l`` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(_of_ssh(public_key)).digest()).decode().rstrip("=")


def _of_ssh(public_key: bytes) -> bytes:
    """Return a public key as OpenSSH writes it: two strings, each after its length (RFC 8709, section 4)."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in (b"ssh-ed25519", public_key))


def names_key(given: str) -> bool:
    """Return whether a text is an Ed25519 public key, in any of the forms that :func:`verify` takes."""
    key = _key_in(given)
    try:
        return key.startswith("SHA256:") or len(base64.b64decode(key, validate=True)) in (32, len(_of_ssh(bytes(32))))
    except ValueError:
        return False


def _key_in(given: str) -> str:
    words = given.split() or [""]
    return words[1] if words[0] == "ssh-ed25519" and len(words) > 1 else words[0]


def _is_of(given: str, public_key: bytes) -> bool:
    key = _key_in(given)
    forms = {base64.b64encode(form).decode() for form in (public_key, _of_ssh(public_key))}
    return key in forms or key == fingerprint(public_key)


def _message(version: int, content: JsonObject) -> bytes:
    """Return what is signed, each version a line more."""
    lines = [f"synnodtest root digest {content['root_sha256']}", f"report {content['report_sha256']}"]
    lines.append(f"signed {canonical_json([content['signer'], content['signed']])}")
    return "".join(f"{line}\n" for line in lines[:version]).encode(errors="replace")


def _read(path: Path) -> bytes:
    with system_faults(path, RecordError, hint="check the path"):
        if path.stat().st_size > _LARGEST_BYTES:
            raise RecordError(f"{path}: too big for a key or signature", hint="check the path")
        return path.read_bytes()


def _cryptography() -> tuple[Any, Any, Any]:
    require("cryptography", "signature", "Signing a report")
    serialization = import_module("cryptography.hazmat.primitives.serialization")
    ed25519 = import_module("cryptography.hazmat.primitives.asymmetric.ed25519")
    exceptions = import_module("cryptography.exceptions")
    return serialization, ed25519, exceptions.InvalidSignature
