"""A run's software bill of materials: CycloneDX 1.6 JSON, from the environment and identities of its record."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

from synnodtest.canonical import sha256_of
from synnodtest.decoding import JsonObject
from synnodtest.files import write_atomic
from synnodtest.record.model import Record
from synnodtest.record.model.run import IdentityEntry, PackageEntry

FILE_NAME = "sbom.cdx.json"
_NAMESPACE = uuid.UUID("6f9b6c2e-0a53-5a1e-9a0e-3f6f1f0c7a10")
"""Of serial numbers: one run has one, however often it is written."""


Component = dict[str, Any]
"""A component of the bill: texts, and lists of name and value."""


def bill_of_materials(source: Record | JsonObject) -> JsonObject:
    """Return the bill of a run: what took part, with versions, sources and hashes as the record holds them."""
    record = Record.of(source)
    environment, identification, run = record.environment, record.identification, record.run
    own = _component("application", "synnodtest", identification.synnodtest, reference="synnodtest")
    models = [_model("detector", identification.detector)]
    models += [_model("synthesizer", one) for one in identification.synthesizers]
    platform = [_component("platform", "Python", environment.python or "", reference="python")]
    system = [_component("operating-system", environment.os, "", reference="os")] if environment.os else []
    packages = [_package(one) for one in environment.packages]
    components = list({one["bom-ref"]: one for one in (*models, *platform, *system, *packages)}.values())
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, sha256_of([run.id, components]))}",
        "version": 1,
        "metadata": {"timestamp": run.started, "component": own, "properties": [_property("run", run.id)]},
        "components": components,
        "dependencies": [{"ref": "synnodtest", "dependsOn": sorted(one["bom-ref"] for one in components)}],
    }


def write(record: Record | JsonObject, path: Path) -> Path:
    """Write the bill of a run; ``path`` is the file, or a folder that gets ``sbom.cdx.json``."""
    file = path / FILE_NAME if path.is_dir() else path
    return write_atomic(file, json.dumps(bill_of_materials(record), indent=2, ensure_ascii=False) + "\n")


def _component(kind: str, name: str, version: str, *, reference: str) -> Component:
    component: Component = {"type": kind, "bom-ref": reference, "name": name}
    return component | ({"version": version} if version else {})


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"synnodtest:{name}", "value": value}


def _package(package: PackageEntry) -> Component:
    """Return a package of the Python index, by its package URL."""
    name, version = package.name, package.version
    purl = f"pkg:pypi/{quote(name.lower().replace('_', '-'))}@{quote(version)}"
    component = _component("library", name, version, reference=purl) | {"purl": purl}
    if package.sha256:
        component["properties"] = [_property("record-sha256", package.sha256)]  # no hash of the archive it came in
    return component


def _model(role: str, identity: IdentityEntry) -> Component:
    """Return a detector or synthesizer; its sha256 is that of its weights or source."""
    name, version, sha256 = identity.name, identity.version, identity.sha256
    reference = f"{role}:{sha256_of([name, version, sha256])[:16]}"
    component = _component("machine-learning-model", name, version, reference=reference)
    component["properties"] = [_property("role", role)]
    return component | ({"hashes": [{"alg": "SHA-256", "content": sha256}]} if len(sha256) == 64 else {})
