"""The pytest shell of synnodtest: options and hooks; everything else is :class:`synnodtest.shell.session.Session`'s."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from synnodtest.shell.plain_import import import_plainly
from synnodtest.threads import share_threads

if TYPE_CHECKING:
    from synnodtest.planning.cases import Case
    from synnodtest.shell.scene_fixture import SceneFixture
    from synnodtest.shell.session import Session

KEY: pytest.StashKey[Session] = pytest.StashKey()


SUFFIXES = (".yaml", ".yml")
"""Of files that may be specs; ``synnodtest.spec``, which says so too, is not loaded for other test suites."""
_OURS = ("@", "--synnod-", "--synthesizer", "--detector", "--backgrounds", "--baseline", "--credibility", "--compare")
"""Options whose values pytest takes for test paths until this plugin is loaded, and files of options (``@ci.args``)."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of synnodtest."""
    import_plainly()
    from synnodtest.shell.options import add_options

    add_options(parser.getgroup("synnodtest", "synnodtest: behavioural specs for chest-radiograph nodule detectors"))


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Settle rootdir, and how threads wait before a conftest.py can load torch; other suites are left as they are."""
    if any(str(word).startswith(_OURS) for word in args):
        from synnodtest.shell.rootdir import settle

        settle(early_config, parser, args)
    if early_config.known_args_namespace.detector:
        share_threads()


def pytest_configure(config: pytest.Config) -> None:
    """Let this process plan, which collects where workers of ``-n`` would."""
    if config.option.synnod_plan:
        config.option.dist = "no"


def _session(config: pytest.Config) -> Session:
    """Return the one session object; made when the first spec is met, so that other test suites pay nothing."""
    from synnodtest.shell.session import Session

    if KEY not in config.stash:
        config.stash[KEY] = Session(config)
    return config.stash[KEY]


def _cases(items: Iterable[pytest.Item]) -> list[Case]:
    from synnodtest.shell.items import cases_among

    return cases_among(items)


@pytest.fixture(scope="session")
def synnod(request: pytest.FixtureRequest) -> SceneFixture:
    """Return the function that plants a scene of ``synnodtest.strategies``, runs the detector and matches."""
    mine = _session(request.config)
    if not mine.run.settings.detector:
        raise pytest.UsageError("the fixture 'synnod' needs a detector: pytest --detector best.pt")
    from synnodtest.shell.scene_fixture import SceneFixture

    return SceneFixture(mine.run.campaign)


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> None:
    """Tell of links that lead nowhere, which no file hook is shown; other test suites pay a look at the names."""
    for link in path.glob("*.[yY]*[lL]"):
        if link.suffix.lower() in SUFFIXES and link.is_symlink() and not link.exists():
            from synnodtest.spec.recognise import unread

            _left_out(parent, link, unread(link))


def _left_out(parent: pytest.Collector, path: Path, why: str) -> None:
    told = f"{path}: {why}, so that nobody can tell whether it is a spec: left out"
    _warn(parent.warn, told, parent.CollectError)


def _warn(warn: Callable[[pytest.PytestWarning], None], text: str, error: type[Exception]) -> None:
    """Warn; where warnings are errors, one without a traceback."""
    try:
        warn(pytest.PytestWarning(text))
    except pytest.PytestWarning:
        raise error(text) from None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect YAML files that are specs; leave all others alone, and copies that runs keep unless they are named."""
    if file_path.suffix.lower() not in SUFFIXES:
        return None
    from synnodtest.shell.items import SpecFile, outside
    from synnodtest.spec.recognise import is_spec, run_that_keeps, unread

    if why := unread(file_path):
        _left_out(parent, file_path, why)
    if why or not is_spec(file_path):
        return None
    run = run_that_keeps(file_path)
    named = (path for path in (file_path, *file_path.parents) if run is not None and path.is_relative_to(run))
    if run is not None and not any(parent.session.isinitpath(path) for path in named):
        return None
    file: SpecFile = SpecFile.from_parent(parent, path=file_path, **outside(file_path, parent.config.rootpath))
    file.synnod = _session(parent.config)
    return file


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, Any, Any]:
    """Note what -k, -m, a conftest.py and their like take out: a specification of which none runs is told of."""
    collected = list(items)
    result = yield
    if KEY in config.stash:
        left = set(items)
        config.stash[KEY].leave_out(_cases(item for item in collected if item not in left))
    return result


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run specs without a detector, and say where a detector was named and no spec is there to run."""
    if KEY in session.config.stash:
        session.config.stash[KEY].check(_cases(session.items))
    elif session.config.option.detector and not (
        session.testsfailed or any("synnod" in getattr(i, "fixturenames", ()) for i in session.items)
    ):
        message = (
            "no spec was collected, so that nothing is said of --detector: name their folder, such as pytest specs"
        )
        _warn(lambda told: session.config.issue_config_time_warning(told, 4), message, pytest.UsageError)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Print the plan instead of running, with ``--synnod-plan``; else note what is to run."""
    if KEY not in session.config.stash:
        return None
    option = session.config.option
    if not option.synnod_plan:
        mine = session.config.stash[KEY]
        goes_on = option.continue_on_collection_errors or mine.is_worker or not session.testsfailed
        if goes_on and not option.collectonly:
            mine.begin(_cases(session.items))
        return None
    from synnodtest.shell.plan import plan_lines

    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    for line in list(plan_lines(session.config.stash[KEY].run, _cases(session.items))):
        (reporter.write_line if reporter else print)(line)
    return True


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Refuse options that the workers of ``-n`` would stumble over, before the first of them is there."""
    if config.option.detector:
        _session(config).check_options()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give every worker of ``-n`` the run's id."""
    node.workerinput["synnodtest_run_id"] = _session(node.config).run_id


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the items of a behaviour on one worker, so that no scene is made twice; the user's ``--dist`` wins."""
    if not config.option.detector or config.getvalue("dist") != "load":
        return None
    from synnodtest.shell.workers import BehaviourScheduling

    return BehaviourScheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """Take over what a worker ruled."""
    text = getattr(node, "workeroutput", {}).get("synnodtest")
    if text:
        from synnodtest.shell.workers import take_over

        take_over(_session(node.config), text)


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(crashitem: str, sched: Any) -> None:
    """Note the item that a worker died of; another worker may judge it again, and that it died must stand."""
    mine = sched.config.stash.get(KEY, None)
    if mine is not None:
        mine.died_of.append(crashitem)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> Generator[None, None, None]:
    """Write the report, after the terminal's summary: this is the outermost of all hooks of that name."""
    mine = session.config.stash.get(KEY, None)
    if mine is None:
        return (yield)
    mine.close(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)
    if mine.is_worker:
        from synnodtest.shell.workers import hand_over

        hand_over(mine)
    try:
        yield
    finally:  # a file that another plugin cannot write, such as that of --junitxml, does not cost the report
        _publish(mine, session)


def _publish(mine: Session, session: pytest.Session) -> None:
    """Write the report, say what is known once it is there, and let what nobody else counts fail the run."""
    mine.publish()
    from synnodtest.shell.terminal import write_end

    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if session.exitstatus == pytest.ExitCode.OK and not mine.is_worker:
        mine.miss()
    write_end(mine, reporter)
    if mine.trouble:
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
    elif (mine.exceeded or mine.hidden) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    elif mine.idle and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
    if len(_cases(session.items)) == len(session.items):
        from synnodtest.shell.garbage import spare_the_last_search

        spare_the_last_search()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Note the verdict on the report, which travels from workers too."""
    report = yield
    if call.when == "call":
        report.synnod_status = getattr(item, "verdict_word", "")
    if call.when == "teardown" and hasattr(item, "verdict_word") and item.config.pluginmanager.hasplugin("html"):
        report.extras = [*getattr(report, "extras", []), *getattr(item, "extras", list)()]
    return report


def pytest_report_teststatus(report: Any) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Give INCONCLUSIVE a letter, a word and a colour of its own."""
    if not getattr(report, "synnod_status", ""):
        return None
    from synnodtest.shell.terminal import letter_of

    return letter_of(report)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the verdicts."""
    mine = terminalreporter.config.stash.get(KEY, None)
    if mine is not None:
        from synnodtest.shell.terminal import write_summary

        write_summary(mine, terminalreporter)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Print the path of the report as the last line."""
    mine = config.stash.get(KEY, None)
    if mine is not None and not mine.is_worker:
        from synnodtest.shell.terminal import write_last

        write_last(mine.report, config.pluginmanager.getplugin("terminalreporter"))
