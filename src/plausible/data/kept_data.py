"""Data too large for the memory, kept on the disk as they were decided: read once, and opened by whoever asks again."""

import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import PIL
import torch

from plausible.core.space import Space
from plausible.data.fingerprint import Fingerprint, fingerprint
from plausible.data.mapped import data_folder, room, write_reserved
from plausible.data.options import Options
from plausible.data.part import Data, Part, Survey

_FORMAT = 1  # of what is kept: another one is read anew
_ABOUT = "about.json"
_MANY, _LARGE = 20_000, 2**28  # files, bytes: from here on one process reads while others wait
PARTS = ("train", "validation", "heldout")


def read_once(path: Path, options: Options, read: Callable[[], Data]) -> Data:
    """The data of a path: those that are kept where it has not changed, or what ``read`` reads, kept where it is mapped.

    options  how they are shaped; what is done to them later (``half``, ``mutate``) is none of it.
    """
    found = fingerprint(path, options.follow_links)
    place = data_folder() / _key(path, found, options)
    with _alone(place, found):
        kept = _opened(place)
        if kept is not None:
            return kept
        data = read()
        if data.train.on_disk:
            shutil.rmtree(place, ignore_errors=True)  # what is there is not whole
            keep(data, place)
            data = _opened(place) or data
        return data


def keep(data: Data, place: Path) -> None:
    """Write data to a new folder, whole or not at all.

    UsageError: the disk has no room.
    """
    parts = {name: getattr(data, name) for name in PARTS}
    size = sum(part.values.numel() * part.values.element_size() for part in parts.values())
    hashes = data.hashes
    with room(place, size):
        draft = Path(tempfile.mkdtemp(prefix=f"{place.name}-", dir=place.parent))
        try:
            for name, part in parts.items():
                write_reserved(part.values.numpy(), draft / f"{name}.bin")
                if part.y is not None:
                    np.save(draft / f"{name}-y.npy", part.y.numpy())
            about = json.dumps(_about(data, hashes), indent=2)
            (draft / _ABOUT).write_text(about, "utf-8")
            os.replace(draft, place)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            if not (place / _ABOUT).exists():  # else another process was faster
                raise


def _about(data: Data, hashes: dict[str, str]) -> dict[str, Any]:
    """Everything of data but their numbers, as JSON."""
    values = {
        name: {
            "shape": list(part.values.shape),
            "type": str(part.values.numpy().dtype),
            "hash": hashes[name],
        }
        for name, part in ((name, getattr(data, name)) for name in PARTS)
    }
    survey = {field.name: getattr(data.survey, field.name) for field in fields(Survey)}
    return {
        "format": _FORMAT,
        "name": data.name,
        "space": data.space.to_dict(),
        "grey_levels": data.train.grey_levels,
        "parts": values,
        "class_names": list(data.class_names),
        "notes": list(data.notes),
        "survey": survey,
        "columns": list(data.columns),
        "label_column": data.label_column,
    }


def _opened(place: Path) -> Data | None:
    """The data that a folder keeps, their numbers mapped; None where it keeps none, or not whole."""
    try:
        about = json.loads((place / _ABOUT).read_text("utf-8"))
        if about["format"] != _FORMAT:
            return None
        space = Space.from_dict(about["space"])
        train, validation, heldout = (_part(place, name, about, space) for name in PARTS)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    survey = dict(about["survey"])
    for name in ("sizes", "modes", "ignored"):
        survey[name] = Counter(survey[name])
    survey["unreadable"] = tuple(map(tuple, survey["unreadable"]))
    if survey["value_range"] is not None:
        survey["value_range"] = tuple(survey["value_range"])
    note = f"the numbers of these data lie in {place}, and are read from there"
    return Data(
        about["name"],
        space,
        train,
        validation,
        heldout,
        tuple(about["class_names"]),
        (*about["notes"], note),
        Survey(**survey),
        columns=tuple(about["columns"]),
        label_column=about["label_column"],
    )


def _part(place: Path, name: str, about: dict[str, Any], space: Space) -> Part:
    """A part whose values are mapped.  ValueError: its file is not as long as it was."""
    known = about["parts"][name]
    path, shape = place / f"{name}.bin", tuple(known["shape"])
    kind = np.dtype(known["type"])
    if path.stat().st_size != int(np.prod(shape)) * kind.itemsize:
        raise ValueError(f"{path} is not whole")
    mapped = np.memmap(path, kind, "c", shape=shape)  # what somebody writes is not written back
    labels = place / f"{name}-y.npy"
    y = torch.from_numpy(np.load(labels)) if labels.exists() else None
    part = Part(torch.from_numpy(mapped), y, space, about["grey_levels"], torch.device("cpu"))
    vars(part)["hash"] = known["hash"]
    return part


def _key(path: Path, found: Fingerprint, options: Options) -> str:
    """What changes when the data would."""
    shaped = asdict(replace(options, half=None, mutate=None))
    told = [_FORMAT, PIL.__version__, str(path.resolve()), found.hash, shaped]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


@contextmanager
def _alone(place: Path, found: Fingerprint) -> Iterator[None]:
    """While it lasts, no other process reads the same large data: it waits, and opens what was kept."""
    if found.files < _MANY and found.bytes < _LARGE:
        yield
        return
    lock = filelock.FileLock(place.with_suffix(".lock"))
    with room(place.parent, found.bytes):
        place.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
