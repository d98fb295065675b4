"""The one object behind the pytest plugin: options in, items served, the report out."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from synnodtest.errors import RecordError, SynnodError
from synnodtest.record import results as record
from synnodtest.record.compare import Limit, parse_limit
from synnodtest.record.credibility import read as read_credibility
from synnodtest.record.transfer import is_transfer
from synnodtest.record.transfer import read as read_transfer
from synnodtest.shell.baseline import SecondDetector, is_record
from synnodtest.shell.items import ExpectationItem
from synnodtest.shell.profile import profile_lines, taken_line
from synnodtest.shell.progress import Progress
from synnodtest.shell.run import Case, Run, planned_cases
from synnodtest.shell.settings import Settings
from synnodtest.stages import STAGES
from synnodtest.threads import share_threads

if TYPE_CHECKING:
    from synnodtest.report.publish import RunFacts

__all__ = ["Session"]

USAGE = "no detector was named, but {count} expectations of {files} need one"
HINT = (
    "pytest --detector best.pt          a YOLO checkpoint with one class\n"
    "       pytest --detector package.module:factory   your own Python function\n"
    "       pytest --detector demo             the small detector that comes with synnodtest"
)


class Session:
    """State of one pytest process.

    Args:
        config: pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        share_threads()
        self.config = config
        self.sentences: list[tuple[str, str]] = []
        self.report: Path | None = None
        self.trouble = ""
        self._unwritten = ""
        self.limits: list[tuple[bool, str]] = []
        self._explorable: set[str] = set()
        self._workers = 0

    @cached_property
    def run(self) -> Run:
        """The run; reads the options on first use."""
        return Run(settings_of(self.config), self._progress)

    @cached_property
    def second(self) -> SecondDetector | None:
        """The detector that ``--baseline`` names, if it names one."""
        settings = self.run.settings
        if not settings.baseline or is_record(settings.baseline):
            return None
        return SecondDetector(settings.baseline, settings, self._progress)

    @cached_property
    def _earlier(self) -> Mapping[str, Any] | None:
        """The record that ``--baseline`` names, if it names one; read before the run."""
        settings = self.run.settings
        return record.read(Path(settings.baseline)) if settings.baseline and self.second is None else None

    @cached_property
    def run_id(self) -> str:
        """Identifier of the run, shared with workers."""
        given = getattr(self.config, "workerinput", {}).get("synnodtest_run_id")
        if given:
            return str(given)
        from synnodtest.record.assemble import new_run_id

        return new_run_id()

    @property
    def folder(self) -> Path:
        """Folder of this run's report."""
        return self.run.settings.reports / self.run_id

    @property
    def exceeded(self) -> bool:
        """Whether a limit of ``--compare-fail`` was not kept."""
        return not all(kept for kept, _ in self.limits)

    @property
    def is_worker(self) -> bool:
        """True in a worker of ``-n``."""
        return hasattr(self.config, "workerinput")

    @cached_property
    def _progress(self) -> Progress:
        manager = self.config.pluginmanager.getplugin("capturemanager")
        uncaptured = nullcontext if manager is None else manager.global_and_fixture_disabled
        return Progress(uncaptured, getattr(self.config, "workerinput", {}).get("workerid", ""))

    # --- collection ---------------------------------------------------------------------------------------------

    def known_regions(self) -> frozenset[str]:
        """Return the regions that ``--backgrounds`` brings masks for."""
        directory = self.run.settings.backgrounds
        if directory is None:
            return frozenset()
        from synnodtest.backgrounds.mask_names import mask_regions

        return mask_regions(directory)

    def check_detector(self, items: list[pytest.Item]) -> None:
        """Refuse to start without a detector, or with names to which nothing answers.

        Raises:
            pytest.UsageError: specs were collected, and ``--detector`` is missing or an option names nothing.
        """
        mine = [item for item in items if isinstance(item, ExpectationItem)]
        runs_nothing = self.config.option.collectonly or self.config.option.synnod_plan
        if mine and not self.config.option.collectonly and not self.is_worker:
            self._check_names()
        if not mine or runs_nothing or self.run.settings.detector:
            return
        files = ", ".join(sorted({str(item.case.spec.path) for item in mine}))
        raise pytest.UsageError(f"{USAGE.format(count=len(mine), files=files)}\n\n  try: {HINT}")

    def _check_names(self) -> None:
        from synnodtest.shell.named import faults_of_names

        faults = faults_of_names(self.run.settings)
        if faults:
            raise pytest.UsageError("\n".join(faults))

    def check_baseline(self) -> None:
        """Refuse to start with a baseline, a limit or a credibility report that cannot be used.

        Raises:
            pytest.UsageError: a file cannot be read, a limit cannot be understood, or there is nothing to limit.
        """
        settings = self.run.settings
        if settings.compare_fail and not settings.baseline:
            raise pytest.UsageError("--compare-fail needs --baseline: a second detector, or an earlier results.json")
        try:
            self._limits()
            _ = None if self.is_worker else self._earlier
            for path in settings.credibility:
                (read_transfer if is_transfer(path) else read_credibility)(path)
        except SynnodError as error:
            raise pytest.UsageError(str(error)) from None

    def _limits(self) -> tuple[Limit, ...]:
        return tuple(map(parse_limit, self.run.settings.compare_fail))

    def plan(self, items: list[pytest.Item]) -> list[str]:
        """Return the lines of the plan of all collected items."""
        from synnodtest.shell.plan import plan_lines

        return list(plan_lines(self.run, [item.case for item in items if isinstance(item, ExpectationItem)]))

    def begin(self, items: list[pytest.Item]) -> None:
        """Before the first scene: enter the run in the ledger, and in the record all that its specs hold."""
        cases = [item.case for item in items if isinstance(item, ExpectationItem)]
        if not cases:
            return
        for case in planned_cases(cases):
            self.run.fragment.add_planned(case)
        if getattr(self.config, "workerinput", {}).get("workerid", "gw0") == "gw0":
            from synnodtest.integrity import ledger

            settings, specs = self.run.settings, {case.spec.sha256 for case in cases}
            entry = partial(ledger.begin, specs=specs, seed=settings.seed, detector=settings.detector)
            self._enter(lambda: entry(self._ledger, self.run_id))

    @property
    def _ledger(self) -> Path:
        from synnodtest.integrity.ledger import FILE_NAME

        return self.run.settings.ledger or self.run.settings.root / FILE_NAME

    def _enter(self, write: Callable[[], None]) -> None:
        """Write into the ledger; where that cannot be done the run goes on, and terminal and record say so."""
        if self._unwritten:
            return
        try:
            write()
        except RecordError as error:
            self._unwritten = error.message
            told = {"id": self._ledger.name, "what": error.message, "impact": "this run is not in the ledger; "}
            told["impact"] += "--synnod-ledger FILE names another place"
            self.run.fragment.anomalies.append(told)
            self.config.issue_config_time_warning(pytest.PytestWarning(f"{told['what']}: {told['impact']}"), 2)

    # --- items --------------------------------------------------------------------------------------------------

    @cached_property
    def _waivers(self) -> Any:
        path = self.run.settings.waivers
        if path is None:
            return None
        from synnodtest.integrity.waivers import load_waivers

        return load_waivers(path)

    def waiver(self, case: Case) -> dict[str, Any] | None:
        """Return the waiver of a case as plain values with ``expired``, or None."""
        if self._waivers is None:
            return None
        found = self._waivers.find(case.node_id, case.behaviour.id)
        return None if found is None else found.as_dict()

    def say(self, node_id: str, sentence: str) -> None:
        """Keep a verdict's sentence for the terminal summary."""
        self.sentences.append((node_id, sentence))

    def meet_baseline(self, case: Case) -> None:
        """Show a case to the second detector, if there is one."""
        if self.second is not None:
            self.second.meet(case)

    def properties(self, case: Case) -> list[tuple[str, str]]:
        """Return JUnit properties of a judged case."""
        from synnodtest.exports.junit import properties

        fragment = self.run.fragment
        key = f"{case.spec.path.as_posix()}::{case.behaviour.id}"
        return properties(fragment.expectation(case.node_id), fragment.behaviours[key])

    def reproduce(self, case: Case) -> str:
        """Return the command that runs one item again, in the folder in which this run was started."""
        settings = self.run.settings
        item = f"{case.spec.path.as_posix()}::{case.behaviour.id}::{case.variant.id}"
        words = ["pytest", item, "--detector", settings.detector, "--synthesizer", settings.synthesizer]
        if settings.backgrounds is not None:
            words += ["--backgrounds", str(settings.backgrounds)]
        if settings.limit is not None:
            words += ["--synnod-limit", str(settings.limit)]
        if self.config.getoption("rootdir"):
            words += ["--rootdir", str(self.config.getoption("rootdir"))]
        return shlex.join([*words, "--synnod-seed", str(settings.seed)])

    def follow_up(self, node_id: str) -> list[str]:
        """Return the commands that replay and promote what a search found; none for other items."""
        entry = next((e for e in self.run.fragment.fuzzing if e.get("expectation_id") == node_id), None)
        if entry is None or not entry["trials"]:
            return []
        folder = os.path.relpath(self.run.settings.reports)
        where = "" if folder == "reports" else f" --reports {shlex.quote(folder)}"
        lines = [f"synnodtest replay {entry['id']}{where}"]
        confirmed = entry["status"] in ("FAILED", "ERROR")
        return [*lines, f"synnodtest promote {entry['id']}{where}"] if confirmed else lines

    def write_pictures(self, case: Case) -> None:
        """Write the gallery pictures of a judged case."""
        if self.run.ready and self.run.settings.pixels and case.node_id in self.run.fragment.expectations:
            from synnodtest.report.pictures import keep_for_exploring, write_pictures

            behaviour, campaign = self.run.behaviour(case), self.run.campaign
            write_pictures(self.run.fragment, case.node_id, behaviour, campaign, self.folder)
            keep_for_exploring(self.run.fragment, case.node_id, behaviour, campaign, self._explorable)

    def pictures(self, case: Case) -> list[tuple[str, Path]]:
        """Return caption and path of the first pictures of a judged case."""
        from synnodtest.shell.ci import pictures_of

        return pictures_of(self.run.fragment.gallery, case.node_id, self.folder)

    # --- the end ------------------------------------------------------------------------------------------------

    def hand_over(self) -> None:
        """In a worker: pass the record's fragment to the controller."""
        self.config.workeroutput["synnodtest"] = json.dumps(  # type: ignore[attr-defined]
            {
                "fragment": self.run.fragment.as_dict(),
                "baseline": None if self.second is None else self.second.fragment.as_dict(),
                "sentences": self.sentences,
                "stages": STAGES.as_dict(),
                "speed": self.run.earlier_speed,
            }
        )

    def take_over(self, text: str) -> None:
        """In the controller: take a worker's fragment."""
        data = json.loads(text)
        self.run.fragment.merge(data["fragment"])
        if self.second is not None and data["baseline"]:
            self.second.fragment.merge(data["baseline"])
        self.sentences += [tuple(pair) for pair in data["sentences"]]
        STAGES.merge(data["stages"])
        self.run.earlier_speed = (data["speed"][0], data["speed"][1])
        self._workers += 1

    def finish(self, interrupted: bool) -> None:
        """Write record, report and manifest, if anything of ours ran."""
        self.run.close()
        if self.is_worker:
            self.hand_over()
        elif self.run.fragment.expectations:
            from synnodtest.integrity import ledger
            from synnodtest.report.publish import publish

            try:
                how = "interrupted" if interrupted else "finished"
                self._enter(lambda: ledger.end(self._ledger, self.run_id, how))
                self.report = publish(self.run.fragment, self._facts(interrupted), self.folder)
                if self.run.settings.compare_fail:
                    held = self.record["comparison"]["limits"]
                    self.limits = [(one["kept"], one["sentence"]) for one in held]
            except SynnodError as error:
                self.trouble = f"the report could not be written: {error}"

    def _facts(self, interrupted: bool) -> RunFacts:
        from synnodtest.report.publish import RunFacts

        settings = self.run.settings
        return RunFacts(
            root=settings.root,
            run_id=self.run_id,
            command=settings.command,
            seed=settings.seed,
            interrupted=interrupted,
            limit=settings.limit,
            pixels=settings.pixels,
            waivers=tuple(w.as_dict() for w in self._waivers.entries) if self._waivers is not None else (),
            cache=settings.cache,
            baseline=self._earlier if self.second is None else self.second.as_record(),
            limits=self._limits(),
            credibility=settings.credibility,
            known_regions=self.known_regions(),
            options={
                "detector": settings.detector,
                "synthesizer": settings.synthesizer,
                "backgrounds": str(settings.backgrounds or ""),
                "report": os.path.relpath(self.folder, settings.root),
            },
            ledger=self._ledger,
            own=(settings.reports, settings.cache, self._ledger, settings.root / "replay", *self._written_by_pytest()),
        )

    def _written_by_pytest(self) -> list[Path]:
        named = (self.config.getoption(name, None) for name in ("xmlpath", "log_file"))
        return [Path(self.config.invocation_params.dir, path) for path in named if path]

    @cached_property
    def record(self) -> Mapping[str, Any]:
        """The finished record of this run; asked for after the report was written."""
        found: Mapping[str, Any] = record.read(self.folder)
        return found

    def times(self) -> Iterator[str]:
        """Yield what was done in which time and, where it is asked for, where the time went."""
        elapsed = time.perf_counter() - STAGES.started
        yield from filter(None, [taken_line(self.run.fragment.tally, self.run.earlier_speed, elapsed)])
        if self.config.option.synnod_profile:
            yield from profile_lines(STAGES, elapsed, self._workers)


def settings_of(config: pytest.Config) -> Settings:
    """Read the settings from pytest's options."""
    option, root = config.option, config.rootpath

    def folder(value: str | None, default: str) -> Path:
        return Path(value).expanduser() if value else root / default

    waivers = Path(option.synnod_waivers) if option.synnod_waivers else root / "waivers.yaml"
    return Settings(
        root=root,
        detector=option.detector or "",
        synthesizer=option.synthesizer,
        backgrounds=Path(option.backgrounds).expanduser() if option.backgrounds else None,
        baseline=option.baseline or "",
        compare_fail=tuple(option.compare_fail),
        reports=folder(option.synnod_report, "reports"),
        seed=option.synnod_seed,
        cache=folder(option.synnod_cache, ".synnodtest"),
        device=option.synnod_device,
        timeout_s=option.synnod_timeout,
        inconclusive=option.inconclusive,
        limit=option.synnod_limit,
        pixels=not option.synnod_no_pixels,
        credibility=tuple(Path(name).expanduser() for name in option.credibility),
        ledger=Path(option.synnod_ledger).expanduser() if option.synnod_ledger else None,
        waivers=waivers if option.synnod_waivers or waivers.is_file() else None,
        command=("pytest", *map(str, config.invocation_params.args)),
        executor=option.executor,
        conform="off" if option.synnod_plan else option.synnod_conform,
    )
