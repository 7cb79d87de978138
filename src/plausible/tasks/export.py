"""A part of a trained model for programs without plausible: a file of ONNX or of torch, compared with the model before it is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from plausible.core.choices import ExportPart, Which
from plausible.core.errors import UsageError
from plausible.core.model import Model
from plausible.tasks.export_facts import facts_of
from plausible.tasks.export_formats import ENDINGS, Function, need_packages, written
from plausible.tasks.export_parts import Exportable, exportable
from plausible.tasks.sample import sampled_by
from plausible.tasks.save import save_bytes
from plausible.tasks.tracing import traced
from plausible.tasks.trained import TrainedLike, open_trained

TOLERANCE = 1e-5
"""Of the largest number that comes out, by which a file may differ from its model."""
_TRIED = (1, 3)  # how many inputs at once
_ROUNDED = 1e-3  # of the coordinates drawn on levels, which rounding may put on the next one


@dataclass(frozen=True)
class Exported:
    """What was written.

    difference  the largest one that was found to the model, as a share of the largest number that comes out.
    other       the share of coordinates that were drawn on another level, as rounding may have it.
    facts       {key: text} that the file says of itself.
    """

    path: Path
    part: ExportPart
    inputs: Mapping[str, str]
    output: str
    says: str
    difference: float
    other: float
    facts: Mapping[str, str]
    size: int

    @property
    def sentence(self) -> str:
        """What is in the file, and how well it is what the model is."""
        other = f", {self.other:.2%} of the coordinates on another level" if self.other else ""
        return (
            f"{self.path} is the {self.part}: {', '.join(self.inputs)} to {self.output}, {self.says}; "
            f"it differs from the model by {self.difference:.1e} at most{other}"
        )

    def __repr__(self) -> str:
        return f"Exported {self.sentence}"


def export(
    source: TrainedLike,
    to: str | Path,
    part: ExportPart | None = None,
    *,
    label: str | int | None = None,
    sampling_steps: int | None = None,
    weights: Which = "best",
) -> Exported:
    """Write a part of a trained model to a file, .onnx (any runtime) or .pt2 (torch), for any number of inputs at once.

    part            generator (z to x), decoder (z to E[x | z]), encoder (x to z), classifier (x to log p(y | x)) or log-prob
                    (x to log p(x)); by default the first of them that the model has.
    label           a class by name or number that a conditional model is asked for, where y is no input then.
    sampling_steps  of a diffusion model, whose way from noise to data is unrolled.
    Inputs and outputs are in the units of the data; what they are is said in the metadata of the file.  It is read again and
    compared with the model first, and only then written.
    Raises UsageError: another ending, a part that the model has not, one that is no fixed graph or no longer the same.
    """
    path = Path(to)
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(
            f"{to} must end in one of {' '.join(ENDINGS)}: ONNX, or a program of torch"
        )
    need_packages(ending)
    trained = open_trained(source, device="cpu", weights=weights)
    model, asked = trained.model, trained.label(label)
    if asked is not None and not model.conditional:
        raise UsageError(f"{trained.described}, which takes no label: leave it out")
    with sampled_by(model, sampling_steps, None, None), model.evaluating():
        chosen = exportable(model, part, asked)
        facts = facts_of(trained, chosen, asked)
        made = written(ending, traced(model, chosen), chosen, facts)
        difference, other = _compared(model, chosen, made.function, path)
    save_bytes(path, made.content)
    inputs = {each.name: each.says for each in chosen.inputs}
    return Exported(
        path, chosen.part, inputs, chosen.output, chosen.says, difference, other, facts, len(made.content)
    )  # fmt: skip


@torch.no_grad()
def _compared(
    model: Model, part: Exportable, function: Function, path: Path
) -> tuple[float, float]:
    """The largest difference of what a file and the model say, and the share on another level; UsageError where it is too large."""
    generator = torch.Generator().manual_seed(1)
    worst, moved, count = 0.0, 0, 0
    for n in _TRIED:
        inputs = [each.draw(n, generator) for each in part.inputs]
        wanted, found = part.function(*inputs), function(*inputs)
        if found.shape != wanted.shape:
            raise UsageError(f"{path} was not written: {_odd(wanted, found)}")
        same = found == wanted  # also where both are infinite
        apart = (found.double() - wanted.double()).abs().masked_fill(same, 0.0)
        elsewhere = _on_another_level(model, part, wanted, apart)
        moved, count = moved + int(elsewhere.sum()), count + apart.numel()
        largest = wanted.abs().nan_to_num(0.0, 0.0).max().double().clamp(min=1e-30)
        worst = max(
            worst, float((apart.masked_fill(elsewhere, 0.0) / largest).nan_to_num(1.0).max())
        )
    if not worst <= TOLERANCE or moved > _ROUNDED * count:
        raise UsageError(
            f"{path} was not written, because it differs from the model by {worst:.1e} of its largest number, and "
            f"{TOLERANCE:.0e} is allowed: {'.onnx' if path.suffix == '.pt2' else '.pt2'} may do"
        )
    return worst, moved / count


def _on_another_level(model: Model, part: Exportable, wanted: Tensor, apart: Tensor) -> Tensor:
    """Where a draw on levels, or of whole numbers, has come to lie on another: at the edge of two, rounding decides."""
    space, moved = model.space, torch.zeros_like(apart, dtype=torch.bool)
    if not part.draws:
        return moved
    if space.whole:
        whole = list(space.whole)
        moved[..., whole] = apart[..., whole] > 0.5
    if space.levels and torch.equal(space.quantise(wanted), wanted):
        moved = apart > 0.5 / (space.levels - 1)
    return moved


def _odd(wanted: Tensor, found: Tensor) -> str:
    return f"it makes numbers of shape {tuple(found.shape)}, and the model of {tuple(wanted.shape)}"
