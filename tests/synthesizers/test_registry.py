"""What ``--synthesizer`` can name."""

import hashlib
import textwrap
from functools import lru_cache
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest

from synnodtest import Radiograph, Scene, SynnodError, SynthesizerError
from synnodtest.synthesizers import GaussianSynthesizer, known_synthesizers, register_synthesizer, registry
from synnodtest.synthesizers import resolve_synthesizer as resolve

BLANK = Radiograph(pixels=np.zeros((8, 8), np.float32), spacing_mm=(1.0, 1.0))

MODULE = """
from synnodtest import Nodule

def echo():
    return lambda scenes, backgrounds: list(backgrounds)

class Named:
    identity = {"name": "named", "version": "3", "configuration": {"a": 1}}
    sham_is_identity = True
    def synthesize(self, scenes, backgrounds):
        return list(backgrounds)

class Malformed(Named):
    identity = {"version": "3"}

class Misspelt(Named):
    identity = {"name": "x", "versoin": "3"}

def short():
    return lambda scenes, backgrounds: []

def wants(folder):
    return None

def raises():
    raise RuntimeError("no licence")

def skips():
    import pytest

    pytest.skip("no GPU")


def leaves():
    raise SystemExit(0)

def nothing():
    return 3

number = 3
"""


@pytest.fixture
def user(tmp_path):
    path = tmp_path / "user_synthesizers.py"
    path.write_text(textwrap.dedent(MODULE))
    return tmp_path


def test_gaussian_is_built_in():
    assert isinstance(resolve("gaussian"), GaussianSynthesizer)
    assert {"gaussian", "diffusion", "ct-patch"} <= set(known_synthesizers())


def test_gaussian_takes_no_argument():
    with pytest.raises(SynthesizerError, match="takes no argument, not 'x'"):
        resolve("gaussian:x")


@pytest.mark.parametrize(
    ("typed", "meant"), [("gausian", "gaussian"), ("difusion", "diffusion"), ("ctpatch", "ct-patch")]
)
def test_a_misspelt_name_is_answered_with_the_nearest(typed, meant):
    with pytest.raises(SynthesizerError, match=f"did you mean '{meant}'"):
        resolve(typed)


def test_a_name_unlike_any_is_answered_with_all_of_them():
    with pytest.raises(SynthesizerError, match=", ".join(known_synthesizers())):
        resolve("zzzzz")
    with pytest.raises(SynthesizerError, match="no synthesizer is named"):
        resolve("  ")


@pytest.mark.parametrize("text", ["user_synthesizers:echo", "user_synthesizers.py:echo"])
def test_a_users_factory_is_called_and_known_by_its_source(user, text):
    synthesizer = resolve(text, base=user)
    (made,) = synthesizer.synthesize([Scene("b")], [BLANK])
    assert made.content_sha256() == BLANK.content_sha256()
    assert synthesizer.identity.name == text
    assert synthesizer.identity.sha256 == hashlib.sha256((user / "user_synthesizers.py").read_bytes()).hexdigest()
    assert not synthesizer.sham_is_identity


def test_a_declared_identity_and_sham_are_taken_over(user):
    synthesizer = resolve("user_synthesizers.py:Named", base=user)
    assert (synthesizer.identity.name, synthesizer.identity.version) == ("named", "3")
    assert synthesizer.identity.configuration == {"a": 1}
    assert synthesizer.sham_is_identity


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Malformed", "at least a 'name'"),
        ("Misspelt", r"unknown key\(s\) versoin"),
        ("wants", r"requires the argument\(s\) folder"),
        ("raises", "raised RuntimeError: no licence"),
        ("leaves", "raised SystemExit: 0"),
        ("skips", "raised Skipped: no GPU"),
        ("nothing", "returned int, neither a function"),
        ("number", "'number' is int, not a factory"),
        ("absent", "has no 'absent'"),
    ],
)
def test_a_factory_that_cannot_be_used_is_an_error_that_names_it(user, name, message):
    with pytest.raises(SynthesizerError, match=message) as raised:
        resolve(f"user_synthesizers.py:{name}", base=user)
    assert f"user_synthesizers.py:{name}" in str(raised.value)


def test_modules_that_are_absent_or_broken_are_errors(tmp_path):
    for fault, told in (
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("import pytest; pytest.xfail()", "XFailed"),
    ):
        (tmp_path / f"broken_{told}.py").write_text(fault)
        with pytest.raises(SynthesizerError, match=f"raised {told}"):
            resolve(f"broken_{told}.py:x", base=tmp_path)
    with pytest.raises(SynthesizerError, match="no module named 'no_such_module_at_all'"):
        resolve("no_such_module_at_all:x", base=tmp_path)
    with pytest.raises(SynthesizerError, match=r"absent\.py is not there"):
        resolve("absent.py:x", base=tmp_path)


def test_a_function_that_returns_too_little_is_an_error(user):
    with pytest.raises(SynthesizerError, match="returned 0 results"):
        resolve("user_synthesizers.py:short", base=user).synthesize([Scene("b")], [BLANK])


@pytest.mark.parametrize("text", ["diffusion:absent", "ct-patch:absent"])
def test_a_model_or_folder_that_is_absent_is_an_error_that_names_it(tmp_path, text):
    with pytest.raises(SynnodError, match="absent is not there"):
        resolve(text, base=tmp_path)


def test_ct_patch_needs_a_folder():
    with pytest.raises(SynthesizerError, match="needs the folder"):
        resolve("ct-patch")


def test_a_third_party_registers_by_entry_point(monkeypatch):
    points = EntryPoints(
        [
            EntryPoint("third", "synnodtest.synthesizers.registry:_gaussian", registry.ENTRY_POINT_GROUP),
            EntryPoint("gone", "no_such_module_at_all:factory", registry.ENTRY_POINT_GROUP),
        ]
    )
    monkeypatch.setattr("synnodtest.registry._installed", lru_cache(lambda path: points))
    assert isinstance(resolve("third"), GaussianSynthesizer)
    assert "third" in known_synthesizers()
    with pytest.raises(SynthesizerError, match="entry point 'no_such_module_at_all:factory' cannot be loaded"):
        resolve("gone")


def test_a_name_can_be_registered_once(monkeypatch):
    monkeypatch.setattr(registry.SYNTHESIZERS, "_registered", dict(registry.SYNTHESIZERS._registered))

    @register_synthesizer("mine")
    def mine(argument, options):
        return GaussianSynthesizer(edge=float(argument))

    assert resolve("mine:0.5").identity.configuration == {"edge": 0.5}
    with pytest.raises(ValueError, match="already registered"):
        register_synthesizer("mine")(lambda argument, options: GaussianSynthesizer())
