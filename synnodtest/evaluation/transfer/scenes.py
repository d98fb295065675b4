"""The planted counterpart of annotated films: as many nodules, as large, in the same regions, in negative films."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from synnodtest.annotated.films import AnnotatedFilms, RealNodule
from synnodtest.canonical import seed_sequence
from synnodtest.errors import SpecError, SynnodError
from synnodtest.evaluation.transfer.places import across, corresponding
from synnodtest.evidence.arm import Arm
from synnodtest.geometry import bits_of, centre_of, iou, mask_of, moved_to, px_to_mm
from synnodtest.planning.draw import own_recipes
from synnodtest.planning.recipe import Recipe
from synnodtest.ports import Background, BackgroundSet
from synnodtest.radiograph import Radiograph
from synnodtest.spec import load_spec
from synnodtest.spec.model import Behaviour, Location, NoduleSpec, Scenes
from synnodtest.spec.values import Constant

ARM = Arm("planted")


@dataclass(frozen=True)
class Counterpart:
    """One scene and the film that it stands for.

    Args:
        film: Identifier of the annotated film.
        nodules: Its counted nodules; nodule k of the recipe stands for nodule k.
        recipe: The scene on a negative film.
        moved: How many nodules had to leave their zones, because the negative film has none such.
    """

    film: str
    nodules: tuple[RealNodule, ...]
    recipe: Recipe
    moved: int


def nodule_template(fields: Mapping[str, object]) -> NoduleSpec:
    """Return a nodule with fields of the spec language (``contrast``, ``density``, ...), everything else by default.

    Raises:
        SynnodError: the fields are not of the language, or say what the annotated films say: size, place and name.
    """
    taken = sorted({"diameter_mm", "location", "name"} & set(fields))
    if taken:
        raise SynnodError(f"{', '.join(taken)}: taken from the annotated films", hint="leave it out of --nodule")
    nodule = {"diameter_mm": 10, "location": {"region": "lung"}, **fields}
    expect = [{"sensitivity": {"at_least": 0.5}}]
    scenes = {"backgrounds": {"set": "normal", "count": 1}, "nodules": [nodule]}
    spec = {
        "synnodtest": 1,
        "behaviours": [{"id": "transfer", "statement": "Transfer.", "scenes": scenes, "expect": expect}],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nodule.yaml"
        path.write_text(yaml.safe_dump(spec), encoding="utf-8")
        try:
            scenes_read = load_spec(path).behaviours[0].scenes
        except SpecError as error:  # whose file and lines nobody wrote
            told = [
                f"{p.path.partition('nodules[0]')[2].lstrip('.')}: {p.message}".lstrip(": ") for p in error.problems
            ]
            raise SynnodError(f"--nodule: {'; '.join(told)}", hint="fields of a nodule, as a spec has them") from None
    assert scenes_read is not None
    return scenes_read.nodules[0]


def counterparts(
    films: AnnotatedFilms, negatives: BackgroundSet, template: NoduleSpec, *, per_film: int, seed: int
) -> Iterator[Counterpart]:
    """Yield ``per_film`` scenes for every film with a counted nodule, negative by negative.

    A film's nodules are drawn once and planted alike in each of its negatives, so that host and nodule are crossed.
    Every negative serves about equally often.

    Raises:
        SynnodError: there are fewer negatives than scenes per film.
    """
    hosts = list(negatives.backgrounds)
    if per_film > len(hosts):
        raise SynnodError(f"{per_film} scenes per film need as many negative films; there are {len(hosts)}")
    order = np.random.default_rng(seed_sequence("transfer-hosts", seed)).permutation(len(hosts))
    jobs: list[tuple[int, Background, tuple[RealNodule, ...], int]] = []
    marked = [(one, nodules) for one in films.backgrounds if (nodules := films.counted(one.id))]
    for number, (film, nodules) in enumerate(marked):
        jobs += [(int(order[(number * per_film + k) % len(hosts)]), film, nodules, k) for k in range(per_film)]
    known: dict[str, Callable[[], Radiograph]] = {}
    for host in sorted({job[0] for job in jobs}):
        radiograph = negatives.load(hosts[host])
        for _, film, nodules, k in (job for job in jobs if job[0] == host):
            known[film.id] = known.get(film.id) or _packed(films.load(film))
            own = known[film.id]()
            placed = [corresponding(own, centre_of(one.box), radiograph) for one in nodules]
            yield _placed(film, nodules, placed, hosts[host], radiograph, template, seed, k)


def _packed(film: Radiograph) -> Callable[[], Radiograph]:
    """Return what gives a film without its pixels: its masks are packed, so that those of all fit into memory."""
    packed = {name: bits_of(mask) for name, mask in film.regions.items()}
    bare = replace(film, pixels=np.broadcast_to(np.float32(0), film.shape), regions={}, nodules=())
    return lambda: replace(bare, regions={name: mask_of(bits, bare.shape) for name, bits in packed.items()})


def own_counterparts(films: AnnotatedFilms, template: NoduleSpec, *, per_film: int, seed: int) -> Iterator[Counterpart]:
    """Yield ``per_film`` scenes for every film with a counted nodule, on that very film: in the other lung.

    So neither exposure nor disease tells the planted from the real. A nodule whose counterpart would touch an
    annotated one is left out.
    """
    for film in films.backgrounds:
        counted, every = films.counted(film.id), films.nodules(film.id)
        if not counted:
            continue
        radiograph = films.load(film)
        there = [(one, across(centre_of(one.box), radiograph)) for one in counted]
        free = [(one, at) for one, at in there if not any(iou(moved_to(one.box, at[0]), other.box) for other in every)]
        if free:
            nodules, placed = [one for one, _ in free], [at for _, at in free]
            for number in range(per_film):
                yield _placed(film, nodules, placed, film, radiograph, template, seed + number, number)


def _placed(
    film: Background,
    nodules: Sequence[RealNodule],
    placed: Sequence[tuple[tuple[float, float], bool]],
    host: Background,
    radiograph: Radiograph,
    template: NoduleSpec,
    seed: int,
    number: int,
) -> Counterpart:
    exact = [px_to_mm(point, radiograph.spacing_mm) for point, _ in placed]
    at = [(round(x, 3), round(y, 3)) for x, y in exact]
    (drawn,) = own_recipes(_behaviour(film, nodules, template), [replace(host, id=film.id)], seed)
    planted = tuple(
        replace(one, location=Location(region=None, at_mm=where)) for one, where in zip(drawn.nodules, at, strict=True)
    )
    recipe = replace(drawn, background=host, arm=ARM, replicate=number, nodules=planted)
    return Counterpart(film.id, tuple(nodules), recipe, sum(not same for _, same in placed))


def _behaviour(film: Background, nodules: Sequence[RealNodule], template: NoduleSpec) -> Behaviour:
    specs = tuple(replace(template, name=one.name, diameter_mm=Constant(round(one.diameter_mm, 2))) for one in nodules)
    return Behaviour(f"transfer:{film.id}", "Transfer.", scenes=Scenes("negative", 1, nodules=specs))
