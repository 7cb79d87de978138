"""Every mode and format of one picture, checked by its pixels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from plausible.data.images import convert_images, read_extent, read_header, read_pixels

RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
COLOUR = np.stack([RAMP, 255 - RAMP, RAMP.T], axis=2)  # (8, 8, 3)


def read(path: Path, channels: int = 3, background: str = "white", side: int = 8) -> np.ndarray:
    """The pixels of a file at 8 x 8, with one channel as (8, 8)."""
    got = read_pixels(path, (side, side), channels, background)
    assert got.shape == (side, side, channels)
    assert got.dtype == np.uint8
    return got[:, :, 0] if channels == 1 else got


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp", "gif", "tif", "pgm", "jp2"])
def test_grey_without_loss(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(RAMP).save(path, **({"lossless": True} if suffix == "webp" else {}))
    assert (read(path, 1) == RAMP).all()
    assert (read(path, 3) == RAMP[:, :, None]).all()


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp", "tiff", "ppm", "jp2"])
def test_colour_without_loss(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(COLOUR).save(path, **({"lossless": True} if suffix == "webp" else {}))
    assert (read(path) == COLOUR).all()
    alpha = read(path, 4)
    assert (alpha[:, :, :3] == COLOUR).all()
    assert (alpha[:, :, 3] == 255).all()
    luma = COLOUR @ np.array([0.299, 0.587, 0.114])
    assert np.abs(read(path, 1) - luma).max() <= 1


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.jpg"
    smooth = np.linspace(0, 255, 64).astype(np.uint8).reshape(8, 8)
    Image.fromarray(smooth).convert(mode).save(path, quality=100)
    assert np.abs(read(path, 1).astype(int) - smooth).max() <= 3
    assert read_header(path).kind == f"{mode}, JPEG"


def test_cmyk_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (8, 8), (200, 40, 90)).convert("CMYK").save(path, quality=100)
    assert read_header(path).kind == "CMYK, JPEG"
    assert np.abs(read(path).astype(int) - [200, 40, 90]).max() <= 4


def test_one_bit(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RAMP > 100).save(path)
    assert read_header(path).kind == "1, PNG"
    assert (read(path, 1) == np.where(RAMP > 100, 255, 0)).all()


def test_palette(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    palette = Image.new("P", (8, 8))
    palette.putpalette([250, 10, 20, 30, 240, 50])
    palette.putdata((RAMP // 128).flatten().tolist())
    palette.save(path)
    assert read_header(path).kind == "P, PNG"
    want = np.where((RAMP < 128)[:, :, None], [250, 10, 20], [30, 240, 50])
    assert (read(path) == want).all()
    palette.save(path, transparency=1)
    assert read_header(path).transparent
    want[RAMP >= 128] = 255
    assert (read(path) == want).all()
    want[RAMP >= 128] = 0
    assert (read(path, background="black") == want).all()
    assert (read(path, 4)[:, :, 3] == np.where(RAMP < 128, 255, 0)).all()


def test_grey_with_alpha(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    alpha = RAMP.T.copy()
    Image.merge("LA", [Image.fromarray(RAMP), Image.fromarray(alpha)]).save(path)
    assert read_header(path).kind == "LA, PNG"
    share = alpha / 255
    for background, value in (("white", 255), ("black", 0)):
        want = RAMP * share + value * (1 - share)
        assert np.abs(read(path, 1, background) - want).max() <= 1.5
    assert (read(path, 4)[:, :, 3] == alpha).all()
    assert (read(path, 4)[:, :, 0] == RAMP).all()


def test_colour_with_alpha(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    whole = np.dstack([COLOUR, RAMP])
    Image.fromarray(whole).save(path, lossless=True, exact=True)
    share = RAMP[:, :, None] / 255
    want = COLOUR * share + 255 * (1 - share)
    assert np.abs(read(path) - want).max() <= 1.5
    assert (read(path, 4) == whole).all()


def test_colour_key(tmp_path: Path) -> None:
    """RGB and L files can name one colour as transparent."""
    path = tmp_path / "a.png"
    Image.fromarray(COLOUR).save(path, transparency=tuple(int(v) for v in COLOUR[3, 4]))
    want = COLOUR.copy()
    want[3, 4] = 255
    assert (read(path) == want).all()
    Image.fromarray(RAMP).save(path, transparency=int(RAMP[3, 4]))
    assert read(path, 1)[3, 4] == 255
    assert read(path, 1, "black")[3, 4] == 0


def test_sixteen_bits(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    deep = (RAMP.astype(np.uint16) * 257) + 100
    Image.fromarray(deep).save(path)
    assert read_header(path).kind.startswith("I")
    assert np.abs(read(path, 1).astype(int) - RAMP).max() <= 1
    assert (read(path, 3)[:, :, 1] == read(path, 1)).all()
    Image.fromarray(np.full((8, 8), 65535, np.uint16)).save(path)
    assert (read(path, 1) == 255).all()


@pytest.mark.parametrize("suffix", ["tif", "png"])
def test_black_and_white_of_deep_pixels(tmp_path: Path, suffix: str) -> None:
    """They are given, because a file of 16 bits does not say how many it uses."""
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(RAMP.astype(np.uint16) * 16).save(path)
    assert read_header(path).deep
    assert read_extent(path)[:3] == (0, 252 * 16, True)
    got = read_pixels(path, (8, 8), 1, "white", (0, 4080))[:, :, 0]
    assert (got == RAMP).all()
    assert (read_pixels(path, (8, 8), 1, "white", (0, 100)) <= 255).all()


def test_floating_point_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray((RAMP / 255).astype(np.float32)).save(path)
    assert read_header(path).kind == "F, TIFF"
    assert (read_pixels(path, (8, 8), 1, "white", (0, 1))[:, :, 0] == RAMP).all()
    Image.fromarray(np.where(RAMP > 240, np.nan, 0).astype(np.float32)).save(path)
    for read_it in (read_extent, lambda path: read_pixels(path, (8, 8), 1, "white", (0, 1))):
        with pytest.raises(ValueError, match="3 of 64 numbers are NaN or infinite"):
            read_it(path)


@pytest.mark.parametrize("suffix", ["pgm", "jp2"])
def test_formats_that_say_what_is_white(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(RAMP.astype(np.uint16) * 100).save(path)
    assert read_header(path).scaled
    want = np.rint(RAMP.astype(int) * 100 / 257)
    assert (read_pixels(path, (8, 8), 1, "white", (0, 1000))[:, :, 0] == want).all()


def test_a_deep_negative_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(RAMP.astype(np.uint16)).save(path, tiffinfo={262: 0})
    with pytest.raises(ValueError, match="0 is white"):
        read_header(path)


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_first_frame(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((250, 0, 0), (0, 250, 0))]
    extra = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], **extra)
    assert Image.open(path).n_frames == 2
    assert (read_header(path).width, read_header(path).height) == (8, 8)
    assert (read(path) == [250, 0, 0]).all()


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "webp", "jpg", "tif"])
def test_exif_turns(tmp_path: Path, tag: int, suffix: str) -> None:
    """What is stored, turned as the tag says, is what was seen."""
    seen = np.kron(np.array([[0, 60], [120, 180], [255, 90]], np.uint8), np.ones((8, 8), np.uint8))
    stored = {
        1: seen,
        2: seen[:, ::-1],
        3: seen[::-1, ::-1],
        4: seen[::-1],
        5: seen.T,
        6: np.rot90(seen),
        7: seen[::-1, ::-1].T,
        8: np.rot90(seen, -1),
    }[tag]
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = tag
    extra = {"lossless": True} if suffix == "webp" else {"quality": 100} if suffix == "jpg" else {}
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, **extra)
    head = read_header(path)
    assert (head.width, head.height) == (16, 24)
    got = read_pixels(path, (16, 24), 1, "white")[:, :, 0]
    assert np.abs(got.astype(int) - seen).max() <= (2 if suffix == "jpg" else 0)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_keeps_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RAMP).save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert (read(path, 1) == RAMP).all()


def test_crop_is_central_and_resizing_is_antialiased(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    stripes = np.zeros((64, 128), np.uint8)
    stripes[:, 32:96:2] = 255  # one pixel on, one off: the mean, unless it is aliased
    stripes[:, :32] = 10
    Image.fromarray(stripes).save(path)
    got = read(path, 1).astype(int)
    assert np.abs(got[:, 1:-1] - 127).max() <= 6
    assert abs(int(read(path, 1, side=1)[0, 0]) - 127) <= 2
    big = read(path, 1, side=100)
    assert big.shape == (100, 100)


def test_large_jpeg_is_the_same_up_to_the_coarser_decoding(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    wave = 128 + 100 * np.sin(np.arange(640) / 100)[None] * np.cos(np.arange(480) / 80)[:, None]
    Image.fromarray(wave.astype(np.uint8)).save(path, quality=95)
    got = read(path, 1)
    crop = wave[:, 80:560].reshape(8, 60, 8, 60).mean((1, 3))
    assert np.abs(got - crop).max() < 6


def test_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.touch()
    with pytest.raises(ValueError, match=r"^empty$"):
        read_header(path)
    path.write_text("no picture")
    with pytest.raises(ValueError, match=r"^not an image inside$"):
        read_header(path)
    with pytest.raises(ValueError, match=r"^no such file or directory$"):
        read_header(tmp_path / "b.png")
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (64, 64), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    assert read_header(path).width == 64
    with pytest.raises(ValueError, match="truncated"):
        read(path)
    monkeypatch.setenv("PLAUSIBLE_LIMITS", "pixels=1000")
    with pytest.raises(ValueError, match="64x64 pixels are too many"):
        read_header(path)


def test_refit_of_arrays() -> None:
    codes = np.moveaxis(COLOUR, 2, 0)[None]  # (1, 3, 8, 8)
    assert (convert_images(codes, (8, 8), 3, "white") == codes).all()
    assert convert_images(codes, (6, 4), None, "white").shape == (1, 3, 4, 6)
    assert convert_images(codes, None, 1, "white").shape == (1, 1, 8, 8)
    assert (convert_images(codes[:, :1], None, 3, "white") == codes[:, :1]).all()
    clear = np.concatenate([codes, np.zeros_like(codes[:, :1])], axis=1)
    assert (convert_images(clear, None, 3, "black") == 0).all()
    with pytest.raises(ValueError, match=r"no room for them.* a smaller --size"):
        convert_images(codes, (1_000_000, 1_000_000), None, "white")
    with pytest.raises(ValueError, match="not 2"):
        convert_images(codes[:, :2], (4, 4), None, "white")
