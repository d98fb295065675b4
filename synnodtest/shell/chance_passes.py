"""Passes that are withheld since findings that lie everywhere earn them: asked where a pass counts hits alone.

Where it ranks findings or images, which false positives speak against, it is asked of the scenes without their nodules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from synnodtest.engine.bare import shown_bare, unplanted
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.judgement import Gathered
from synnodtest.evidence import chance
from synnodtest.evidence.ruling import Status
from synnodtest.evidence.silence import silenced
from synnodtest.evidence.trial import Evidence, Trial, predicate
from synnodtest.expectations.metrics import difference, of_nodule
from synnodtest.expectations.pairing import Compared, is_arm
from synnodtest.fuzzing import FuzzGathered
from synnodtest.matching import Matching
from synnodtest.planning.item import Item
from synnodtest.shell.quiet_passes import with_rulings

SEARCHED = "detected"
"""The claim of a search that counts hits."""


def told_from_noise(campaign: Campaign, gathered: Gathered) -> Gathered:
    """Return gathered evidence with its rulings; a pass that noise earns is withheld, one beside noise says so."""
    item = Item(gathered.behaviour, gathered.variant)
    if gathered.ruling.status is not Status.PASSED:
        return gathered
    if not _counts_hits_alone(item, gathered):
        curve = not isinstance(gathered, FuzzGathered) and item.kind.curve
        return _told_from_bare(campaign, item, gathered) if curve else gathered
    judged = None if isinstance(gathered, FuzzGathered) else item.parameters
    moved = _elsewhere(campaign, gathered, item.matching)
    at_point = _as_often(gathered, moved, judged)
    suspect = _as_loud(item, gathered, moved, judged) | at_point
    met = [where for where in suspect if _met_by_noise(item, gathered, moved[where], suspect[where])]
    for where in met or [where for where in suspect if _no_surer(gathered, moved[where], judged)]:
        rulings = {
            name: chance.withheld_for_chance(ruling, suspect[where], point, where, met=bool(met))
            for name, ruling in gathered.rulings.items()
            for point in [gathered.evidence[name].operating_point if where in at_point else 0.0]
        }
        return with_rulings(gathered, rulings)
    shares = {where: chance.share_hit(list(evidence.values()), judged) for where, evidence in moved.items()}
    most = max(shares, key=lambda where: shares[where])
    if shares[most] <= chance.MANY:
        return gathered
    rulings = {name: chance.told_of_chance(ruling, shares[most], most) for name, ruling in gathered.rulings.items()}
    return with_rulings(gathered, rulings)


def _told_from_bare(campaign: Campaign, item: Item, gathered: Gathered) -> Gathered:
    """Withhold the pass of a curve that what is found in the same scenes without their nodules earns as well.

    It is a place that is marked in every radiograph, or a device that untouched ones lack.
    """
    behaviour, backgrounds = gathered.behaviour, campaign.backgrounds(gathered.behaviour)
    elsewhere = {}
    for name, held in gathered.evidence.items():
        shown = shown_bare(campaign.engine(behaviour, name), backgrounds, held, item.matching).trials
        beside_untouched = (bare if own.nodules else own for own, bare in zip(held.trials, shown, strict=True))
        elsewhere[name] = replace(held, trials=tuple(beside_untouched))
    if not _met_by_noise(item, gathered, elsewhere, 0.0):
        return gathered
    share = chance.share_hit([chance.at_any_score(evidence) for evidence in elsewhere.values()], item.parameters)
    told = partial(chance.withheld_for_chance, share=share, operating_point=0.0, where=chance.BARE)
    return with_rulings(gathered, {name: told(ruling) for name, ruling in gathered.rulings.items()})


def _elsewhere(campaign: Campaign, gathered: Gathered, matching: Matching) -> dict[str, dict[str, Evidence]]:
    """Return by places without a nodule, in words, the evidence had the nodules lain there, by synthesizer."""
    behaviour = gathered.behaviour
    moved: dict[str, dict[str, Evidence]] = {}
    for name, evidence in gathered.evidence.items():
        engine, backgrounds = campaign.engine(behaviour, name), campaign.backgrounds(behaviour)
        for where, there in unplanted(engine, backgrounds, evidence, matching).items():
            moved.setdefault(where, {})[name] = there
    return moved


def _as_often(gathered: Gathered, moved: Mapping[str, Mapping[str, Evidence]], judged: Any) -> dict[str, float]:
    """Return the places that are hit half as often as nodules, with the share: of all, or of a side that is compared.

    The share that is told is the largest of these; places that are hit more often come first.
    """
    shares: dict[str, float] = {}
    for part, counts in _sides(judged):
        hit = _share_hit(gathered.evidence, part, counts)
        for where, elsewhere in moved.items():
            share = _share_hit(elsewhere, part, counts)
            if chance.mostly_chance(share, hit):
                shares[where] = max(share, shares.get(where, 0.0))
    return dict(sorted(shares.items(), key=lambda found: -found[1]))


def _sides(judged: Any) -> Iterator[tuple[Any, Callable[[Trial], bool]]]:
    """Yield what hits are counted of: all; of groups that are compared each; of two arms the one under test alone."""
    yield judged, lambda trial: True
    for group in chance.compared_groups(judged):
        yield replace(judged, strata=(group,)), lambda trial: True
    if isinstance(judged, Compared):
        yield judged, partial(is_arm, judged)


def _share_hit(evidence: Mapping[str, Evidence], judged: Any, counts: Callable[[Trial], bool]) -> float:
    of = [replace(one, trials=tuple(filter(counts, one.trials))) for one in evidence.values()]
    return chance.share_hit(of, judged)


def _as_loud(
    item: Item, gathered: Gathered, moved: Mapping[str, Mapping[str, Evidence]], judged: Any
) -> dict[str, float]:
    """Return the places where findings that hit no nodule are half as loud as those that do, with the share hit.

    Asked where raw scores alone are judged: of many findings that all lie below the operating point a larger nodule is
    hit by more, and so by a louder one.
    """
    if judged is None or not item.kind.threshold_free(judged):
        return {}
    least = chance.MOSTLY * chance.mean_confidence(list(gathered.evidence.values()), judged)
    return {
        where: chance.share_hit([chance.at_any_score(evidence) for evidence in elsewhere.values()], judged)
        for where, elsewhere in moved.items()
        if 0.0 < least <= chance.mean_confidence(list(elsewhere.values()), judged)
    }


def _no_surer(gathered: Gathered, elsewhere: Mapping[str, Evidence], judged: Any) -> bool:
    """Return whether nodules are surely hit neither more often nor louder than places where nothing was planted."""
    if isinstance(gathered, FuzzGathered):
        return False

    def lower(held: Evidence, other: Evidence, metric: str) -> float:
        here, there = (chance.judged_nodules(one.trials, judged) for one in (held, other))
        own, beside = ([of_nodule(metric, nodule, held.operating_point) for _, nodule in one] for one in (here, there))
        return difference(metric, own, beside, [trial.cluster for trial, _ in here], alpha=held.alpha).lower

    return all(
        lower(held, elsewhere[name], metric) <= 0.0
        for name, held in gathered.evidence.items()
        for metric in ("sensitivity", "confidence")
    )


def _counts_hits_alone(item: Item, gathered: Gathered) -> bool:
    if isinstance(gathered, FuzzGathered):
        return gathered.variant.expectation.kind == SEARCHED
    return item.kind.hits_alone(item.parameters)


def _met_by_noise(item: Item, gathered: Gathered, elsewhere: Mapping[str, Evidence], share: float) -> bool:
    """Return whether findings that hit no nodule meet the expectation, and no findings at all do not."""
    parameters = gathered.variant.parameters
    if isinstance(gathered, FuzzGathered):
        return share >= float(parameters["rate_at_least"])

    def passes(held: Evidence) -> bool:
        return item.judge(parameters, held).status is Status.PASSED

    return all(
        any(passes(one) for one in _by_noise(item.parameters, held, elsewhere[name])) and not passes(silenced(held))
        for name, held in gathered.evidence.items()
    )


def _by_noise(parameters: Any, held: Evidence, elsewhere: Evidence) -> Iterator[Evidence]:
    """Yield what noise has to meet: all of it; of two arms the one under test; of groups one, beside what they are."""
    yield elsewhere
    both = list(zip(held.trials, elsewhere.trials, strict=True))
    if isinstance(parameters, Compared):
        yield replace(held, trials=tuple(moved if is_arm(parameters, trial) else trial for trial, moved in both))
    for keep in (predicate(group.where) for group in chance.compared_groups(parameters)):
        yield replace(held, trials=tuple(moved if any(keep(t, n) for n in t.nodules) else t for t, moved in both))
