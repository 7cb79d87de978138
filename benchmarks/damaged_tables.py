"""Tables of text with one thing wrong."""

import csv
import io
from random import Random

from benchmarks.damage import Source, hurt, one_of, sources, whole

Rows = list[list[str]]

NAMES = (
    "", " ", "label", "class", "target", "y", "id", "index", "x", "a", "0", "1", "-1", "1.5", "nan", "--drop", "none", "#",
    "a\nb", "a\r", "\x1b[2J", "a\tb", "a;b", 'a"b', "'", "\u202e", "\u2028", "\x85", "\x0b", "\ud7ff", "ü" * 200, "%s", "{0}",
    "[red]", "a" * 3000, "=1+1", "Unnamed: 0", "True", "\ufeffa", "a\0b",
)  # fmt: skip
CELLS = (
    "", " ", "nan", "NaN", "inf", "-inf", "1e999", "1e-999", "1e38", "1e39", "9" * 400, "9" * 5000, "0x10", "1_000", "1,5",
    "1.234,5", "1,234.5", "1 000", "١٢", "１", "½", "−1", "+-1", "1.", ".5", "-0", "1e", "e5", "True", "false", "?", "NA", "null",
    "2024-01-01", "12:30", "5 kg", "5%", "$5", "word", "two words", "a\nb", "a\r\nb", "\x1b[31m", "\u2028", "\0", '"', '""', "'5",
    "1" * 200_000, "1e5000", "infinity", "1j", "\x1c1", "1\x85", "\x0b1",
)  # fmt: skip


def _rows(random: Random) -> Rows:
    width, count = random.choice((1, 2, 3, 5)), random.choice((12, 12, 24))
    header = [f"c{j}" for j in range(width)]
    if width > 1 and random.random() < 0.4:
        header[-1] = "label"
    kinds = [random.choice(("whole", "fraction", "few")) for _ in header]
    draw = {
        "whole": lambda: str(random.randrange(-99, 99)),
        "fraction": lambda: f"{random.uniform(-9, 9):.3f}",
        "few": lambda: str(random.randrange(3)),
    }
    kinds[-1] = "few" if header[-1] == "label" else kinds[-1]
    return [header, *([draw[kind]() for kind in kinds] for _ in range(count))]


def _text(rows: Rows, separator: str = ",", end: str = "\n") -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=separator, lineterminator=end).writerows(rows)
    return buffer.getvalue()


def _as_source(content: str | bytes, wrong: str, name: str = "a.csv") -> Source:
    plain = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return Source({name: plain}, name, wrong)


def _whole(random: Random) -> Source:
    rows = _rows(random)
    if random.random() < 0.3:
        rows = rows[1:]
    name = random.choice(("a.csv", "a.csv", "b.tsv"))
    return _as_source(_text(rows, "\t" if name == "b.tsv" else ","), "", name)


def _name(random: Random) -> Source:
    rows, name = _rows(random), random.choice(NAMES)
    at = random.randrange(len(rows[0]))
    rows[0][at] = name
    if random.random() < 0.2:
        rows[0] = [name] * len(rows[0])
    return _as_source(_text(rows), repr(name)[:60])


def _cell(random: Random) -> Source:
    rows, cell = _rows(random), random.choice(CELLS)
    at = random.randrange(len(rows[0]))
    every = random.random() < 0.2
    for row in rows[1:] if every else [rows[random.randrange(1, len(rows))]]:
        row[at] = cell
    source = _as_source(_text(rows), f"{cell!r}"[:60] + " in every row" * every)
    source.choices = random.choice(({}, {}, {"missing": "drop"}, {"label": rows[0][at]}, {"label": "none"}, {"drop": (rows[0][at],)}))  # fmt: skip
    return source


def _ragged(random: Random) -> Source:
    rows = _rows(random)
    at = random.randrange(len(rows))
    rows[at] = random.choice((rows[at][:-1], [*rows[at], "1"], [*rows[at], ""], [], [""] * 40, ["1"] * 40, rows[at] * 2))  # fmt: skip
    return _as_source(_text(rows), f"row {at}")


def _ends(random: Random) -> Source:
    end = random.choice(("\r\n", "\r", "\n\n", "\x85", "\u2028", "\x0c", "\n\r", ",\n", ";\n", "\x1c"))  # fmt: skip
    return _as_source(_text(_rows(random), random.choice(",;\t |"), end), repr(end))


def _quotes(random: Random) -> Source:
    text = _text(_rows(random))
    at = random.randrange(len(text) + 1)
    mark = random.choice(('"', '""', "'", '"\n', "\\"))
    return _as_source(text[:at] + mark + text[at:], repr(mark))


def _encoding(random: Random) -> Source:
    encoding = random.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "cp500", "utf-7"))  # fmt: skip
    content = _text(_rows(random)).encode(encoding)
    if random.random() < 0.3:
        content, _ = hurt(random, content)
    return _as_source(content, encoding)


def _few(random: Random) -> Source:
    rows = _rows(random)
    return _as_source(_text(rows[: random.randrange(12)]), "")


def _bytes(random: Random) -> Source:
    source = _whole(random)
    source.files[source.name], source.wrong = hurt(random, source.files[source.name])
    return source


def _table(random: Random) -> Source:
    return one_of(
        random, name=lambda: _name(random), cell=lambda: _cell(random), ragged=lambda: _ragged(random),
        ends=lambda: _ends(random), quotes=lambda: _quotes(random), encoding=lambda: _encoding(random),
        few=lambda: _few(random), bytes=lambda: _bytes(random),
    )  # fmt: skip


whole["csv-table"] = _whole
sources["csv-table"] = _table
