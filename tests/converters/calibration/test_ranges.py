"""Ranges cut from histograms, compared with exact computations on all values."""

import numpy as np
import pytest
from edgekit_converters.calibration.calibrate import Range
from edgekit_converters.calibration.histogram import Tally
from edgekit_converters.calibration.ranges import OUTSIDE, cut, least_divergent
from edgekit_converters.recipes.recipe import RANGINGS

RNG = np.random.default_rng(7)
NORMAL = RNG.standard_normal(100_000)
DATA = {
    "normal": NORMAL,
    "relu": np.maximum(NORMAL, 0),
    "relu6": np.clip(NORMAL * 4, 0, 6),
    "laplace": RNG.laplace(size=100_000),
    "skewed": RNG.gamma(0.5, size=100_000) - 0.1,
    "outliers": np.append(NORMAL, [90.0, -30.0]),
    "negative": -np.abs(NORMAL) - 1,
    "few": NORMAL[:40] * 1e-5,
}


def histogram_of(values):
    tally = Tally()
    tally.add("t", values.astype(np.float32))
    return tally.histogram()


def squared_error(values, low, high, levels=255):
    step = (high - low) / levels
    return ((np.rint(np.clip(values, low, high) / step) * step - values) ** 2).mean()


@pytest.mark.parametrize("name", DATA)
def test_minmax_is_everything(name):
    values = DATA[name].astype(np.float32)
    found = cut(histogram_of(values), "minmax")
    assert found == Range(min(0.0, values.min()), max(0.0, values.max()))


@pytest.mark.parametrize("name", DATA)
def test_percentile_leaves_out_what_it_says(name):
    values = DATA[name]
    found = cut(histogram_of(values), "percentile")
    exact = np.quantile(values, [OUTSIDE, 1 - OUTSIDE], method="inverted_cdf")
    assert found.low == pytest.approx(min(exact[0], 0.0), rel=1 / 64, abs=1e-9)
    assert found.high == pytest.approx(max(exact[1], 0.0), rel=1 / 64, abs=1e-9)


@pytest.mark.parametrize("levels", [255, 15])
@pytest.mark.parametrize("name", DATA)
def test_mse_is_near_the_best_of_all_pairs_of_sides(name, levels):
    """The best of 48 x 48 pairs, each tried on the values themselves."""
    values = DATA[name]
    sides = np.geomspace(1.0, 1 / 64, 48)
    lows = np.unique(sides * min(values.min(), 0))
    highs = np.unique(sides * max(values.max(), 0))
    best = min(
        squared_error(values, low, high, levels) for low in lows for high in highs if low < high
    )
    found = cut(histogram_of(values), "mse", levels)
    assert squared_error(values, found.low, found.high, levels) < best * 1.12
    whole = squared_error(values, min(values.min(), 0), max(values.max(), 0), levels)
    assert squared_error(values, found.low, found.high, levels) < whole * 1.03


@pytest.mark.parametrize("name", [name for name in DATA if name != "few"])
def test_entropy_is_that_of_an_exact_histogram(name):
    """Where the 2048 bins are counted from the values themselves."""
    values = DATA[name]
    reach = np.abs(values).max()
    exact, _ = np.histogram(np.abs(values), bins=2048, range=(0, reach))
    exact = exact.astype(np.float64)
    exact[0] = exact[1]
    limit = reach * least_divergent(exact) / 2048
    found = cut(histogram_of(values), "entropy")
    assert max(-found.low, found.high) == pytest.approx(limit, rel=0.1)


def test_outliers_are_cut_by_every_method_but_minmax():
    found = {each: cut(histogram_of(DATA["outliers"]), each) for each in RANGINGS}
    assert found["minmax"].high == 90
    assert found["percentile"].high < 5
    assert found["mse"].high < 89
    assert found["entropy"].high < 89


def test_a_constant_and_an_infinite_tensor_have_a_range_and_no_crash():
    for each in RANGINGS:
        assert cut(histogram_of(np.zeros(5)), each) == Range(0.0, 0.0)
        assert cut(histogram_of(np.full(5, 2.0)), each).high == pytest.approx(2.0, rel=0.05)
        assert not cut(histogram_of(np.array([1.0, np.inf])), each).is_usable
