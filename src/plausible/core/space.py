"""Where data live (``Space``) and what is drawn from there (``Batch``)."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import Tensor

from plausible.core import notebook
from plausible.core.errors import UsageError


@dataclass(frozen=True)
class Space:
    """The set X of all x: ``levels ** dims`` grid points in [0, 1]^shape, or R^shape without levels.

    shape    (C, H, W) for images, (D,) for vectors.
    levels   L >= 2: every coordinate is k / (L - 1), k = 0 .. L - 1.  None: continuous.
    classes  number of labels y of the data; 0 when there are none.
    whole    the coordinates of R^D in which all x are whole numbers, so that samples are rounded to them.
    """

    shape: tuple[int, ...]
    levels: int | None = None
    classes: int = 0
    whole: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "whole", tuple(self.whole))
        if not self.shape or min(self.shape) < 1:
            raise UsageError(
                f"a space needs sizes of at least 1 in every direction, not {self.shape}"
            )
        if self.levels is not None and not 2 <= self.levels <= 256:
            raise UsageError(f"levels must lie between 2 and 256, not {self.levels}")

    @property
    def dims(self) -> int:
        """D, the number of coordinates of one x."""
        return math.prod(self.shape)

    @property
    def is_image(self) -> bool:
        """True for (C, H, W)."""
        return len(self.shape) == 3

    def need_classes(self, who: str) -> None:
        """Refuse, on behalf of ``who``, data without at least two classes."""
        if self.classes < 2:
            have = "have one class only" if self.classes else "have none"
            raise UsageError(f"{who} needs labels, and these data {have}")

    def quantise(self, x: Tensor) -> Tensor:
        """The nearest point of the space: (N, *shape) -> (N, *shape); where x is continuous the identity."""
        if self.whole:
            x = x.clone()
            x[..., list(self.whole)] = x[..., list(self.whole)].round() + 0.0  # never -0
        if self.levels is None:
            return x
        top = self.levels - 1
        return x.clamp(0, 1).mul(top).round_().div_(top)

    def codes(self, x: Tensor) -> Tensor:
        """k in 0 .. L - 1 of each coordinate, as uint8: (N, *shape) -> (N, *shape)."""
        if self.levels is None:
            raise UsageError("a continuous space has no levels, so its points have no codes")
        return x.clamp(0, 1).mul(self.levels - 1).round_().to(torch.uint8)

    def decode(self, codes: Tensor) -> Tensor:
        """k / (L - 1): the inverse of ``codes``, float32."""
        if self.levels is None:
            raise UsageError("a continuous space has no levels, so there is nothing to decode")
        return codes.to(torch.float32).div_(self.levels - 1)

    def enumerate(self) -> Tensor:
        """All L ** D points in counting order, (L ** D, *shape); for spaces of at most 2^20 points."""
        if self.levels is None or self.levels**self.dims > 2**20:
            raise UsageError("only a space of at most 2^20 points can be enumerated")
        count = self.levels**self.dims
        place = self.levels ** torch.arange(self.dims - 1, -1, -1)  # (D,)
        codes = torch.arange(count)[:, None] // place % self.levels  # (L^D, D)
        return self.decode(codes.reshape(count, *self.shape))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for config.json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        shape, whole = tuple(values["shape"]), tuple(values["whole"])
        return cls(shape, values["levels"], values["classes"], whole)


@dataclass(frozen=True)
class Batch:
    """(x, y): N points of a space and, where known, their labels.

    x  (N, *shape) float32, on the grid of levels in [0, 1], or continuous in the data's units.
    y  (N,) int64 in 0 .. classes - 1, or None.
    """

    x: Tensor
    y: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        said = f"Batch of {len(self):,}: x {tuple(self.x.shape)}"
        if len(self):
            low, high = (float(end) for end in self.x.aminmax())
            said += f" from {low:.4g} to {high:.4g}"
        if self.y is None:
            return said
        classes = len(self.y.unique())
        return f"{said}, y of {classes} class{'es' * (classes != 1)}"

    def _repr_html_(self) -> str:
        labels = [] if self.y is None else [str(label) for label in self.y.tolist()]
        return notebook.line(repr(self)) + notebook.points(self.x, labels)

    def __getitem__(self, rows: slice) -> "Batch":
        return Batch(self.x[rows], None if self.y is None else self.y[rows])

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device."""
        return Batch(self.x.to(device), None if self.y is None else self.y.to(device))


def by_label(y: Tensor | None, n: int) -> "list[tuple[int, Tensor]]":
    """[(label, rows (m,) that carry it)] of labels (n,); without labels all rows carry 0."""
    if y is None:
        return [(0, torch.arange(n))]
    return [(int(k), (y == k).nonzero()[:, 0]) for k in y.unique()]  # (n,) -> (m,)
