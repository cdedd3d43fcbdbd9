"""Pictures of more than 8 bits, or of any number of bands, show what is in them."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core.errors import BadFileError
from core.images import read_picture, read_size, read_thumbnail
from core.pictures.deep import to_deep
from tests.core.picture_files import tiff_of_values

RAMP = np.linspace(0, 1, 40 * 60).reshape(40, 60)
"""From dark, at the top, to light."""

COLORS = np.dstack([RAMP, RAMP[::-1], np.full_like(RAMP, 0.5)])


def read(folder: Path, content: bytes) -> np.ndarray:
    path = folder / "a.tif"
    path.write_bytes(content)
    found = read_picture(path)
    assert read_size(path) == found.shape[1::-1] == (60, 40) and found.dtype == np.uint8
    assert read_thumbnail(path, side=30).shape == (20, 30, 3)
    return found


def assert_ramp(found: np.ndarray, *, tolerance: int = 3) -> None:
    difference = np.abs(found.astype(int) - (255 * RAMP[..., None]).round())
    assert difference.max() <= tolerance, difference.max()


def assert_colors(found: np.ndarray) -> None:
    assert np.abs(found.astype(int) - (255 * COLORS).round()).max() <= 3


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("is_planar", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"])
def test_every_type_in_three_bands(tmp_path: Path, kind: str, order: str, is_planar: bool, is_packed: bool) -> None:
    scale = 1.0 if kind[0] == "f" else 30_000.0
    content = tiff_of_values(
        (COLORS * scale).astype(kind), order=order, is_planar=is_planar, is_packed=is_packed, photometric=2
    )
    assert_colors(read(tmp_path, content))


@pytest.mark.parametrize("kind", ["u1", "u2", "i4", "f4", "f8"])
@pytest.mark.parametrize("samples", [2, 4, 5, 13])
def test_many_bands_show_the_first_three_and_two_the_first(tmp_path: Path, samples: int, kind: str) -> None:
    bands = np.dstack([COLORS, np.ones((40, 60, 10))])[..., :samples] if samples > 2 else COLORS[..., :2]
    content = tiff_of_values((bands * 255).astype(kind), tags={338: (0,) * (samples - 1)})
    found = read(tmp_path, content)
    assert_ramp(found) if samples == 2 else assert_colors(found)


@pytest.mark.parametrize("compression", [5, 8, 32773])
@pytest.mark.parametrize("kind", ["u2", "f4"])
def test_compressed_values_with_predictors(tmp_path: Path, kind: str, compression: int) -> None:
    values = (COLORS[..., ::-1] * 1000).astype(kind)
    done, content = cv2.imencode(".tif", values, [cv2.IMWRITE_TIFF_COMPRESSION, compression])
    assert done
    assert_colors(read(tmp_path, content.tobytes()))


@pytest.mark.parametrize("kind", ["u2", "f4"])
def test_one_hot_and_one_dead_pixel_do_not_make_the_rest_black(tmp_path: Path, kind: str) -> None:
    values = (RAMP * 3000 + 500).astype(kind)
    values[20, 30], values[3, 3] = 65_535, 0
    found = read(tmp_path, tiff_of_values(values[..., None]))
    found[20, 30], found[3, 3] = 255 * RAMP[20, 30], 255 * RAMP[3, 3]
    assert_ramp(found)


def test_the_same_for_pngs(tmp_path: Path) -> None:
    values = (RAMP * 3000 + 500).astype(np.uint16)
    values[20, 30] = 65_535
    assert cv2.imwrite(str(tmp_path / "a.png"), values)
    found = read_picture(tmp_path / "a.png")
    found[20, 30] = 255 * RAMP[20, 30]
    assert_ramp(found)


def test_a_few_bright_pixels_alone_are_seen(tmp_path: Path) -> None:
    values = np.zeros((40, 60, 1), np.uint16)
    values[20, 30] = 7
    found = read(tmp_path, tiff_of_values(values))
    assert found[20, 30, 0] == 255 and (found > 0).all(axis=2).sum() == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -9999.0, -3.4028234663852886e38, 1.7e38])
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_pixels_without_a_value_are_black_and_do_not_count(tmp_path: Path, kind: str, bad: float) -> None:
    values = (RAMP * 40 + 200).astype(kind)
    values[:, 40:] = bad
    found = read(tmp_path, tiff_of_values(values[..., None]))
    assert (found[:, 40:] == 0).all()
    assert_ramp(np.where(np.arange(60)[None, :, None] < 40, found, 255 * RAMP[..., None]), tolerance=5)


@pytest.mark.parametrize(
    ("kind", "bad"), [("u2", 65_535), ("i2", -32_768), ("i4", -9999), ("f4", -1234.5), ("f4", 0.1)]
)
def test_the_number_that_gdal_names_is_no_value(tmp_path: Path, kind: str, bad: float) -> None:
    values = (RAMP * 4000 + 200).astype(kind)
    values[:, 40:] = bad
    tags = {} if bad == -9999 else {42113: f"{bad} \0".encode()}
    found = read(tmp_path, tiff_of_values(values[..., None], tags=tags))
    assert (found[:, 40:] == 0).all()
    assert_ramp(np.where(np.arange(60)[None, :, None] < 40, found, 255 * RAMP[..., None]), tolerance=5)


def test_nothing_but_nan_is_black(tmp_path: Path) -> None:
    assert (read(tmp_path, tiff_of_values(np.full((40, 60, 1), np.nan, np.float32))) == 0).all()


@pytest.mark.parametrize("kind", ["u2", "u4", "f4"])
def test_white_may_be_the_least_value(tmp_path: Path, kind: str) -> None:
    assert_ramp(read(tmp_path, tiff_of_values(((1 - RAMP) * 4000).astype(kind)[..., None], photometric=0)))


@pytest.mark.parametrize("extra", [1, 2])
@pytest.mark.parametrize("samples", [2, 4])
def test_alpha_of_sixteen_bits_lies_over_white(tmp_path: Path, samples: int, extra: int) -> None:
    values = np.zeros((40, 60, samples), np.uint16)
    values[..., 0] = 65_535
    values[20:, :, -1] = 65_535
    if extra == 1:
        values[:20, :, 0] = 0  # colours are multiplied by it
    photometric = 2 if samples == 4 else 1
    found = read(tmp_path, tiff_of_values(values, photometric=photometric, tags={338: extra}))
    assert (found[:20] == 255).all() and (found[20:] == ((255, 0, 0) if samples == 4 else 255)).all()


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_of_a_deep_png_lies_over_white(tmp_path: Path, channels: int) -> None:
    values = np.zeros((40, 60, 4), np.uint16)
    values[20:, :, 3] = 65_535
    assert cv2.imwrite(str(tmp_path / "a.png"), values)
    found = read_picture(tmp_path / "a.png")
    assert (found[:20] == 255).all() and (found[20:] == 0).all()


def test_inks_of_sixteen_bits(tmp_path: Path) -> None:
    values = np.zeros((40, 60, 4), np.uint16)
    values[:20, :, 0] = values[20:, :, 3] = 65_535
    found = read(tmp_path, tiff_of_values(values, photometric=5))
    assert (found[:20] == (0, 255, 255)).all() and (found[20:] == 0).all()


def test_a_photo_of_the_whole_range_keeps_its_tones(tmp_path: Path) -> None:
    values = (0.2 * 65_535 + RAMP * 0.6 * 65_535).astype(np.uint16)
    found = read(tmp_path, tiff_of_values(values[..., None]))
    assert abs(int(found.min()) - 51) <= 1 and abs(int(found.max()) - 204) <= 1


def test_the_range_does_not_depend_on_the_run(tmp_path: Path) -> None:
    values = np.random.default_rng(3).normal(size=(1500, 1100, 1)).astype(np.float32)
    (tmp_path / "a.tif").write_bytes(tiff_of_values(values, rows=100))
    assert (read_picture(tmp_path / "a.tif") == read_picture(tmp_path / "a.tif")).all()


def test_what_is_cut_short_or_of_no_known_packing_is_one_sentence(tmp_path: Path) -> None:
    whole = tiff_of_values(np.zeros((40, 60, 5), np.float64), is_packed=True)
    cases = {
        "cut.tif": whole[:60] + bytes(20),
        "strips.tif": tiff_of_values(np.zeros((40, 60, 5)), tags={273: 8, 279: 100}),
        "complex.tif": tiff_of_values(np.zeros((40, 60, 1)), tags={339: 6}),
        "bits.tif": tiff_of_values(np.zeros((40, 60, 5), np.float64), tags={258: (24,) * 5}),
        "claims.tif": tiff_of_values(np.zeros((40, 60, 5)), tags={256: 30_000, 257: 30_000}),
        "samples.tif": tiff_of_values(np.zeros((40, 60, 1)), tags={277: 2**31}),
        "tile.tif": tiff_of_values(np.zeros((40, 60, 5)), tags={322: 2**20, 323: 2**11, 324: 8, 325: 100}),
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadFileError, match=name) as caught:
            read_picture(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["GIF", "JPEG2000", "AVIF"])
def test_further_formats(tmp_path: Path, kind: str) -> None:
    frames = [Image.fromarray(np.full((40, 60, 3), tone, np.uint8)) for tone in (200, 30)]
    file = io.BytesIO()
    frames[0].save(file, kind, **({"save_all": True, "append_images": frames[1:]} if kind != "JPEG2000" else {}))
    (tmp_path / "a.jpg").write_bytes(file.getvalue())
    found = read_picture(tmp_path / "a.jpg")
    assert found.shape == (40, 60, 3) and abs(int(found.mean()) - 200) < 4  # the first frame
    assert read_size(tmp_path / "a.jpg") == (60, 40)
    assert read_thumbnail(tmp_path / "a.jpg", side=30).shape == (20, 30, 3)


def test_deep_jpeg_2000(tmp_path: Path) -> None:
    Image.fromarray((RAMP * 3000).astype(np.uint16)).save(tmp_path / "a.jp2")
    assert_ramp(read_picture(tmp_path / "a.jp2"), tolerance=6)


def test_values_for_other_tones_go_beyond_black_and_white() -> None:
    values = np.full((100, 100, 1), 1500, np.uint16)
    values[0, :50], values[0, 50:] = 1000, 2000  # half a percent each, so they are black and white
    values[1, :3, 0] = 500, 2500, 60_000
    found = to_deep(values)
    assert found is not None and found.shape == (100, 100) and found.dtype == np.uint16
    black, white, below, above, far = (int(found[at]) for at in ((0, 0), (0, 50), (1, 0), (1, 1), (1, 2)))
    assert abs(black - 21_845) <= 200 and abs(white - 43_690) <= 200
    assert below < black - 8000 and above > white + 8000 and far == 65_535


def test_values_of_inverted_pictures_with_alpha_and_of_8_bits() -> None:
    values = np.linspace(0, 1000, 64).reshape(8, 8, 1).astype(np.uint16)
    alpha = np.full((8, 8), 65_535, np.uint16)
    alpha[0] = 0
    found = to_deep(values, alpha=alpha, is_inverted=True)
    assert found is not None
    assert found[0, 0] == 43_690, "nothing is there, so it is white"
    assert found[7, 7] < found[4, 4] < 43_690
    assert to_deep(values.astype(np.uint8)) is None
