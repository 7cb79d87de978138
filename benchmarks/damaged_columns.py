"""Parquet files with one thing wrong: pictures with their classes, and tables of numbers."""

import io
import json
from random import Random
from typing import Any

import pyarrow
import pyarrow.parquet
from benchmarks.damage import Source, hurt, one_of, sources, whole
from benchmarks.damaged_pictures import COUNT, picture

TYPES = (
    "int8", "uint64", "float16", "float32", "bool", "string", "large_string", "binary", "date32", "timestamp[ns]",
    "time64[us]", "duration[s]", "decimal128(30, 2)", "null",
)  # fmt: skip
NAMES = ("", " ", "label", "class", "y", "image", "a\nb", "\x1b[2J", "a.b", "ü" * 200, "__index_level_0__", "list.element", "\u202e")  # fmt: skip
SAID = (
    b"", b"{", b"[1]", b"null", b"[" * 9999, b'{"info": 3}', b'{"info": {"features": []}}', b"\xff\xfe",
    b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": 3}}}}',
    b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": ["a"]}}}}',
    b'{"index_columns": ["a", "no such", 3, {"kind": "range"}]}', b'{"index_columns": "a"}',
)  # fmt: skip


def written(columns: dict[str, Any], metadata: dict[bytes, bytes] | None = None, **how: Any) -> bytes:  # fmt: skip
    """A parquet file of these columns."""
    table = pyarrow.table(columns)
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), buffer, **how)
    return buffer.getvalue()


def _way(random: Random) -> dict[str, Any]:
    return {
        "compression": random.choice(("none", "snappy", "gzip", "zstd", "brotli", "lz4")),
        "use_dictionary": random.random() < 0.5,
        "write_page_checksum": random.random() < 0.3,
        "row_group_size": random.choice((5, 1000)),
        "data_page_version": random.choice(("1.0", "2.0")),
    }


def _pictures(random: Random) -> dict[str, Any]:
    images: list[Any] = [picture("png", "L", k % 4) for k in range(COUNT)]
    if random.random() < 0.5:
        images = [{"bytes": content, "path": f"{k}.png"} for k, content in enumerate(images)]
    return {"image": images, "label": [k % 3 for k in range(COUNT)]}


def _numbers(random: Random) -> dict[str, Any]:
    rows = range(random.choice((12, 30)))
    noise = Random(random.randrange(1000))  # or each cell would be drawn, and shrunk, by itself
    columns: dict[str, Any] = {
        "a": [noise.uniform(-9, 9) for _ in rows],
        "b": [noise.randrange(99) for _ in rows],
    }
    return columns | {"label": [noise.choice("xyz") for _ in rows]} if random.random() < 0.5 else columns  # fmt: skip


def _columns(random: Random) -> dict[str, Any]:
    return random.choice((_pictures, _numbers))(random)


def _source(content: bytes, wrong: str = "") -> Source:
    return Source({"a.parquet": content}, "a.parquet", wrong)


def _whole(random: Random) -> Source:
    names = {"info": {"features": {"label": {"_type": "ClassLabel", "names": ["a", "b", "c"]}}}}
    said = {b"huggingface": json.dumps(names).encode()} if random.random() < 0.5 else None
    if random.random() < 0.2:
        parts = ("train-0", "train-1", "test-0")
        files = {f"{part}.parquet": written(_pictures(Random(1)), said) for part in parts}
        return Source({f"set/{name}": content for name, content in files.items()}, "set", "")
    return _source(written(_columns(random), said, **_way(random)))


def _type(random: Random) -> Source:
    columns, kind = _columns(random), random.choice(TYPES)
    name = random.choice(tuple(columns))
    values = random.choice((range(len(columns[name])), [None] * len(columns[name])))
    try:
        columns[name] = pyarrow.array(values, pyarrow.int64()).cast(pyarrow.type_for_alias(kind.split("(")[0]) if "(" not in kind else pyarrow.decimal128(30, 2))  # fmt: skip
    except pyarrow.ArrowException:  # of int64 not everything is made
        columns[name] = pyarrow.nulls(len(columns[name]), pyarrow.string())
    return _source(written(columns), f"{name} {kind}")


def _nested(random: Random) -> Source:
    columns = _columns(random)
    name, count = random.choice(tuple(columns)), len(next(iter(columns.values())))
    cell = random.choice(([1, 2], [], {"a": 1}, {"bytes": 3}, {"bytes": b"", "path": None}, {"path": "/etc/passwd"}, [[1.0]], {"bytes": None, "path": "a.png"}))  # fmt: skip
    columns[name] = [cell] * count
    return _source(written(columns), f"{name} {cell}")


def _cell(random: Random) -> Source:
    columns = _columns(random)
    name = random.choice(tuple(columns))
    values = list(columns[name])
    odd: dict[type, Any] = {
        bytes: (b"", b"rubbish", picture("png")[:60], None), str: ("", "a\nb", "nan", None), int: (None, -1, 2**62),
        float: (None, float("nan"), float("inf"), 1e300), dict: (None, {"bytes": None, "path": "x.png"}, {"bytes": b"no", "path": "../x"}),
    }  # fmt: skip
    cell = random.choice(odd[type(values[0])])
    for k in range(len(values)) if random.random() < 0.2 else [random.randrange(len(values))]:
        values[k] = cell
    columns[name] = values
    source = _source(written(columns), f"{name} {cell!r}"[:60])
    source.choices = random.choice(({}, {}, {"missing": "drop"}, {"label": name}, {"label": "none"}, {"drop": (name,)}))  # fmt: skip
    return source


def _name(random: Random) -> Source:
    columns, name = _columns(random), random.choice(NAMES)
    old = random.choice(tuple(columns))
    return _source(written({name if each == old else each: values for each, values in columns.items()}), repr(name)[:60])  # fmt: skip


def _said(random: Random) -> Source:
    said, key = random.choice(SAID), random.choice((b"huggingface", b"pandas", b"ARROW:schema"))
    return _source(written(_columns(random), {key: said}), f"{key!r}: {said[:60]!r}")


def _several(random: Random) -> Source:
    first, second = _columns(random), _columns(random)
    files = {"set/train.parquet": written(first), "set/test.parquet": written(second)}
    if random.random() < 0.3:
        files["set/other.parquet"] = random.choice((b"", b"PAR1", b"rubbish"))
    return Source(files, "set", "")


def _few(random: Random) -> Source:
    few = random.randrange(12)
    columns = {name: values[:few] for name, values in _columns(random).items()}
    return _source(written(columns), f"{few} rows")


def _bytes(random: Random) -> Source:
    content, way = hurt(random, written(_columns(random), **_way(random)))
    return _source(content, way)


def _footer(random: Random) -> Source:
    """Some bytes of what the file says of itself, which stands at its end."""
    content = bytearray(written(_columns(random), **_way(random)))
    length = int.from_bytes(content[-8:-4], "little")
    for _ in range(random.choice((1, 1, 3))):
        at = len(content) - 1 - random.randrange(length + 8)
        content[at] = random.choice((0, 1, 127, 128, 255, random.randrange(256)))
    return _source(bytes(content), "the footer")


def _parquet(random: Random) -> Source:
    return one_of(
        random, type=lambda: _type(random), nested=lambda: _nested(random), cell=lambda: _cell(random),
        name=lambda: _name(random), said=lambda: _said(random), several=lambda: _several(random),
        few=lambda: _few(random), bytes=lambda: _bytes(random), footer=lambda: _footer(random),
    )  # fmt: skip


whole["parquet"] = _whole
sources["parquet"] = _parquet
