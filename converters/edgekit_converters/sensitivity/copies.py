"""Rounded copies of a model's layers beside the layers themselves, in one graph."""

from collections.abc import Mapping

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgekit.engines import Array
from edgekit_converters.calibration.calibrate import Range, Ranges
from edgekit_converters.graph import constants, copy_of, copy_of_node
from edgekit_converters.recipes.grid import Weights, grid_of
from edgekit_converters.recipes.placement import WEIGHTED
from edgekit_converters.recipes.recipe import Recipe

LSTM_WEIGHTS = (1, 2)
"""Inputs of an LSTM: for its input, and for its hidden state."""
LSTM_GRID = (8, 9, 10, 11)
"""Inputs of a DynamicQuantizeLSTM: scale and zero point of each."""


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
        self._dynamic: set[str] = set()
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
            if kind != "weights":
                for place in (0, 1):
                    if node.input[place] not in self.weights:
                        copied.input[place] = self._fake_quantized(node.input[place])
            if weight and kind != "activations":
                copied.input[1] = self._stored(
                    f"{node.name}/weight/rounded", self._round(node, self.weights[node.input[1]])
                )
            self._subtract(node, kind, copied, 0)

    def add_recurrent(
        self, node: NodeProto, twin: NodeProto, stored: Mapping[str, TensorProto]
    ) -> None:
        """Copies of an LSTM: the candidate's own, and two that round its weights or its input.

        Args:
            node: of the clean model.
            twin: the candidate's DynamicQuantizeLSTM, which rounds its hidden state too.
            stored: tensors of the candidate.
        """
        place = next(number for number, name in enumerate(node.output) if name)
        self.layers[node.name] = list(self.KINDS)
        self._square(node.output[place], f"{node.name}/signal")
        own, weights, activations = copy_of_node(twin), copy_of_node(node), copy_of_node(node)
        for at in (*LSTM_WEIGHTS, *LSTM_GRID):
            if twin.input[at]:
                array = numpy_helper.to_array(stored[twin.input[at]])
                own.input[at] = self._stored(f"{node.name}/own/input{at}", array)
        for at, steps, zeros in zip(LSTM_WEIGHTS, LSTM_GRID[::2], LSTM_GRID[1::2], strict=True):
            parts = [numpy_helper.to_array(stored[twin.input[i]]) for i in (at, steps, zeros)]
            numbers, step, zero = (part.astype(np.float32) for part in parts)
            shape = (len(numbers), 1, -1)  # a scale for each direction, or for its channels
            rounded = (numbers - zero.reshape(shape)) * step.reshape(shape)
            found = np.ascontiguousarray(rounded.transpose(0, 2, 1), np.float32)
            weights.input[at] = self._stored(f"{node.name}/weights/input{at}", found)
        activations.input[0] = self._dynamically_quantized(node.input[0])
        for kind, copied in zip(self.KINDS, (own, weights, activations), strict=True):
            self._subtract(node, kind, copied, place)

    def _subtract(self, node: NodeProto, kind: str, copied: NodeProto, place: int) -> None:
        """Add a copy and the square of its error in one output."""
        copied.name = f"{node.name}/{kind}"
        for number, name in enumerate(copied.output):
            copied.output[number] = f"{copied.name}/{number}" if name else ""
        error = f"{node.name}/{kind}/error"
        self._append("Sub", [copied.output[place], node.output[place]], error, copied)
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

    def _dynamically_quantized(self, tensor: str) -> str:
        """Rounded to 8 bits of the range that it has in each call."""
        parts = [f"{tensor}/dynamic/{what}" for what in ("numbers", "step", "zero")]
        rounded = f"{tensor}/dynamic/rounded"
        if tensor not in self._dynamic:
            self._dynamic.add(tensor)
            node = helper.make_node("DynamicQuantizeLinear", [tensor], parts, name=parts[0])
            self._append("DequantizeLinear", parts, rounded, node)
        return rounded


def scale_of(found: Range) -> tuple[float, int]:
    """Step and zero point of u8 for a range."""
    low, high = min(found.low, 0.0), max(found.high, 0.0)
    step = max((high - low) / 255, float(np.finfo(np.float32).tiny))
    return step, round(-low / step)
