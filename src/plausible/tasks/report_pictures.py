"""The pictures of a run, each with the words that go with it: drawn anew, or as its folder keeps them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from plausible import figures
from plausible.core.device import seeded
from plausible.core.errors import NotDefined
from plausible.core.model import Generative
from plausible.core.space import Batch, Space
from plausible.data.part import Data, Part
from plausible.figures.curves import curves
from plausible.figures.learning import learning_curve
from plausible.runs import Run
from plausible.runs.log import read_history
from plausible.tasks.trained import Trained
from plausible.tasks.training_pictures import draw_samples

_COUNTS = ((32, 64), (64, 36))  # up to so many pixels a side so many images are drawn, ...
_FEWEST = 16  # ... and of larger ones
_ROWS, _COLUMNS = 6, 12  # of a table that are shown


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture with its words.

    title    what it is.
    says     what can be seen in it, for those who cannot see it.
    caption  what to look for.
    wide     whether its words would be too small in a narrow window, where it then scrolls in its own box.
    """

    title: str
    picture: figures.Picture
    says: str
    caption: str = ""
    wide: bool = False


@dataclass(frozen=True, eq=False)
class Film:
    """How the samples came about: a GIF file, and what can be seen in it."""

    content: bytes
    says: str


@dataclass(frozen=True)
class Rows:
    """Some rows of a table, samples and real ones, as they are written.

    columns   names of the numbers; ``label`` that of the class behind them, empty without one.
    left_out  how many columns are not shown.
    """

    columns: tuple[str, ...]
    samples: tuple[tuple[str, ...], ...]
    real: tuple[tuple[str, ...], ...]
    label: str = ""
    left_out: int = 0


@dataclass(frozen=True)
class SamplesShown:
    """Samples beside real data: pictures, of a table some rows too, and why there are none where there are none."""

    pictures: tuple[Shown, ...] = ()
    rows: Rows | None = None
    missing: str = ""


def show_samples(trained: Trained, data: Data | None, seed: int) -> SamplesShown:
    """Samples drawn anew from this seed, beside held-out data, unless those are gone.

    Of a model without samples nothing, which is no want.
    """
    model = trained.model
    if not isinstance(model, Generative):
        return SamplesShown()
    space = model.space
    try:
        drawn = draw_samples(model, None if model.conditional else _count(space), seed=seed)
    except NotDefined as reason:
        return SamplesShown(missing=str(reason))
    drawn = drawn.to("cpu")
    if not drawn.x.isfinite().all():
        return SamplesShown(missing="its samples are not finite numbers")
    if space.is_image:
        return SamplesShown(tuple(_images(trained, data, drawn, seed)))
    return _vectors(trained, data, drawn, seed)


def kept_samples(run: Run) -> SamplesShown:
    """samples.png of a run whose model cannot be opened."""
    picture = opened_picture(run.folder / "samples.png")
    if picture is None:
        return SamplesShown()
    says = "Samples as they were drawn in the training."
    return SamplesShown((Shown("Samples", picture, says, "Drawn while it trained."),))


def _count(space: Space) -> int | None:
    if not space.is_image:
        return None
    side = max(space.shape[1:])
    return next((count for largest, count in _COUNTS if side <= largest), _FEWEST)


def _images(trained: Trained, data: Data | None, drawn: Batch, seed: int) -> Iterator[Shown]:
    space, names = trained.model.space, trained.class_names
    grid = _grid_of(drawn, names)
    yield Shown(
        "Samples",
        figures.picture(space, drawn.x, y=drawn.y, names=names),
        f"{len(drawn):,} images that the model drew, {grid}.",
        f"Drawn by the model, from seed {seed}.",
    )
    if data is None:
        return
    real = _like(data.heldout, drawn, seed)
    yield Shown(
        "Real images",
        figures.picture(space, real.x, y=real.y if drawn.y is not None else None, names=names),
        f"{len(real):,} real images that the model has never seen, {_grid_of(real, names)}.",
        "Held-out data, from which the model did not learn.",
    )


def _grid_of(batch: Batch, names: Sequence[str]) -> str:
    """How images are laid out, in words."""
    if batch.y is None or len(batch.y.unique()) < 2:
        return "in a grid"
    words = [names[k] if k < len(names) else str(k) for k in batch.y.unique().tolist()]
    return f"one class in each row: {', '.join(words)}"


def _like(part: Part, drawn: Batch, seed: int) -> Batch:
    """As many real items, in any order; of as many of each class where samples have classes."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(part), generator=generator)
    if drawn.y is not None and part.y is not None:
        y = part.y.cpu()[order]
        counts = torch.bincount(drawn.y).tolist()
        rows = [order[y == label][:count] for label, count in enumerate(counts)]
        order = torch.cat(rows)
    with seeded(seed):  # dynamic binarisation draws from the default generator
        batch = part.batch(order[: len(drawn)])
    return batch.to("cpu") if drawn.y is not None else Batch(batch.x.cpu(), None)


def _vectors(trained: Trained, data: Data | None, drawn: Batch, seed: int) -> SamplesShown:
    space, names, columns = trained.model.space, trained.class_names, trained.columns
    real = None if data is None else data.heldout.as_batch().to("cpu")
    with_real = "" if real is None else " beside held-out data"
    plane = space.shape == (2,)
    what = "Points in the plane" if plane else "A histogram of each column"
    origin = f"{len(drawn):,} samples, from seed {seed}"
    beside = f"{origin}, beside held-out data, from which the model did not learn."
    picture = figures.picture(
        space,
        drawn.x,
        None if real is None else real.x,
        y=drawn.y,
        names=names,
        columns=columns,
        model=trained.model,
        patient=True,
    )
    shown = Shown(
        "In the plane" if plane else "Column by column",
        picture,
        f"{what}: {len(drawn):,} samples of the model{with_real}.",
        f"{origin}." if real is None else beside,
    )
    if plane and not columns:
        return SamplesShown((shown,))
    some = drawn[:: max(1, len(drawn) // _ROWS)][:_ROWS]
    few = None if data is None else _like(data.heldout, some, seed)
    return SamplesShown((shown,), _rows(trained, some, few))


def _rows(trained: Trained, drawn: Batch, real: Batch | None) -> Rows:
    """The first rows of each, as a person writes numbers."""
    space, dims = trained.model.space, trained.model.space.dims
    names = trained.columns or tuple(f"x{k}" for k in range(1, dims + 1))
    labelled = drawn.y is not None
    label = trained.label_column or "class" if labelled else ""

    def written(batch: Batch) -> tuple[tuple[str, ...], ...]:
        rows = [_numbers(row, space) for row in batch.x[:, :_COLUMNS]]
        if not labelled or batch.y is None:
            return tuple(rows)
        words = [(trained.class_names[k],) for k in batch.y.tolist()]
        return tuple(row + word for row, word in zip(rows, words, strict=True))

    made, kept = written(drawn), () if real is None else written(real)
    return Rows(names[:_COLUMNS], made, kept, label, max(0, dims - _COLUMNS))


def _numbers(row: Tensor, space: Space) -> tuple[str, ...]:
    return tuple(
        f"{value:,.0f}" if k in space.whole else f"{value:.4g}"
        for k, value in enumerate(row.tolist())
    )


def training_film(run: Run) -> Film | None:
    """training.gif of a run; None where there is none."""
    path = run.folder / "training.gif"
    if not path.exists():
        return None
    frames = sorted((run.folder / "frames").glob("[0-9]*.png"))
    span = f", from round {int(frames[0].stem):,} to {int(frames[-1].stem):,}" if frames else ""
    says = f"Animation: samples from the same noise, drawn again and again while it trained{span}."
    return Film(path.read_bytes(), says)


def training_curves(run: Run, marks: Sequence[tuple[float, str]]) -> tuple[Shown, ...]:
    """What the log says as one picture for each kind of curve, with marks (round, text) on all of them."""
    history = read_history(run.folder / "log.jsonl")
    shown = []
    for each in curves(history):
        if all(len(steps) < 2 for steps, _ in each.lines.values()):
            continue  # of what is learned at once
        said = [_course(name, *line) for name, line in each.lines.items()]
        marked = f" Marked: {', '.join(text for _, text in marks)}." if marks else ""
        says = f"Curve over {history.steps:,} rounds. {each.title}. {'; '.join(said)}.{marked}"
        title = each.title[:1].upper() + each.title[1:]
        shown.append(Shown(title, learning_curve(each, marks), says))
    return tuple(shown)


def _course(name: str, steps: Tensor, values: Tensor) -> str:
    first, last = float(values[0]), float(values[-1])
    return f"{name}: from {first:.3g} to {last:.3g}"


def kept_pictures(run: Run) -> dict[str, tuple[Shown, ...]]:
    """{what for: pictures} of those files of PICTURES that a run has."""
    found = {}
    for purpose, words in PICTURES.items():
        images = ((opened_picture(run.folder / name), said) for name, said in words.items())
        found[purpose] = tuple(Shown(said[0], image, *said[1:]) for image, said in images if image)
    return found


def opened_picture(path: Path) -> Image.Image | None:
    """A picture of a folder; None where it has none."""
    if not path.exists():
        return None
    with Image.open(path) as image:
        image.load()
        return image


_SAYS = "Four rows of eight images: samples, what the critic saw of them, real images, and what it saw of those."
_CAPTION = (
    "From top to bottom: the samples that it is surest of, the same as it saw them ({seen}), the real images that it is "
    "surest of, and the same of those. What differs between the halves gives the samples away."
)

PICTURES: Mapping[str, Mapping[str, tuple[str, str, str]]] = {
    "critics": {
        "critic-shape.png": (
            "A critic that sees shapes alone",
            _SAYS,
            _CAPTION.format(seen="as means of blocks"),
        ),
        "critic-texture.png": (
            "A critic that sees fine detail alone",
            _SAYS,
            _CAPTION.format(seen="fine detail, four times as strong"),
        ),
        "critic-colour.png": (
            "A critic that sees colours alone",
            _SAYS,
            _CAPTION.format(seen="colours, by brightness"),
        ),
        "critic-all-of-it.png": (
            "A critic that sees everything",
            "Two rows of images: samples that the critic is surest are not real, and real images that it is surest of.",
            "Above the samples that it is surest of, below the real images that it is surest of.",
        ),
    },
    "neighbours": {
        "neighbours.png": (
            "The samples most like copies",
            "Three rows of images: above the training example nearest to each sample, in the middle the samples most "
            "like copies, below the real images nearest to them from which the model did not learn.",
            "A copy looks like what is above it, and not like what is below it.",
        ),
    },
    "walks": {
        "walks.png": (
            "Walks through z",
            "Walks from one draw of z to another, one in each row of images, or as points over the data.",
            "Where a model has learned more than single examples, each step of a walk is as good a sample as its ends.",
        ),
        "plane.png": (
            "All of z",
            "The plane of z: what the model draws at each place of it.",
            "Its z has two coordinates, and this is what the model draws at each place.",
        ),
    },
    "detail": {
        "spectrum.png": (
            "How much detail of each size",
            "Curves of power over frequency, of samples and of held-out images, coarse detail left and fine detail right.",
            "Where the curve of the samples lies below, detail of that size is missing; where it lies above, there is "
            "too much.",
        ),
    },
    "answers": {
        "reliability.png": (
            "Is it as often right as it says?",
            "Reliability diagram: the share of right answers over the confidence they are given with.",
            "On the diagonal it is as often right as it says; below it, it is too sure.",
        ),
        "risk.png": (
            "What it costs to answer always",
            "Curve: the share of wrong answers over the share of inputs that get an answer, the surest first.",
            "How many answers are wrong when only the surest are given.",
        ),
        "boundary.png": (
            "Where it decides for which class",
            "The plane coloured by the most probable class, with held-out points.",
            "The stronger the colour, the surer it is.",
        ),
    },
}
"""{what for: {file of a run: title, what can be seen in it, what to look for}}."""
