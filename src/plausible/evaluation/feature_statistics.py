"""Mean and covariance of features in a file, as programs for the Frechet distance keep them: mu and sigma in a .npz."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from plausible.core.errors import NotDefined, UsageError, one_line
from plausible.core.space import Space
from plausible.data.readers.numpy_files import read_arrays
from plausible.evaluation.features import Features
from plausible.evaluation.metrics.distances import trace_of_root

_NAMED = 3  # arrays of another file
_PROBES = 4  # points whose features say which extractor it was
_APART = 1e-3  # of their size, by which two machines may differ


@dataclass(frozen=True, eq=False)
class FeatureStatistics:
    """The Gaussian that a Frechet distance compares.

    mu, sigma  mean (d,) and unbiased covariance (d, d) of features, float64.
    count      of how many points; None where the file does not say.
    features   what they are called; "" where the file does not say.
    probe      the features of ``probe_points``, (4, d), by which they are known again; None of other programs.
    """

    mu: Tensor
    sigma: Tensor
    count: int | None = None
    features: str = ""
    probe: Tensor | None = None

    @classmethod
    def of(cls, rows: Tensor, features: str = "", probe: Tensor | None = None) -> Self:
        """Those of features (n, d).  ``NotDefined`` for fewer than 2 rows or values that are not finite."""
        if len(rows) < 2:
            raise NotDefined(f"a covariance needs at least 2 rows, not {len(rows)}")
        if not rows.isfinite().all():
            raise NotDefined("a covariance needs finite features, and some are NaN or infinite")
        rows = rows.double()
        return cls(rows.mean(0), rows.T.cov().reshape(rows.shape[1], -1), len(rows), features, probe)  # fmt: skip

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Those of a .npz file with mu and sigma, of this program or another.  UsageError: it is none."""
        arrays = read_arrays(Path(path))
        if not isinstance(arrays, dict) or not {"mu", "sigma"} <= arrays.keys():
            holds = ", ".join([*arrays][:_NAMED]) if isinstance(arrays, dict) else "one array"
            raise UsageError(
                f"{path} holds no statistics of features, which are mu and sigma in a .npz file, but {holds or 'nothing'}"
            )
        mu, sigma = arrays["mu"], arrays["sigma"]
        numbers = mu.dtype.kind in "fiu" and sigma.dtype.kind in "fiu"
        if not numbers or mu.ndim != 1 or sigma.shape != (len(mu), len(mu)) or not len(mu):
            raise UsageError(
                f"{path}: mu must be d numbers and sigma d x d, and they are {mu.dtype} of shape {mu.shape} and {sigma.dtype} "
                f"of shape {sigma.shape}"
            )
        mu, sigma = mu.astype(np.float64), sigma.astype(np.float64)
        if not (np.isfinite(mu).all() and np.isfinite(sigma).all()):
            raise UsageError(f"{path}: mu and sigma must be finite, and some numbers are not")
        if np.abs(sigma - sigma.T).max() > 1e-6 * max(np.abs(sigma).max(), 1e-300):
            raise UsageError(f"{path}: sigma is no covariance, because it is not symmetric")
        probe, count, name = (arrays.get(key) for key in ("probe", "count", "features"))
        known = probe is not None and probe.dtype.kind == "f" and probe.shape == (_PROBES, len(mu))
        return cls(
            torch.from_numpy(mu),
            torch.from_numpy(sigma),
            int(count) if count is not None and count.size == 1 and count.dtype.kind in "iu" else None,
            one_line(str(name)) if name is not None and name.dtype.kind == "U" and name.size == 1 else "",
            torch.from_numpy(probe.astype(np.float64)) if known and probe is not None else None,
        )  # fmt: skip

    def packed(self) -> bytes:
        """As the content of a .npz file, in which other programs find mu and sigma, too."""
        arrays: dict[str, Any] = {"mu": self.mu.numpy(), "sigma": self.sigma.numpy(), "features": np.array(self.features)}  # fmt: skip
        if self.count is not None:
            arrays["count"] = np.array(self.count)
        if self.probe is not None:
            arrays["probe"] = self.probe.double().numpy()
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()

    def check_same_features(self, other: "FeatureStatistics", where: str | Path) -> None:
        """UsageError: those of the file ``other`` are not these features, by their number or by what they say of the probe.

        Of a file that has no probe, of another program, the number is all that can be compared.
        """
        ours, theirs = len(self.mu), len(other.mu)
        said = f" ({other.features})" if other.features else ""
        expected = f"expected are the {ours:,} of this evaluation ({self.features})"
        if ours != theirs:
            raise UsageError(f"{where} holds statistics of {theirs:,} features{said}: {expected}")
        if self.probe is None or other.probe is None:
            return
        apart = (self.probe - other.probe).abs().max()
        if apart > _APART * max(float(self.probe.abs().max()), 1e-12):
            raise UsageError(
                f"{where} holds statistics of other features{said} of the same number: {expected}, which a classifier, principal "
                "components and scales take from the training part"
            )

    def frechet(self, other: "FeatureStatistics") -> float:
        """|m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)).

        Source: Dowson and Landau 1982; Heusel et al. 2017, https://arxiv.org/abs/1706.08500.
        """
        cross = trace_of_root(self.sigma, other.sigma)
        traces = self.sigma.trace() + other.sigma.trace() - 2 * cross
        return max(((self.mu - other.mu).square().sum() + traces).item(), 0.0)


def probe_points(space: Space) -> Tensor:
    """Four points that are always the same, (4, *shape): uniform on the levels, or in [0, 1]."""
    generator = torch.Generator().manual_seed(0)
    return space.quantise(torch.rand(_PROBES, *space.shape, generator=generator))


@torch.no_grad()
def probed(extract: Features, space: Space) -> Tensor:
    """What an extractor says of them, (4, d) float64."""
    return extract(probe_points(space)).double().cpu().reshape(_PROBES, -1)
