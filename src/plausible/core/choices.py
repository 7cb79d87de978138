"""What people choose by name in several layers; without torch, so that the command line can show it."""

from typing import Annotated, Literal

from plausible.core.bounds import THREADS

Device = Literal["auto", "cpu", "cuda", "mps"]
"""Where to compute; auto is a GPU where there is one."""

OnFailure = Literal["warn", "stop", "rollback"]
"""What a training does when it fails, see ``tasks.fit_steps``."""

Which = Literal["best", "last"]
"""The weights of a run: the best by what was probed, or the last."""

Extractor = Literal["auto", "classifier", "random", "pca", "pixels"]
"""What distances between samples are taken in; auto is whatever sees most of the defects that are planted into the data."""

Novelty = Literal["likelihood", "ratio", "complexity", "typicality", "either", "combined", "noise"]
"""The scores by which the implausible is told, see ``recognition.novelty``."""

Compile = Literal["off", "on", "graphs"]
"""Whether the step of each player is compiled, and replayed by a GPU as one graph, see ``training.compiled``."""

Precision = Literal["auto", "float32", "tf32", "bf16"]
"""In which precision products are computed, see ``training.settings``."""

Threads = Annotated[int, THREADS] | Literal["auto"]
"""How many threads of a processor compute; auto is decided by a race, see ``tasks.threads``."""

LogTo = Literal["tensorboard", "trackio", "wandb"]
"""Where the log of a training is mirrored to, see ``runs.mirrors``."""

USUAL = (
    "conditional", "components", "hidden", "width", "smoothing", "decay", "latent", "architecture", "loss", "layers",
    "lr", "batch",
)  # fmt: skip
"""What most people change of a Config, if it has it: the first five stand before the others, and two are in the short help."""

ExportPart = Literal["generator", "decoder", "encoder", "classifier", "log-prob"]
"""What of a model can be exported, see ``tasks.export``."""
