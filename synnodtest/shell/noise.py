"""Whether a pass that counts hits alone is earned by findings that lie everywhere."""

from __future__ import annotations

from synnodtest.engine.gather import Item
from synnodtest.engine.judgement import Gathered, agree
from synnodtest.evidence.chance import MANY, MOSTLY, mirrored, share_hit, told_of_chance, withheld_for_chance
from synnodtest.evidence.quiet import silenced
from synnodtest.evidence.ruling import Status
from synnodtest.fuzzing import FuzzGathered

__all__ = ["told_from_noise"]


def told_from_noise(gathered: Gathered) -> Gathered:
    """Return gathered evidence with its rulings; a pass that noise earns is withheld, one beside noise says so."""
    if isinstance(gathered, FuzzGathered) or agree(gathered.rulings).status is not Status.PASSED:
        return gathered
    item, parameters = Item(gathered.behaviour, gathered.variant), gathered.variant.parameters
    if not item.kind.hits_alone(item.kind.read(parameters)):
        return gathered
    elsewhere = {name: mirrored(held, item.matching) for name, held in gathered.evidence.items()}
    share, hit = (share_hit(list(held.values())) for held in (elsewhere, gathered.evidence))
    if share <= MANY:
        return gathered

    def noise_passes(name: str) -> bool:
        judged = (item.judge(parameters, held) for held in (elsewhere[name], silenced(gathered.evidence[name])))
        return [ruling.status is Status.PASSED for ruling in judged] == [True, False]

    noisy = share >= MOSTLY * hit and all(noise_passes(name) for name in elsewhere)
    gathered.rulings = {
        name: withheld_for_chance(ruling, share, gathered.evidence[name].operating_point)
        if noisy
        else told_of_chance(ruling, share)
        for name, ruling in gathered.rulings.items()
    }
    return gathered
