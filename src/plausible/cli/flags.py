"""The flags of a model, made from its Config: every registered name is at once a choice."""

from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from tyro.conf import OmitArgPrefixes

from plausible.cli.menu import Device
from plausible.core.choices import OnFailure
from plausible.core.model import Model
from plausible.core.registry import Registry
from plausible.data.options import DEFAULTS, Options
from plausible.training import Settings


@dataclass(frozen=True)
class Common:
    """The flags of ``plausible train`` for every model."""

    data: str = "digits"
    """A name (digits, a toy, mnist) or a path: images, IDX, npy, npz, csv."""
    options: OmitArgPrefixes[Options] = DEFAULTS
    out: Path | None = None
    """The folder of the run; by default runs/<model>-<data>-<time>."""
    settings: OmitArgPrefixes[Settings] = field(default_factory=Settings)
    on_failure: OnFailure = "rollback"
    """warn: stop where a number is not finite; rollback: go back once before, with half the learning rate; stop: stop at any failure."""
    watch: bool = True
    """Look at the model every 100 rounds, raise alarms, and keep the best weights."""
    device: Device = "auto"
    """Where to compute; auto is a GPU where there is one."""
    per_class: bool = False
    """Learn one model for each class instead of a single one: p(x | y) of any explicit model."""
    processes: int = 1
    """Processes that train together on equal shards of every batch."""


def order(kind: type[Model]) -> Any:
    """The flags of ``plausible train`` for one model: those common to all and its own Config."""
    config = _with_choices(kind.Config)
    unprefixed: Any = OmitArgPrefixes
    model = ("model", unprefixed[config], config())
    whole = make_dataclass("Order", [model], bases=(Common,), frozen=True)
    whole.__doc__ = (
        f"{(kind.Config.__doc__ or '').splitlines()[0]}\n\n"
        f"Example: plausible train {kind.name} --data digits --steps 1000"
    )
    return whole


def _with_choices(config: type[Any]) -> type[Any]:
    """The same dataclass with every field that names an entry of a registry narrowed to its names."""
    hints = get_type_hints(config, include_extras=True)
    narrowed = {name: _narrow(hint) for name, hint in hints.items()}
    changed = {name: hint for name, hint in narrowed.items() if hint is not hints[name]}
    body = {"__annotations__": changed, "__doc__": config.__doc__, "__module__": config.__module__}
    return dataclass(frozen=True)(type(config.__name__, (config,), body))


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
    union = narrowed[0]
    for part in narrowed[1:]:
        union = union | part
    return union
