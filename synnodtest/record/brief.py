"""A run in a few plain lines, for terminals and summaries: the numbers that settle a verdict, what a baseline shows."""

from __future__ import annotations

import math

from synnodtest.counted import joined
from synnodtest.expectations.sentences import beside, limit, signed
from synnodtest.record.model import Comparison, ComponentEntry, RulingEntry
from synnodtest.record.model.run import RunEntry
from synnodtest.record.words import plural
from synnodtest.templates import templates_of


def deciding(ruling: RulingEntry | None) -> list[ComponentEntry]:
    """Return the components of a ruling that must all hold, else its first."""
    components = ruling.components if ruling is not None else ()
    return [c for c in components if c.role == "decides"] or list(components[:1])


def which_of_several(ruling: RulingEntry | None, part: ComponentEntry | None) -> str:
    """Return the label of a component where a ruling rests on several, so that its numbers alone do not say what."""
    if ruling is None or part is None:
        return ""
    several = sum(c.role == "decides" for c in ruling.components) > 1
    return part.label if several or part.role != "decides" else ""


def settling(ruling: RulingEntry | None) -> ComponentEntry | None:
    """Return the first component that has the status of its ruling and has a say in it, else the worst deciding one."""
    if ruling is None:
        return None
    rank = {"FAILED": 0, "INCONCLUSIVE": 1}
    worst = min(deciding(ruling), key=lambda part: rank.get(part.status, 2), default=None)
    return next((p for p in ruling.components if p.role != "shown" and p.status == ruling.status), worst)


def numbers(ruling: RulingEntry | None) -> str:
    """Return the two numbers that settle a verdict, the bound of the estimate and the pre-specified one.

    ``0.88 > 0.80`` for what exceeds its bound, ``0.71 < 0.80`` for what falls short of it, ``0.74 to 0.90, bound 0.80``
    for what is open. Empty where nothing was estimated.
    """
    part = settling(ruling)
    if part is None or part.bound is None:
        return ""
    bound = float(part.bound)
    low = -math.inf if part.lower is None else float(part.lower)
    high = math.inf if part.upper is None else float(part.upper)
    whole = f"{beside(low, bound)} to {beside(high, bound)}"
    if part.side == "within" or ruling is None or ruling.status == "INCONCLUSIVE":
        return f"{whole}, bound {'±' if part.side == 'within' else ''}{limit(bound)}"
    if low > bound:
        return f"{beside(low, bound)} > {limit(bound)}"
    if high < bound:
        return f"{beside(high, bound)} < {limit(bound)}"
    return f"{whole}, bound {limit(bound)}"


def exclusions(ruling: RulingEntry | None) -> list[str]:
    """Return the notes of a ruling that say which scenes are not among those it rests on."""
    notes = ruling.notes if ruling is not None else ()
    return [n for n in notes if n.startswith("not made:") or " excluded scene" in n]


def kind_of_run(run: RunEntry) -> str:
    """Return whether a run confirms anything, in so many words."""
    if run.confirmatory:
        return "confirmatory run: its specifications were frozen before it began, and every expectation of them was run"
    reasons = joined(list(run.exploratory_reasons)) or "no reason is recorded"
    return f"exploratory run, which confirms nothing: {reasons}"


def left_out_whole(run: RunEntry) -> str:
    """Return how many specifications have no expectation that was run; empty where each has one."""
    count, words = len(run.left_out), ("specification was left out whole", "specifications were left out whole")
    return plural(count, *words) if count else ""


def comparison_lines(made: Comparison, name: str) -> list[str]:
    """Return a comparison as lines of text.

    Args:
        made: What :func:`synnodtest.record.compare.compare` returned.
        name: What the later one is called.
    """
    environment = templates_of("synnodtest.record")
    environment.filters |= {"signed": signed, "plural": plural}
    shown = {"made": made, "headline": headline(made, name), "apart": apart_text(made)}
    return environment.get_template("comparison.txt.j2").render(shown).rstrip("\n").split("\n")


def apart_text(made: Comparison) -> str:
    """Return how many nodules are compared within their behaviours alone."""
    told = plural(made.apart, "nodule is", "nodules are")
    return f"{told} not among these: their behaviours hold that some nodules are not found, or searched for such"


def headline(made: Comparison, name: str) -> str:
    """Return ``best.pt against run-3: 2 verdicts differ, 18 do not``."""
    alone = sum("NOT RUN" in (change.before, change.after) for change in made.verdicts)
    parts = [
        plural(len(made.verdicts) - alone, "verdict differs", "verdicts differ"),
        plural(made.unchanged, "does not", "do not"),
        *[plural(alone, "was run in one of them alone", "were run in one of them alone")] * bool(alone),
    ]
    return f"{name} against {made.earlier}: {', '.join(parts)}"
