"""What the repetitions of ``referee`` said: kept one by one, and counted."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.referee_data import SETTINGS
from benchmarks.referee_defects import AT_ONCE, CASES, MARGIN, REAL, UNSEEN
from scipy import stats

from plausible.core.errors import UsageError
from plausible.evaluation.verdict.defect import defects
from plausible.evaluation.verdict.verdict import State

KINDS = {
    "tiles": "colour",
    "signs": "colour",
    "fashion-mnist": "grey",
    "glyphs": "glyphs",
    "table": "vectors",
}
SIZES = {
    "tiles": (1000,), "signs": (500,), "fashion-mnist": (1000, 300, 3000), "glyphs": (1000,),
    "table": (1000, 300, 3000), "mnist": (1000,), "digits": (500,), "ring": (1000,), "iris": (45,), "wine": (55,),
    "breast cancer": (170,),
}  # fmt: skip
FIRST = 4  # repetitions of every row before any has more
PER_REAL = 3  # repetitions of real data for one of a defect
LETTERS = {State.FAIL: "F", State.PASS: "P", State.INCONCLUSIVE: "I", State.UNDEFINED: "-"}
EVERY_DEFECT, SEEN_AT_ONCE = "all of these", "what a person sees at once"
BROKEN = "!"  # a repetition that the program could not judge

Row = tuple[str, int, str]
"""(data, n, what is planted)."""
Job = tuple[Row, int]
"""A row, and which of its repetitions."""


@dataclass
class Answers:
    """Every repetition that was made: of each row a word a repetition, with a letter for each test.

    F, P, I, -  FAIL, PASS, INCONCLUSIVE, not defined; a small letter where it is significant all the same.
    """

    tests: list[str] = field(default_factory=lambda: list(defects))
    said: dict[Row, dict[int, str]] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, row: Row, repetition: int, word: str, seconds: float) -> None:
        """Keep one more."""
        self.said.setdefault(row, {})[repetition] = word
        self.seconds += seconds

    def write(self, path: Path) -> None:
        """A row a line, which a killed call leaves as it was."""
        lines = [
            json.dumps({"data": row[0], "n": row[1], "planted": row[2], "said": said})
            for row, said in sorted(self.said.items())
        ]
        head = {"tests": self.tests, "commits": self.commits, "seconds": round(self.seconds)}
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text("\n".join([json.dumps(head), *lines]) + "\n")
        draft.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Answers":
        """What is kept, or nothing yet.  UsageError: of other tests than there are now."""
        if not path.exists():
            return cls()
        head, *rows = map(json.loads, path.read_text().splitlines())
        if head["tests"] != list(defects):
            raise UsageError(f"{path} has answers of other tests: remove it to begin anew")
        said = {
            (r["data"], r["n"], r["planted"]): {int(k): word for k, word in r["said"].items()}
            for r in rows
        }
        return cls(head["tests"], said, head["commits"], head["seconds"])


def all_rows(settings: Iterable[str], cases: Iterable[str]) -> list[Row]:
    """Every case on every setting that can have it, real data everywhere; the first n of each set before the others."""
    names, cases = list(settings), list(cases)
    found = []
    for i in range(max(map(len, SIZES.values()))):
        for planted in cases:
            kinds, once = CASES[planted].kinds, planted.startswith(MARGIN)  # margins at one n alone
            for name in names:
                fits = planted == REAL or KINDS.get(name) in kinds
                if i < len(SIZES[name]) and fits and not (i and once):
                    found.append((name, SIZES[name][i], planted))
    return found


def to_do(
    rows: Iterable[Row], answers: Answers, repetitions: int, per_real: int = PER_REAL
) -> list[Job]:
    """What is missing, in the order in which it is to be made."""
    turns = []
    for row in rows:
        total, said = repetitions * (per_real if row[2] == REAL else 1), answers.said.get(row, {})
        if any(_pointless(word, row[2]) for word in said.values()):
            continue
        for k in range(total):
            turn = k - FIRST if k < FIRST else (k - FIRST) / max(total - FIRST, 1)
            if k not in said:
                turns.append((turn, row, k))
    return [(row, k) for _, row, k in sorted(turns, key=lambda item: item[0])]


def _pointless(word: str, planted: str) -> bool:
    """Whether no test that could name it is defined for these data."""
    right = CASES[planted].right
    return bool(right) and word != BROKEN and all(_of(word)[name] == "-" for name in right)


def _of(word: str) -> dict[str, str]:
    return dict(zip(defects, word, strict=True))


def interval(k: int, n: int) -> str:
    """k / n with its exact 95% interval (Clopper and Pearson 1934)."""
    low, high = stats.binomtest(k, n).proportion_ci()
    return f"{k / n:.3f} ({low:.3f} to {high:.3f})"


def table(answers: Answers) -> list[dict[str, Any]]:
    """Every row; all defects of each set at each n together, the margins apart, and of these what a person sees at once.

    At last the first n of all sets together, and the real data of all.
    """
    order = {name: i for i, name in enumerate(SETTINGS)}
    rows = sorted(answers.said, key=lambda row: (order[row[0]], row[1], list(CASES).index(row[2])))
    rows = [
        row for row in rows if not any(_pointless(w, row[2]) for w in answers.said[row].values())
    ]
    lines = [line for row in rows if (line := _line(*row, [row], answers))]
    for name, n in dict.fromkeys(row[:2] for row in rows):
        here = [row for row in rows if row[:2] == (name, n) and row[2] != REAL]
        plain = [row for row in here if not row[2].startswith(MARGIN)]
        lines.append(_line(name, n, EVERY_DEFECT, plain, answers))
        clear = [row for row in plain if _seen_at_once(row)]
        lines.append(_line(name, n, SEEN_AT_ONCE, clear, answers))
    first = [row for row in rows if _seen_at_once(row) and row[1] == SIZES[row[0]][0]]
    lines.append(_line("all sets", "", SEEN_AT_ONCE, first, answers))
    lines.append(_line("all sets", "", REAL, [row for row in rows if row[2] == REAL], answers))
    return list(filter(None, lines))


def _seen_at_once(row: Row) -> bool:
    return row[2] in AT_ONCE and (row[0], row[2]) not in UNSEEN


def _line(
    name: str, n: int | str, planted: str, rows: Iterable[Row], answers: Answers
) -> dict[str, Any]:
    """One line of the table, of the repetitions of these rows; {} where none could be judged."""
    told = [
        (CASES[row[2]].right, answers.said[row][k])
        for row in rows
        for k in sorted(answers.said[row])
    ]
    judged = [(right, _of(word)) for right, word in told if word != BROKEN]
    if not (count := len(judged)):
        return {}
    named = [{one[test] for test in right or defects} for right, one in judged]
    failed = ["F" in letters for letters in named]
    passed = ["F" not in letters and bool({"P", "p"} & letters) for letters in named]
    significant = [any(x == "F" or x.islower() for x in letters) for letters in named]
    every = [set(one.values()) for _, one in judged]
    real = planted == REAL
    others = Counter(
        t for right, one in judged for t, x in one.items() if x == "F" and t not in right
    )
    undecided = Counter(t for _, one in judged for t, x in one.items() if x in "Ii")
    return {
        "data": name,
        "n": n,
        "planted": planted,
        "right": ""
        if planted in (EVERY_DEFECT, SEEN_AT_ONCE)
        else ", ".join(t for t in defects if t in judged[0][0]),
        "repetitions": count,
        "any FAIL": interval(sum("F" in letters for letters in every), count),
        "right FAIL": "" if real else interval(sum(failed), count),
        "significant": interval(sum(significant), count),
        "right PASS": "" if real else sum(passed),
        "INCONCLUSIVE": "" if real else count - sum(failed) - sum(passed),
        "all PASS": sum(not {"F", "I", "i"} & letters for letters in every),
        "others that FAIL": _often(others, 0 if real else count / 5),
        "often INCONCLUSIVE": _often(undecided, count / 5),
        "not judged": len(told) - count,
    }


def _often(counts: Counter[str], more_than: float) -> str:
    return ", ".join(f"{test} {k}" for test, k in counts.items() if k > more_than)
