"""A training about to begin, and its run: what ``fit`` and the command line play to the end."""

from collections.abc import Callable
from dataclasses import asdict, replace
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any

from torch import nn

import plausible.models  # noqa: F401  # fills the registry
from plausible.core.choices import Compile, Device
from plausible.core.device import resolve_device
from plausible.core.errors import UsageError, unknown
from plausible.core.model import Model, models
from plausible.data.load import load
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Data
from plausible.runs import Run, build, create, default_folder
from plausible.runs import resume as resumed
from plausible.runs.decoder import check_space, config_with, decoder_of, of_caller
from plausible.runs.go_on import named_start
from plausible.runs.warm_start import begin_with, check_family
from plausible.tasks.capacity import with_capacity
from plausible.tasks.precision import with_precision
from plausible.tasks.symmetries import with_symmetries
from plausible.tasks.threads import with_threads
from plausible.training import Settings, Training, train
from plausible.training.distributed import World, need_the_same

ModelLike = str | type[Model] | Model
"""A model by name ("gan"), its class, or a model already built for the space of the data."""


def start(
    model: ModelLike,
    data: Any = "digits",
    *,
    config: Model.Config | None = None,
    preset: str | None = None,
    options: Options = DEFAULTS,
    settings: Settings | None = None,
    per_class: bool = False,
    init: Run | str | Path | None = None,
    decoder: Run | str | Path | None = None,
    out: str | Path | None = None,
    watch: bool = True,
    device: Device = "auto",
    world: World | None = None,
    progress: Callable[[str, float | None], None] = lambda stage, share: None,
    **choices: Any,
) -> tuple[Run, Training[Any]]:
    """Data read, weights drawn, the folder of the run made, and nothing learned yet.

    data       ``Data``, or whatever ``load`` takes.
    config     the choices of the model; by default those of ``preset``, of ``init``, or what suits the data.
    preset     a published recipe by name, see ``presets`` of the model's class.
    choices    fields of the config, in the place of ``config`` or as changes of the preset.
    per_class  one model for each class instead of a single one.
    init       a run of the same model, of whose weights all that fit are the first ones here; ``initial_of`` the
               new run says which.
    decoder    of a GAN a run whose decoder its generator begins as: of a VAE, or of a diffusion model of average
               velocities.  Its data are those of that run where ``data`` is None.
    out        the folder of the run, new or empty; by default runs/<model>-<data>-<time>.  Only rank 0 makes it.
    watch      whether it will be monitored, which the run notes.
    progress   called with (what is being done, share of it that is done, or None).
    Raises UsageError for a folder that holds anything, an unknown name, or what cannot go together.
    """
    settings, where = settings or Settings(), resolve_device(device)
    begun = init if isinstance(init, Run | None) else Run(init)
    source = decoder if isinstance(decoder, Run | None) else Run(decoder)
    if source is not None and data is None:
        data = source.data(request="resume")
    if not isinstance(data, Data):
        data = load(data, options, lambda done, total: progress("reading the data", done / total))
    if world is not None and world.size > 1:
        need_the_same(world, str(data.hashes), "has read other data", "bring the same")
    if isinstance(model, Model):
        if config is not None or preset is not None or per_class or choices or source:
            raise UsageError(
                "a model that is built already has its config: leave out what changes it"
            )
        built = model.to(where)
    else:
        kind = models[model] if isinstance(model, str) else model
        if begun is not None:
            check_family(begun, kind.name, per_class)
        chosen = config or configuration(kind, preset, begun, **choices)
        networks: dict[str, nn.Module] = {}
        if source is not None:
            began = decoder_of(source)
            chosen, networks["generator"] = config_with(began, chosen, str(source.folder)), began
            check_space(began, data.space, str(source.folder))
        asking = "testing which changes of the images can be told"
        chosen, data = with_symmetries(chosen, data, lambda share: progress(asking, share))
        if preset is None and not networks:
            chosen, notes = kind.decided_by(chosen, data.space, data.train)
            data = replace(data, notes=(*data.notes, *notes))
        if not per_class and not networks:
            racing = "timing this machine in float32 and in bf16"
            settings, data = with_precision(
                kind, chosen, data, settings, where, world or World(),
                lambda share: progress(racing, share),
            )  # fmt: skip
        if begun is None and preset is None and not per_class and not networks:
            timing = "timing this machine with networks of several widths"
            chosen, data = with_capacity(
                kind, chosen, data, settings, where, world or World(),
                lambda share: progress(timing, share),
            )  # fmt: skip
        built = build(
            kind.name, chosen, data.space, settings.seed, per_class, networks, learns=True
        ).to(where)
    racing = "timing this machine with several numbers of threads"
    settings, data = with_threads(
        built, data, settings, world or World(), lambda share: progress(racing, share)
    )
    progress("preparing the model", None)  # a mixture tries how many components it takes
    training = train(built, data.to(where), settings, world=world)
    initial = None if begun is None else begin_with(training, begun)
    folder = Path(out) if out is not None else default_folder(built.name, data.name)
    goes_on = None if source is None else named_start(source)
    run = Run(folder)
    if training.world.leads:
        run = create(folder, training, initial, goes_on, watch=watch)
    run.networks = of_caller(built.own_networks)
    return run, training


def restart(
    run: Run | str | Path,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    data: str | None = None,
    compile: Compile | None = None,
    threads: int | None = None,
    device: Device = "auto",
    world: World | None = None,
) -> tuple[Run, Training[Any]]:
    """A saved run at the round at which it was saved, under its own budget or a new total.

    data              where its data are now, if that is not where they were.
    compile, threads  how it goes on computing, if not as before: see ``resuming_notes`` for what that changes.
    """
    run, where = run if isinstance(run, Run) else Run(run), resolve_device(device)
    settings = run.settings
    if steps is not None or minutes is not None:
        settings = replace(settings, steps=steps, minutes=minutes)
    settings = replace(
        settings,
        compile=settings.compile if compile is None else compile,
        threads=settings.threads if threads is None else threads,
    )
    return run, resumed(run, settings, where, world, data)


def configuration(
    kind: type[Model], preset: str | None = None, init: Run | None = None, **fields: Any
) -> Model.Config:
    """The Config of a model: its defaults, those of a preset or of a run, with some fields changed.

    Raises UsageError for a field or a preset that it does not have, with the choices.
    """
    known = [field.name for field in dataclass_fields(kind.Config)]
    for name in fields:
        if name not in known:
            raise UsageError(unknown(f"choice of {kind.name}", name, known))
    if preset is None:
        if init is None:
            return kind.Config(**fields)
        found: dict[str, Any] = {"symmetries": None} if "symmetries" in known else {}
        return replace(init.model_config, **found | fields)  # its symmetries are those of its data
    if preset not in kind.presets:
        choices = list(kind.presets)
        if not choices:
            raise UsageError(f"a {kind.name} has no presets")
        raise UsageError(unknown(f"preset of {kind.name}", preset, choices))
    return kind.Config(**{**asdict(kind.presets[preset].config), **fields})
