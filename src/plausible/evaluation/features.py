"""Feature extractors that need no training here: f(x) (N, *shape) -> (N, d)."""

from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, leaky_relu

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.evaluation.shrink import shrunk
from plausible.nn.networks import halvings

Features = Callable[[Tensor], Tensor]

_CHUNK = 128
_LARGEST = 64  # pixels a side that random convolutions look at, which bounds their time
_SLOPE = 0.2
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of RGB


def pca(train: Tensor, dims: int = 64) -> Features:
    """The leading principal components of the training part, at most ``dims`` and at most its rank.

    train (N, *shape); images are shrunk to at most 16 x 16 first, so that D stays below a thousand.
    The components are fixed here, so whatever is compared later is compared in the same coordinates.
    """
    rows = _rows(train)  # (N, *shape) -> (N, D)
    mean = rows.mean(0)
    values, vectors = torch.linalg.eigh((rows - mean).T @ (rows - mean))  # (D,), (D, D), ascending
    rank = max(int((values > 1e-12 * values[-1]).sum()), 1)
    axes = vectors[:, -min(dims, rank) :]  # (D, d)

    def project(x: Tensor) -> Tensor:
        return (_rows(x.to(mean)) - mean) @ axes  # (N, *shape) -> (N, d)

    return project


def pixels() -> Features:
    """x itself: (N, *shape) -> (N, D)."""
    return lambda x: x.flatten(1)


def random_convolutions(space: Space, seed: int = 0, width: int = 64) -> Features:
    """Mean and maximum over positions of a pyramid of random filters: (N, C, H, W) -> (N, 4 width).

    Strided convolutions with weights ~ N(0, 2 / ((1 + 0.2^2) fan_in)), drawn from ``seed`` and never
    trained, halve the image to about 4 pixels a side; with a single stage d is 2 width.  Images
    beyond 64 pixels are averaged down to 64 first.  For images without labels, whose own classifier
    cannot be trained; equal seeds give equal features.  Vectors and images under 4 pixels a side
    stay as they are.
    Source: Naeem et al. 2020, https://arxiv.org/abs/2002.09797 (random embeddings); He et al. 2015,
    https://arxiv.org/abs/1502.01852 (the weights).
    """
    if not space.is_image or min(space.shape[1:]) < 4:
        return pixels()
    height, columns = (min(side, _LARGEST) for side in space.shape[1:])
    count = len(halvings(height, columns)) - 1
    # where little halves, or up to 16 pixels, a first convolution at full size sees the details
    kernels = [3] * (max(height, columns) <= 16 or count < 2) + [4] * count
    wide = [space.shape[0], width, *[2 * width] * (len(kernels) - 1)]
    generator = torch.Generator().manual_seed(seed)
    weights = []
    for kernel, (inputs, outputs) in zip(kernels, pairwise(wide), strict=True):
        shape = (outputs, inputs, kernel, kernel)
        std = (2 / ((1 + _SLOPE**2) * inputs * kernel**2)) ** 0.5
        weights.append(torch.randn(shape, generator=generator) * std)

    def convolve(x: Tensor) -> Tensor:
        h = shrunk(x.to(weights[0]), _LARGEST) * 2 - 1
        for weight in weights:
            # a kernel of 3 keeps h x w, one of 4 makes it h // 2 x w // 2
            h = leaky_relu(conv2d(h, weight, stride=weight.shape[3] - 2, padding=1), _SLOPE)
        return torch.cat([h.mean((2, 3)), h.amax((2, 3))], 1)  # (N, c, h, w) -> (N, 2 c)

    return lambda x: torch.cat([convolve(few) for few in x.split(_CHUNK)])


def pretrained(name: str) -> Features:
    """The pooled output of an image model of the Hugging Face hub, or of a folder: (N, C, H, W) -> (N, d).

    Needs the extra ``transformers``.  Images in [0, 1] of any size; grey ones become three equal
    channels, transparent ones lie on white, all are resized (bicubic, antialiased) to the side the
    model was trained on and normalised as its preprocessor says, or else as ImageNet is.  Pooled is
    the model's own pooler if its weights are in the file (many classifiers come without), else the
    class token, else the mean over tokens or positions.
    Raises ``UsageError`` without the extra, for a name that is not found (without a network that takes
    half a minute), for a model that does not read images, and for one whose weights are not there.
    """
    model, trained_pooler = _loaded(name)
    config = model.config
    mean, std, side = _preprocessing(name, config)
    channels = getattr(config, "num_channels", 3)
    if len(mean) not in (1, channels):  # said of colours, but the model reads grey
        mean, std = mean.mean(0, keepdim=True), std.mean(0, keepdim=True)
    has_class_token = any(key.endswith("cls_token") for key, _ in model.named_parameters())

    @torch.no_grad()
    def pooled(x: Tensor) -> Tensor:
        x = interpolate(_channels(x, channels), side, mode="bicubic", antialias=True).clamp(0, 1)
        out = model.to(x.device)((x - mean.to(x)) / std.to(x))
        if trained_pooler and getattr(out, "pooler_output", None) is not None:
            return out.pooler_output.flatten(1).float()
        hidden = out.last_hidden_state  # (N, tokens, d), or (N, d, h, w) of a convolutional network
        if hidden.ndim == 4:
            return hidden.mean((2, 3)).float()
        return (hidden[:, 0] if has_class_token else hidden.mean(1)).float()  # (N, d)

    def extract(x: Tensor) -> Tensor:
        return torch.cat([pooled(few) for few in x.split(_CHUNK)])

    extract.__name__ = f"the pretrained model {name}"
    return extract


def _loaded(name: str) -> tuple[nn.Module | Any, bool]:
    """The image model of that name, and whether the weights of its pooler came with it."""
    try:
        hub = import_module("transformers")
    except ImportError as error:
        raise UsageError(
            "the pretrained extractor needs the extra: pip install 'plausible[pretrained]'"
        ) from error
    try:
        with torch.random.fork_rng(devices=[]):  # what the file lacks is drawn at random
            model, info = hub.AutoModel.from_pretrained(
                name, output_loading_info=True, trust_remote_code=False
            )
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no pretrained model at {name!r}: give a folder written by save_pretrained, or a name "
            "on the Hugging Face hub that is in its cache or can be reached"
        ) from error
    model = getattr(model, "vision_model", model)  # of a model of images and texts
    reads = getattr(model, "main_input_name", "pixel_values")  # which an eye alone may not say
    if reads != "pixel_values":
        raise UsageError(f"{name!r} does not read images but {reads}")
    missing = [key for key in info["missing_keys"] if "pooler" not in key]
    if missing:
        raise UsageError(f"{name!r} lacks weights ({missing[0]}), so its features would be random")
    return model.eval().float(), not info["missing_keys"]


def _preprocessing(name: str, config: Any) -> tuple[Tensor, Tensor, tuple[int, int]]:
    """Mean and deviation, (C, 1, 1) each, and (height, width) that a model expects."""
    try:
        mixin = import_module("transformers").ImageProcessingMixin
        settings, _ = mixin.get_image_processor_dict(name)
    except OSError:  # many folders hold weights alone
        settings = {}
    mean, std = (
        settings.get("image_mean") or _IMAGENET[0],
        settings.get("image_std") or _IMAGENET[1],
    )
    if settings.get("do_normalize") is False:
        mean, std = [0.0], [1.0]
    size: Any = getattr(config, "image_size", None) or settings.get("crop_size")
    size = size or settings.get("size") or 224
    if isinstance(size, dict):
        short = size.get("shortest_edge", 224)
        size = (size.get("height", short), size.get("width", short))
    height, width = (size, size) if isinstance(size, int) else size
    centre, deviation = (torch.tensor(values).reshape(-1, 1, 1) for values in (mean, std))
    return centre, deviation, (int(height), int(width))


def _channels(x: Tensor, wanted: int) -> Tensor:
    """Images of 1 or 4 channels as colours: (N, C, H, W) -> (N, wanted, H, W)."""
    if x.ndim != 4:
        raise UsageError("the pretrained extractor reads images, and these data are vectors")
    if wanted == 3 and x.shape[1] == 4:
        colour, alpha = x.split([3, 1], 1)
        return colour * alpha + 1 - alpha  # on white
    if x.shape[1] not in (1, wanted):
        raise UsageError(
            f"this pretrained model reads {wanted} channels, and these images have {x.shape[1]}"
        )
    return x.expand(-1, wanted, -1, -1)


def _rows(x: Tensor) -> Tensor:
    if x.ndim == 4 and max(x.shape[2:]) > 16:
        x = shrunk(x, 16)  # (N, C, H, W) -> (N, C, <=16, <=16)
    return x.flatten(1).double()
