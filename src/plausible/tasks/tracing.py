"""A part of a model -> one graph for any number of inputs, as ``torch.export`` makes it."""

import builtins
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram
from torch.fx import GraphModule, Node
from torch.overrides import TorchFunctionMode

from plausible.core.errors import UsageError
from plausible.core.model import Generative, Model
from plausible.data.raw import first_line
from plausible.tasks.export_parts import Exportable, Graph

_EXAMPLES = 5  # inputs that it is traced with: no size that networks have by chance, and not 1, which is always fixed
_LOGGERS = ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")


def traced(model: Model, part: Exportable) -> ExportedProgram:
    """The graph of a part; UsageError where what it does depends on the values of its inputs."""
    generator = torch.Generator().manual_seed(0)
    examples = tuple(each.draw(_EXAMPLES, generator) for each in part.inputs)
    sizes = (tuple({0: Dim("N", min=1)} for _ in examples),)
    graph = Graph(model, part.function).eval()
    with quietly():
        try:
            with (
                _open_sizes(),
                _as_given(model),
                torch.set_grad_enabled(part.gradient),
                _Undirected(),
            ):
                made = torch.export.export(graph, (*examples,), dynamic_shapes=sizes, strict=False)
        except Exception as error:  # of torch's own kinds
            raise UsageError(
                f"the {part.part} of this {model.name} cannot be exported, because it is no fixed graph: {first_line(error)}"
            ) from error
    for node in nodes(made):
        node.meta.pop("stack_trace", None)  # lines of source by their place on this machine
    return made


def nodes(made: ExportedProgram) -> Iterator[Node]:
    """All of a graph, and of the graphs in it."""
    for module in made.graph_module.modules():
        if isinstance(module, GraphModule):
            yield from module.graph.nodes


@contextmanager
def quietly() -> Iterator[None]:
    """Without what exporters print of their own affairs."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.level for logger in loggers]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextmanager
def _open_sizes() -> Iterator[None]:
    """``len`` of a tensor is whatever the batch will be: Python's own makes a number of it, and the graph would be for that many.

    Within plausible alone.
    """
    modules = [
        module for name, module in list(sys.modules.items())
        if name.startswith("plausible.") and module is not None
    ]  # fmt: skip
    try:
        for module in modules:
            vars(module)["len"] = _length
        yield
    finally:
        for module in modules:
            vars(module).pop("len", None)


def _length(of: Any) -> Any:
    return of.shape[0] if isinstance(of, Tensor) else builtins.len(of)


class _Undirected(TorchFunctionMode):
    """``generator=None`` is left out of every call: torch takes no open size beside it."""

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        said = kwargs or {}
        left = {name: value for name, value in said.items() if (name, value) != ("generator", None)}
        return func(*args, **left)


@contextmanager
def _as_given(model: Model) -> Iterator[None]:
    """Labels are taken as they come: a graph cannot look at them to refuse one."""
    if not isinstance(model, Generative):
        yield
        return
    vars(model)["labels"] = lambda n, y=None, generator=None: y
    try:
        yield
    finally:
        vars(model).pop("labels", None)
