"""Build the sdist and from it the wheel, look into both, and use the wheel in a clean environment.

python .ci/dist.py [TESTS ...]; exit code 1 where anything is missing, too much, or fails.  Tests are run from a copy of
the repository without src/, so that nothing but the wheel can be imported; by default those of ``TESTS``.
What is built is kept in build/dist.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
OUT = ROOT / "build" / "dist"
TESTS = ("tests/core",)
TOOLS = ("pytest", "pytest-timeout", "hypothesis")
NEEDED = ("plausible/py.typed", "plausible/pages/templates/page.html", "plausible/pages/templates/run/made.html")  # fmt: skip
LEFT_OUT = ("tests/", "benchmarks/", "experiments/", "examples/", "docs/", "results/", ".ci/")
_SDIST = "import sys; from setuptools import build_meta; print(build_meta.build_sdist(sys.argv[1]))"


def tracked() -> list[str]:
    """The files that git has or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def copied(folder: Path, without: tuple[str, ...] = ()) -> Path:
    """A copy of the repository in a new folder, so that nothing built before goes along."""
    for name in tracked():
        if not name.startswith(without):
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, place)
    return folder


def built(folder: Path) -> tuple[Path, Path]:
    """(sdist, wheel) in a folder, the wheel from the sdist alone; without a network, by the setuptools of this Python."""
    with tempfile.TemporaryDirectory() as scratch:
        source = copied(Path(scratch) / "source")
        call(sys.executable, "-c", _SDIST, folder, cwd=source)
        (sdist,) = folder.glob("plausible-*.tar.gz")
        with tarfile.open(sdist) as packed:
            packed.extractall(scratch, filter="data")
        unpacked = Path(scratch) / sdist.name.removesuffix(".tar.gz")
        call(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, unpacked)  # fmt: skip
    (wheel,) = folder.glob("plausible-*.whl")
    return sdist, wheel


def files_of(wheel: Path) -> list[str]:
    """The names of what a wheel holds."""
    with zipfile.ZipFile(wheel) as packed:
        return packed.namelist()


def wrong_with(names: list[str]) -> list[str]:
    """What of a wheel is missing, and what must not be in it, one sentence each."""
    sources = [name.removeprefix("src/") for name in tracked() if name.startswith("src/plausible/")]
    missing = sorted({*NEEDED, *sources} - {*names})
    beside = [name for name in names if not name.startswith(("plausible/", "plausible-"))]
    beside += [name for name in names if any(f"/{part}" in f"/{name}" for part in LEFT_OUT)]
    licence = any(name.endswith("/licenses/LICENSE") for name in names)
    return (
        [f"{name} is missing" for name in missing]
        + [f"{name} must not be in it" for name in dict.fromkeys(beside)]
        + ["its licence is missing"] * (not licence)
    )


def call(*command: object, cwd: Path = ROOT) -> str:
    """What a command says; ends this program with what went wrong where it fails."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}")
    return done.stdout


def used(wheel: Path, tests: list[str]) -> None:
    """Install the wheel beside a torch that is there already, and train, sample and test with it."""
    with tempfile.TemporaryDirectory() as scratch:
        place, work = Path(scratch) / "venv", copied(Path(scratch) / "work", ("src/",))
        venv.create(place, with_pip=True)
        python, constraints = place / "bin" / "python", ROOT / "constraints.txt"
        version = ("-c", "from importlib.metadata import version; print(version('torch'))")
        pip = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", constraints)  # fmt: skip
        call(*pip, "torch")
        before = call(python, *version)
        call(*pip, wheel, *TOOLS)
        if call(python, *version) != before:
            sys.exit(f"pip install {wheel.name} has replaced torch {before}")
        call(python, "-m", "pip", "check")
        program = place / "bin" / "plausible"
        print(call(program, "--help", cwd=work).splitlines()[0])
        run = work / "runs" / "digits"
        call(program, "train", "gan", "--steps", 20, "--no-evaluate", "--out", run, cwd=work)
        call(program, "sample", run, "-n", 4, "--out", work / "four.png", cwd=work)
        print(call(python, "-m", "pytest", "-p", "no:cacheprovider", "-q", *tests, cwd=work)[-400:])


def main() -> None:
    """Build, look, use."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    sdist, wheel = built(OUT)
    print(f"{sdist.name}: {sdist.stat().st_size:,} bytes, {wheel.name}: {wheel.stat().st_size:,}")
    if found := wrong_with(files_of(wheel)):
        sys.exit("\n".join(found))
    used(wheel, sys.argv[1:] or list(TESTS))


if __name__ == "__main__":
    main()
