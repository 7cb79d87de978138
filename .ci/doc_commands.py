"""Run the commands of README.md and docs/ as a reader would, shortened: what ran, failed and was skipped.

python .ci/doc_commands.py [PART OF A PAGE'S NAME ...]; exit code 1 where a command fails, and what it said last is shown.

Every page is walked through in a temporary folder of its own, with few small data under the names that the pages use
(photos/, photo.png, mnist, ...).  One rule shortens: --minutes and --steps become --steps 3 (of resume 5, and two more each time), train and refine have them
and --no-evaluate always, -n is 64 at most, and evaluate has it always but for --verify.  Only lines that begin with
``plausible`` are run: a line with make, pip or another program, with --device cuda, or of the app, is skipped and counted.
``runs/gan-photos-...`` is the newest run of that name; where the page has not made it, it is trained first.
"""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SECONDS = 600  # after which a command is given up
SHOWN = 12  # lines of what a command that failed has said
STEPS, MOST = "3", "64"
BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"runs/(vq-vae|naive-bayes|[a-z]+)-(\S+?)-\.\.\.")  # model, data


@dataclass(frozen=True)
class Line:
    """A command of a page as it stands there; ``why`` it is not run, if it is not."""

    text: str
    why: str = ""


def pages() -> list[Path]:
    """README.md, in both languages, and every page below docs/."""
    return [ROOT / "README.md", ROOT / "README.ko.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text: str) -> Iterator[list[Line]]:
    """The commands of each block, one a line or joined by &&, without comments."""
    for match in BLOCK.finditer(text):
        joined = match[1].replace("\\\n", " ")
        lines = [re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines()]
        parts = [part.strip() for line in lines for part in line.split("&&")]
        yield [_line(part.removeprefix("$ ")) for part in parts if part]


def _line(text: str) -> Line:
    if not text.startswith("plausible "):
        return Line(text, "another program")
    if text.split()[1] == "app":
        return Line(text, "a page until Ctrl-C")
    return Line(text, "a GPU" if "--device cuda" in text else "")


def shortened(words: list[str], resumed: int = 0) -> list[str]:
    """The words of a command after the one rule that is stated above; ``resumed`` is how often a page has resumed a run."""
    command, kept, words = words[1], [], list(words)
    while words:
        word = words.pop(0)
        if word in ("--minutes", "--steps", "--trials", "--total-minutes"):
            words.pop(0)
            continue
        if word == "-n":
            kept += [word, str(min(int(words.pop(0)), int(MOST)))]
            continue
        kept.append(word)
    if command in ("train", "refine"):
        kept += ["--steps", STEPS, "--no-evaluate"]
    if command == "sweep":
        kept += ["--trials", "2", "--steps", STEPS, "--no-evaluate"]
    if command == "resume":
        kept += ["--steps", str(int(STEPS) + 2 * (resumed + 1)), "--no-evaluate"]
    if command == "evaluate" and not {"-n", "--verify"} & {*kept}:
        kept += ["-n", MOST]
    return kept


def prepare(folder: Path) -> None:
    """Few small data, under every name that the pages use."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = np.kron(images.reshape(-1, 8, 8) * 255 / 16, np.ones((3, 3))).astype("u1")
    images = np.pad(images, ((0, 0), (2, 2), (2, 2)))  # (n, 24, 24) -> (n, 28, 28)
    for name in ("photos", "my-folder", "fakes", "others", "folder", "more"):
        (folder / name).mkdir()
        for i in range(120 if name not in ("folder", "more") else 3):
            at = i + 120 * (name == "others")  # what is held out has not been learned from
            grey = Image.fromarray(images[at]).resize((32, 32))
            Image.merge("RGB", [grey] * 3).save(folder / name / f"{i:03}.png")
    for i, name in enumerate(("photo.png", "a.png", "b.png", "3.png", "8.png")):
        Image.fromarray(images[i]).save(folder / name)
    Image.fromarray(np.tri(28, dtype="u1") * 255).save(folder / "mask.png")
    np.savez(folder / "more.npz", x=images[:3])
    np.savez(folder / "odd.npz", x=load_digits().images[:6].astype("u1"))
    rows = np.random.default_rng(0).normal(size=(200, 3))
    lines = [f"{a:.3f},{b:.3f},{c:.3f},{'old' if a > 0 else 'young'}" for a, b, c in rows]
    (folder / "table.csv").write_text("\n".join(["a,b,c,kind", *lines]) + "\n", "utf-8")
    for name in ("mnist", "fashion-mnist"):
        (folder / "sets" / name).mkdir(parents=True)
        for part, chosen in (("train", slice(0, 400)), ("t10k", slice(400, 600))):
            for what, values in (("images-idx3", images[chosen]), ("labels-idx1", labels[chosen])):
                head = bytes([0, 0, 8, values.ndim])
                head += b"".join(size.to_bytes(4, "big") for size in values.shape)
                content = head + values.astype("u1").tobytes()
                (folder / "sets" / name / f"{part}-{what}-ubyte").write_bytes(content)


def named_runs(text: str, folder: Path) -> tuple[str, list[list[str]]]:
    """The command with runs that are there, and the trainings that have to make them first."""
    first = []
    for match in NAMED.finditer(text):
        model, data = match[1], match[2]
        out = f"runs/{model}-{data}-19700101-000000"
        there = sorted(folder.glob(f"runs/{model}-{data}-*"), key=os.path.getmtime)
        if not there:
            binary = ["--binarise", "threshold"] if model in ("rbm", "gsn") else []
            words = ["plausible", "train", model, "--data", data, "--out", out, *binary]
            first.append([*words, "--steps", STEPS, "--no-evaluate"])
        text = text.replace(match[0], str(there[-1].relative_to(folder)) if there else out)
    return text, first


def run(words: list[str], folder: Path) -> tuple[int, float, str]:
    """The exit code, the seconds, and what was said; 124 when it took too long."""
    env = {**os.environ, "PLAUSIBLE_DATA": str(folder / "sets"), "OMP_WAIT_POLICY": "passive"}
    began = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=folder, env=env, text=True, timeout=SECONDS,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        code, said = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, said = 124, str(late.stdout or "")
    if "--strict" in words and code in (1, 3):  # an answer, not a failure
        code = 0
    return code, time.perf_counter() - began, said


def walk(page: Path, folder: Path) -> Iterator[tuple[str, float, str, str]]:
    """(ok, FAIL or skip, seconds, the command, what it said) of each command of a page."""
    prepare(folder)
    there, resumed = {path.name for path in folder.iterdir()} | {"runs"}, 0
    for lines in blocks(page.read_text("utf-8")):
        for line in lines:
            if line.why:
                yield "skip", 0.0, line.text, line.why
                continue
            text, first = named_runs(line.text, folder)
            for words in [*first, shortened(shlex.split(text), resumed)]:
                resumed += words[1] == "resume"
                code, seconds, said = run(words, folder)
                yield "FAIL" if code else "ok", seconds, shlex.join(words), said
        for path in folder.iterdir():  # the next block writes to the same names
            if path.name not in there:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def main() -> None:
    """Walk through the pages whose names hold a word that was given, or all."""
    chosen = [p for p in pages() if not sys.argv[1:] or any(w in p.name for w in sys.argv[1:])]
    counts, failed = dict.fromkeys(("ok", "FAIL", "skip"), 0), []
    for page in chosen:
        print(page.relative_to(ROOT), flush=True)
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for state, seconds, command, said in walk(page, folder):
                counts[state] += 1
                note = f"  ({said})" if state == "skip" else ""
                print(f"  {state:4} {seconds:6.1f} s  {command}{note}", flush=True)
                if state == "FAIL":
                    failed.append((page.name, command, said))
    for name, command, said in failed:
        print(f"\n{name}: {command}", *said.splitlines()[-SHOWN:], sep="\n  ")
    print(f"\n{counts['ok']} ran, {counts['FAIL']} failed, {counts['skip']} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
