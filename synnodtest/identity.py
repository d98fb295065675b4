"""Identity of a synthesizer, detector or background set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from synnodtest.canonical import sha256_of

WRITTEN_BITS = range(8, 17)
"""Depths in which radiographs are written as DICOM."""


def planted_uid(content_sha256: str, bits: int) -> str:
    """Return the SOP Instance UID under which a radiograph of this content is written with so many bits."""
    return f"2.25.{int(sha256_of(['instance', content_sha256, bits])[:32], 16)}"


def instance_key(uid: str) -> str:
    """Return what stands for a DICOM instance: of its SOP Instance UID the sha256 alone."""
    return f"instance {sha256_of(['sop-instance', uid.strip()])}"


@dataclass(frozen=True)
class Identity:
    """Name, version, sha256 of the weights or source, and configuration of one component.

    It goes into every cache key and into the report. ``configuration`` holds plain JSON values only,
    and nothing that leaves the outcome alone (batch size, device, retries).
    """

    name: str
    version: str = ""
    sha256: str = ""
    configuration: Mapping[str, object] = field(default_factory=dict)

    def key(self) -> str:
        """Return the sha256 that stands for this identity in cache keys."""
        return sha256_of(self)

    def as_dict(self) -> dict[str, object]:
        """Return the identity as plain JSON values, for the record."""
        return {**vars(self), "configuration": dict(self.configuration)}


@dataclass(frozen=True)
class DeclaredIdentity(Identity):
    """An identity that somebody's Python code declares, beside the sha256 of that code and the factory's name in it.

    The code is part of its keys, since it may be edited while the declared ``sha256``, of its weights, stays the same,
    and so is the factory, since two in one file may declare the same.
    """

    code: str = ""
    factory: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the identity as plain JSON values, for the record: code and factory stand in its configuration."""
        facts = {"code": self.code, "factory": self.factory}
        known = {name: text for name, text in facts.items() if text}
        return Identity(self.name, self.version, self.sha256, {**self.configuration, **known}).as_dict()
