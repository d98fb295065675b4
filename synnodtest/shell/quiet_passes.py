"""Passes that are withheld since reporting nothing earns them: whether the detector finds anything is asked then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

from synnodtest.detectors.recorded import recorded_in
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.judgement import Gathered
from synnodtest.evidence.chance import without_nodules
from synnodtest.evidence.conditions import holds
from synnodtest.evidence.ruling import Ruling, Status
from synnodtest.evidence.silence import Reported, loudest, on_nodules, reported_on, silenced, withheld
from synnodtest.evidence.trial import Trial
from synnodtest.expectations.language import Selection
from synnodtest.expectations.rates import where_phrase
from synnodtest.expectations.registry import find_claim
from synnodtest.fuzzing import FuzzGathered, on_set, plant
from synnodtest.grouping import grouped
from synnodtest.matching import Matching
from synnodtest.planning.example import Example
from synnodtest.planning.item import Item
from synnodtest.scene import Perturbation, Scene
from synnodtest.shell.reacts_to_edit import refuse_edits
from synnodtest.spec.model import Behaviour

PROBES = tuple(
    Example.of({"diameter_mm": diameter, "contrast": contrast})
    for diameter in (16.0, 22.0, 28.0)
    for contrast in (0.4, 0.55, 0.7, 0.85)
)
"""Conspicuous nodules, large and dense: a detector that reports two of a dozen is not silent, nor is it chance."""
CONSPICUOUS = "conspicuous nodules, planted to find out"


Group = tuple[str, tuple[str, ...], str]
"""Pictures that a detector may be dead on as a whole: their background set, their perturbations (with their strengths
where these are not drawn), and what is asked of their films or drawn into them, in words."""
Look = tuple[int, Scene | None]
"""A film, by its number in its set, and a scene without nodules on it; None: as it is."""


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
            if probe.heard or (not probe.pictures and (speaks or self._speaks(point))):
                continue
            every, where = [*(hits if speaks else tallies), probe], self._where(group)
            rulings = gathered.rulings.items()
            return with_rulings(gathered, {n: withheld(r, every, point, why, where, blind=speaks) for n, r in rulings})
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
    """Return the films of trials and their scenes without nodules, each scene once."""
    numbers = {background.id: number for number, background in enumerate(campaign.backgrounds(behaviour))}
    return list(dict.fromkeys((numbers[trial.background], without_nodules(trial.scene)) for trial in trials))


def _set_of(behaviour: Behaviour) -> str:
    return behaviour.scenes.set if behaviour.scenes else behaviour.fuzz.set if behaviour.fuzz else "normal"


def _groups(campaign: Campaign, gathered: Gathered) -> dict[Group, list[Trial]]:
    """Return the trials of an item by what a detector may be dead on; of a record, which is asked nothing, as one."""
    trials = [trial for held in gathered.evidence.values() for trial in held.trials]
    name = "" if recorded_in(campaign.providers.detector) else _set_of(gathered.behaviour)
    if not name or isinstance(gathered, FuzzGathered):  # a search plants easy nodules of its own, changed as it is
        return {(name, (), ""): trials}
    where, known = gathered.variant.parameters.get("where") or {}, {name for trial in trials for name in trial.strata}
    of_films = {name: c for name, c in where.items() if name in known}
    words = where_phrase(Selection(where=of_films))
    every = grouped((trial.arm, trial.scene.perturbations) for trial in trials)
    changes = {arm: _changes(given) for arm, given in every.items()}
    chosen = [t for t in trials if all(holds(t.strata.get(asked), c) for asked, c in of_films.items())]
    if "mimic" in where:
        chosen = [t for t in chosen if not (kinds := _kinds(t.scene)) or holds(frozenset(kinds), where["mimic"])]
    return grouped(((name, changes[t.arm], words + _shown(t.scene)), t) for t in chosen) or {(name, (), words): []}


def _kinds(scene: Scene) -> list[str]:
    return sorted({mimic.kind for mimic in scene.mimics})


def _shown(scene: Scene) -> str:
    """Return what is drawn into a scene or shown beside it, in words; a detector may be dead on whatever has it."""
    words = [*_kinds(scene), *(["a prior"] if scene.prior else [])]
    return f" on pictures with {', '.join(words)}" if words else ""


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
    return claim is not None and claim.needs_control


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
        looks: Films and scenes, which take turns; where there are none, the set's first films as they are.

    Raises:
        InvalidEvidence: the detector reacts to the edit.
    """
    if recorded := recorded_in(campaign.providers.detector):
        pictures, reported = recorded.reported(point)
        return Reported("all that was recorded", pictures, reported), ""
    name, trials, why = synthesizer or campaign.providers.default_synthesizer, [], ""
    looks = looks[: len(PROBES)] or [(number, None) for number in range(len(PROBES))]
    films = on_set(set_name, 1 + max(number for number, _ in looks))
    for example, (number, scene) in zip(PROBES, cycle(looks), strict=False):
        trial, reason = plant(campaign, example, films, number, matching, name, scene)
        if trial is None:
            why = reason
        else:
            trials.append(trial)
    refuse_edits(campaign, films, name, trials, matching, point)
    return reported_on(CONSPICUOUS, on_nodules(trials), point), "" if trials else why


def _met_by_silence(gathered: Gathered) -> bool:
    """Return whether a detector that reports nothing on the same pictures meets the expectation too."""
    if isinstance(gathered, FuzzGathered):
        return quiet_search(gathered.variant.expectation.kind)
    judge, parameters = Item(gathered.behaviour, gathered.variant).judge, gathered.variant.parameters
    return all(judge(parameters, silenced(evidence)).status is Status.PASSED for evidence in gathered.evidence.values())


def with_rulings(gathered: Gathered, rulings: Mapping[str, Ruling]) -> Gathered:
    """Return the evidence with other rulings, which the record of a search repeats."""
    gathered.rulings = dict(rulings)
    if isinstance(gathered, FuzzGathered):
        ruling = next(iter(rulings.values()))
        gathered.entry |= {"status": ruling.status.value, "sentence": ruling.sentence}
    return gathered
