"""``--synthesizer TEXT`` -> a synthesizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from synnodtest.errors import SynthesizerError, likely
from synnodtest.factories import Loader
from synnodtest.identity import Identity
from synnodtest.ports import Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.registry import Options, Registry
from synnodtest.scene import Scene
from synnodtest.shipped import shipped_model
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from synnodtest.threads import wait_asleep

ENTRY_POINT_GROUP = "synnodtest.synthesizers"

Synthesize = Callable[[Sequence[Scene], Sequence[Radiograph]], list[Radiograph]]


Factory = Callable[[str, Options], Synthesizer]
"""``factory(argument, options) -> Synthesizer``; ``argument`` is what follows ``name:``, or the empty string."""

SYNTHESIZERS: Registry[Factory] = Registry("synthesizer", group=ENTRY_POINT_GROUP, error=SynthesizerError)


class FunctionSynthesizer:
    """A synthesizer that is a plain function.

    Args:
        function: ``(scenes, backgrounds) -> radiographs``, one per scene, in order, each with its truth.
        identity: Who it is; part of every cache key.
        sham_is_identity: Whether an edit without a nodule leaves the radiograph as it is.
        lesions: What it draws beside nodules: ``mass``, ``consolidation``.

    Attributes:
        may_change_unseen: Whether the identity says nothing of the weights, since no ``sha256`` was declared.
    """

    may_change_unseen = False

    def __init__(
        self, function: Synthesize, identity: Identity, *, sham_is_identity: bool = False, lesions: Sequence[str] = ()
    ) -> None:
        self._function, self.identity = function, identity
        self.sham_is_identity = sham_is_identity
        self.lesions = tuple(lesions)

    def synthesize(self, scenes: Sequence[Scene], backgrounds: Sequence[Radiograph]) -> list[Radiograph]:
        """Return one radiograph per scene, in order, with its truth.

        Raises:
            SynthesizerError: the function returned something other than one radiograph per scene.
        """
        radiographs = list(self._function(scenes, [_read_only(background) for background in backgrounds]))
        if len(radiographs) != len(scenes) or not all(isinstance(one, Radiograph) for one in radiographs):
            raise SynthesizerError(
                f"synthesizer {self.identity.name!r} returned {len(radiographs)} results of "
                f"{sorted({type(one).__name__ for one in radiographs})} for {len(scenes)} scenes",
                hint="return a list with one Radiograph per scene, in the order of the scenes",
            )
        return radiographs


def _read_only(background: Radiograph) -> Radiograph:
    """Return a background whose pixels cannot be written: others are shown it as untouched."""
    pixels = background.pixels.view()
    pixels.flags.writeable = False
    return replace(background, pixels=pixels)


def register_synthesizer(name: str) -> Callable[[Factory], Factory]:
    """Register a synthesizer factory; ``--synthesizer name`` and ``--synthesizer name:argument`` reach it.

    Other packages do the same with an entry point of the group ``synnodtest.synthesizers``.

    Raises:
        ValueError: the name is taken.
    """
    return SYNTHESIZERS.register(name)


def known_synthesizers() -> list[str]:
    """Return all names that can be asked for, sorted, without loading any third party."""
    return SYNTHESIZERS.names()


def resolve_synthesizer(text: str, *, device: str = "cpu", base: Path | None = None) -> Synthesizer:
    """Return the synthesizer that ``text`` names.

    Args:
        text: ``gaussian``, ``diffusion``, ``diffusion:path/to/model``, ``ct-patch:folder``,
            ``package.module:factory``, ``file.py:factory``, or the ``name`` or ``name:argument`` of a third party.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        base: Where relative paths and modules are sought; the working directory by default.

    Raises:
        SynthesizerError: nothing answers to ``text``, or what does cannot be used.
        SynnodError: it needs a package that is not installed.
    """
    wait_asleep()
    options = Options(device=device, base=base or Path.cwd())
    text = text.strip()
    name, _, argument = text.partition(":")
    factory = SYNTHESIZERS.find(name)
    if factory is not None:
        return factory(argument, options)
    if ":" not in text:
        raise _unknown(text)
    made, identity, by_source = Loader(text, "synthesizer", SynthesizerError, options.base).make()
    loaded = adapted(made, identity, f"synthesizer {text!r}: the factory returned {type(made).__name__}")
    loaded.may_change_unseen = by_source
    return loaded


def check_named(text: str, base: Path | None = None) -> None:
    """Refuse a text that names no synthesizer, without loading one: a slip is told before a run begins.

    Raises:
        SynthesizerError: nothing answers to ``text``, or the folder that it names is not there.
    """
    options = Options(base=base or Path.cwd())
    text = text.strip()
    name, _, argument = text.partition(":")
    if SYNTHESIZERS.find(name) is not None:
        if argument and name in _WITH_FOLDER:
            _existing(name, options.path(argument))
    elif ":" in text:
        Loader(text, "synthesizer", SynthesizerError, options.base).find()
    else:
        raise _unknown(text)


_WITH_FOLDER = ("diffusion", "ct-patch")


def _unknown(text: str) -> SynthesizerError:
    ways = "a synthesizer is package.module:factory or one of " + ", ".join(known_synthesizers())
    return SynthesizerError(
        f"nothing is known as the synthesizer {text!r}" if text else "no synthesizer is named",
        hint=likely(text.partition(":")[0], known_synthesizers(), ways),
    )


def adapted(made: Any, identity: Identity, told: str) -> FunctionSynthesizer:
    """Return a function, or an object with ``synthesize``, as a synthesizer.

    Args:
        made: The function or object.
        identity: Who it is.
        told: What to say of something else.

    Raises:
        SynthesizerError: it is something else.
    """
    function = made.synthesize if hasattr(made, "synthesize") else made
    if not callable(function):
        raise SynthesizerError(
            f"{told}, neither a function nor an object with synthesize",
            hint="return a function that takes scenes and their backgrounds and returns a list of Radiograph",
        )
    sham_is_identity = bool(getattr(made, "sham_is_identity", False))
    lesions = tuple(map(str, getattr(made, "lesions", ())))
    return FunctionSynthesizer(function, identity, sham_is_identity=sham_is_identity, lesions=lesions)


@register_synthesizer("gaussian")
def _gaussian(argument: str, options: Options) -> Synthesizer:
    if argument:
        raise SynthesizerError(f"synthesizer 'gaussian' takes no argument, not {argument!r}")
    return GaussianSynthesizer()


@register_synthesizer("diffusion")
def _diffusion(argument: str, options: Options) -> Synthesizer:
    path = _existing("diffusion", options.path(argument)) if argument else shipped_model("diffusion")
    from synnodtest.synthesizers.diffusion import DiffusionSynthesizer
    from synnodtest.synthesizers.diffusion.calibration import FILE_NAME

    synthesizer = DiffusionSynthesizer(path, device=options.device)
    if not synthesizer.calibrated:
        raise SynthesizerError(
            f"{path} has no {FILE_NAME}: nothing says how its nodules are brought to size, profile and edge",
            hint="copy it with the weights; `synnodtest train diffusion` with the same --out writes it again; one that "
            "holds {} takes the defaults",
        )
    return synthesizer


@register_synthesizer("ct-patch")
def _ct_patch(argument: str, options: Options) -> Synthesizer:
    if not argument:
        raise SynthesizerError(
            "synthesizer 'ct-patch' needs the folder of the CT nodules",
            hint="--synthesizer ct-patch:FOLDER, with ct_nodules.csv and the *_dcm_*.mha and *_seg_*.mha of NODE21",
        )
    path = _existing("ct-patch", options.path(argument))
    from synnodtest.synthesizers.ct_patch import CtPatchSynthesizer

    return CtPatchSynthesizer(path)


def _existing(name: str, path: Path) -> Path:
    if not path.exists():
        raise SynthesizerError(f"synthesizer {name!r}: {path} is not there")
    return path
