"""A call of the synthesizer, timed, counted and checked: one radiograph per scene, each nodule with its truth.

How many scenes one call gets says ``engine/engine.py``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import numpy as np

from synnodtest.engine.redraw import redraw_rejected
from synnodtest.engine.tally import Tally
from synnodtest.engine.truths import as_asked, truth_fault
from synnodtest.errors import SynnodError, SynthesizerError
from synnodtest.ports import Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.radiograph_codec import Edit
from synnodtest.scene import Scene
from synnodtest.stages import stage
from synnodtest.synthesizers.lesions import refuse_lesions


def synthesize(
    synthesizer: Synthesizer, scenes: Sequence[Scene], backgrounds: Sequence[Radiograph], tally: Tally
) -> list[Edit]:
    """Return one radiograph per scene beside its background; nodules that acceptance rejects are drawn again.

    Args:
        synthesizer: Who makes them.
        scenes: Without perturbations.
        backgrounds: Untouched, one per scene.
        tally: Counts scenes and seconds.

    Raises:
        SynthesizerError: the synthesizer raised, or what it returned is not what was asked for.
    """
    call = partial(checked, synthesizer)
    started = time.perf_counter()
    with stage("synthesis"):
        edits = redraw_rejected(call, scenes, backgrounds, call(scenes, backgrounds))
    tally.synthesis_seconds += time.perf_counter() - started
    tally.synthesized += len(scenes)
    return edits


def checked(synthesizer: Synthesizer, scenes: Sequence[Scene], backgrounds: Sequence[Radiograph]) -> list[Radiograph]:
    """Return what a synthesizer makes of scenes, held against what was asked for and against what it says of it.

    Raises:
        SynthesizerError: it raised, or what it returned is not what was asked for.
    """
    name = synthesizer.identity.name
    refuse_lesions(synthesizer, scenes)
    try:
        radiographs = synthesizer.synthesize(scenes, backgrounds)
    except (SynnodError, KeyboardInterrupt):
        raise
    except BaseException as error:  # sys.exit and pytest.skip, too
        raise SynthesizerError(f"synthesizer {name!r} raised {type(error).__name__}: {error}") from error
    if len(radiographs) != len(scenes):
        raise SynthesizerError(f"synthesizer {name!r} returned {len(radiographs)} radiographs for {len(scenes)} scenes")
    radiographs = [_laid_over(*pair, name) for pair in zip(backgrounds, radiographs, strict=True)]
    redrawn = not synthesizer.sham_is_identity
    for scene, background, radiograph in zip(scenes, backgrounds, radiographs, strict=True):
        ordered, planted = [n.name for n in scene.nodules], [t.name for t in radiograph.nodules]
        if ordered != planted:
            raise SynthesizerError(
                f"synthesizer {name!r} returned the truth of {planted} where {ordered} was asked for",
                hint="every nodule keeps its truth, with an empty mask if nothing came of it, so that it is counted",
            )
        fault = "" if scene.sham else truth_fault(background, radiograph, redrawn=redrawn)
        if fault:
            raise SynthesizerError(
                f"synthesizer {name!r} on {scene.background!r}: {fault}",
                hint="measure diameter_mm and contrast on what was planted (docs/synthesizers.md), in a copy of the "
                "background's pixels",
            )
    return [as_asked(scene, radiograph) for scene, radiograph in zip(scenes, radiographs, strict=True)]


def _laid_over(background: Radiograph, made: Radiograph, name: str) -> Radiograph:
    """Return the pixels and the truth that a synthesizer made, on the background with all else that it is.

    Raises:
        SynthesizerError: the pixels are no picture of real numbers.
    """
    if made is background:
        return made
    pixels = np.asarray(made.pixels)
    if pixels.ndim != 2 or pixels.dtype.kind != "f":
        raise SynthesizerError(
            f"synthesizer {name!r} on {background.background!r}: the pixels are {pixels.dtype} of shape {pixels.shape}",
            hint="return float32 of height x width, 0..1, as the background's are",
        )
    return background.with_pixels(pixels.astype(np.float32, copy=False), made.nodules)
