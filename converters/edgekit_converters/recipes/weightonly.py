"""Small stored weights, float arithmetic: MatMulNBits for matrix products, scales for the rest.

A block of 32 weights shares a scale whose sign is that of the largest weight, so that all 16 (or
256) numbers are used, as llama.cpp's Q4_0 does. Products are computed on integers of 8 bits where
the CPU can (accuracy_level 4).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

from edgekit.engines import Array
from edgekit_converters.graph import attribute, constants, reads

BLOCK = 32
ONTO_INT8 = 4
"""accuracy_level of MatMulNBits: activations are quantized to int8 while running."""
MICROSOFT = "com.microsoft"


def to_weight_only(model: ModelProto, nodes: Sequence[str], bits: int) -> ModelProto:
    """Rewrite in place: products of a stored matrix as MatMulNBits, other weights as int8."""
    stored = constants(model.graph)
    chosen = set(nodes)
    rewritten: list[NodeProto] = []
    for node in model.graph.node:
        if node.name not in chosen:
            rewritten.append(node)
        elif _is_product(node, len(stored[node.input[1]].dims)):
            weight = numpy_helper.to_array(stored[node.input[1]])
            rewritten += _product(model, node, weight, bits)
        else:
            rewritten += _dequantized(model, node, numpy_helper.to_array(stored[node.input[1]]))
    del model.graph.node[:]
    model.graph.node.extend(rewritten)
    _drop_unread(model)
    if all(entry.domain != MICROSOFT for entry in model.opset_import):
        model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    return model


def blocks(weight: Array, bits: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Numbers and scales of a matrix (K, N): uint8 (N, blocks, bytes), float32 (N, blocks)."""
    middle = 1 << (bits - 1)
    columns = np.ascontiguousarray(weight.T)
    padded = np.pad(columns, ((0, 0), (0, -columns.shape[1] % BLOCK)))
    cut = padded.reshape(len(columns), -1, BLOCK)
    at = np.abs(cut).argmax(axis=2)[..., None]
    scales = np.take_along_axis(cut, at, axis=2) / -middle
    safe = np.where(scales == 0, 1, scales)
    numbers = np.clip(np.rint(cut / safe) + middle, 0, 2 * middle - 1).astype(np.uint8)
    if bits == 4:
        numbers = numbers[..., ::2] | numbers[..., 1::2] << 4
    return numbers, scales[..., 0].astype(np.float32)


def _is_product(node: NodeProto, rank: int) -> bool:
    if node.op_type == "MatMul":
        return rank == 2
    is_plain = attribute(node, "alpha", 1.0) == 1 and attribute(node, "beta", 1.0) == 1
    return node.op_type == "Gemm" and is_plain and not attribute(node, "transA", 0)


def _product(model: ModelProto, node: NodeProto, weight: Array, bits: int) -> list[NodeProto]:
    """MatMulNBits, and an Add for a Gemm's third input."""
    if node.op_type == "Gemm" and attribute(node, "transB", 0):
        weight = weight.T
    numbers, scales = blocks(weight, bits)
    names = [f"{node.name}/{part}" for part in ("numbers", "scales")]
    arrays: tuple[Array, Array] = (numbers, scales)
    for name, array in zip(names, arrays, strict=True):
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    has_bias = len(node.input) > 2 and bool(node.input[2])
    result = f"{node.output[0]}/product" if has_bias else node.output[0]
    product = helper.make_node(
        "MatMulNBits",
        [node.input[0], *names],
        [result],
        name=node.name,
        domain=MICROSOFT,
        K=weight.shape[0],
        N=weight.shape[1],
        bits=bits,
        block_size=BLOCK,
        accuracy_level=ONTO_INT8,
    )
    if not has_bias:
        return [product]
    add = helper.make_node(
        "Add", [result, node.input[2]], [node.output[0]], name=f"{node.name}/bias"
    )
    return [product, add]


def _dequantized(model: ModelProto, node: NodeProto, weight: Array) -> list[NodeProto]:
    """The node with int8 weights that are made float while running, a scale for each channel."""
    axis = {"Conv": 0, "ConvTranspose": 1}.get(node.op_type, weight.ndim - 1)
    others = tuple(each for each in range(weight.ndim) if each != axis)
    scales = np.abs(weight).max(axis=others) / 127
    scales = np.where(scales == 0, 1, scales).astype(np.float32)
    shape = [-1 if each == axis else 1 for each in range(weight.ndim)]
    numbers = np.rint(weight / scales.reshape(shape)).astype(np.int8)
    names = [f"{node.name}/{part}" for part in ("numbers", "scales", "weight")]
    for name, array in zip(names, (numbers, scales), strict=False):
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    made = helper.make_node(
        "DequantizeLinear", names[:2], names[2:], name=f"{node.name}/dequantize", axis=axis
    )
    node.input[1] = names[2]
    return [made, node]


def _drop_unread(model: ModelProto) -> None:
    read = {name for node in model.graph.node for name in reads(node)}
    read |= {output.name for output in model.graph.output}
    for index in reversed(range(len(model.graph.initializer))):
        if model.graph.initializer[index].name not in read:
            del model.graph.initializer[index]
