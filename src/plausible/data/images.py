"""One picture: any mode of PNG, JPEG, TIFF, WebP and others -> upright 8-bit pixels of a given size."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.limits import limits
from plausible.data.mapped import empty
from plausible.data.mark import is_marked
from plausible.data.raw import first_line
from plausible.data.value_range import Extent, ValueRange, extent, to_codes

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

# those that begin with bytes of their own, so that rubbish is never taken for a picture
FORMATS = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    "JPEG2000": (".jp2", ".j2k", ".jpx"),
    "AVIF": (".avif",),
}
SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)
ANIMATED = ("GIF", "PNG", "WEBP", "TIFF", "AVIF")  # a JPEG's second frame is a preview
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
PLAIN = ("raw", "ppm", "ppm_plain")  # of Pillow's decoders those of a bit a pixel at least
EXIF_ORIENTATION = 0x0112  # the EXIF tag; 1 is upright, 5 to 8 swap width and height
SIXTEEN_BITS: ValueRange = (0, 65535)
TIFF_SIZE, TIFF_BITS, TIFF_PHOTOMETRIC = (
    (256, 257),
    258,
    262,
)  # tags; the last is 0 where 0 is white


class Header(NamedTuple):
    """What a file says before its pixels are decoded.

    width, height  those seen upright.
    kind        "RGB, PNG".
    deep        it has one number of more than 8 bits a pixel.
    scaled      its format says which of these is white.
    narrowed    it has 16 bits in each of several channels, of which Pillow keeps the upper 8.
    frames      only the first is read.
    marked      it says that a model drew it.
    """

    width: int
    height: int
    kind: str
    transparent: bool
    deep: bool = False
    scaled: bool = False
    narrowed: bool = False
    frames: int = 1
    marked: bool = False


def read_header(path: Path) -> Header:
    """Size, mode and format of a picture.  ValueError: it cannot be read, and why."""
    with _opened(path) as image:
        try:
            return Header(
                *_upright_size(image),
                f"{image.mode}, {image.format}",
                image.has_transparency_data and not _is_deep(image),
                _is_deep(image),
                _known_range(image) is not None,
                any(";16" in str(tile[3]) for tile in image.tile) and not _is_deep(image),
                _frames(image),
                is_marked(image.info),
            )
        except Exception as error:  # decoders raise many kinds for damaged files
            raise ValueError(_reason(error)) from error


def read_extent(path: Path) -> Extent:
    """The extent of the numbers of a deep picture.  ValueError: it cannot be read, and why."""
    with _opened(path) as image:
        try:
            image.load()
            return _extent(image)
        except Exception as error:  # decoders raise many kinds for damaged files
            raise ValueError(_reason(error)) from error


def read_pixels(
    path: Path,
    size: tuple[int, int],
    channels: int,
    background: str,
    value_range: ValueRange = SIXTEEN_BITS,
) -> np.ndarray:
    """The (first frame of the) picture as (H, W, channels) uint8, for ``size`` (width, height).

    Upright by its EXIF tag, alpha composed on the background unless channels is 4, cropped at the
    centre to the shape of ``size`` and resized with antialiasing; ``value_range`` is black and white
    of a deep picture.
    ValueError: it cannot be read, and why.
    """
    with _opened(path) as image:
        try:
            known = _known_range(image)
            # lets a large JPEG be decoded at a half, quarter or eighth: many times faster
            image.draft(None, (2 * max(size), 2 * max(size)))
            image.load()
            upright = exif_transpose(image)
            if _is_deep(image):
                upright = _shallow(upright, known or value_range)
            return _array(center_crop_resize(convert_mode(upright, channels, background), size))
        except Exception as error:  # decoders raise many kinds for damaged files
            raise ValueError(_reason(error)) from error


def convert_images(
    codes: np.ndarray, size: tuple[int, int] | None, channels: int | None, background: str
) -> np.ndarray:
    """(N, C, H, W) uint8 codes of 256 levels -> (N, channels, height, width) of ``size`` (width, height), as for files.

    None keeps what is there.  UsageError: pictures of other than 1, 3 or 4 channels.
    """
    from PIL import Image

    count, now, height, width = codes.shape
    if now not in MODES:
        raise UsageError(
            f"only images of 1, 3 or 4 channels can be changed in size or channels, not {now}"
        )
    target = size or (width, height)
    out = empty((count, target[1], target[0], channels or now))
    for i, item in enumerate(codes):
        planes = np.ascontiguousarray(np.moveaxis(item, 0, 2))  # (C, H, W) -> (H, W, C)
        image = Image.fromarray(planes[:, :, 0] if now == 1 else planes)
        out[i] = _array(
            center_crop_resize(convert_mode(image, channels or now, background), target)
        )
    return np.moveaxis(out, 3, 1)  # (N, H, W, C) -> (N, C, H, W)


def exif_transpose(image: "Image") -> "Image":
    """The picture turned and mirrored as its EXIF orientation says."""
    from PIL.Image import Transpose as T

    turns = (
        T.FLIP_LEFT_RIGHT,
        T.ROTATE_180,
        T.FLIP_TOP_BOTTOM,
        T.TRANSPOSE,
        T.ROTATE_270,
        T.TRANSVERSE,
        T.ROTATE_90,
    )
    tag = _orientation(image)
    return image.transpose(turns[tag - 2]) if tag > 1 else image


def convert_mode(image: "Image", channels: int, background: str) -> "Image":
    """Any 8-bit mode -> 1 (L), 3 (RGB) or 4 (RGBA) channels, alpha composed on the background."""
    from PIL import Image

    if channels == 4:
        return image.convert("RGBA")
    if image.has_transparency_data:
        above = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", above.size, background), above)
        image = image.convert("RGB")
    return image.convert(MODES[channels])


def center_crop_resize(image: "Image", size: tuple[int, int]) -> "Image":
    """Cropped at the centre to the shape of ``size`` (width, height), then resized to it."""
    from PIL.Image import Resampling

    if image.size == size:
        return image
    width, height = image.size
    scale = min(width / size[0], height / size[1])
    kept = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    left, top = (width - kept[0]) // 2, (height - kept[1]) // 2
    box = (left, top, left + kept[0], top + kept[1])
    # cropped apart, since a box of resize() looks beyond its edges; PIL widens the bicubic kernel
    # with the scale, so nothing is aliased
    return image.crop(box).resize(size, Resampling.BICUBIC)


def _opened(path: Path) -> "ImageFile":
    """The file as a lazy PIL image.  ValueError: no picture, or one that claims to be enormous."""
    from PIL import Image

    Image.init()
    try:
        image = Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN])
    except Exception as error:  # damaged headers raise many kinds
        format = next((name for name, ends in FORMATS.items() if path.suffix.lower() in ends), "")
        if format and format not in Image.OPEN:
            raise ValueError(f"the Pillow that is installed reads no {format}") from error
        raise ValueError(_reason(error, path)) from error
    if image.format == "TIFF":
        image.filename = (
            ""  # or Pillow maps the file and takes the width of a turned one for its height
        )
    most = limits().pixels  # a small file can claim more than the memory holds
    if image.width * image.height > most:
        image.close()
        raise ValueError(
            f"{image.width}x{image.height} pixels are too many: at most {most:,.0f} are read"
        )
    size = path.stat().st_size
    if image.tile and image.tile[0][0] in PLAIN and 8 * size < image.width * image.height:
        image.close()  # before memory is taken for what is not there
        raise ValueError(
            f"cut off: {image.width}x{image.height} pixels need more than {size:,} bytes"
        )
    return image


def _upright_size(image: "Image") -> tuple[int, int]:
    """(width, height) as it is seen."""
    size, tag = image.size, _orientation(image)
    if image.format == "TIFF":  # whose size Pillow turns itself, before or after decoding
        tags = getattr(image, "tag_v2", {})
        size, tag = tuple(tags[name] for name in TIFF_SIZE), tags.get(EXIF_ORIENTATION, 1)
    width, height = size
    return (height, width) if tag >= 5 else (width, height)


def _is_deep(image: "Image") -> bool:
    """Whether a pixel is one number of more than 8 bits."""
    return image.mode.startswith(("I", "F"))


def _known_range(image: "Image") -> ValueRange | None:
    """Black and white of a deep picture whose format says them.

    ValueError: one that is stored as its negative, which Pillow turns for 8 bits alone.
    """
    if image.mode.startswith("I") and image.format in ("PPM", "JPEG2000"):
        return SIXTEEN_BITS  # to which Pillow scales them
    tags = getattr(image, "tag_v2", {}) if _is_deep(image) else {}
    if tags.get(TIFF_PHOTOMETRIC) == 0:
        raise ValueError("0 is white in it, which is read in 8 bits alone")
    bits = tags.get(TIFF_BITS, (16,))[0]
    return (0, 2**bits - 1) if 8 < bits < 16 else None


def _extent(image: "Image") -> Extent:
    array = np.asarray(image)
    if not (finite := np.isfinite(array)).all():
        raise ValueError(f"{int((~finite).sum()):,} of {array.size:,} numbers are NaN or infinite")
    return extent(array)


def _shallow(image: "Image", value_range: ValueRange) -> "Image":
    """A deep picture in 8 bits.  ValueError: NaN."""
    from PIL import Image

    _extent(image)
    return Image.fromarray(to_codes(np.asarray(image), value_range, 256))


def _frames(image: "Image") -> int:
    if image.format not in ANIMATED:
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # damage behind the first frame is no reason to lose it
        return 1


def _orientation(image: "Image") -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or it is damaged."""
    if not {"exif", "Raw profile type exif"} & image.info.keys():
        return 1  # asked first, because PIL would decode a whole PNG to look for it
    try:
        tag = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # a damaged tag is no reason to lose a picture
        return 1
    return tag if tag in range(1, 9) else 1


def _array(image: "Image") -> np.ndarray:
    array = np.asarray(image)
    return array[:, :, None] if array.ndim == 2 else array  # (H, W) -> (H, W, 1)


def _reason(error: Exception, path: Path | None = None) -> str:
    """Why a file cannot be read, in a few words without its path."""
    if type(error).__name__ == "UnidentifiedImageError":
        return "empty" if path is not None and path.stat().st_size == 0 else "not an image inside"
    if type(error).__name__.startswith("DecompressionBomb"):
        return "too many pixels"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return first_line(error)
