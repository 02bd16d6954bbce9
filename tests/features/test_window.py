import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.errors import InputError, UsageError
from edgekit.features import Bins, Ewma, RollingStats, build

NAMES = ("mean", "variance", "std", "z_score", "slope", "min", "max", "entropy", "ewma")
ALL = {"statistics": (*NAMES, 0.0, 0.25, 0.5, 1.0), "ewma": Ewma(0.1), "bins": Bins(8, -2.0, 2.0)}
DENORMAL = Fraction(5e-324)
noise = np.random.default_rng(5).normal(size=3_000)


def rows_of(stats, result):
    return dict(zip(stats.names, result, strict=True))


def with_gaps(samples, share=0.05, seed=1):
    holes = np.random.default_rng(seed).random(samples.size) < share
    return np.where(holes, np.nan, samples).astype(samples.dtype)


WINDOWS = (2, 7, 8, 60, 64, 65, 1_000)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_statistics_are_those_of_pandas(window, dtype):
    pandas = pytest.importorskip("pandas")
    samples, stats = noise.astype(dtype), RollingStats(window, **ALL)
    found = rows_of(stats, stats(samples))
    series = pandas.Series(samples.astype(np.float64))
    rolling = series.rolling(window)
    std = rolling.std(ddof=0)
    expected = {
        "mean": rolling.mean(),
        "variance": rolling.var(ddof=0),
        "std": std,
        "z_score": (series - rolling.mean()) / std,
        "min": rolling.min(),
        "max": rolling.max(),
        "ewma": series.ewm(alpha=0.1).mean(),
        "quantile 0.25": rolling.quantile(0.25),
        "quantile 0.5": rolling.median(),
    }
    tolerance = 1e-9 if dtype == np.float64 else 3e-6  # pandas' running sums; float32's rounding
    for name, values in expected.items():
        np.testing.assert_allclose(
            found[name], values, rtol=tolerance, atol=tolerance, err_msg=name
        )


def test_statistics_are_those_of_bottleneck():
    bottleneck = pytest.importorskip("bottleneck")
    stats = RollingStats(60, ("mean", "std", "min", "max", 0.5))
    names = ("move_mean", "move_std", "move_min", "move_max", "move_median")
    expected = [getattr(bottleneck, name)(noise, 60) for name in names]
    np.testing.assert_allclose(stats(noise), expected, rtol=1e-9, atol=1e-11)


def window_formulas(window):
    """Slope and entropy of each whole window, by NumPy's own means."""
    at = np.arange(window)
    views = np.lib.stride_tricks.sliding_window_view(noise, window)
    slopes = np.polyfit(at, views.T, 1)[0]
    entropies = []
    for view in np.clip(views, -2, np.nextafter(2, 0)):
        share = np.histogram(view, 8, (-2, 2))[0] / window
        entropies.append(-sum(p * np.log(p) for p in share if p))
    return slopes, entropies


@pytest.mark.parametrize("window", [2, 9, 64])
def test_slope_and_entropy_are_those_of_polyfit_and_histogram(window):
    stats = RollingStats(window, ("slope", "entropy"), bins=ALL["bins"])
    found = stats(noise)[:, window - 1 :]
    for row, expected in zip(found, window_formulas(window), strict=True):
        np.testing.assert_allclose(row, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("window", [3, 16, 100])
def test_gaps_are_ignored_as_pandas_ignores_them(window):
    pandas = pytest.importorskip("pandas")
    samples, least = with_gaps(noise), window // 2
    samples[:7] = np.nan
    stats = RollingStats(window, **ALL, min_samples=least, nan="ignore", ddof=1)
    found, series = rows_of(stats, stats(samples)), pandas.Series(samples)
    rolling = series.rolling(window, min_periods=least)
    for name, values in {
        "mean": rolling.mean(),
        "variance": rolling.var(),
        "min": rolling.min(),
        "max": rolling.max(),
        "ewma": series.ewm(alpha=0.1).mean(),
        "quantile 0.5": rolling.median(),
    }.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-9, atol=1e-9, err_msg=name)


def test_one_nan_propagates_to_the_windows_it_lies_in_and_no_further():
    samples = noise[:500].copy()
    samples[200] = np.nan
    stats = RollingStats(50, **ALL)
    found, clean = rows_of(stats, stats(samples)), rows_of(stats, stats(noise[:500]))
    assert np.isnan(found.pop("ewma")[200:]).all()
    for name, row in found.items():
        assert np.isnan(row[200:250]).all(), name
        whole = np.r_[49:200, 250:500]
        np.testing.assert_allclose(row[whole], clean[name][whole], rtol=1e-12, atol=1e-12)


def test_an_infinity_spoils_sums_and_is_the_largest_value():
    samples = noise[:300].copy()
    samples[100] = np.inf
    stats = RollingStats(20, ("mean", "slope", "max", "min", 0.5))
    mean, slope, highest, lowest, median = stats(samples)
    assert np.isnan(mean[100:120]).all()
    assert np.isnan(slope[100:120]).all()
    assert np.isfinite(mean[120:]).all()
    assert np.isinf(highest[100:120]).all()
    assert np.isfinite(lowest[19:]).all()
    assert np.isfinite(median[19:]).all()


def exact_moments(window):
    values = [Fraction(float(x)) for x in window]
    mean = sum(values) / len(values)
    return mean, sum((v - mean) ** 2 for v in values) / len(values)


HUGE_THEN_SMALL = {
    "one huge value, then small ones": [1e15, *np.linspace(0.001, 0.002, 60)],
    "huge in the middle": [*noise[:20], -3e12, *noise[20:60]],
    "huge around a gap": [*noise[:23], 1e14, *[np.nan] * 9, *(noise[:40] * 1e-3)],
    "far from zero": list(1e9 + noise[:80]),
    "all the same": [0.1] * 50,
    "denormal": list(noise[:50] * 1e-310),
}


@pytest.mark.parametrize("name", HUGE_THEN_SMALL)
@pytest.mark.parametrize("window", [4, 16, 25])
def test_what_has_left_the_window_leaves_no_trace(name, window):
    samples = np.array(HUGE_THEN_SMALL[name])
    stats = RollingStats(window, ("mean", "variance"), min_samples=2, nan="ignore")
    means, variances = stats(samples)
    for i in range(window, samples.size):
        values = samples[i - window + 1 : i + 1]
        values = values[~np.isnan(values)]
        if values.size < 2:
            assert np.isnan(means[i])
            continue
        mean, variance = exact_moments(values)
        largest = np.abs(values).max()
        rounding = 4 * Fraction(2.0**-52) * Fraction(largest) + DENORMAL
        assert abs(Fraction(float(means[i])) - mean) <= rounding
        assert variances[i] >= 0
        # At most (n + 1) n roundings of a sum that holds the variance; in fact a few.
        allowed = variance * Fraction(window * 2.0**-50) + DENORMAL
        assert abs(Fraction(float(variances[i])) - variance) <= allowed


def test_a_million_samples_do_not_drift():
    samples = np.tile(np.array([1e8, -1e8, 3.0, 0.25, -7.5]), 200_000)
    mean, variance = RollingStats(5, ("mean", "variance"))(samples)
    expected = exact_moments(samples[:5])
    np.testing.assert_allclose(mean[4:], float(expected[0]), rtol=0, atol=1e8 * 2**-50)
    np.testing.assert_allclose(variance[4:], float(expected[1]), rtol=1e-15)


@given(
    st.integers(2, 90),
    st.lists(st.integers(0, 200), min_size=1, max_size=12),
    st.sampled_from(["propagate", "ignore"]),
    st.sampled_from([np.float32, np.float64]),
)
def test_any_chunking_gives_the_same_bits(window, chunks, nan, dtype):
    samples = with_gaps(noise[: sum(chunks)].astype(dtype), 0.01 if window % 2 else 0.0)
    stats = RollingStats(window, **ALL, min_samples=max(1, window // 3), nan=nan)
    whole = stats(samples)
    stream = stats.stream()
    parts = [stream.push(part) for part in np.split(samples, np.cumsum(chunks)[:-1])]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_long_windows_give_the_same_bits_in_chunks():
    stats = RollingStats(5_000, ("mean", "std", "min", 0.5))
    samples = np.random.default_rng(2).normal(size=12_000)
    stream = stats.stream()
    parts = [stream.push(samples[i : i + 700]) for i in range(0, samples.size, 700)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), stats(samples))


def test_series_side_by_side_are_those_alone_in_any_layout():
    samples = noise.reshape(6, 500)
    stats = RollingStats(30, **ALL)
    expected = np.stack([stats(row) for row in samples])
    np.testing.assert_array_equal(stats(samples), expected)
    np.testing.assert_array_equal(stats(np.asfortranarray(samples)), expected)
    np.testing.assert_array_equal(stats(samples[::-1, ::-1])[0], stats(samples[5, ::-1].copy()))
    stream = stats.stream(series=6)
    parts = [stream.push(samples[:, :123]), stream.push(samples[:, 123:])]
    np.testing.assert_array_equal(np.concatenate(parts, axis=2), expected)


def test_results_go_where_the_caller_says():
    stats = RollingStats(10, ("mean", "max"))
    out = np.empty((2, 100))
    assert stats(noise[:100], out=out) is out
    np.testing.assert_array_equal(out, stats(noise[:100]))
    stream = stats.stream()
    assert stream.push(noise[:100], out=out) is out
    stream.reset()
    np.testing.assert_array_equal(stream.push(noise[:100]), out)


def test_no_samples_give_no_columns():
    assert RollingStats(10)(np.empty(0, np.float32)).shape == (4, 0)
    assert RollingStats(10).stream().push(noise[:0]).shape == (4, 0)


def test_the_first_sample_of_an_unadjusted_ewma_is_itself():
    stats = RollingStats(2, ("ewma",), ewma=Ewma(0.25, adjust=False))
    expected, mean = [], noise[0]
    for sample in noise[:200]:
        mean += 0.25 * (sample - mean)
        expected.append(mean)
    np.testing.assert_allclose(stats(noise[:200])[0], expected, rtol=1e-12, atol=1e-14)


def test_an_unadjusted_ewma_weighs_by_age_across_gaps_where_pandas_forgets_them():
    samples = noise[:60].copy()
    samples[[0, 1, 20, 21, 40]] = np.nan
    found = RollingStats(2, ("ewma",), nan="ignore", ewma=Ewma(0.25, adjust=False))(samples)[0]
    first = 2
    assert np.isnan(found[:first]).all()
    for last in range(first, 60):
        weights = 0.75 ** np.arange(last - first, -1.0, -1.0)
        weights[0] /= 0.25
        weights[np.isnan(samples[first : last + 1])] = 0
        expected = np.average(np.nan_to_num(samples[first : last + 1]), weights=weights)
        assert found[last] == pytest.approx(expected, rel=1e-12, abs=1e-14)
    pandas = pytest.importorskip("pandas")
    theirs = pandas.Series(samples).ewm(alpha=0.25, adjust=False).mean().to_numpy()
    np.testing.assert_allclose(found[:23], theirs[:23], rtol=1e-12, atol=1e-14)
    assert abs(found[23] - theirs[23]) > 1e-3


def test_a_refused_sample_leaves_a_stream_as_it_was():
    stats = RollingStats(4, ("mean",), nan="error")
    stream = stats.stream()
    first = stream.push(noise[:6])
    with pytest.raises(InputError, match="sample 2 of series 0 is nan, expected finite"):
        stream.push(np.array([1.0, 2.0, np.nan]))
    both = np.concatenate([first, stream.push(noise[6:20])], axis=1)
    np.testing.assert_array_equal(both, stats(noise[:20]))


def test_the_spec_builds_the_same_features_and_survives_pickling():
    stats = RollingStats(12, **ALL)
    for other in (build(stats.spec), pickle.loads(pickle.dumps(stats))):
        assert other == stats
        np.testing.assert_array_equal(other(noise[:99]), stats(noise[:99]))


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        ([1.0, 2.0], "got list, expected a NumPy array of float32 or float64"),
        (np.zeros(4, np.int16), r"got int16 with shape \(4,\)"),
        (np.zeros(4, ">f8"), r"got >f8 with shape \(4,\)"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\).*one row per series"),
    ],
)
def test_samples_that_are_no_series_are_refused_by_name(samples, problem):
    with pytest.raises(InputError, match=problem):
        RollingStats(4)(samples)


def test_results_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"got float32 with shape \(4, 9\), expected float64"):
        RollingStats(4)(noise[:10], out=np.empty((4, 9), np.float32))
    with pytest.raises(InputError, match=r"got shape \(10,\), expected \(2, n\)"):
        RollingStats(4).stream(series=2).push(noise[:10])


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"window": 1}, "window=1; use 2 to 100000"),
        ({"window": 100_001}, "window=100001"),
        ({"min_samples": 5}, "min_samples=5; use 1 to 4"),
        ({"nan": "drop"}, "nan='drop'"),
        ({"ddof": 2}, "ddof=2"),
        ({"statistics": ("mode",)}, r"statistics=\('mode',\); use each once of mean, variance"),
        ({"statistics": ("min", "min")}, "use each once"),
        ({"statistics": (1.5,)}, "use at most 16 of 0 to 1"),
        ({"statistics": ()}, "no statistics; name one"),
        ({"statistics": ("ewma",)}, "ewma=None; use Ewma"),
        ({"statistics": ("ewma",), "ewma": Ewma(1.5)}, "alpha above 0, at most 1"),
        ({"statistics": ("entropy",)}, "bins=None for the entropy"),
        ({"statistics": ("entropy",), "bins": Bins(4, 1.0, 1.0)}, "use low < high"),
        ({"statistics": ("entropy",), "bins": Bins(4, 0.0, float("inf"))}, "finite edges"),
    ],
)
def test_numbers_that_do_not_go_together_are_refused(settings, problem):
    with pytest.raises(UsageError, match=problem):
        RollingStats(**{"window": 4, **settings})
    with pytest.raises(UsageError, match="series=0"):
        RollingStats(4).stream(series=0)
