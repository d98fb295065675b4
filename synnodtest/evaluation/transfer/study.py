"""A whole transfer study: several detectors, real films, planted ones; the result as one JSON file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from synnodtest.annotated.films import LARGEST_MM, AnnotatedFilms
from synnodtest.canonical import plain
from synnodtest.conspicuity import VERSION as VISIBILITY_VERSION
from synnodtest.evaluation.transfer.compare import BANDS_MM, RATES, agreement, compare, visibility_of, yardstick
from synnodtest.evaluation.transfer.gather import GROWN_MM, Gathered, gather
from synnodtest.evaluation.transfer.scenes import counterparts, nodule_template
from synnodtest.ports import BackgroundSet, Detector, Synthesizer
from synnodtest.store import Store

FORMAT = 1
"""Version of the result file."""


@dataclass(frozen=True)
class Design:
    """Settings of a study.

    Args:
        per_film: Negative films in which the nodules of each annotated film are planted.
        margin: Of equivalence of sensitivities.
        alpha: One-sided error rate of each bound and test.
        seed: Of hosts, values and appearances.
        nodule: Fields of the spec language for the planted nodules; none: the language's defaults.
        split: Patients taken, for the record.
    """

    per_film: int = 12
    margin: float = 0.1
    alpha: float = 0.05
    seed: int = 0
    nodule: Mapping[str, object] = field(default_factory=dict)
    split: str = "all"


class Study:
    """Plans the scenes once and runs detectors over them.

    Args:
        films: Annotated films.
        negatives: Films without a nodule.
        synthesizer: Plants the nodules.
        store: Of radiographs and findings: an interrupted study goes on where it was.
        design: How it is made.

    Raises:
        SynnodError: the nodule's fields are not of the language, or there are too few negative films.
    """

    def __init__(
        self, films: AnnotatedFilms, negatives: BackgroundSet, synthesizer: Synthesizer, store: Store, design: Design
    ) -> None:
        self._films, self._negatives, self._synthesizer = films, negatives, synthesizer
        self._store, self._design = store, design
        template, per_film = nodule_template(design.nodule), design.per_film
        self._scenes = list(counterparts(films, negatives, template, per_film=per_film, seed=design.seed))
        self._done: dict[str, tuple[Detector, Gathered]] = {}

    @property
    def steps(self) -> int:
        """Number of films that one detector looks at."""
        return len(self._films.backgrounds) + len(self._negatives.backgrounds) + len(self._scenes)

    def run(self, name: str, detector: Detector, advance: Callable[[str], None] = lambda what: None) -> None:
        """Run one detector over everything."""
        parts = (self._films, self._negatives, self._scenes)
        self._done[name] = detector, gather(detector, *parts, self._synthesizer, self._store, advance=advance)

    def result(self) -> dict[str, object]:
        """Return the result in plain JSON values.

        Raises:
            ValueError: no detector was run.
        """
        if not self._done:
            raise ValueError("no detector was run")
        first = next(iter(self._done.values()))[1]
        detectors = [
            {"name": name, "identity": detector.identity.as_dict()}
            | compare(done, margin=self._design.margin, alpha=self._design.alpha)
            for name, (detector, done) in self._done.items()
        ]
        agreed = None
        if len(detectors) > 1:
            agreed = agreement(detectors) | {"yardstick": yardstick([done for _, done in self._done.values()])}
        result = {"transfer": FORMAT, "made_of": self._made_of(), "detectors": detectors, "agreement": agreed}
        plain_result: dict[str, object] = plain(result | {"visibility": visibility_of(first.real, first.planted)})
        return plain_result

    def _made_of(self) -> dict[str, object]:
        films, design = self._films, self._design
        nodules = [one for film in films.backgrounds for one in films.nodules(film.id)]
        return {
            "data": films.identity.as_dict() | {"split": design.split},
            "films": len(films.backgrounds),
            "patients": len({film.cluster for film in films.backgrounds}),
            "exhaustive_films": sum(films.exhaustive(film.id) for film in films.backgrounds),
            "nodules": sum(one.counted for one in nodules),
            "masses_left_out": sum(not one.counted for one in nodules),
            "largest_mm": LARGEST_MM,
            "nodule_over_box": dict(films.shares),
            "negatives": self._negatives.identity.as_dict(),
            "negative_films": len(self._negatives.backgrounds),
            "scenes": len(self._scenes),
            "moved": sum(scene.moved for scene in self._scenes),
            "synthesizer": self._synthesizer.identity.as_dict(),
            "nodule": dict(design.nodule),
            "per_film": design.per_film,
            "margin": design.margin,
            "alpha": design.alpha,
            "seed": design.seed,
            "hit": f"the finding's centre lies in the box grown by {GROWN_MM:g} mm",
            "rates": list(RATES),
            "bands_mm": [list(band) for band in BANDS_MM],
            "visibility_version": VISIBILITY_VERSION,
        }
