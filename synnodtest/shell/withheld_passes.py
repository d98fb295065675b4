"""Passes that are withheld: earned by reporting nothing, or by findings that lie everywhere.

Whether the detector of a run finds anything is asked only where an expectation is passed by reporting nothing;
whether noise would hit as often, only where a pass counts hits alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

from synnodtest.detectors.recorded import recorded_in
from synnodtest.engine.bare import shown_bare
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.gather import Item
from synnodtest.engine.judgement import Gathered
from synnodtest.evidence import chance
from synnodtest.evidence.conditions import holds
from synnodtest.evidence.ruling import Ruling, Status
from synnodtest.evidence.silence import Reported, loudest, on_nodules, reported_on, silenced, withheld
from synnodtest.evidence.trial import Evidence, Trial, predicate
from synnodtest.expectations.language import Selection
from synnodtest.expectations.metrics import difference, of_nodule
from synnodtest.expectations.pairing import Compared, is_arm
from synnodtest.expectations.rates import where_phrase
from synnodtest.expectations.registry import find_claim
from synnodtest.fuzzing import FuzzGathered, on_set, plant
from synnodtest.grouping import grouped
from synnodtest.matching import Matching
from synnodtest.planning.example import Example
from synnodtest.scene import Perturbation
from synnodtest.shell.reacts_to_edit import refuse_edits
from synnodtest.spec.model import Behaviour

PROBES = tuple(
    Example.of({"diameter_mm": diameter, "contrast": contrast})
    for diameter in (16.0, 22.0, 28.0)
    for contrast in (0.4, 0.55, 0.7, 0.85)
)
"""Conspicuous nodules, large and dense: a detector that reports one of a dozen is not silent."""
QUIET_SEARCHES = ("silent", "invariant", "not_lower", "no_reversal")
"""Claims of a search that a detector without findings meets, beside those that ask for quiet alone."""
CONSPICUOUS = "conspicuous nodules, planted to find out"
CONTROLS = {chance.MIRRORED: chance.mirrored, chance.EXCHANGED: chance.exchanged}
"""Places without a nodule, in words, and the evidence as it would be had the nodules lain there."""
SEARCHED = "detected"
"""The claim of a search that counts hits."""


Group = tuple[str, tuple[str, ...], str]
"""Pictures that a detector may be dead on as a whole: their background set, their perturbations (with their strengths
where these are not drawn), and what is asked of their films, in words."""
Look = tuple[int, tuple[Perturbation, ...]]
"""A film, by its number in its set, and its perturbations."""


class SilenceCheck:
    """Findings that the detector of one run has reported so far, by group."""

    def __init__(self) -> None:
        self._scores: dict[Group, dict[str, float]] = {}
        self._hits: dict[Group, dict[str, float]] = {}
        self._probes: dict[tuple[Group, float, Matching, str], tuple[Reported, str]] = {}

    def checked(self, campaign: Campaign, gathered: Gathered) -> Gathered:
        """Return the evidence with its rulings; a pass of a detector that found next to nothing is withheld.

        Args:
            campaign: Detector, synthesizer and backgrounds of the run.
            gathered: What an item gathered; its own pictures are remembered for the items to come.
        """
        point = next((held.operating_point for held in gathered.evidence.values()), gathered.variant.operating_point)
        groups = _groups(campaign, gathered)
        told = {group: self._told(group, trials, point) for group, trials in groups.items()}
        unsure = [group for group, sides in told.items() if any(all(one.silent for one in side) for side in sides)]
        if gathered.ruling.status is not Status.PASSED or not unsure or not _met_by_silence(gathered):
            return gathered
        for group in unsure:
            tallies, hits = told[group]
            speaks = not all(one.silent for one in tallies)
            if speaks and recorded_in(campaign.providers.detector):
                continue
            probe, why = self._probed(campaign, gathered, point, group, groups[group])
            if probe.reported or (not probe.pictures and (speaks or self._speaks(point))):
                continue
            every, where = [*(hits if speaks else tallies), probe], self._where(group)
            rulings = gathered.rulings.items()
            return _with_rulings(gathered, {n: withheld(r, every, point, why, where, blind=speaks) for n, r in rulings})
        return gathered

    def _told(self, group: Group, trials: Sequence[Trial], point: float) -> tuple[list[Reported], list[Reported]]:
        """Return on how many pictures of a group something was reported, and on how many nodules of it."""
        known = self._scores.setdefault(group, {}), self._hits.setdefault(group, {})
        return _tallied(loudest(trials), known[0], point), _tallied(on_nodules(trials), known[1], point)

    def _speaks(self, point: float) -> bool:
        every = {key: score for known in self._scores.values() for key, score in known.items()}
        return not reported_on("", every, point).silent

    def _where(self, group: Group) -> str:
        """Return which pictures of a run a group is, in words; nothing where the run has no others."""
        name, changes, films = group
        of_set = f" on the set {name!r}" if len({other for other, *_ in self._scores}) > 1 else ""
        return f"{of_set}{films} under {', '.join(changes)}" if changes else f"{of_set}{films}"

    def _probed(
        self, campaign: Campaign, gathered: Gathered, point: float, group: Group, trials: Sequence[Trial]
    ) -> tuple[Reported, str]:
        """Return on how many conspicuous nodules in the group's own backgrounds the detector reports something."""
        matching = Item(gathered.behaviour, gathered.variant).matching
        key = (group, point, matching, next(iter(gathered.behaviour.synthesizers), ""))
        if key not in self._probes:
            looks = _looks(campaign, gathered.behaviour, trials) if any(group[1:]) else ()
            name = group[0] or _set_of(gathered.behaviour)
            self._probes[key] = reported_of_conspicuous(campaign, name, *key[1:], looks)
        return self._probes[key]


def _looks(campaign: Campaign, behaviour: Behaviour, trials: Sequence[Trial]) -> list[Look]:
    """Return the films of trials and their perturbations, each pair once."""
    numbers = {background.id: number for number, background in enumerate(campaign.backgrounds(behaviour))}
    return list(dict.fromkeys((numbers[trial.background], trial.scene.perturbations) for trial in trials))


def _set_of(behaviour: Behaviour) -> str:
    return behaviour.scenes.set if behaviour.scenes else behaviour.fuzz.set if behaviour.fuzz else "normal"


def _groups(campaign: Campaign, gathered: Gathered) -> dict[Group, list[Trial]]:
    """Return the trials of an item by what a detector may be dead on; of a record, which is asked nothing, as one."""
    trials = [trial for held in gathered.evidence.values() for trial in held.trials]
    if recorded_in(campaign.providers.detector):
        return {("", (), ""): trials}
    known = {name for trial in trials for name in trial.strata}
    of_films = {name: c for name, c in (gathered.variant.parameters.get("where") or {}).items() if name in known}
    name, words = _set_of(gathered.behaviour), where_phrase(Selection(where=of_films))
    every = grouped((trial.arm, trial.scene.perturbations) for trial in trials)
    changes = {arm: () if isinstance(gathered, FuzzGathered) else _changes(given) for arm, given in every.items()}
    chosen = [t for t in trials if all(holds(t.strata.get(asked), c) for asked, c in of_films.items())]
    return grouped(((name, changes[t.arm], words), t) for t in chosen) or {(name, (), words): []}


def _changes(given: Sequence[tuple[Perturbation, ...]]) -> tuple[str, ...]:
    """Return the perturbations of an arm's scenes in words: what is deaf to a strong one may hear under a weak one."""
    fixed = len(set(given)) == 1
    told = {f"{one.kind} {one.value}" if fixed else one.kind for changes in given for one in changes}
    return tuple(sorted(told))


def _tallied(own: dict[str, float], known: dict[str, float], point: float) -> list[Reported]:
    """Return on how many pictures of an item, and of those known before, something was reported; know these too."""
    others = {key: score for key, score in known.items() if key not in own}
    known |= own
    return [reported_on("this expectation", own, point), reported_on("other expectations so far", others, point)]


def quiet_search(kind: str) -> bool:
    """Return whether a detector without findings meets what a search claims."""
    claim = find_claim(kind)
    return kind in QUIET_SEARCHES or (claim is not None and claim.passes_in_silence)


def reported_of_conspicuous(
    campaign: Campaign,
    set_name: str,
    point: float,
    matching: Matching,
    synthesizer: str = "",
    looks: Sequence[Look] = (),
) -> tuple[Reported, str]:
    """Return on how many conspicuous nodules a detector reports something, and why none could be planted, if so.

    Args:
        campaign: Detector, synthesizer and backgrounds.
        set_name: Of the backgrounds.
        point: The operating point.
        matching: The localization criterion.
        synthesizer: By its name; empty for that of the run.
        looks: Films and perturbations, which take turns; where there are none, the set's first films as they are.

    Raises:
        InvalidEvidence: the detector reacts to the edit.
    """
    if recorded := recorded_in(campaign.providers.detector):
        pictures, reported = recorded.reported(point)
        return Reported("all that was recorded", pictures, reported), ""
    name, trials, why = synthesizer or campaign.providers.default_synthesizer, [], ""
    looks = looks[: len(PROBES)] or [(number, ()) for number in range(len(PROBES))]
    films = on_set(set_name, 1 + max(number for number, _ in looks))
    for example, (number, change) in zip(PROBES, cycle(looks), strict=False):
        trial, reason = plant(campaign, example, films, number, matching, name, change)
        if trial is None:
            why = reason
        else:
            trials.append(trial)
    refuse_edits(campaign, films, name, trials, matching)
    return reported_on(CONSPICUOUS, on_nodules(trials), point), "" if trials else why


def _met_by_silence(gathered: Gathered) -> bool:
    """Return whether a detector that reports nothing on the same pictures meets the expectation too."""
    if isinstance(gathered, FuzzGathered):
        return quiet_search(gathered.variant.expectation.kind)
    judge, parameters = Item(gathered.behaviour, gathered.variant).judge, gathered.variant.parameters
    return all(judge(parameters, silenced(evidence)).status is Status.PASSED for evidence in gathered.evidence.values())


def _with_rulings(gathered: Gathered, rulings: Mapping[str, Ruling]) -> Gathered:
    """Return the evidence with other rulings, which the record of a search repeats."""
    gathered.rulings = dict(rulings)
    if isinstance(gathered, FuzzGathered):
        ruling = next(iter(rulings.values()))
        gathered.entry |= {"status": ruling.status.value, "sentence": ruling.sentence}
    return gathered


def told_from_noise(campaign: Campaign, gathered: Gathered) -> Gathered:
    """Return gathered evidence with its rulings; a pass that noise earns is withheld, one beside noise says so."""
    item = Item(gathered.behaviour, gathered.variant)
    if gathered.ruling.status is not Status.PASSED or not _counts_hits_alone(item, gathered):
        return gathered
    judged = None if isinstance(gathered, FuzzGathered) else item.kind.read(gathered.variant.parameters)
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
        return _with_rulings(gathered, rulings)
    shares = {where: chance.share_hit(list(evidence.values()), judged) for where, evidence in moved.items()}
    most = max(shares, key=lambda where: shares[where])
    if shares[most] <= chance.MANY:
        return gathered
    rulings = {name: chance.told_of_chance(ruling, shares[most], most) for name, ruling in gathered.rulings.items()}
    return _with_rulings(gathered, rulings)


def _elsewhere(campaign: Campaign, gathered: Gathered, matching: Matching) -> dict[str, dict[str, Evidence]]:
    """Return by places without a nodule, in words, the evidence had the nodules lain there, by synthesizer."""
    moved = {where: {n: move(e, matching) for n, e in gathered.evidence.items()} for where, move in CONTROLS.items()}
    behaviour, backgrounds = gathered.behaviour, campaign.backgrounds(gathered.behaviour)
    moved[chance.BARE] = {
        name: shown_bare(campaign.engine(behaviour, name), backgrounds, evidence, matching)
        for name, evidence in gathered.evidence.items()
    }
    return moved


def _as_often(gathered: Gathered, moved: Mapping[str, Mapping[str, Evidence]], judged: Any) -> dict[str, float]:
    """Return the places that are hit half as often as nodules, with the share: of all, or of a group that is compared.

    The share that is told is the largest of these; places that are hit more often come first.
    """
    shares: dict[str, float] = {}
    for part in (judged, *(replace(judged, strata=(group,)) for group in chance.compared_groups(judged))):
        hit = chance.share_hit(list(gathered.evidence.values()), part)
        for where, elsewhere in moved.items():
            share = chance.share_hit(list(elsewhere.values()), part)
            if chance.mostly_chance(share, hit):
                shares[where] = max(share, shares.get(where, 0.0))
    return dict(sorted(shares.items(), key=lambda found: -found[1]))


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
    return item.kind.hits_alone(item.kind.read(gathered.variant.parameters))


def _met_by_noise(item: Item, gathered: Gathered, elsewhere: Mapping[str, Evidence], share: float) -> bool:
    """Return whether findings that hit no nodule meet the expectation, and no findings at all do not."""
    parameters = gathered.variant.parameters
    if isinstance(gathered, FuzzGathered):
        return share >= float(parameters["rate_at_least"])

    def passes(held: Evidence) -> bool:
        return item.judge(parameters, held).status is Status.PASSED

    return all(
        any(passes(one) for one in _by_noise(item.kind.read(parameters), held, elsewhere[name]))
        and not passes(silenced(held))
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
