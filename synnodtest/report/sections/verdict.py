"""The verdict. From this screen a reader decides whether to read on."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from synnodtest.evidence.silence import SILENCE
from synnodtest.record.brief import deciding, exclusions, headline, left_out_whole, settling, which_of_several
from synnodtest.record.limitations import LIMITATION
from synnodtest.record.model import ComponentEntry, ExpectationEntry, Record, RulingEntry
from synnodtest.record.model.authored import LIMITED_COUNT
from synnodtest.record.model.run import SpecEntry
from synnodtest.record.words import bound_text, date, duration, interval, joined, number, plural, value_text
from synnodtest.report.confirmation import Notice, weaknesses
from synnodtest.report.context import Context
from synnodtest.report.figures.canvas import named
from synnodtest.report.figures.strip import domain_of, strip
from synnodtest.report.model import Section
from synnodtest.report.order import anchor_of, number_of
from synnodtest.report.sections.brightness import bright_behaviours

NO_BREAK = "\N{NO-BREAK SPACE}"
_MET_BY_SILENCE = (
    "The detector reported next to nothing in this run, or nothing on a nodule, so that {} prove nothing: "
    "they are met by reporting nothing, and none of them counts as passed."
)
MOST_SHOWN, MOST_OPEN, MOST_CRITERIA, MOST_TITLES = 3, 6, 6, 3
"""Of failures, of open expectations, of criteria and of specs that the first screen names."""


def verdict(context: Context) -> Section:
    """Return the verdict page."""
    record = context.record
    data = {
        "outcome": outcome(context),
        "facts": _facts(context),
        "command": shlex.join(record.run.command),
        "scopes": _scopes(record),
        "limitation": LIMITATION,
        "notices": _notices(context),
        **_failures(context),
        **_open(context),
        "judged": any(e.ruling is not None for e in record.expectations),
        "groups": [
            {"behaviour": b, "rows": [_row(context, e) for e in items]} for b, items in context.grouped() if items
        ],
    }
    return Section("Verdict", "verdict", data)


def outcome(context: Context) -> str:
    """Return the result of the run in one sentence."""
    record, counts = context.record, dict(context.counts)
    name = record.identification.detector.name
    total, failed, settled = sum(counts.values()), counts["FAILED"], counts["PASSED"]
    judged = "pre-specified expectation" if record.run.confirmatory else "expectation"  # else nothing shows it
    if record.run.interrupted:
        return f"The run was interrupted: nothing is concluded about {name}."
    if not total:
        return "No expectation was tested."
    accepted = sum(e.ruled == "FAILED" for e in record.expectations)
    if not (failed or settled or accepted):
        subject = f"none of {total} {judged}s could" if total > 1 else f"the one {judged} could not"
        waived = f"; {plural(counts['WAIVED'], 'is waived', 'are waived')}" if counts["WAIVED"] else ""
        return f"Nothing is shown about {name}: {subject} be settled{waived}."
    share = f"all {total} {judged}s" if settled == total > 1 else _share(failed or settled, total, judged)
    if not (failed or settled):
        waivers = "is a waiver" if accepted == 1 else "are waivers"
        share = f"{_share(accepted, total, judged)}, for which there {waivers}"
        counts |= {"WAIVED": counts["WAIVED"] - accepted}
    told = "; ".join(filter(None, [share, joined(_open_parts(counts)), left_out_whole(record.run)]))
    return f"{name} {'meets' if settled and not failed else 'does not meet'} {told}."


def _share(count: int, total: int, judged: str) -> str:
    return f"the one {judged}" if count == total == 1 else f"{count} of {total} {judged}s"


def _open_parts(counts: Mapping[str, int]) -> list[str]:
    parts = (
        (counts["INCONCLUSIVE"], "is inconclusive", "are inconclusive"),
        (counts["ERROR"] + counts["INVALID"], "could not be tested", "could not be tested"),
        (counts["NOT RUN"], "was not run", "were not run"),
        (counts["WAIVED"], "is waived", "are waived"),
    )
    return [plural(count, one, many) for count, one, many in parts if count]


def _failures(context: Context) -> dict[str, object]:
    """Return failures that nobody waived, of gates that bind, for the first screen, and how many more there are."""
    every = [e for e in context.record.expectations if e.shown_status == "FAILED" and context.gate(e) != "exploratory"]
    more = len(every) - MOST_SHOWN
    return {"binding": every[:MOST_SHOWN], "more_binding": plural(more, "more failure") if more > 0 else ""}


def _open(context: Context) -> dict[str, object]:
    """Return the first expectations that were not settled, and how many more are."""
    words = ("INCONCLUSIVE", "INVALID", "ERROR", "NOT RUN")
    every = [e for e in context.record.expectations if e.shown_status in words]
    left = len(every) - MOST_OPEN
    listed = every if left <= 1 else every[:MOST_OPEN]
    return {"open": listed, "more_open": f"and {left} more" if left > 1 else ""}


def _on_what(record: Record) -> list[str]:
    """Return how many backgrounds and scenes, of which sets, with whose nodules."""
    attrition, who = record.attrition, record.identification
    evaluated = len(record.accepted) if attrition.evaluated is None else attrition.evaluated
    backgrounds, patients = attrition.unique_backgrounds, attrition.unique_patients
    nameless = record.nameless
    word = "background" if nameless or (patients or 0) < (backgrounds or 0) else "independent background"
    head = plural(backgrounds, word) if backgrounds is not None else ""
    head += f" of {plural(patients, 'patient')}" if head and patients else ""
    head += f", {number(nameless)} of them counted by film, as nobody names the patient" if head and nameless else ""
    sets = list(dict.fromkeys(f"{b.name} ({b.source})" for b in who.backgrounds))
    parts = [f"nodules by {joined([s.title for s in who.synthesizers])}"] if who.synthesizers else []
    bare = sum(scene.untouched for scene in record.accepted)
    scenes = [plural(evaluated - bare, "synthetic scene"), *([plural(bare, "untouched radiograph")] if bare else [])]
    return [head, f"set{'s' * (len(sets) > 1)} {joined(sets)}" if sets else "", *scenes, *parts]


def _facts(context: Context) -> list[tuple[str, list[str], str]]:
    """Return what a reader asks first: (question, lines of the answer, where more stands)."""
    record = context.record
    run, who = record.run, record.identification
    device = record.authored.device
    took = f", took {duration(run.seconds)}" if run.seconds is not None else ""
    ran = f"run {date(run.started)}{took}{', by ' + run.user if run.user else ''}"
    of = [f"device {' '.join(value_text(v) for v in device.values())}"] if device else []
    sha = f"sha256 {who.detector.sha256[:12]}…" if who.detector.sha256 else "no sha256"
    return [
        ("What was tested", [who.detector.title, *of, sha], f"#{anchor_of('identification')}"),
        ("Against what", _criteria(context), f"#{anchor_of('protocol')}"),
        ("Fixed when", [*_frozen(who.specs), ran], f"#{anchor_of('protocol')}"),
        ("On what", _on_what(record), f"#{anchor_of('attrition')}"),
        *_baseline(record),
    ]


def _baseline(record: Record) -> list[tuple[str, list[str], str]]:
    """Return how the run stands against its baseline: verdicts, then each metric over all scenes that both have."""
    comparison = record.comparison
    if comparison is None:
        return []
    moved = [
        f"{d.title} {number(d.value, 'difference')} ({interval(d.lower, d.upper, 'difference', bound=0.0)})"
        for d in comparison.differences
        if not d.behaviour and d.value is not None
    ]
    broken = [limit.sentence for limit in comparison.limits if not limit.kept]
    name = record.identification.detector.name
    return [("Against the baseline", [headline(comparison, name), *moved, *broken], f"#{anchor_of('comparison')}")]


def _criteria(context: Context) -> list[str]:
    """Return how many criteria of which specs, and the first of them with their bounds."""
    specs, every = context.record.identification.specs, context.record.expectations
    titles = [s.title or s.file for s in specs]
    of = joined(titles) if len(titles) <= MOST_TITLES else f"{titles[0]} and {len(titles) - 1} more specifications"
    lines = []
    for e in every:
        if e.is_search and e.ruling is not None:  # its components are the examples that it found
            lines.append(f"{context.clear_title(e)}: {e.ruling.criterion}")
            continue
        parts = [" ".join(filter(None, [which_of_several(e.ruling, p), _kept(p)])) for p in deciding(e.ruling)]
        title = context.clear_title(e)
        colon = ":" if len(parts) > 1 or "," in title else ""  # else a condition of the title ran into the bound
        lines += [f"{title}{colon} {joined(parts)}"] if parts else []
    head = f"{plural(len(every), 'criterion', 'criteria')} of {of}" if of else plural(len(every), "criterion")
    if len(lines) <= MOST_CRITERIA:
        return [head, *lines]
    return [head, *lines[: MOST_CRITERIA - 1], f"and {len(lines) - MOST_CRITERIA + 1} more, each with its bound, below"]


def _kept(part: ComponentEntry) -> str:
    """Return the bound of a component as a condition that no line breaks."""
    return bound_text(part).replace(" ", NO_BREAK)


def _frozen(specs: Sequence[SpecEntry]) -> list[str]:
    """Return when the specs were fixed; a spec that was changed afterwards was not fixed."""
    frozen = [s.frozen for s in specs if s.frozen and s.frozen_sha256 in (None, s.sha256)]
    changed = sum(bool(s.frozen) for s in specs) - len(frozen)
    lines = [f"frozen {date(max(frozen))}" if frozen else ""]
    every = "" if len(specs) == 1 else f"{changed} of {len(specs)} specifications "
    lines += [f"{every}changed after freezing" if changed else ""]
    never = len(specs) - len(frozen) - changed
    count = "not" if never == len(specs) else f"{never} of {len(specs)} specifications not"
    return [*lines, f"{count} frozen before the run" if never else ""]


def _scopes(record: Record) -> list[tuple[str, str]]:
    """Return (key, value) of what the specs claim, over all specs."""
    pairs: dict[str, dict[str, None]] = {}
    for spec in record.identification.specs:
        for key, value in spec.scope.items():
            pairs.setdefault(key, {})[value_text(value)] = None
    return [(named(key), "; ".join(texts)) for key, texts in pairs.items()]


def _notices(context: Context) -> list[Notice]:
    """Return what a reader must know before the results."""
    named = ((word, sentence.format(joined(names))) for word, names, sentence in _of_names(context) if names)
    return [*_of_kind(context.record), *weaknesses(context.record), *named]


def _of_kind(record: Record) -> Iterator[Notice]:
    """Yield whether the run ended, and whether it confirms anything."""
    if record.run.interrupted:
        yield "Interrupted", "The run did not finish; what is shown is what had been done by then."
    if record.run.confirmatory:
        sentence = "This run is confirmatory: its specifications were frozen before it began, nothing was changed since"
        broken = sum(e.status == "ERROR" for e in record.expectations)
        but = f"; {plural(broken, 'expectation')} ended in an error and {'says' if broken == 1 else 'say'} nothing"
        yield "Confirmatory", f"{sentence}, and all of them was run{but if broken else ''}."
    else:
        reasons = joined(list(record.run.exploratory_reasons)) or "no reason is recorded"
        yield "Exploratory", f"This run confirms nothing: {reasons}."


def _of_names(context: Context) -> Iterator[tuple[str, list[str], str]]:
    """Yield notices that name things: the word, the names, and the sentence around them; without names none is due."""
    record, who = context.record, context.record.identification
    shipped = [one.name for one in (who.detector, *who.synthesizers) if one.demonstration]
    yield "Demonstration", shipped, "{}: shipped for demonstration, not for any use on patients."
    silent = [e for e in record.expectations if e.ruling is not None and SILENCE in e.ruling.details]
    yield "Silence", list(dict.fromkeys(map(context.clear_title, silent))), _MET_BY_SILENCE
    counts = Counter(d.what for d in record.deviations if d.what != LIMITED_COUNT)  # a limit is told by the kind of run
    differing = [f"{what} ({plural(count, 'time')})" for what, count in counts.items()]
    yield "Deviations", differing, f"{{}}; see section {number_of('deviations')}."
    estimated = sorted({r for b in who.backgrounds for r in b.estimated_regions})
    yield "Estimated regions", estimated, "{} were estimated, not given with the radiographs."
    bright = bright_behaviours(record)
    far = max((one for _, one in bright), key=lambda one: one.contrast, default=None)
    sentence = "most of the nodules are brighter than 95% of annotated nodules of their size"
    more = f"{far.middle_sentence() if far else ''}. See section {number_of('credibility')}."
    yield "Brighter than real nodules", [name for name, _ in bright], f"In {{}} {sentence}: {more}"
    waived = [f"{context.clear_title(e)} ({e.ruled})" for e in record.expectations if e.shown_status == "WAIVED"]
    yield "Waived", waived, f"{{}}; see section {number_of('waivers')}."
    yield "Expired waivers", [w.id for w in record.waivers if w.expired], "No longer in force: {}."


def _held_open(ruling: RulingEntry | None, shown: ComponentEntry | None) -> str:
    """Say that a verdict is open although the estimate that is shown is not."""
    if ruling is None or shown is None or ruling.status != "INCONCLUSIVE" or shown.status == "INCONCLUSIVE":
        return ""
    gates = [part for part in ruling.components if part.role == "gate" and part.status != "PASSED"]
    reasons = [f"{gate.label} not shown to be {_kept(gate)}" for gate in gates]
    excluded = [note for note in exclusions(ruling) if " excluded scene" in note and not note.endswith("PASSED")]
    reasons += excluded if shown.status == "PASSED" else []
    return f"held open: {joined(reasons)}" if reasons else "held open for another reason than its bound"


def _row(context: Context, expectation: ExpectationEntry) -> dict[str, object]:
    """Return an expectation with the component that settles it, its strip, and what its numbers alone do not say."""
    ruling, primary = expectation.ruling, settling(expectation.ruling)
    return {
        "entry": expectation,
        "part": primary,
        "strip": strip(primary, domain_of([primary])) if primary else "",
        "what": "; ".join(filter(None, [which_of_several(ruling, primary), _held_open(ruling, primary)])),
        "also": joined([f"{part.label} {_kept(part)}" for part in deciding(ruling) if part != primary]),
    }
