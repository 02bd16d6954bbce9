import numpy as np
import pytest
from chains import chain, feeds_for
from edgekit_converters.passes.constant_operands import ConstantOperands
from edgekit_converters.passes.contract import apply_pass


def shape_after(constant, x):
    model = chain(("Mul", ["c"], {}), x=x, weights={"c": constant})
    rewritten, report = apply_pass(ConstantOperands(), model, feeds_for(model))
    return tuple(rewritten.graph.initializer[0].dims), report.outcome


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 1, 1)])
def test_one_number_becomes_a_scalar(shape):
    constant = np.full(shape, 0.3, np.float32)
    assert shape_after(constant, (2, 5, 3)) == ((), "changed")


def test_one_number_that_widens_the_shape_stays():
    assert shape_after(np.ones((1, 1, 1, 1), np.float32), (2, 5, 3))[1] == "unchanged"


def test_a_trailing_one_is_repeated():
    constant = np.arange(5, dtype=np.float32).reshape(1, 5, 1)
    assert shape_after(constant, (2, 5, 3)) == ((1, 5, 3), "changed")


def test_a_long_run_needs_no_repeating():
    constant = np.arange(5, dtype=np.float32).reshape(1, 5, 1)
    assert shape_after(constant, (2, 5, 64))[1] == "unchanged"


def test_an_unknown_size_is_left():
    constant = np.arange(5, dtype=np.float32).reshape(1, 5, 1)
    assert shape_after(constant, (2, 5, "n"))[1] == "unchanged"


def test_an_inner_zero_keeps_its_axes():
    constant = np.arange(6, dtype=np.float32).reshape(2, 1, 3)
    assert shape_after(constant, (2, 5, 3))[1] == "unchanged"
