"""A small run with one thing wrong in one of its files, and what may be made of it.

The law: opening it, going on with it, ``check`` and ``list_runs`` work with the weights of before the damage, bit for bit, or
say in one line which file is wrong; and ``check`` calls no file whole that is not what was written.
"""

import json
import shutil
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import safetensors.torch
import torch
from benchmarks.damage import Outcome, hurt

import plausible
from plausible.core.errors import UsageError
from plausible.data.part import Data
from plausible.runs import Run, Weights, save
from plausible.runs import resume as resumed
from plausible.runs.checksums import noted
from plausible.runs.logger import read_findings
from plausible.tasks import check, list_runs
from plausible.tasks.calibrate import keep_calibration
from plausible.tasks.trained import open_trained

FINDING = '[{"phenomenon": "garbage", "severity": "warning", "claim": "none", "evidence": {}, "remedy": ""}]\n'
JUDGED = '{"measures": [], "verdict": {"state": "INCONCLUSIVE", "defects": []}}\n'
LINKS = ("nowhere", "itself", "another file", "/dev/zero")


@dataclass(frozen=True)
class Kept:
    """A whole run: its folder, its data, and its best, its last and its resumed weights."""

    folder: Path
    data: Data
    weights: Mapping[str, Mapping[str, torch.Tensor]]

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the run, in order."""
        return tuple(sorted(path.name for path in self.folder.iterdir() if path.is_file()))


def make(folder: Path, model: str = "gan", data: str = "digits", **choices: Any) -> Kept:
    """A run that was saved after 2 of 4 rounds, whose best weights are not its last, with every file that a run may have."""
    choices = choices or {"width": 4}
    known = plausible.fit(model, data, steps=2, out=folder, **choices).data
    run = Run(folder)
    training = resumed(run, plausible.Settings(steps=4))
    best = {name: tensor * 1.5 for name, tensor in training.averaged.state_dict().items()}
    save(run, training, Weights(best, 1))
    run.write("findings.json", FINDING)
    run.write("measures.json", JUDGED)
    keep_calibration(open_trained(folder))
    return Kept(folder, known, _weights(folder, known))


def _weights(folder: Path, data: Data) -> dict[str, Mapping[str, torch.Tensor]]:
    return {what: weights for what, weights in ((w, ways[w](folder, data)) for w in ways) if weights is not None}  # fmt: skip


def _best(folder: Path, data: Data) -> Mapping[str, torch.Tensor]:
    return open_trained(folder).model.state_dict()


def _last(folder: Path, data: Data) -> Mapping[str, torch.Tensor]:
    return open_trained(folder, weights="last").model.state_dict()


def _resumed(folder: Path, data: Data) -> Mapping[str, torch.Tensor]:
    run = Run(folder)
    return dict(resumed(run, run.settings).raw.state_dict())


def _checked(folder: Path, data: Data) -> None:
    check(folder)


def _listed(folder: Path, data: Data) -> None:
    list_runs(folder)


def _read(folder: Path, data: Data) -> None:
    run = Run(folder)
    _ = repr(run), run.verdict, run.too_short, run.log(), read_findings(run), run.data()
    if run.judged is not None:
        run.measures()


ways: dict[str, Callable[[Path, Data], Mapping[str, torch.Tensor] | None]] = {
    "check": _checked, "list": _listed, "read": _read, "best": _best, "last": _last, "resume": _resumed,
}  # fmt: skip
"""What is done with a run; to resume it comes last, because it writes."""


@dataclass(frozen=True)
class Damage:
    """One thing that is wrong with one file, and what does it to a folder."""

    file: str
    wrong: str
    do: Callable[[Path], object]


def damage(random: Random, kept: Kept, name: str) -> Damage:
    """Something wrong with a file of a run: its bytes, its content, or whether it is there."""
    content = (kept.folder / name).read_bytes()
    kinds = {
        "bytes": lambda: _bytes(random, name, content),
        "all": lambda: _replaced(random, kept, name, content),
        "content": lambda: _content(random, name, content),
        "entry": lambda: _entry(random, name),
    }
    return kinds[random.choice(("bytes", "bytes", "all", "content", "content", "entry"))]()


def damaged_bytes(random: Random, kept: Kept, name: str) -> Damage:
    """Up to four places of a file with other bytes."""
    content, words = (kept.folder / name).read_bytes(), []
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        content, way = hurt(random, content)
        words.append(way)
    return _written(name, content, ", ".join(words))


def _written(name: str, content: bytes, wrong: str) -> Damage:
    return Damage(name, wrong, lambda folder: (folder / name).write_bytes(content))


def _bytes(random: Random, name: str, content: bytes) -> Damage:
    return _written(name, *hurt(random, content))


def _replaced(random: Random, kept: Kept, name: str, content: bytes) -> Damage:
    size = len(content)
    other = random.choice(kept.files)
    ways = {
        "empty": b"",
        "zeros": bytes(size),
        "random bytes": random.randbytes(min(size, 4096)),
        f"what {other} holds": (kept.folder / other).read_bytes(),
        "deep brackets": b"[" * 100_000,
        "a number": b"9" * 5000,
        "null": b"null",
        "the tail gone": content[: random.randrange(size)],
    }
    way = random.choice(tuple(ways))
    return _written(name, ways[way], way)


def _entry(random: Random, name: str) -> Damage:
    """Whether it is there, and whether it is a file."""

    def gone(folder: Path) -> None:
        (folder / name).unlink()

    def a_folder(folder: Path) -> None:
        gone(folder)
        (folder / name).mkdir()

    def a_link(folder: Path) -> None:
        gone(folder)
        (folder / name).symlink_to({"itself": name, "another file": "samples.png"}.get(link, link))

    link = random.choice(LINKS[:3])
    do = random.choice((gone, gone, a_folder, a_link))
    words = {gone: "deleted", a_folder: "a folder", a_link: f"a link to {link}"}
    return Damage(name, words[do], do)


def _content(random: Random, name: str, content: bytes) -> Damage:
    """Another value in a file that can still be read."""
    ending = name.rpartition(".")[2]
    if ending == "json":
        return _json(random, name, json.loads(content))
    if ending == "jsonl":
        return _lines(random, name, content)
    if ending == "safetensors":
        return _tensors(random, name, content)
    return _bytes(random, name, content)


ODD = (None, True, 0, -1, 1e999, "", "x", "a\nb", [], {}, [[1]], 10**400, float("nan"), "\x1b[2J")


def _json(random: Random, name: str, known: Any) -> Damage:
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key in value if isinstance(value, dict) else range(len(value)):
            places.append((value, key))
            if isinstance(value[key], dict | list):
                walk(value[key])

    walk(known)
    where, key = random.choice(places)
    way = random.choice(("gone", "another", "another", "one more"))
    if way == "gone":
        del where[key]
    elif way == "another":
        where[key] = random.choice(ODD)
    elif isinstance(where, dict):
        where[str(random.choice(ODD))] = random.choice(ODD)
    else:
        where.append(random.choice(ODD))
    return _written(name, (json.dumps(known) + "\n").encode(), f"{key!r} is {way}")


def _lines(random: Random, name: str, content: bytes) -> Damage:
    lines = content.splitlines(keepends=True)
    at = random.randrange(len(lines))
    way = random.choice(("gone", "twice", "odd", "a value"))
    if way == "gone":
        del lines[at]
    elif way == "twice":
        lines.insert(at, lines[at])
    elif way == "odd":
        lines[at] = random.choice((b"{}\n", b"[]\n", b"\xff\xfe\n", b"\n", b"null\n", b"[" * 100_000 + b"\n", b'{"step": 1e999}\n'))  # fmt: skip
    else:
        odd = _json(random, name, json.loads(lines[at]))
        return Damage(name, f"line {at}: {odd.wrong}", lambda folder: (odd.do(folder), _beside(folder / name, lines, at)))  # fmt: skip
    return _written(name, b"".join(lines), f"line {at} {way}")


def _beside(path: Path, lines: list[bytes], at: int) -> None:
    """The one line that a file holds among others."""
    path.write_bytes(b"".join([*lines[:at], path.read_bytes(), *lines[at + 1 :]]))


def _tensors(random: Random, name: str, content: bytes) -> Damage:
    """Weights that were written with care, and are others: a value, a shape, a name, or what is noted beside them."""
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    known = safetensors.torch.load(content)
    one = random.choice(sorted(known))
    way = random.choice(("a value", "a name", "one less", "a shape", "a note"))
    meta = dict(header.get("__metadata__", {}))
    if way == "a value":
        known[one] = known[one] + 1
    elif way == "a name":
        known["another"] = known.pop(one)
    elif way == "one less":
        del known[one]
    elif way == "a shape":
        known[one] = known[one].reshape(-1)[:1].clone()
    elif meta:
        meta[random.choice(sorted(meta))] = str(random.choice(ODD))
    return _written(name, safetensors.torch.save(known, meta), f"{one}: {way}")


def ask(
    kept: Kept, harm: Damage, place: Path, before_asking: Callable[[Path], object] = lambda _: None
) -> dict[str, Outcome]:
    """{what is done: its outcome} with a copy of a run that is damaged: worked, refused, broken or wrong.

    before_asking  is called with the folder of the copy, damaged by then.
    """
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(kept.folder, place)
    before = noted(place)
    harm.do(place)
    there = (place / harm.file).is_file()
    same = there and (place / harm.file).read_bytes() == (kept.folder / harm.file).read_bytes()
    before_asking(place)
    found = {}
    for what, way in ways.items():
        found[what] = _tried(kept, what, lambda way=way: way(place, kept.data))
    if not same and harm.file in before and found["check"].what == "worked" and check(place).whole:
        found["check"] = Outcome("wrong", f"{harm.file} is called whole")
    return found


def _tried(kept: Kept, what: str, work: Callable[[], Mapping[str, torch.Tensor] | None]) -> Outcome:
    try:
        weights = work()
    except UsageError as refusal:
        said = str(refusal)
        named = any(name in said for name in kept.files)
        return Outcome("refused" if named and said.isprintable() else "broken", said)
    except OSError as error:  # which the command line says as one sentence, with the file
        named = Path(str(error.filename)).name in kept.files
        return Outcome("refused" if named else "broken", f"{type(error).__name__}: {error}")
    except Exception as error:
        return Outcome("broken", f"{type(error).__name__}: {error}")
    if weights is not None and not same_weights(weights, kept.weights[what]):
        return Outcome("wrong", "other weights, and not a word")
    return Outcome("worked")


def same_weights(one: Mapping[str, torch.Tensor], two: Mapping[str, torch.Tensor]) -> bool:
    """Whether weights are the same, bit for bit."""
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
