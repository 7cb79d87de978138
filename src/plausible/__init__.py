"""Learn a distribution, sample it, score with it, and be told honestly whether it worked.

The names below are the library; each is imported when first used, so that the command line can
answer without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plausible.bayes import BayesClassifier, Conformal, decide, temper
    from plausible.core.likelihood import Kind, LogProb, Reference
    from plausible.core.model import Clock, Explicit, Generative, Loss, Model, Player
    from plausible.core.registry import Refused
    from plausible.core.space import Batch, Space
    from plausible.data.load import load
    from plausible.data.options import Options
    from plausible.data.part import Data, Part
    from plausible.following import follow
    from plausible.judging import Report, evaluate, judge
    from plausible.models import (
        GAN,
        GSN,
        RBM,
        VAE,
        VQVAE,
        ConvNet,
        Linear,
        Logistic,
        Mixture,
        NaiveBayes,
        PerClass,
        PixelCNN,
        PixelRNN,
    )
    from plausible.recognition import Recogniser
    from plausible.runs import Run, create, resume, save
    from plausible.training import Settings, Step, Training, train

_HOMES = {
    "bayes": ("BayesClassifier", "Conformal", "decide", "temper"),
    "core.likelihood": ("Kind", "LogProb", "Reference"),
    "core.model": ("Clock", "Explicit", "Generative", "Loss", "Model", "Player"),
    "core.registry": ("Refused",),
    "core.space": ("Batch", "Space"),
    "data.load": ("load",),
    "data.options": ("Options",),
    "data.part": ("Data", "Part"),
    "judging": ("Report", "evaluate", "judge"),
    "models": (
        "GAN", "VAE", "VQVAE", "RBM", "GSN", "PixelCNN", "PixelRNN", "NaiveBayes", "Mixture", "PerClass", "Linear", "Logistic",
        "ConvNet",
    ),
    "recognition": ("Recogniser",),
    "following": ("follow",),
    "runs": ("Run", "create", "resume", "save"),
    "training": ("Settings", "Step", "Training", "train"),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [  # noqa: RUF022  # in the order of use
    "load", "Options", "Data", "Part", "Space", "Batch",
    "GAN", "VAE", "VQVAE", "RBM", "GSN", "PixelCNN", "PixelRNN", "NaiveBayes", "Mixture", "PerClass", "Linear", "Logistic", "ConvNet",
    "Model", "Generative", "Explicit", "Player", "Loss", "Clock",
    "train", "Settings", "Training", "Step",
    "Run", "create", "follow", "resume", "save", "evaluate", "Report", "judge",
    "BayesClassifier", "temper", "decide", "Conformal", "Recogniser",
    "LogProb", "Kind", "Reference", "Refused",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'plausible' has no attribute {name!r}")
    return getattr(import_module(f"plausible.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
