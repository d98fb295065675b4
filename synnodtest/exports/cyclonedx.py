"""A run's software bill of materials: CycloneDX 1.6 JSON, from the environment and identities of its record."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from synnodtest.canonical import sha256_of
from synnodtest.files import write_atomic

__all__ = ["bill_of_materials", "write"]

FILE_NAME = "sbom.cdx.json"
_NAMESPACE = uuid.UUID("6f9b6c2e-0a53-5a1e-9a0e-3f6f1f0c7a10")
"""Of serial numbers: one run has one, however often it is written."""
_RECORD_HASH = "synnodtest:record-sha256"
"""Property of a package: the sha256 of its installed RECORD, which is no hash of the archive it came in."""


def bill_of_materials(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bill of a run: what took part, with versions, sources and hashes as the record holds them."""
    environment, identification, run = record["environment"], record["identification"], record["run"]
    own = _component("application", "synnodtest", str(identification["synnodtest"]), reference="synnodtest")
    models = [_model("detector", identification["detector"])]
    models += [_model("synthesizer", one) for one in identification["synthesizers"]]
    platform = [_component("platform", "Python", str(environment.get("python", "")), reference="python")]
    system = (
        [_component("operating-system", str(environment["os"]), "", reference="os")] if environment.get("os") else []
    )
    packages = [_package(one) for one in environment.get("packages") or []]
    components = list({one["bom-ref"]: one for one in (*models, *platform, *system, *packages)}.values())
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, sha256_of([run['id'], components]))}",
        "version": 1,
        "metadata": {
            "timestamp": run["started"],
            "component": own,
            "properties": [{"name": "synnodtest:run", "value": str(run["id"])}],
        },
        "components": components,
        "dependencies": [{"ref": "synnodtest", "dependsOn": sorted(one["bom-ref"] for one in components)}],
    }


def write(record: Mapping[str, Any], path: Path) -> Path:
    """Write the bill of a run; ``path`` is the file, or a folder that gets ``sbom.cdx.json``."""
    file = path / FILE_NAME if path.is_dir() else path
    return write_atomic(file, json.dumps(bill_of_materials(record), indent=2, ensure_ascii=False) + "\n")


def _component(kind: str, name: str, version: str, *, reference: str) -> dict[str, Any]:
    component = {"type": kind, "bom-ref": reference, "name": name}
    return component | ({"version": version} if version else {})


def _package(package: Mapping[str, Any]) -> dict[str, Any]:
    """Return a package of the Python index, by its package URL."""
    name, version = str(package["name"]), str(package["version"])
    purl = f"pkg:pypi/{quote(name.lower().replace('_', '-'))}@{quote(version)}"
    component = _component("library", name, version, reference=purl) | {"purl": purl}
    told = str(package.get("sha256") or "")
    return component | ({"properties": [{"name": _RECORD_HASH, "value": told}]} if told else {})


def _model(role: str, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return a detector or synthesizer; its sha256 is that of its weights or source."""
    name, version, told = (str(identity.get(key) or "") for key in ("name", "version", "sha256"))
    reference = f"{role}:{sha256_of([name, version, told])[:16]}"
    component = _component("machine-learning-model", name, version, reference=reference)
    component["properties"] = [{"name": "synnodtest:role", "value": role}]
    return component | ({"hashes": [{"alg": "SHA-256", "content": told}]} if len(told) == 64 else {})
