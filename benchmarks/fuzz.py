"""What becomes of sources and runs with one thing wrong, of very many?

A row for each reader, and for each file of a run:

structure  one thing is wrong that a format knows of: a field of a header, a length, a type, a name, a checksum
bytes      up to four places of a file that was whole are other bytes

accepted   data that lie in their space; of a run the weights of before, bit for bit
refused    one line that names the file
broken     anything else: another exception, several lines, data beside their space, other weights
late       more than 2 seconds of one core
large      more than 1 GiB of memory beside what there was

Every input has a number, from which it is made again: --reader NAME --kind structure --input 17 shows one.  Inputs are asked in
processes of their own, so that one that crashes or hangs is counted, too.  A row goes on where an earlier call has left it,
for --seconds at most, and begins anew where something was broken.
"""

import argparse
import multiprocessing
import resource
import signal
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import torch
from benchmarks import damaged_arrays, damaged_columns, damaged_pictures, damaged_tables  # noqa: F401  # fill the registries
from benchmarks.damage import Outcome, ask, mutated, sources
from benchmarks.damaged_runs import Damage, Kept, damage, damaged_bytes, make
from benchmarks.damaged_runs import ask as ask_run
from benchmarks.record import Rows, kept, parser, record

READERS, RUNS = 12_000, 200  # inputs of a kind, by the reader and by the file of a run
SECONDS, GIB = 2.0, 1.0
HUNG = 60.0  # seconds of wall-clock without an answer, on a machine that does other things too
SLICE = 200  # inputs of one process
COUNTS = ("accepted", "refused", "broken", "late", "large")
Input = Callable[[int], Outcome]


class Late(BaseException):
    """An input took longer than it may; no ``except Exception`` stops it."""


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for a while, in memory where there is one, so that no disk is waited for."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="plausible-", dir=memory if memory.is_dir() else None)


def of_reader(name: str, kind: str, place: Path) -> Input:
    """What ``plausible.load`` makes of the input of a number."""

    def input(number: int) -> Outcome:
        random = Random(f"{name} {kind} {number}")
        source = sources[name](random) if kind == "structure" else mutated(random, name)
        with tempfile.TemporaryDirectory(dir=place) as folder:
            outcome = ask(source, Path(folder))
        return Outcome(outcome.what, f"{source.wrong}: {outcome.said}")

    return input


def of_run(run: Kept, name: str, kind: str, place: Path) -> Input:
    """What becomes of a run of which one file is damaged; the worst of all that is done with it."""

    def input(number: int) -> Outcome:
        random = Random(f"{name} {kind} {number}")
        harm: Damage = (damage if kind == "structure" else damaged_bytes)(random, run, name)
        found = ask_run(run, harm, place / "copy")
        for what in ("wrong", "broken"):
            for way, outcome in found.items():
                if outcome.what == what:
                    return Outcome("broken", f"{harm.wrong}: {way} is {what}: {outcome.said}")
        refused = [o.said for o in found.values() if o.what == "refused"]
        return Outcome("refused", refused[0]) if refused else Outcome("accepted")

    return input


def measured(input: Input, number: int) -> Outcome:
    """The outcome of an input, or that it took too long or too much."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        outcome = input(number)
    except Late:
        return Outcome("late", f"more than {SECONDS:g} s")
    except MemoryError as error:
        return Outcome("large", str(error))
    except Exception as error:
        return Outcome("broken", f"{type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return Outcome("large", outcome.said) if more > GIB * 2**20 else outcome


def work(input: Input, numbers: range, answers: Any) -> None:
    """What a process does: these inputs, one after the other."""

    def late(number: int, frame: object) -> None:
        raise Late

    signal.signal(signal.SIGPROF, late)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for number in numbers:
        answers.send((number, measured(input, number)))
    answers.close()


def asked(input: Input, found: Counter[str], count: int, seconds: float) -> Counter[str]:
    """How many of so many inputs came to what, those that were asked before counted; fewer after so many seconds."""
    fork, next_one, end = multiprocessing.get_context("fork"), found.total(), time.time() + seconds
    while next_one < count and time.time() < end:
        ours, theirs = fork.Pipe(duplex=False)
        numbers = range(next_one, min(count, next_one + SLICE))
        process = fork.Process(target=work, args=(input, numbers, theirs))
        process.start()
        theirs.close()
        while next_one < numbers.stop:
            outcome = _answer(ours)
            if outcome is None:  # it hangs, or is gone
                process.kill()
                outcome = Outcome("broken", "the process that read it hung or crashed")
            found[outcome.what] += 1
            if outcome.what not in ("accepted", "refused"):
                print(f"    {outcome.what}: input {next_one}: {outcome.said[:300]}", flush=True)
            next_one += 1
            if not process.is_alive() and not ours.poll():
                break
        process.join()
    return found


def _answer(answers: Any) -> Outcome | None:
    try:
        return answers.recv()[1] if answers.poll(HUNG) else None
    except EOFError:
        return None


def shown(name: str, kind: str, number: int, place: Path) -> None:
    """What is wrong with one input, and what becomes of it."""
    input = of_reader(name, kind, place) if name in sources else of_run(make(place / "run"), name, kind, place)  # fmt: skip
    print(*input(number), sep="\n")


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--reader", default="", help="a reader, or a file of a run, alone")
    flags.add_argument("--kind", default="structure", choices=("structure", "bytes"))
    flags.add_argument("--seconds", type=float, default=1e9, help="for each row, at most")
    flags.add_argument("--input", type=int, help="show what becomes of the input of this number")
    asked_for = flags.parse_args()
    torch.set_num_threads(1)
    with scratch() as folder:
        if asked_for.input is not None:
            shown(asked_for.reader, asked_for.kind, asked_for.input, Path(folder))
        else:
            ask_all(asked_for, Path(folder))


def ask_all(asked_for: argparse.Namespace, place: Path) -> None:
    """A row for each reader and file and kind, as long as it has not all its inputs; those with the fewest first."""
    rows = [] if asked_for.quick else kept(__file__, quick=False)
    run = make(place / "run")
    todo = [(name, kind) for name in (*sources, *run.files) for kind in ("structure", "bytes")]
    known = {about: counted(rows, *about) for about in todo}
    for name, kind in sorted(todo, key=lambda about: known[about].total()):
        reads, found = name in sources, known[name, kind]
        count = (20 if reads else 2) if asked_for.quick else READERS if reads else RUNS
        if found.total() >= count or (asked_for.reader and name != asked_for.reader):
            continue
        began = time.time()
        input = of_reader(name, kind, place) if reads else of_run(run, name, kind, place)
        found = asked(input, found, count, asked_for.seconds)
        of = "reader" if reads else "file of a run"
        row = {"of": of, "what": name, "kind": kind, "inputs": found.total(), **{what: found[what] for what in COUNTS}}  # fmt: skip
        rows = [row, *(old for old in rows if (old["what"], old["kind"]) != (name, kind))]
        rows.sort(key=place_of)
        print(f"{name}, {kind}: {time.time() - began:.0f} s", flush=True)
        record(__file__, rows, seed=asked_for.seed, quick=asked_for.quick)


def counted(rows: Rows, name: str, kind: str) -> Counter[str]:
    """What came of the inputs of earlier calls; nothing where something was broken, which may be mended by now."""
    for row in rows:
        if (row["what"], row["kind"]) == (name, kind) and not any(row[w] for w in COUNTS[2:]):
            return Counter({what: row[what] for what in COUNTS})
    return Counter()


def place_of(row: dict[str, Any]) -> tuple[int, str, str]:
    """Where a row stands: readers in the order in which they are registered, then the files of a run."""
    names = list(sources)
    return names.index(row["what"]) if row["what"] in names else len(names), row["what"], row["kind"]  # fmt: skip


if __name__ == "__main__":
    main()
