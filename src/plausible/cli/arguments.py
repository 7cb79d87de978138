"""Arguments and flags that several commands have, each with its help, without torch."""

from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from plausible.core.choices import Device as DeviceName

RunFolder = Annotated[
    Positional[Path], tyro.conf.arg(name="run", help="The folder of the run.", metavar="RUN")
]
Paths = Annotated[
    Positional[tuple[str, ...]],
    tyro.conf.arg(
        name="path",
        help="Inputs: images, folders of images, or .npy, .npz and .csv files.",
        metavar="PATH...",
    ),
]
Count = Annotated[int, tyro.conf.arg(aliases=["-n"])]
Device = Annotated[
    DeviceName, tyro.conf.arg(help="Where to compute; auto is a GPU where there is one.")
]
Seed = Annotated[int, tyro.conf.arg(help="The same seed gives the same result.")]
Overwrite = Annotated[bool, tyro.conf.arg(help="Replace what exists where the result is written.")]
