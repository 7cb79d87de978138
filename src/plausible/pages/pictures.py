"""Pictures as data URIs that fit in a page together: as they are while there is room, then with less detail."""

import base64
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageSequence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHARP = 150  # pixels an inch
_QUALITY = 90  # of JPEG, where a picture has to be made smaller
_SHARES = (1, 2, 4)  # of its sides, where that is not enough
_FILMS = ((24, 480), (12, 320))  # frames and pixels a side, at most, of a film with less detail


class Inline(NamedTuple):
    """A picture as the source of an image, and its size in pixels."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Fitted:
    """The pictures of a page.

    inline  {name: picture}; without those that there was no room for.
    notes   what was done to make them fit.
    """

    inline: Mapping[str, Inline]
    notes: tuple[str, ...]


class _Version(NamedTuple):
    """One way to write a picture."""

    content: bytes
    mime: str
    size: tuple[int, int]

    @property
    def length(self) -> int:
        """Letters of its data URI."""
        return len(self.content) * 4 // 3 + 40


def fit_pictures(
    pictures: Mapping[str, Image.Image], films: Mapping[str, bytes], room: int
) -> Fitted:
    """All of them in so many bytes: the largest is written smaller until they fit; a film may be left out.

    films  GIF files.
    """
    ways: dict[str, Iterator[_Version | None]] = {
        **{name: _of_picture(image) for name, image in pictures.items()},
        **{name: _of_film(content) for name, content in films.items()},
    }
    chosen = {name: next(versions) for name, versions in ways.items()}
    smaller = set[str]()
    while sum(each.length for each in chosen.values() if each) > room:
        there = {name: each.length for name, each in chosen.items() if each and name in ways}
        if not there:
            break
        largest = max(there, key=lambda name: there[name])
        try:
            chosen[largest] = next(ways[largest])
            smaller.add(largest)
        except StopIteration:
            del ways[largest]
    return Fitted(
        {name: _inline(each) for name, each in chosen.items() if each},
        tuple(_notes(chosen, smaller, films)),
    )


def as_pixels(picture: "Image.Image | Figure") -> Image.Image:
    """A figure as sharp as a page needs it, without its empty margins; pixels stay as they are."""
    if isinstance(picture, Image.Image):
        return picture
    buffer = io.BytesIO()
    picture.savefig(buffer, format="png", dpi=_SHARP, bbox_inches="tight")
    return Image.open(buffer).convert("RGB")


def still(film: bytes) -> Image.Image:
    """The last frame of a film, for those who want nothing to move."""
    with Image.open(io.BytesIO(film)) as frames:
        frames.seek(getattr(frames, "n_frames", 1) - 1)
        return frames.convert("RGB")


def _inline(version: _Version) -> Inline:
    code = base64.b64encode(version.content).decode()
    return Inline(f"data:{version.mime};base64,{code}", *version.size)


def _notes(
    chosen: Mapping[str, _Version | None], smaller: set[str], films: Mapping[str, bytes]
) -> Iterator[str]:
    for name in films:
        if chosen[name] is None:
            yield "The film of the training was left out, because the page would be too large with it."
        elif name in smaller:
            yield "The film of the training has fewer frames here than in the folder."
    if smaller - films.keys():
        yield "Some pictures are compressed here, so that the page is not too large; those in the folder are whole."


def _of_picture(image: Image.Image) -> Iterator[_Version]:
    """From exact to coarse."""
    yield _written(image, "PNG", optimize=True)
    for share in _SHARES:
        size = max(1, image.width // share), max(1, image.height // share)
        small = image if share == 1 else image.resize(size, Image.Resampling.LANCZOS)
        if image.mode in ("L", "RGB"):
            yield _written(small, "JPEG", quality=_QUALITY, subsampling=0)
        elif share > 1:
            yield _written(small, "PNG", optimize=True)


def _of_film(content: bytes) -> Iterator[_Version | None]:
    """All of it, some frames of it, none."""
    with Image.open(io.BytesIO(content)) as film:
        size = film.size
    yield _Version(content, "image/gif", size)
    for count, side in _FILMS:
        yield _shortened(content, count, side)
    yield None


def _shortened(content: bytes, count: int, side: int) -> _Version:
    """At most so many frames, evenly spaced and the last among them, of at most so many pixels a side."""
    with Image.open(io.BytesIO(content)) as film:
        total, duration = getattr(film, "n_frames", 1), film.info.get("duration", 100)
        step = -(-total // count)
        frames = [
            _within(frame.convert("RGB"), side)
            for i, frame in enumerate(ImageSequence.Iterator(film))
            if (total - 1 - i) % step == 0
        ]
    return _written(
        frames[0], "GIF", save_all=True, append_images=frames[1:], duration=duration * step, loop=0
    )


def _within(image: Image.Image, side: int) -> Image.Image:
    image.thumbnail((side, side))
    return image


def _written(image: Image.Image, kind: str, **how: object) -> _Version:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return _Version(buffer.getvalue(), f"image/{kind.lower()}", image.size)
