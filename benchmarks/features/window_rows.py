"""Rolling statistics beside bottleneck, numbagg and polars."""

from functools import partial
from types import ModuleType

import bottleneck
import numbagg
import numpy as np
import polars
from audio_rows import nearness
from comparison import Job, Row

COUNT = 100_000
ALPHA = 0.1


def series() -> np.ndarray:
    """A slow drift with noise."""
    random = np.random.default_rng(5)
    return np.cumsum(random.normal(size=COUNT)) * 0.01 + random.normal(size=COUNT)


def row(name: str, peer: str, window: int, goals, wanted: tuple, theirs) -> Row:
    """`wanted` are the statistics; `theirs` gives a tuple of rows."""
    samples = series()

    def make(features: ModuleType) -> Job:
        ewma = features.Ewma(ALPHA, adjust=True)
        return partial(features.RollingStats(window, wanted, ewma=ewma), samples)

    def check(features: ModuleType) -> str:
        found, expected = make(features)(), np.stack([np.asarray(r) for r in theirs(samples)])
        return nearness(found[:, window:], expected[:, window:], 1e-9)

    return Row(
        name, peer, "sample", COUNT, goals, make, {peer: lambda: theirs(samples)}, check,
    )  # fmt: skip


def extremes(window: int) -> Row:
    def theirs(x):
        return bottleneck.move_min(x, window), bottleneck.move_max(x, window)

    goals = {"avx512": 4.0, "avx2": 3.0}
    name = f"rolling min+max, w = {window}"
    return row(name, "bottleneck", window, goals, ("min", "max"), theirs)


def moments(window: int) -> Row:
    def theirs(x):
        mean, std = bottleneck.move_mean(x, window), bottleneck.move_std(x, window)
        return mean, std, (x - mean) / std, numbagg.move_exp_nanmean(x, alpha=ALPHA)

    wanted = ("mean", "std", "z_score", "ewma")
    goals = {"avx512": 1.8, "avx2": 1.5}
    name = f"rolling mean+std+z+EWMA, w = {window}"
    return row(name, "bottleneck + numbagg", window, goals, wanted, theirs)


def median_beside_bottleneck(window: int) -> Row:
    def theirs(x):
        return (bottleneck.move_median(x, window),)

    goals = {"avx512": 3.5, "avx2": 3.0}
    return row(f"rolling quantile, w = {window}", "bottleneck", window, goals, (0.5,), theirs)


def quantile_beside_polars(window: int) -> Row:
    def theirs(x):
        rolled = polars.Series(x).rolling_quantile(0.5, "linear", window_size=window)
        return (rolled.to_numpy(),)

    goals = {"avx512": 1.2, "avx2": 1.0}
    return row(f"rolling quantile, w = {window}", "polars", window, goals, (0.5,), theirs)


def rows() -> list[Row]:
    return [
        extremes(60), extremes(1000), moments(60), moments(1000),
        median_beside_bottleneck(15), median_beside_bottleneck(64), quantile_beside_polars(1000),
    ]  # fmt: skip
