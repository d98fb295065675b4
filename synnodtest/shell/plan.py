"""``synnodtest plan`` and ``--synnod-plan``: what every item costs and can show, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from synnodtest.counted import counted
from synnodtest.engine.throughput import measured
from synnodtest.errors import SynnodError
from synnodtest.expectations.power import Forecast
from synnodtest.forecast.power import forecast, with_count
from synnodtest.fuzzing import most_scenes
from synnodtest.planning.cases import Case
from synnodtest.ports import BackgroundSet
from synnodtest.shell.chance_passes import SEARCHED
from synnodtest.shell.run import Run
from synnodtest.spec.model import Behaviour

_ROW = "{:>7} {:>7} {:>8} {:>6} {:>6} {:>6}  {}".format
HEAD = _ROW("scenes", "cached", "minutes", "units", "power", "least", "item")


def plan_lines(run: Run, cases: Iterable[Case]) -> Iterator[str]:
    """Yield the plan as lines of a table, a warning below the item that can only end INCONCLUSIVE."""
    yield HEAD
    total, bare = 0.0, 0
    unknown = False
    for case in cases:
        try:
            line, minutes, notes = _line(run, case)
            bare += _most_bare(run, case)
        except SynnodError as error:
            yield _ROW(*[""] * 6, case.node_id)
            yield f"    INVALID {error}"
            continue
        yield line
        yield from (f"    {note}" for note in notes)
        unknown |= minutes is None
        total += minutes or 0.0
    yield _time(total, unknown)
    if bare:
        yield (
            f"passes by hits alone are held against pictures without nodules: {bare} more for the detector at most, "
            "beyond these minutes and any time_budget"
        )
    yield "units: nodules or images that are judged; least: backgrounds below which PASSED is impossible"


def _time(minutes: float, unknown: bool) -> str:
    if unknown and not minutes:
        return "minutes: not known before a first run of this detector and synthesizer on this machine"
    more = ", and the items with '?', never measured here" if unknown else ""
    text = f"about {minutes:.1f} minutes of synthesizer and detector{more}"
    return f"{text}; making or reading backgrounds comes on top, items that share scenes take less together"


def _line(run: Run, case: Case) -> tuple[str, float | None, list[str]]:
    if case.behaviour.fuzz is not None:
        return _search_line(run, case)
    behaviour, campaign = run.behaviour(case), run.campaign
    scenes, done = campaign.cost(behaviour, case.variant)
    ahead = forecast(behaviour, case.variant, campaign.backgrounds(behaviour), run.settings.seed)
    minutes = _minutes(run, campaign.synthesizer_names(behaviour)[0], scenes - done)
    power = "" if ahead.power is None else f"{ahead.power:.2f}"
    text = _ROW(scenes, done, _shown(minutes), ahead.units, power, ahead.smallest or "", case.node_id)
    unsaid = ", ".join(f"{name}: .." for name in ahead.unsaid)
    ask = f"; say what you expect with sampling: {{assume: {{{unsaid}}}}}" if unsaid else ""
    notes = [f"power for {ahead.assumption}{ask}"] if ahead.assumption else []
    notes += _needed(ahead, behaviour, campaign.background_set(behaviour), _asked_for(case.behaviour, behaviour))
    if case.behaviour.scenes is not None and case.behaviour.scenes.count == "auto" and ahead.needed is None:
        count = _asked_for(case.behaviour, behaviour)
        notes.append(f"count: auto took {count}: no formula plans this, so what is assumed has no say in it")
    if ahead.warning:
        notes.append(f"WARNING can only end INCONCLUSIVE: {ahead.warning}")
    return text, minutes, notes


def _needed(made: Forecast, behaviour: Behaviour, there: BackgroundSet, asked_for: int) -> Iterator[str]:
    """Yield how many backgrounds the planned power takes, and where the folder holds fewer than needed or asked for."""
    holds = getattr(there, "available", None)
    few = holds is not None and holds < max(made.needed or 0, asked_for)
    short = f"; your folder holds {holds}" if few else ""
    if made.needed is not None:
        yield f"{counted(made.needed, 'background')} for power {behaviour.sampling.power:g}{short}"
    if holds is not None and holds < asked_for:
        limited = int(behaviour.scenes.count) if behaviour.scenes is not None else holds
        count = min(holds, limited)
        asked = counted(asked_for, "background is", "backgrounds are")
        yield f"WARNING {asked} asked for, and the folder holds {holds}: planned with {count}"


def _asked_for(behaviour: Behaviour, used: Behaviour) -> int:
    """Return the backgrounds that the spec asks for, an ``auto`` resolved, whatever the run is limited to."""
    scenes = with_count(behaviour).scenes if used.scenes is not None else None
    return int(scenes.count) if scenes is not None else 0


_NOT_COUNTED = (
    "a search with one counterexample: where much fails, easing the examples, further candidates and second looks take "
    "many times as many; fuzz: {time_budget: ..} limits them"
)


def _search_line(run: Run, case: Case) -> tuple[str, float | None, list[str]]:
    """Return the line of a search as it is without shrinking and second looks, which hang on what is found."""
    scenes = most_scenes(case.behaviour, case.variant)
    minutes = _minutes(run, run.campaign.synthesizer_names(case.behaviour)[0], scenes)
    budget = case.behaviour.fuzz.time_budget_s if case.behaviour.fuzz is not None else None
    if budget is not None:
        minutes = budget / 60 if minutes is None else min(minutes, budget / 60)
    return _ROW(scenes, "", _shown(minutes), "", "", "", case.node_id), minutes, [_NOT_COUNTED]


def _most_bare(run: Run, case: Case) -> int:
    """Return how many pictures without nodules the detector is shown at most, where an item passes by hits alone."""
    if case.behaviour.fuzz is None:
        return run.campaign.most_bare(run.behaviour(case), case.variant)
    return most_scenes(case.behaviour, case.variant) if case.variant.expectation.kind == SEARCHED else 0


def _shown(minutes: float | None) -> str:
    return "?" if minutes is None else f"{minutes:.1f}"


def _minutes(run: Run, synthesizer: str, scenes: int) -> float | None:
    if scenes == 0:
        return 0.0
    campaign = run.campaign
    per_scene, per_image = measured(
        run.settings.cache, campaign.synthesizer(synthesizer).identity.key(), campaign.providers.detector.identity.key()
    )
    if per_scene is None or per_image is None:
        return None
    return scenes * (per_scene + per_image) / 60
