"""What each command answers with --json: the keys of its result, each with a sentence; docs/json.md is made of these."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Object = Mapping[str, Any]
"""An object whose keys are said elsewhere."""


@dataclass(frozen=True)
class ModelEntry:
    """A model of the taxonomy."""

    name: str
    """Its name."""
    place: tuple[str, ...]
    """Where it stands in the tree, from the root on."""
    about: str
    """What it is."""
    can: Object
    """What it can do, and of what kind each is."""


@dataclass(frozen=True)
class Taxonomy:
    """The result of models."""

    models: tuple[ModelEntry, ...]
    """Every model."""


@dataclass(frozen=True)
class Learned:
    """The result of train, resume and refine."""

    run: Path
    """The folder of the run."""
    model: str
    """The model."""
    finished: bool
    """Whether its budget is used; false after Ctrl-C (exit code 130) or a failure (3)."""
    rounds: int | None
    """The rounds after which it was saved last."""
    seconds: float
    """The seconds that it has trained, all sessions together."""
    verdict: str | None
    """PASS, FAIL or INCONCLUSIVE; null where it was not judged."""
    measures: Object | None
    """What measures.json holds; null where it was not judged."""
    findings: tuple[Object, ...]
    """What was found wrong while it trained, as findings.json holds it."""
    pictures: tuple[Path, ...]
    """The pictures that were drawn."""
    beside_start: str | None = None
    """Of a refined run, what that won and cost beside its start, in a sentence."""


@dataclass(frozen=True)
class RaisedFinding:
    """What was found wrong in a training."""

    round: int | None
    """The round at which it was raised; null where nobody noted it."""
    finding: Object
    """The finding, as findings.json holds it."""


@dataclass(frozen=True)
class Seen:
    """The result of watch."""

    run: Path
    """The folder of the run."""
    model: str
    """The model."""
    data: str
    """The name of the data."""
    state: str
    """not begun, running, stopped or finished."""
    rounds: int
    """The rounds that were played."""
    total: int | None
    """The rounds of the budget; null where it is one of minutes."""
    progress: float
    """The share of the budget that is used."""
    seconds: float
    """The seconds that it has trained."""
    rounds_per_second: float | None
    """The rounds a second lately."""
    left: float | None
    """The seconds until it ends."""
    age: float
    """The seconds since anything was written."""
    values: Object
    """The last numbers of each player."""
    raised: tuple[RaisedFinding, ...]
    """What was found wrong, in the order of the rounds."""
    verdict: str | None
    """PASS, FAIL or INCONCLUSIVE; null where it was not judged."""


@dataclass(frozen=True)
class RunEntry:
    """A run in a list."""

    run: Path
    """Its folder."""
    model: str
    """The model."""
    data: str
    """The name of the data."""
    state: str
    """How far it came, in words."""
    progress: float | None
    """The share of the budget that is used; null where nothing was saved."""
    verdict: str | None
    """PASS, FAIL or INCONCLUSIVE; null where it was not judged."""
    too_short: bool
    """Whether it was judged after a training too short for that."""
    age: float
    """The seconds since it was last saved."""


@dataclass(frozen=True)
class RunList:
    """The result of runs."""

    folder: Path
    """The folder that was looked into."""
    runs: tuple[RunEntry, ...]
    """The runs in it."""


@dataclass(frozen=True)
class CheckedRun:
    """The result of check."""

    run: Path
    """The folder of the run."""
    whole: bool
    """Whether every file is what was written; otherwise the exit code is 1."""
    files: Object
    """The condition of each file: whole, damaged, missing or has no checksum."""
    repaired: Object
    """What each file was made again from, of those that were."""
    sentence: str
    """All of it in a sentence."""


@dataclass(frozen=True)
class Described:
    """The result of data."""

    source: str
    """The name or path that was described."""
    items: int
    """The number of items."""
    facts: Object
    """What was found, in words."""
    notes: tuple[str, ...]
    """What will be done with it, a sentence each."""
    symmetries: tuple[str, ...]
    """Which changes of images can be told, in sentences."""
    picture: Path
    """Where some of the items are drawn."""


@dataclass(frozen=True)
class Drawn:
    """The result of sample, interpolate and complete."""

    run: Path
    """The folder of the run."""
    out: Path
    """Where it was written."""
    count: int
    """The number of samples, chains, walks or images with new ends."""
    each: int
    """The states of each chain, points on each walk, ends of each image; 1 of samples."""


@dataclass(frozen=True)
class DirectionsFound:
    """The result of directions."""

    run: Path
    """The folder of the run."""
    out: Path
    """Where it was written."""
    shares: tuple[float, ...]
    """The share of all change of x with z that each direction brings about, the strongest first."""


@dataclass(frozen=True)
class Reconstructed:
    """The result of reconstruct."""

    run: Path
    """The folder of the run."""
    out: Path
    """Where it was written."""
    rmse: float
    """The root mean square of the difference of a coordinate, in data units."""
    errors: tuple[float, ...]
    """The same of each input."""


@dataclass(frozen=True)
class Judged:
    """The result of evaluate."""

    asked: str
    """What was asked: of a run or of samples (report), against another (comparison), twins or verify."""
    folder: Path
    """Where numbers and pictures are."""
    verdict: str | None
    """PASS, FAIL or INCONCLUSIVE of a report, otherwise what was found in a sentence; null where nothing is drawn."""
    found: Object
    """Every number, as measures.json, comparison.json or twins.json holds it; of verify those that differ."""
    statistics: Object | None = None
    """How far samples, and beside them held-out data, are from what --statistics holds: two measures and notes; null where that was not asked."""
    written: tuple[Path, ...] = ()
    """The files of --write-statistics: of held-out data, and of samples."""


@dataclass(frozen=True)
class Exported:
    """The result of export."""

    run: Path
    """The folder of the run."""
    out: Path
    """Where it was written."""
    part: str
    """The part of the model."""
    inputs: Object
    """What goes in, by name, in words."""
    output: str
    """The name of what comes out."""
    difference: float
    """The largest difference to the model that was found, as a share of the largest number that comes out."""
    facts: Object
    """What the metadata of the file say."""


@dataclass(frozen=True)
class GivenAway:
    """The result of push."""

    run: Path
    """The folder of the run."""
    place: str
    """Where it is: a folder or an address."""
    files: Object
    """The bytes of each file, by name."""
    notes: tuple[str, ...]
    """What went out and what did not, in sentences."""


@dataclass(frozen=True)
class Taken:
    """The result of pull."""

    run: Path
    """The folder of the run that was made."""
    model: str
    """The model."""
    data: str
    """What its data are called there."""


@dataclass(frozen=True)
class ComparedFamilies:
    """The result of compare."""

    folder: Path
    """The folder of the comparison."""
    finished: bool
    """Whether all were trained and judged."""
    advice: tuple[str, ...]
    """Which family for these data, in sentences."""
    found: Object
    """Every number, as comparison.json holds it."""
    page: Path | None
    """The page of it; null where it is not finished."""


@dataclass(frozen=True)
class Page:
    """The result of report."""

    page: Path
    """The page that was written."""
    words: str
    """What it says first."""


@dataclass(frozen=True)
class Diagnosed:
    """The result of diagnose."""

    run: Path
    """The folder of the run."""
    file: Path
    """Where it was written."""
    findings: tuple[Object, ...]
    """What was found, as findings.json holds it."""


@dataclass(frozen=True)
class Answers:
    """The result of classify and score."""

    run: Path
    """The folder of the run."""
    notes: tuple[str, ...]
    """What was decided, a sentence each."""
    rows: tuple[Object, ...]
    """An object for each input, with the columns of --out."""


@dataclass(frozen=True)
class Served:
    """The result of app, which is printed when the page is there."""

    address: str
    """The address of the page."""


@dataclass(frozen=True)
class ClaimTested:
    """A claim of the theory, run."""

    name: str
    """Its name."""
    claim: str
    """What it claims."""
    holds: bool
    """Whether every number lies where it must."""
    measured: tuple[Object, ...]
    """Each number: what, value, low and high of its interval, least and most that it may be."""


@dataclass(frozen=True)
class ClaimsTested:
    """The result of claims."""

    claims: tuple[ClaimTested, ...]
    """Those that were run."""
    holds: bool
    """Whether all of them hold; otherwise the exit code is 1."""


@dataclass(frozen=True)
class TrialEntry:
    """A trial of a sweep."""

    run: Path
    """The folder of its run."""
    state: str
    """finished, pruned, failed or running."""
    choices: Object
    """What was chosen, by the names of the flags."""
    score: float | None
    """What it is measured by on validation data, lower being better; null where it has none."""
    reason: str
    """Why it failed, or empty."""


@dataclass(frozen=True)
class Swept:
    """The result of sweep."""

    folder: Path
    """The folder of the study."""
    finished: bool
    """Whether all trials are done."""
    measured: str
    """What trials are measured by."""
    trials: tuple[TrialEntry, ...]
    """Every trial, the best first."""
    best: Path | None
    """The run of the best trial; null where none was finished."""
    verdict: str | None
    """Its verdict by held-out data, PASS, FAIL or INCONCLUSIVE; null where it was not judged."""
