"""Learn a distribution, sample it, score with it, and be told honestly whether it worked.

The names below are the library; each is imported when first used, so that the command line can
answer without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plausible.core.errors import NotDefined, UsageError
    from plausible.core.game import Clock, Loss, Player
    from plausible.core.likelihood import Kind, LogProb, Reference
    from plausible.core.model import Explicit, Generative, Model
    from plausible.core.space import Batch, Space
    from plausible.data.load import load
    from plausible.data.options import Options
    from plausible.data.part import Data, Part
    from plausible.models import (
        GAN,
        GSN,
        RBM,
        VAE,
        VQVAE,
        ConvNet,
        GaussianMixture,
        LinearRegression,
        LogisticRegression,
        NaiveBayes,
        PerClass,
        PixelCNN,
        PixelRNN,
    )
    from plausible.recognition import BayesClassifier, Conformal, decide, temper
    from plausible.recognition.recogniser import Recogniser
    from plausible.runs import Run, create, resume, save
    from plausible.tasks.evaluate import Report, evaluate, judge
    from plausible.tasks.fit import follow
    from plausible.training import Settings, Step, Training, train

_HOMES = {
    "core.errors": ("NotDefined", "UsageError"),
    "core.game": ("Clock", "Loss", "Player"),
    "core.likelihood": ("Kind", "LogProb", "Reference"),
    "core.model": ("Explicit", "Generative", "Model"),
    "core.space": ("Batch", "Space"),
    "data.load": ("load",),
    "data.options": ("Options",),
    "data.part": ("Data", "Part"),
    "models": (
        "GAN", "VAE", "VQVAE", "RBM", "GSN", "PixelCNN", "PixelRNN", "NaiveBayes", "GaussianMixture",
        "PerClass", "LinearRegression", "LogisticRegression", "ConvNet",
    ),
    "recognition": ("BayesClassifier", "Conformal", "decide", "temper"),
    "recognition.recogniser": ("Recogniser",),
    "runs": ("Run", "create", "resume", "save"),
    "tasks.evaluate": ("Report", "evaluate", "judge"),
    "tasks.fit": ("follow",),
    "training": ("Settings", "Step", "Training", "train"),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [  # noqa: RUF022  # in the order of use
    "load", "Options", "Data", "Part", "Space", "Batch",
    "GAN", "VAE", "VQVAE", "RBM", "GSN", "PixelCNN", "PixelRNN", "NaiveBayes", "GaussianMixture", "PerClass",
    "LinearRegression", "LogisticRegression", "ConvNet",
    "Model", "Generative", "Explicit", "Player", "Loss", "Clock",
    "train", "Settings", "Training", "Step",
    "Run", "create", "follow", "resume", "save", "evaluate", "Report", "judge",
    "BayesClassifier", "temper", "decide", "Conformal", "Recogniser",
    "LogProb", "Kind", "Reference", "UsageError", "NotDefined",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'plausible' has no attribute {name!r}")
    return getattr(import_module(f"plausible.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
