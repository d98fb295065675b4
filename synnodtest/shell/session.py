"""The one object behind the pytest plugin: options in, items served, the report out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from synnodtest.decoding import decode
from synnodtest.errors import SynnodError
from synnodtest.memory import keep_freed_memory
from synnodtest.planning.cases import Case, planned_cases
from synnodtest.record.assemble import new_run_id
from synnodtest.record.model import Record
from synnodtest.record.model.authored import WaiverEntry
from synnodtest.shell.baseline import SecondDetector, is_record, kept_record
from synnodtest.shell.early_end import early_end_fails, termination_interrupts
from synnodtest.shell.gallery import Gallery
from synnodtest.shell.garbage import collect_seldom, end_at_once
from synnodtest.shell.option_faults import fault_of_sets, faults_of_names, faults_of_settings
from synnodtest.shell.options import settings_of, written_by_pytest
from synnodtest.shell.progress import Progress, profile_lines, taken_line
from synnodtest.shell.record_fit import fault_of_record
from synnodtest.shell.refusals import (
    fault_of_detectors,
    fault_of_forks,
    fault_of_missing_detector,
    faults_of_empty,
    idle_waivers,
    refuse,
    refuse_ambiguous,
    refuse_baseline,
)
from synnodtest.shell.run import Run
from synnodtest.shell.told import Told
from synnodtest.stages import STAGES, stage
from synnodtest.threads import share_threads

if TYPE_CHECKING:
    from synnodtest.record.complete import RunFacts
    from synnodtest.shell.ending import Ending, LedgerEntries


class Session:
    """State of one pytest process.

    Args:
        config: pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        share_threads()
        keep_freed_memory()
        collect_seldom()
        end_at_once()
        self.config = config
        if not self.is_worker:  # pytest-xdist sees the end of its workers
            whole = ExitStack()
            whole.enter_context(early_end_fails(self._tell_at_once, pytest.ExitCode.INTERNAL_ERROR))
            whole.enter_context(termination_interrupts())
            config.add_cleanup(whole.close)
        self.ending: Ending | None = None
        self.report: Path | None = None
        self.record: Record | None = None
        self.trouble = ""
        self.left_out: dict[str, None] = {}
        self._unselected: list[Case] = []
        self.due: dict[str, None] = {}
        self.checkout: tuple[str, bool | None] | None = None
        self.unjudged: list[str] = []
        self.died_of: list[str] = []
        self.interrupted = False
        self.workers = 0
        self.told = Told()
        config.pluginmanager.register(self.told)

    # --- parts, made on first use -------------------------------------------------------------------------------

    @cached_property
    def run(self) -> Run:
        """The run; reads the options."""
        return Run(settings_of(self.config), self._progress)

    @cached_property
    def second(self) -> SecondDetector | None:
        """The detector that ``--baseline`` names, if it names one."""
        settings = self.run.settings
        if not settings.baseline or is_record(settings.baseline):
            return None
        return SecondDetector(settings.baseline, settings, self._progress)

    @cached_property
    def earlier(self) -> Record | None:
        """The record that ``--baseline`` names, if it names one; read before the run."""
        settings = self.run.settings
        return kept_record(settings.baseline) if settings.baseline and self.second is None else None

    @cached_property
    def run_id(self) -> str:
        """Identifier of the run, shared with workers."""
        of_controller = getattr(self.config, "workerinput", {}).get("synnodtest_run_id")
        return str(of_controller or new_run_id())

    @cached_property
    def gallery(self) -> Gallery:
        """Pictures of judged items."""
        of_html = getattr(self.config.option, "htmlpath", None)
        needed = bool(of_html) or self.config.pluginmanager.hasplugin("allure_listener")
        return Gallery(self.run, self.folder, at_once=needed)

    @cached_property
    def ledger(self) -> LedgerEntries:
        """The run's entries in the ledger."""
        from synnodtest.shell.ending import LedgerEntries

        return LedgerEntries(self.run.settings, self.run_id, self.run.fragment)

    @cached_property
    def waivers(self) -> Any:
        """The waivers of the run, or None."""
        path = self.run.settings.waivers
        if path is None:
            return None
        from synnodtest.integrity.waivers import load_waivers

        return load_waivers(path)

    @cached_property
    def _progress(self) -> Progress:
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        fresh_line = getattr(reporter, "ensure_newline", lambda: None)
        worker = getattr(self.config, "workerinput", {}).get("workerid", "")
        return Progress(self._uncaptured, worker, fresh_line=fresh_line)

    @property
    def _uncaptured(self) -> Callable[[], AbstractContextManager[None]]:
        manager = self.config.pluginmanager.getplugin("capturemanager")
        return nullcontext if manager is None else manager.global_and_fixture_disabled

    @property
    def folder(self) -> Path:
        """Folder of this run's report."""
        return self.run.settings.reports / self.run_id

    @property
    def exceeded(self) -> bool:
        """True where a limit of ``--compare-fail`` was not kept."""
        comparison = None if self.ending is None else self.ending.comparison
        return comparison is not None and not all(limit.kept for limit in comparison.limits)

    @property
    def hidden(self) -> list[str]:
        """Expectations that did not pass, sorted: pytest fails, unless a conftest.py or a plugin thinks otherwise."""
        accepted = ("PASSED", "WAIVED", *["INCONCLUSIVE"] * (self.run.settings.inconclusive == "xfail"))
        judged = self.run.fragment.expectations.values()
        return sorted([*(e.id for e in judged if e.shown_status not in accepted), *self.unjudged])

    @property
    def is_worker(self) -> bool:
        """True in a worker of ``-n``."""
        return hasattr(self.config, "workerinput")

    def _tell_at_once(self, text: str) -> None:
        with self._uncaptured():
            print(f"\nsynnodtest: {text}", file=sys.stderr, flush=True)

    # --- the start ----------------------------------------------------------------------------------------------

    def known_regions(self) -> frozenset[str]:
        """Return the regions that ``--backgrounds`` brings masks for."""
        from synnodtest.backgrounds.manifest import mask_regions

        return mask_regions(self.run.settings.backgrounds)

    def check(self, cases: Sequence[Case]) -> None:
        """Refuse to start with options that cannot be used.

        Raises:
            pytest.UsageError: ``--detector`` is missing, an option names nothing or a file that cannot be read, or
                recorded findings are of other scenes.
        """
        settings, option = self.run.settings, self.config.option
        if cases and not option.collectonly and not self.is_worker:
            self.check_options()
            refuse([fault_of_sets(settings, cases)])
        if not (option.collectonly or option.synnod_plan):
            refuse([fault_of_missing_detector(cases, settings)])
        refuse_baseline(settings, self._read_beforehand)
        self.waivers = refuse_ambiguous(self.waivers, [*self._unselected, *cases], is_worker=self.is_worker)
        if not (option.collectonly or option.synnod_plan or self.is_worker):
            refuse([fault_of_record(self.run, cases)])

    def check_options(self) -> None:
        """Refuse to start with options that serve no specification, whatever it says.

        Raises:
            pytest.UsageError: one names nothing, or more than one of what a run has one of, or is out of range.
        """
        settings, option = self.run.settings, self.config.option
        words = [str(word) for word in self.config.invocation_params.args]
        refuse([fault_of_detectors(words), fault_of_forks(option), *faults_of_empty(option)])
        refuse(faults_of_names(settings))
        refuse(faults_of_settings(settings, writes=not option.synnod_plan))

    def _read_beforehand(self) -> None:
        """Read the files that a verdict or the report would else stumble over.

        Raises:
            SynnodError: one cannot be read.
        """
        if not self.is_worker:
            _ = self.earlier, self.waivers

    def leave_out(self, cases: Sequence[Case]) -> None:
        """Note the specifications of cases that were collected and will not run."""
        self._unselected += cases
        self.left_out |= dict.fromkeys(case.spec.path.as_posix() for case in cases)

    def begin(self, cases: Sequence[Case]) -> None:
        """Before the first scene: enter the run in the ledger, and in the record all that its specs hold."""
        if not self.is_worker:
            from synnodtest.shell.ending import checkout_of

            self.checkout = checkout_of(self._facts_of_settings)
        if not cases:
            return
        for case in planned_cases(cases):
            self.run.fragment.add_planned(case)
        if not getattr(self.config.option, "setuponly", False):
            self.due = dict.fromkeys(case.node_id for case in cases)
        if getattr(self.config, "workerinput", {}).get("workerid", "gw0") == "gw0":
            self.ledger.begin({case.spec.path.as_posix(): case.spec.sha256 for case in cases})

    # --- items --------------------------------------------------------------------------------------------------

    def waiver(self, case: Case) -> dict[str, object] | None:
        """Return the waiver of a case as plain values with ``expired``, or None."""
        waiver = None if self.waivers is None else self.waivers.find(case.node_id, case.behaviour.id)
        return None if waiver is None else waiver.as_dict()

    def idle_waivers(self) -> Iterator[str]:
        """Yield a warning for each waiver that names nothing in the specs of the run."""
        settings = self.run.settings
        if self.waivers is None or settings.waivers is None:
            return iter(())
        every = self.run.fragment.every()
        return idle_waivers(self.waivers, settings.waivers, every, self.left_out, settings.root)

    def properties(self, case: Case) -> list[tuple[str, str]]:
        """Return JUnit properties of a judged case."""
        from synnodtest.exports.junit import properties

        fragment = self.run.fragment
        key = f"{case.spec.path.as_posix()}::{case.behaviour.id}"
        return properties(fragment.expectations[case.node_id], fragment.behaviours[key])

    # --- the end ------------------------------------------------------------------------------------------------

    def close(self, interrupted: bool) -> None:
        """After the last item: let go of what ran; all but workers see what there is to tell."""
        self.interrupted = interrupted
        self.run.close()
        judged = self.run.fragment.expectations
        lost = () if interrupted else (node_id for node_id in self.told.ruled if node_id not in judged)
        for node_id in [*self.died_of, *lost]:
            self.run.fragment.add_death(node_id)
        if self.is_worker:
            with self._troubled():
                self.gallery.write()
        elif self.run.fragment.expectations:
            from synnodtest.shell.ending import Ending

            with self._troubled():
                self.ledger.end("interrupted" if interrupted else "finished")
                self.ending = Ending(self.run.fragment, self._facts(interrupted), self.folder, self.gallery.write)

    def miss(self) -> None:
        """Note what has no verdict though pytest ends well, unless it was skipped.

        That is what was to run, and what a worker reported that then died before it handed its verdicts over.
        """
        known = {*self.told.skipped, *self.run.fragment.expectations}
        self.unjudged = [one for one in dict.fromkeys([*self.due, *self.told.ruled]) if one not in known]

    @property
    def idle(self) -> bool:
        """True where expectations were to run, and neither one of them nor any test of others did."""
        return bool(self.due) and not (self.run.fragment.expectations or self.told.ran)

    def publish(self) -> None:
        """Write record, report and manifest, if anything of ours ran; after the verdicts were printed."""
        if self.ending is not None:
            with self._troubled(), stage("report"):
                self.report, self.record = self.ending.publish()

    @contextmanager
    def _troubled(self) -> Iterator[None]:
        try:
            yield
        except (SynnodError, OSError, KeyboardInterrupt) as error:
            self.trouble = (
                f"the report could not be written: {str(error) or 'interrupted'}\n"
                f"  hint: nothing is lost; what was computed lies in {self.run.settings.cache}, "
                "and the same command writes the report once that is mended, or with another --synnod-report DIR "
                "where the folder cannot be written"
            )

    @property
    def _facts_of_settings(self) -> RunFacts:
        from synnodtest.shell.ending import facts_of

        written = written_by_pytest(self.config)
        return facts_of(self.run.settings, self.run_id, self.folder, self.ledger.file, written)

    def _facts(self, interrupted: bool) -> RunFacts:
        return replace(
            self._facts_of_settings,
            checkout=self.checkout,
            interrupted=interrupted,
            left_out=tuple(self.left_out),
            failed_last=bool(self.config.getoption("lf", False)),
            waivers=tuple(decode(WaiverEntry, w.as_dict()) for w in (self.waivers.entries if self.waivers else ())),
            baseline=self.earlier if self.second is None else self.second.as_record(),
            known_regions=self.known_regions(),
        )

    def taken(self) -> str:
        """Return what was done in which time; empty if nothing had to be."""
        return taken_line(self.run.fragment.tally, self.run.earlier_speed, time.perf_counter() - STAGES.started)

    def profile(self) -> Iterator[str]:
        """Yield where the time went, where that is asked for."""
        if self.config.option.synnod_profile:
            yield from profile_lines(STAGES, time.perf_counter() - STAGES.started, self.workers)
