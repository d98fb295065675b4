"""Measurements of synthesizers and detectors apart from the run: credibility reports and transfer results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from synnodtest.counted import counted
from synnodtest.decoding import JsonObject
from synnodtest.record.model.members import Digest
from synnodtest.record.model.run import IdentityEntry
from synnodtest.record.model.scenes import IntervalEntry


@dataclass(frozen=True)
class CredibilityReport:
    """A credibility report of a synthesizer.

    Args:
        file: Its name.
        sha256: Of the file.
        synthesizer: That was measured.
        of_another_model: Whether its weights are not the run's.
        differs: In what it differs from the run's.
        measured: The figures.
    """

    file: str
    sha256: Digest
    synthesizer: IdentityEntry
    of_another_model: bool
    differs: tuple[str, ...]
    measured: JsonObject


@dataclass(frozen=True)
class TransferEstimate(IntervalEntry):
    """A rate, an area or a difference.

    Args:
        value: The estimate.
        lower: Lower bound.
        upper: Upper bound.
        n: Units.
        clusters: Independent ones.
    """

    n: int | None = None
    clusters: int | None = None

    @property
    def short(self) -> str:
        """The value with two decimals, a dash for none."""
        return "–" if self.value is None else f"{self.value:.2f}"


@dataclass(frozen=True)
class TransferPair:
    """Sensitivity to real and to planted nodules.

    Args:
        real: Sensitivity.
        planted: Sensitivity.
        difference: Planted minus real.
        p_equivalence: Of the two within the margin.
        equivalent: Whether that is shown.
    """

    real: TransferEstimate
    planted: TransferEstimate
    difference: TransferEstimate
    p_equivalence: float
    equivalent: bool


@dataclass(frozen=True)
class TransferBand(TransferPair):
    """Sensitivity to real and to planted nodules of one range of sizes.

    Args:
        real: Sensitivity.
        planted: Sensitivity.
        difference: Planted minus real.
        p_equivalence: Of the two within the margin.
        equivalent: Whether that is shown.
        from_mm: Lower end of the boxes' sizes.
        to_mm: Upper end of them.
    """

    from_mm: float | None = None
    to_mm: float | None = None


@dataclass(frozen=True)
class TransferRate(TransferPair):
    """Sensitivity to real and to planted nodules at one rate of false positives.

    Args:
        real: Sensitivity.
        planted: Sensitivity.
        difference: Planted minus real.
        p_equivalence: Of the two within the margin.
        equivalent: Whether that is shown.
        false_positives_per_image: On negative films.
        bands: By the boxes' sizes.
    """

    false_positives_per_image: float
    bands: tuple[TransferBand, ...] = ()

    @property
    def allowed(self) -> str:
        """The rate in words: ``0.5 false positives``, ``1 false positive``."""
        rate = self.false_positives_per_image
        return counted(rate, "false positive", shown=f"{rate:g}")


@dataclass(frozen=True)
class TransferAreas:
    """Area under the curve of films with a nodule against negative ones.

    Args:
        real: With annotated nodules.
        planted: With planted ones.
    """

    real: TransferEstimate
    planted: TransferEstimate


@dataclass(frozen=True)
class Shares:
    """Shares that explain the scores at planted nodules; none where it was not taken apart.

    Args:
        host: Share of the chest.
        nodule: Share of the nodule.
        rest: Share of their meeting, and of noise.
    """

    host: float | None = None
    nodule: float | None = None
    rest: float | None = None


@dataclass(frozen=True)
class TransferDetector:
    """One detector of a transfer result.

    Args:
        name: As it was named.
        identity: Its identity.
        rates: Sensitivities, by rate of false positives.
        image_auc: On the level of films.
        variance: What explains its scores.
    """

    name: str
    identity: IdentityEntry
    rates: tuple[TransferRate, ...]
    image_auc: TransferAreas
    variance: Shares = Shares()

    @property
    def middle(self) -> TransferRate:
        """The middle one of the rates."""
        return self.rates[len(self.rates) // 2]


@dataclass(frozen=True)
class TransferData:
    """Films and planted scenes behind a transfer result.

    Args:
        nodules: Annotated ones.
        films: They lie on.
        patients: Of the films.
        negative_films: That thresholds were set on, and nodules planted in.
        scenes: With planted nodules; fewer than those films are on a film of their own each.
        masses_left_out: Boxes above the largest size.
        largest_mm: That size.
        hit: What counts as one.
        alpha: One-sided error rate.
        margin: Of equivalence.
    """

    nodules: int | None = None
    films: int | None = None
    patients: int | None = None
    negative_films: int | None = None
    scenes: int | None = None
    masses_left_out: int | None = None
    largest_mm: float | None = None
    hit: str = ""
    alpha: float = 0.05
    margin: float | None = None


@dataclass(frozen=True)
class AgreementRow:
    """Ranking of detectors on planted and on real nodules at one rate of false positives.

    Args:
        spearman: Of the two sensitivities.
        mean_absolute_difference: Of the two.
        largest_difference: Of the two.
        false_positives_per_image: Null: over all rates.
    """

    spearman: float | None = None
    mean_absolute_difference: float | None = None
    largest_difference: float | None = None
    false_positives_per_image: float | None = None


@dataclass(frozen=True)
class AgreementEntry:
    """Rankings of several detectors on planted and on real nodules.

    Args:
        detectors: How many.
        rates: By rate of false positives.
        all_rates: Over all of them.
    """

    detectors: int
    rates: tuple[AgreementRow, ...]
    all_rates: AgreementRow


@dataclass(frozen=True)
class VisibilityBand:
    """Visibility of real and planted nodules of one range of sizes.

    Args:
        real: Quartiles; null without nodules.
        planted: Quartiles.
        from_mm: Lower end of the sizes.
        to_mm: Upper end of them.
        median_ratio: Planted over real.
        kolmogorov_smirnov: Distance of the distributions.
    """

    real: tuple[float, ...] | None = None
    planted: tuple[float, ...] = ()
    from_mm: float | None = None
    to_mm: float | None = None
    median_ratio: float | None = None
    kolmogorov_smirnov: float | None = None


@dataclass(frozen=True)
class Transfer:
    """A transfer result: how far a verdict on planted nodules tells one on real ones.

    Args:
        file: Its name.
        sha256: Of the file.
        made_of: Its data.
        detectors: That were measured.
        own: Place of the run's detector among them; null where it is none of them.
        of_this_synthesizer: Whether one of the run's synthesizers planted.
        differs: In what it differs if not.
        agreement: Over several detectors.
        visibility: By what was measured.
    """

    file: str
    sha256: str
    made_of: TransferData
    detectors: tuple[TransferDetector, ...]
    own: int | None
    of_this_synthesizer: bool
    differs: tuple[str, ...]
    agreement: AgreementEntry | None = None
    visibility: Mapping[str, tuple[VisibilityBand, ...]] = field(default_factory=dict)

    @property
    def shown(self) -> tuple[TransferDetector, ...]:
        """The run's detector; all of them where it is none of them."""
        return self.detectors if self.own is None else (self.detectors[self.own],)

    @property
    def names(self) -> str:
        """Names of its detectors."""
        return ", ".join(one.name for one in self.detectors)


@dataclass(frozen=True)
class Credibility:
    """Measurements apart from the run.

    Args:
        transfers: Transfer results.
        reports: Credibility reports of synthesizers.
    """

    transfers: tuple[Transfer, ...] = ()
    reports: tuple[CredibilityReport, ...] = ()
