"""Check that a pass that counts hits alone is not earned by findings that lie everywhere."""

from __future__ import annotations

from collections.abc import Mapping

from synnodtest.engine.gather import Item
from synnodtest.engine.judgement import Gathered
from synnodtest.evidence.chance import MANY, MOSTLY, mirrored, share_hit, told_of_chance, withheld_for_chance
from synnodtest.evidence.ruling import Status
from synnodtest.evidence.silence import silenced
from synnodtest.evidence.trial import Evidence
from synnodtest.fuzzing import FuzzGathered
from synnodtest.shell.silence_check import with_rulings

SEARCHED = "detected"
"""The claim of a search that counts hits."""


def told_from_noise(gathered: Gathered) -> Gathered:
    """Return gathered evidence with its rulings; a pass that noise earns is withheld, one beside noise says so."""
    item = Item(gathered.behaviour, gathered.variant)
    if gathered.ruling.status is not Status.PASSED or not _counts_hits_alone(item, gathered):
        return gathered
    elsewhere = {name: mirrored(evidence, item.matching) for name, evidence in gathered.evidence.items()}
    share, hit = (share_hit(list(evidence.values())) for evidence in (elsewhere, gathered.evidence))
    if share <= MANY:
        return gathered
    noisy = share >= MOSTLY * hit and _met_by_noise(item, gathered, elsewhere, share)
    rulings = {
        name: withheld_for_chance(ruling, share, gathered.evidence[name].operating_point)
        if noisy
        else told_of_chance(ruling, share)
        for name, ruling in gathered.rulings.items()
    }
    return with_rulings(gathered, rulings)


def _counts_hits_alone(item: Item, gathered: Gathered) -> bool:
    if isinstance(gathered, FuzzGathered):
        return gathered.variant.expectation.kind == SEARCHED
    return item.kind.hits_alone(item.kind.read(gathered.variant.parameters))


def _met_by_noise(item: Item, gathered: Gathered, elsewhere: Mapping[str, Evidence], share: float) -> bool:
    """Return whether findings that hit no nodule meet the expectation, and no findings at all do not."""
    parameters = gathered.variant.parameters
    if isinstance(gathered, FuzzGathered):
        return share >= float(parameters["rate_at_least"])

    def passes(held: Evidence) -> bool:
        return item.judge(parameters, held).status is Status.PASSED

    return all(passes(elsewhere[name]) and not passes(silenced(held)) for name, held in gathered.evidence.items())
