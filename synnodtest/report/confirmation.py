"""Weaknesses of a confirmation, as notices of the first screen and of the terminal: other runs, what was not run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synnodtest.record.model import Record
from synnodtest.record.model.run import LedgerEntry, contents_of
from synnodtest.record.words import joined, plural
from synnodtest.report.order import number_of

Notice = tuple[str, str]
"""Word and sentence."""
_NAMED = 3
"""Files that a notice names; the others are counted."""


def weaknesses(record: Record) -> Iterator[Notice]:
    """Yield what weakens a confirmation: specifications that were frozen and not run, other runs of the same ones.

    Whatever the ledger holds when a run ends began before that, whatever the clock says.
    """
    if not record.run.confirmatory:
        return
    yield from _of_unrun(record.run.frozen_unrun)
    specs = {spec.sha256 for spec in record.identification.specs}
    others = [entry for entry in record.ledger if entry.run != record.run.id]
    yield from _of_other_versions(record, [entry for entry in others if entry.spec_sha256 not in specs])
    yield from _of_other_choices(record, [entry for entry in others if entry.spec_sha256 in specs])


def _of_unrun(files: Sequence[str]) -> Iterator[Notice]:
    """Yield which specifications are frozen and have no verdict here: what was left out may have failed elsewhere."""
    if files:
        more = [plural(len(files) - _NAMED, "more specification")] if len(files) > _NAMED else []
        yield "Frozen and not run", f"{joined([*files[:_NAMED], *more])}; nothing is said of what stands there."


def _of_other_versions(record: Record, others: Sequence[LedgerEntry]) -> Iterator[Notice]:
    """Yield how many runs of other versions looked at the same radiographs."""
    drawn = str(record.run.seed), record.run.options.get("backgrounds", "")
    count = len({entry.run for entry in others if (str(entry.seed), entry.backgrounds) == drawn})
    if count:
        yield (
            "Other versions",
            f"{plural(count, 'run')} of other versions of these specifications had this seed and these "
            "backgrounds: what was changed after a look at radiographs is not confirmed on the same ones. They are "
            f"listed in section {number_of('protocol')} of the report.",
        )


def _of_other_choices(record: Record, others: Sequence[LedgerEntry]) -> Iterator[Notice]:
    """Yield how many runs of these versions chose otherwise: one of many passes by chance."""
    run, films = record.run, contents_of(record.identification.backgrounds)
    backgrounds, synthesizer = (run.options.get(name, "") for name in ("backgrounds", "synthesizer"))
    chosen = {
        "seeds": {entry.run for entry in others if str(entry.seed) != str(run.seed)},
        "backgrounds": {
            entry.run
            for entry in others
            if entry.backgrounds not in (None, backgrounds)
            or any(_unlike(films.get(name, told), told) for name, told in entry.contents.items())
        },
        "synthesizers": {entry.run for entry in others if entry.synthesizer not in (None, synthesizer)},
    }
    count, what = len(set().union(*chosen.values())), joined([what for what, runs in chosen.items() if runs])
    if count:
        yield (
            f"Other {what}",
            f"{plural(count, 'run')} of these specifications began before this one ended, with other {what}: of "
            "many draws one passes by chance, and what confirms is the first. They are listed in section "
            f"{number_of('protocol')} of the report.",
        )


def _unlike(films: str, others: str) -> bool:
    """Return whether two runs had other films of a set: not where one merely came to fewer behaviours."""
    here, there = set(films.split()), set(others.split())
    return not (here <= there or there <= here)
