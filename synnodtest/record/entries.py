"""Form of one item, scene and behaviour in ``results.json``."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from synnodtest.attenuation import realised_density
from synnodtest.canonical import plain
from synnodtest.decoding import JsonObject, decode
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import NoduleTrial, Trial, score_mimics, score_trial
from synnodtest.expectations import kind_of
from synnodtest.matching import Matching
from synnodtest.planning.cases import Case
from synnodtest.record.model import BehaviourEntry, ExpectationEntry, FindingEntry, NoduleEntry, RulingEntry, SceneEntry
from synnodtest.record.model.judged import MatchedEntry
from synnodtest.record.model.members import StatusWord
from synnodtest.record.scenes_text import scenes_text
from synnodtest.spec.model import Behaviour, Spec

LEAST_SCORE = 0.01
"""Findings of a lower score are left out of the record, but for expectations that rest on all of them."""


def expectation_entry(case: Case, status: StatusWord, seconds: float = 0.0) -> ExpectationEntry:
    """Return the entry of an item before anything is known of its outcome but a status."""
    expectation = case.variant.expectation
    return ExpectationEntry(
        id=case.node_id,
        behaviour=case.behaviour.id,
        kind=expectation.kind,
        status=status,
        waived=None,
        ruling=None,
        error="",
        scenes=(),
        worst=(),
        failing=(),
        passing=(),
        line=expectation.line,
        parameters=plain(case.variant.parameters),
        rationale=str(expectation.parameters.get("rationale") or case.behaviour.rationale or ""),
        seconds=round(seconds, 3),
    )


def behaviour_entry(spec: Spec, behaviour: Behaviour) -> BehaviourEntry:
    """Return the entry of a behaviour: what it says itself, where it stands, and its scenes in words."""
    resolved = plain(behaviour)
    beside = {"file": spec.path.as_posix(), "resolved": resolved, "scenes_text": scenes_text(behaviour)}
    return decode(BehaviourEntry, resolved | beside)


def ruling_entry(ruling: Ruling) -> RulingEntry:
    """Return the entry of a ruling; numbers that do not exist are None."""
    return decode(RulingEntry, plain(ruling))


def least_score(kind: str) -> float:
    """Return the least score of a finding that an expectation of this kind needs in the record."""
    return 0.0 if kind_of(kind).all_scores else LEAST_SCORE


def rescored(trial: Trial, matching: JsonObject) -> Trial:
    """Return the trial with its findings assigned to nodules by another rule."""
    rule = Matching.from_dict(matching)
    truths, regions = [n.truth for n in trial.nodules], [n.regions for n in trial.nodules]
    nodules, duplicates, false = score_trial(trial.sightings, truths, regions, trial.spacing_mm, rule)
    truths, regions = [m.truth for m in trial.mimics], [m.regions for m in trial.mimics]
    mimics = score_mimics(trial.sightings, truths, regions, nodules, trial.spacing_mm, rule)
    return replace(trial, nodules=nodules, duplicates=duplicates, false_positives=false, mimics=mimics)


def matched(trial: Trial, operating_point: float, least: float = LEAST_SCORE) -> MatchedEntry:
    """Return nodules and findings of a scene, and which finding hits which nodule."""
    hits = {n.finding: n.name for n in trial.nodules if n.finding is not None}
    findings = []
    for index, s in enumerate(trial.sightings):
        if s.finding.score >= least or index in hits:
            box, score = tuple(plain(s.finding.box)), plain(s.finding.score)
            duplicate = index in trial.duplicates
            findings.append(FindingEntry(box, score, _in_order(s.regions), hits.get(index), duplicate))
    return MatchedEntry(tuple(_nodule(n, operating_point) for n in trial.nodules), tuple(findings))


@cache
def _in_order(regions: frozenset[str]) -> tuple[str, ...]:
    """Return names of regions in order: a radiograph's hundreds of findings lie in a few sets of them."""
    return tuple(sorted(regions))


def scene_entry(trial: Trial, behaviour: str, operating_point: float, least: float = LEAST_SCORE) -> SceneEntry:
    """Return the entry of a scene: its recipe, what was planted, what was found."""
    matched_entry = matched(trial, operating_point, least)
    return SceneEntry(
        recipe=trial.scene.as_dict(),
        background=trial.background,
        nodules=matched_entry.nodules,
        findings=matched_entry.findings,
        synthesizer=trial.synthesizer,
        patient=trial.cluster if trial.cluster != trial.background else "",
        cluster=trial.cluster,
        strata=dict(trial.strata),
        arm=trial.arm,
        behaviour=behaviour,
        spacing_mm=tuple(trial.spacing_mm),
        shape=tuple(trial.shape),
        radiograph_sha256=trial.radiograph_sha256,
        accepted=not trial.rejected,
        rejected_because=trial.rejected,
    )


def _nodule(nodule: NoduleTrial, operating_point: float) -> NoduleEntry:
    x_min, y_min, x_max, y_max = nodule.truth.box
    return NoduleEntry(
        name=nodule.name,
        box=(x_min, y_min, x_max, y_max),
        centre_px=((x_min + x_max) / 2, (y_min + y_max) / 2),
        requested=plain(nodule.requested),
        diameter_mm=plain(float(nodule.truth.diameter_mm)),
        contrast=plain(float(nodule.truth.contrast)),
        density=plain(realised_density(nodule.requested, nodule.truth.contrast)),
        contrast_in_place=plain(float(nodule.truth.contrast_in_place)),
        conspicuity=plain(float(nodule.truth.conspicuity)),
        regions=tuple(sorted(nodule.regions)),
        hit=bool(nodule.detected(operating_point)),
        confidence=plain(float(nodule.confidence)),
    )
