"""Classes ruled out early: a few draws for all of them, more for those that may still be the most probable one."""

import torch
from torch import Generator, Tensor

from plausible.core.draws import Draws, shared_draws
from plausible.core.model import Explicit
from plausible.recognition.class_likelihoods import ClassLikelihoods

_FIRST = 4  # draws of all classes
_BEYOND = 4.0  # standard errors behind the best, and a class is out


def sequential_likelihoods(
    model: Explicit,
    x: Tensor,
    log_prior: Tensor,
    draws: int,
    generator: Generator | None = None,
    *,
    beyond: float = _BEYOND,
    to_the_end: bool = True,
) -> ClassLikelihoods:
    """log p(x | y) as a mean over draws that all classes share, of fewer draws for classes that are out.

    After 4, 8, 16, ... draws a class is out that is so many standard errors ``beyond`` the best one by the same draws;
    an error that comes out small by chance is taken for the mean of those of the other classes.  Of a class that is out
    what counts is its difference to the class that was best then.

    to_the_end  also the last class that is left takes all draws, which log p(x) needs and the order of classes does not.
    Source: Li et al. 2023 (diffusion classifier), https://arxiv.org/abs/2303.16203, where numbers of classes are fixed.
    """
    n, classes = len(x), len(log_prior)
    race = _Race(n, log_prior.to(model.offset.device))
    while draws > 0:
        size = min(max(_FIRST, race.drawn), draws)
        size += draws - size == 1  # a stage of one draw has no error
        rows, y = race.asked(to_the_end).nonzero().T  # (P,) each
        if not len(rows):
            break
        said = shared_draws(model, x, rows, y, samples=size, generator=generator)
        assert said is not None
        block = said.values.new_full((size, n, classes), torch.nan).double()
        block[:, rows, y] = said.values.double()
        race.take(block, said)
        race.drop(beyond)
        draws -= size
    return race.likelihoods()


class _Race:
    """N inputs and the classes that may still be the most probable of each.

    blocks  what each stage drew, (k, N, classes), NaN where nobody asked.
    alive   (N, classes).
    out     (reference, difference, error) of classes that are out, (N, classes) each, and the stage at which, 0 for none.
    """

    def __init__(self, n: int, log_prior: Tensor):
        shape, device = (n, len(log_prior)), log_prior.device
        self.log_prior = log_prior
        self.blocks: list[tuple[Tensor, Draws]] = []
        self.alive = torch.ones(shape, dtype=torch.bool, device=device)
        self.stage = torch.zeros(shape, dtype=torch.long, device=device)
        self.reference = torch.zeros(shape, dtype=torch.long, device=device)
        self.behind = torch.zeros(shape, dtype=torch.float64, device=device)
        self.error = torch.zeros(shape, dtype=torch.float64, device=device)

    @property
    def drawn(self) -> int:
        """How many draws there were."""
        return sum(len(block) for block, _ in self.blocks)

    def asked(self, to_the_end: bool) -> Tensor:
        """Which pairs need more draws, (N, classes)."""
        open_ = self.alive.sum(1, keepdim=True) > 1
        return self.alive if to_the_end else self.alive & open_

    def take(self, block: Tensor, said: Draws) -> None:
        """Keep what a stage drew."""
        self.blocks.append((block, said))

    def mean(self, against: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Means over draws, (N, classes), and their errors; ``against``: of differences to these classes, (N,)."""
        total = count = squares = torch.zeros_like(self.error)
        for block, said in self.blocks:
            if against is not None:
                place = against.view(1, -1, 1).expand(len(block), -1, -1)
                block = block - block.gather(2, place)
            there = ~block[0].isnan()
            total = total + block.nansum(0)
            count = count + len(block) * there
            squares = squares + (len(block) * said.error_of(block)).square().where(there, 0.0)
        return total / count, squares.sqrt() / count

    def drop(self, beyond: float) -> None:
        """Take out the classes that are too far behind."""
        joint = (self.mean()[0] + self.log_prior).where(self.alive, -torch.inf)
        best = joint.argmax(1)  # (N,)
        difference, error = self.mean(best)
        others = self.alive.scatter(1, best[:, None], False)
        usual = error.square().where(others, 0.0).sum(1, keepdim=True) / others.sum(1, keepdim=True)
        safe = torch.maximum(error, usual.sqrt())  # NaN of a single draw drops nothing
        gone = others & (joint - joint.gather(1, best[:, None]) < -beyond * safe)
        self.alive &= ~gone
        self.stage.masked_fill_(gone, len(self.blocks))
        self.reference = torch.where(gone, best[:, None], self.reference)
        self.behind = torch.where(gone, difference, self.behind)
        self.error = torch.where(gone, error, self.error)

    def likelihoods(self) -> ClassLikelihoods:
        """Everything: classes that are out by their difference to what beat them, last ones first."""
        nats, stderr = self.mean()
        best = (nats + self.log_prior).where(self.alive, -torch.inf).argmax(1)
        paired = self.mean(best)[1].scatter(1, best[:, None], 0.0)
        for stage in range(len(self.blocks), 0, -1):
            gone = self.stage == stage
            nats = torch.where(gone, nats.gather(1, self.reference) + self.behind, nats)
            paired = torch.where(gone, paired.gather(1, self.reference) + self.error, paired)
            stderr = torch.where(gone, stderr.gather(1, self.reference) + self.error, stderr)
        _, said = self.blocks[0]
        evaluations = sum(int((~block.isnan()).sum()) for block, _ in self.blocks)
        known = self.drawn > 1
        return ClassLikelihoods(
            nats, said.kind, said.reference,
            stderr if known else None, paired if known else None, None, evaluations,
        )  # fmt: skip
