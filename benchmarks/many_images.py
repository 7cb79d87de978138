"""How long a folder of very many pictures takes, and how much memory: to list, to read once, and to open again.

Small JPEG files are written to a temporary folder, a thousand to a sub-folder.  Each stage runs in a process of its own,
whose peak memory is what the system says of it; that of a process that has only imported plausible stands beside it.
Everything is kept on the disk (PLAUSIBLE_LIMITS=memory=0).
"""

import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from benchmarks.record import parser, record
from PIL import Image

STAGES = {
    "import plausible": "",
    "names, sizes and times": "from plausible.data.fingerprint import fingerprint; fingerprint(folder)",
    "find every picture": "from plausible.data.image_files import find_images; find_images(folder, [])",
    "read once, decoded": "load(folder, size=32)",
    "open again": "load(folder, size=32)",
}
STARTED = "import sys; from pathlib import Path; from plausible.data.load import load; folder = Path(sys.argv[1]); "
SIDE, IN_A_FOLDER, KINDS = 40, 1000, 64  # pixels, files, different pictures


def write_pictures(folder: Path, count: int, seed: int) -> None:
    """So many small JPEG files, of a few different contents."""
    random, contents = np.random.default_rng(seed), []
    for _ in range(KINDS):
        buffer = io.BytesIO()
        coarse = random.integers(0, 256, (5, 5, 3), np.uint8)
        Image.fromarray(coarse).resize((SIDE, SIDE)).save(buffer, "JPEG")
        contents.append(buffer.getvalue())
    for i in range(count):
        place = folder / f"{i // IN_A_FOLDER:05}"
        if i % IN_A_FOLDER == 0:
            place.mkdir(parents=True)
        (place / f"{i:08}.jpg").write_bytes(contents[i % KINDS])


def measured(code: str, folder: Path, cache: Path) -> tuple[float, float, float]:
    """(seconds, CPU seconds, peak MiB) of a stage in a process of its own."""
    environment = {**os.environ, "PLAUSIBLE_CACHE": str(cache), "PLAUSIBLE_LIMITS": "memory=0"}
    command = [sys.executable, "-c", STARTED + f"\n{code}\n{PEAK}", str(folder)]
    start = time.perf_counter()
    said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    cpu, peak = map(float, said.stdout.split()[-2:])
    return time.perf_counter() - start, cpu, peak


PEAK = (
    "import resource, time; used = resource.getrusage(resource.RUSAGE_SELF); "
    "print(time.process_time(), used.ru_maxrss / 1024)"
)


def main() -> None:
    asked = parser(__doc__)
    asked.add_argument(
        "--files", type=int, help="how many; by default 100,000, and 10,000 if quick"
    )
    flags = asked.parse_args()
    count = flags.files or (10_000 if flags.quick else 100_000)
    rows, started = [], 0.0
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name) / "pictures", Path(name) / "cache"
        write_pictures(folder, count, flags.seed)
        for stage, code in STAGES.items():
            seconds, cpu, peak = measured(code, folder, cache)
            started = started or seconds
            of_files = (seconds - started) * 100_000 / count
            rows.append({
                "stage": stage, "files": count, "seconds": seconds,
                "seconds per 100,000 files": of_files if code else 0.0,
                "CPU seconds": cpu, "peak MiB": peak,
            })  # fmt: skip
        size = sum(path.stat().st_size for path in cache.rglob("*.bin"))
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    notes = (
        f"{size / 2**20:,.0f} MiB are kept on the disk; the stages took {children.ru_utime + children.ru_stime:,.0f} CPU "
        f"seconds; the time that a process takes to begin is taken off the seconds per 100,000 files"
    )
    record(__file__, rows, seed=flags.seed, quick=flags.quick, notes=notes)


if __name__ == "__main__":
    main()
