"""Who sees which defect: this project's verdict beside what else judges samples, and how often each accuses real data.

The planted defects of ``benchmarks.referee``, by the same repetitions, whose kept answers are the column of the verdict: the
right test FAILs (of real data: any test).  The others are asked the plainest question there is, whether samples differ from
real data or are worse, at a level of 5%, in the features that the verdict uses (PQMass and msw take pixels):

Frechet, kernel      distance of samples to H above that of real data R to H in 95% of the bootstrap
precision ... coverage   lower than that of R by more than 1.645 standard errors (halves without replacement)
pqm, msw             p at most 0.05; packages that are installed by hand:
                     pip install pqm; pip install --no-deps msw   (msw asks for an older torch, and runs with this one)

"check: ..." are pairs of laws after Raisa et al. (ICML 2025), where the verdict is asked here, with all of its critics.
A row that is there is kept; msw, which takes a minute for a thousand colour images, comes last and in --slow repetitions.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from benchmarks.field_checks import CHECKS, part
from benchmarks.field_judges import Sight, defined, here, judges
from benchmarks.record import kept, parser, record
from benchmarks.referee import asked_once, staged
from benchmarks.referee_answers import KINDS, SIZES, Answers, interval
from benchmarks.referee_data import Referee, Setting, drawn_anew, referee, referee_of
from benchmarks.referee_defects import CASES, MARGIN, REAL

from plausible.core.errors import UsageError
from plausible.data.load import from_arrays
from plausible.evaluation.verdict.defect import defects
from plausible.evaluation.verdict.verdict import State, run_tests

DATA = ("table", "fashion-mnist", "tiles", "signs")
CHECK, SAME = "check: ", "check: the same law"
VERDICT = "verdict"
SLOW = "msw"
N = 1000


@cache
def check_referee(name: str) -> Referee:
    """Whoever judges samples of a law."""
    law = CHECKS[name].real
    data = from_arrays(law(10_000, torch.Generator().manual_seed(0)), name=name)
    return referee_of(Setting(data, drawn_anew(lambda n, generator: part(law(n, generator)))), N)


def planted_sight(data: str, planted: str, repetition: int, seed: int) -> Sight:
    """The same points as those of a repetition of ``benchmarks.referee``."""
    judge, n = referee(data, SIZES[data][0]), SIZES[data][0]
    scene, samples, number = staged(judge, (data, n, planted), repetition, seed)
    few = min(len(samples), n, len(scene.train))
    sides = (side.rows(slice(0, few)) for side in (samples, scene.heldout, scene.train))
    return Sight(*map(judge.embedding.embed, sides), number)


def check_sight(name: str, same: bool, repetition: int, seed: int) -> tuple[Sight, bool]:
    """Draws of both laws, and whether any test of the verdict FAILs."""
    number = 10_000 * seed + 2 * repetition + same
    torch.manual_seed(number)
    generator = torch.Generator().manual_seed(number)
    judge, check = check_referee(name), CHECKS[name]
    scene = judge.setting.split(N, N, generator)
    samples = scene.fresh if same else part(check.samples(N, generator))
    evalset = judge.evalset(scene, samples, number)
    evalset = replace(evalset, critiques=asked_once(evalset))
    verdict = run_tests(evalset, power=judge.power)
    said = any(result.state is State.FAIL for result in verdict.results)
    return Sight(evalset.samples, evalset.heldout, evalset.train[slice(0, N)], number), said


@cache
def kept_answers() -> Answers:
    """What the verdict said in every repetition of ``benchmarks.referee``."""
    return Answers.read(Path(__file__).parent / "results" / "referee.jsonl")


def of_referee(data: str, planted: str, repetitions: int, named: bool = True) -> tuple[int, int]:
    """How often the verdict named it rightly, or accused real data, in the kept repetitions of ``benchmarks.referee``.

    named  False: how often any test FAILs, which is what the others are asked.
    """
    words = kept_answers().said.get((data, SIZES[data][0], planted), {})
    right = (named and CASES[planted].right) or set(defects)
    found = [
        any(word[i] == "F" for i, name in enumerate(defects) if name in right)
        for k, word in words.items()
        if k < repetitions
    ]
    return sum(found), len(found)


def asked_of(names: list[str], sight: Sight) -> dict[str, bool]:
    """What each judge says, where it is defined."""
    return {name: judges[name](sight) for name in names if defined(name, sight)}


def shares(
    names: list[str],
    sights: Iterator[tuple[Sight, dict[str, bool]]],
    verdict: tuple[int, int] | None,
) -> dict[str, str]:
    """How often each judge says yes, with its interval; "" for one that was not asked."""
    said: dict[str, list[bool]] = {}
    for sight, ours in sights:
        for name, yes in (ours | asked_of(names, sight)).items():
            said.setdefault(name, []).append(yes)
    counts = {name: (sum(yes), len(yes)) for name, yes in said.items()}
    if verdict is not None and verdict[1]:
        counts[VERDICT] = verdict
    return {name: interval(*counts[name]) if name in counts else "" for name in (VERDICT, *judges)}


def todo(data: list[str], checks: bool, repetitions: int, slow: int, seed: int) -> Iterator[tuple[str, str, int, str, Callable[[int], tuple[Sight, dict[str, bool]]]]]:  # fmt: skip
    """(data, planted, repetitions, which judges, repetition -> (points, what the verdict said)), msw last."""
    planted = [name for name in CASES if not name.startswith(MARGIN)]
    pairs = [(d, p) for p in planted for d in data if p == REAL or KINDS[d] in CASES[p].kinds]
    for d, p in pairs:
        times = repetitions * (3 if p == REAL else 1)
        yield d, p, times, "fast", lambda k, d=d, p=p: (planted_sight(d, p, k, seed), {})
    for name in CHECKS if checks else ():
        for same in (False, True):

            def both(k: int, name: str = name, same: bool = same) -> tuple[Sight, dict[str, bool]]:
                sight, said = check_sight(name, same, k, seed)
                return sight, {VERDICT: said}

            yield name, SAME if same else f"{CHECK}{name}", repetitions, "fast", both
    for d, p in pairs:
        if KINDS[d] != "vectors":
            yield d, p, slow, SLOW, lambda k, d=d, p=p: (planted_sight(d, p, k, seed), {})


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--data", nargs="*", default=list(DATA), choices=list(DATA))
    flags.add_argument("--no-checks", action="store_true")
    flags.add_argument("--repetitions", type=int, default=8, help="of each defect; three times as many of real data")  # fmt: skip
    flags.add_argument("--slow", type=int, default=2, help="repetitions of msw")
    flags.add_argument("--minutes", type=float, default=240, help="stop then, and keep what was made")  # fmt: skip
    asked = flags.parse_args()
    torch.set_num_threads(1)
    rows = [] if asked.quick else kept(__file__, quick=False)
    missing = [name for name in judges if not here(name)]
    notes = f"not installed: {', '.join(missing)}" if missing else ""
    until = time.monotonic() + 60 * (0.5 if asked.quick else asked.minutes)
    data = ["table"] if asked.quick else asked.data
    for d, p, times, which, sight in todo(data, not asked.no_checks, asked.repetitions, asked.slow, asked.seed):  # fmt: skip
        key = {"data": d, "planted": p, "judges": which}
        if time.monotonic() > until:
            break
        if any(key.items() <= r.items() for r in rows):
            continue
        names = [n for n in judges if here(n) and (n == SLOW) == (which == SLOW)]
        if not names:
            continue
        times = 1 if asked.quick else times
        verdict = of_referee(d, p, times) if p in CASES and which != SLOW else None
        try:
            found = shares(names, map(sight, range(times)), verdict)
        except UsageError as refusal:
            print(f"skipped: {refusal}")
            continue
        rows.append({**key, "repetitions": times, **found})
        print(rows[-1], flush=True)
        record(__file__, rows, seed=asked.seed, quick=asked.quick, notes=notes)


if __name__ == "__main__":
    main()
