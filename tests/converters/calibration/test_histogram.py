import numpy as np
import pytest
from edgekit_converters.calibration.histogram import Tally
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgekit.errors import ModelError

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


def histogram_of(*parts):
    tally = Tally()
    for part in parts:
        tally.add("t", part)
    return tally.histogram()


@given(arrays(np.float32, st.integers(1, 50), elements=floats))
def test_every_value_is_in_a_bin_that_is_narrow_and_holds_it(values):
    found = histogram_of(values)
    assert found.total == len(values)
    assert (found.low, found.high) == (values.min(), values.max())
    assert (np.diff(found.centres) >= 0).all()
    tiny = np.finfo(np.float32).tiny
    for value in values:
        holds = (found.lows <= value) & (value <= found.highs)
        assert holds.any() or abs(value) < tiny
    largest = np.maximum(np.abs(found.lows), np.abs(found.highs))
    assert (found.highs - found.lows <= largest / 128 + tiny).all()


def test_parts_of_any_size_add_up_to_the_whole():
    values = np.random.default_rng(0).laplace(size=300_000).astype(np.float32)
    whole = histogram_of(values.reshape(3, 1000, 100))
    parts = histogram_of(*np.split(values, [1, 100, 5000, 5000, 200_000]))
    assert np.array_equal(whole.counts, parts.counts)
    assert np.array_equal(whole.lows, parts.lows)


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.3, 0.5, 0.99, 0.9999, 1.0])
def test_quantiles_are_those_of_the_values_to_a_bins_width(share):
    values = (np.random.default_rng(1).standard_normal(100_000) ** 3).astype(np.float32)
    exact = np.quantile(values, share)
    assert histogram_of(values).quantile(share) == pytest.approx(exact, rel=1 / 64, abs=1e-6)


def test_nan_names_the_tensor():
    with pytest.raises(ModelError, match="tensor 'here'"):
        Tally().add("here", np.array([1.0, np.nan], np.float32))


def test_infinity_is_seen():
    found = histogram_of(np.array([-np.inf, 0.0, 1.0, np.inf], np.float32))
    assert (found.low, found.high, found.total) == (-np.inf, np.inf, 4)
