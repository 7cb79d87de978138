"""What was judged and how, kept with the measures, so that anybody can make them again."""

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from plausible.evaluation.evaluation_set import EvaluationSet

_PACKAGES = ("plausible", "torch", "numpy", "scipy", "scikit-learn")


@dataclass(frozen=True)
class Seal:
    """What an evaluation was asked, and the hashes of what it looked at.

    run, samples  where what was judged is: the folder of a run, or a file or folder of samples; None of points in memory.
    data          where the real data are, a name or a path; None where they were given in memory.
    heldout       where the real data are that samples were held against, if elsewhere.
    outliers      where the data of another kind are that the model was asked about.
    options       how the data were shaped; ``split`` the share of them that was held out.
    n, features, seed  of the evaluation; features None where they were a function.
    hashes        {"training part", "held-out part", "samples": sha256} of the points that were compared.
    versions      {package: version} by which it was computed.
    """

    n: int
    features: str | None
    seed: int
    hashes: Mapping[str, str]
    versions: Mapping[str, str]
    run: str | None = None
    samples: str | None = None
    data: str | None = None
    heldout: str | None = None
    outliers: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    split: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for measures.json."""
        return asdict(self)


def seal(evalset: EvaluationSet, n: int, features: str | None, seed: int) -> Seal:
    """The seal of an evaluation, as far as it is known without where its inputs came from."""
    parts = {
        "training part": evalset.train,
        "held-out part": evalset.heldout,
        "samples": evalset.samples,
    }
    hashes = {name: embedded.part.hash for name, embedded in parts.items()}
    return Seal(n, features, seed, hashes, _versions())


@cache  # to read them takes as long as a metric
def _versions() -> Mapping[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}


def place_of(source: str | Path | None) -> str | None:
    """A path as it is from anywhere, or a name of data as it is; None of what has neither."""
    if source is None or not str(source):
        return None
    path = Path(source).expanduser()
    return os.path.abspath(path) if path.exists() else str(source)
