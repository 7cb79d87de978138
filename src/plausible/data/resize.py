"""Images that came as arrays, brought to a size and a number of channels as files are."""

from plausible.core.errors import UsageError
from plausible.data.images import convert_images
from plausible.data.options import MAX_SIDE, MIN_SIDE, Options, size_of
from plausible.data.quantise import requantise
from plausible.data.raw import Raw


def check_size(options: Options) -> None:
    """UsageError: a side that is asked for is not of 8 to 256 pixels."""
    if options.sides is None or MIN_SIDE <= min(options.sides) <= max(options.sides) <= MAX_SIDE:
        return
    few = min(options.sides) < MIN_SIDE
    why = "too few to show anything" if few else "more than these models learn in any time"
    near = size_of(*(min(max(side, MIN_SIDE), MAX_SIDE) for side in options.sides))
    raise UsageError(
        f"--size {options.size} asks for {why}: a side has {MIN_SIDE} to {MAX_SIDE} pixels, as in --size {near}"
    )


def fit_images(raw: Raw, options: Options) -> None:
    """Bring images that came as an array to the size and channels asked for, in place; the notes say so."""
    assert raw.levels is not None
    _, now, height, width = raw.values.shape
    size = options.sides if options.sides != (width, height) else None
    channels = options.channels if options.channels != now else None
    if size is None and channels is None:
        return
    codes = convert_images(
        requantise(raw.values, raw.levels, 256), size, channels, options.background
    )
    raw.values = requantise(codes, 256, raw.levels)
    if size is not None:
        crop = "cropped at the centre and " if width * size[1] != height * size[0] else ""
        raw.notes.append(
            f"all images are {crop}resized from {width}x{height} to {size[0]}x{size[1]}"
        )
    if channels is not None:
        raw.notes.append(f"all images are brought from {now} to {channels} channels")


def explain_size(raw: Raw) -> str | None:
    """A sentence where images are so large that they take very long to learn; None where they are not."""
    height, width = raw.values.shape[2:]
    if max(height, width) <= MAX_SIDE:
        return None
    return (
        f"images of {width}x{height} pixels take very long to learn: --size {MAX_SIDE // 4} makes them smaller "
        f"(8 to 256 pixels a side)"
    )
