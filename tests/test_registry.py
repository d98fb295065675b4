"""The registry behind detectors, synthesizers, formats, expectations, claims, sections and perturbations."""

import pkgutil
import sys
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from synnodtest.errors import DetectorError, SynnodError
from synnodtest.registry import Registry
from synnodtest.report.order import ORDER
from tests.test_architecture import imports_of, modules

GROUP = "colours"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A package with one module that brings a thing and one that brings none."""
    made = tmp_path / "paints"
    made.mkdir()
    (made / "__init__.py").write_text("")
    (made / "red.py").write_text("KIND = 'ff0000'\n")
    (made / "brush.py").write_text("HAIR = 'pig'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import paints

    yield paints
    for name in [name for name in sys.modules if name.split(".")[0] == "paints"]:
        del sys.modules[name]


@pytest.fixture
def installed(monkeypatch):
    """A function that installs entry points."""

    def install(**points):
        found = EntryPoints(EntryPoint(name, value, GROUP) for name, value in points.items())
        monkeypatch.setattr("synnodtest.registry._installed", lru_cache(lambda path: found))

    return install


def test_modules_decorators_and_installed_packages_bring_things(folder, installed):
    installed(digits="string:digits")
    paints = Registry("paint", group=GROUP, folder=folder)
    paints.register("green")("00ff00")
    assert paints.all() == {"red": "ff0000", "digits": "0123456789", "green": "00ff00"}
    assert paints.names() == ["digits", "green", "red"]
    assert [paints.find(name) for name in ("red", "digits", "green", "blue")] == [
        "ff0000",
        "0123456789",
        "00ff00",
        None,
    ]


def test_asking_for_one_loads_no_other(folder, installed):
    installed(broken="no_such_module:thing", digits="string:digits")
    paints = Registry("paint", group=GROUP, folder=folder, error=DetectorError)
    assert paints.find("digits") == "0123456789"
    assert paints.names() == ["broken", "digits", "red"]
    with pytest.raises(DetectorError, match=r"paint 'broken': its entry point 'no_such_module:thing' cannot be loaded"):
        paints.find("broken")


def test_an_installed_one_may_not_take_a_name(folder, installed):
    installed(red="string:digits")
    with pytest.raises(SynnodError, match="paint 'red' of string:digits has the name of another"):
        Registry("paint", group=GROUP, folder=folder).all()


def test_two_modules_of_a_folder_may_not_bring_one_name(folder):
    """The later one would take the place of the other, and nobody would be told."""
    (Path(folder.__path__[0]) / "scarlet.py").write_text("KIND = 'ff2400'\n")
    paints = Registry("paint", folder=folder, name=lambda paint: paint[:2])
    with pytest.raises(SynnodError, match=r"scarlet\.py: a paint named 'ff' is there already"):
        paints.all()


@pytest.mark.parametrize(
    ("folder", "constant"),
    [
        ("expectations.kinds", "KIND"),
        ("expectations.claims", "CLAIM"),
        ("perturbations.kinds", "KIND"),
        ("mimics.kinds", "KIND"),
        ("backgrounds.formats", "FORMAT"),
        ("report.sections", "SECTION"),
    ],
)
def test_each_module_of_a_folder_brings_something_or_is_used_by_another(folder, constant):
    """A slip in the constant's name would leave it out, and nobody would be told."""
    package = import_module(f"synnodtest.{folder}")
    naming = [path for path in modules() if folder.rpartition(".")[2] in f"{path.parent.name} {path.read_text()}"]
    used = {name.rpartition(".")[0] for path in naming for name, _ in imports_of(path)}
    used |= {f"synnodtest.report.sections.{key}" for key in ORDER}
    found = [f"{package.__name__}.{module.name}" for module in pkgutil.iter_modules(package.__path__)]
    assert [name for name in found if name not in used and not hasattr(import_module(name), constant)] == []


def test_a_name_is_registered_once_unless_it_is_meant_anew():
    paints = Registry("paint")
    paints.register("red")("one")
    with pytest.raises(ValueError, match="a paint named 'red' is already registered"):
        paints.register("red")("two")
    assert paints.all() == {"red": "one"}
    paints.register("red", anew=True)("two")
    assert paints.all() == {"red": "two"}


def test_what_an_entry_point_names_is_looked_at(installed):
    installed(digits="string:digits")

    def accept(entry, made):
        raise SynnodError(f"{entry.value} is no paint")

    with pytest.raises(SynnodError, match="string:digits is no paint"):
        Registry("paint", group=GROUP, accept=accept).find("digits")
