"""Random small graphs of image operators, for properties that must hold on every model."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st
from networks import model_of, stored, value, weights
from onnx import ModelProto, helper

SIZE = 6
WIDTHS = (8, 16, 24)


@dataclass
class Growing:
    """A graph that grows by one operator at a time; tensors are (1, channels, SIZE, SIZE)."""

    rng: np.random.Generator
    nodes: list = field(default_factory=list)
    initializers: list = field(default_factory=list)
    channels: dict = field(default_factory=lambda: {"x": 3})
    made: int = 0

    def store(self, array) -> str:
        name = f"w{len(self.initializers)}"
        self.initializers.append(stored(name, np.asarray(array)))
        return name

    def add(self, operator, inputs, channels, outputs=1, **settings) -> list[str]:
        names = [f"t{self.made + number}" for number in range(outputs)]
        self.made += outputs
        self.nodes.append(helper.make_node(operator, inputs, names, **settings))
        self.channels |= dict.fromkeys(names, channels)
        return names

    def vector(self, count, low=0.5, high=1.5) -> str:
        return self.store(self.rng.uniform(low, high, count).astype(np.float32))

    def conv(self, source, channels, kernel=1, group=1):
        inside = self.channels[source] // group
        weight = self.store(weights(self.rng, channels, inside, kernel, kernel))
        pads = [kernel // 2] * 4
        bias = self.vector(channels, -0.5, 0.5)
        self.add("Conv", [source, weight, bias], channels, pads=pads, group=group)

    def batch_norm(self, source):
        count = self.channels[source]
        inputs = [source, *(self.vector(count) for _ in range(4))]
        self.add("BatchNormalization", inputs, count)

    def gate(self, source):
        """Squeeze and excitation: the mean of each channel scales it."""
        count = self.channels[source]
        (mean,) = self.add("GlobalAveragePool", [source], count)
        weight = self.store(weights(self.rng, count, count, 1, 1))
        (mixed,) = self.add("Conv", [mean, weight], count)
        (gated,) = self.add("HardSigmoid", [mixed], count)
        for name in (mean, mixed, gated):
            del self.channels[name]
        self.add("Mul", [source, gated], count)

    def split_and_swap(self, source):
        half = self.channels[source] // 2
        sizes = self.store(np.array([half, half]))
        left, right = self.add("Split", [source, sizes], half, outputs=2, axis=1)
        self.add("Concat", [right, left], 2 * half, axis=1)

    def shuffle(self, source):
        """Channels of two groups in turn, as ShuffleNet does."""
        count = self.channels[source]
        apart = self.store(np.array([1, 2, count // 2, SIZE, SIZE]))
        back = self.store(np.array([0, count, SIZE, SIZE]))
        (cut,) = self.add("Reshape", [source, apart], count)
        (turned,) = self.add("Transpose", [cut], count, perm=[0, 2, 1, 3, 4])
        del self.channels[cut], self.channels[turned]
        self.add("Reshape", [turned, back], count)

    def finish(self, name, head) -> ModelProto:
        """A head over one tensor: a classifier, a flattened one, or the tensor itself."""
        count = self.channels[name]
        if head == "pixels":
            self.nodes.append(helper.make_node("Identity", [name], ["y"]))
            shape = [1, count, SIZE, SIZE]
        else:
            wide = count * SIZE * SIZE if head == "flat" else count
            (pooled,) = self.add("GlobalAveragePool" if head == "mean" else "Relu", [name], 0)
            (flat,) = self.add("Flatten", [pooled], 0)
            inputs = [flat, self.store(weights(self.rng, wide, 5)), self.vector(5)]
            self.nodes.append(helper.make_node("Gemm", inputs, ["y"]))
            shape = [1, 5]
        x = value("x", [1, 3, SIZE, SIZE])
        return model_of(self.nodes, [x], [value("y", shape)], self.initializers)


OPERATORS = (
    "conv", "conv", "wide", "depthwise", "grouped", "relu", "sigmoid", "norm", "add", "concat",
    "gate", "split", "shuffle", "scale", "pool", "softmax",
)  # fmt: skip


@st.composite
def graphs(draw) -> ModelProto:
    """A graph of up to ten operators, every tensor of which may be read several times."""
    growing = Growing(np.random.default_rng(draw(st.integers(0, 999))))
    growing.conv("x", draw(st.sampled_from(WIDTHS)), 3)
    for operator in draw(st.lists(st.sampled_from(OPERATORS), max_size=9)):
        known = sorted(set(growing.channels) - {"x"})
        source = draw(st.sampled_from(known[-3:]))
        _grow(growing, operator, source, draw)
    name = sorted(growing.channels, key=lambda each: int(each[1:] or -1))[-1]
    return growing.finish(name, draw(st.sampled_from(("mean", "flat", "pixels"))))


def _grow(growing, operator, source, draw):
    count = growing.channels[source]
    alike = sorted(name for name, each in growing.channels.items() if each == count)
    makers = {
        "conv": lambda: growing.conv(source, draw(st.sampled_from(WIDTHS))),
        "wide": lambda: growing.conv(source, draw(st.sampled_from(WIDTHS)), 3),
        "depthwise": lambda: growing.conv(source, count * draw(st.sampled_from((1, 2))), 3, count),
        "grouped": lambda: growing.conv(source, draw(st.sampled_from(WIDTHS)), 1, 4),
        "relu": lambda: growing.add("Relu", [source], count),
        "sigmoid": lambda: growing.add("Sigmoid", [source], count),
        "norm": lambda: growing.batch_norm(source),
        "add": lambda: growing.add("Add", [source, draw(st.sampled_from(alike))], count),
        "concat": lambda: growing.add("Concat", [source, alike[0]], 2 * count, axis=1),
        "gate": lambda: growing.gate(source),
        "split": lambda: growing.split_and_swap(source),
        "shuffle": lambda: growing.shuffle(source),
        "scale": lambda: growing.add(
            "Mul", [source, growing.store(np.full((count, 1, 1), 0.7, np.float32))], count
        ),
        "pool": lambda: growing.add(
            "MaxPool", [source], count, kernel_shape=[3, 3], pads=[1, 1, 1, 1]
        ),
        "softmax": lambda: growing.add("Softmax", [source], count, axis=1),
    }
    is_narrow = count % 4 != 0 and operator in ("grouped", "split", "shuffle")
    makers["relu" if is_narrow else operator]()


def images(count, seed=0) -> list[dict[str, np.ndarray]]:
    """Inputs of such a graph."""
    rng = np.random.default_rng(seed)
    shape = (1, 3, SIZE, SIZE)
    return [{"x": rng.standard_normal(shape).astype(np.float32)} for _ in range(count)]
