"""Arguments and flags that several commands have, each with its help, without torch."""

from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional

from plausible.core.bounds import COUNT, NATURAL, SHARE, Bounds
from plausible.core.choices import Device as DeviceName
from plausible.core.choices import LogTo as Mirror
from plausible.core.choices import OnFailure as Failure
from plausible.data.options import Options

PAGE = "report.html"
"""The name of a page in the folder that it is of."""

RunFolder = Annotated[
    Positional[Path], tyro.conf.arg(name="run", help="The folder of the run.", metavar="RUN")
]
Paths = Annotated[
    Positional[tuple[str, ...]],
    tyro.conf.arg(
        name="path",
        help="The inputs: images, folders, .zip or .tar files of them, .npy, .npz, .csv, .tsv and .parquet files, or items of the "
        "data, as heldout:0-7.",
        metavar="PATH...",
    ),
]
DataPlace = Annotated[
    str | None,
    tyro.conf.arg(
        help="Read the data of the run from here, a name or a path; by default from where they were."
    ),
]
Preparation = Annotated[
    OmitArgPrefixes[Options],
    tyro.conf.arg(help=""),  # or tyro looks for a sentence in the source, which takes long
]
Count = Annotated[int, COUNT, tyro.conf.arg(aliases=["-n"])]
Device = Annotated[
    DeviceName, tyro.conf.arg(help="The device to compute on; auto is a GPU where there is one.")
]
Watch = Annotated[
    bool,
    tyro.conf.arg(
        help="Probe the model every 100 rounds (400 of diffusion), raise alarms, and keep the best weights."
    ),
]
Evaluated = Annotated[
    bool,
    tyro.conf.arg(
        help="Judge the model when it is trained; plausible evaluate does so at any time."
    ),
]
Verbose = Annotated[
    bool, tyro.conf.arg(help="Show the tables of all measures too, which are in measures.json.")
]
OnFailure = Annotated[
    Failure,
    tyro.conf.arg(
        help="Where a number is not finite, warn stops, and rollback first goes back once, with half the "
        "learning rate; stop stops at any failure."
    ),
]
LogTo = Annotated[
    tuple[Mirror, ...],
    tyro.conf.arg(
        help="Show the log in these too, while it is written and when it goes on: TensorBoard, trackio, Weights & Biases (extra: log)."
    ),
]
GoOnLogTo = Annotated[
    tuple[Mirror, ...] | None,
    tyro.conf.arg(
        help="Show all of the log in these, what was logged before too; by default in those the run had."
    ),
]
MANY_TIMES = Bounds(at_least=1, at_most=1000)
"""Of what each takes a training, or a process."""
Positive = Annotated[int, COUNT]
Ends = Annotated[int, Bounds(at_least=2)]
Draws = Annotated[int, Bounds(at_least=1, at_most=1_000_000)]
Judged = Annotated[int, Bounds(at_least=2, at_most=1_000_000), tyro.conf.arg(aliases=["-n"])]
Share = Annotated[float, SHARE]
Rate = Annotated[float, Bounds(above=0, below=1)]
Natural = Annotated[int, NATURAL]
Seed = Annotated[int, NATURAL, tyro.conf.arg(help="The same seed gives the same result.")]
Marked = Annotated[
    bool,
    tyro.conf.arg(
        help="Have pictures say in their metadata that a model drew them, which one and by which seed."
    ),
]
Json = Annotated[
    bool, tyro.conf.arg(help="Print what was found as one JSON document, and all else to stderr.")
]
Overwrite = Annotated[bool, tyro.conf.arg(help="Replace what exists where the result is written.")]
