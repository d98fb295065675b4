"""A reader study of realism, the paper's visual Turing test: a blinded page, and the AUC of what readers answered."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.canonical import plain, seed_sequence
from synnodtest.datasets.records import columns_and_rows
from synnodtest.errors import SynnodError
from synnodtest.evaluation.measured import Pair, synthesized
from synnodtest.evaluation.transfer.scenes import Counterpart
from synnodtest.files import write_atomic
from synnodtest.geometry import Array, FloatArray, centre_of, px_to_mm
from synnodtest.planning.place import Placer
from synnodtest.ports import BackgroundSet, Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Scene
from synnodtest.statistics.estimate import agreeing_bounds
from synnodtest.synthesizers.window import Window, cut_window
from synnodtest.templates import templates_of

SIDE_MM = 70.0
"""Side of a picture in mm; set by hand: nodules up to 40 mm, with as much around them as shows ribs and vessels."""
SIDE_PX = 280
"""Side of a picture in pixels: 0.25 mm each, finer than most films, so that scaling hides nothing."""
FROM_CT = "Some nodules are real ones from CT, projected; the others were made by a model."
FROM_FILMS = "Some nodules are real and were marked by radiologists; the others were planted by a model."
RATINGS = ("surely real", "rather real", "cannot tell", "rather synthetic", "surely synthetic")


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One picture of the study: the key to it, and its pixels (size, size) 0..1."""

    synthetic: bool
    background: str
    diameter_mm: float
    picture: FloatArray


def exhibits(synthesizer: Synthesizer, real: Synthesizer, pairs: Sequence[Pair]) -> list[Exhibit]:
    """Return one picture per scene, those with even numbers synthesized, the others with a real nodule."""
    exhibits_made: list[Exhibit] = []
    for maker, part in ((synthesizer, pairs[::2]), (real, pairs[1::2])):
        for scene, _, one in synthesized(maker, part, max(len(part), 1)):
            exhibits_made.append(_planted(scene, one, synthetic=maker is synthesizer))
    return exhibits_made


def _planted(scene: Scene, made: Radiograph, *, synthetic: bool) -> Exhibit:
    picture = _picture(made, scene.nodules[0].centre_mm)
    return Exhibit(synthetic, scene.background, made.nodules[0].diameter_mm, picture)


def film_exhibits(
    films: AnnotatedFilms,
    scenes: Sequence[Counterpart],
    hosts: BackgroundSet | AnnotatedFilms,
    synthesizer: Synthesizer,
    *,
    each: int,
    seed: int = 0,
) -> list[Exhibit]:
    """Return pictures of annotated nodules and as many of planted ones of the same sizes and regions.

    Args:
        films: Annotated films.
        scenes: Their planted counterparts, host by host.
        hosts: The films in which these are planted.
        synthesizer: Plants them.
        each: Pictures of each kind, at most as many as there are.
        seed: Which are taken.
    """
    real = [(film, one) for film in films.backgrounds for one in films.counted(film.id)]
    rng = np.random.default_rng(seed_sequence("film-exhibits", seed))
    exhibits_made: list[Exhibit] = []
    for k in sorted(rng.permutation(len(real))[:each].tolist()):
        film, one = real[k]
        radiograph = films.load(film)
        centre = px_to_mm(centre_of(one.box), radiograph.spacing_mm)
        exhibits_made.append(Exhibit(False, film.id, one.diameter_mm, _picture(radiograph, centre)))
    for k in sorted(rng.permutation(len(scenes))[: len(exhibits_made)].tolist()):
        recipe = scenes[k].recipe
        host = hosts.load(recipe.background)
        (planted,) = synthesizer.synthesize([scene := Placer(host).place(recipe)], [host])
        exhibits_made.append(_planted(scene, planted, synthetic=True))
    return exhibits_made


def _picture(radiograph: Radiograph, centre_mm: tuple[float, float]) -> FloatArray:
    window = Window(centre_mm, SIDE_PX, SIDE_MM / SIDE_PX)
    values = cut_window(radiograph.pixels, radiograph.spacing_mm, window)
    low, high = np.percentile(values, [0.5, 99.5])
    return np.asarray(np.clip((values - low) / max(float(high - low), 1e-6), 0, 1), dtype=np.float32)


def write_study(made: Sequence[Exhibit], out: Path, *, seed: int = 0, about: str = FROM_CT) -> Path:
    """Write ``readers.html`` (give it to readers), ``key.json`` (do not) and ``sheet.png`` (all pictures, unlabelled).

    Order and numbers of the pictures are drawn from ``seed`` and say nothing; ``about`` tells readers what they see.
    """
    order = np.random.default_rng(seed_sequence("reader-study", seed)).permutation(len(made))
    ordered = [made[i] for i in order]
    key = {
        str(number): {name: value for name, value in asdict(one).items() if name != "picture"}
        for number, one in enumerate(ordered, 1)
    }
    write_atomic(out / "key.json", json.dumps(key, indent=1) + "\n")
    write_atomic(out / "sheet.png", _png(_sheet([one.picture for one in ordered])))
    return write_atomic(out / "readers.html", _page([_png(one.picture) for one in ordered], about))


def _png(picture: FloatArray) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.asarray(np.round(255 * picture), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def _sheet(pictures: Sequence[FloatArray]) -> FloatArray:
    """Return all pictures at half their size, ten in a row, 4 pixels apart."""
    rows, half, step = -(-len(pictures) // 10), SIDE_PX // 2, SIDE_PX // 2 + 4
    cells = np.zeros((10 * rows, step, step), dtype=np.float32)
    for cell, picture in zip(cells, pictures, strict=False):
        cell[:half, :half] = picture.reshape(half, 2, half, 2).mean(axis=(1, 3))
    return cells.reshape(rows, 10, step, step).swapaxes(1, 2).reshape(rows * step, 10 * step)


def _page(pictures: Sequence[bytes], about: str) -> str:
    page = templates_of("synnodtest.evaluation", "", escaped=True, last_newline=True).get_template("readers.html.j2")
    return page.render(pictures=[base64.b64encode(one).decode() for one in pictures], about=about, ratings=RATINGS)


def read_answers(paths: Sequence[Path], key: Path) -> tuple[list[str], list[str], Array]:
    """Return readers, pictures, and ratings (readers, pictures), NaN where a reader gave none.

    Raises:
        SynnodError: a file is not as ``readers.html`` saves it, or has a picture the key does not know.
    """
    try:
        pictures = list(json.loads(key.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise SynnodError(f"{key}: not the key of a reader study: {error}", hint="--key DIR/key.json") from error
    answers: dict[str, dict[str, float]] = {}
    for path in paths:
        rows = columns_and_rows(path)
        next(rows)
        for row, where in rows:
            reader, picture, rating = (str(row.get(name) or "").strip() for name in ("reader", "picture", "rating"))
            if not reader or picture not in pictures or rating not in ("1", "2", "3", "4", "5"):
                raise SynnodError(
                    f"{where}: reader {reader!r}, picture {picture!r}, rating {rating!r} cannot be an answer",
                    hint=f"columns reader,picture,rating; pictures 1 to {len(pictures)}, ratings 1 to 5",
                )
            if picture in answers.setdefault(reader, {}):
                raise SynnodError(f"{where}: reader {reader!r} rated picture {picture} twice")
            answers[reader][picture] = float(rating)
    if not answers:
        raise SynnodError("no answers", hint="--answers FILE.csv ..., as readers.html saves them")
    table = [[answers[reader].get(picture, np.nan) for picture in pictures] for reader in answers]
    return list(answers), pictures, np.asarray(table)


def _auc(ratings: Array, synthetic: NDArray[np.bool_], weight: Array) -> float:
    """Return the weighted probability that a synthetic picture is rated higher than a real one; ties count half."""
    there = np.isfinite(ratings) & (weight > 0)
    a, wa = ratings[there & synthetic], weight[there & synthetic]
    b, wb = ratings[there & ~synthetic], weight[there & ~synthetic]
    if not a.size or not b.size:
        return float("nan")
    wins = (a[:, None] > b[None, :]) + 0.5 * (a[:, None] == b[None, :])
    return float(wa @ wins @ wb / (wa.sum() * wb.sum()))


def _mean(areas: Sequence[float]) -> float:
    """Return the mean of the readers' areas that there are; NaN without one."""
    known = [area for area in areas if math.isfinite(area)]
    return float(np.mean(known)) if known else math.nan


def judge_answers(paths: Sequence[Path], key: Path, *, resamples: int = 2000, seed: int = 0) -> dict[str, object]:
    """Return the AUC of readers telling synthetic from real, its 95% interval over readers and cases.

    The AUC is the mean of the readers'. The interval resamples readers and, independently, the backgrounds the
    pictures come from (Owen, "The pigeonhole bootstrap", Ann. Appl. Stat. 1 (2007) 386), so that it holds for other
    readers and other cases. With one reader it holds for that reader alone, and says so. A reader who rated pictures of
    one kind alone has no AUC.

    Raises:
        SynnodError: see :func:`read_answers`.
    """
    readers, pictures, ratings = read_answers(paths, key)
    known = json.loads(key.read_text(encoding="utf-8"))
    synthetic = np.asarray([bool(known[p]["synthetic"]) for p in pictures])
    names = [str(known[p]["background"]) for p in pictures]
    clusters = np.unique(names, return_inverse=True)[1]
    ones = np.ones(len(pictures))
    each = {reader: _auc(row, synthetic, ones) for reader, row in zip(readers, ratings, strict=True)}
    rng = np.random.default_rng(seed_sequence("reader-study-bootstrap", seed))
    drawn = []
    for _ in range(resamples):
        some = rng.integers(len(readers), size=len(readers))
        weight = np.bincount(rng.integers(clusters.max() + 1, size=clusters.max() + 1), minlength=clusters.max() + 1)
        drawn.append(_mean([_auc(ratings[r], synthetic, weight[clusters].astype(float)) for r in some]))
    whole = _mean(list(each.values()))
    low, high = np.nanpercentile(drawn, [2.5, 97.5]) if math.isfinite(whole) else (0.0, 1.0)
    if high == low:  # perfect readers, or one who guesses: other cases may be otherwise
        low, high = agreeing_bounds(whole, len(set(names)), 0.025, 0.0, 1.0)
    return {
        "readers": len(readers),
        "pictures": len(pictures),
        "backgrounds": int(clusters.max() + 1),
        "answers": int(np.isfinite(ratings).sum()),
        "auc": plain(whole),
        "interval_95": [float(low), float(high)],
        "interval_over": "readers and cases" if len(readers) > 1 else "cases alone: one reader stands for no other",
        "auc_by_reader": plain(each),
    }
