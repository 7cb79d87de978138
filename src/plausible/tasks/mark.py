"""What the pictures that a model draws say of it."""

import hashlib
from typing import Any

from torch import nn

from plausible.data.mark import Mark
from plausible.tasks.trained import Trained


def mark_of(trained: Trained | Any, seed: int | None = None) -> Mark:
    """The mark of what a trained model, or one in memory, draws by a seed."""
    model = trained.model if isinstance(trained, Trained) else trained
    return Mark(model.name, weights_hash(model), seed)


def weights_hash(model: nn.Module) -> str:
    """sha256 (hex) of the names and values of all weights."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
