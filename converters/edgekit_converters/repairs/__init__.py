"""Changes of the float model after which int8 loses less. One file each; a table of real imports.

`equalize` and `smooth` keep the function; that is checked on real feeds, and calibration is done
again. `round` and `bias` mend what a recipe's own rounding does, so they are made for its plan.
"""

from edgekit_converters.repairs.bias import correct_biases
from edgekit_converters.repairs.equalize import equalize
from edgekit_converters.repairs.rounding import choose_rounding
from edgekit_converters.repairs.smooth import smooth

__all__ = ["choose_rounding", "correct_biases", "equalize", "smooth"]
