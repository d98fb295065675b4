"""Spec file -> behaviour -> expectation, as pytest collectors and items."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from synnodtest.engine.judgement import Gathered
from synnodtest.errors import ExpectationFailed, SpecError, SynnodError
from synnodtest.evidence.ruling import Status
from synnodtest.fuzzing import FuzzGathered
from synnodtest.planning.cases import Case, variants_of
from synnodtest.planning.variants import Variant
from synnodtest.shell.gallery import attach_to_allure, html_extras
from synnodtest.shell.repeat_commands import follow_up, reproduce
from synnodtest.spec.loader import load_spec
from synnodtest.spec.model import Behaviour, Spec

if TYPE_CHECKING:
    from synnodtest.shell.session import Session


class SpecFile(pytest.File):
    """A YAML file whose top level holds the key ``synnodtest``."""

    synnod: Session

    def collect(self) -> Iterator[BehaviourNode | ExpectationItem]:
        """Yield the behaviours of the file."""
        path = Path(os.path.relpath(self.path))
        if "::" in self.nodeid:
            self.synnod.left_out[path.as_posix()] = None
            raise self.CollectError(f"{path}: pytest parts names at '::', and could name none of its items: rename it")
        try:
            spec = load_spec(path, known_regions=self.synnod.known_regions())
        except SpecError as error:
            self.synnod.left_out[path.as_posix()] = None
            raise self.CollectError(str(error)) from None
        for behaviour in spec.behaviours:
            node: BehaviourNode = BehaviourNode.from_parent(self, name=behaviour.id)
            node.spec, node.behaviour, node.synnod = spec, behaviour, self.synnod
            node.mark()
            yield node
            yield from node.named()


def outside(path: Path, root: Path) -> dict[str, Any]:
    """Return the node id of a spec that lies outside rootdir: its path as the command line takes it.

    pytest itself would leave such an id empty, and no command could name the item. Where the relative path is also one
    below rootdir, the id is the whole path, so that no two specs share one.
    """
    if path.resolve().is_relative_to(root.resolve()):
        return {}
    name = os.path.relpath(path)
    return {"nodeid": (path if (root / name).is_file() else Path(name)).as_posix()}


class BehaviourNode(pytest.Collector):
    """One behaviour: its expectations are the items."""

    spec: Spec
    behaviour: Behaviour
    synnod: Session

    def mark(self) -> None:
        """Turn gate and tags into markers, for ``-m``."""
        for name in (self.behaviour.gate, *self.behaviour.tags):
            self.config.addinivalue_line("markers", f"{name}: gate or tag of a synnodtest behaviour")
            self.add_marker(name)

    def collect(self) -> Iterator[ExpectationItem]:
        """Yield one item per expectation, stratum and operating point."""
        for variant in variants_of(self.behaviour):
            item: ExpectationItem = ExpectationItem.from_parent(self, name=variant.id)
            item.prepare(self.spec, self.behaviour, variant, self.synnod)
            yield item

    def named(self) -> Iterator[ExpectationItem]:
        """Yield the items of a behaviour with brackets in its id, as ``matrix`` makes it, that the command line names.

        pytest takes all that follows the first bracket of an argument for one name, that of a child of the file.
        """
        for item in self.collect() if "[" in self.name else ():
            item.name = f"{self.name}::{item.name}"
            if any(str(word).endswith(f"::{item.name}") for word in self.config.args):
                yield item


def cases_among(items: Iterable[pytest.Item]) -> list[Case]:
    """Return the cases of those items that are expectations; a test suite may hold others beside them."""
    return [item.case for item in items if isinstance(item, ExpectationItem)]


class Fault(pytest.fail.Exception):  # type: ignore[name-defined, misc]
    """A fault of the set-up, as pytest shows it: the message alone."""

    __module__ = "builtins"


class ExpectationItem(pytest.Item):
    """One expectation: evidence is gathered in setup (a fault is an error), judged in the call (misbehaviour fails)."""

    case: Case
    synnod: Session

    def prepare(self, spec: Spec, behaviour: Behaviour, variant: Variant, synnod: Session) -> None:
        """Tie the item to its expectation."""
        self.case = Case(self.nodeid, spec, behaviour, variant)
        self.synnod = synnod
        self.keywords.update({name: True for name in (*behaviour.requirement, *behaviour.hazard)})
        self._gathered: Gathered | None = None
        self._ended_in: BaseException | None = None
        self.verdict_word = ""

    def iter_markers_with_node(self, name: str | None = None) -> Iterator[tuple[Any, pytest.Mark]]:
        """Yield markers. A tag is not one that a plugin takes with arguments and asks for by name, as ``timeout``."""
        taken = any(line.startswith(f"{name}(") for line in self.config.getini("markers"))
        for node, mark in super().iter_markers_with_node(name):
            if not (taken and isinstance(node, BehaviourNode)):
                yield node, mark

    def setup(self) -> None:
        """Synthesize, detect and match. A fault ends in its message and its remedy, without a traceback.

        What did not pass stands, however often a plugin has the item run again until it does.
        """
        if isinstance(self._ended_in, (ExpectationFailed, pytest.xfail.Exception)):
            return
        if self._ended_in is not None:
            raise self._ended_in
        try:
            self._gathered = self.synnod.run.gather(self.case)
            if self.synnod.second is not None:
                self.synnod.second.meet(self.case)
        except SynnodError as error:
            self._ended_in = Fault(self._fault(error), pytrace=False)
            raise self._ended_in from None
        except Exception as error:
            self._ended_in = error
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # pytest.skip and its like, of somebody else's check, would leave out the item
            self._ended_in = Fault(f"{type(error).__name__}: {error}", pytrace=False)
            raise self._ended_in from error
        if isinstance(self._gathered, FuzzGathered) and self._gathered.interrupted:
            self.synnod.run.rule(self.case, self._gathered)
            raise KeyboardInterrupt

    def runtest(self) -> None:
        """Rule."""
        if self._ended_in is not None:
            raise self._ended_in
        assert self._gathered is not None
        waiver = self.synnod.waiver(self.case)
        judgement = self.synnod.run.rule(self.case, self._gathered, waiver)
        ruling = judgement.ruling
        self.verdict_word = str(ruling.status)
        self.user_properties += self.synnod.properties(self.case)
        if ruling.status is Status.PASSED:
            if waiver:
                self.warn(pytest.PytestWarning(f"waiver {waiver['id']} is no longer needed: {ruling.sentence}"))
            return
        waived = self.synnod.run.fragment.expectations[self.nodeid].waived
        if waived and not waived.expired and ruling.status is not Status.INVALID:
            self._xfail(waived.sentence)
        text = ruling.sentence
        if waived and waived.expired:
            text += f"\n{waived.sentence}"
        if ruling.status is Status.INCONCLUSIVE and self.synnod.run.settings.inconclusive == "xfail" and not waiver:
            self._xfail(ruling.sentence)
        self._ended_in = ExpectationFailed(text, ruling)
        raise self._ended_in

    def _xfail(self, reason: str) -> NoReturn:
        try:
            pytest.xfail(reason)
        except pytest.xfail.Exception as ended:
            self._ended_in = ended
            raise

    def teardown(self) -> None:
        """Draw the pictures of the report's gallery; what came to no verdict is told in JUnit properties, too."""
        self._gathered = None
        if not self.user_properties and self.nodeid in self.synnod.run.fragment.expectations:
            self.user_properties += self.synnod.properties(self.case)
        self.synnod.gallery.add(self.case)
        if self.verdict_word and self.config.pluginmanager.hasplugin("allure_listener"):
            attach_to_allure(self.shown, self.synnod.gallery.of(self.case))

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Verdict and numbers, for reports of other plugins."""
        return [(str(n), str(v)) for n, v in self.user_properties if str(n).startswith("synnodtest.")]

    def extras(self) -> list[Any]:
        """Return what pytest-html shows below the item; nothing where it was not judged."""
        return html_extras(self.shown, self.synnod.gallery.of(self.case)) if self.verdict_word else []

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the verdict, not a traceback; for faults the message and its remedy."""
        error = excinfo.value
        if isinstance(error, ExpectationFailed):
            behaviour = self.case.behaviour
            lines = [str(error), "", f"  behaviour   {behaviour.id}: {behaviour.statement}", self._where]
            if error.verdict is not None:
                lines.append(f"  criterion   {error.verdict.criterion}")
                lines += [f"  note        {note}" for note in error.verdict.notes]
            again = reproduce(self.case, self.synnod.run.settings, self.config.getoption("rootdir"))
            return "\n".join([*lines, f"  reproduce   {again}", *self._follow_up()])
        if isinstance(error, SynnodError):
            return self._fault(error)
        return super().repr_failure(excinfo, style)

    def _fault(self, error: SynnodError) -> str:
        return "\n".join([f"{type(error).__name__}: {error}", self._where, *self._follow_up()])

    @property
    def _where(self) -> str:
        return f"  spec        {self.case.spec.path}:{self.case.variant.expectation.line}"

    def _follow_up(self) -> list[str]:
        lines = follow_up(self.synnod.run.fragment, self.synnod.run.settings, self.nodeid)
        return [f"  {line.split()[1]:<10}  {line}" for line in lines]

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Return the YAML line, so that CI annotates it."""
        return self.path, self.case.variant.expectation.line - 1, f"{self.case.behaviour.id}: {self.case.variant.id}"
