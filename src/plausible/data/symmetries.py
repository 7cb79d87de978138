"""Changes of images under which a distribution may stay the same: mirrored, turned, shifted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.errors import UsageError
from plausible.core.registry import Registry
from plausible.core.space import Space

Move = Callable[[Tensor], Tensor]
"""x (N, C, H, W) -> the same shape: every image moved."""


@dataclass(frozen=True)
class Symmetry:
    """Moves of an image, with each of them its inverse.

    words   what an image is after a move, in a sentence.
    square  whether only images as high as wide keep their shape.
    """

    name: str
    words: str
    moves: tuple[Move, ...]
    square: bool = False

    def fits(self, space: Space) -> bool:
        """Whether its moves keep x in the space."""
        return space.is_image and (not self.square or space.shape[1] == space.shape[2])

    def moved(self, x: Tensor, which: Tensor) -> Tensor:
        """Each image of x (N, C, H, W) by the move of its number in ``which`` (N,); others stay."""
        for k, move in enumerate(self.moves):
            x = torch.where((which == k)[:, None, None, None], move(x), x)
        return x


symmetries: Registry[Symmetry] = Registry("symmetry")
"""{name: Symmetry}."""


def _turn(quarters: int) -> Move:
    return lambda x: x.rot90(quarters, (2, 3))


def _roll(axis: int, direction: int) -> Move:
    return lambda x: x.roll(direction * max(1, x.shape[axis] // 8), axis)


symmetries(Symmetry("mirror", "mirrored left to right", (lambda x: x.flip(3),)))
symmetries(Symmetry("half-turn", "turned by 180 degrees", (_turn(2),)))
symmetries(Symmetry("quarter-turn", "turned by 90 degrees", (_turn(1), _turn(3)), square=True))
symmetries(
    Symmetry(
        "shift",
        "shifted by an eighth",  # and what leaves comes in at the other side
        tuple(_roll(axis, direction) for axis in (2, 3) for direction in (-1, 1)),
    )
)


def check_symmetries(names: Sequence[str], space: Space) -> None:
    """Refuse symmetries that do not keep x in a space (UsageError)."""
    for name in names:
        if not symmetries[name].fits(space):
            need = "images as high as wide" if symmetries[name].square else "images"
            raise UsageError(f"--symmetries {name} is of {need}, and these data are {space.shape}")


def symmetrised(x: Tensor, names: Sequence[str]) -> Tensor:
    """Each image of x (N, C, H, W) as it is or, with probability 1/2 each, moved by each of these symmetries.

    Draws from torch's default generator of the device.  Where p(x) has the symmetries it is the same distribution.
    """
    for name in names:
        symmetry = symmetries[name]
        which = torch.randint(2 * len(symmetry.moves), (len(x),), device=x.device)  # (N,)
        x = symmetry.moved(x, which)
    return x
