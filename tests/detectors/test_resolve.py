from __future__ import annotations

import hashlib
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from synnodtest import Finding
from synnodtest.detectors import register_detector, registered_names, resolve_detector
from synnodtest.detectors import registry as registry_module
from synnodtest.detectors.resolve import check_named
from synnodtest.errors import DetectorError

PLAIN = """
from synnodtest import Finding

def factory():
    return lambda radiographs: [[Finding((1, 2, 3, 4), 0.5)] for _ in radiographs]
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a module that only this test sees; return its name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write_module(source: str) -> str:
        name = "subject_" + hashlib.sha256(f"{tmp_path}{source}".encode()).hexdigest()[:8]
        (tmp_path / f"{name}.py").write_text(source)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return write_module


def test_a_factory_of_a_module_without_dots(write, tmp_path, radiographs):
    name = write(PLAIN)
    detector = resolve_detector(f"{name}:factory", base=tmp_path)
    assert detector.detect(radiographs) == [[Finding((1.0, 2.0, 3.0, 4.0), 0.5)]] * 3
    assert detector.identity.name == f"{name}:factory"
    assert detector.identity.sha256 == hashlib.sha256((tmp_path / f"{name}.py").read_bytes()).hexdigest()


def test_a_factory_of_a_package_and_of_a_file(tmp_path, radiographs, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / "vendorpkg_a"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "inner.py").write_text(PLAIN)
    assert resolve_detector("vendorpkg_a.inner:factory", base=tmp_path).detect(radiographs[:1])[0][0].score == 0.5
    assert resolve_detector("vendorpkg_a/inner.py:factory", base=tmp_path).detect(radiographs[:1])[0][0].score == 0.5


def test_a_factory_two_folders_down_that_are_no_packages_by_a_file_of_theirs(tmp_path, radiographs, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / "vendor_src" / "models"
    folder.mkdir(parents=True)
    (folder / "inner.py").write_text(PLAIN)
    detector = resolve_detector("vendor_src.models.inner:factory", base=tmp_path)
    assert detector.detect(radiographs[:1])[0][0].score == 0.5


def test_a_factory_of_a_file_puts_no_folder_before_those_that_modules_are_sought_in(tmp_path):
    (tmp_path / "alone.py").write_text(PLAIN)
    before = list(sys.path)
    resolve_detector("alone.py:factory", base=tmp_path)
    assert sys.path == before


def test_an_object_with_detect_and_an_identity_mapping(write, tmp_path, radiographs):
    name = write(
        "class Vendor:\n    identity = {'name': 'vendor', 'version': '3'}\n"
        "    def detect(self, radiographs):\n        return [[] for _ in radiographs]\n"
    )
    detector = resolve_detector(f"{name}:Vendor", base=tmp_path)
    assert detector.detect(radiographs) == [[], [], []]
    assert (detector.identity.name, detector.identity.version) == ("vendor", "3")


def test_an_edited_detector_has_another_key(write, tmp_path):
    first = resolve_detector(f"{write(PLAIN)}:factory", base=tmp_path)
    second = resolve_detector(f"{write(PLAIN + '# edited')}:factory", base=tmp_path)
    assert first.identity.key() != second.identity.key()


def test_code_that_was_edited_after_it_was_imported_is_not_passed_off_as_the_new_one(write, tmp_path, radiographs):
    (tmp_path / "helper_of_edited.py").write_text("SCORE = 0.5\n")
    name = write("from helper_of_edited import SCORE\n" + PLAIN.replace("0.5", "SCORE"))
    before = resolve_detector(f"{name}:factory", base=tmp_path)
    assert resolve_detector(f"{name}:factory", base=tmp_path).identity == before.identity
    for edited, text in (("helper_of_edited", "SCORE = 0.7\n"), (name, PLAIN.replace("0.5", "0.75"))):
        (tmp_path / f"{edited}.py").write_text(text)
        with pytest.raises(DetectorError, match=f"{edited}.py was changed after this process had imported it"):
            resolve_detector(f"{name}:factory", base=tmp_path)
        importlib.reload(sys.modules["helper_of_edited"])
    importlib.reload(sys.modules[name])
    again = resolve_detector(f"{name}:factory", base=tmp_path)
    assert again.identity != before.identity
    assert again.detect(radiographs)[0][0].score == 0.75


SAVE = "from pathlib import Path; here = Path(__file__); here.write_text(here.read_text() + '# saved' + chr(10))"


@pytest.mark.parametrize("saved", [PLAIN.replace("():", f"():\n    {SAVE}", 1), f"{SAVE}\n{PLAIN}"])
@pytest.mark.parametrize("form", ["{}", "{}.py"])
def test_code_that_is_saved_while_it_loads_is_not_known_by_what_was_saved(write, tmp_path, saved, form):
    name = write(saved)
    with pytest.raises(DetectorError, match=f"{name}.py.* was changed (while|after)"):
        resolve_detector(f"{form.format(name)}:factory", base=tmp_path)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def factory(radiographs):\n    return []", r"(?s)requires the argument.*def make\(\): return factory"),
        ("def factory():\n    return 3", "no function and no object with detect"),
        ("def factory():\n    raise OSError('no licence')", "OSError: no licence"),
        ("import nothing_like_it\n", "nothing_like_it"),
        ("def other():\n    pass", "it has other"),
        ("syntax error here", "SyntaxError"),
        ("factory = 3", r"(?s)not a factory.*if factory is the detector itself.*def make\(\): return factory"),
    ],
)
def test_a_factory_that_is_no_factory_is_an_error(write, tmp_path, source, message):
    with pytest.raises(DetectorError, match=message):
        resolve_detector(f"{write(source)}:factory", base=tmp_path)


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(DetectorError, match="did you mean 'demo'"):
        resolve_detector("dmeo")


def test_no_name_lists_the_ways():
    with pytest.raises(DetectorError, match=r"best\.pt"):
        resolve_detector("  ")


@pytest.mark.parametrize(
    "text", ["missing.pt", "missing.json", "missing.csv", "no_such_module:factory", "gone.py:make"]
)
def test_what_is_not_there_is_an_error_that_names_it(text, tmp_path):
    with pytest.raises(DetectorError, match=text.partition(":")[0]):
        resolve_detector(text, base=tmp_path)


def test_a_registered_detector_answers_to_its_name_and_gets_its_argument(monkeypatch, radiographs):
    registry_module.load_all()  # what is registered from here on goes again
    found = registry_module.DETECTORS
    monkeypatch.setattr(found, "_registered", dict(found._registered))
    from synnodtest.detectors import CallableDetector
    from synnodtest.identity import Identity

    @register_detector("echo")
    def _echo(argument, options):
        return CallableDetector(lambda given: [[] for _ in given], Identity(f"{argument} on {options.device}"))

    assert "echo" in registered_names()
    assert resolve_detector("echo:hello", device="cuda").identity.name == "hello on cuda"
    with pytest.raises(ValueError, match="already registered"):
        register_detector("echo")(lambda argument, options: None)


def test_resolving_a_callable_loads_nothing_heavy(tmp_path):
    (tmp_path / "light.py").write_text(PLAIN)
    code = (
        "import sys\nfrom pathlib import Path\nfrom synnodtest.detectors import resolve_detector\n"
        f"resolve_detector('light:factory', base=Path({str(tmp_path)!r}))\n"
        "heavy = {'torch', 'ultralytics', 'onnxruntime', 'cv2', 'matplotlib', 'pydicom'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, timeout=60)


def test_the_demo_is_found_without_the_other_adapters():
    code = (
        "import sys\nfrom synnodtest.detectors.registry import find_factory\nassert find_factory('demo') is not None\n"
        "print(*[m for m in ('http', 'mutants', 'onnx', 'openvino') if f'synnodtest.detectors.{m}' in sys.modules])\n"
        "assert find_factory('mutant') is not None\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=root, capture_output=True, text=True)
    assert done.stdout.strip() == ""
    for name, module in registry_module._HOMES.items():
        found = registry_module.find_factory(name)
        assert found is not None
        assert found.__module__ == f"synnodtest.detectors.{module}"


def test_a_python_file_without_its_function_is_told_how_to_name_it(tmp_path):
    (tmp_path / "mine.py").write_text("def factory():\n    return lambda radiographs: [[] for _ in radiographs]\n")
    with pytest.raises(DetectorError, match=r"name its function: mine\.py:factory"):
        resolve_detector("mine.py", base=tmp_path)
    assert resolve_detector("mine.py:factory", base=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("best.engine", r"files of the type \.engine are not read"),
        ("best.mlpackage", r"files of the type \.mlpackage are not read"),
        ("folder.pt", "is a folder"),
        ("torchvision:fasterrcnn_resnet50_fpn:gone.pth", r"gone\.pth is not there"),
        ("https://example.org/models/best.pt", "address of weights"),
        ("s3://models/best.onnx", "address of weights"),
        ("localhost:8000/predict", "address of a kind that is not read"),
        ("HTTP://host/predict", "address of a kind that is not read"),
        ("unix:///run/detector.sock", "address of a kind that is not read"),
    ],
)
def test_weights_that_are_no_file_that_is_read_are_told_before_the_run(tmp_path, text, message):
    (tmp_path / "best.engine").write_bytes(b"x")
    (tmp_path / "best.mlpackage").mkdir()
    (tmp_path / "folder.pt").mkdir()
    with pytest.raises(DetectorError, match=message):
        check_named(text, tmp_path)


def test_a_folder_without_dicom_findings_is_told_before_the_run(tmp_path):
    pytest.importorskip("pydicom")
    (tmp_path / "saved_model").mkdir()
    (tmp_path / "saved_model" / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(DetectorError, match=r"no DICOM .* with findings is in this folder") as caught:
        check_named("saved_model", tmp_path)
    assert "a run is named by its own folder" not in caught.value.hint
    (tmp_path / "reports" / "20261129T081133Z-93a368").mkdir(parents=True)
    (tmp_path / "reports" / "20261129T081133Z-93a368" / "results.json").write_text("{}")
    with pytest.raises(DetectorError) as caught:
        check_named("reports", tmp_path)
    assert caught.value.hint.endswith("; a run is named by its own folder")


def test_a_folder_that_was_exported_for_openvino_is_no_folder_of_dicom_objects(tmp_path):
    folder = tmp_path / "best_openvino_model"
    folder.mkdir()
    (folder / "best.xml").write_text("<net/>")
    (folder / "metadata.yaml").write_text("task: detect\n")
    with pytest.raises(DetectorError, match=r"best\.xml cannot be loaded"):
        resolve_detector("best_openvino_model", base=tmp_path)
