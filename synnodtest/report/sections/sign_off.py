"""Sign-off: the block to be signed."""

from __future__ import annotations

from dataclasses import replace

from synnodtest.record.model.authored import PersonEntry
from synnodtest.report.context import Context
from synnodtest.report.model import Section

_MEANINGS = {
    "author": "I have written this report from the evidence named by the digest.",
    "reviewer": "I have checked the report against the evidence.",
    "approver": "I approve the report for its stated purpose.",
}
"""Meaning of a signature, by role; these three sign in any case."""


def sign_off(context: Context) -> Section:
    """Return the block to be signed; the digest stands for the evidence."""
    named = {p.role.casefold(): p for p in context.record.authored.people}
    signers = []
    for role, meaning in _MEANINGS.items():
        person = named.pop(role, PersonEntry(role, ""))
        signers.append(replace(person, role=role.capitalize(), meaning=person.meaning or meaning))
    return Section("Sign-off", "sign_off", {"people": [*signers, *named.values()]})
