"""Are planted nodules as faint as annotated ones? Contrast in place of both, by one rule, by size of the box.

    python benchmarks/annotated_contrast.py --data nodule/ --backgrounds verified_negative/ \
        --synthesizer gaussian --synthesizer diffusion --synthesizer ct-patch:ct_nodules_lidc/

For every annotated nodule of at most 45 mm, nodules of its size are planted in the same region of negative films, by
default as specs plant them; ``--nodule '{attenuation: solid}'`` plants others. Both are measured by
``synnodtest.conspicuity``. Says medians, deciles and the Kolmogorov-Smirnov distance in each band; in brackets the
distance that chance alone exceeds once in twenty times: one planting of each annotated nodule, drawn anew, against all
planted ones. Says also what contrast would move the median of the planted ones onto that of the real ones, which is
how the medians in ``synnodtest/attenuation/rule.py`` were fitted.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from scipy.stats import ks_2samp

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.backgrounds.folder import FolderSet
from synnodtest.conspicuity import visibilities
from synnodtest.evaluation.transfer.scenes import Counterpart, counterparts, nodule_template
from synnodtest.planning.place import Placer
from synnodtest.ports import Synthesizer
from synnodtest.synthesizers import resolve_synthesizer

BANDS = ((0.0, 15.0), (15.0, 25.0), (25.0, 45.0), (0.0, 45.0))
"""Longest side of the annotated box in mm."""
Row = tuple[float, float, float, int]
"""Box of the annotated nodule in mm, contrast in place, contrast, and which annotated nodule it is or stands for."""
DRAWS = 2000
BATCH = 16


def real_rows(films: AnnotatedFilms) -> list[Row]:
    rows = []
    for film in films.backgrounds:
        counted = [one for one in films.nodules(film.id) if one.counted]
        seen = zip(counted, films.seen(film), strict=True)
        rows += [(one.size_mm, visible.contrast, np.nan, n) for n, (one, visible) in enumerate(seen, len(rows))]
    return rows


def planted_rows(synthesizer: Synthesizer, jobs: Sequence[Counterpart], negatives: FolderSet) -> list[Row]:
    rows: list[Row] = []
    known: dict[tuple[str, int], int] = {}
    for start in range(0, len(jobs), BATCH):
        part = jobs[start : start + BATCH]
        hosts = {job.recipe.background.id: job.recipe.background for job in part}
        read = {name: negatives.load(background) for name, background in hosts.items()}
        under = [read[job.recipe.background.id] for job in part]
        scenes = [Placer(host).place(job.recipe) for job, host in zip(part, under, strict=True)]
        for job, made in zip(part, synthesizer.synthesize(scenes, under), strict=True):
            seen = zip(job.nodules, visibilities(made), made.nodules, strict=True)
            for k, (one, visible, truth) in enumerate(seen):
                stands_for = known.setdefault((job.film, k), len(known))
                rows.append((one.size_mm, visible.contrast, truth.contrast, stands_for))
    return rows


def chance(planted: np.ndarray, stands_for: np.ndarray) -> float:
    """Return the distance that one planting of each annotated nodule exceeds once in twenty times from all of them."""
    rng = np.random.default_rng(0)
    groups = [planted[stands_for == one] for one in np.unique(stands_for)]
    drawn = ([rng.choice(group) for group in groups] for _ in range(DRAWS))
    return float(np.percentile([ks_2samp(one, planted).statistic for one in drawn], 95))


def compare(real: Sequence[Row], planted: Sequence[Row]) -> None:
    print("box (mm)     n real/planted   median real / planted   10th to 90th percentile         KS (chance)  contrast")
    for low, high in BANDS:
        a, b = (np.array([row for row in rows if low <= row[0] < high]) for rows in (real, planted))
        if len(a) < 2 or len(b) < 2:
            continue
        a, b = (rows[np.isfinite(rows[:, 1])] for rows in (a, b))
        x, y = a[:, 1], b[:, 1]
        spread = " / ".join("{:+.3f}..{:.3f}".format(*np.percentile(v, [10, 90])) for v in (x, y))
        distance = ks_2samp(x, y).statistic
        medians = f"{np.median(x):.3f} / {np.median(y):.3f} ({np.median(y) / np.median(x) - 1:+.0%})"
        asked = np.median(b[:, 2])
        print(
            f"{low:4g} to {high:3g}   {len(x):4d} / {len(y):5d}   {medians:24}  {spread:31}  {distance:.2f} "
            f"({chance(y, b[:, 3]):.2f})   "
            f"{asked:.3f}, to be {asked + np.median(x) - np.median(y):.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="annotated films")
    parser.add_argument("--backgrounds", type=Path, required=True, help="films free of nodules")
    parser.add_argument("--synthesizer", action="append", default=[], help="repeatable; default: diffusion")
    parser.add_argument("--nodule", type=yaml.safe_load, default={}, help="fields of the spec language")
    parser.add_argument("--per-film", type=int, default=12, help="scenes for each annotated film")
    parser.add_argument("--split", default="all", help="all, train or held-out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, default=Path(".synnodtest"))
    options = parser.parse_args()
    films = AnnotatedFilms(options.data, split=options.split, cache=options.cache)
    negatives = FolderSet(options.backgrounds, options.backgrounds.name, outer=[options.backgrounds.parent])
    template = nodule_template(options.nodule)
    jobs = list(counterparts(films, negatives, template, per_film=options.per_film, seed=options.seed))
    real = real_rows(films)
    for name in options.synthesizer or ["diffusion"]:
        print(f"\n{name}: {len(real)} annotated nodules of {len(films.backgrounds)} films, {len(jobs)} scenes")
        compare(real, planted_rows(resolve_synthesizer(name, device="cpu"), jobs, negatives))


if __name__ == "__main__":
    main()
