"""A GAN whose generator begins as the decoder of another run: what it takes of that run, and what it keeps to be made again."""

import copy
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from torch import nn

from plausible.core.errors import UsageError
from plausible.core.model import Model
from plausible.core.space import Space
from plausible.models.gan.config import GANConfig
from plausible.models.gan.decoder import Decoder, check_decoder
from plausible.models.refined.objectives import InSteps
from plausible.runs.build import build
from plausible.runs.run import Run


def decoder_of(run: Run) -> Decoder:
    """The decoder of a run, by its best weights; UsageError where its model has none of one evaluation."""
    who = f"{run.folder} is a {run.config['model']}"
    if run.per_class:
        raise UsageError(f"{who} for each class, and a generator is a single network")
    config: Any = run.model_config
    if isinstance(config, InSteps) and getattr(config, "average_velocity", False):
        config = config.in_few_steps()
    model = build(
        run.kind.name, config, run.space, run.settings.seed, networks=copy.deepcopy(run.networks)
    )
    check_decoder(who, model)
    return Decoder(run.with_weights(model))


def config_with(decoder: Decoder, config: Model.Config, who: str) -> GANConfig:
    """The choices of a GAN whose generator is this decoder: its z and its labels are those of the decoder.

    Raises UsageError for another family, or a latent of another size that was asked for.
    """
    if not isinstance(config, GANConfig):
        raise UsageError(
            "--from makes the decoder of a run the generator of a gan: other models take --init"
        )
    asked = config.latent
    if asked not in (GANConfig().latent, decoder.latent):
        raise UsageError(
            f"the z of {who} has {decoder.latent} coordinates, not {asked}: leave out --latent"
        )
    return replace(config, latent=decoder.latent, conditional=decoder.model.conditional)


def check_space(decoder: Decoder, space: Space, who: str) -> None:
    """Refuse data that the decoder does not draw (UsageError)."""
    drawn = decoder.model.space
    if (drawn.shape, drawn.levels) != (space.shape, space.levels):
        raise UsageError(
            f"{who} draws {_said(drawn)}, and these data are {_said(space)}: give data of that kind"
        )
    if decoder.model.conditional and drawn.classes != space.classes:
        raise UsageError(
            f"{who} draws {drawn.classes} classes, and these data have {space.classes}"
        )


def kept_decoder(networks: Mapping[str, nn.Module]) -> dict[str, Any] | None:
    """What config.json keeps of a decoder among networks: the model that it is of, so that it can be made again."""
    found = networks.get("generator")
    if not isinstance(found, Decoder):
        return None
    return {"model": found.model.name, "config": asdict(found.model.config)}


def of_caller(networks: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Those whose code a run does not keep."""
    return {name: net for name, net in networks.items() if not isinstance(net, Decoder)}


def _said(space: Space) -> str:
    levels = f"on {space.levels} levels" if space.levels else "of real numbers"
    return f"{' x '.join(map(str, space.shape))} {levels}"
