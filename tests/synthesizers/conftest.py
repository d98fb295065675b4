"""A tiny pipeline, a made-up radiograph and made-up CT nodules; nothing here is read from elsewhere."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from synnodtest.geometry import disc_mask
from synnodtest.radiograph import Radiograph


def made_up_radiograph(
    spacing_mm: tuple[float, float] = (0.5, 0.4), side_mm: float = 160.0, seed: int = 0
) -> Radiograph:
    """Return a grainy radiograph with a lung in the middle, rows and columns of unequal spacing."""
    shape = (round(side_mm / spacing_mm[0]), round(side_mm / spacing_mm[1]))
    rng = np.random.default_rng(seed)
    y = (np.arange(shape[0]) / shape[0])[:, None]
    x = (np.arange(shape[1]) / shape[1])[None, :]
    pixels = 0.45 + 0.12 * np.sin(7 * x + 3 * y) + 0.08 * np.cos(11 * y) + rng.normal(0, 0.01, shape)
    lung = disc_mask(shape, (side_mm / 2, side_mm / 2), side_mm * 0.8, spacing_mm)
    return Radiograph(pixels.astype(np.float32), spacing_mm, {"lung": lung}, background="made-up")


def write_mha(path: Path, array: np.ndarray) -> None:  # type: ignore[type-arg]
    """Write a compressed three-dimensional MetaImage of 1 mm."""
    kind = {"int16": "MET_SHORT", "uint8": "MET_UCHAR"}[array.dtype.name]
    data = zlib.compress(array.tobytes())
    size = " ".join(str(n) for n in array.shape[::-1])
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = True\n"
        f"CompressedDataSize = {len(data)}\nElementSpacing = 1 1 1\nDimSize = {size}\nElementType = {kind}\n"
        "ElementDataFile = LOCAL\n"
    )
    path.write_bytes(header.encode() + data)


@pytest.fixture
def radiograph() -> Radiograph:
    """A made-up radiograph of 160 mm."""
    return made_up_radiograph()


@pytest.fixture(scope="session")
def ct_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four ellipsoids of 6, 12, 18 and 24 mm in lung, in the layout of NODE21's CT patches."""
    folder = tmp_path_factory.mktemp("ct")
    patches = folder / "nodule_patches"
    patches.mkdir()
    z, y, x = np.mgrid[-25:25, -25:25, -25:25]
    rows = [",img_name,diameter"]
    for index, diameter in enumerate((6, 12, 18, 24)):
        radius = diameter / 2
        inside = (z / radius) ** 2 + (y / radius / 0.8) ** 2 + (x / radius / 1.25) ** 2 <= 1
        hounsfield = np.where(inside, 40, -850).astype(np.int16)
        name = f"series{index}_dcm_{index}.mha"
        write_mha(patches / name, hounsfield)
        write_mha(patches / name.replace("_dcm_", "_seg_"), inside.astype(np.uint8))
        rows.append(f"{index},{name},{diameter}.0")
    (folder / "ct_nodules.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An untrained pipeline of the shipped one's make, as a model folder."""
    pytest.importorskip("diffusers")
    import torch

    from synnodtest.synthesizers.diffusion.encoder import TabularEncoder
    from synnodtest.training.diffusion import new_pipeline
    from synnodtest.training.diffusion_recipe import PRESETS

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    names = ["diameter_mm", "contrast", "Sphericity", "Contrast", "Energy"]
    encoder = TabularEncoder(
        feature_names=names,
        kinds=["log", "log", "linear", "log", "log"],
        low=[float(np.log(4)), float(np.log(0.1)), 0.0, 0.0, 0.0],
        high=[float(np.log(40)), 0.0, 1.0, 8.0, 16.0],
        encoder_layers=2,
        decoder_layers=1,
    )
    folder = tmp_path_factory.mktemp("model")
    new_pipeline(encoder.eval(), PRESETS["tiny"]).save_pretrained(folder, safe_serialization=True)
    yield folder
    torch.set_num_threads(threads)
