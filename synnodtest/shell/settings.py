"""Settings of a run, whichever shell they came through."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synnodtest.ports import DEFAULT_TIMEOUT_S


@dataclass(frozen=True)
class Settings:
    """Options of one run.

    Args:
        root: pytest's rootdir, or the working directory.
        detector: Text of ``--detector``; empty if none was given.
        synthesizer: Text of ``--synthesizer``.
        backgrounds: Folder of ``--backgrounds``, or None for phantoms.
        baseline: Text of ``--baseline``.
        compare_fail: Texts of ``--compare-fail``.
        reports: Parent folder of reports.
        seed: Master seed.
        cache: Folder of the store.
        device: ``cpu`` or ``cuda``.
        timeout_s: Seconds that one call of the detector may take.
        inconclusive: ``fail`` or ``xfail``.
        limit: At most so many backgrounds per behaviour; a declared deviation. None: as the specs say.
        pixels: Whether pictures go into the report.
        ledger: The ledger of runs; None: under the root.
        waivers: The waiver file, if there is one.
        credibility: Credibility reports of the synthesizers, for the report.
        command: The command line, for the report.
        executor: ``serial``, or where Ray runs: ``ray``, ``ray://address``, with options after ``?``.
        conform: Whether the detector's adapter is questioned first: ``stop`` at a misfit, ``warn``, or ``off``.
    """

    root: Path
    detector: str = ""
    synthesizer: str = "diffusion"
    backgrounds: Path | None = None
    baseline: str = ""
    compare_fail: tuple[str, ...] = ()
    reports: Path = Path("reports")
    seed: int = 0
    cache: Path = Path(".synnodtest")
    device: str = "cpu"
    timeout_s: float = DEFAULT_TIMEOUT_S
    inconclusive: str = "fail"
    limit: int | None = None
    pixels: bool = True
    ledger: Path | None = None
    waivers: Path | None = None
    credibility: tuple[Path, ...] = ()
    command: tuple[str, ...] = ()
    executor: str = "serial"
    conform: str = "off"

    @property
    def detector_told(self) -> str:
        """The detector as terminal, commands and records name it, without what may be a secret."""
        from synnodtest.detectors.registry import masked

        return masked(self.detector)
