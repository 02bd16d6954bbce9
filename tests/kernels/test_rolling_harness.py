"""Rolling statistics with every instruction set against NumPy, window by window, at guard pages."""

import numpy as np
import pytest
from guarded import guarded, guarded_copy
from hypothesis import given, settings
from hypothesis import strategies as st
from references import rolling as reference

from edgekit import kernels

NAMES = ("mean", "variance", "std", "z_score", "slope", "min", "max", "entropy", "ewma")
EDGES = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    4.9e-324,
    -2.2e-308,
    1e-160,
    1e160,
    -1.7e308,
    np.nan,
    np.inf,
    -np.inf,
)


@st.composite
def rolling_settings(draw):
    window = draw(st.one_of(st.integers(2, 20), st.integers(2, 99)))
    least = draw(st.one_of(st.just(window), st.integers(1, window)))
    return kernels.RollingSettings(
        window=window,
        min_samples=least,
        statistics=draw(st.permutations([*NAMES, 0.0, 0.1, 0.5, 0.77, 1.0])),
        nan=draw(st.sampled_from(["propagate", "ignore", "error"])),
        ddof=draw(st.integers(0, 1)) if least > 1 else 0,
        ewma_alpha=draw(st.sampled_from([0.125, 0.9, 1.0])),
        ewma_adjust=draw(st.booleans()),
        bins=draw(st.sampled_from([2, 12])),
        low=-1.5,
        high=1.5,
    )


def noise(random, count):
    return random.normal(size=count)


def with_nan(random, count):
    return np.where(random.random(count) < 0.03, np.nan, noise(random, count))


def with_infinities(random, count):
    ends = random.choice([np.nan, np.inf, -np.inf], count)
    return np.where(random.random(count) < 0.03, ends, noise(random, count))


KINDS = {
    "noise": noise,
    "few values": lambda random, count: np.trunc(3 * noise(random, count)),
    "a ramp": lambda random, count: 1e3 + 0.25 * np.arange(count) + noise(random, count),
    "huge before small": lambda random, count: (
        noise(random, count) * np.where(np.arange(count) % 101 == 7, 1e6, 1e-3)
    ),
    "gaps": with_nan,
    "gaps and infinities": with_infinities,
    "nothing at all": lambda random, count: np.full(count, np.nan),
}
LAYOUTS = {
    "in a row": guarded_copy,
    "at the start of a page": lambda samples: guarded_copy(samples, at_end=False),
    "side by side": lambda samples: guarded_copy(samples.T.copy().T),
    "every other one": lambda samples: guarded_copy(np.repeat(samples, 2, 1))[:, 1::2],
    "backwards": lambda samples: guarded_copy(samples[:, ::-1].copy())[:, ::-1],
}


def rows_everywhere(own, samples, chunk):
    """(series, rows, n), the same bits with every instruction set, at once and in chunks."""
    kernel, (series, count), found = kernels.RollingKernel(own), samples.shape, None
    shape = series, len(own.statistics), count
    for isa in kernels.available_isas():
        whole = guarded(shape, samples.dtype)
        assert kernel(samples, whole, isa=isa)
        found = whole.copy() if found is None else found
        np.testing.assert_array_equal(whole, found, err_msg=isa)
        states = kernel.start(series)
        for at in range(0, count, chunk):
            part = samples[:, at : at + chunk]
            out = guarded((*shape[:2], part.shape[1]), samples.dtype, at_end=at % 2)
            assert kernel(part, out, states=states, isa=isa)
            np.testing.assert_array_equal(out, found[..., at : at + chunk], err_msg=isa)
    return found


@settings(max_examples=80, deadline=None)
@given(
    rolling_settings(), st.sampled_from(list(KINDS)), st.sampled_from(list(LAYOUTS)),
    st.sampled_from([np.float32, np.float64]), st.integers(1, 2), st.integers(0, 150),
    st.integers(1, 90), st.integers(0, 99),
)  # fmt: skip
def test_statistics_are_rounding_away_from_those_of_each_window(
    own, kind, layout, dtype, series, count, chunk, seed
):
    random = np.random.default_rng(seed)
    samples = np.stack([KINDS[kind](random, count) for _ in range(series)]).astype(dtype)
    samples = LAYOUTS[layout](samples)
    if own.nan == "error" and not np.isfinite(samples).all():
        check_refused(own, samples)
        return
    found = rows_everywhere(own, samples, chunk)
    for of_series, one in zip(found, samples, strict=True):
        expected, allowed = reference.rolling(own, one)
        with np.errstate(invalid="ignore"):
            near = (of_series == expected) | (np.abs(of_series - expected) <= allowed)
        near |= np.isnan(of_series) & np.isnan(expected) | np.isinf(allowed)
        wrong = np.argwhere(~near)
        assert not wrong.size, [
            (own.statistics[r], at, of_series[r, at], expected[r, at]) for r, at in wrong[:3]
        ]


def check_refused(own, samples):
    kernel = kernels.RollingKernel(own)
    for isa in kernels.available_isas():
        states = kernel.start(len(samples))
        before, out = (
            states.copy(),
            np.zeros((len(samples), kernel.rows, samples.shape[1]), samples.dtype),
        )
        assert not kernel(samples, out, states=states, isa=isa)
        np.testing.assert_array_equal(states, before)
        assert not out.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=40, deadline=None)
@given(rolling_settings(), st.integers(1, 200), st.integers(1, 40), st.integers(0, 999))
def test_values_at_the_edges_have_exact_extremes_and_no_variance_below_0(
    dtype, own, count, chunk, seed
):
    edges = EDGES if own.nan != "error" else EDGES[:9]
    with np.errstate(over="ignore"):
        samples = np.random.default_rng(seed).choice(edges, (1, count)).astype(dtype)
    if own.nan == "error":
        samples = np.where(np.isfinite(samples), samples, 0).astype(dtype)
    found = dict(
        zip(own.statistics, rows_everywhere(own, guarded_copy(samples), chunk)[0], strict=True)
    )
    assert not (found["variance"] < 0).any()
    for last in range(count):
        values = reference.window_at(samples[0], own, last)
        if not reference.is_missing(values, own):
            assert found["min"][last] == np.nanmin(values)
            assert found["max"][last] == np.nanmax(values)
