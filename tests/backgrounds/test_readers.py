"""Readers: every format gives the pixels that were written, and every broken file one clear error."""

import contextlib
import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from synnodtest.backgrounds import read_mask, read_mha, read_radiograph
from synnodtest.errors import BackgroundError

from .radiograph_files import chest, png_bytes, write_dicom, write_mha, write_png

pytestmark = pytest.mark.usefixtures("unturned")
SPACING = (0.9, 1.1)


def read(path, **kwargs):
    return read_radiograph(path, **{"spacing_mm": SPACING, **kwargs})


class TestWhatIsRead:
    def test_an_8_bit_png_is_divided_by_255(self, tmp_path):
        picture = chest()
        radiograph = read(write_png(tmp_path / "a.png", picture))
        assert radiograph.pixels.dtype == np.float32
        np.testing.assert_array_equal(radiograph.pixels, (picture / 255).astype(np.float32))
        assert radiograph.spacing_mm == SPACING

    @pytest.mark.parametrize("bits", [10, 12, 14, 16])
    def test_a_16_bit_png_is_divided_by_the_range_of_the_bits_it_uses(self, tmp_path, bits):
        picture = chest(bits=bits)
        radiograph = read(write_png(tmp_path / "a.png", picture))
        np.testing.assert_array_equal(radiograph.pixels, (picture / (2**bits - 1)).astype(np.float32))

    @pytest.mark.parametrize(("white", "told"), [(100, ["(100 of 255)"]), (255, [])])
    def test_a_picture_of_0_to_100_is_told(self, tmp_path, white, told):
        shown = np.rint(chest(bits=8) / 255 * white).astype(np.uint8)
        shown[0, 0] = white
        notes = read_radiograph(write_png(tmp_path / "a.png", shown), spacing_mm=(1.5, 1.4)).notes
        assert [note.rpartition(" range ")[2] for note in notes if "half of white" in note] == told

    def test_bits_can_be_stated_where_the_largest_value_would_mislead(self, tmp_path):
        picture = chest(bits=10)
        radiograph = read(write_png(tmp_path / "a.png", picture), bits=11)
        np.testing.assert_allclose(radiograph.pixels, picture / 2047, rtol=1e-6)
        assert "bits 11 of the manifest, where 10 hold every value" in radiograph.notes

    def test_a_jpeg_is_read_as_pillow_decodes_it(self, tmp_path):
        Image.fromarray(chest()).save(tmp_path / "a.jpg", quality=95)
        decoded = np.asarray(Image.open(tmp_path / "a.jpg")) / 255
        np.testing.assert_array_equal(read(tmp_path / "a.jpg").pixels, decoded.astype(np.float32))

    @pytest.mark.parametrize("colour_type", [2, 4])
    def test_colour_files_with_equal_channels_and_opaque_alpha_are_grey(self, tmp_path, colour_type):
        grey = chest()
        channels = [grey, grey, grey] if colour_type == 2 else [grey, np.full_like(grey, 255)]
        path = write_png(tmp_path / "a.png", np.stack(channels, axis=-1), colour_type)
        np.testing.assert_array_equal(read(path).pixels, (grey / 255).astype(np.float32))

    @pytest.mark.parametrize("compressed", [True, False])
    @pytest.mark.parametrize("big", [True, False])
    @pytest.mark.parametrize("data_file", ["LOCAL", "a.raw"])
    def test_metaimages_of_both_byte_orders_are_read(self, tmp_path, compressed, big, data_file):
        picture = chest(bits=12)
        name = "a.mha" if data_file == "LOCAL" else "a.mhd"
        path = write_mha(tmp_path / name, picture, compressed=compressed, big=big, data_file=data_file)
        radiograph = read_radiograph(path)
        np.testing.assert_array_equal(radiograph.pixels, (picture / 4095).astype(np.float32))
        assert radiograph.spacing_mm == (1.4, 1.3)  # the header lists x first

    @pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8"])
    def test_element_types_keep_their_values(self, tmp_path, dtype):
        values = np.arange(48).reshape(2, 4, 6).astype(dtype)
        image = read_mha(write_mha(tmp_path / "a.mha", values, (1, 2, 3)))
        np.testing.assert_array_equal(image.array, values)
        assert image.array.dtype == np.dtype(dtype)
        assert image.spacing == (3.0, 2.0, 1.0)

    def test_a_metaimage_with_one_slice_is_a_radiograph(self, tmp_path):
        picture = chest(bits=12)
        path = write_mha(tmp_path / "a.mha", picture[None], (1.3, 1.4, 1.0))
        assert read_radiograph(path).shape == picture.shape
        assert read_radiograph(path).spacing_mm == (1.4, 1.3)

    @pytest.mark.parametrize(("shape", "spacing"), [((96, 80, 1), (1.3, 1.5, 1.6)), ((1, 96, 80), (1.5, 1.6, 1.3))])
    def test_the_spacing_is_that_of_the_axes_with_more_than_one_slice(self, tmp_path, shape, spacing):
        path = write_mha(tmp_path / "a.mha", chest(96, 80, bits=12).reshape(shape), spacing)
        assert read_radiograph(path).spacing_mm == (1.6, 1.5)

    def test_a_metaimage_written_by_itk_reads_the_same(self, tmp_path):
        sitk = pytest.importorskip("SimpleITK")
        picture = chest(bits=12)
        image = sitk.GetImageFromArray(picture)
        image.SetSpacing((1.31, 1.42))
        for name in ("a.mha", "b.mhd"):
            sitk.WriteImage(image, str(tmp_path / name), useCompression=name == "a.mha")
            radiograph = read_radiograph(tmp_path / name)
            np.testing.assert_array_equal(radiograph.pixels, (picture / 4095).astype(np.float32))
            assert radiograph.spacing_mm == (1.42, 1.31)

    def test_floats_within_0_and_1_stay_as_they_are(self, tmp_path):
        picture = (chest() / 255).astype(np.float32)
        np.testing.assert_array_equal(read(write_mha(tmp_path / "a.mha", picture)).pixels, picture)

    def test_a_mask_is_whatever_exceeds_half_of_its_largest_value(self, tmp_path):
        mask = np.zeros((40, 50), dtype=np.uint8)
        mask[10:20, 5:30] = 1
        for value in (1, 255):
            path = write_png(tmp_path / "m.png", mask * value)
            np.testing.assert_array_equal(read_mask(path, (40, 50)), mask.astype(bool))


class TestDicom:
    pytest.importorskip("pydicom")

    def test_stored_bits_give_the_range_where_there_is_no_window(self, tmp_path):
        picture = chest(bits=12)
        radiograph = read_radiograph(write_dicom(tmp_path / "a.dcm", picture))
        np.testing.assert_allclose(radiograph.pixels, picture / 4095, atol=1e-6)
        assert radiograph.spacing_mm == (1.2, 1.25)
        assert len(np.unique(radiograph.pixels)) > 256

    def test_monochrome1_is_inverted(self, tmp_path):
        picture = chest(bits=12)
        radiograph = read_radiograph(write_dicom(tmp_path / "a.dcm", picture, photometric="MONOCHROME1"))
        np.testing.assert_allclose(radiograph.pixels, 1 - picture / 4095, atol=1e-6)

    def test_rescale_and_window_are_applied_as_the_standard_says(self, tmp_path):
        picture = chest(bits=12)
        path = write_dicom(
            tmp_path / "a.dcm", picture, RescaleSlope=2, RescaleIntercept=-100, WindowCenter=3000, WindowWidth=4000
        )
        values = picture * 2.0 - 100
        expected = np.clip((values - 2999.5) / 3999 + 0.5, 0, 1)  # PS3.3 C.11.2.1.2.1
        np.testing.assert_allclose(read_radiograph(path).pixels, expected, atol=1e-6)

    def test_the_first_of_several_windows_counts_and_sigmoid_is_known(self, tmp_path):
        picture = chest(bits=12)
        path = write_dicom(
            tmp_path / "a.dcm", picture, WindowCenter=[2000, 100], WindowWidth=[900, 50], VOILUTFunction="SIGMOID"
        )
        expected = 1 / (1 + np.exp(-4 * (picture - 2000.0) / 900))
        np.testing.assert_allclose(read_radiograph(path).pixels, expected, atol=1e-6)

    def test_a_voi_lookup_table_is_applied(self, tmp_path):
        from pydicom.dataset import Dataset

        picture = chest(bits=12)
        table = (np.linspace(0, 1, 4096) ** 2 * 1023).astype(np.uint16)
        lookup = Dataset()
        lookup.LUTDescriptor, lookup.LUTData = [4096, 0, 10], table.tobytes()
        path = write_dicom(tmp_path / "a.dcm", picture, VOILUTSequence=[lookup])
        np.testing.assert_allclose(read_radiograph(path).pixels, table[picture] / 1023, atol=1e-6)

    def test_signed_pixels_are_read(self, tmp_path):
        picture = (chest(bits=12).astype(np.int32) - 2048).astype(np.int16)
        radiograph = read_radiograph(write_dicom(tmp_path / "a.dcm", picture))
        np.testing.assert_allclose(radiograph.pixels, (picture + 2048) / 4095, atol=1e-6)

    @pytest.mark.parametrize("bits", [12, 14])
    def test_signed_pixels_of_which_none_is_negative_begin_at_black(self, tmp_path, bits):
        """As half of a range that no value below black uses, they were pale where they were not refused."""
        picture = chest(bits=bits).astype(np.int16)
        radiograph = read_radiograph(write_dicom(tmp_path / "a.dcm", picture, bits=bits + 1))
        np.testing.assert_allclose(radiograph.pixels, picture / (2**bits - 1), atol=1e-6)

    @pytest.mark.parametrize("bits", [12, 15])
    def test_signed_pixels_of_which_none_is_negative_end_at_the_largest_that_can_be(self, tmp_path, bits):
        picture = chest(bits=bits - 1).astype(np.int16)
        radiograph = read_radiograph(write_dicom(tmp_path / "a.dcm", picture, bits=bits))
        np.testing.assert_allclose(radiograph.pixels, picture / (2 ** (bits - 1) - 1), atol=1e-6)

    def test_big_endian_files_read_as_pydicom_reads_them(self, tmp_path):
        import pydicom
        from pydicom.pixels import apply_voi_lut

        def big(path, words, **elements):
            """Write a file anew whose words have the high byte first; ``words`` are those of its pixels."""
            data = pydicom.dcmread(path)
            data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
            written = pydicom.dataset.FileDataset(str(path), {}, file_meta=data.file_meta, preamble=b"\0" * 128)
            for element in data:
                written[element.tag] = element
            written.PixelData = words.astype(">u2").tobytes()
            for name, value in elements.items():
                setattr(written, name, value)
            pydicom.dcmwrite(path, written, implicit_vr=False, little_endian=False, enforce_file_format=True)
            return pydicom.dcmread(path)

        picture, path = chest(bits=12), write_dicom(tmp_path / "a.dcm", chest(bits=12))
        table = np.rint(4095 * np.linspace(0, 1, 4096) ** 0.7)
        lookup = pydicom.Dataset()
        lookup.LUTDescriptor, lookup.LUTData = [4096, 0, 12], table.astype(">u2").tobytes()
        lookup["LUTDescriptor"].VR, lookup["LUTData"].VR = "US", "OW"
        data = big(path, picture, VOILUTSequence=[lookup])
        np.testing.assert_allclose(
            read_radiograph(path).pixels, apply_voi_lut(data.pixel_array, data) / 4095, atol=1e-6
        )
        path = write_dicom(tmp_path / "b.dcm", picture)
        data = big(path, chest().view("<u2"), BitsAllocated=8, BitsStored=8, HighBit=7)
        np.testing.assert_allclose(read_radiograph(path).pixels, data.pixel_array / 255, atol=1e-6)

    def test_signed_padding_that_is_written_as_unsigned_is_black_too(self, tmp_path):
        import pydicom

        picture = 1000 - chest(bits=12).astype(np.int16)
        picture[:, :20] = -3500
        path = write_dicom(tmp_path / "a.dcm", picture, photometric="MONOCHROME1", bits=16)
        data = pydicom.dcmread(path)
        data.WindowCenter, data.WindowWidth = "-1048", "4096"
        data.add_new(0x00280120, "US", 65536 - 3500)
        data.save_as(path)
        radiograph = read_radiograph(path)
        assert radiograph.pixels[:, :20].max() == 0
        np.testing.assert_allclose(radiograph.pixels[:, 20:], chest(bits=12)[:, 20:] / 4095, atol=1e-3)

    @pytest.mark.parametrize(
        ("padding", "bits", "photometric"),
        [
            (-2048, 13, "MONOCHROME2"),
            (-2000, 16, "MONOCHROME2"),
            (65535, 16, "MONOCHROME2"),
            (16383, 14, "MONOCHROME2"),
            (16383, 14, "MONOCHROME1"),
        ],
    )
    def test_padding_beyond_the_values_of_a_picture_tells_nothing_of_their_range(
        self, tmp_path, padding, bits, photometric
    ):
        picture = chest(bits=12)
        stored = picture if photometric == "MONOCHROME2" else 4095 - picture
        stored = stored.astype(np.int16 if padding < 0 else np.uint16)
        stored[:, :20] = padding
        path = write_dicom(tmp_path / "a.dcm", stored, photometric=photometric, bits=bits, PixelPaddingValue=padding)
        radiograph = read_radiograph(path)
        assert radiograph.pixels[:, :20].max() == 0
        np.testing.assert_allclose(radiograph.pixels[:, 20:], picture[:, 20:] / 4095, atol=1e-6)

    @pytest.mark.parametrize("intercept", [None, "-1000"])
    def test_a_table_whose_first_number_is_negative_and_written_as_unsigned_is_applied(self, tmp_path, intercept):
        from pydicom.dataset import Dataset

        picture, least = chest(bits=12), -1000 if intercept else -2048
        lookup = Dataset()
        lookup.LUTDescriptor, lookup.LUTData = [4096, 65536 + least, 12], np.arange(4096).astype("<u2").tobytes()
        lookup["LUTDescriptor"].VR, lookup["LUTData"].VR = "US", "OW"
        stored = picture if intercept else (picture.astype(np.int32) + least).astype(np.int16)
        rescale = {"RescaleSlope": "1", "RescaleIntercept": intercept} if intercept else {}
        path = write_dicom(tmp_path / "a.dcm", stored, VOILUTSequence=[lookup], **rescale)
        np.testing.assert_allclose(read_radiograph(path).pixels, picture / 4095, atol=1e-6)

    def test_of_several_voi_luts_the_first_is_noted(self, tmp_path):
        from pydicom.dataset import Dataset

        items = []
        for step in (1, 2):
            item = Dataset()
            item.LUTDescriptor, item.LUTData = [4096, 0, 12], (np.arange(4096) // step).astype("<u2").tobytes()
            item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "OW"
            items.append(item)
        notes = read_radiograph(write_dicom(tmp_path / "a.dcm", chest(bits=12), VOILUTSequence=items)).notes
        assert "the first of several VOI LUTs" in notes

    def test_padding_is_black_in_monochrome1_too(self, tmp_path):
        picture = chest(bits=12)
        picture[:, :10] = 0
        picture[:, 10:] = np.maximum(picture[:, 10:], 1)
        path = write_dicom(tmp_path / "a.dcm", picture, photometric="MONOCHROME1", PixelPaddingValue=0)
        assert (read_radiograph(path).pixels[:, :10] == 0).all()

    def test_pixel_spacing_stands_in_for_imager_pixel_spacing(self, tmp_path):
        path = write_dicom(tmp_path / "a.dcm", chest(bits=12), ImagerPixelSpacing=None, PixelSpacing=["1.3", "1.4"])
        assert read_radiograph(path).spacing_mm == (1.3, 1.4)

    @pytest.mark.parametrize("signed", [0, 1])
    def test_numbers_that_their_jpeg_2000_calls_otherwise_signed_are_refused(self, tmp_path, signed):
        path = _compressed(tmp_path, PixelRepresentation=signed)
        if not signed:
            assert np.array_equal(read_radiograph(path).pixels, np.float32(chest()) / np.float32(255))
            return
        with pytest.raises(BackgroundError, match="signed by PixelRepresentation and unsigned in their JPEG 2000"):
            read_radiograph(path)

    def test_jpeg_2000_in_several_parts_of_which_no_table_tells_is_read(self, tmp_path):
        path = _compressed(tmp_path, parts=3)
        assert np.array_equal(read_radiograph(path).pixels, np.float32(chest()) / np.float32(255))

    def test_a_compressed_file_that_ends_early_is_told_to_be_copied_again(self, tmp_path):
        path = _compressed(tmp_path)
        path.write_bytes(path.read_bytes()[:-2000])
        with pytest.raises(BackgroundError, match="without an image") as caught:
            read_radiograph(path)
        assert "truncated" in caught.value.hint

    @pytest.mark.parametrize("name", ["IM00001", "1.2.840.1", "film.IMG", "film.png"])
    def test_a_file_without_its_suffix_is_known_by_its_magic(self, tmp_path, name):
        path = write_dicom(tmp_path / name, chest(bits=12))
        assert read_radiograph(path).spacing_mm == (1.2, 1.25)


def _compressed(tmp_path, parts=1, **fields):
    """A DICOM file of unsigned bytes in JPEG 2000 without loss."""
    import pydicom
    from pydicom.encaps import encapsulate

    data = pydicom.dcmread(write_dicom(tmp_path / "j2k.dcm", chest(bits=12)))
    stream = io.BytesIO()
    Image.fromarray(chest()).save(stream, "JPEG2000", irreversible=False, no_jp2=True)
    data.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000Lossless
    data.PixelData, data["PixelData"].is_undefined_length = (
        encapsulate([stream.getvalue()], parts, has_bot=parts == 1),
        True,
    )
    data.BitsAllocated, data.BitsStored, data.HighBit = 8, 8, 7
    data.update(fields)
    data.save_as(tmp_path / "j2k.dcm")
    return tmp_path / "j2k.dcm"


def _jpeg(tmp_path):
    Image.fromarray(chest(400, 400)).save(tmp_path / "whole.jpg", quality=95)
    return (tmp_path / "whole.jpg").read_bytes()


def _nan(tmp_path):
    picture = (chest() / 255).astype(np.float32)
    picture[3, 4] = np.nan
    return write_mha(tmp_path / "nan.mha", picture)


def _written(name, make):
    def write(tmp_path):
        (tmp_path / name).write_bytes(make(tmp_path))
        return tmp_path / name

    return write


def _cut(path, keep):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


def _colour(tmp_path):
    grey = chest()
    return write_png(tmp_path / "colour.png", np.stack([grey, grey, 255 - grey], axis=-1), 2)


def _repointed(path, name):
    write_mha(path, chest(), data_file="whole.raw")
    path.write_bytes(path.read_bytes().replace(b"whole.raw", name))
    return path


def _bomb_header(width, height):
    data = bytearray(png_bytes(chest()))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


BROKEN = {
    "missing": (lambda t: t / "gone.png", "no such file"),
    "empty png": (_written("empty.png", lambda _: b""), "empty"),
    "empty mha": (_written("empty.mha", lambda _: b""), "empty"),
    "empty dicom": (_written("empty.dcm", lambda _: b""), "DICOM"),
    "text named png": (_written("text.png", lambda _: b"not a picture\n" * 40), "not a readable PNG"),
    "truncated png": (lambda t: _cut(write_png(t / "cut.png", chest()), 0.6), "truncated or damaged"),
    "truncated jpeg": (_written("cut.jpg", lambda t: _jpeg(t)[:5000]), "truncated or damaged"),
    "truncated raw mha": (lambda t: _cut(write_mha(t / "cut.mha", chest(), compressed=False), 0.6), "truncated"),
    "truncated compressed mha": (lambda t: _cut(write_mha(t / "cut.mha", chest()), 0.6), "truncated"),
    "damaged compressed mha": (
        _written("bad.mha", lambda t: write_mha(t / "b.mha", chest()).read_bytes().replace(b"\x78\x9c", b"\0\0")),
        "damaged",
    ),
    "mha without data line": (_written("h.mha", lambda _: b"NDims = 2\nDimSize = 4 4\n"), "ElementDataFile"),
    "mha of unknown type": (lambda t: write_mha(t / "t.mha", chest(), ElementType="MET_STRING"), "MET_STRING"),
    "mha of endless size": (lambda t: write_mha(t / "e.mha", chest(), DimSize="inf nan"), "not a list of numbers"),
    "mhd without its raw file": (
        lambda t: _repointed(t / "lost.mhd", b"x.raw"),
        "missing",
    ),
    "mhd that points outside": (
        lambda t: _repointed(t / "out.mhd", b"../../etc"),
        "same folder",
    ),
    "truncated dicom": (lambda t: _cut(write_dicom(t / "cut.dcm", chest(bits=12)), 0.5), "decoded"),
    "dicom cut before its pixels": (
        lambda t: write_dicom(t / "none.dcm", chest(bits=12), PixelData=None),
        "160 x 128 pixels by its header, and none are there",
    ),
    "colour png": (_colour, "colour"),
    "16-bit colour png": (
        lambda t: write_png(t / "deep.png", np.stack([chest(bits=16)] * 3, axis=-1), 2),
        "16-bit colour",
    ),
    "colour dicom": (lambda t: write_dicom(t / "c.dcm", chest(bits=12), photometric="PALETTE COLOR"), "PALETTE"),
    "ct slice": (lambda t: write_dicom(t / "ct.dcm", chest(bits=12), Modality="CT"), "modality CT"),
    "dicom of several frames": (
        lambda t: write_dicom(t / "f.dcm", np.stack([chest(bits=12)] * 3), NumberOfFrames=3),
        "3 frames",
    ),
    "volume": (lambda t: write_mha(t / "v.mha", np.stack([chest()] * 5), (1, 1, 1)), "a volume of 5 x 128 x 160"),
    "nan": (_nan, "NaN"),
    "negative": (lambda t: write_mha(t / "hu.mha", chest().astype(np.int16) - 200), "negative"),
    "constant": (lambda t: write_png(t / "flat.png", np.full((64, 64), 90, np.uint8)), "same value"),
    "constant dicom": (lambda t: write_dicom(t / "flat.dcm", np.full((64, 64), 7, np.uint16)), "same value"),
    "tiny": (lambda t: write_png(t / "dot.png", chest(8, 8)), "too few"),
    "decompression bomb png": (_written("bomb.png", lambda _: _bomb_header(60000, 60000)), "exceed"),
    "large png": (_written("large.png", lambda _: _bomb_header(9000, 9000)), "exceed"),
    "decompression bomb mha": (lambda t: write_mha(t / "b.mha", chest(), DimSize="60000 60000"), "more than"),
    "mha that inflates": (
        lambda t: write_mha(t / "i.mha", np.zeros((2000, 2000), np.uint8), DimSize="100 100"),
        "promises",
    ),
}


class TestBrokenFiles:
    @pytest.mark.parametrize("case", BROKEN)
    def test_each_gives_one_clear_error_that_names_the_file(self, tmp_path, case):
        make, message = BROKEN[case]
        if "dicom" in case or case == "ct slice":
            pytest.importorskip("pydicom")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = make(tmp_path)
        with pytest.raises(BackgroundError, match=message) as caught:
            read(path)
        assert path.name in caught.value.message
        assert "\n" not in caught.value.message

    def test_truncation_is_seen_even_where_pillow_was_told_to_tolerate_it(self, tmp_path, monkeypatch):
        monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
        (tmp_path / "cut.jpg").write_bytes(_jpeg(tmp_path)[:5000])
        with pytest.raises(BackgroundError, match="truncated"):
            read(tmp_path / "cut.jpg")

    @pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.mha"])
    def test_no_spacing_says_where_to_put_it(self, tmp_path, name):
        if name == "a.mha":
            write_mha(tmp_path / name, chest(), None)
        else:
            Image.fromarray(chest()).save(tmp_path / name)
        with pytest.raises(BackgroundError, match="mm is unknown") as caught:
            read_radiograph(tmp_path / name)
        assert "mm_per_px_x" in caught.value.hint
        assert "manifest.csv" in caught.value.hint

    def test_a_spacing_that_makes_no_chest_is_refused(self, tmp_path):
        path = write_mha(tmp_path / "a.mha", chest(1100, 1100), (1.1, 1.0))
        with pytest.raises(BackgroundError, match="1100 mm: no chest"):
            read_radiograph(path)

    def test_a_stated_bit_depth_that_is_too_small_is_refused(self, tmp_path):
        with pytest.raises(BackgroundError, match="exceeds 10 bits"):
            read(write_png(tmp_path / "a.png", chest(bits=12)), bits=10)

    @pytest.mark.parametrize("dicom", [False, True])
    def test_a_film_that_a_burnt_in_label_of_more_bits_makes_dark_is_refused(self, tmp_path, dicom):
        film = chest(256, 320, bits=12)
        film[4:16, 4:60] = 2**14 - 1
        with pytest.raises(BackgroundError, match="the range of its values was misread"):
            read(write_dicom(tmp_path / "a.dcm", film, bits=14) if dicom else write_png(tmp_path / "a.png", film))

    def test_a_film_that_a_black_border_makes_pale_is_refused(self, tmp_path):
        film = 4095 - chest(256, 320, bits=12)
        film[:, :30] = 2**14 - 1
        with pytest.raises(BackgroundError, match="the range of its values was misread"):
            read(write_dicom(tmp_path / "a.dcm", film, bits=14, photometric="MONOCHROME1"))

    def test_a_mask_of_another_size_is_refused(self, tmp_path):
        path = write_png(tmp_path / "m.png", np.zeros((40, 50), np.uint8))
        with pytest.raises(BackgroundError, match="50 x 40 pixels, but its radiograph has 60 x 40"):
            read_mask(path, (40, 60))

    def test_random_damage_of_a_dicom_header_never_ends_in_another_error(self, tmp_path):
        pytest.importorskip("pydicom")
        path = write_dicom(tmp_path / "a.dcm", chest(40, 40, bits=12), WindowCenter=2000, WindowWidth=4000)
        whole, rng = path.read_bytes(), np.random.default_rng(6)
        for _ in range(150):
            data = bytearray(whole)
            for place in rng.integers(132, len(data) - 40 * 40 * 2, 2):
                data[place] = rng.integers(0, 256)
            path.write_bytes(data)
            with contextlib.suppress(BackgroundError):
                assert np.isfinite(read(path).pixels).all()

    def test_random_damage_never_ends_in_another_error(self, tmp_path):
        rng = np.random.default_rng(5)
        Image.fromarray(chest(64, 64)).save(tmp_path / "a.jpg")
        files = {
            "a.png": png_bytes(chest(64, 64)),
            "a.jpg": (tmp_path / "a.jpg").read_bytes(),
            "a.mha": write_mha(tmp_path / "a.mha", chest(64, 64)).read_bytes(),
        }
        for name, whole in files.items():
            for _ in range(60):
                data = bytearray(whole)
                for place in rng.integers(0, len(data), 3):
                    data[place] = rng.integers(0, 256)
                (tmp_path / name).write_bytes(data)
                with contextlib.suppress(BackgroundError):
                    assert np.isfinite(read(tmp_path / name).pixels).all()
