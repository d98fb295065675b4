"""One nodule in one radiograph from Python: read, plant, look, write. Light to import; models load when used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from synnodtest.ports import DEFAULT_TIMEOUT_S
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Nodule

if TYPE_CHECKING:
    from synnodtest.ports import Detector, Synthesizer

__all__ = ["open_detector", "plant", "read_radiograph", "write_radiograph"]


def read_radiograph(
    path: str | Path,
    *,
    mm_per_px: float | tuple[float, float] | None = None,
    spacing_mm: tuple[float, float] | None = None,
    bits: int | None = None,
    regions: bool = True,
) -> Radiograph:
    """Read one chest radiograph: PNG, JPEG, DICOM, MHA, MHD or JSRT's IMG.

    Args:
        path: The file. A row of ``manifest.csv`` in its folder or the one above gives spacing, bits and masks;
            ``<stem>.<region>.png`` beside it is a mask.
        mm_per_px: Size of a pixel in mm, one number or ``(x, y)``; overrides the file's. A PNG or JPEG needs it.
        spacing_mm: The same as ``(row, column)``; give one of the two.
        bits: How many bits the stored integers use, where it cannot be told from the largest value.
        regions: Find the regions that no mask gives (lungs, heart, hila, ...) with the shipped segmenter. Without a
            lung region the contrast of a nodule is measured against the middle half of the picture.

    Returns:
        Pixels float32, H x W, 0..1, air dark, with regions.

    Raises:
        BackgroundError: the file is missing, damaged, coloured, a volume, or its pixel size is unknown; names the file
            and the remedy.

    Example:
        >>> from synnodtest import read_radiograph
        >>> read_radiograph("film.png", mm_per_px=0.168).shape
        (2048, 2048)
    """
    from synnodtest.api.reading import read, spacing_of

    return read(Path(path), spacing_of(mm_per_px, spacing_mm), bits, regions)


def write_radiograph(
    radiograph: Radiograph, path: str | Path, *, bits: int | None = None, size: int | None = None, mark: bool = False
) -> Path:
    """Write one radiograph as PNG, MHA or DICOM secondary capture, by the suffix of ``path``.

    One with planted nodules says SYNTHETIC in its metadata (PNG text, MHA comment, DICOM attributes), with the truth.

    Args:
        radiograph: To be written.
        path: ``.png``, ``.mha`` or ``.dcm``; an existing file is replaced as a whole.
        bits: 8 or 16 for PNG, 8 to 16 for the others. Default: 16 for PNG; for MHA and DICOM what the pixels were read
            from (12 for a 12-bit film), so that untouched pixels come out as they went in.
        size: Write ``size`` x ``size`` square pixels, padded with black where the film is not square. Default: native.
        mark: Write SYNTHETIC into the picture too, in a corner away from the nodules.

    Returns:
        The path.

    Raises:
        BackgroundError: the suffix or the number of bits is not written, or the file cannot be written.

    Example:
        >>> write_radiograph(radiograph, "out.dcm", mark=True)
    """
    from synnodtest.backgrounds.writers import write

    return write(radiograph, Path(path), bits=bits, size=size, mark=mark)


def open_detector(uri: str, *, device: str = "cpu", timeout_s: float = DEFAULT_TIMEOUT_S) -> Detector:
    """Return a detector; ``detector.detect([radiograph])`` gives one list of findings per radiograph.

    Args:
        uri: What ``--detector`` takes: ``best.pt``, ``model.onnx``, ``http://host/predict``, ``command:...``,
            ``package.module:factory``, ``demo``.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        timeout_s: Seconds that one call may take.

    Raises:
        DetectorError: nothing answers to ``uri``, or what does cannot be used.
        SynnodError: it needs a package that is not installed, or a device that is not there.

    Example:
        >>> (findings,) = open_detector("demo").detect([radiograph])
    """
    from synnodtest.detectors import resolve_detector
    from synnodtest.devices import check_device

    check_device(device)
    return resolve_detector(uri, device=device, timeout_s=timeout_s)


def plant(
    radiograph: Radiograph,
    box: Sequence[float] | None = None,
    *,
    centre: tuple[float, float] | None = None,
    centre_mm: tuple[float, float] | None = None,
    diameter_mm: float | None = None,
    contrast: float | None = None,
    radiomics: Mapping[str, float] | None = None,
    name: str = "nodule",
    nodules: Sequence[Nodule] = (),
    seed: int = 0,
    sham: bool = False,
    synthesizer: str | Synthesizer = "diffusion",
    device: str = "cpu",
    density: float | None = None,
    attenuation: str = "",
    margin: str = "",
) -> Radiograph:
    """Plant one nodule (or several) and return the new radiograph, its truth in ``.nodules``.

    Say where and how large: a ``box`` means both, a centre needs ``diameter_mm``.

    Args:
        radiograph: Where; it stays as it is. Pixels away from the nodule are bit-identical in the result.
        box: ``(x_min, y_min, x_max, y_max)`` in pixels: the nodule has its centre and, unless ``diameter_mm`` says
            otherwise, covers as much as the ellipse that fits into it. Two numbers are a centre.
        centre: ``(x, y)`` in pixels.
        centre_mm: ``(x, y)`` in mm from the top left corner.
        diameter_mm: Equal-area diameter.
        contrast: Mean added brightness over the nodule, divided by the 5th-to-95th percentile range of the lung: an
            order. Without it, a density and an attenuation the nodule is as faint as those that readers marked.
        radiomics: Features by PyRadiomics name (``{"Sphericity": 0.9}``), as far as the synthesizer takes them.
        name: The nodule's name in the truth; a name that is taken gets a number.
        nodules: Several nodules instead, as :class:`~synnodtest.Nodule`.
        seed: Of the appearance: the same seed, the same nodule.
        sham: Edit the same places without a nodule.
        synthesizer: What ``--synthesizer`` takes, or a function or object as its factories return.
        device: ``cpu``, ``cuda`` or ``cuda:1``, for a synthesizer given as text.
        density: Attenuation relative to soft tissue (1 solid, 0.5 ground glass, 1.5 and more calcified), in place of
            a contrast, which then follows from thickness and place.
        attenuation: ``ground-glass``, ``part-solid``, ``solid`` or ``calcified``, in place of both.
        margin: ``smooth``, ``lobulated`` or ``spiculated``.

    Returns:
        The radiograph with realised truth: ``.nodules[-1].box``, ``.diameter_mm``, ``.contrast``, ``.mask(shape)``.

    Raises:
        SynthesizerError: place or size is missing, given twice or impossible, or the nodule cannot be made.
        SynnodError: pixels, masks or spacing are not as a radiograph has them, or the device is not there.

    Warns:
        UserWarning: there is no lung region (contrast then means something else), or the nodule is not what was asked
            for, by the acceptance criteria of every run.

    Example:
        >>> from synnodtest import plant, read_radiograph, write_radiograph
        >>> film = read_radiograph("film.png", mm_per_px=0.168)
        >>> made = plant(film, box=(1310, 820, 1400, 910), contrast=0.3, seed=7)
        >>> made.nodules[0].diameter_mm, made.nodules[0].box
        >>> write_radiograph(made, "film-with-nodule.png")
    """
    from synnodtest.api.planting import Request, as_synthesizer, plant_nodules

    request = Request(
        box, centre, centre_mm, diameter_mm, contrast, density, attenuation, margin, radiomics or {}, name, seed
    )
    if nodules:
        request.refuse_beside_nodules()
    asked = [*nodules] or [request.nodule(radiograph)]
    return plant_nodules(radiograph, asked, as_synthesizer(synthesizer, device), seed=seed, sham=sham)
