"""How often does the verdict name the right defect, and how often does it accuse real data?

In each repetition real data are split anew into T (at most 3,000), H (n) and fresh points, a defect is planted into the
fresh points, and they are judged as a user's samples would be: with the eyes that an evaluation makes of these data, made
once, and what these were seen to find.  Signs has 2,062 images, so n is 500 there, and every small set is split whole, also
what its eyes learned from; where points are left out and fresh ones are few, there are fewer samples than n.

Rows of "real data" ask all tests and all critics, one look each: every FAIL is a false alarm.  So do rows of defects that a
critic has to name.  In the others the critics' place is held by answers of p = 1, which Holm's correction counts and which
take no time: there 'shape', 'texture', 'colour' and 'anything else' never FAIL.

any FAIL       some test FAILs
right FAIL     a test that names the defect rightly FAILs
significant    one of these is significant after the correction, whatever its size; of real data, any test
right PASS     none of them FAILs and one says PASS: a wrong answer
INCONCLUSIVE   neither
others that FAIL, often INCONCLUSIVE   in over a fifth of the repetitions; of real data, whoever FAILs at all

Rows of "margin: ..." plant what is just tolerated, by the generator beside the test: half of them FAIL at best.
Exact 95% intervals (Clopper and Pearson 1934).  A call goes on where another stopped: every repetition is kept at once in
results/referee.jsonl, none is made twice, and results/referee.json has the rows of all that are there.  First come
four repetitions of every row, then the others evenly.
"""

import os
import re
import time
import zlib
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import torch
from benchmarks.record import commit, parser, record
from benchmarks.referee_answers import (
    BROKEN,
    LETTERS,
    PER_REAL,
    SIZES,
    Answers,
    Job,
    Row,
    all_rows,
    table,
    to_do,
)
from benchmarks.referee_data import SETTINGS, Referee, Scene, referee
from benchmarks.referee_defects import CASES, REAL
from PIL import Image

from plausible import figures
from plausible.core.errors import NotDefined, UsageError
from plausible.data.part import Part
from plausible.evaluation.critic.critic import ASKED, aspects, make_critiques
from plausible.evaluation.critic.critique import Critique
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.permutation import observed
from plausible.evaluation.verdict.defect import PreparedTest, defects
from plausible.evaluation.verdict.verdict import ALPHA, FOUND, run_tests

CRITICS = frozenset(name for name, defect in defects.items() if defect.aspect is not None)


def staged(judge: Referee, row: Row, repetition: int, seed: int) -> tuple[Scene, Part, int]:
    """The real data of a repetition, the samples with what is planted, and the seed of both.  May raise ``NotDefined``."""
    _, n, planted = row
    number = zlib.crc32(f"{seed} {row} {repetition}".encode())
    torch.manual_seed(number)
    generator = torch.Generator().manual_seed(number)
    scene = judge.setting.split(n, CASES[planted].more * n, generator)
    return scene, CASES[planted].make(scene, generator).rows(slice(0, n)), number


def once(row: Row, repetition: int, seed: int) -> tuple[str, float]:
    """One repetition: the letter of each test, and the seconds that it took."""
    torch.set_num_threads(1)
    name, n, planted = row
    judge, case, began = referee(name, n), CASES[planted], time.monotonic()
    try:
        scene, samples, number = staged(judge, row, repetition, seed)
        evalset = judge.evalset(scene, samples, number)
        asked = not case.right or bool(case.right & CRITICS)
        evalset = replace(evalset, critiques=asked_once(evalset) if asked else unasked(evalset))
        verdict = run_tests(evalset, power=judge.power)
    except NotDefined as reason:
        print(f"{row}: {reason}", flush=True)
        return BROKEN, time.monotonic() - began
    word = ""
    for result in verdict.results:
        letter = LETTERS[result.state]
        significant = result.adjusted is not None and result.adjusted <= ALPHA
        word += letter.lower() if significant and letter != "F" else letter
    return word, time.monotonic() - began


def asked_once(evalset: EvaluationSet) -> dict[str, tuple[Critique, ...]]:
    """All critics, one look each."""
    return make_critiques(evalset, looks=1)


def unasked(evalset: EvaluationSet) -> dict[str, tuple[Critique, ...]]:
    """Critics that say sample to nothing: p = 1."""
    asked = min(len(evalset.heldout), int(ASKED * len(evalset.samples)))
    nobody = Critique(0, 0, asked, 0, 0, 0, "no critic, who was not asked")
    return {aspect: (nobody,) for aspect in aspects(evalset.space)}


def ready(name: str, n: int) -> str:
    """Make the eyes, which the cache keeps for the other processes; or say why these data are not here."""
    torch.set_num_threads(1)
    try:
        judge = referee(name, n)
    except UsageError as refusal:
        return f"skipped: {refusal}"
    blind = ", ".join(f"{test} {share:.0%}" for test, share in judge.power.items() if share < FOUND)
    return f"{name} {n}: {judge.embedding.feature_description}; margins seldom found: {blind or 'none'}"


def work(
    jobs: list[Job], answers: Answers, path: Path, seed: int, until: float, workers: int
) -> None:
    """Make the repetitions in their order, until the time is over."""
    places = list(dict.fromkeys((row[0], row[1]) for row, _ in jobs))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        here = set()
        for place, said in zip(places, pool.map(ready, *zip(*places, strict=True)), strict=True):
            print(said, flush=True)
            if not said.startswith("skipped"):
                here.add(place)
        waiting, running = iter([job for job in jobs if job[0][:2] in here]), {}
        while True:
            while len(running) < workers and time.monotonic() < until:
                if (job := next(waiting, None)) is None:
                    break
                running[pool.submit(once, *job, seed)] = job
            if not running:
                return
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                row, k = running.pop(done)
                word, seconds = done.result()
                answers.add(row, k, word, seconds)
                answers.write(path)
                print(f"{seconds:6.1f} s  {word}  {row[0]} {row[1]} {row[2]} {k}", flush=True)


def sheet(name: str, planted: str, folder: Path) -> None:
    """64 samples with what is planted beside 64 held-out images, as a person sees them, and how much was changed.

    That is what the tests which name it measure of the samples beside the same points without it.
    """
    n = SIZES[name][0]
    judge = referee(name, n)
    scene, samples, _ = staged(judge, (name, n, planted), 0, 0)
    before = replace(scene, heldout=scene.fresh.rows(slice(0, n)), rows=None)
    for test in CASES[planted].right - CRITICS:
        prepared = defects[test].function(judge.evalset(before, samples, 0))
        assert isinstance(prepared, PreparedTest)
        effect = defects[test].effect(prepared.statistic(observed(len(samples), n))).item()
        print(f"{name}, {planted}: {test} {effect:.1%} of a margin of {defects[test].margin:.0%}")
    sides = [part.rows(slice(0, 64)).as_batch().x for part in (samples, scene.heldout)]
    pictures = [figures.grid(x) for x in sides]
    both = Image.new("RGB", (2 * pictures[0].width + 20, pictures[0].height), "white")
    for k, picture in enumerate(pictures):
        both.paste(picture, (k * (picture.width + 20), 0))
    path = folder / "results" / f"sheet-{name}-{re.sub('[^a-z0-9]+', '-', planted)}.png"
    path.write_bytes(figures.png(both))
    print(f"{path}: left with {planted}, right real")


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    arguments.add_argument("--cases", nargs="+", default=list(CASES), metavar="CASE")
    arguments.add_argument("--repetitions", type=int, default=8, help=f"of each defect; {PER_REAL} times as many of real data")  # fmt: skip
    arguments.add_argument(
        "--minutes", type=float, default=240, help="stop then, and keep what was made"
    )
    arguments.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    arguments.add_argument("--out", type=Path, default=Path(__file__).parent, help="the folder whose results/ is written")  # fmt: skip
    arguments.add_argument("--sheet", choices=list(CASES), metavar="CASE", help="draw it beside real images of --settings, and nothing else")  # fmt: skip
    flags = arguments.parse_args()
    if flags.sheet:
        for name in flags.settings:
            sheet(name, flags.sheet, flags.out)
        return
    if unknown := [case for case in flags.cases if case not in CASES]:
        arguments.error(f"no case {unknown[0]!r}: choose from {', '.join(CASES)}")
    until = time.monotonic() + 60 * flags.minutes
    path = flags.out / "results" / f"referee{'-quick' if flags.quick else ''}.jsonl"
    if flags.quick:
        path.unlink(missing_ok=True)
        rows = [("digits", 500, REAL), ("digits", 500, "one of ten classes dropped")]
        repetitions, per_real = 1, 1
    else:
        rows = all_rows(flags.settings, flags.cases)
        repetitions, per_real = flags.repetitions, PER_REAL
    answers = Answers.read(path)
    if jobs := to_do(rows, answers, repetitions, per_real):
        print(f"{len(jobs)} repetitions of {len(rows)} rows are to be made", flush=True)
        answers.commits = list(dict.fromkeys([*answers.commits, commit()]))
        work(jobs, answers, path, flags.seed, until, flags.workers)
    notes = f"{answers.seconds / 3600:.1f} hours of one core; made at {', '.join(answers.commits)}"
    if lines := table(answers):
        record(
            str(flags.out / "referee.py"), lines, seed=flags.seed, quick=flags.quick, notes=notes
        )
    if flags.quick:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
