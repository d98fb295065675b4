"""The judge of a sequential run, for kinds that can stop early."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from synnodtest.errors import SynnodError
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.registry import find_check, kinds
from synnodtest.expectations.sequential import sequential_ruling


def sequential_judge(name: str, parameters: Mapping[str, object]) -> Callable[[Mapping[str, object], Evidence], Ruling]:
    """Return the judge of an expectation in a sequential run.

    Raises:
        SynnodError: it cannot stop early, or its bound leaves nothing to show.
    """
    kind = find_check(name)
    stop = None if kind is None else kind.early_stop
    if kind is None or stop is None or not kind.can_stop(parameters):
        what = name if stop is None else f"{name} of {parameters.get('metric')}"
        able = sorted(other.name for other in kinds().values() if other.early_stop is not None)
        raise SynnodError(
            f"'sampling: sequential' is for rates and paired rates, not for {what!r}",
            hint=f"it can stop {', '.join(able)}; give {what!r} a behaviour of its own with fixed n",
        )
    stop.check(name, kind.read(parameters))
    return lambda given, evidence: sequential_ruling(stop, kind.read(given), evidence)
