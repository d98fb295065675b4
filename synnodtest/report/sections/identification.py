"""Identification: run, device, models and backgrounds."""

from __future__ import annotations

from synnodtest.record.model.run import BackgroundsEntry, IdentityEntry
from synnodtest.record.words import date, plural, value_text
from synnodtest.report.context import Context
from synnodtest.report.model import Section, Table, code


def identification(context: Context) -> Section:
    """Return who and what took part, each with its sha256."""
    who = context.record.identification
    rows = [_component("Detector under test", who.detector)]
    rows += [_component("Synthesizer", s) for s in who.synthesizers]
    rows += [_component(f"Backgrounds, set {b.name}", b.identity, _counts(b)) for b in who.backgrounds]
    specs = [[code(s.file), s.title, code(s.sha256), code(s.file_sha256), date(s.frozen)] for s in who.specs]
    heads = ["File", "Title", "sha256 of the resolved spec", "sha256 of the file", "Frozen"]
    data = {
        "components": Table("Components", ["Component", "Name and version", "sha256", "Configuration"], rows),
        "specs": Table("Specifications", heads, specs),
    }
    return Section("Identification", "identification", data)


def _component(role: str, of: IdentityEntry | None, more: str = "") -> list[object]:
    identity = of or IdentityEntry()
    name = identity.title + (" (demonstration model)" if identity.demonstration else "")
    settings = value_text(identity.configuration)
    return [role, name or "–", code(identity.sha256), "; ".join(t for t in (more, settings) if t) or "–"]


def _counts(of: BackgroundsEntry) -> str:
    patients = f" of {plural(of.patients, 'patient')}" if of.patients else ""
    regions = f", estimated regions: {', '.join(of.estimated_regions)}" if of.estimated_regions else ""
    return "; ".join([f"{plural(of.count, 'background')}{patients}{regions}", *of.notes])
