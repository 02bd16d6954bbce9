"""Rounded copies of a model's layers beside the layers themselves, in one graph."""

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgekit.engines import Array
from edgekit_converters.calibration.calibrate import Range, Ranges
from edgekit_converters.graph import constants, copy_of, copy_of_node
from edgekit_converters.recipes.grid import Weights, grid_of
from edgekit_converters.recipes.placement import WEIGHTED
from edgekit_converters.recipes.recipe import Recipe


def weighted(model: ModelProto) -> list[NodeProto]:
    """The nodes that `Recipe.keep` counts."""
    return [node for node in model.graph.node if node.op_type in WEIGHTED]


class Copies:
    """A graph with rounded copies of its layers and the squares of their errors as outputs."""

    KINDS = ("own", "weights", "activations")

    def __init__(self, model: ModelProto, ranges: Ranges, recipe: Recipe) -> None:
        self.weights = {
            name: numpy_helper.to_array(tensor).astype(np.float32)
            for name, tensor in constants(model.graph).items()
            if tensor.data_type == TensorProto.FLOAT
        }
        self._ranges, self._recipe = ranges, recipe
        self._rounded: dict[str, str] = {}
        self.model = copy_of(model)
        del self.model.graph.output[:]
        self.layers: dict[str, list[str]] = {}
        for node in weighted(model):
            if node.op_type != "LSTM" and self._can_copy(node):
                self._add(node)

    def _can_copy(self, node: NodeProto) -> bool:
        inputs = [name for name in node.input[:2] if name not in self.weights]
        return bool(inputs) and all(
            name in self._ranges and self._ranges[name].is_usable for name in inputs
        )

    def _add(self, node: NodeProto) -> None:
        weight = node.input[1] in self.weights
        kinds = self.KINDS if weight else ("own", "activations")
        self.layers[node.name] = list(kinds)
        self._square(node.output[0], f"{node.name}/signal")
        for kind in kinds:
            copied = copy_of_node(node)
            copied.name = copied.output[0] = f"{node.name}/{kind}"
            if kind != "weights":
                for place in (0, 1):
                    if node.input[place] not in self.weights:
                        copied.input[place] = self._fake_quantized(node.input[place])
            if weight and kind != "activations":
                copied.input[1] = self._stored(
                    f"{node.name}/weight/rounded", self._round(node, self.weights[node.input[1]])
                )
            error = f"{node.name}/{kind}/error"
            self._append("Sub", [copied.output[0], node.output[0]], error, copied)
            self._square(error, f"{node.name}/{kind}/noise")

    def _round(self, node: NodeProto, weight: Weights) -> Weights:
        return grid_of(node, weight, self._recipe).rounded(weight)

    def _append(self, operator: str, inputs: list[str], output: str, *before: NodeProto) -> None:
        self.model.graph.node.extend(before)
        self.model.graph.node.append(helper.make_node(operator, inputs, [output], name=output))

    def _square(self, tensor: str, name: str) -> None:
        square = helper.make_node("ReduceSumSquare", [tensor], [name], name=name, keepdims=0)
        self.model.graph.node.append(square)
        self.model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, []))

    def _stored(self, name: str, array: Array) -> str:
        if all(tensor.name != name for tensor in self.model.graph.initializer):
            self.model.graph.initializer.append(numpy_helper.from_array(array, name))
        return name

    def _fake_quantized(self, tensor: str) -> str:
        """Rounded to 8 bits by the runtime; 16 bits are as good as float."""
        if tensor not in self._rounded:
            if self._recipe.activation == "s16":
                return tensor
            step, zero = scale_of(self._ranges[tensor])
            inputs = [
                tensor,
                self._stored(f"{tensor}/step", np.array(step, np.float32)),
                self._stored(f"{tensor}/zero", np.array(zero, np.uint8)),
            ]
            self._append("QuantizeLinear", inputs, f"{tensor}/input/numbers")
            inputs[0] = f"{tensor}/input/numbers"
            self._append("DequantizeLinear", inputs, f"{tensor}/input/rounded")
            self._rounded[tensor] = f"{tensor}/input/rounded"
        return self._rounded[tensor]


def scale_of(found: Range) -> tuple[float, int]:
    """Step and zero point of u8 for a range."""
    low, high = min(found.low, 0.0), max(found.high, 0.0)
    step = max((high - low) / 255, float(np.finfo(np.float32).tiny))
    return step, round(-low / step)
