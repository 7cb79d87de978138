"""Folders of pictures, and .zip and .tar files of them, with one thing wrong."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from functools import cache
from random import Random

import numpy as np
from benchmarks.damage import Source, hurt, one_of, sources, whole
from PIL import Image

FORMATS = ("png", "png", "png", "jpg", "bmp", "gif", "tif", "webp", "ppm", "pgm", "jp2", "avif")
MODES = {
    "png": ("L", "RGB", "RGBA", "P", "1", "I;16", "LA"),
    "tif": ("L", "RGB", "F", "I;16", "I"),
    "gif": ("L", "P"),
}
COUNT = 12
NAMES = (
    "a.png", "a\nb.png", "\x1b[31m.png", "ü.png", "\udcff.png", "-.png", ".png", "a.PNG", "a.jpg", "a.tif", "a.txt",
    "x" * 200 + ".png", "cat/a.png", "train/a.png", "a.png/b.png", " .png", "%s.png", "a.zip", "\u202e.png",
)  # fmt: skip
EDGES = (0, 1, 7, 9, 255, 65535, 2**16, 2**26, 2**31 - 1, 2**31, 2**32 - 1)


@cache
def picture(form: str, mode: str = "L", seed: int = 0, size: tuple[int, int] = (8, 8)) -> bytes:
    """A picture of noise."""
    random = np.random.default_rng(seed)
    grey = Image.fromarray(random.integers(0, 256, (size[1], size[0])).astype(np.uint8))
    if mode in ("F", "I", "I;16"):
        kind = {"F": np.float32, "I": np.int32, "I;16": np.uint16}[mode]
        image = Image.fromarray((np.asarray(grey).astype(np.float64) * 257).astype(kind))
    else:
        image = grey.convert(mode)
    buffer = io.BytesIO()
    names = {"jpg": "JPEG", "tif": "TIFF", "pgm": "PPM", "jp2": "JPEG2000"}
    image.save(buffer, names.get(form, form.upper()))
    return buffer.getvalue()


def _whole(random: Random) -> Source:
    form = random.choice(FORMATS)
    mode = random.choice(MODES.get(form, ("RGB",) if form == "ppm" else ("L",)))
    folders = random.choice(("", "", "cat/ dog/")).split() or [""]
    files = {
        f"{folders[k % len(folders)]}{k}.{form}": picture(form, mode, k % 4) for k in range(COUNT)
    }
    return Source(files, "", "")


def _spread(random: Random, source: Source, content: bytes, wrong: str, form: str = "png") -> Source:  # fmt: skip
    """A source of which one picture is another, or all are."""
    source.wrong = wrong
    names = sorted(source.files)
    if random.random() < 0.3:
        source.files = {f"{k}.{form}": content for k in range(COUNT)}
        source.wrong += ", in all"
    else:
        del source.files[random.choice(names)]
        source.files[f"other.{form}"] = content
    return source


def _bytes(random: Random) -> Source:
    source = _whole(random)
    name = random.choice(sorted(source.files))
    content, way = hurt(random, source.files[name])
    return _spread(random, source, content, way, name.rsplit(".", 1)[1])


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file, its checksum right."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(random: Random) -> Source:
    """A field of a chunk, with a checksum that is right all the same."""
    width, height = random.choice(EDGES), random.choice((8, random.choice(EDGES)))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(8 * 9))
    body = {
        "size": (struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), [(b"IDAT", pixels)]),
        "kind": (struct.pack(">IIBBBBB", 8, 8, *(random.randrange(17) for _ in range(5))), [(b"IDAT", pixels)]),
        "pixels": (header, [(b"IDAT", zlib.compress(bytes(random.choice((0, 1, 71, 73, 5000)))))]),
        "a chunk": (header, [(random.choice((b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tRNS", b"PLTE", b"acTL", b"fcTL", b"fdAT", b"gAMA", b"pHYs", b"IHDR", b"abcd")), random.randbytes(random.choice((0, 1, 8, 26, 300)))), (b"IDAT", pixels)]),
        "a bomb of text": (header, [(b"zTXt", b"a\0\0" + _bomb()), (b"IDAT", pixels)]),
        "a bomb of colours": (header, [(b"iCCP", b"a\0\0" + _bomb()), (b"IDAT", pixels)]),
        "a bomb of pixels": (header, [(b"IDAT", _bomb())]),
    }  # fmt: skip
    way = random.choice(tuple(body))
    head, chunks = body[way]
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunk(*one) for one in chunks)
    return _spread(random, _whole(random), content + chunk(b"IEND", b""), f"PNG, {way}")


@cache
def _bomb() -> bytes:
    return zlib.compress(bytes(2**25))


def _ppm(random: Random) -> Source:
    sizes = [str(random.choice((8, 8, *EDGES, -1, "9" * 30, "x"))) for _ in range(3)]
    content = (
        random.choice((b"P5", b"P2", b"P6", b"P1", b"Pf")) + "\n{} {}\n{}\n".format(*sizes).encode()
    )
    return _spread(random, _whole(random), content + bytes(192), " ".join(sizes), "pgm")


def _tiff(random: Random) -> Source:
    """An entry of the directory of a TIFF file."""
    content = bytearray(picture("tif", random.choice(MODES["tif"]), 0))
    start = struct.unpack("<I", content[4:8])[0]
    count = struct.unpack("<H", content[start : start + 2])[0]
    at = start + 2 + 12 * random.randrange(count)
    field, size = random.choice(((0, 2), (2, 2), (4, 4), (8, 4)))
    value = random.choice(EDGES) & (2 ** (8 * size) - 1)
    content[at + field : at + field + size] = value.to_bytes(size, "little")
    return _spread(random, _whole(random), bytes(content), f"TIFF, entry {at}, {value}", "tif")


def _name(random: Random) -> Source:
    source, name = _whole(random), random.choice(NAMES)
    content = random.choice((picture("png"), b"", b"rubbish"))
    source.wrong = repr(name)[:40]
    taken = {path.split("/")[0] for path in source.files} | {*source.files}
    if name.split("/")[0] not in taken:
        source.files[name] = content
    if random.random() < 0.2:
        source.files = {name: content}
    return source


def _size(random: Random) -> Source:
    sizes = ((1, 1), (1, 300), (300, 1), (8, 9), (64, 2), (200, 200))
    source = _whole(random)
    size = random.choice(sizes)
    source = _spread(random, source, picture("png", "L", 0, size), str(size))
    source.choices = random.choice(({}, {"size": 8}, {"channels": 4}, {"levels": 2}, {"size": "16x8"}))  # fmt: skip
    return source


def _links(random: Random) -> Source:
    source = _whole(random)
    target = random.choice((".", "..", "nowhere", "0.png", "link", "/dev/null", "/dev/zero"))
    name = random.choice(("link", "link.png"))
    source.links, source.wrong = {name: target if target != "link" else name}, f"{name} to {target}"
    return source


def _few(random: Random) -> Source:
    source = _whole(random)
    source.files = dict(list(source.files.items())[: random.randrange(10)])
    source.files["notes.txt"] = b"words"
    return source


def _folder(random: Random) -> Source:
    made = one_of(
        random, bytes=lambda: _bytes(random), chunk=lambda: _png(random), ppm=lambda: _ppm(random),
        tiff=lambda: _tiff(random), name=lambda: _name(random), size=lambda: _size(random),
        links=lambda: _links(random), few=lambda: _few(random),
    )  # fmt: skip
    made.files = {f"set/{name}": content for name, content in made.files.items()}
    made.links = {f"set/{name}": target for name, target in made.links.items()}
    made.name = "set"
    return made


def zipped(files: dict[str, bytes], **fields: int) -> bytes:
    """A .zip of files; fields are those of each of its members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in files.items():
            info = zipfile.ZipInfo(name.encode("utf-8", "replace").decode())
            for field, value in fields.items():
                setattr(info, field, value)
            made.writestr(info, content)
    return buffer.getvalue()


def _zip_whole(random: Random) -> Source:
    return Source({"a.zip": zipped(_whole(random).files)}, "a.zip", "")


def _zip_names(random: Random) -> Source:
    files = _whole(random).files
    name = random.choice(("../out.png", "/out.png", "a//b.png", "a\\b.png", "C:\\x.png", "a/", "", ".", "..", "a/../b.png", "x" * 300 + ".png", *NAMES))  # fmt: skip
    files[name] = picture("png")
    return Source({"a.zip": zipped(files)}, "a.zip", repr(name)[:40])


def _zip_fields(random: Random) -> Source:
    field, value = random.choice((
        ("flag_bits", 1), ("external_attr", 0o120777 << 16), ("external_attr", 0), ("external_attr", 0o10644 << 16),
        ("create_system", 3), ("compress_type", zipfile.ZIP_LZMA), ("compress_type", zipfile.ZIP_BZIP2), ("extract_version", 99),
    ))  # fmt: skip
    return Source({"a.zip": zipped(_whole(random).files, **{field: value})}, "a.zip", f"{field} {value}")  # fmt: skip


def _zip_list(random: Random) -> Source:
    content = bytearray(zipped(_whole(random).files))
    start = content.rindex(b"PK\1\2") if random.random() < 0.7 else content.rindex(b"PK\5\6")
    at = start + random.randrange(4, 22 if content[start + 2] == 5 else 46)
    content[at] = random.choice((0, 1, 8, 12, 14, 99, 127, 255))
    return Source({"a.zip": bytes(content)}, "a.zip", f"byte {at - start} of the list")


def _zip_inner(random: Random) -> Source:
    made = _folder(random)
    return Source({"a.zip": zipped(made.files)}, "a.zip", made.wrong, choices=made.choices)


def _zip_bytes(random: Random) -> Source:
    source = _zip_whole(random)
    source.files["a.zip"], source.wrong = hurt(random, source.files["a.zip"])
    return source


def _zip(random: Random) -> Source:
    return one_of(
        random, names=lambda: _zip_names(random), fields=lambda: _zip_fields(random), list=lambda: _zip_list(random),
        inner=lambda: _zip_inner(random), bytes=lambda: _zip_bytes(random),
    )  # fmt: skip


def tarred(files: dict[str, bytes], packed: bool = False, **fields: object) -> bytes:
    """A .tar of files; fields are those of each of its members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for field, value in fields.items():
                setattr(info, field, value)
            made.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), 1, mtime=0) if packed else buffer.getvalue()


def _tar_source(random: Random, files: dict[str, bytes], wrong: str = "", **fields: object) -> Source:  # fmt: skip
    name = random.choice(("a.tar", "a.tar", "a.tar.gz", "a.tgz"))
    return Source({name: tarred(files, name != "a.tar", **fields)}, name, wrong)


def _beside(random: Random, files: dict[str, bytes]) -> dict[str, bytes]:
    """The same with a class beside each picture."""
    ending = random.choice((".cls", ".json"))
    classes = {}
    for k, name in enumerate(files):
        word = str(k % 3) if ending == ".cls" else f'{{"label": {k % 3}}}'
        classes[name.rpartition(".")[0] + ending] = word.encode()
    return files | classes


def _tar_whole(random: Random) -> Source:
    files = _whole(random).files
    if random.random() < 0.2:
        shard = tarred(_beside(random, files))
        return Source({f"set/{part}.tar": shard for part in ("s-0", "s-1")}, "set", "")
    return _tar_source(random, _beside(random, files) if random.random() < 0.5 else files)


def _tar_names(random: Random) -> Source:
    files = _whole(random).files
    name = random.choice(("../out.png", "/out.png", "a//b.png", "a\\b.png", "C:\\x.png", "./a.png", ".", "..", "a/../b.png", "x" * 300 + ".png", *NAMES))  # fmt: skip
    files[name] = picture("png")
    return _tar_source(random, files, repr(name)[:40])


def _tar_fields(random: Random) -> Source:
    field, value = random.choice((
        *(("type", kind) for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.GNUTYPE_SPARSE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, b"z")),
        ("mode", 0), ("mtime", 2**40), ("uid", 2**40), ("linkname", "../x"), ("pax_headers", {"size": "-1"}),
        ("pax_headers", {"path": "../../x"}), ("pax_headers", {"GNU.sparse.map": "1,2,3"}), ("pax_headers", {"GNU.sparse.size": "9" * 30}),
    ))  # fmt: skip
    return _tar_source(random, _whole(random).files, f"{field} {value}", **{field: value})


def _tar_header(random: Random) -> Source:
    """Bytes of the header of a member, with a checksum that is right all the same."""
    content = bytearray(tarred(_whole(random).files))
    info = random.choice(tarfile.open(fileobj=io.BytesIO(content)).getmembers())  # noqa: SIM115
    start = info.offset
    at = random.choice((0, 100, 124, 125, 130, 135, 156, 157, 257, 345, 482))
    content[start + at] = random.choice((0, 32, 48, 55, 57, 128, 255))
    content[start + 148 : start + 156] = b" " * 8
    content[start + 148 : start + 156] = b"%06o\0 " % sum(content[start : start + 512])
    packed = random.random() < 0.3
    name = "a.tar.gz" if packed else "a.tar"
    return Source({name: gzip.compress(content) if packed else bytes(content)}, name, f"byte {at}")


def _tar_classes(random: Random) -> Source:
    files = _beside(random, _whole(random).files)
    name = random.choice([name for name in files if name.endswith((".cls", ".json"))])
    if random.random() < 0.2:
        del files[name]
        return _tar_source(random, files, f"{name} is gone")
    files[name] = random.choice((b"", b"{", b"[" * 9999, b"\xff\xfe", b"a\nb", b"\x1b[2J", b'{"label": null}', b'{"label": [1]}', b"1" * 9999))  # fmt: skip
    return _tar_source(random, files, f"{name}: {files[name][:20]!r}")


def _tar_inner(random: Random) -> Source:
    made = _folder(random)
    source = _tar_source(random, {name.encode("utf-8", "replace").decode(): content for name, content in made.files.items()}, made.wrong)  # fmt: skip
    source.choices = made.choices
    return source


def _tar_bytes(random: Random) -> Source:
    source = _tar_source(random, _whole(random).files)
    source.files[source.name], source.wrong = hurt(random, source.files[source.name])
    return source


def _tar(random: Random) -> Source:
    return one_of(
        random, names=lambda: _tar_names(random), fields=lambda: _tar_fields(random), header=lambda: _tar_header(random),
        classes=lambda: _tar_classes(random), inner=lambda: _tar_inner(random), bytes=lambda: _tar_bytes(random),
    )  # fmt: skip


def _whole_folder(random: Random) -> Source:
    made = _whole(random)
    return Source({f"set/{name}": content for name, content in made.files.items()}, "set", "")


whole |= {"image-folder": _whole_folder, "image-zip": _zip_whole, "image-tar": _tar_whole}
sources |= {"image-folder": _folder, "image-zip": _zip, "image-tar": _tar}
