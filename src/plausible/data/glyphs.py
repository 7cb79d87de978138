"""Pictures of characters drawn from factors that are known: fonts, inks, slants, sizes.

An image set whose truth is known, in colour, on every machine, as large as wanted: every factor has
the distribution that is asked for, so a share that is missing or narrowed is missing by exactly that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample

from plausible.core.errors import UsageError

DIGITS, LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FONTS = {  # (regular, bold) of the fonts that come with matplotlib
    "DejaVu Sans": ("DejaVuSans", "DejaVuSans-Bold"),
    "DejaVu Serif": ("DejaVuSerif", "DejaVuSerif-Bold"),
    "DejaVu Sans Mono": ("DejaVuSansMono", "DejaVuSansMono-Bold"),
    "STIX": ("STIXGeneral", "STIXGeneralBol"),
    "Computer Modern": ("cmr10", "cmb10"),
}
INKS = {  # sRGB, 0 to 1
    "black": (0.10, 0.10, 0.12),
    "red": (0.72, 0.12, 0.15),
    "green": (0.10, 0.42, 0.20),
    "blue": (0.12, 0.22, 0.62),
    "purple": (0.42, 0.14, 0.48),
    "brown": (0.42, 0.26, 0.10),
}
GROUNDS = {
    "white": (0.95, 0.95, 0.94),
    "yellow": (0.95, 0.85, 0.50),
    "sky": (0.65, 0.82, 0.94),
    "pink": (0.95, 0.72, 0.75),
}
MIN_SIDE, MAX_SIDE = 8, 64
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow makes grey of colour
_BLOCK = 1024  # images drawn at once, which bounds the memory


@dataclass(frozen=True)
class Factors:
    """What makes each of n pictures; all (n,), and the colours (n, 3) in [0, 1].

    glyph, font, ink, ground   positions among the characters, FONTS, INKS and GROUNDS.
    bold        whether the heavier weight of the font is taken.
    slant       horizontal shear, the tangent of the angle.
    height      that of a capital letter, as a share of the picture.
    across, down   how far the middle is moved, as a share of the picture.
    ink_colour, ground_colour   the named colours with their jitter.
    noise       standard deviation of the pixels' noise, in [0, 1].
    """

    glyph: Tensor
    font: Tensor
    ink: Tensor
    ground: Tensor
    bold: Tensor
    slant: Tensor
    height: Tensor
    across: Tensor
    down: Tensor
    ink_colour: Tensor
    ground_colour: Tensor
    noise: Tensor

    def __len__(self) -> int:
        return len(self.glyph)


@dataclass(frozen=True)
class Glyphs:
    """A distribution of pictures of characters; every factor is independent of the others.

    characters   what is drawn, each with the same probability; the label of a picture.
    fonts, inks, grounds   unnormalised shares in the order of FONTS, INKS, GROUNDS; None: equal.
    bold         the probability of the heavier weight.
    slant        standard deviation of the shear.
    heights      the smallest and the largest height, uniform in between.
    shift        the largest movement to each side.
    jitter       standard deviation of a colour around its name.
    noise        the largest standard deviation of the pixels' noise, uniform from 0.
    font_of_glyph   every character has one font, chosen by its place: a dependence to be found.
    """

    characters: str = DIGITS
    fonts: tuple[float, ...] | None = None
    inks: tuple[float, ...] | None = None
    grounds: tuple[float, ...] | None = None
    bold: float = 0.4
    slant: float = 0.15
    heights: tuple[float, float] = (0.5, 0.8)
    shift: float = 0.08
    jitter: float = 0.04
    noise: float = 0.03
    font_of_glyph: bool = False

    def factors(self, n: int, generator: torch.Generator) -> Factors:
        """n independent draws of all factors."""

        def uniform(low: float, high: float) -> Tensor:
            return low + (high - low) * torch.rand(n, generator=generator)

        def normal(std: float, *shape: int) -> Tensor:
            return std * torch.randn(n, *shape, generator=generator)

        glyph = torch.randint(len(self.characters), (n,), generator=generator)
        font = _choice(n, self.fonts, len(FONTS), generator)
        ink = _choice(n, self.inks, len(INKS), generator)
        ground = _choice(n, self.grounds, len(GROUNDS), generator)
        return Factors(
            glyph=glyph,
            font=glyph % len(FONTS) if self.font_of_glyph else font,
            ink=ink,
            ground=ground,
            bold=torch.rand(n, generator=generator) < self.bold,
            slant=normal(self.slant),
            height=uniform(*self.heights),
            across=uniform(-self.shift, self.shift),
            down=uniform(-self.shift, self.shift),
            ink_colour=(_colours(INKS)[ink] + normal(self.jitter, 3)).clamp(0, 1),
            ground_colour=(_colours(GROUNDS)[ground] + normal(self.jitter, 3)).clamp(0, 1),
            noise=uniform(0, self.noise),
        )

    def draw(
        self, factors: Factors, size: int, channels: int, generator: torch.Generator
    ) -> Tensor:
        """The pictures of these factors: (n, channels, size, size) uint8.

        channels  1 grey (the luminance), 3 colour, 4 colour with the ground left out (its alpha is 0).
        UsageError: another number of channels, or a side beyond 8 to 64 pixels.
        """
        if not MIN_SIDE <= size <= MAX_SIDE:
            raise UsageError(f"glyphs have {MIN_SIDE} to {MAX_SIDE} pixels a side, not {size}")
        if channels not in (1, 3, 4):
            raise UsageError(f"glyphs have 1, 3 or 4 channels, not {channels}")
        blocks = [
            self._block(factors, slice(i, i + _BLOCK), size, channels, generator)
            for i in range(0, len(factors), _BLOCK)
        ]
        return torch.cat(blocks) if blocks else torch.zeros(0, channels, size, size).byte()

    def sample(
        self, n: int, size: int = 32, channels: int = 3, seed: int = 0
    ) -> tuple[Tensor, Factors]:
        """n independent pictures (n, channels, size, size) uint8, and the factors behind them."""
        generator = torch.Generator().manual_seed(seed)
        factors = self.factors(n, generator)
        return self.draw(factors, size, channels, generator), factors

    def _block(
        self, all_: Factors, rows: slice, size: int, channels: int, generator: torch.Generator
    ) -> Tensor:
        masks = _masks(self.characters, 2 * size)  # (fonts, 2, K, 2S, 2S)
        mask = masks[all_.font[rows], all_.bold[rows].long(), all_.glyph[rows]]  # (n, 2S, 2S)
        n = len(mask)
        # from a place in the picture back to one in the mask, both from -1 to 1
        turn = torch.zeros(n, 2, 3)
        scale = _CAPITAL / all_.height[rows]
        turn[:, 0, 0] = scale
        turn[:, 0, 1] = scale * all_.slant[rows]
        turn[:, 0, 2] = -2 * scale * (all_.across[rows] + all_.slant[rows] * all_.down[rows])
        turn[:, 1, 1] = scale
        turn[:, 1, 2] = -2 * scale * all_.down[rows]
        where = affine_grid(turn, [n, 1, 2 * size, 2 * size], align_corners=False)
        cover = avg_pool2d(grid_sample(mask[:, None], where, align_corners=False), 2)
        cover = cover.clamp(0, 1)  # (n, 1, 2S, 2S) -> (n, 1, S, S)
        ink = all_.ink_colour[rows, :, None, None]  # (n, 3) -> (n, 3, 1, 1)
        ground = all_.ground_colour[rows, :, None, None]
        noise = torch.randn(n, 3, size, size, generator=generator)
        noise = noise * all_.noise[rows, None, None, None]
        if channels == 4:
            colour = torch.where(
                cover > 1 / 510, ink + noise, torch.zeros(())
            )  # nothing where unseen
            picture = torch.cat([colour, cover], 1)  # (n, 3, S, S), (n, 1, S, S) -> (n, 4, S, S)
        else:
            picture = ground + (ink - ground) * cover + noise  # (n, 3, S, S)
        if channels == 1:
            weights = torch.tensor(_LUMA)[:, None, None]
            picture = (picture * weights).sum(1, keepdim=True)  # (n, 3, S, S) -> (n, 1, S, S)
        return picture.clamp(0, 1).mul(255).round().byte()


glyph_sets = {"glyphs": Glyphs(DIGITS), "letters": Glyphs(LETTERS)}
"""{name of a data set: what it is drawn from}."""

_CAPITAL = 0.6  # height of a capital letter in a mask


def _choice(
    n: int, shares: Sequence[float] | None, count: int, generator: torch.Generator
) -> Tensor:
    """(n,) positions below count, drawn with these shares."""
    weights = torch.ones(count) if shares is None else torch.tensor(shares, dtype=torch.float32)
    if len(weights) != count or not bool((weights >= 0).all()) or not float(weights.sum()) > 0:
        raise UsageError(f"{count} shares of at least 0 are needed, not {shares}")
    return torch.multinomial(weights, n, replacement=True, generator=generator)


def _colours(named: dict[str, tuple[float, float, float]]) -> Tensor:
    return torch.tensor(list(named.values()))  # (names, 3)


@cache
def _masks(characters: str, side: int) -> Tensor:
    """Every character in every font and weight, centred: (fonts, 2, K, side, side) in [0, 1]."""
    folder = _font_folder()
    faces = [
        [_face(folder / f"{file}.ttf", characters, side) for file in pair]
        for pair in FONTS.values()
    ]
    return torch.from_numpy(np.array(faces, np.float32) / 255)


def _face(path: Path, characters: str, side: int) -> list[np.ndarray]:
    """The characters in one font as masks (side, side) uint8, capitals of one height in every font."""
    font = ImageFont.truetype(str(path), 4 * side)
    _, top, _, bottom = font.getbbox("H")
    font = ImageFont.truetype(str(path), round(4 * side * _CAPITAL * side / (bottom - top)))
    masks = []
    for character in characters:
        box = font.getbbox(character)
        image = Image.new("L", (side, side))
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        place = (side / 2 - middle[0], side / 2 - middle[1])
        ImageDraw.Draw(image).text(place, character, fill=255, font=font)
        masks.append(np.asarray(image))
    return masks


def _font_folder() -> Path:
    import matplotlib  # brings the fonts

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"
