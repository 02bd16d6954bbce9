"""What is done to a model, as data. A recipe's name says everything and reads back.

as-is                               not touched: .tflite files
fp32                                the clean model: passes only
fp16                                weights and arithmetic in half precision
int8_dynamic_matmul_perchannel      ranges found while running
int8_static_conv+matmul_perchannel  ranges from the calibration split
…_7bit                              weights of 7 bits, where u8s8 products would saturate
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from edgekit.errors import UsageError

Precision: TypeAlias = Literal["as-is", "fp32", "fp16", "int8"]
Scheme: TypeAlias = Literal["dynamic", "static"]
Operators: TypeAlias = Literal["all", "conv+matmul", "conv", "matmul"]

PRECISIONS: tuple[Precision, ...] = ("as-is", "fp32", "fp16", "int8")
SCHEMES: tuple[Scheme, ...] = ("dynamic", "static")
OPERATORS: tuple[Operators, ...] = ("all", "conv+matmul", "conv", "matmul")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to make one candidate.

    Attributes:
        precision: what weights and arithmetic become.
        scheme: int8 only: where activation ranges come from; None otherwise.
        operators: int8 only: which operators become int8; None otherwise.
        per_channel: one scale for each output channel of a weight, instead of one for the tensor.
        seven_bit: weights use 7 of 8 bits, so that sums of two u8·s8 products fit 16 bits.
    """

    precision: Precision
    scheme: Scheme | None = None
    operators: Operators | None = None
    per_channel: bool = False
    seven_bit: bool = False

    def __post_init__(self) -> None:
        is_int8 = self.precision == "int8"
        if (self.scheme is not None, self.operators is not None) != (is_int8, is_int8):
            problem = "int8 needs a scheme and operators, other precisions have neither"
            raise UsageError(f"recipe {self!r}", problem, "set both or none")
        if not is_int8 and (self.per_channel or self.seven_bit):
            problem = "only int8 weights have channel scales and fewer bits"
            raise UsageError(f"recipe {self!r}", problem, "leave both out")

    @property
    def name(self) -> str:
        """The name that `parse` reads back."""
        parts: list[str | None] = [self.precision, self.scheme, self.operators]
        parts += ["perchannel" if self.per_channel else None, "7bit" if self.seven_bit else None]
        return "_".join(part for part in parts if part)

    def __str__(self) -> str:
        return self.name


def parse(name: str) -> Recipe:
    """The recipe that a name stands for: `parse(recipe.name) == recipe`.

    Raises:
        UsageError: no recipe has this name.
    """
    words = name.split("_")
    precision = next((each for each in PRECISIONS if each in words[:1]), None)
    scheme = next((each for each in SCHEMES if each in words), None)
    operators = next((each for each in OPERATORS if each in words), None)
    problem = "it is not a recipe's name"
    way_out = f"names look like {', '.join(recipe.name for recipe in RECIPES[:3])}"
    if precision is None:
        raise UsageError(f"recipe {name!r}", problem, way_out)
    recipe = Recipe(
        precision=precision,
        scheme=scheme,
        operators=operators,
        per_channel="perchannel" in words,
        seven_bit="7bit" in words,
    )
    if recipe.name != name:
        raise UsageError(f"recipe {name!r}", problem, way_out)
    return recipe


def _static(operators: Operators, *, per_channel: bool = True) -> Recipe:
    return Recipe(precision="int8", scheme="static", operators=operators, per_channel=per_channel)


def _dynamic(operators: Operators) -> Recipe:
    return Recipe(precision="int8", scheme="dynamic", operators=operators, per_channel=True)


AS_IS = Recipe(precision="as-is")
FP32 = Recipe(precision="fp32")

RECIPES: tuple[Recipe, ...] = (
    _static("all"),
    _static("all", per_channel=False),
    _static("conv+matmul"),
    _static("conv"),
    _static("matmul"),
    _dynamic("matmul"),
    _dynamic("all"),
    Recipe(precision="fp16"),
)
"""What a search tries, in this order; the clean fp32 model is always there to compare with."""
