"""What can be asked of a trained model: the tasks that it can do, and the choices that each has."""

from dataclasses import dataclass

from plausible.core.capabilities import (
    Autoencoder,
    Autoregressive,
    Chain,
    Classifier,
    Completer,
    Encoder,
    Latent,
    StepSampler,
    Variational,
)
from plausible.core.model import Explicit, Generative, Model
from plausible.models.diffusion.solvers import solvers
from plausible.tasks.trained import Trained


@dataclass(frozen=True)
class Abilities:
    """What a trained model can do, each the name of what a task needs.

    sample       draws samples.
    labels       the classes of which one can be asked for, by name; empty of a model that takes no label.
    truncation   keeps z within a bound.
    mean         draws E[x | z], without the noise of single coordinates.
    steps        draws in steps, whose number and solver can be chosen; ``solvers`` are their names.
    guidance     draws a class by more or less of the difference that its label makes.
    latent       has a z to walk in: ``interpolate``, ``directions``; ``between`` two inputs, too.
    chain        has a Markov chain to be watched.
    reconstruct, complete, surprisal, classify, score  as the tasks of these names.
    """

    sample: bool = False
    labels: tuple[str, ...] = ()
    truncation: bool = False
    mean: bool = False
    steps: bool = False
    guidance: bool = False
    solvers: tuple[str, ...] = ()
    latent: bool = False
    between: bool = False
    chain: bool = False
    reconstruct: bool = False
    complete: bool = False
    surprisal: bool = False
    classify: bool = False
    score: bool = False

    @property
    def asked(self) -> bool:
        """Whether anything can be asked about an input."""
        return any(
            (self.reconstruct, self.complete, self.surprisal, self.classify, self.score),
        )


def abilities_of(trained: Trained) -> Abilities:
    """What a trained model can do."""
    model = trained.model
    conditional = isinstance(model, Generative) and model.conditional
    latent, steps = isinstance(model, Latent), isinstance(model, StepSampler)
    return Abilities(
        sample=isinstance(model, Generative),
        labels=trained.class_names if conditional else (),
        truncation=latent,
        mean=latent and isinstance(model, Variational),
        steps=steps,
        guidance=steps and conditional,
        solvers=tuple(solvers) if steps else (),
        latent=latent,
        between=latent and isinstance(model, Encoder),
        chain=isinstance(model, Chain),
        reconstruct=isinstance(model, Autoencoder),
        complete=isinstance(model, Completer) and model.space.is_image,
        surprisal=isinstance(model, Autoregressive),
        classify=_classifies(model),
        score=isinstance(model, Explicit),
    )


def _classifies(model: Model) -> bool:
    """Whether it says p(y | x), by Bayes' rule or directly."""
    if isinstance(model, Explicit):
        return model.conditional
    return isinstance(model, Classifier)
