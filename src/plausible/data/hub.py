"""Data sets of the Hugging Face hub, and folders in its formats, read by the package ``datasets``: "hub:user/name"."""

import re
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from plausible.core.errors import UsageError
from plausible.data.download import Downloading, check_answers
from plausible.data.hub_name import HubName, hub_name
from plausible.data.limits import check_limit
from plausible.data.options import Options
from plausible.data.raw import Raw
from plausible.data.readers.arrow_table import ArrowTable, read_arrow
from plausible.data.readers.file_parts import PARTS
from plausible.data.readers.reader import Progress

FORMATS = ("parquet", "arrow", "csv", "json", "imagefolder", "webdataset", "cache")
"""What is read of the formats that the package knows: none that runs or unpickles what it reads."""
_OWN = ("imagefolder", "webdataset")
"""Those that are read without the package where they are on this machine."""
_SAVED = ("dataset_dict.json", "state.json")
_AT_ONCE = 64  # rows, of which each may hold a picture
_CELL = 8  # bytes that a cell takes at least
_LONGEST = 300  # letters of what the package says
_ELSEWHERE = "where no host can be reached, put its .parquet files in a folder and give that as --data FOLDER"


def read_hub(
    spec: str, options: Options, progress: Progress | None, beside: Sequence[str] | None = None
) -> Raw:
    """The rows of a data set, as ``parquet`` reads those of a file; its test part is held out.

    ``options.hub_config`` and ``options.hub_split`` choose among several; ``beside`` as in ``csv_table.read_table``.
    Warns (``Downloading``) before the hub is asked.
    UsageError: the package is not installed; nobody answers; no such set; a format of none of ``FORMATS``.
    """
    name = hub_name(spec)
    try:
        datasets = import_module("datasets")
    except ModuleNotFoundError:
        raise UsageError(
            f"{spec} is read with the package datasets: pip install 'plausible[hub]'"
        ) from None
    parts, format = _opened(datasets, name, options)
    chosen, notes, heldout = _chosen(spec, parts, options)
    return read_arrow(
        _table(datasets, name, chosen, format, notes, heldout), options, progress, beside
    )


def _opened(datasets: Any, name: HubName, options: Options) -> tuple[dict[str, Any], str]:
    """({split: rows}, its format).  UsageError: as for ``read_hub``."""
    config = options.hub_config or name.config
    if not name.local and not datasets.config.HF_HUB_OFFLINE:
        _say_and_ask(datasets.config.HF_ENDPOINT, name)
    try:
        if name.local and any((Path(name.place) / saved).is_file() for saved in _SAVED):
            found, format = datasets.load_from_disk(name.place), "arrow"
        else:
            builder = datasets.load_dataset_builder(name.place, config)
            format = _checked_format(type(builder).__module__.split(".")[-1], name)
            builder.download_and_prepare()
            found = builder.as_dataset()
    except UsageError:
        raise
    except OSError as error:  # also what is raised where the network must not be asked
        raise UsageError(f"{name} cannot be read: {_said(error)}; {_ELSEWHERE}") from error
    except Exception as error:  # of the package's own kinds
        raise UsageError(f"{name} cannot be read: {_said(error)}") from error
    return dict(found) if isinstance(found, dict) else {"train": found}, format


def _say_and_ask(host: str, name: HubName) -> None:
    """Say that the hub is asked, and see whether anybody answers (UsageError)."""
    warnings.warn(Downloading(f"asking {host} for {name}"), stacklevel=5)
    check_answers(
        host,
        f"{name} cannot be fetched: nobody answers at {host}; what was fetched before is read with HF_HUB_OFFLINE=1 "
        f"in the environment, and {_ELSEWHERE}",
    )


def _checked_format(format: str, name: HubName) -> str:
    """UsageError: a format that is not read, or not by this package."""
    if format not in FORMATS:
        raise UsageError(
            f"{name} is of the format {format}, and only {', '.join(FORMATS)} are read"
        )
    if name.local and format in _OWN:
        raise UsageError(f"{name} is a folder of pictures: give it as {name.place}")
    return format


def _chosen(spec: str, parts: dict[str, Any], options: Options) -> tuple[list[Any], list[str], int]:
    """(the parts that are read, what was decided, how many of the last rows are for testing)."""
    asked, listed = options.hub_split, ", ".join(parts)
    if asked is not None:
        if asked not in parts:
            raise UsageError(f"--hub-split {asked}: {spec} has the splits {listed}")
        return [parts[asked]], [f"of the splits {listed} only {asked} is read"], 0
    if len(parts) == 1:
        return list(parts.values()), [], 0
    named = {part: [n for n in parts if n in words] for part, words in PARTS.items()}
    if not named["train"]:
        raise UsageError(f"{spec} has the splits {listed}: --hub-split chooses one of them")
    notes = []
    read = [*named["train"], *named["validation"], *named["test"]]
    for split in named["validation"]:
        notes.append(f"the {len(parts[split]):,} items of {split} join the others")
    if others := [split for split in parts if split not in read]:
        notes.append(f"left out, being neither train nor test: {', '.join(others)}")
    heldout = sum(len(parts[split]) for split in named["test"])
    return [parts[split] for split in read], notes, heldout


def _table(
    datasets: Any, name: HubName, parts: list[Any], format: str, notes: list[str], heldout: int
) -> ArrowTable:
    """What the reader of columns is given.  UsageError: parts of other columns, more than the limits allow."""
    first, rows = parts[0].features, sum(map(len, parts))
    if any(part.features != first for part in parts):
        raise UsageError(f"the splits of {name} have not the same columns: --hub-split chooses one")
    check_limit("columns", len(first), name)
    check_limit("text", _CELL * rows * len(first) / 2**30, name)

    def batches(columns: Sequence[str]) -> Iterator[Any]:
        try:
            for part in parts:
                for batch in part.with_format("arrow").select_columns([*columns]).iter(_AT_ONCE):
                    # pictures of a folder that was fetched lie beside the table; of no other is a path followed
                    whole = datasets.table.embed_table_storage(batch) if format in _OWN else batch
                    yield whole.select([*columns])
        except Exception as error:  # of the package's own kinds
            raise UsageError(f"{name} cannot be read: {_said(error)}") from error

    return ArrowTable(
        Path(str(name)), first.arrow_schema, rows, batches, "hub", heldout, tuple(notes),
        check=lambda taken: check_limit("archive", taken / 2**30, name),
    )  # fmt: skip


def _said(error: Exception) -> str:
    """What an error says, on one line and not too long."""
    text = re.sub(r"\s+", " ", str(error) or type(error).__name__).strip().rstrip(".")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
