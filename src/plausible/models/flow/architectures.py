"""What is invertible: maps from x in standard units, (N, *shape), to z, (N, D)."""

from collections.abc import Callable
from dataclasses import dataclass

from plausible.core.errors import UsageError
from plausible.core.registry import Registry
from plausible.core.space import Space
from plausible.models.flow.bijection import Bijection, Composed, Flattened, Rotation
from plausible.models.flow.conditioners import ConvNet, Perceptron, octaves
from plausible.models.flow.coupling import Coupling
from plausible.models.flow.masked import MaskedAutoregressive
from plausible.models.flow.multiscale import MultiScale, Squeeze
from plausible.models.flow.patches import PatchAutoregressive
from plausible.models.flow.transforms import Transform, transforms

_SIDE = 4  # pixels, below which there is no smaller scale
_FLAT = 1024  # numbers of an image that can be folded nowhere, at most
_PATCHES = 8  # a side, at most


@dataclass(frozen=True)
class Size:
    """How large a flow is.

    transform, bins  what a layer does to one coordinate.
    layers           invertible layers one after another (at each scale).
    width, blocks    of the network in each layer.
    patch            pixels a side of one patch; None is about 8 patches a side.
    classes          labels of a conditional model, otherwise 0.
    """

    transform: str
    layers: int
    width: int
    blocks: int
    bins: int
    patch: int | None = None
    classes: int = 0

    def make(self) -> Transform:
        """The transform of one layer."""
        return transforms[self.transform](self.bins)


architectures: Registry[Callable[[Space, Size], Bijection]] = Registry("architecture")
"""f(space, size) -> Bijection."""


@architectures
def coupling(space: Space, size: Size) -> Bijection:
    """Half of the coordinates says what becomes of the other half: as fast there as back."""
    if space.is_image:
        return _scales(space.shape, size)
    if space.dims == 1:  # which has no halves
        return autoregressive(space, size)
    d = space.dims
    maps = ([Rotation(d), _of_vectors(d, size)] for _ in range(size.layers))
    return Composed(one for layer in maps for one in layer)


@architectures
def autoregressive(space: Space, size: Size) -> Bijection:
    """Each coordinate of a vector by those before it: a layer can say more, and to draw takes a pass a coordinate."""
    if space.is_image:
        raise UsageError(
            "--architecture autoregressive is of vectors, and these data are images: choose coupling or patches"
        )
    d, net = space.dims, (size.width, size.blocks, size.classes, octaves(space.dims))
    maps = ([Rotation(d), MaskedAutoregressive(d, size.make(), *net)] for _ in range(size.layers))
    return Composed(one for layer in maps for one in layer)


@architectures
def patches(space: Space, size: Size) -> Bijection:
    """Each patch of an image by those before it, in one order and the other in turn."""
    if not space.is_image:
        raise UsageError(
            "--architecture patches is of images, and these data are vectors: choose coupling or autoregressive"
        )
    channels, height, width = space.shape
    rows, columns = (patch_side(side, size.patch) for side in (height, width))
    numbers, places = channels * rows * columns, height * width // (rows * columns)
    if places == 1:
        raise UsageError(
            f"images of {height} x {width} pixels are a single patch: choose another --patch or --size, or "
            f"--architecture coupling"
        )
    maps: list[Bijection] = [
        Squeeze(rows, columns),
        Flattened((numbers, height // rows, width // columns), (numbers, places)),
    ]
    for layer in range(size.layers):
        net = (numbers, places), size.make(), size.width, size.blocks, size.classes
        maps += [Rotation(numbers), PatchAutoregressive(*net, backwards=layer % 2 == 1)]
    return Composed([*maps, Flattened((numbers, places), (space.dims,))])


def _of_vectors(dims: int, size: Size) -> Coupling:
    """A coupling of vectors (N, D)."""
    kept, transform = dims // 2, size.make()
    outputs = (dims - kept) * transform.size
    net = Perceptron(kept, outputs, size.width, size.blocks, size.classes, octaves(kept))
    return Coupling(kept, transform, net)


def _of_maps(channels: int, size: Size) -> Coupling:
    """A coupling of maps (N, C, h, w)."""
    kept, transform = channels // 2, size.make()
    outputs = (channels - kept) * transform.size
    return Coupling(kept, transform, ConvNet(kept, outputs, size.width, size.blocks, size.classes))


def _scales(shape: tuple[int, ...], size: Size) -> Bijection:
    """Couplings of images at every scale down to about 4 pixels; of images that cannot be folded as of vectors."""
    channels, height, width = shape
    scales: list[tuple[Composed, tuple[int, int, int]]] = []
    if channels * _fold(height) * _fold(width) == 1:
        return _as_vector(shape, size)
    while True:
        rows, columns = _fold(height), _fold(width)
        channels, height, width = channels * rows * columns, height // rows, width // columns
        maps: list[Bijection] = [Squeeze(rows, columns)]
        for _ in range(size.layers):
            maps += [Rotation(channels), _of_maps(channels, size)]
        scales.append((Composed(maps), (channels, height, width)))
        if min(height, width) < _SIDE or _fold(height) * _fold(width) == 1:
            return MultiScale(scales)
        channels = channels // 2


def _as_vector(shape: tuple[int, ...], size: Size) -> Bijection:
    channels, height, width = shape
    dims = channels * height * width
    if dims > _FLAT:
        raise UsageError(
            f"images of {height} x {width} pixels cannot be folded: choose a --size that is even or a multiple of 3"
        )
    return Composed([Flattened(shape, (dims,)), coupling(Space((dims,)), size)])


def _fold(side: int) -> int:
    """Pixels of a side that become channels: 2 where it is even, 3 where it is a multiple of 3, otherwise 1."""
    return 2 if side % 2 == 0 else 3 if side % 3 == 0 else 1


def patch_side(side: int, asked: int | None) -> int:
    """Pixels a side of one patch, which divides the side."""
    if asked is not None:
        if side % asked:
            raise UsageError(f"--patch {asked} does not divide a side of {side} pixels")
        return asked
    least = max(side / _PATCHES, 2 if side >= _PATCHES else 1)
    return min(p for p in range(1, side + 1) if side % p == 0 and p >= least)
