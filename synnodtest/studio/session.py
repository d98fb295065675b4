"""One person at the page: a case, nodules asked for, what was made of them. Knows nothing of a page."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synnodtest.api.comparison import Compared, compared
from synnodtest.api.planting import Request
from synnodtest.backgrounds.entries import Entry
from synnodtest.backgrounds.reading import Given
from synnodtest.backgrounds.writers import write
from synnodtest.engine import Unplaced
from synnodtest.engine.acceptance import rejection
from synnodtest.errors import InvalidEvidence, SynnodError
from synnodtest.evidence.trial import Trial
from synnodtest.geometry import BoolArray, Box
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Scene
from synnodtest.studio.bench import Bench
from synnodtest.studio.case import Case, Catalogue, case_of_file, case_of_radiograph
from synnodtest.studio.explore import Exploration
from synnodtest.studio.spec_text import Named, entry_of, written

Findings = Sequence[tuple[Box, float]]

EXPORTS: Mapping[str, tuple[str, int | None]] = {
    "PNG, 16 bits": (".png", 16),
    "PNG, 8 bits": (".png", 8),
    "MHA": (".mha", None),
    "DICOM secondary capture": (".dcm", None),
}
"""Label -> suffix and bits (None: as the source)."""


@dataclass(frozen=True, eq=False)
class Result:
    """Result of a scene.

    Args:
        before: Untouched.
        after: With the nodules.
        scene: The recipe.
        findings: By detector, surest first.
        rows: Per nodule, requested against realised.
        rejected: Why a run would exclude the scene; empty if accepted.
        sham: Whether it is the same edit without a nodule.
    """

    before: Radiograph
    after: Radiograph
    scene: Scene
    findings: Mapping[str, Findings]
    rows: Sequence[Sequence[Compared]]
    rejected: str
    sham: bool


class Session:
    """Work of one browser tab; everything of it lies in ``folder`` and goes with it.

    Args:
        folder: A folder of its own, made on demand.
        bench: Models, shared.
        catalogue: What can be picked, shared.
    """

    def __init__(self, folder: Path, bench: Bench, catalogue: Catalogue) -> None:
        self.folder = folder
        self.bench = bench
        self.catalogue = catalogue
        self.case: Case | None = None
        self.requests: dict[str, Request] = {}
        self.selected = ""
        self.synthesizer = bench.synthesizers[0]
        self.detectors: tuple[str, ...] = tuple(bench.detectors[:2])
        self.sham = False
        self.result: Result | None = None
        self.exploration: Exploration | None = None
        self.cancelled = threading.Event()
        self.closed = False
        self.at_work = 0
        self._cases = 0
        self._exports = 0

    # --- the radiograph ---------------------------------------------------------------------------------------------

    def open_file(self, source: Path, name: str, spacing_mm: tuple[float, float] | None) -> Case:
        """Take an uploaded file as the case; ``spacing_mm`` is ``(row, column)`` of a pixel.

        Raises:
            BackgroundError: it cannot be used; what was open before stays.
        """
        return self._opened(case_of_file(self._new_folder(), Entry(name, source, given=Given(spacing_mm)), name))

    def pick(self, label: str) -> Case:
        """Take a film or phantom of the catalogue as the case."""
        entry = self.catalogue.film(label)
        if entry is None:
            name = label.replace(" ", "-")
            return self._opened(case_of_radiograph(self._new_folder(), self.catalogue.phantom(label), name))
        return self._opened(case_of_file(self._new_folder(), entry, entry.path.name))

    def paint(self, region: str, mask: BoolArray) -> Case:
        """Add a painted region, such as an air leak, to the case."""
        self.case = self.opened.with_region(region, mask)
        self.result = self.exploration = None
        return self.case

    @property
    def opened(self) -> Case:
        """The case.

        Raises:
            SynnodError: none is open.
        """
        if self.case is None:
            raise SynnodError("no radiograph is open", hint="open a file or pick one first")
        return self.case

    def _new_folder(self) -> Path:
        self._cases += 1
        return self.folder / f"case-{self._cases}"

    def _opened(self, case: Case) -> Case:
        self.case, self.requests, self.selected = case, {}, ""
        self.result = self.exploration = None
        return case

    # --- nodules ----------------------------------------------------------------------------------------------------

    def add(self, box: Box) -> Request:
        """Add a nodule at a box and select it.

        Raises:
            SynthesizerError: the box leaves the radiograph or is empty.
        """
        number = next(n for n in range(1, len(self.requests) + 2) if _name(n) not in self.requests)
        request = Request(box, name=_name(number), seed=number)
        request.nodule(self.opened.radiograph)
        self.requests[request.name] = request
        self.selected = request.name
        return request

    def change(self, name: str, **values: Any) -> Request:
        """Change a nodule.

        Raises:
            SynthesizerError: its new box leaves the radiograph.
            SynnodError: there is no such nodule.
        """
        request = replace(self.request(name), **values)
        request.nodule(self.opened.radiograph)
        self.requests[name] = request
        return request

    def remove(self, name: str) -> None:
        """Take a nodule away; another one is selected."""
        self.request(name)
        del self.requests[name]
        self.selected = next(reversed(self.requests), "")

    def request(self, name: str) -> Request:
        """Return a nodule by its name.

        Raises:
            SynnodError: there is none.
        """
        if name not in self.requests:
            what = f"there is no nodule {name!r}" if name else "there is no nodule yet"
            raise SynnodError(what, hint="draw a box first")
        return self.requests[name]

    # --- the result -------------------------------------------------------------------------------------------------

    def text(self, kind: str, *values: Any) -> str:
        """Return the present scene, or what is done with the selected nodule, as a spec: see ``spec_text.written``.

        Raises:
            SynnodError: there is no nodule, or no air leak to plant in.
        """
        named, radiograph = self._named, self.opened.radiograph
        if kind == "leak" and "air_leak" not in radiograph.regions:
            raise SynnodError("this radiograph has no air leak", hint="paint one on it first")
        entries = {name: entry_of(request, radiograph) for name, request in self.requests.items()}
        if not entries:
            raise SynnodError("there is no nodule yet", hint="draw a box on the radiograph, or press b on it")
        nodules = [*entries.values()]
        named = replace(named, nodules=nodules, nodule=entries.get(self.selected, nodules[0]))
        return written(kind, named, *values)

    @property
    def _named(self) -> Named:
        return Named(self.opened.file, self.detectors[0], self.synthesizer)

    def text_of(self, what: str) -> str:
        """Return the spec of the scene, of an explicit example (``fuzz``), or of the last exploration.

        Raises:
            SynnodError: there is none yet.
        """
        if what in ("scene", "fuzz"):
            return self.text(what)
        if self.exploration is None or self.exploration.kind != what:
            raise SynnodError(f"no {what} was run yet", hint="run it on the tab Explore")
        return self.exploration.text

    def plant(self) -> Result:
        """Make the nodules that are asked for and show them to the detectors.

        Raises:
            SynnodError: nothing is asked for, or synthesizer or detector failed.
        """
        with self.working():
            case, text = self.opened, self.text("scene")
            engine = self._engine(self.detectors[0])
            behaviour = self.bench.behaviour(text, case.folder / "scene.yaml", case)
            (planted,) = self.bench.planted(engine, behaviour)
            if isinstance(planted, Unplaced):
                raise InvalidEvidence(planted.reason)
            scene, before = planted.scene, case.radiograph
            after = self.bench.radiograph(engine, scene, sham=self.sham)
            findings = {name: self.bench.findings(after, name) for name in self.detectors}
        rows = [] if self.sham else [compared(before, after, truth) for truth in after.nodules]
        rejected = rejection(before, after, sham=self.sham)
        self.result = Result(before, after, scene, findings, rows, rejected, self.sham)
        return self.result

    def _engine(self, detector: str) -> Any:
        return self.bench.engine(self.opened, self.synthesizer, detector, self.folder / "store")

    def export(self, kind: str, *, size: int | None, mark: bool) -> Path:
        """Write the result (the untouched radiograph where there is none) and return the file.

        Raises:
            SynnodError: the kind is not known or nothing is open.
        """
        if kind not in EXPORTS:
            raise SynnodError(f"{kind!r} is not written", hint=f"one of {', '.join(EXPORTS)}")
        suffix, bits = EXPORTS[kind]
        radiograph = self.result.after if self.result is not None else self.opened.radiograph
        stem = Path(self.opened.file).stem + ("-synthetic" if radiograph.nodules else "")
        self._exports += 1
        folder = self.folder / f"export-{self._exports}"
        folder.mkdir(parents=True)
        return write(radiograph, folder / f"{stem}{suffix}", bits=bits, size=size, mark=mark)

    def python_text(self) -> str:
        """Return the lines of Python that make the present result's very nodules."""
        if self.result is None:
            raise SynnodError("nothing was made yet", hint="synthesize first")
        y, x = (f"{mm:.6g}" for mm in self.opened.radiograph.spacing_mm)
        nodules = [
            {
                name: dict(value) if name == "radiomics" else value
                for name, value in vars(nodule).items()
                if value not in ((), None, "")
            }
            for nodule in self.result.scene.nodules
        ]
        return written("python", self._named, x if x == y else f"({x}, {y})", nodules)

    # --- exploring --------------------------------------------------------------------------------------------------

    def explore(self, kind: str, title: str, text: str, detector: str) -> Iterator[Exploration]:
        """Run an exploration's spec; yield what has come of it after every few scenes, until done or cancelled.

        Args:
            kind: ``sweep``, ``map``, ``companion`` or ``leak``.
            title: In words.
            text: The spec.
            detector: Whose confidence is shown.
        """
        self.cancelled.clear()
        with self.working():
            case, engine = self.opened, self._engine(detector)
            behaviour = self.bench.behaviour(text, case.folder / f"{kind}.yaml", case)
            exploration = Exploration(kind, title, detector, text, self.bench.count(engine, behaviour))
            self.exploration = exploration
            for planted in self.bench.planted(engine, behaviour):
                if isinstance(planted, Unplaced):
                    exploration.unplaced.append(planted.reason)
                else:
                    exploration.add(planted)
                if self.cancelled.is_set() or self.closed:
                    exploration.cancelled = True
                    break
                yield exploration
            yield exploration

    def picture_of(self, trial: Trial) -> Radiograph:
        """Return the pixels of one scene of the exploration."""
        assert self.exploration is not None
        return self.bench.radiograph(self._engine(self.exploration.detector), replace(trial.scene, sham=False))

    # --- the end ----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Count the work that is under way, and remove what it wrote where it outlasted the session."""
        self.at_work += 1
        try:
            yield
        finally:
            self.at_work -= 1
            if self.closed:
                self.close()

    def close(self) -> None:
        """Stop what is running and remove everything of the session from disk."""
        self.closed = True
        self.cancelled.set()
        shutil.rmtree(self.folder, ignore_errors=True)


def _name(number: int) -> str:
    return "nodule" if number == 1 else f"nodule-{number}"
