"""A kind of expectation: everything that spec, planning, engine, record and report ask about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeVar, cast

from synnodtest.evidence.arm import OWN, Arm
from synnodtest.evidence.conditions import holds
from synnodtest.evidence.regions import RegionExpression
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, nodules_of
from synnodtest.expectations import language
from synnodtest.expectations.fewest import rate_units
from synnodtest.expectations.power import Forecast, Plan, Power
from synnodtest.expectations.rule import naming_unheard
from synnodtest.expectations.sequential import EarlyStop


class Grade(NamedTuple):
    """Grade of a scene.

    Args:
        bad: Whether it speaks against it.
        severity: How much, among scenes that do.
    """

    bad: bool
    severity: float


def is_judged(parameters: Any, trial: Trial) -> bool:
    """Return whether an expectation judges anything of a scene: its ``arm``, ``of`` and ``where`` select it.

    Conditions on nodules do not speak of a radiograph without one.
    """
    arm, reference = getattr(parameters, "arm", None), getattr(parameters, "reference", None)
    if arm and not reference and not trial.arm.startswith("@") and trial.arm != arm:
        return False
    if trial.nodules:
        return bool(_nodules(parameters, trial))
    where = getattr(parameters, "where", None) or {}
    return all(holds(trial.strata[name], value) for name, value in where.items() if name in trial.strata)


def missed_nodule(parameters: Any, trial: Trial, point: float) -> Grade:
    """Grade by the nodules that are judged: one is missed, and the worse the larger and denser it is."""
    nodules = _nodules(parameters, trial)
    missed = [nodule for nodule in nodules if not nodule.detected(point)]
    sizes = (nodule.requested_mm * nodule.truth.contrast for nodule in missed or nodules)
    return Grade(bool(missed), max(sizes, default=0.0))


def _nodules(parameters: Any, trial: Trial) -> list[NoduleTrial]:
    chosen = nodules_of([trial], getattr(parameters, "of", None), getattr(parameters, "where", None))
    return [nodule for _, nodule in chosen]


def false_alarm(parameters: Any, trial: Trial, point: float) -> Grade:
    """Grade by false positives: the worse the more and the louder they are."""
    count = trial.false_positives_at(point)
    return Grade(count > 0, float(count) + trial.loudest)


def finding_in_region(parameters: Any, trial: Trial, point: float) -> Grade:
    """Grade by findings in the region of the expectation, in the behaviour's own arms: the worse the louder."""
    bad = trial.arm.is_own and trial.fires_in(parameters.region, point)
    return Grade(bad, trial.loudest)


P = TypeVar("P", bound=language.Selection)
Unit = Literal["nodule", "scene", "image"]
"""The unit that is counted."""


@dataclass(frozen=True)
class Kind(Generic[P]):
    """One kind of expectation.

    Args:
        name: Its name in specs.
        about: What it asks, in a sentence, for the schema.
        parameters: Class of its parameters, a dataclass over ``Selection``; None: a plain mapping.
        ruling: Judges the evidence.
        title: Its name in the report; empty: made of ``name``.
        common: Shared parameters that it takes, out of ``expectations.language.COMMON``.
        rules: Further JSON Schema of its definition, such as ``required``.
        arms: Arms whose trials it wants: ``own`` and those of :mod:`synnodtest.evidence.arm` that expectations plan.
        unit: What is counted.
        needs_nodules: False where scenes without any nodule will do.
        judges_distractors: Whether it judges distractors, not nodules: ``of`` and ``where`` speak of them.
        threshold_free: Whether it looks at raw scores alone, so that operating points make no items.
        passes_in_silence: Whether a detector that reports nothing passes it.
        hits_alone: Whether it counts nodules that are hit, and no finding beside them speaks against the detector.
        asks_little: Why these parameters let a detector pass for little; empty: they do not.
        wants_silence: Whether it holds that its nodules are not to be found.
        asks: What of a spec it cannot work with, beyond the schema.
        early_stop: How a sequential run decides it; None: it cannot.
        fewest: Backgrounds on which it can pass at all, by parameters, error rate and units per background.
        power: Forecast of its power; None: only what the best data would show.
        bootstrapped: Whether a bootstrap over backgrounds takes part, for which ``count: auto`` plans enough of them.
        all_scores: Whether the record must keep findings of every score.
        curve: Whether it ranks findings or images: its figure stands in the section of curves, and its pass is judged
            again on the same scenes without their nodules.
        draw: ``package.module:function`` that draws the figure of its rulings; empty: by the figure's own kind.
        grade: Whether a scene speaks against the detector, and how much, for the gallery.
        control_region: Region of which the engine adds an area-matched control region to every radiograph.
        gate: Sensitivity that must be exceeded beside it, which power takes for granted; None: no such gate.
    """

    name: str
    about: str
    parameters: type[P] | None
    ruling: Callable[[P, Evidence], Ruling]
    title: str = ""
    common: tuple[str, ...] = language.EVERY
    rules: Mapping[str, object] = dataclasses.field(default_factory=dict)
    arms: Callable[[P], tuple[Arm, ...]] = lambda p: (OWN,)
    unit: Callable[[P], Unit] = lambda p: "nodule"
    needs_nodules: bool = True
    judges_distractors: bool = False
    threshold_free: Callable[[P], bool] = lambda p: False
    passes_in_silence: Callable[[P], bool] = lambda p: False
    hits_alone: Callable[[P], bool] = lambda p: False
    asks_little: Callable[[P], str] = lambda p: ""
    wants_silence: Callable[[P], bool] = lambda p: False
    asks: Callable[[P, language.Asked], Iterable[language.Complaint]] = lambda p, asked: ()
    early_stop: EarlyStop[P] | None = None
    fewest: Callable[[P, float, float], int | None] = lambda p, alpha, per_background: None
    power: Power[P] | None = None
    bootstrapped: bool = False
    all_scores: bool = False
    curve: bool = False
    draw: str = ""
    grade: Callable[[P, Trial, float], Grade] = missed_nodule
    control_region: Callable[[P], RegionExpression | None] = lambda p: None
    gate: Callable[[P], float | None] = lambda p: None

    @property
    def schema(self) -> dict[str, object]:
        """Its definition in the schema of the spec language."""
        return language.object_schema(self.about, self.common, self.parameters, self.rules)

    @property
    def shown_title(self) -> str:
        """Its name in the report."""
        return self.title or self.name.replace("_", " ").capitalize()

    def read(self, given: Mapping[str, Any] | P) -> P:
        """Return the parameters of an expectation as an instance of the class; keys that it lacks are left out."""
        if self.parameters is None or not isinstance(given, Mapping):
            return cast(P, given)
        return self.parameters(**language.fields_given(self.parameters, given))

    def judge(self, parameters: Mapping[str, object] | P, evidence: Evidence) -> Ruling:
        """Return the ruling on the evidence."""
        own = self.read(parameters)
        ruling = naming_unheard(self.ruling(own, evidence), getattr(own, "where", None), evidence)
        return dataclasses.replace(ruling, notes=(*ruling.notes, *self.asked_little(own)))

    def asked_little(self, parameters: Mapping[str, object] | P) -> list[str]:
        """Return why these parameters let a detector pass for little: bounds that cannot be broken, the kind's own."""
        own = self.read(parameters)
        return [*language.unbreakable(own), *filter(None, [self.asks_little(own)])]

    def arms_for(self, parameters: Mapping[str, object] | P) -> tuple[Arm, ...]:
        """Return the arms that an expectation with these parameters wants, the behaviour's own first."""
        arms = dict.fromkeys(self.arms(self.read(parameters)))
        return tuple(sorted(arms, key=lambda arm: (arm != OWN, arm)))

    def can_stop(self, parameters: Mapping[str, object] | P) -> bool:
        """Return whether a sequential run can decide it."""
        return self.early_stop is not None and self.early_stop.able(self.read(parameters))

    def forecast(self, parameters: Mapping[str, object] | P, plan: Plan) -> Forecast:
        """Return what an expectation with these parameters can show on the planned units."""
        own = self.read(parameters)
        shown = None if self.power is None else self.power.shown(own, plan)
        if shown is not None and shown.whole:
            return shown
        least, gate = self.fewest_gated(own, plan.alpha, plan.units / plan.backgrounds), self.gate(own)
        few = least is not None and plan.backgrounds < least
        warning = f"at least {least} backgrounds are needed to pass" if few else ""
        made = dataclasses.replace(shown or Forecast(), smallest=least, warning=warning)
        if gate is None or not made.assumption:
            return made
        return dataclasses.replace(
            made, assumption=f"{made.assumption}, and a sensitivity that surely exceeds {gate:g}"
        )

    def fewest_gated(self, own: P, alpha: float, per_background: float) -> int | None:
        """Return the fewest backgrounds on which it can pass, and its gate with one nodule on each."""
        least, gate = self.fewest(own, alpha, per_background), self.gate(own)
        return least if least is None or gate is None else max(least, rate_units(gate, alpha))

    def units_needed(self, parameters: Mapping[str, object] | P, plan: Plan) -> int | None:
        """Return the units that reach the planned power; None where no formula says."""
        return None if self.power is None else self.power.needed(self.read(parameters), plan)
