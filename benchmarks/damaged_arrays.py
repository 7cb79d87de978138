"""Sources of arrays with one thing wrong: IDX files, CIFAR-10's, .npy and .npz."""

import gzip
import io
import struct
import tarfile
import warnings
import zipfile
from random import Random
from typing import Any

import numpy as np
from benchmarks.damage import Source, hurt, one_of, sources, whole

DTYPES = (
    "|b1", "|u1", "|i1", "<u2", ">i2", "<i4", "<u8", ">i8", "<f2", "<f4", ">f8", "<f16", "<c8", "|S3", "<U2",
    "<M8[s]", "<m8[D]", "|V4", "|O",
)  # fmt: skip
EDGES = (0, 1, 2, 3, 9, 2**31 - 1, 2**31, 2**32 - 1)
NUMBERS = (np.nan, np.inf, -np.inf, 1e300, -1.0, 1e-300, 65536.0, 0.5, 2.0**53)
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
SHAPES = ((20,), (20, 3), (20, 4, 4), (20, 1, 4, 4), (20, 4, 4, 3), (12, 64))
NAMES = (
    "x", "y", "levels", "X", "images", "labels", "x_train", "y_train", "x_test", "y_test", "x_val", "train", "test",
    "", "../x", "/x", "x/y", "x.npy", "a\nb", "\x1b[31mx", "ü", "x" * 300, "arr_0", "arr_1", "target",
)  # fmt: skip


def values(random: Random, shape: tuple[int, ...], kind: str = "u1") -> np.ndarray:
    """An array of numbers that are grey values in most types."""
    drawn = np.frombuffer(random.randbytes(int(np.prod(shape))), np.uint8).reshape(shape)
    return (drawn % 128 if kind.endswith("i1") else drawn).astype(kind)


def idx_bytes(array: np.ndarray, head: bytes | None = None) -> bytes:
    """An array as an IDX file, perhaps with another header."""
    kind = next(code for code, name in IDX_TYPES.items() if np.dtype(name) == array.dtype)
    known = struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    return (known if head is None else head) + array.tobytes()


def _idx_whole(random: Random) -> Source:
    kind = random.choice(tuple(IDX_TYPES.values()))
    shape = random.choice(((16, 4, 4), (12, 5), (11, 3, 6)))
    array = values(random, shape, kind)
    name = random.choice(("a", "a-images-idx3-ubyte", "b.gz", "c-images.gz"))
    files = {name: idx_bytes(array)}
    if "images" in name and random.random() < 0.5:
        labels = np.arange(shape[0], dtype=np.uint8) % 3
        files[name.replace("images", "labels").replace("idx3", "idx1")] = idx_bytes(labels)
    packed = {n: gzip.compress(c, 1, mtime=0) if n.endswith(".gz") else c for n, c in files.items()}
    return Source(packed, name, "")


def _idx_folder(random: Random) -> Source:
    files = {}
    for part, count in (("train", 14), ("t10k", 5)):
        files[f"{part}-images-idx3-ubyte"] = idx_bytes(values(random, (count, 3, 4)))
        files[f"{part}-labels-idx1-ubyte"] = idx_bytes(np.arange(count, dtype=np.uint8) % 2)
    return Source(files, "", "")


def _idx_header(random: Random) -> Source:
    source = _idx_whole(random)
    content = bytearray(_unpacked(source))
    places = {
        "a first byte": lambda: content.__setitem__(random.randrange(2), random.randrange(256)),
        "another type": lambda: content.__setitem__(2, random.choice((*IDX_TYPES, 0, 7, 255))),
        "another rank": lambda: content.__setitem__(3, random.randrange(8)),
        "another length": lambda: content.__setitem__(
            slice(at := 4 + 4 * random.randrange(2), at + 4), struct.pack(">I", random.choice(EDGES))
        ),
    }  # fmt: skip
    source.wrong = random.choice(tuple(places))
    places[source.wrong]()
    return _packed(source, bytes(content))


def _idx_numbers(random: Random) -> Source:
    kind = random.choice((">f4", ">f8"))
    array = values(random, (12, 3, 4), kind)
    with np.errstate(over="ignore"):
        array[random.randrange(12), 0, 0] = random.choice(NUMBERS)
    return Source({"a": idx_bytes(array)}, "a", "")


def _idx_gzip(random: Random) -> Source:
    content = gzip.compress(idx_bytes(values(random, (16, 4, 4))), 1, mtime=0)
    at = random.choice((2, 3, 8, 9, 10, 11, 20, len(content) - 8, len(content) - 4, len(content) - 1))  # fmt: skip
    changed = bytearray(content)
    changed[at] = random.randrange(256)
    return Source({"a.gz": bytes(changed)}, "a.gz", f"byte {at} of {len(content)}")


def _idx_labels(random: Random) -> Source:
    array = random.choice((
        np.arange(15, dtype=np.uint8), np.zeros((16, 2), np.uint8), np.full(16, np.nan, ">f4"),
        np.full(16, 0.5, ">f8"), np.full(16, 1e30, ">f8"), np.arange(16, dtype="i1") - 8, np.arange(16, dtype=np.uint8),
    ))  # fmt: skip
    name = "a-images-idx3-ubyte"
    files = {
        name: idx_bytes(values(random, (16, 4, 4))),
        name.replace("images", "labels").replace("idx3", "idx1"): idx_bytes(array),
    }
    return Source(files, name, f"{array.dtype} {array.shape}")


def _idx_part(random: Random) -> Source:
    source = _idx_folder(random)
    name = random.choice(sorted(source.files))
    if random.random() < 0.3:
        del source.files[name]
        source.wrong = f"{name} is gone"
    else:
        source.files[name], way = hurt(random, source.files[name])
        source.wrong = f"{name}: {way}"
    return source


def _unpacked(source: Source) -> bytes:
    content = source.files[source.name]
    return gzip.decompress(content) if source.name.endswith(".gz") else content


def _packed(source: Source, content: bytes) -> Source:
    source.files[source.name] = (
        gzip.compress(content, 1, mtime=0) if source.name.endswith(".gz") else content
    )
    return source


def _bytes_of(random: Random, source: Source) -> Source:
    source.files[source.name], source.wrong = hurt(random, source.files[source.name])
    return source


def _idx(random: Random) -> Source:
    return one_of(
        random, header=lambda: _idx_header(random), numbers=lambda: _idx_numbers(random),
        gzip=lambda: _idx_gzip(random), labels=lambda: _idx_labels(random), part=lambda: _idx_part(random),
        bytes=lambda: _bytes_of(random, _idx_whole(random)),
        unpacked=lambda: _within(random, _idx_whole(random)),
    )  # fmt: skip


def _within(random: Random, source: Source) -> Source:
    """Damage before it is packed."""
    content, way = hurt(random, _unpacked(source))
    source.wrong = way
    return _packed(source, content)


def _cifar_whole(random: Random) -> Source:
    """Batches of few records, in a folder, in one below it, or packed."""
    names = ("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin")
    noise = Random(
        random.randrange(1000)
    )  # or each byte of it would be drawn, and shrunk, by itself
    records = {name: b"".join(bytes([noise.randrange(3)]) + noise.randbytes(3072) for _ in range(6)) for name in names}  # fmt: skip
    files = {**records, "batches.meta.txt": b"cat\ndog\ncow\n"}
    if random.random() < 0.5:
        below = random.choice(("", "cifar-10-batches-bin/"))
        return Source({f"set/{below}{name}": content for name, content in files.items()}, "set", "")
    return Source({"cifar-10-binary.tar.gz": _tarred(files)}, "cifar-10-binary.tar.gz", "")


def _tarred(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as made:
        for name, content in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _cifar_file(random: Random) -> Source:
    """A file of the folder that is gone, hurt, or something else."""
    source = _cifar_whole(random)
    name = random.choice(sorted(source.files))
    if random.random() < 0.2 and len(source.files) > 1:
        del source.files[name]
        source.wrong = f"{name} is gone"
    elif random.random() < 0.3:
        odd = (b"", b"\xff" * 3073, b"a\0b\x1b[2J", b"one\ntwo", b"\n" * 99, b"x" * 100_000)
        source.files[name] = random.choice(odd)
    else:
        source.files[name], source.wrong = hurt(random, source.files[name])
    return source


def npy_bytes(array: np.ndarray, **header: Any) -> bytes:
    """An array as a .npy file, perhaps with another header."""
    head = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape} | header
    text = (repr(head) + "\n").encode("latin1", "replace")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + array.tobytes()


def _npy_whole(random: Random) -> Source:
    array = values(random, random.choice(SHAPES), random.choice(DTYPES[:11]))
    return Source({"a.npy": npy_bytes(array)}, "a.npy", "")


def _npy_header(random: Random) -> Source:
    array = values(random, random.choice(SHAPES))
    shapes = (
        (),
        (0,),
        (-1,),
        (0, 4),
        (20, 0),
        (2**40,),
        (2**62, 2**62),
        (2, 2, 2, 2, 2),
        (1.5,),
        "20",
        (True,),
        None,
    )
    head: dict[str, Any] = random.choice((
        {"shape": random.choice(shapes)}, {"descr": random.choice((*DTYPES, "<i40", "", "x", None, [("a", "<f4")]))},
        {"fortran_order": random.choice((True, 1, "no", None))}, {"more": 1},
    ))  # fmt: skip
    return Source({"a.npy": npy_bytes(array, **head)}, "a.npy", str(head))


def _npy_text(random: Random) -> Source:
    text = random.choice((
        b"", b"{", b"[1]", b"{'descr': 1}", b"(" * 400, b"-" * 60_000 + b"1", b"\x00\x01", b"{'a': __import__('os')}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (\u0661,)}".encode(), b"1" * 5000, b"{**{}}",
    ))  # fmt: skip
    version = random.choice((b"\1\0", b"\2\0", b"\3\0", b"\0\0", b"\4\0", b"\xff\xff"))
    length = random.choice((len(text), 0, 2**16 - 1)) & 0xFFFF
    size = struct.pack("<H" if version < b"\2" else "<I", length)
    return Source({"a.npy": b"\x93NUMPY" + version + size + text}, "a.npy", str(text[:20]))


def _npy_numbers(random: Random) -> Source:
    array = values(random, random.choice(SHAPES), random.choice(("<f2", "<f4", ">f8", "<f16")))
    with np.errstate(over="ignore"):
        array.flat[random.randrange(array.size)] = random.choice(NUMBERS)
    return Source({"a.npy": npy_bytes(array)}, "a.npy", "")


def _npy(random: Random) -> Source:
    def called() -> Source:
        source = random.choice((_npz_whole, _idx_whole))(random)
        return Source({"a.npy": source.files[source.name]}, "a.npy", "")

    return one_of(
        random, header=lambda: _npy_header(random), text=lambda: _npy_text(random),
        numbers=lambda: _npy_numbers(random), another_format=called,
        bytes=lambda: _bytes_of(random, _npy_whole(random)),
    )  # fmt: skip


def archive(members: list[tuple[str, bytes]], packed: int = zipfile.ZIP_STORED) -> bytes:
    """A .zip of these members, names twice where they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packed, compresslevel=1) as made:
        for name, content in members:
            made.writestr(zipfile.ZipInfo(name), content, packed)
    return buffer.getvalue()


def _members(random: Random) -> list[tuple[str, bytes]]:
    array = values(random, random.choice(SHAPES))
    labels = np.arange(len(array)) % 3
    return [("x.npy", npy_bytes(array)), ("y.npy", npy_bytes(labels))]


def _npz_whole(random: Random) -> Source:
    packed = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    return Source({"a.npz": archive(_members(random), packed)}, "a.npz", "")


def _npz_names(random: Random) -> Source:
    members, name = _members(random), random.choice(NAMES)
    more = npy_bytes(values(random, random.choice(SHAPES)))
    ways = {
        "called": [(f"{name}.npy", members[0][1]), members[1]],
        "without an ending": [(name or "x", members[0][1])],
        "one more": [*members, (f"{name}.npy", more)],
        "twice": [*members, members[random.randrange(2)]],
        "labels called": [members[0], (f"{name}.npy", members[1][1])],
        "none": [],
    }
    way = random.choice(tuple(ways))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names twice
        return Source({"a.npz": archive(ways[way])}, "a.npz", f"{way} {name!r}")


def _npz_member(random: Random) -> Source:
    inner = random.choice((_npy_header, _npy_text, _npy_numbers, _npy_whole))(random)
    members = _members(random)
    k = random.randrange(2)
    members[k] = (members[k][0], inner.files["a.npy"])
    return Source({"a.npz": archive(members)}, "a.npz", f"{members[k][0]}: {inner.wrong}")


def _npz_levels(random: Random) -> Source:
    levels = random.choice((0, 1, 2, 256, 257, -1, 2**40, 1.5, np.nan, [2, 3], [], "2", True))
    members = [*_members(random), ("levels.npy", npy_bytes(np.asarray(levels)))]
    return Source({"a.npz": archive(members)}, "a.npz", str(levels))


def _npz_zip(random: Random) -> Source:
    """A field of the list at the end of the archive."""
    packed = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    content = bytearray(archive(_members(random), packed))
    start = content.rindex(b"PK\1\2") if random.random() < 0.7 else content.rindex(b"PK\5\6")
    at = start + random.randrange(4, 22 if content[start + 2] == 5 else 46)
    content[at] = random.choice((0, 1, 8, 12, 14, 99, 127, 255))
    return Source({"a.npz": bytes(content)}, "a.npz", f"byte {at - start} of the list")


def _npz(random: Random) -> Source:
    return one_of(
        random, names=lambda: _npz_names(random), member=lambda: _npz_member(random),
        levels=lambda: _npz_levels(random), list=lambda: _npz_zip(random),
        bytes=lambda: _bytes_of(random, _npz_whole(random)),
    )  # fmt: skip


whole |= {"idx": _idx_whole, "cifar": _cifar_whole, "npy": _npy_whole, "npz": _npz_whole}
sources |= {"idx": _idx, "cifar": _cifar_file, "npy": _npy, "npz": _npz}
