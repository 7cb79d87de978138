"""The optimizers of torch without its compiler, which they import when they are made or saved.

That takes more than a second of every process that trains, and whoever compiles a player's step imports it then.
"""

import inspect
from typing import Any

import torch


def _without_compiler(kind: type[torch.optim.Optimizer]) -> type[Any]:
    """The same class with the methods that lie below what torch puts around them for its compiler."""
    names = ("step", "add_param_group", "zero_grad", "state_dict", "load_state_dict")
    own: dict[str, Any] = {name: inspect.unwrap(getattr(kind, name)) for name in names}
    own["step"] = torch.no_grad()(own["step"])
    return type(kind.__name__, (kind,), own)


Adam = _without_compiler(torch.optim.Adam)
"""Kingma and Ba 2015, https://arxiv.org/abs/1412.6980."""
AdamW = _without_compiler(torch.optim.AdamW)
"""Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101."""
SGD = _without_compiler(torch.optim.SGD)
"""Stochastic gradient descent with momentum."""
