"""What a model says about probability: nats that know their relation to the truth."""

import math
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

from plausible.core import notebook

_SHOWN = 8  # entries in a notebook


class Kind(StrEnum):
    """How the true number relates to the reported one; ``sign`` is how people read it."""

    EXACT = "="
    LOWER = ">="
    UPPER = "<="
    ESTIMATE = "~"

    @property
    def sign(self) -> str:
        """=, ≥, ≤ or ≈, read as: the truth is ... the number."""
        return {"=": "=", ">=": "≥", "<=": "≤", "~": "≈"}[self.value]

    def __neg__(self) -> "Kind":
        return {Kind.LOWER: Kind.UPPER, Kind.UPPER: Kind.LOWER}.get(self, self)

    def combined(self, other: "Kind") -> "Kind":
        """The kind of a sum: exact changes nothing, equal kinds stay, anything else bounds nothing."""
        if self is Kind.EXACT or self is other:
            return other
        return self if other is Kind.EXACT else Kind.ESTIMATE


class Reference(StrEnum):
    """With respect to what a probability is stated."""

    MASS = "mass"  # of the counting measure: discrete data, log p <= 0
    DENSITY = "density"  # of the Lebesgue measure: continuous data


@dataclass(frozen=True)
class LogProb:
    """log p(x) in nats, (N,), with its kind, its reference measure and its error.

    stderr  (N,) standard error of each entry, independent between entries; None if there is none.
    shared  standard error common to all entries (an estimated log Z, say): averaging over entries
            does not reduce it.
    Adding a tensor (a log prior) keeps the kind; adding log-probabilities combines kinds; the
    difference of two bounds bounds nothing and becomes ``≈``.  A mass and a density never meet:
    combining them raises ValueError.
    """

    nats: Tensor
    kind: Kind = Kind.EXACT
    reference: Reference = Reference.MASS
    stderr: Tensor | None = None
    shared: float = 0.0

    def __repr__(self) -> str:
        nats, error = self.nats, self.error
        if len(nats) == 1:
            return f"LogProb {self.entry(0)} nats ({self.reference})"
        of = f"of {len(nats):,} inputs ({self.reference})"
        if not len(nats):
            return f"LogProb {of}"
        mean = f"mean {self.kind.sign} {nats.double().mean().item():,.2f}"
        low, high = (float(end) for end in nats.aminmax())
        each = "" if error is None else f", each ± {error.double().mean().item():.2g}"
        return f"LogProb {of}, nats: {mean}, from {low:,.2f} to {high:,.2f}{each}"

    def _repr_html_(self) -> str:
        rows = [[self.entry(k)] for k in range(min(len(self.nats), _SHOWN))]
        more = notebook.line("...") * (len(self.nats) > _SHOWN)
        return notebook.line(repr(self)) + notebook.table(["log p(x), nats"], rows) + more

    def entry(self, k: int) -> str:
        """Number k with its sign and error: "≥ -123.45 ± 0.2"."""
        error = self.error
        spread = "" if error is None else f" ± {error[k].item():.2g}"
        return f"{self.kind.sign} {self.nats[k].item():,.2f}{spread}"

    def __add__(self, other: "LogProb | Tensor | float") -> "LogProb":
        if not isinstance(other, LogProb):
            return LogProb(self.nats + other, self.kind, self.reference, self.stderr, self.shared)
        if self.reference is not other.reference:
            raise ValueError(f"a {self.reference} and a {other.reference} cannot be added")
        stderr = _hypot(self.stderr, other.stderr)
        shared = math.hypot(self.shared, other.shared)
        kind = self.kind.combined(other.kind)
        return LogProb(self.nats + other.nats, kind, self.reference, stderr, shared)

    def __neg__(self) -> "LogProb":
        return LogProb(-self.nats, -self.kind, self.reference, self.stderr, self.shared)

    def __sub__(self, other: "LogProb | Tensor | float") -> "LogProb":
        return self + (-other)

    def __getitem__(self, rows: slice) -> "LogProb":
        stderr = None if self.stderr is None else self.stderr[rows]
        return LogProb(self.nats[rows], self.kind, self.reference, stderr, self.shared)

    @property
    def error(self) -> Tensor | None:
        """Standard error of each entry by itself, its own part and the shared one, (N,); None if none."""
        if self.stderr is None:
            return torch.full_like(self.nats, self.shared) if self.shared else None
        return torch.hypot(self.stderr, torch.full_like(self.stderr, self.shared))

    def mean(self) -> "LogProb":
        """The average over entries, (1,), with the standard error of that average.

        The error combines the spread over entries (which data were drawn) with the Monte Carlo
        error of each entry and the shared error: sqrt((var + mean stderr^2) / n + shared^2).
        """
        n = len(self.nats)
        nats = self.nats.double()
        spread = nats.var().item() if n > 1 else 0.0
        monte_carlo = 0.0 if self.stderr is None else self.stderr.double().square().mean().item()
        error = math.sqrt((spread + monte_carlo) / n + self.shared**2)
        return LogProb(nats.mean()[None], self.kind, self.reference, torch.tensor([error]))

    def bits_per_dim(self, dims: int) -> Tensor:
        """-log p / (D ln 2), (N,): the code length of one coordinate in bits."""
        return -self.nats / (dims * math.log(2))

    @staticmethod
    def cat(parts: "list[LogProb]") -> "LogProb":
        """The entries of all parts one after another, on the CPU; the shared error is the largest."""
        first, kind = parts[0], parts[0].kind
        for part in parts[1:]:
            if part.reference is not first.reference:
                raise ValueError(f"a {first.reference} and a {part.reference} are not one list")
            kind = kind.combined(part.kind)
        errors = [p.nats.new_zeros(len(p.nats)) if p.stderr is None else p.stderr for p in parts]
        unknown = all(part.stderr is None for part in parts)
        return LogProb(
            torch.cat([part.nats for part in parts]).cpu(),
            kind,
            first.reference,
            None if unknown else torch.cat(errors).cpu(),
            max(part.shared for part in parts),
        )

    @staticmethod
    def logsumexp(parts: "list[LogProb]") -> "LogProb":
        """log sum_k exp(parts_k), entry by entry: a mixture, the kind kept.

        The error is the first-order one: each part's weighted with its responsibility.
        """
        first = parts[0]
        kind = first.kind
        for part in parts[1:]:
            if part.reference is not first.reference:
                raise ValueError(f"a {first.reference} and a {part.reference} cannot be mixed")
            kind = kind.combined(part.kind)
        nats = torch.stack([part.nats for part in parts])  # (K, N)
        total = nats.logsumexp(0)  # (N,)
        stderr = None
        if any(part.stderr is not None for part in parts):
            errors = torch.stack(
                [torch.zeros_like(total) if p.stderr is None else p.stderr for p in parts]
            )
            stderr = ((nats - total).exp() * errors).square().sum(0).sqrt()  # (K, N) -> (N,)
        shared = max(part.shared for part in parts)
        return LogProb(total, kind, first.reference, stderr, shared)


def _hypot(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    if a is None or b is None:
        return a if b is None else b
    return torch.hypot(a, b)
