"""One explicit model for each class: the other way to p(x | y)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import torch
from torch import Generator, Tensor, nn

from plausible.core.capabilities import FitsClasses
from plausible.core.draws import DrawnTogether, Draws, mean_draws, shared_draws
from plausible.core.errors import UsageError
from plausible.core.examples import Examples
from plausible.core.game import Player
from plausible.core.likelihood import Kind, LogProb
from plausible.core.model import Explicit, Model
from plausible.core.space import Space, by_label
from plausible.core.synthesis import CoordinateNats, Synthesis, coordinate_nats_of, synthesis_of


class PerClass(Explicit):
    """p(x | y) = p_y(x), each p_y a model of its own that learns from its class alone.

    build  makes the model of one class from its space, which has no labels.
    Every class gets one batch a round; a step of models that are fitted is a step of each.
    """

    def __init__(self, space: Space, build: Callable[[Space], Model]):
        space.need_classes("a model for each class")
        single = replace(space, classes=0)
        first, *others = [build(single) for _ in range(space.classes)]
        if not isinstance(first, Explicit):
            raise UsageError(
                f"--per-class needs a model that says how probable x is, and a {first.name} does not"
            )
        super().__init__(space, first.config)
        self.each = nn.ModuleList([first, *others])
        self.name, self.place = first.name, first.place  # type: ignore[misc]
        self.family_kinds, self.remedies = first.family_kinds, first.remedies  # type: ignore[misc]
        self.sampled_jointly = first.sampled_jointly
        self.iterates = first.iterates  # type: ignore[misc]
        self.probe_every, self.learns_in_bf16 = first.probe_every, first.learns_in_bf16  # type: ignore[misc]

    @property
    def conditional(self) -> bool:
        """Always: that is what it is for."""
        return True

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of each of its models."""
        return self.notes_by_name(tuple(str(label) for label in range(len(self.models))))

    def notes_by_name(self, names: Sequence[str]) -> tuple[str, ...]:
        """The same, with the names of the classes."""
        return tuple(
            f"class {name}: {note}"
            for name, model in zip(names, self.models, strict=True)
            for note in model.notes
        )

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Those of each of its models."""
        return self.models[0].kinds

    @property
    def models(self) -> list[Explicit]:
        """The model of each class, in the order of the labels."""
        return [model for model in self.each if isinstance(model, Explicit)]

    @property
    def batch(self) -> int:
        """That of one of its models."""
        return self.models[0].batch

    @property
    def default_batch(self) -> int:
        """That of one of its models."""
        return self.models[0].default_batch

    @property
    def default_steps(self) -> int:
        """As many as one of its models takes."""
        return self.models[0].default_steps

    def setup(self, train: Examples) -> None:
        """The class prior; each model has units of its own, and from all examples what classes have in common."""
        for model in self.models:
            model.setup_common(train)
        for model, part in zip(self.models, self._classes(train), strict=True):
            model.setup(part)
        assert train.y is not None
        counts = torch.bincount(train.y, minlength=self.space.classes)  # (classes,)
        self.log_prior.copy_((counts / counts.sum()).log())

    def players(self) -> Sequence[Player]:
        """Those of every class."""
        return [
            replace(player, name=f"{player.name} {label}", label=label)
            for label, model in enumerate(self.models)
            for player in model.players()
        ]

    def fit(self, train: Examples) -> Iterator[Mapping[str, Tensor]] | None:
        """A step of every class at once, until none has anything left to learn."""
        fits = [m.fit(part) for m, part in zip(self.models, self._classes(train), strict=True)]
        alone = [fit for fit in fits if fit is not None]
        return chain(_in_turn(alone), self._together(train)) if alone else None

    def _together(self, train: Examples) -> Iterator[Mapping[str, Tensor]]:
        """What the models learn of all classes, once each has learned from its own."""
        first = self.models[0]
        if isinstance(first, FitsClasses):
            yield from first.fit_classes(self.models, self.log_prior, train)

    def _classes(self, train: Examples) -> Iterator[Examples]:
        """The examples of each class."""
        assert train.y is not None
        for label in range(self.space.classes):
            rows = (train.y == label).nonzero()[:, 0]  # (n,)
            if not len(rows):
                raise UsageError(f"class {label} has no example to learn from, so it gets no model")
            yield train.rows(rows)

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        parts = [
            (rows, self.models[label].log_prob(x[rows], samples=samples, generator=generator))
            for label, rows in by_label(y, len(x))
        ]
        return _assembled(parts, len(x))

    @property
    def mean_draws(self) -> int:
        """As many as one of its models takes."""
        return mean_draws(self.models[0])

    def class_draws(
        self, x: Tensor, rows: Tensor, y: Tensor, samples: int | None, generator: Generator | None
    ) -> Draws | None:
        """Of every class by noise that begins at the same state of the generator, together where the family can."""
        generator = generator or torch.default_generator
        together = self._draws_together(x, rows, y, samples, generator)
        if together is not None:
            return together
        state, parts = generator.get_state(), []
        for label, mine in by_label(y, len(y)):
            generator.set_state(state)
            part = shared_draws(
                self.models[label], x, rows[mine], y[mine], samples=samples, generator=generator
            )
            if part is None:
                return None
            parts.append((mine, part))
        first = parts[0][1]
        values = first.values.new_empty(len(first.values), len(y))
        for mine, part in parts:
            values[:, mine] = part.values
        return replace(first, values=values)

    def _draws_together(
        self, x: Tensor, rows: Tensor, y: Tensor, samples: int | None, generator: Generator
    ) -> Draws | None:
        model = self.models[0]
        if not isinstance(model, DrawnTogether):
            return None
        return model.class_draws_of(self.models, x, rows, y, samples, generator)

    def synthesis(
        self, x: Tensor, y: Tensor | None, generator: Generator | None
    ) -> Synthesis | None:
        """What the model of each label makes of its rows, by noise that begins at the same state of the generator."""
        generator = generator or torch.default_generator
        state, made, words = generator.get_state(), torch.empty_like(x), ""
        for label, rows in by_label(y, len(x)):
            generator.set_state(state)
            said = synthesis_of(self.models[label], x[rows], None, generator)
            if said is None:
                return None
            made[rows], words = said.x, said.words
        return Synthesis(made, words)

    def coordinate_nats(self, x: Tensor, y: Tensor | None) -> CoordinateNats | None:
        """What the model of each label says of its rows."""
        parts = [
            (rows, coordinate_nats_of(self.models[label], x[rows], None))
            for label, rows in by_label(y, len(x))
        ]
        nats = torch.zeros_like(x, dtype=torch.float64)
        for rows, said in parts:
            if said is None:
                return None
            nats[rows] = said.nats
        first = parts[0][1]
        assert first is not None
        return replace(first, nats=nats)

    def _noise(self, n: int, generator: Generator | None) -> Tensor:
        return self.models[0]._noise(n, generator)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        x = torch.empty(len(noise), *self.space.shape, device=noise.device)
        for label, rows in by_label(y, len(noise)):
            x[rows] = self.models[label]._sample(noise[rows], None)
        return x

    def _sample_jointly(self, n: int, y: Tensor | None, generator: Generator) -> Tensor:
        """Those of each class, whose draws all begin at the same seed."""
        x = torch.empty(n, *self.space.shape, device=generator.device)
        for label, rows in by_label(y, n):
            own = Generator(generator.device).manual_seed(generator.initial_seed())
            x[rows] = self.models[label]._sample_jointly(len(rows), None, own)
        return x


def _in_turn(fits: list[Iterator[Mapping[str, Tensor]]]) -> Iterator[Mapping[str, Tensor]]:
    """A step of each until all have ended, and the mean of what those say that go on."""
    while any(logs := [next(fit, None) for fit in fits]):
        going = [log for log in logs if log is not None]
        yield {name: torch.stack([log[name] for log in going]).mean() for name in going[0]}


def _assembled(parts: list[tuple[Tensor, LogProb]], n: int) -> LogProb:
    """One answer (n,) of the answers to some rows each."""
    first = parts[0][1]
    nats, kind = first.nats.new_empty(n), first.kind
    errors = None if first.stderr is None else first.nats.new_zeros(n)
    for rows, part in parts:
        nats[rows], kind = part.nats, Kind(kind.combined(part.kind))
        if errors is not None and part.stderr is not None:
            errors[rows] = part.stderr
    return LogProb(nats, kind, first.reference, errors, max(part.shared for _, part in parts))
