"""A graph -> the content of a file, and that content run again: ONNX by onnxruntime, pt2 by torch."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.export import ExportedProgram

from plausible.core.errors import UsageError
from plausible.data.raw import first_line
from plausible.tasks.decompositions import DECOMPOSITIONS
from plausible.tasks.export_parts import Exportable
from plausible.tasks.tracing import nodes, quietly

ENDINGS = (".onnx", ".pt2")
FACTS = "plausible.json"
"""Where a .pt2 file has what is said of it."""
_BATCH = "N"
_NEEDED = ("onnx", "onnxscript", "onnxruntime")

Function = Callable[..., Tensor]


class Written(NamedTuple):
    """The content of a file, and what it does when it is read again."""

    content: bytes
    function: Function


def need_packages(ending: str) -> None:
    """UsageError where the packages of a format are not there."""
    if ending != ".onnx":
        return
    for name in _NEEDED:
        try:
            import_module(name)
        except ModuleNotFoundError:
            raise UsageError(
                f"ONNX is written with the package {name}: pip install 'plausible[onnx]', or choose a name ending in .pt2"
            ) from None


def written(
    ending: str, graph: ExportedProgram, part: Exportable, facts: Mapping[str, str]
) -> Written:
    """A graph as a file of a format; UsageError where the format has no word for something in it."""
    with quietly():
        return (_onnx if ending == ".onnx" else _pt2)(graph, part, facts)


def _onnx(graph: ExportedProgram, part: Exportable, facts: Mapping[str, str]) -> Written:
    names = [each.name for each in part.inputs]
    try:
        if any(node.target in DECOMPOSITIONS for node in nodes(graph)):  # all of it is traced again
            graph = graph.run_decompositions(DECOMPOSITIONS)
        program: Any = torch.onnx.export(
            graph, (), dynamo=True, optimize=False, verbose=False, input_names=names, output_names=[part.output]
        )  # fmt: skip
        _fold(program.model)
        proto = program.model_proto
    except Exception as error:  # of the exporter's own kinds
        raise UsageError(
            f"this {part.part} cannot be written as ONNX ({_reason(error)}): choose a name ending in .pt2"
        ) from error
    _name_batch(proto)
    _without_notes(proto)
    for name, said in facts.items():
        proto.metadata_props.add(key=name, value=said)
    content = proto.SerializeToString()
    return Written(content, _in_onnxruntime(content, names))


def _fold(model: Any) -> None:
    """Work out what depends on no input.

    The exporter's own ``optimize`` also tries each of its patterns at each node: that takes as long as all else where there are
    thousands, and it can lose a node that others need.
    """
    optimizer = import_module("onnxscript.optimizer")
    optimizer.inline(model)
    optimizer.fold_constants(model)
    optimizer.remove_unused_nodes(model)


def _reason(error: BaseException) -> str:
    """What stands at the end of the chain of errors, of which the first ones say where to ask for help."""
    while error.__cause__ is not None:
        error = error.__cause__
    return first_line(Exception(str(error).strip() or type(error).__name__))


def _name_batch(proto: Any) -> None:
    """The symbol of the batch by a name that people read."""
    symbol = proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for value in (*proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        for side in value.type.tensor_type.shape.dim:
            if symbol and symbol in side.dim_param:
                side.dim_param = side.dim_param.replace(symbol, _BATCH)


def _without_notes(proto: Any) -> None:
    """No notes of the exporter on single nodes: they quote the source by its place on this machine."""
    graph = proto.graph
    for each in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):  # fmt: skip
        each.ClearField("metadata_props")
        each.ClearField("doc_string")


def _in_onnxruntime(content: bytes, names: Sequence[str]) -> Function:
    runtime: Any = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # errors
    try:
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of onnxruntime's own kinds
        raise UsageError(
            f"what the exporter makes of it is no valid ONNX ({first_line(error)}): choose a name ending in .pt2"
        ) from error

    def answered(*inputs: Tensor) -> Tensor:
        fed = {name: each.numpy() for name, each in zip(names, inputs, strict=True)}
        return torch.from_numpy(session.run(None, fed)[0])

    return answered


def _pt2(graph: ExportedProgram, part: Exportable, facts: Mapping[str, str]) -> Written:
    buffer = io.BytesIO()
    torch.export.save(graph, buffer, extra_files={FACTS: json.dumps(facts, indent=1)})
    content = buffer.getvalue()
    again = torch.export.load(io.BytesIO(content)).module()  # our own, and not that of a stranger
    return Written(content, again)
