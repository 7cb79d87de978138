"""Whether the code still makes the same weights, samples, measures and verdicts as kept ones.

A GAN, a VAE and an RBM learn scikit-learn's digits for a few dozen steps, each as a person would type it
(python -m plausible train ..., sample ...), in a temporary folder and on one thread.  A row is one thing that
came of it: the weights and the samples as hashes, each measure with its error to 6 digits, the state of the verdict and of
each defect.  Kept rows lie in results/reproducible.json; each is called same or changed, and the exit code is
1 where one has changed.

--keep writes the rows in the place of those that were kept.  PYTHONPATH=elsewhere/src asks the same of other code.
Sums of floats depend on the processor and on the version of torch: the file has both, and on another machine the rows
are made anew from the commit in the file before they are compared.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import safetensors.torch
import torch
from benchmarks.record import Rows, kept, kept_notes, parser, record

import plausible

FAMILIES = {
    "gan": ["--steps", "40"],
    "vae": ["--steps", "40"],
    "rbm": ["--steps", "60", "--binarise", "static"],
}
# what measures and defects were called in the kept rows, where they are called something else today
RENAMED: dict[str, str] = {}
UNDEFINED = [None, None]  # a measure that this model or these data do not have


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument(
        "--keep", action="store_true", help="write the rows that later calls compare"
    )
    asked = flags.parse_args()
    names = ["rbm"] if asked.quick else list(FAMILIES)
    rows = [row for name in names for row in outcome(name, FAMILIES[name], asked.seed)]
    if asked.keep:
        tree = Path(plausible.__file__).parent
        record(__file__, rows, seed=asked.seed, quick=asked.quick, tree=tree, notes=arithmetic())
    elif changed := differences(kept(__file__, quick=False), rows):
        print(f"kept rows: {kept_notes(__file__)}; these: {arithmetic()}")
        sys.exit(f"{len(changed)} of {len(rows)} changed: " + "; ".join(changed))


def differences(before: Rows, rows: Rows) -> list[str]:
    """What is not as it was, after a line for every row: same, changed, new or gone."""
    families = {row["family"] for row in rows}
    old, new = (
        {
            (row["family"], renamed(row["what"])): row["value"]
            for row in some
            if row["family"] in families and row["value"] != UNDEFINED
        }
        for some in (before, rows)
    )
    changed = []
    for key in [*new, *(key for key in old if key not in new)]:
        state = "new" if key not in old else "gone" if key not in new else "changed"
        if key in old and key in new and old[key] == new[key]:
            state = "same"
        name = " ".join(key)
        print(
            f"{state:8} {name}" + ("" if state == "same" else f": {old.get(key)} -> {new.get(key)}")
        )
        if state != "same":
            changed.append(name)
    return changed


def outcome(model: str, flags: list[str], seed: int) -> Rows:
    """What comes of one training, typed as a person would."""
    with TemporaryDirectory() as folder:
        where = Path(folder)
        run, samples = where / "run", where / "samples.npz"
        plain = ["--seed", str(seed), "--device", "cpu"]
        typed(where, "train", model, "--data", "digits", "--out", run, *flags, *plain)
        typed(where, "sample", run, "-n", 64, "--out", samples, *plain)
        found = {**weights(run), "samples": digest(np.load(samples)["x"])}
        found |= measures(json.loads((run / "measures.json").read_text()))
    return [{"family": model, "what": what, "value": value} for what, value in found.items()]


def typed(folder: Path, *words: Any) -> None:
    """A command of its own process, on one thread, with a cache of its own."""
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    env = {**os.environ, **threads, "PLAUSIBLE_CACHE": str(folder / "cache")}
    command = [sys.executable, "-m", "plausible", *map(str, words)]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def weights(run: Path) -> dict[str, Any]:
    """Best and last weights: hashes of the tensors in order, and their names apart."""
    rows: dict[str, Any] = {}
    for name in ("weights", "last"):
        if (run / f"{name}.safetensors").exists():
            tensors = safetensors.torch.load_file(run / f"{name}.safetensors")
            rows[name] = sorted(digest(tensor.numpy()) for tensor in tensors.values())
            rows[f"{name}, names"] = sorted(tensors)
    return rows


def measures(report: dict[str, Any]) -> dict[str, Any]:
    """Each measure of samples and of real data with its error, to 6 digits; the verdict's states."""
    rows: dict[str, Any] = {}
    for one in report["measures"]:
        rows[one["name"]] = digits(one)
        if one.get("real"):
            rows[f"{one['name']}, real data"] = digits(one["real"])
    rows["verdict"] = report["verdict"]["state"]
    for defect in report["verdict"]["defects"]:
        rows[f"defect: {defect['name']}"] = defect["state"]
    return rows


def digits(measure: dict[str, Any]) -> list[str | None]:
    """Its value and its error; None where it has none."""
    numbers = (measure.get(key) for key in ("value", "stderr"))
    return [None if number is None else f"{number:.6g}" for number in numbers]


def arithmetic() -> str:
    """What decides how sums of floats are rounded."""
    return f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, numpy {np.__version__}"


def renamed(what: str) -> str:
    """What this row is called today."""
    for old, new in RENAMED.items():
        what = what.replace(old, new)
    return what


def digest(array: "np.ndarray[Any, Any]") -> str:
    """The beginning of the hash of an array's type, shape and bytes."""
    head = f"{array.dtype} {array.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
