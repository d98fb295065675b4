"""Output of ``--synnod-profile``, and the planned time beside the time taken."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from synnodtest.counted import counted
from synnodtest.shell.progress import left
from synnodtest.stages import Stages


def profile_lines(stages: Stages, elapsed: float, workers: int = 0) -> Iterator[str]:
    """Yield the stages as lines of a table, the longest first.

    Args:
        stages: Of this process; with ``workers``, of all of them together.
        elapsed: Seconds of the run so far.
        workers: Processes that shared the work; 0 for this one alone.
    """
    table = stages.as_dict()
    named = sum(seconds for seconds, _ in table.values())
    yield f"{'seconds':>9} {'share':>6} {'calls':>8}  stage"
    for name, (seconds, calls) in sorted(table.items(), key=lambda one: -one[1][0]):
        yield f"{seconds:>9.2f} {seconds / max(named, elapsed):>6.1%} {calls:>8.0f}  {name}"
    if not workers:
        rest = max(elapsed - named, 0.0)
        yield f"{rest:>9.2f} {rest / max(named, elapsed):>6.1%} {'':>8}  pytest, imports and all else"
    yield (
        f"{elapsed:>9.2f}"
        + f" seconds elapsed; {time.process_time():.2f} of processor time in this process"
        + (f", {workers} workers beside it" if workers else "")
    )


def taken_line(tally: Mapping[str, float], earlier: tuple[float | None, float | None], seconds: float) -> str:
    """Return how much was done in which time, beside what the speed of earlier runs promised; empty if nothing was.

    Args:
        tally: What the engines did.
        earlier: Seconds per synthesized scene and per inferred radiograph, as measured before this run.
        seconds: That the run took.
    """
    synthesized, inferred = tally.get("synthesized", 0), tally.get("inferred", 0)
    if not synthesized and not inferred:
        return ""
    text = f"{counted(round(synthesized), 'scene')} synthesized and {counted(round(inferred), 'radiograph')} inferred"
    text += f" in {left(seconds)}, those of searches and controls included"
    if all(rate is not None for rate, count in zip(earlier, (synthesized, inferred), strict=True) if count):
        planned = sum((rate or 0.0) * count for rate, count in zip(earlier, (synthesized, inferred), strict=True))
        remark = "; at the speed of earlier runs synthesizer and detector alone were planned to take"
        text += f"{remark} {left(planned)}" if planned >= 1 else ""
    return text
