"""Learn a distribution, sample it, score with it, and be told honestly whether it worked.

The names below are the library; each is imported when first used, so that the command line can
answer without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from plausible.core.errors import NotDefined, UsageError
    from plausible.core.game import Clock, Loss, Player
    from plausible.core.likelihood import Kind, LogProb, Reference
    from plausible.core.model import Explicit, Generative, Model
    from plausible.core.space import Batch, Space
    from plausible.data.load import from_arrays, load
    from plausible.data.options import Options
    from plausible.data.part import Data, Part
    from plausible.evaluation.paired import Comparison
    from plausible.evaluation.report import Report
    from plausible.models import (
        GAN,
        GSN,
        RBM,
        VAE,
        VQVAE,
        ConvNet,
        Diffusion,
        Flow,
        GaussianMixture,
        LinearRegression,
        LogisticRegression,
        NaiveBayes,
        PerClass,
        PixelCNN,
        PixelRNN,
    )
    from plausible.pages.document import save_page
    from plausible.recognition import BayesClassifier, Conformal, decide, temper
    from plausible.recognition.recogniser import Recogniser
    from plausible.runs import Run, create, save
    from plausible.tasks.check import check
    from plausible.tasks.classify import classify
    from plausible.tasks.compare import compare, continue_comparison
    from plausible.tasks.compared import Compared
    from plausible.tasks.comparison_file import open_comparison
    from plausible.tasks.comparison_report import report_comparison
    from plausible.tasks.complete import complete, surprisal
    from plausible.tasks.describe import describe
    from plausible.tasks.diagnose import diagnose
    from plausible.tasks.directions import directions
    from plausible.tasks.evaluate import evaluate
    from plausible.tasks.evaluate_against import evaluate_against
    from plausible.tasks.evaluate_samples import evaluate_samples
    from plausible.tasks.evaluate_twin import evaluate_twin
    from plausible.tasks.explain import explain, uncover
    from plausible.tasks.export import export
    from plausible.tasks.fit import fit, resume
    from plausible.tasks.fit_steps import fit_steps
    from plausible.tasks.interpolate import interpolate, interpolate_between
    from plausible.tasks.list_runs import list_runs
    from plausible.tasks.pull import pull
    from plausible.tasks.push import push
    from plausible.tasks.reconstruct import reconstruct
    from plausible.tasks.reference_classifier import reference_classifier
    from plausible.tasks.refine import refine
    from plausible.tasks.report import report
    from plausible.tasks.sample import sample, sample_chain
    from plausible.tasks.save import save_report, save_samples
    from plausible.tasks.score import score
    from plausible.tasks.sweep import sweep
    from plausible.tasks.symmetries import symmetries_of
    from plausible.tasks.trained import Trained, open_trained
    from plausible.tasks.verify import verify
    from plausible.tasks.watch import watch
    from plausible.training import Settings, Step, Training, train

_HOMES = {
    "core.errors": ("NotDefined", "UsageError"),
    "core.game": ("Clock", "Loss", "Player"),
    "core.likelihood": ("Kind", "LogProb", "Reference"),
    "core.model": ("Explicit", "Generative", "Model"),
    "core.space": ("Batch", "Space"),
    "data.load": ("from_arrays", "load"),
    "data.options": ("Options",),
    "data.part": ("Data", "Part"),
    "models": (
        "GAN", "VAE", "VQVAE", "Diffusion", "Flow", "RBM", "GSN", "PixelCNN", "PixelRNN", "NaiveBayes", "GaussianMixture",
        "PerClass", "LinearRegression", "LogisticRegression", "ConvNet",
    ),
    "recognition": ("BayesClassifier", "Conformal", "decide", "temper"),
    "recognition.recogniser": ("Recogniser",),
    "runs": ("Run", "create", "save"),
    "pages.document": ("save_page",),
    "evaluation.paired": ("Comparison",),
    "evaluation.report": ("Report",),
    "tasks.check": ("check",),
    "tasks.classify": ("classify",),
    "tasks.score": ("score",),
    "tasks.compare": ("compare", "continue_comparison"),
    "tasks.compared": ("Compared",),
    "tasks.comparison_file": ("open_comparison",),
    "tasks.comparison_report": ("report_comparison",),
    "tasks.complete": ("complete", "surprisal",),
    "tasks.describe": ("describe",),
    "tasks.diagnose": ("diagnose",),
    "tasks.directions": ("directions",),
    "tasks.evaluate": ("evaluate",),
    "tasks.evaluate_against": ("evaluate_against",),
    "tasks.evaluate_samples": ("evaluate_samples",),
    "tasks.evaluate_twin": ("evaluate_twin",),
    "tasks.export": ("export",),
    "tasks.explain": ("explain", "uncover"),
    "tasks.fit": ("fit", "resume",),
    "tasks.fit_steps": ("fit_steps",),
    "tasks.interpolate": ("interpolate", "interpolate_between",),
    "tasks.list_runs": ("list_runs",),
    "tasks.pull": ("pull",),
    "tasks.push": ("push",),
    "tasks.reconstruct": ("reconstruct",),
    "tasks.reference_classifier": ("reference_classifier",),
    "tasks.refine": ("refine",),
    "tasks.report": ("report",),
    "tasks.sample": ("sample", "sample_chain",),
    "tasks.save": ("save_report", "save_samples",),
    "tasks.sweep": ("sweep",),
    "tasks.symmetries": ("symmetries_of",),
    "tasks.trained": ("Trained", "open_trained",),
    "tasks.verify": ("verify",),
    "tasks.watch": ("watch",),
    "training": ("Settings", "Step", "Training", "train"),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [  # noqa: RUF022  # in the order of use
    "fit", "resume", "refine", "watch", "evaluate", "evaluate_samples", "evaluate_against", "evaluate_twin", "compare", "continue_comparison", "open_comparison", "sweep", "verify", "diagnose", "sample", "sample_chain",
    "interpolate", "interpolate_between", "directions", "reconstruct", "complete", "surprisal", "classify", "explain", "uncover", "score", "describe", "symmetries_of",
    "check", "export", "push", "pull", "save_samples", "save_report", "report", "report_comparison", "save_page", "open_trained", "Trained", "Report", "Comparison", "Compared", "reference_classifier", "list_runs",
    "load", "from_arrays", "Options", "Data", "Part", "Space", "Batch",
    "GAN", "VAE", "VQVAE", "Diffusion", "Flow", "RBM", "GSN", "PixelCNN", "PixelRNN", "NaiveBayes", "GaussianMixture", "PerClass",
    "LinearRegression", "LogisticRegression", "ConvNet",
    "Model", "Generative", "Explicit", "Player", "Loss", "Clock",
    "train", "fit_steps", "Settings", "Training", "Step",
    "Run", "create", "save",
    "BayesClassifier", "temper", "decide", "Conformal", "Recogniser",
    "LogProb", "Kind", "Reference", "UsageError", "NotDefined",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("plausible")
    if name not in _HOME:
        raise AttributeError(f"module 'plausible' has no attribute {name!r}")
    return getattr(import_module(f"plausible.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
