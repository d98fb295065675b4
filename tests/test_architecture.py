"""The house rules that would leak without a test: floors, light imports, the public namespace, forbidden packages."""

import ast
import functools
import re
import subprocess
import sys
import tomllib
import types
import typing
from pathlib import Path

import synnodtest

PACKAGE = Path(synnodtest.__file__).parent

FLOORS = [
    ["errors", "canonical", "identity", "finding", "geometry", "scene", "radiograph", "ports", "factories", "files"],
    ["matching", "perturbations", "statistics", "evidence", "radiograph_codec", "radiomics_features"],
    ["expectations", "checks"],
    ["spec"],
    ["planning", "forecast", "strategies"],
    ["backgrounds", "datasets", "synthesizers", "detectors", "store", "integrity", "shipped", "reference", "phantom"],
    ["engine", "fuzzing", "annotated"],
    ["record", "exports", "report", "training", "evaluation"],
    ["api", "studio", "shell", "pytest_plugin", "commands", "cli", "__main__"],
]
FLOORS[0] += [
    "registry",
    "threads",
    "class_names",
    "stages",
    "text_files",
    "csv_rows",
    "decoding",
    "quantiles",
    "counted",
    "grouping",
    "masks",
]
FLOORS[0] += ["devices", "memory", "source_files", "templates"]
FLOORS[1] += ["attenuation", "conspicuity", "grids", "mimics"]
"""Units of the package (modules and subpackages), lowest floor first; a unit imports its own floor and those below."""

FLOOR_OF = {unit: floor for floor, units in enumerate(FLOORS) for unit in units}

HEAVY = ["torch", "torchvision", "diffusers", "transformers", "ultralytics", "radiomics", "matplotlib", "pydicom"]
HEAVY += ["sklearn", "statsmodels", "onnxruntime", "openvino", "ray", "gradio", "pandas", "pyarrow", "cv2", "SimpleITK"]

LIGHT = ["synnodtest", "synnodtest.pytest_plugin", "synnodtest.detectors", "synnodtest.synthesizers"]
LIGHT += [
    "synnodtest.backgrounds",
    "synnodtest.datasets",
    "synnodtest.checks",
    "synnodtest.expectations",
    "synnodtest.engine",
    "synnodtest.report",
    "synnodtest.spec",
]
LIGHT += ["synnodtest.statistics", "synnodtest.perturbations", "synnodtest.training", "synnodtest.cli"]
LIGHT += ["synnodtest.api", "synnodtest.commands.plant", "synnodtest.commands.studio", "synnodtest.studio.serve"]


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def dotted(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def statements_of(path):
    """Return every statement of a file, those in functions too; expressions are ten times as many."""
    found = [ast.parse(path.read_text())]
    for node in found:
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            found += getattr(node, part, ())
    return found


class Told(typing.NamedTuple):
    """Imports, functions with their number of lines, texts that stand alone, and unexplained numbers of a file."""

    imports: list
    functions: list
    texts: list
    unexplained: list


@functools.cache
def told_of(path):
    """Return what the tests ask of a file; its tree is not kept: each look for garbage would go through all trees."""
    imports, functions, texts = [], [], []
    module, *others = statements_of(path)
    for node in others:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            imports += imported_by(node, path)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            functions.append((node.name, node.lineno, body_lines(node)))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            texts.append((node.value.value, node.lineno))
    return Told(imports, functions, texts, list(unexplained_in(module, path)))


def imported_by(node, path):
    if isinstance(node, ast.Import):
        return [(alias.name, node.lineno) for alias in node.names]
    base = node.module or ""
    if node.level:
        package = dotted(path) if path.name == "__init__.py" else dotted(path).rpartition(".")[0]
        parents = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*parents, base] if base else parents)
    return [(f"{base}.{alias.name}", node.lineno) for alias in node.names]


def imports_of(path):
    """Return every module that a file imports, function-level imports too, as (dotted name, line)."""
    return told_of(path).imports


def unit_of(name):
    parts = name.split(".")
    if parts[0] != "synnodtest" or len(parts) < 2:
        return None
    return parts[1] if (PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").exists() else None


def edges():
    for path in modules():
        importer = unit_of(dotted(path))
        for name, line in imports_of(path):
            imported = unit_of(name)
            if importer and imported and imported != importer:
                yield importer, imported, f"{path.relative_to(PACKAGE.parent)}:{line} imports {name}"


def test_every_module_and_subpackage_has_a_floor():
    units = {unit_of(dotted(path)) for path in modules()} - {None}
    assert units <= set(FLOOR_OF), f"name the floor of {sorted(units - set(FLOOR_OF))} in FLOORS"


def test_the_page_names_every_unit_on_its_floor():
    page = (PACKAGE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    told = {
        int(floor): re.findall(r"`(\w+)/?`", units) for floor, units in re.findall(r"\n\| (\d) [^|]+\|([^|]+)\|", page)
    }
    assert {floor: sorted(units) for floor, units in told.items()} == {
        floor: sorted(set(units) - {"__main__"}) for floor, units in enumerate(FLOORS)
    }


def test_no_floor_imports_a_higher_one():
    leaks = [where for importer, imported, where in edges() if FLOOR_OF.get(importer, 0) < FLOOR_OF.get(imported, 0)]
    assert leaks == []


def test_units_do_not_import_each_other_in_a_circle():
    graph = {}
    for importer, imported, _ in edges():
        graph.setdefault(importer, set()).add(imported)
    done = set()

    def visit(unit, trail):
        assert unit not in trail, " -> ".join([*trail[trail.index(unit) :], unit])
        if unit not in done:
            for imported in sorted(graph.get(unit, ())):
                visit(imported, [*trail, unit])
            done.add(unit)

    for unit in sorted(graph):
        visit(unit, [])


def test_modules_do_not_import_each_other_in_a_circle():
    """Imports within functions and for types alone count too."""
    paths = {dotted(path): path for path in modules()}

    def module_of(name):
        while name and name not in paths:
            name = name.rpartition(".")[0]
        return name

    graph = {name: {module_of(n) for n, _ in imports_of(path)} - {"", name} for name, path in paths.items()}
    while free := [name for name, wanted in graph.items() if not wanted]:
        for name in free:
            del graph[name]
        for wanted in graph.values():
            wanted.difference_update(free)
    assert sorted(graph) == []


def test_a_leak_would_be_seen(tmp_path):
    path = PACKAGE / "statistics" / "imaginary.py"
    tree = "def f():\n    from synnodtest.engine import Engine\nfrom .. import cli\nimport synnodtest.store as s\n"
    imaginary = type("P", (), {"read_text": lambda self: tree, "relative_to": path.relative_to, "name": path.name})()
    assert [name for name, _ in imports_of(imaginary)] == [
        "synnodtest.cli",
        "synnodtest.store",
        "synnodtest.engine.Engine",
    ]


def run_python(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=True
    ).stdout


def test_importing_the_plugin_and_the_packages_loads_nothing_heavy():
    code = f"""
import importlib, sys
heavy = set({HEAVY!r})
for name in {LIGHT!r}:
    importlib.import_module(name)
    for loaded in sorted(heavy & set(sys.modules)):
        print(name, "loads", loaded)
    heavy -= set(sys.modules)
"""
    assert run_python(code) == ""


def test_commands_that_read_no_spec_load_no_language_to_begin():
    code = """
import sys
from synnodtest.cli import _parsers
for command in ("report", "explore", "sbom", "sign", "verify", "conform", "pccp"):
    _parsers(command)
    print(*[(command, name) for name in ("synnodtest.spec.loader", "synnodtest.datasets") if name in sys.modules])
"""
    assert run_python(code).split() == []


def test_the_public_namespace_is_what_it_says():
    code = """
import types, synnodtest
print(*[name for name, value in vars(synnodtest).items() if not isinstance(value, types.ModuleType)])
"""
    public = {name for name in run_python(code).split() if not name.startswith("_")}
    assert public | {"__version__"} == set(synnodtest.__all__)
    assert sorted(synnodtest.__all__) == list(synnodtest.__all__)
    assert all(not isinstance(getattr(synnodtest, name), types.ModuleType) for name in synnodtest.__all__)


def test_only_the_measurement_of_features_imports_simpleitk():
    """It comes with pyradiomics alone; images are read by the package's own light readers."""
    found = [
        f"{dotted(path)}:{line}"
        for path in modules()
        for name, line in imports_of(path)
        if name.split(".")[0] == "SimpleITK" and dotted(path) != "synnodtest.radiomics_features"
    ]
    assert found == []


def test_the_makefile_installs_the_extras_all_and_dev():
    root = PACKAGE.parent
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    everything = set(re.search(r"\[(.*)\]", extras["all"][0]).group(1).split(",")) | {"dev"}
    installed = set(re.search(r"-e '\.\[(.*)\]'", (root / "Makefile").read_text()).group(1).split(","))
    assert installed | {"radiomics"} == everything


def body_lines(function):
    """Return the lines of a function from its first statement on, its docstring left out."""
    first, *rest = function.body
    said = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and bool(rest)
    return function.end_lineno - (rest[0] if said else first).lineno + 1


def test_no_function_is_long():
    long = [
        f"{path.relative_to(PACKAGE.parent)}:{line} {name} has {lines} lines"
        for path in modules()
        for name, line, lines in told_of(path).functions
        if lines > 60
    ]
    assert long == []


OPEN = re.compile(r"\b(?:dict|Mapping)\[str, Any\]")


def test_few_values_are_open():
    """Of ``dict[str, Any]`` nothing that is read is checked; ``JsonObject`` and dataclasses are."""
    found = sum(bool(OPEN.search(line)) for path in modules() for line in path.read_text().splitlines())
    assert found <= 120


RIDDLE = re.compile(r"(?:What|Who|Whether|Which|Where|How|Why)\b")


def test_docstrings_name_the_thing():
    """``Outcome of a search.``, not ``What came of it.``"""
    riddles = [
        f"{path.relative_to(PACKAGE.parent)}:{line} {text.splitlines()[0]}"
        for path in modules()
        for text, line in told_of(path).texts
        if RIDDLE.match(text)
    ]
    assert riddles == []


def is_number(node):
    """Return whether a node is built of numbers and names, with a number written out and no text."""
    if not isinstance(node, (ast.Constant, ast.UnaryOp, ast.BinOp, ast.Tuple)):
        return False
    written = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return any(type(value) in (int, float) for value in written) and not any(isinstance(v, str) for v in written)


def unexplained_in(module, path):
    """Yield the lines of a module's numeric constants with neither a docstring below nor a comment beside them."""
    lines = path.read_text().splitlines()
    for node, below in zip(module.body, [*module.body[1:], None], strict=True):
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not is_number(node.value):
            continue
        said = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if not said and "#" not in lines[node.end_lineno - 1]:
            yield f"{path.relative_to(PACKAGE.parent)}:{node.lineno} {lines[node.lineno - 1]}"


def test_numbers_chosen_by_hand_say_why():
    """``ROUNDS = 3`` alone tells nobody whether it was measured, taken from elsewhere, or may be changed."""
    assert [found for path in modules() for found in told_of(path).unexplained] == []


def test_a_bare_number_would_be_seen(tmp_path):
    text = 'BARE = 3\n\nSAID = 0.5\n"""Share, set by hand."""\nBESIDE = -1  # unknown\nTWO: tuple = (1, 2 * BARE)\n'
    path = tmp_path / "imaginary.py"
    path.write_text(text + 'FLAG = True\nNAMES = ("a", 1)\nMADE = f(3)\nLAST = 1 << 20\n')
    imaginary = type("P", (), {"read_text": lambda self: path.read_text(), "relative_to": lambda self, root: "p.py"})()
    assert told_of(imaginary).unexplained == [
        "p.py:1 BARE = 3",
        "p.py:6 TWO: tuple = (1, 2 * BARE)",
        "p.py:10 LAST = 1 << 20",
    ]
