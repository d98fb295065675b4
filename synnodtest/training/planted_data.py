"""The stock of a detector that is trained on nodules planted anew: read once, kept beside the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.annotated.split_sources import kept_backgrounds, kept_series, open_folders
from synnodtest.datasets.split import of_split
from synnodtest.errors import SynnodError
from synnodtest.geometry import Box
from synnodtest.phantom import PhantomSet
from synnodtest.radiograph import Radiograph
from synnodtest.training.stock import Shadows, Stock, cast_shadows, stock_of

SHARES = (0.54, 0.22, 0.24)
"""Share of a batch that shows nodule-free films, films with annotated nodules, and phantoms: films first, because a
detector is meant for them; annotated ones often enough to count and seldom enough not to be learned by heart."""
FINE_SHARES = (0.42, 0.35, 0.23)
"""The same for a detector that goes on from weights: by then it is annotated films that it has to learn."""
FINE_COUNTS = (0.6, 0.25, 0.1, 0.05)
"""Probability of 0, 1, 2 and 3 planted nodules then: fewer, or it learns the look of planting."""
LEAKING = 0.2
"""Phantoms with an air leak, beside those without: a detector must learn that nothing lies in it."""
PHANTOM_SEED = 77
"""Master seed of the phantoms that are trained on; the sets of ``pytest --detector`` have others."""


def planted_data(
    work: Path,
    *,
    size: int,
    ct_patches: Path,
    backgrounds: Path | None = None,
    annotated: Path | None = None,
    phantoms: int = 0,
    split: str = "train",
    report: Callable[[str], None] = print,
) -> tuple[Stock, Shadows]:
    """Return radiographs and CT shadows for training; held-out patients and CT series are left out.

    What an earlier call left in ``work`` is taken up, so that it can be prepared on one machine and trained on another.

    Args:
        work: Folder that keeps ``stock.npz`` and ``shadows.npz``.
        size: Side of the detector's input in pixels.
        ct_patches: Segmented CT nodules in the layout of NODE21.
        backgrounds: Nodule-free radiographs, or a folder of such folders.
        annotated: Films with boxes; any layout that ``evaluate detector`` reads.
        phantoms: How many built-in phantoms to add.
        split: Patients to train on: ``train``, or ``train:SHARE`` to hold out more.
        report: Called with a line per note on the annotated films.

    Raises:
        SynnodError: there is nothing to plant nodules in.
    """
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "shadows.npz").is_file():
        cast_shadows(kept_series(ct_patches, held_out=False)).save(work / "shadows.npz")
    if not (work / "stock.npz").is_file():
        sources = (_films(backgrounds, split), _annotated(annotated, work, split, report), _phantoms(phantoms))
        parts = [stock_of(source, kind, size) for kind, source in enumerate(sources)]
        usable = [part for part in parts if part is not None]
        if not usable:
            raise SynnodError("nothing to plant nodules in", hint="--backgrounds FOLDER or --phantoms N")
        Stock.join(usable).save(work / "stock.npz")
    return Stock.load(work / "stock.npz"), Shadows.load(work / "shadows.npz")


_Marked = tuple[Radiograph, Sequence[Box]]


def unseen_films(root: Path | None, split: str = "train") -> Iterator[Radiograph]:
    """Yield the nodule-free films of the patients outside a split, from a folder or a folder of such folders."""
    for source in [] if root is None else open_folders(root):
        for background in source.backgrounds:
            if not of_split(background.cluster, split):
                yield source.load(background)


def _films(root: Path | None, split: str) -> Iterator[_Marked]:
    for source in [] if root is None else open_folders(root):
        for background in kept_backgrounds(source, split):
            yield source.load(background), ()


def _annotated(folder: Path | None, cache: Path, split: str, report: Callable[[str], None]) -> Iterator[_Marked]:
    if folder is not None:
        films = AnnotatedFilms(folder, split=split, cache=cache / "regions")
        for note in films.notes:
            report(f"note: {note}")
        for film in films.backgrounds:
            yield films.load(film), [nodule.box for nodule in films.nodules(film.id)]


def _phantoms(count: int) -> Iterator[_Marked]:
    for name, several in (("normal", count), ("pneumothorax", round(LEAKING * count))):
        chests = PhantomSet(name, several, master_seed=PHANTOM_SEED)
        for chest in chests.backgrounds:
            yield chests.load(chest), ()
