"""Pictures as the bytes of files.

What has axes is a matplotlib ``Figure``, which whoever gets it may still change, and save in any form; what is made of
pixels is a PIL ``Image``, whose pixels are those of the images it shows.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias, Union

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from plausible.data.mark import PNG_KEY, Mark

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Picture: TypeAlias = Union[Image.Image, "Figure"]


def png(picture: Picture, mark: Mark | None = None) -> bytes:
    """The picture as a PNG file.

    mark  of the model that drew its pixels; a figure, which has axes, is not marked.
    """
    buffer = io.BytesIO()
    if isinstance(picture, Image.Image):
        picture.save(buffer, format="PNG", pnginfo=_marked(mark))
    else:
        picture.savefig(buffer, format="png")
    return buffer.getvalue()


def rendered(picture: Picture) -> Image.Image:
    """The picture as pixels."""
    return picture if isinstance(picture, Image.Image) else Image.open(io.BytesIO(png(picture)))


def gif(
    frames: Sequence[Image.Image],
    seconds: float = 0.08,
    *,
    back: bool = True,
    mark: Mark | None = None,
) -> bytes:
    """An endless animation that runs through the frames, and back unless told otherwise, as a GIF file.

    mark  of the model that drew it, which becomes its comment.
    """
    shown = [*frames, *frames[-2:0:-1]] if back else [*frames]
    buffer = io.BytesIO()
    shown[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=shown[1:],
        duration=int(seconds * 1000),
        loop=0,
        comment=b"" if mark is None else mark.xmp.encode(),
    )
    return buffer.getvalue()


def _marked(mark: Mark | None) -> PngInfo | None:
    if mark is None:
        return None
    info = PngInfo()
    info.add_itxt(PNG_KEY, mark.xmp)
    return info
