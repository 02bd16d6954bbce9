"""What a search tries, cheap first, and why it does not try the rest.

The CPU's features and the model's operators decide which recipes make sense. Each reason is part of
the report: a recipe that is missing without a word looks forgotten.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from onnx import ModelProto

from edgekit_converters.graph import all_graphs, constants
from edgekit_converters.recipes.placement import WEIGHTED
from edgekit_converters.recipes.recipe import Maker, Operators, Recipe
from edgekit_converters.targets import Target

INTEGER = ("ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul", "QuantizeLinear")
"""What only quantized models have."""
LARGE_WEIGHT = 1 << 16
"""Elements of a matrix below which reading it costs little: weight-only formats gain nothing."""


def static(
    operators: Operators, *, per_channel: bool = True, engine: Maker = "onnxruntime"
) -> Recipe:
    """int8 with ranges from the calibration split."""
    return Recipe(
        precision="int8",
        scheme="static",
        operators=operators,
        per_channel=per_channel,
        engine=engine,
    )


def dynamic(operators: Operators, *, per_channel: bool = True) -> Recipe:
    """int8 with ranges found while running; LSTMs are faster with one scale for all of a weight."""
    return Recipe(precision="int8", scheme="dynamic", operators=operators, per_channel=per_channel)


PLAIN: tuple[Recipe, ...] = (
    static("all"),
    static("all", per_channel=False),
    static("conv+matmul"),
    static("conv"),
    static("largeconv"),
    static("pointwise"),
    static("matmul"),
    replace(static("all"), activation="s8"),
    replace(static("conv"), activation="s16"),
    dynamic("matmul"),
    dynamic("all"),
    dynamic("all", per_channel=False),
    Recipe(precision="int8", scheme="weightonly", operators="matmul"),
    Recipe(precision="int4", scheme="weightonly", operators="matmul"),
    Recipe(precision="fp16"),
)
"""What stands for itself, in this order; what is made of them comes later on the ladder."""


@dataclass(frozen=True)
class Facts:
    """What of a model decides which recipes make sense.

    Attributes:
        operators: how often each type occurs, in inner graphs too.
        largest_matrix: elements of the largest stored matrix that a product reads.
        stored_products: matrix products with a stored weight.
    """

    operators: Counter[str]
    largest_matrix: int
    stored_products: int

    @property
    def nothing_to_lower(self) -> str | None:
        """Why no operator can become int8; None where one may."""
        if any(self.operators[each] for each in INTEGER):
            return "the model is int8 already: optimize the float model that it was made from"
        if not any(self.operators[each] for each in WEIGHTED):
            return "the model has no convolution, no matrix product and no LSTM"
        return None

    @property
    def convolutions(self) -> int:
        """How many there are."""
        return self.operators["Conv"] + self.operators["ConvTranspose"]


def facts_of(model: ModelProto) -> Facts:
    """Look at a clean model."""
    operators: Counter[str] = Counter()
    sizes = [0]
    for graph in all_graphs(model.graph):
        stored = constants(graph)
        for node in graph.node:
            operators[node.op_type] += 1
            if node.op_type in ("MatMul", "Gemm") and node.input[1] in stored:
                dims = stored[node.input[1]].dims
                sizes.append(int(dims[0] * dims[-1]) if len(dims) > 1 else 0)
    return Facts(operators, max(sizes), len(sizes) - 1)


def suited(recipe: Recipe, target: Target) -> Recipe:
    """The recipe as this CPU needs it: 7-bit weights where u8·s8 products saturate."""
    is_integer_product = recipe.precision == "int8" and recipe.scheme != "weightonly"
    narrow = is_integer_product and recipe.activation != "s16" and target.saturates
    return replace(recipe, seven_bit=narrow)


def why_not(recipe: Recipe, target: Target, facts: Facts) -> str | None:
    """Why a recipe makes no sense on a CPU or for a model; None where it does."""
    nothing = facts.nothing_to_lower if recipe.scheme is not None else None
    return nothing or _cpu_obstacle(recipe, target) or _model_obstacle(recipe, facts)


def _cpu_obstacle(recipe: Recipe, target: Target) -> str | None:
    if recipe.precision == "fp16" and not target.is_arm:
        return "onnxruntime has no fp16 kernels for x86: every operator would convert to fp32"
    if recipe.precision == "fp16" and not target.has_half:
        return f"{target.name} has no fp16 arithmetic (asimdhp)"
    if recipe.activation == "s16":
        return "onnxruntime has no kernels for 16-bit activations: their Q/DQ pairs stay unfused"
    if recipe.activation == "s8" and not target.is_arm:
        return "on x86 onnxruntime turns s8 activations into u8: it is int8_static_all again"
    if recipe.activation == "s8" and target.has_dot:
        return f"{target.name} has dot products for u8 and s8 alike: it is int8_static_all again"
    return None


def _model_obstacle(recipe: Recipe, facts: Facts) -> str | None:
    is_weightonly = recipe.scheme == "weightonly"
    if recipe.scheme == "dynamic" and recipe.operators == "all" and not facts.operators["LSTM"]:
        return "the model has no LSTM: it is int8_dynamic_matmul again"
    if recipe.operators in ("conv", "largeconv", "pointwise") and not facts.convolutions:
        return "the model has no convolution"
    if recipe.operators == "matmul" and not (facts.operators["MatMul"] + facts.operators["Gemm"]):
        return "the model has no matrix product"
    has_weights = facts.stored_products or (facts.operators["LSTM"] and not is_weightonly)
    if (is_weightonly or recipe.scheme == "dynamic") and not has_weights:
        return "the model has no matrix product with a stored weight"
    if is_weightonly and facts.largest_matrix < LARGE_WEIGHT:
        return (
            f"its largest matrix has {facts.largest_matrix} weights: reading them costs too "
            "little to gain by fewer bits"
        )
    return None


def plain(target: Target, facts: Facts) -> Iterator[tuple[Recipe, str | None]]:
    """The first rung: each recipe as the target needs it, with the reason not to try it."""
    for recipe in PLAIN:
        yield suited(recipe, target), why_not(recipe, target, facts)


def repaired(recipe: Recipe) -> Iterator[Recipe]:
    """The same arithmetic made with more care: other ranges, other weights."""
    if recipe.scheme == "static":
        yield replace(recipe, ranges="mse")
        yield replace(recipe, ranges="mse", repairs=("bias",))
        yield replace(recipe, ranges="percentile")
        yield replace(recipe, repairs=("equalize", "bias"))
        yield replace(recipe, ranges="mse", repairs=("round", "bias"))
    if recipe.scheme == "dynamic":
        yield replace(recipe, repairs=("equalize",))
    if recipe.operators in ("matmul", "conv+matmul", "all") and recipe.scheme != "weightonly":
        yield replace(recipe, repairs=("smooth",))
