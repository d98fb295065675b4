"""Several runs of the same specs, in order: what moved, what flipped between seeds, what a new version kept."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from synnodtest.grouping import grouped
from synnodtest.record.model import ComponentEntry


@dataclass(frozen=True)
class RunLine:
    """One run.

    Args:
        id: Of the run; without a record only the ledger knows it.
        started: ISO time.
        version: Detector's name, version and first digits of its sha256; of its settings, where these alone differ.
        seed: Master seed.
        status: ``finished``, ``interrupted`` or ``aborted``.
        counts: Expectations by status word.
        confirmatory: Whether it confirms anything.
    """

    id: str
    started: str
    version: str
    seed: Any
    status: str
    counts: Mapping[str, int]
    confirmatory: bool = False


@dataclass(frozen=True)
class Outcome:
    """Result of one run on one expectation.

    Args:
        run: Place of the run in :attr:`History.runs`.
        status: The status word.
        part: The component that settled it; None without one.
        question: Specs, synthesizers and backgrounds: only where they are equal are two outcomes of one question.
        parts: All components that decide, such as correlation and largest drop of a trend.
        gates: Those that can only withhold a pass, such as the sensitivity of a reference.
    """

    run: int
    status: str
    part: ComponentEntry | None
    question: str
    parts: Sequence[ComponentEntry] = ()
    gates: Sequence[ComponentEntry] = ()

    def estimate_of(self, label: str) -> ComponentEntry | None:
        """Return the component of a label that decides or is a gate; None where this run has none."""
        return next((part for part in (*self.parts, *self.gates) if part.label == label), None)


@dataclass(frozen=True)
class History:
    """Runs, oldest first, and the outcomes of every expectation in them.

    Args:
        runs: All runs, aborted ones too.
        outcomes: By node id, in the order of the runs; what was not run is not among them.
        titles: By node id, in words.
    """

    runs: Sequence[RunLine]
    outcomes: Mapping[str, Sequence[Outcome]]
    titles: Mapping[str, str]

    def newly(self, status: str) -> list[tuple[str, Outcome, Outcome]]:
        """Return ``(node id, before, now)`` of what has a status in its last run and had another in the one before."""
        return [(node, before, now) for node, before, now in self._last() if now.status == status != before.status]

    def unsettled(self) -> list[tuple[str, Outcome, Outcome]]:
        """Return the same of what passed in the run before and in its last neither passes nor fails."""
        settled = ("PASSED", "FAILED")
        return [row for row in self._last() if row[1].status == "PASSED" and row[2].status not in settled]

    def _last(self) -> list[tuple[str, Outcome, Outcome]]:
        return [(node, some[-2], some[-1]) for node, some in self.outcomes.items() if len(some) > 1]

    @staticmethod
    def told_by(before: Outcome, now: Outcome) -> tuple[ComponentEntry | None, ComponentEntry | None]:
        """Return the estimate that tells a step of verdicts, in both runs: what settled the one that is no pass.

        None for a run that has no such estimate: another one in its place would look like a change of this.
        """
        settled = before.part if now.status == "PASSED" else now.part
        if settled is None:
            return before.part, now.part
        return before.estimate_of(settled.label), now.estimate_of(settled.label)

    def which(self, node: str, *parts: ComponentEntry | None) -> str:
        """Return the label of an estimate where an expectation has others, so that its numbers do not say what."""
        label = next((part.label for part in parts if part is not None), "")
        return "" if self.labels(node) == [label] else label

    def labels(self, node: str) -> list[str]:
        """Return the labels of the deciding components of an expectation, in the order in which they first occur."""
        return list(dict.fromkeys(part.label for outcome in self.outcomes[node] for part in outcome.parts))

    def moved(self) -> list[tuple[str, ComponentEntry, ComponentEntry]]:
        """Return ``(node id, before, now)`` of estimates whose interval lies apart from that in the run before.

        Both runs answer one question: specs, synthesizers and backgrounds are the same.
        """
        moves = []
        for node, series in self.outcomes.items():
            if len(series) < 2 or series[-2].question != series[-1].question:
                continue
            for now in series[-1].parts:
                before = series[-2].estimate_of(now.label)
                if before is not None and _apart(before, now):
                    moves.append((node, before, now))
        return moves

    def flips(self) -> list[tuple[str, str, dict[str, int]]]:
        """Return ``(node id, version, runs by status)`` where one version got several verdicts on one question.

        Only the seed differs between these runs, so that the difference is one of the draw and not of the detector.
        """
        flips = []
        for node, series in self.outcomes.items():
            groups = grouped(((self.runs[one.run].version, one.question), one) for one in series)
            for (version, _), some in groups.items():
                counts = Counter(one.status for one in some)
                if len(counts) > 1 and len({self.runs[one.run].seed for one in some}) > 1:
                    flips.append((node, version, dict(counts)))
        return flips

    def versions(self) -> list[str]:
        """Return the versions of the detector, in the order of their first runs."""
        return list(dict.fromkeys(run.version for run in self.runs if run.counts))

    def last_of(self, node: str, version: str) -> Outcome | None:
        """Return the last outcome of an expectation under a version."""
        return next((o for o in reversed(self.outcomes[node]) if self.runs[o.run].version == version), None)

    def _passed(self, version: str) -> dict[str, Outcome]:
        return {n: o for n in self.outcomes if (o := self.last_of(n, version)) and o.status == "PASSED"}

    def kept(self) -> list[tuple[str, str, list[str], int]]:
        """Return ``(version before, version, lost node ids, how many passed before)`` for each step of versions."""
        kept_ones = []
        for before, now in pairwise(self.versions()):
            judged = {n: o for n in self._passed(before) if (o := self.last_of(n, now)) is not None}
            kept_ones.append((before, now, [n for n, o in judged.items() if o.status != "PASSED"], len(judged)))
        return kept_ones

    def apart(self, before: str, now: str) -> str:
        """Return what passed under a version and another was not asked, or was asked otherwise; empty for none."""
        again = [(one, self.last_of(node, now)) for node, one in self._passed(before).items()]
        unrun = sum(later is None for _, later in again)
        other = sum(later is not None and later.question != one.question for one, later in again)
        parts = [f"{unrun} more that passed not run again"] * bool(unrun)
        parts += [f"{other} of them with another specification, synthesizer or backgrounds"] * bool(other)
        return "".join(f"; {one}" for one in parts)


def _apart(before: ComponentEntry, now: ComponentEntry) -> bool:
    ends = (before.lower, before.upper, now.lower, now.upper)
    low, high, lower, upper = (math.nan if end is None else float(end) for end in ends)
    return upper < low or lower > high
