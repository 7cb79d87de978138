"""A run is a folder: the only place where a model, its data and the loop meet.

    checksums.json       the SHA-256 of every file that is read again
    config.json          what was asked for: model, data with hashes and what was decided about them, budget, seed;
                         and in which format (see ``migrations``), by which plausible and on how many threads
    weights.safetensors  the weights its methods use: the best (averaged where the model averages)
    last.safetensors     those at the last save
    state.pt             all that training needs to go on exactly: tensors and numbers, no code
    log.jsonl            one line every few rounds, and what the probes said
    findings.json        what is wrong, and what to do
    calibration.safetensors  what the model says of validation and held-out data, by which it answers without them
    samples.png          a picture, drawn anew while it learns; earlier ones in frames/
    training.gif, training.png   those one after another, and the curves of the log
    measures.json        what was measured at the end, and the verdict
    neighbours.png, spectrum.png, walks.png   pictures of the evaluation

Every file is written beside its place, flushed to the disk and renamed, so a killed process leaves
the old file or the new one and never half of one.
"""

import copy
import shlex
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

import plausible.models  # noqa: F401  # fills the registry
from plausible.core import notebook
from plausible.core.choices import Which
from plausible.core.device import seeded
from plausible.core.errors import UsageError
from plausible.core.model import Generative, Model, models
from plausible.core.refinement import RefinementConfig
from plausible.core.space import Batch, Space
from plausible.data.labels import class_number
from plausible.data.options import Options
from plausible.data.part import Data
from plausible.models.gan.decoder import Decoder
from plausible.models.refined.refined import Refined, own_weights
from plausible.runs.build import build
from plausible.runs.checksums import Condition, Damaged, condition, noted, read_noted, write_noted
from plausible.runs.frame import flat_measures, frame
from plausible.runs.kept_json import as_kept, check_shape, read_json
from plausible.runs.log import flat_log
from plausible.runs.migrations import choices, migrated
from plausible.runs.shapes import CONFIG, MEASURES
from plausible.runs.whereabouts import Request, check_data, find_data
from plausible.training import Settings

M = TypeVar("M", bound=Model)
T = TypeVar("T")


class Run:
    """One folder, read when asked.

    networks  those of the caller that its model was made of, by name: a run keeps their weights and not their code.
    made      the folders that were made for it, the innermost first.
    """

    made: tuple[Path, ...] = ()

    def __init__(self, folder: Path | str, **networks: nn.Module):
        self.folder, self.networks = Path(folder), networks

    def __repr__(self) -> str:
        if not (self.folder / "config.json").exists():
            return f"Run {self.folder}, which holds no config.json"
        model = (
            f"one {self.config['model']} for each class" if self.per_class else self.config["model"]
        )
        share, verdict = self.progress, self.verdict
        state = (
            "nothing saved" if share is None else "finished" if share >= 1 else f"at {share:.0%}"
        )
        return f"Run {self.folder}: {model} of {self.config['data']['name']}, {state}" + (
            f", {verdict}" if verdict else ""
        )

    def _repr_html_(self) -> str:
        picture = self.folder / "samples.png"
        shown = notebook.picture(picture.read_bytes()) if picture.exists() else ""
        return notebook.line(repr(self)) + shown

    @cached_property
    def config(self) -> dict[str, Any]:
        """config.json as it is written today; UsageError when it is missing, unreadable or of a newer program."""
        path = self.folder / "config.json"
        advice = self.advice_for(path.name)
        if not path.exists():
            lost = any((self.folder / n).exists() for n in ("weights.safetensors", "state.pt"))
            raise UsageError(f"{self.folder} is not a run: it holds no config.json" + f", and {advice}" * lost)  # fmt: skip
        try:
            content = read_noted(path, advice)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from error
        kept = migrated(read_json(path, content, advice), path, advice)
        return check_shape(path, kept, CONFIG, advice)

    def advice_for(self, name: str) -> str:
        """What is left of a run of which a file is damaged."""
        whole = lambda other: condition(self.folder / other) is Condition.WHOLE  # noqa: E731
        place = shlex.quote(str(self.folder))
        if name == "config.json":
            return f"plausible check {place} --repair makes it again from what the weights hold"
        if name == "state.pt":
            return f"plausible train MODEL --init {place} begins another run with its weights"
        if name == "weights.safetensors" and whole("last.safetensors"):
            return f"the last weights are whole: plausible sample {place} --weights last, or plausible check {place} --repair"
        if name == "weights.safetensors" and whole("state.pt"):
            return f"plausible resume {place} with more rounds goes on from its last save"
        if name == "last.safetensors":
            return "the best weights are whole" if whole("weights.safetensors") else ""
        return ""

    @property
    def space(self) -> Space:
        """Where the model lives."""
        with self._as_kept("space"):
            return Space.from_dict(self.config["space"])

    @property
    def settings(self) -> Settings:
        """How it is trained."""
        return self._chosen(Settings, self.config["training"], "training")

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the labels, empty when there are none."""
        return tuple(self.config["data"]["class_names"])

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the coordinates, empty where the data had none."""
        return tuple(self.config["data"]["columns"])

    @property
    def label_column(self) -> str | None:
        """What the data call the column of their classes."""
        return self.config["data"]["label_column"]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided about the data, and by the model from them, when it began to learn."""
        return tuple(self.config["data"]["notes"])

    @property
    def options(self) -> Options:
        """How its data were shaped."""
        return self._chosen(Options, self.config["data"]["options"], "data.options")

    @property
    def per_class(self) -> bool:
        """Whether it has one model for each class."""
        return bool(self.config["per_class"])

    @property
    def learned(self) -> str:
        """What learned, in a word or two: vae, vae per class, vae refined."""
        more = " per class" if self.per_class else " refined" if self.refinement else ""
        return f"{self.config['model']}{more}"

    @property
    def threads(self) -> int | None:
        """On how many threads it was trained last; None where nobody noted it."""
        return self.config["threads"]

    @property
    def kind(self) -> type[Model]:
        """The class of its model; UsageError where nobody has defined it here."""
        name = self.config["model"]
        if name not in models:
            raise UsageError(
                f"{self.folder} is a {name}, which is no model of plausible: import the file that defines it under "
                f"@models first, or run that file in the place of plausible, as docs/own_models.md shows"
            )
        return models[name]

    @property
    def model_config(self) -> Model.Config:
        """The choices of its model."""
        chosen, kind = _tuples(self.config["config"]), self.kind
        with self._as_kept("config"):
            if not self.config["own_networks"]:
                chosen = dict(kind.as_chosen(chosen, self.space))
        return self._chosen(kind.Config, chosen, "config")

    @property
    def refinement(self) -> RefinementConfig | None:
        """The game by which it goes on with the model of another run; None of a run that plays its family's."""
        kept = self.config.get("refinement")
        return None if kept is None else self._chosen(RefinementConfig, _tuples(kept), "refinement")

    def _chosen(self, kind: type[T], values: Mapping[str, Any], place: str) -> T:
        by = self.config["plausible"]
        with self._as_kept(place):
            return choices(kind, values, self.folder / "config.json", place, by)

    def _as_kept(self, place: str) -> AbstractContextManager[None]:
        return as_kept(self.folder / "config.json", place, self.advice_for("config.json"))

    def fresh(self, *, alone: bool = False) -> Model:
        """The model as it was before its first update; UsageError without the networks that it was made of.

        alone  without what it is refined against.
        """
        needed = tuple(self.config["own_networks"])
        if set(needed) != set(self.networks):
            given = ", ".join(f"{name}=..." for name in needed)
            if not needed:
                raise UsageError(
                    f"{self.folder} was trained with the networks of plausible: leave out {', '.join(self.networks)}"
                )
            raise UsageError(
                f"{self.folder} is a {self.config['model']} made of networks of its author ({', '.join(needed)}), and a "
                f"run keeps their weights and not their code: open it in Python with the same networks, as "
                f'plausible.Run("{self.folder}", {given})'
            )
        networks = copy.deepcopy(self.networks)  # because every model has weights of its own
        made_of = self.kind.name, self.model_config, self.space, self.settings.seed, self.per_class, networks  # fmt: skip
        with (
            seeded(self.settings.seed),
            self._as_kept("config"),
        ):  # whoever opens a run goes on drawing as before
            if (kept := self.config.get("decoder")) is not None:
                networks["generator"] = Decoder(self._decoding(kept))
            return build(*made_of, refinement=None if alone else self.refinement)

    def _decoding(self, kept: Mapping[str, Any]) -> Model:
        """The model as whose decoder its generator began."""
        kind = models[kept["model"]]
        chosen = self._chosen(kind.Config, _tuples(kept["config"]), "decoder.config")
        return build(kind.name, chosen, self.space, self.settings.seed)

    def steps(self, which: Which = "best") -> int | None:
        """After how many steps these weights were kept; None where nobody noted it."""
        known = self._noted(which)
        return int(known["steps"]) if "steps" in known else None

    @property
    def progress(self) -> float | None:
        """The share of its budget that it has used, 1 where it is finished; None where nothing was saved."""
        if not self._weights("last").exists():
            return None
        path = self._weights("last")
        with as_kept(path, "what it notes of its training", self.advice_for(path.name)):
            return self._share(self._noted("last"))

    def _share(self, known: Mapping[str, str]) -> float:
        judged = (self.folder / "measures.json").exists()  # which is how a training ends
        if known.get("converged") == "True" or (judged and "seconds" not in known):
            return 1.0
        return self.settings.progress(int(known.get("steps", 0)), float(known.get("seconds", 0)))

    def _noted(self, which: Which) -> dict[str, str]:
        """What was noted beside these weights; of runs made before less."""
        path = self._weights(which)
        try:
            with safetensors.safe_open(path, "pt") as file:
                return dict(file.metadata() or {})
        except (OSError, safetensors.SafetensorError) as error:
            raise UsageError(f"{path} does not hold the weights of this run: {error}") from error

    def _weights(self, which: Which) -> Path:
        last = self.folder / "last.safetensors"
        if which == "last" and last.name in noted(self.folder) and not last.exists():
            raise Damaged(f"{last} is missing, which held the last weights; those kept are the best")  # fmt: skip
        return last if which == "last" and last.exists() else self.folder / "weights.safetensors"

    def model(self, device: torch.device | str = "cpu", which: Which = "best") -> Model:
        """The trained model, in evaluation mode, with the weights its capabilities use: the best, or the last."""
        return self.with_weights(self.fresh(alone=True), which).to(device).eval()

    def with_weights(self, model: M, which: Which = "best") -> M:
        """The same model with the weights of this run; UsageError where they are none of it."""
        weights = self.weights(which)
        try:
            model.load_state_dict(weights if isinstance(model, Refined) else own_weights(weights))
        except RuntimeError as error:
            path = self._weights(which)
            raise UsageError(f"{path} does not hold the weights of this run: {error}") from error
        return model

    def weights(self, which: Which = "best") -> dict[str, Tensor]:
        """{name: tensor} of the weights and buffers that it holds; UsageError where they cannot be read."""
        path = self._weights(which)
        if not path.exists():
            raise UsageError(f"{self.folder} holds no weights.safetensors yet: nothing was saved")
        try:
            return safetensors.torch.load(read_noted(path, self.advice_for(path.name)))
        except Exception as error:
            if isinstance(error, UsageError):
                raise
            raise UsageError(f"{path} does not hold the weights of this run: {error}") from error

    def sample(self, n: int = 64, label: str | int | None = None, seed: int = 0) -> Batch:
        """n draws by its best weights, of one class by name or number, or of all: x (n, *shape) on the CPU."""
        model = self.model()
        if not isinstance(model, Generative):
            raise UsageError(
                f"{self.folder} is a {model.name}, p(y | x), which has no samples to draw"
            )
        names = self.class_names or tuple(str(k) for k in range(self.space.classes))
        y = class_number(label, names, str(self.folder))
        return model.sample(n, y, generator=torch.Generator().manual_seed(seed))

    def log(self) -> Any:
        """The log of its training, a row for each line and a flat column for each number.

        A DataFrame where pandas is there, otherwise {column: [values]}; None where a line has no such number.
        """
        return frame(flat_log(self.folder / "log.jsonl"))

    def measures(self) -> Any:
        """What was measured when it was judged: a row for each measure, beside the same of real data.

        A DataFrame where pandas is there, otherwise {column: [values]}.  UsageError: it was not judged yet.
        """
        judged = self.judged
        if judged is None:
            raise UsageError(f"{self.folder} was not judged: plausible evaluate {self.folder} does")
        return frame(flat_measures(judged["measures"]))

    @property
    def verdict(self) -> str | None:
        """FAIL, PASS or INCONCLUSIVE; None where it was not judged, or draws nothing."""
        verdict = (self.judged or {}).get("verdict")
        return None if verdict is None else str(verdict["state"])

    @property
    def too_short(self) -> bool:
        """Whether its training was found to be too short to be judged, when it was judged."""
        return bool(((self.judged or {}).get("advice") or {}).get("too_short"))

    @property
    def judged(self) -> dict[str, Any] | None:
        """What measures.json holds; None where the run was not judged; UsageError where it is something else."""
        path = self.folder / "measures.json"
        if not path.exists():
            return None
        advice = f"judge it again with plausible evaluate {shlex.quote(str(self.folder))}"
        kept = read_json(path, read_noted(path, advice), advice)
        judged: dict[str, Any] = check_shape(path, kept, MEASURES, advice)
        return judged

    @property
    def hashes(self) -> dict[str, str]:
        """{part: sha256} of the data it learns from."""
        return dict(self.config["data"]["hashes"])

    def data(self, source: str | None = None, request: Request = "evaluate") -> Data:
        """The data it learns from, read from where they were, or from ``source``, where they are now.

        Where they have moved with the run, or lie below the current folder, they are found; a note says so.
        request  what they are asked for, for the sentence.
        Raises DataGone, a UsageError: they are not there, or not what they were.
        """
        return find_data(self.folder, self.config["data"], self.options, source, request)

    def check_data(
        self, data: Data, place: str = "the data given", request: Request = "evaluate"
    ) -> Data:
        """The same data; DataGone where they are not those it learns from."""
        return check_data(self.folder, self.config["data"], data, place, request)

    def write(self, name: str, content: bytes | str) -> Path:
        """Write one file of the run, atomically, and note its hash."""
        return write_noted(self.folder / name, content)


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Choices as they were before they were kept, in which lists are tuples."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
