"""The flags of ``plausible train`` for one model, made from its Config: every registered name is at once a choice."""

from dataclasses import dataclass, field, fields, make_dataclass
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin, get_type_hints

import tyro
from tyro.conf import OmitArgPrefixes

from plausible.cli.arguments import (
    MANY_TIMES,
    Device,
    Evaluated,
    Json,
    LogTo,
    OnFailure,
    Positive,
    Verbose,
    Watch,
)
from plausible.cli.help import field_help
from plausible.core.bounds import MINUTES, NATURAL
from plausible.core.choices import USUAL, Compile, Precision, Threads
from plausible.core.model import Model
from plausible.core.registry import Registry
from plausible.data.options import Options
from plausible.training import Settings

_BINARY = (
    "--data mnist --binarise static --minutes 8",
    "--data photos --size 32 --minutes 30 --conditional",
)
_EXAMPLES = {
    "linear": ("--data digits", "--data table.csv --label kind"),
    "logistic": ("--data digits", "--data table.csv --label kind"),
    "convnet": ("--data photos --size 32 --minutes 10", "--data mnist --minutes 5"),
    "naive-bayes": ("--data digits", "--data mnist --binarise threshold"),
    "mixture": ("--data table.csv", "--data table.csv --label kind --per-class"),
    "pixelcnn": _BINARY,
    "pixelrnn": _BINARY,
    "rbm": ("--data mnist --binarise dynamic --minutes 10", "--data digits --binarise threshold --hidden 100"),
    "gsn": ("--data mnist --binarise dynamic --minutes 10", "--data digits --binarise threshold"),
}  # fmt: skip
_ANY_EXAMPLES = ("--data digits", "--data photos --size 64 --minutes 30")


@dataclass(frozen=True)
class TrainingFlags:
    """How to train, whatever the model."""

    titles: ClassVar[dict[str, str]] = {"per_class": "model"}
    precision: Precision = "auto"
    """Compute in float32, with its products in tf32 on a GPU, or in bf16 where it is safe; by default in bf16 if the family learns as well
    so and the processor is faster."""
    compile: Compile = "off"
    """Compile what each player computes in a round, which takes a minute at first: on, or graphs, which a GPU replays as one."""
    threads: Threads | None = None
    """The number of threads of the processor that compute in each process, by default one for each core; auto times a few rounds with one, half and all of them."""
    micro_batch: Positive | None = None
    """Split every batch into parts of so many examples: the same mean gradient in less memory."""
    simultaneous: bool = False
    """Let all players compute their gradients before any of them moves."""
    per_class: bool = False
    """Learn one model for each class instead of a single one: p(x | y) of any explicit model."""
    watch: Watch = True
    on_failure: OnFailure = "rollback"
    evaluate: Evaluated = True
    verbose: Verbose = False
    log_to: LogTo = ()
    device: Device = "auto"
    processes: Annotated[int, MANY_TIMES] = 1
    """The number of processes that train together, on equal shards of every batch."""
    shard: bool = False
    """Keep of weights, gradients and moments an equal part in each process, for models too large for one of them."""
    json: Json = False


@dataclass(frozen=True)
class TrainFlags:
    """The flags of ``plausible train`` for every model; ``train_flags`` adds those of one."""

    titles: ClassVar[dict[str, str]] = {
        "data": "data",
        **dict.fromkeys(("steps", "minutes", "out", "seed", "config"), "budget"),
        **dict.fromkeys(("preset", "init", "decoder", "advanced"), "model"),
    }
    data: str = "digits"
    """The data to learn from: a name (digits, a toy, mnist) or a path to images, a .zip of them, .csv, .tsv, .npy,
    .npz or IDX."""
    steps: Positive | None = None
    """The number of rounds to play; by default what suits the model and the data."""
    minutes: Annotated[float, MINUTES] | None = None
    """The number of wall-clock minutes to play, instead of a number of steps."""
    init: Path | None = None
    """Begin with the weights and the choices of this run of the same model, on more or on other data."""
    config: Path | None = None
    """Take all flags from this file, the config.json of an earlier run or a .toml, but for those that are given beside it."""
    out: Path | None = None
    """The folder of the run, new or empty; by default runs/<model>-<data>-<time>."""
    seed: Annotated[int, NATURAL] = 0
    """The seed of the first weights, the data order and all noise: the same seed trains the same model."""


def settings_of(flags: Any) -> Settings:
    """What the loop reads of the flags."""
    training = flags.training
    return Settings(
        flags.steps,
        flags.minutes,
        flags.seed,
        training.precision,
        training.micro_batch,
        training.simultaneous,
        training.compile,
        training.shard,
        training.threads,
    )


def train_flags(kind: type[Model], config: Model.Config | None = None) -> Any:
    """The flags for one model, in groups: what most people need first, the rest of its Config last.

    config  what the flags of the model are by default: that of a preset, say.
    """
    config = config or kind.Config()
    names = [f.name for f in fields(config) if f.name != "batch" or kind.iterates]
    usual = [name for name in USUAL if name in names][:5]
    rest = [name for name in names if name not in usual]
    groups: list[tuple[str, Any]] = [
        ("model", _group(config, usual, f"What the {kind.name} is made of.")),
        ("preparation", Options),
        ("training", TrainingFlags),
    ]
    if rest:
        groups.append(("advanced", _group(config, rest, "What seldom needs to be changed.")))
    unprefixed: Any = OmitArgPrefixes
    said = tyro.conf.arg(help="")  # or tyro looks for a sentence in the source, which takes long
    nested: list[Any] = [
        (name, unprefixed[Annotated[group, said]], field(default_factory=group))
        for name, group in groups
    ]
    if kind.presets:
        choices: Any = Literal.__getitem__(tuple(kind.presets))
        help = "Start from a published recipe; the flags that are given change it."
        preset = Annotated[choices | None, tyro.conf.arg(help=help)]
        nested.insert(0, ("preset", preset, field(default=None)))
    if (
        "generator" in signature(kind).parameters
    ):  # networks of one's own, of which a decoder is one
        help = "Begin with the decoder of this run, of a vae or a diffusion model of average velocities, as the generator, and learn from its data."
        place = Annotated[Path | None, tyro.conf.arg(name="from", metavar="RUN", help=help)]
        nested.insert(0, ("decoder", place, field(default=None)))
    known: dict[str, Any] = {"usual": _first(kind, names)}
    bases = (TrainFlags,)
    whole = make_dataclass("TrainFlags", nested, bases=bases, frozen=True, namespace=known)
    examples = "\n".join(
        f"Example: plausible train {kind.name} {flags}"
        for flags in _EXAMPLES.get(kind.name, _ANY_EXAMPLES)
    )
    whole.__doc__ = f"{(kind.Config.__doc__ or '').splitlines()[0]}\n\n{examples}"
    return whole


def _first(kind: type[Model], names: list[str]) -> tuple[str, ...]:
    """The six flags at most that matter first."""
    tabular = "conditional" not in names and not kind.iterates
    data = ("data", "label" if tabular else "size")
    budget = ("minutes", "out") if kind.iterates else ("out",)
    model = tuple(name for name in USUAL if name in names)[: 4 - len(budget)]
    each = ("per_class",) if "components" in names else ()
    return (*data, *budget, *(model[: 4 - len(budget) - len(each)] or tuple(names[:2])), *each)


def model_config(kind: type[Model], flags: Any) -> Model.Config:
    """The Config that was asked for."""
    advanced = vars(flags.advanced) if hasattr(flags, "advanced") else {}
    return kind.Config(**vars(flags.model), **advanced)


def _group(config: Model.Config, names: list[str], doc: str) -> type[Any]:
    """A dataclass of some fields of a Config, with their help, their choices and the values they have."""
    hints, helps = get_type_hints(type(config), include_extras=True), field_help(type(config))
    rows: list[Any] = [
        (
            name,
            Annotated[_narrow(hints[name]), tyro.conf.arg(help=helps.get(name, ""))],
            field(default=getattr(config, name)),
        )
        for name in names
    ]
    group = make_dataclass("Group", rows, frozen=True)
    group.__doc__ = doc
    return group


def _narrow(hint: Any) -> Any:
    """str annotated with a registry -> Literal of its names, also inside tuples and unions."""
    if get_origin(hint) is Annotated:
        for note in hint.__metadata__:
            if isinstance(note, Registry):
                return Literal.__getitem__(tuple(note))
    inside = get_args(hint)
    narrowed = tuple(_narrow(part) for part in inside)
    if narrowed == inside:
        return hint
    if get_origin(hint) is tuple:
        return tuple.__class_getitem__(narrowed)
    if get_origin(hint) is Annotated:
        return Annotated[(narrowed[0], *hint.__metadata__)]
    union = narrowed[0]
    for part in narrowed[1:]:
        union = union | part
    return union
