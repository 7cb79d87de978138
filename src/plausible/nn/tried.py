"""A network that somebody gave, tried once on zeros: what it makes, or why it cannot."""

import torch
from torch import Tensor, nn

from plausible.core.errors import UsageError

TRIED = 2
"""The number of inputs by which a network is tried."""


def output_shape(network: nn.Module, name: str, *inputs: Tensor | None) -> tuple[int, ...]:
    """The shape of what a network makes of these inputs, in evaluation mode; None among them is left out.

    UsageError, by its name, where it cannot take them.
    """
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            made = network(*(given for given in inputs if given is not None))
            return tuple(made.shape)
    except (RuntimeError, TypeError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"the {name} cannot take its input: {reason}") from error
    finally:
        network.train(was_training)


def written(shape: tuple[int, ...]) -> str:
    """A shape as people write it, N for the number of inputs.

    >>> written((TRIED, 1, 8, 8)), written((1, 8, 8))
    ('(N, 1, 8, 8)', '(1, 8, 8)')
    """
    first, *rest = shape or ("",)
    return f"({', '.join(map(str, ['N' if first == TRIED else first, *rest]))})"


def tried_labels(conditional: bool) -> Tensor | None:
    """Labels (TRIED,) of the first class, or None."""
    return torch.zeros(TRIED, dtype=torch.long) if conditional else None
