"""What is done to a model, as data. A recipe's name says everything and reads back.

as-is                               not touched: .tflite files
fp32                                the clean model: passes only
fp16                                weights and arithmetic in half precision
int8_dynamic_matmul_perchannel      ranges found while running
int8_static_conv+matmul_perchannel  ranges from the calibration split
int8_static_s16_conv_perchannel     activations of 16 bits: u8 where nothing is said, s8, s16
int4_weightonly_matmul              small weights, float arithmetic
…_7bit                              weights of 7 bits, where u8s8 products would saturate
…_mse                               how ranges are cut: minmax where nothing is said
…_equalize_bias                     repairs, in the order they are made
…_keep3.7                           weighted nodes 3 and 7 of the clean model stay float
…_prune25                           a quarter of the multiplications is removed first
…_sparse50, …_sparse2to4               the smallest half of the weights, or two of each four, are 0
…_onnxsim                           made by another engine than onnxruntime's quantizer
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from edgekit.errors import UsageError

Precision: TypeAlias = Literal["as-is", "fp32", "fp16", "int8", "int4"]
Scheme: TypeAlias = Literal["dynamic", "static", "weightonly"]
Activation: TypeAlias = Literal["u8", "s8", "s16"]
Operators: TypeAlias = Literal["all", "conv+matmul", "conv", "matmul", "largeconv", "pointwise"]
Ranging: TypeAlias = Literal["minmax", "percentile", "mse", "entropy"]
Repair: TypeAlias = Literal["equalize", "smooth", "round", "bias"]
Sparsity: TypeAlias = Literal["", "2to4", "50", "75"]
Maker: TypeAlias = Literal["onnxruntime", "onnxsim", "nncf"]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)
OPERATORS: tuple[Operators, ...] = get_args(Operators)
RANGINGS: tuple[Ranging, ...] = get_args(Ranging)
REPAIRS: tuple[Repair, ...] = get_args(Repair)
"""In the order they are made: weights move before they are rounded, biases mend what is left."""
SPARSITIES: tuple[Sparsity, ...] = get_args(Sparsity)
MAKERS: tuple[Maker, ...] = get_args(Maker)
MOST_PRUNED = 95


Rule: TypeAlias = tuple[bool, str, str]
"""Whether it is broken, the problem, the way out."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to make one candidate.

    Attributes:
        precision: what weights and arithmetic become.
        scheme: int8 and int4 only: where activation ranges come from; None otherwise.
        activation: static only: what activations become.
        operators: int8 and int4 only: which operators change; None otherwise.
        per_channel: one scale for each output channel of a weight, instead of one for the tensor.
        seven_bit: weights use 7 of 8 bits, so that sums of two u8·s8 products fit 16 bits.
        ranges: static only: how an activation's range is cut from what calibration saw.
        repairs: changes of the float model that make quantizing it cheaper in accuracy, in order.
        keep: indices of weighted nodes of the clean model, in graph order, that stay float.
        prune: percent of the multiplications that are removed first; 0 for none.
        engine: which library quantizes.
        sparse: fp32 only: which weights become 0, two of each four or a percentage; empty for none.
    """

    precision: Precision
    scheme: Scheme | None = None
    activation: Activation = "u8"
    operators: Operators | None = None
    per_channel: bool = False
    seven_bit: bool = False
    ranges: Ranging = "minmax"
    repairs: tuple[Repair, ...] = ()
    keep: tuple[int, ...] = ()
    prune: int = 0
    engine: Maker = "onnxruntime"
    sparse: Sparsity = ""

    def __post_init__(self) -> None:
        for is_broken, problem, way_out in (*_rules_of_kinds(self), *_rules_of_changes(self)):
            if is_broken:
                raise UsageError(f"recipe {self.name!r}", problem, way_out)

    @property
    def name(self) -> str:
        """The name that `parse` reads back."""
        parts: list[str | None] = [
            self.precision,
            self.scheme,
            None if self.activation == "u8" else self.activation,
            self.operators,
            "perchannel" if self.per_channel else None,
            "7bit" if self.seven_bit else None,
            None if self.ranges == "minmax" else self.ranges,
            *self.repairs,
            f"keep{'.'.join(map(str, self.keep))}" if self.keep else None,
            f"prune{self.prune}" if self.prune else None,
            f"sparse{self.sparse}" if self.sparse else None,
            None if self.engine == "onnxruntime" else self.engine,
        ]
        return "_".join(part for part in parts if part)

    def __str__(self) -> str:
        return self.name


def _rules_of_kinds(recipe: Recipe) -> tuple[Rule, ...]:
    """Which numbers go with which scheme, the plainest first."""
    is_integer = recipe.precision in ("int8", "int4")
    is_static, is_weights = recipe.scheme == "static", recipe.scheme == "weightonly"
    has_ranges = recipe.activation != "u8" or recipe.ranges != "minmax"
    return (
        (
            (recipe.scheme is not None, recipe.operators is not None) != (is_integer, is_integer),
            "int8 and int4 need a scheme and operators, other precisions have neither",
            "set both or none",
        ),
        (
            not is_integer and (recipe.per_channel or recipe.seven_bit or bool(recipe.repairs)),
            "only integer weights have channel scales, fewer bits and repairs",
            "leave them out",
        ),
        (
            recipe.precision == "int4" and not is_weights,
            "int4 is for stored weights only",
            "make it int4_weightonly_matmul",
        ),
        (
            is_weights and recipe.operators not in ("matmul", "all"),
            "weights alone are quantized in matrix products, or in all operators",
            "use matmul or all",
        ),
        (
            is_weights and (recipe.per_channel or recipe.seven_bit),
            "weights alone have a scale for each block of 32 and all their bits",
            "leave perchannel and 7bit out",
        ),
        (has_ranges and not is_static, "only static int8 has activation ranges", "make it static"),
        (
            recipe.engine != "onnxruntime" and not is_static,
            f"{recipe.engine} is asked for static int8 only",
            "make it static, or use onnxruntime",
        ),
    )


def _rules_of_changes(recipe: Recipe) -> tuple[Rule, ...]:
    """What may be repaired, kept and pruned."""
    return (
        (
            recipe.scheme == "dynamic" and "bias" in recipe.repairs,
            "biases are corrected for fixed ranges",
            "make it static",
        ),
        (
            recipe.activation == "s16" and recipe.seven_bit,
            "products with s16 do not saturate",
            "leave 7bit out",
        ),
        (
            recipe.repairs != tuple(each for each in REPAIRS if each in recipe.repairs),
            "repairs are made once each, in a fixed order",
            f"order them as in {', '.join(REPAIRS)}",
        ),
        (
            recipe.keep != tuple(sorted(set(recipe.keep))) or min(recipe.keep, default=0) < 0,
            "kept nodes are indices in rising order, each once",
            "sort them",
        ),
        (
            bool(recipe.keep) and recipe.precision in ("as-is", "fp32"),
            "every node of it stays float",
            "leave keep out",
        ),
        (
            not 0 <= recipe.prune <= MOST_PRUNED,
            f"{recipe.prune} % of the multiplications cannot be removed",
            f"prune 0 to {MOST_PRUNED}",
        ),
        (
            bool(recipe.prune) and recipe.precision == "as-is",
            "a model that is not touched is not pruned",
            "leave prune out",
        ),
        (
            bool(recipe.sparse) and recipe.precision != "fp32",
            "zeros are set among float weights only",
            "make it fp32",
        ),
    )


def parse(name: str) -> Recipe:
    """The recipe that a name stands for: `parse(recipe.name) == recipe`.

    Raises:
        UsageError: no recipe has this name.
    """
    words = name.split("_")
    precision = next((each for each in PRECISIONS if each in words[:1]), None)
    problem = "it is not a recipe's name"
    way_out = "names look like int8_static_conv+matmul_perchannel, int8_dynamic_matmul or fp16"
    if precision is None:
        raise UsageError(f"recipe {name!r}", problem, way_out)
    recipe = Recipe(
        precision=precision,
        scheme=_one_of(SCHEMES, words, None),
        activation=_one_of(ACTIVATIONS, words, "u8"),
        operators=_one_of(OPERATORS, words, None),
        per_channel="perchannel" in words,
        seven_bit="7bit" in words,
        ranges=_one_of(RANGINGS, words, "minmax"),
        repairs=tuple(each for each in REPAIRS if each in words),
        keep=_numbers("keep", words),
        prune=next(iter(_numbers("prune", words)), 0),
        engine=_one_of(MAKERS, words, "onnxruntime"),
        sparse=next((each for each in SPARSITIES if each and f"sparse{each}" in words), ""),
    )
    if recipe.name != name:
        raise UsageError(f"recipe {name!r}", problem, way_out)
    return recipe


def _one_of(known: tuple[Any, ...], words: list[str], default: Any) -> Any:
    return next((each for each in known if each in words), default)


def _numbers(prefix: str, words: list[str]) -> tuple[int, ...]:
    found = next((word.removeprefix(prefix) for word in words if word.startswith(prefix)), "")
    parts = found.split(".")
    are_numbers = all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts)
    return tuple(map(int, parts)) if are_numbers else ()


AS_IS = Recipe(precision="as-is")
FP32 = Recipe(precision="fp32")
