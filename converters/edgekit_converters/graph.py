"""Questions about an ONNX graph that passes, calibration and quantization all ask."""

from collections.abc import Iterator
from typing import Any

import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto

DEFAULT_DOMAIN = ("", "ai.onnx")


def opset(model: ModelProto) -> int:
    """The version of the default operator set, 0 where the model imports none."""
    versions = [entry.version for entry in model.opset_import if entry.domain in DEFAULT_DOMAIN]
    return max(versions, default=0)


def subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    """The bodies of an If, Loop or Scan."""
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def all_graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """The graph and every graph inside it, outermost first."""
    yield graph
    for node in graph.node:
        for inner in subgraphs(node):
            yield from all_graphs(inner)


def all_tensors(graph: GraphProto) -> Iterator[TensorProto]:
    """Every stored tensor: initializers and attributes, in inner graphs too."""
    for each in all_graphs(graph):
        yield from each.initializer
        for sparse in each.sparse_initializer:
            yield sparse.values
            yield sparse.indices
        for node in each.node:
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.TENSOR:
                    yield attribute.t
                yield from attribute.tensors


def reads(node: NodeProto) -> Iterator[str]:
    """Every tensor a node reads, those that its inner graphs take from outside included."""
    yield from filter(None, node.input)
    for inner in subgraphs(node):
        for each in inner.node:
            yield from reads(each)
        yield from (output.name for output in inner.output)


def constants(graph: GraphProto) -> dict[str, TensorProto]:
    """Stored tensors by name: initializers and outputs of Constant nodes."""
    found = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.domain in DEFAULT_DOMAIN:
            for attribute in node.attribute:
                if attribute.name == "value":
                    found[node.output[0]] = attribute.t
    return found


def float_tensors(model: ModelProto) -> frozenset[str]:
    """Names of the float32 tensors that flow through the main graph, constants left out.

    A tensor whose type shape inference does not find is left out too. What an optimizer removed
    may still stand in the graph's value infos; it does not flow.
    """
    inferred: Any = onnx.shape_inference.infer_shapes(model)
    graph = inferred.graph
    flowing = {info.name for info in graph.input}
    flowing |= {name for node in graph.node for name in node.output}
    flowing -= constants(graph).keys()
    return frozenset(
        info.name
        for info in (*graph.input, *graph.value_info, *graph.output)
        if info.type.tensor_type.elem_type == TensorProto.FLOAT and info.name in flowing
    )


def attribute(node: NodeProto, name: str, default: Any = None) -> Any:
    """The value of a node's attribute."""
    found = next((each for each in node.attribute if each.name == name), None)
    return default if found is None else onnx.helper.get_attribute_value(found)


def copy_of(model: ModelProto) -> ModelProto:
    """A copy that can be rewritten."""
    copied = ModelProto()
    copied.CopyFrom(model)
    return copied


def copy_of_node(node: NodeProto) -> NodeProto:
    """A copy of a node that can be rewritten."""
    copied = NodeProto()
    copied.CopyFrom(node)
    return copied
