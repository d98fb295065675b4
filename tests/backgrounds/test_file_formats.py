"""Further file formats: known by their longest suffix, double ones too, wherever files are listed or named."""

import gzip
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synnodtest.backgrounds import file_formats, read_radiograph
from synnodtest.backgrounds.file_formats import Format, format_of, stem_of, suffix_of
from synnodtest.backgrounds.folder import FolderSet
from synnodtest.backgrounds.folder_files import radiographs_in
from synnodtest.datasets.yolo import read_yolo
from synnodtest.errors import BackgroundError


def read(path):
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.float32).reshape(200, 160), (1.6, 1.7)


VOLUME = Format("Gzipped floats", (".raw.gz",), read)


@pytest.fixture
def volumes(monkeypatch):
    """The format as an installed package would bring it."""
    monkeypatch.setattr(file_formats._FORMATS, "all", lambda: {"volume": VOLUME})
    file_formats._known.cache_clear()
    yield
    file_formats._known.cache_clear()


def film(path, seed=0):
    rng = np.random.default_rng(seed)
    pixels = np.linspace(0.2, 0.7, 200)[:, None] + 0.02 * rng.standard_normal((200, 160))
    path.write_bytes(gzip.compress(np.clip(pixels, 0, 1).astype(np.float32).tobytes()))
    return path


def test_a_double_suffix_is_a_format_and_leaves_the_stem(volumes):
    assert format_of(Path("A.Raw.GZ")) is VOLUME
    assert (suffix_of(Path("x.raw.gz")), stem_of(Path("x.raw.gz"))) == (".raw.gz", "x")
    assert (suffix_of(Path("x.1.png")), stem_of(Path("x.1.png"))) == (".png", "x.1")
    assert (suffix_of(Path("x.gz")), format_of(Path("x.gz"))) == (".gz", None)
    assert (suffix_of(Path("x")), stem_of(Path("x"))) == ("", "x")


def test_a_folder_of_them_is_a_set_with_masks_beside(volumes, tmp_path):
    film(tmp_path / "one.raw.gz")
    (tmp_path / "readme.gz").write_bytes(b"")
    lung = np.zeros((200, 160), np.uint8)
    lung[20:120, 30:130] = 255
    Image.fromarray(lung).save(tmp_path / "one.lung.png")
    assert [path.name for path in radiographs_in(tmp_path)] == ["one.raw.gz"]
    (background,) = (films := FolderSet(tmp_path, "normal")).backgrounds
    radiograph = films.load(background)
    assert (radiograph.shape, radiograph.spacing_mm) == ((200, 160), (1.6, 1.7))
    np.testing.assert_array_equal(radiograph.regions["lung"], lung > 0)


def test_labels_of_a_training_set_bear_the_whole_stem(volumes, tmp_path):
    (tmp_path / "data.yaml").write_text("names: [nodule]\n")
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    film(tmp_path / "images" / "one.raw.gz")
    (tmp_path / "labels" / "one.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (image,) = read_yolo(tmp_path).images
    assert (image.id, len(image.boxes)) == ("one", 1)


def test_a_suffix_that_is_taken_is_refused(monkeypatch):
    monkeypatch.setattr(file_formats._FORMATS, "all", lambda: {"mine": Format("Mine", (".png",), read)})
    file_formats._known.cache_clear()
    with pytest.raises(BackgroundError, match="taken"):
        suffix_of(Path("x.png"))
    file_formats._known.cache_clear()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda pixels: pixels * 65535, "pixels go from .* to 4"),
        (lambda pixels: pixels * 1.6, "pixels go from .* to 1"),
        (lambda pixels: (pixels * 255).astype(np.uint8), r"pixels are uint8 \(200, 160\)"),
        (lambda pixels: np.stack([pixels] * 3, -1), r"pixels are float32 \(200, 160, 3\)"),
        (lambda pixels: pixels.tolist(), "pixels are list"),
        (lambda pixels: pixels * np.nan, "NaN"),
        (lambda pixels: pixels[:, :, 0], "cannot be read as Gzipped floats: IndexError"),
    ],
)
def test_what_a_format_may_not_give_is_refused_with_the_file(volumes, monkeypatch, tmp_path, change, told):
    """Somebody else's reader: none of its slips is to end in a traceback without a file, or in pixels beyond white."""
    wrong = Format(VOLUME.name, VOLUME.suffixes, lambda path: (change(read(path)[0]), (1.6, 1.7)))
    monkeypatch.setattr(file_formats._FORMATS, "all", lambda: {"volume": wrong})
    file_formats._known.cache_clear()
    with pytest.raises(BackgroundError, match=rf"one\.raw\.gz: .*{told}"):
        read_radiograph(film(tmp_path / "one.raw.gz"))


def test_what_passes_white_a_little_is_clipped_and_noted(volumes, monkeypatch, tmp_path):
    bright = Format(VOLUME.name, VOLUME.suffixes, lambda path: (read(path)[0] * np.float32(1.38), (1.6, 1.7)))
    monkeypatch.setattr(file_formats._FORMATS, "all", lambda: {"volume": bright})
    file_formats._known.cache_clear()
    radiograph = read_radiograph(film(tmp_path / "one.raw.gz"))
    assert radiograph.pixels.max() == 1
    assert any("beyond 0..1" in note for note in radiograph.notes)


READER = """
import numpy as np
from synnodtest.backgrounds.file_formats import Format

FORMAT = Format("Mine", (".mine",), lambda path: (np.load(path.open("rb")){change}, (1.6, 1.7)))
"""


def test_what_an_edited_reader_makes_of_a_file_is_another_radiograph(monkeypatch, tmp_path):
    """The store would give placements and findings of the pixels that the reader gave before."""
    films, module = tmp_path / "films", tmp_path / "readers.py"
    films.mkdir()
    with (films / "one.mine").open("wb") as file:
        np.save(file, np.linspace(0.2, 0.7, 200 * 160, dtype=np.float32).reshape(200, 160))
    contents = []
    for change in ("", "", "[::-1]"):
        module.write_text(READER.format(change=change))
        form = runpy.run_path(str(module))["FORMAT"]
        monkeypatch.setattr(file_formats._FORMATS, "all", lambda form=form: {"mine": form})
        file_formats._known.cache_clear()
        contents += [background.content for background in FolderSet(films, "normal").backgrounds]
    file_formats._known.cache_clear()
    first, again, edited = contents
    assert first == again != edited
