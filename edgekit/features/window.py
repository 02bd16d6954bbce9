"""Rolling statistics of time series."""

import math
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import InputError, UsageError
from edgekit.kernels import RollingKernel, RollingSettings
from edgekit.manifest import Bins, Ewma, RollingStatistic, RollingStatsSpec

MAX_WINDOW = 100_000
MAX_QUANTILES = 16
MAX_BINS = 4_096
STATISTICS: tuple[RollingStatistic, ...] = (
    "mean", "variance", "std", "z_score", "slope", "min", "max", "entropy", "ewma",
)  # fmt: skip
Float = TypeVar("Float", np.float32, np.float64)


class RollingStats:
    """Statistics of the last `window` samples, at every sample: `RollingStats(60)(samples)`.

        mean, variance, std   of the window, in units of the samples (variance: squared)
        z_score               (newest sample - mean) / std; 0 where std is 0
        slope                 of the least-squares line, in units per sample
        min, max              of the window
        entropy               Shannon's, in nats, of a histogram with equal `bins`
        ewma                  exponentially weighted mean, over all samples so far
        a number, 0 to 1      that quantile, between two neighbours linearly as numpy.quantile

    A sample that has left the window leaves no trace: sums are added up anew, none is subtracted,
    and kept in float64, so that small values behind huge ones keep their digits and a variance is
    never below 0. -0 is taken as 0.

    `nan="propagate"`: a window with a NaN in it gives NaN; so does `ewma` from the first NaN on.
    `nan="ignore"`: statistics of the samples that are no NaN, if there are `min_samples`; `ewma`
    weighs by age, also across a gap (`Ewma` says where pandas does not). `nan="error"`: a NaN or an
    infinity is refused. Otherwise a window with an infinity has min, max, entropy and quantiles,
    and NaN for what is made of sums, and `ewma` is NaN from there on.

    Instances are immutable. The results have the same bits on every CPU, in every thread, and
    whether the samples come at once or in chunks.

    Args:
        window: 2 to 100,000 samples.
        statistics: which of the above, in the order of the result's rows; at most 16 quantiles.
        min_samples: with fewer samples in the window the statistics are NaN, all but `ewma`;
            None for `window`.
        nan: what a NaN does.
        ddof: 0 or 1: what is taken off the number of samples under a variance.
        ewma: how the weights of `ewma` fall.
        bins: the histogram of `entropy`.

    Raises:
        UsageError: the numbers do not go together.
    """

    __slots__ = ("_kernel", "_spec")

    def __init__(
        self,
        window: int,
        statistics: tuple[RollingStatistic | float, ...] = ("mean", "std", "min", "max"),
        *,
        min_samples: int | None = None,
        nan: Literal["propagate", "ignore", "error"] = "propagate",
        ddof: int = 0,
        ewma: Ewma | None = None,
        bins: Bins | None = None,
    ) -> None:
        rows = tuple(s if isinstance(s, str) else float(s) for s in statistics)
        self._spec = RollingStatsSpec(window, rows, min_samples, nan, ddof, ewma, bins)
        _check(self._spec)
        self._kernel = RollingKernel(_settings(self._spec))

    @classmethod
    def from_spec(cls, spec: RollingStatsSpec) -> "RollingStats":
        """The features that a manifest describes.

        Raises:
            UsageError: the numbers in `spec` do not go together.
        """
        return cls(**{name: getattr(spec, name) for name in spec.__struct_fields__})

    @property
    def spec(self) -> RollingStatsSpec:
        """The transform, for a manifest."""
        return self._spec

    @property
    def names(self) -> tuple[str, ...]:
        """One per row of the result: `("mean", "max", "quantile 0.9")`."""
        wanted = self._spec.statistics
        return tuple(s if isinstance(s, str) else f"quantile {s:g}" for s in wanted)

    def __call__(
        self, samples: NDArray[Float], *, out: NDArray[Float] | None = None
    ) -> NDArray[Float]:
        """Statistics at every sample of one series or several.

        Args:
            samples: float32 or float64 of shape (n,) or (series, n), with any strides.
            out: where the result goes, contiguous, of the result's shape and dtype.

        Returns:
            Of the samples' dtype, shape (rows, n) or (series, rows, n), rows as in `names`.
            Column i belongs to the window that ends with sample i.

        Raises:
            InputError: another dtype or shape, or a NaN or infinity where `nan="error"`.
        """
        many = _checked(samples)
        result = self._result(samples, out)
        rows = result if samples.ndim == 2 else result[np.newaxis]
        if not self._kernel(many, rows):
            raise _not_finite(many)
        return result

    def stream(self, series: int | None = None) -> "RollingStream":
        """The same statistics for samples that come in chunks.

        Args:
            series: how many run side by side; None for one, without an axis for it.

        Raises:
            UsageError: fewer than one.
        """
        if series is not None and series < 1:
            raise _refused(f"series={series}", "use 1 or more, or None")
        return RollingStream(self, self._kernel, series)

    def _result(self, samples: NDArray[Float], out: NDArray[Float] | None) -> NDArray[Float]:
        shape = (*samples.shape[:-1], self._kernel.rows, samples.shape[-1])
        if out is None:
            return np.empty(shape, samples.dtype)
        if out.shape != shape or out.dtype != samples.dtype or not out.flags.carray:
            problem = f"got {out.dtype} with shape {out.shape}, expected {samples.dtype} {shape}"
            raise InputError("out", f"{problem}, contiguous and writable", "make it with np.empty")
        return out

    def __repr__(self) -> str:
        return f"RollingStats({self._spec!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RollingStats) and self._spec == other._spec

    def __hash__(self) -> int:
        return hash(self._spec)

    def __reduce__(self) -> tuple[Any, tuple[RollingStatsSpec]]:
        return type(self).from_spec, (self._spec,)


class RollingStream:
    """Rolling statistics of samples in chunks; from `RollingStats.stream`. For one thread.

    Every `window` samples one call sums up a block: an average sample costs the same for every
    window, that one costs as much as `window` samples.

    Attributes:
        state_bytes: memory that is kept, whatever comes in.
    """

    def __init__(self, stats: RollingStats, kernel: RollingKernel, series: int | None) -> None:
        self._stats, self._kernel, self._series = stats, kernel, series
        self._scratch = kernel.scratch()
        self._states = kernel.start(series or 1)
        self.state_bytes = self._states.nbytes + self._scratch.nbytes

    def push(self, samples: NDArray[Float], *, out: NDArray[Float] | None = None) -> NDArray[Float]:
        """Statistics at every one of the next samples.

        Args:
            samples: float32 or float64 of shape (n,), or (series, n) for a stream of several; n
                may be 0 and differ from call to call.
            out: where the result goes, contiguous, of the result's shape and dtype.

        Returns:
            As `RollingStats` gives it for these samples after those before.

        Raises:
            InputError: another dtype or shape; a NaN or infinity where `nan="error"`. Then the
                stream is as before.
        """
        many = _checked(samples)
        if (samples.ndim == 1) != (self._series is None) or len(many) != (self._series or 1):
            expected = "(n,)" if self._series is None else f"({self._series}, n)"
            problem = f"got shape {samples.shape}, expected {expected}"
            raise InputError("samples", problem, "open the stream with series=")
        result = self._stats._result(samples, out)
        rows = result if samples.ndim == 2 else result[np.newaxis]
        if not self._kernel(many, rows, states=self._states, scratch=self._scratch):
            raise _not_finite(many)
        return result

    def reset(self) -> None:
        """Forget all samples."""
        self._states = self._kernel.start(self._series or 1)


def _checked(samples: NDArray[Any]) -> NDArray[Any]:
    """Samples with an axis for series, or an error that says what was wrong."""
    expected = "expected a NumPy array of float32 or float64 with shape (n,) or (series, n)"
    if not isinstance(samples, np.ndarray):
        raise InputError("samples", f"got {type(samples).__name__}, {expected}", "convert it")
    found = f"got {samples.dtype} with shape {samples.shape}, {expected}"
    if samples.dtype not in (np.float32, np.float64) or not samples.dtype.isnative:
        raise InputError("samples", found, "convert with samples.astype('float32')")
    if samples.ndim not in (1, 2):
        raise InputError("samples", found, "reshape it to one row per series")
    return samples if samples.ndim == 2 else samples[np.newaxis]


def _not_finite(samples: NDArray[Any]) -> InputError:
    series, at = np.argwhere(~np.isfinite(samples))[0]
    problem = f"sample {at} of series {series} is {samples[series, at]}, expected finite numbers"
    return InputError("samples", problem, "clean them, or use nan='ignore' or nan='propagate'")


def _refused(problem: str, way_out: str) -> UsageError:
    return UsageError("rolling statistics", problem, way_out)


def _check(spec: RollingStatsSpec) -> None:
    if not 2 <= spec.window <= MAX_WINDOW:
        raise _refused(f"window={spec.window}", f"use 2 to {MAX_WINDOW}")
    if spec.min_samples is not None and not 1 <= spec.min_samples <= spec.window:
        raise _refused(f"min_samples={spec.min_samples}", f"use 1 to {spec.window}, or None")
    if spec.nan not in ("propagate", "ignore", "error"):
        raise _refused(f"nan={spec.nan!r}", "use 'propagate', 'ignore' or 'error'")
    if spec.ddof not in (0, 1):
        raise _refused(f"ddof={spec.ddof}", "use 0 or 1")
    _check_rows(spec)
    if "ewma" in spec.statistics and not (spec.ewma and 0 < spec.ewma.alpha <= 1):
        raise _refused(f"ewma={spec.ewma}", "use Ewma(alpha) with alpha above 0, at most 1")
    if "entropy" in spec.statistics:
        _check_bins(spec.bins)


def _check_rows(spec: RollingStatsSpec) -> None:
    names = [s for s in spec.statistics if isinstance(s, str)]
    quantiles = [s for s in spec.statistics if not isinstance(s, str)]
    if not set(names) <= set(STATISTICS) or len(set(names)) < len(names):
        raise _refused(f"statistics={spec.statistics}", f"use each once of {', '.join(STATISTICS)}")
    if not all(0 <= q <= 1 for q in quantiles) or len(quantiles) > MAX_QUANTILES:
        raise _refused(f"quantiles {quantiles}", f"use at most {MAX_QUANTILES} of 0 to 1")
    if not spec.statistics:
        raise _refused("no statistics", "name one")


def _check_bins(bins: Bins | None) -> None:
    if bins is None or not 2 <= bins.count <= MAX_BINS:
        raise _refused(f"bins={bins} for the entropy", f"use Bins with a count of 2 to {MAX_BINS}")
    if not (math.isfinite(bins.low) and math.isfinite(bins.high - bins.low)):
        raise _refused(f"bins={bins}", "use finite edges")
    if bins.low >= bins.high:
        raise _refused(f"bins={bins}", "use low < high")


def _settings(spec: RollingStatsSpec) -> RollingSettings:
    ewma, bins = spec.ewma or Ewma(1.0), spec.bins or Bins(0, 0.0, 0.0)
    return RollingSettings(
        window=spec.window,
        min_samples=spec.window if spec.min_samples is None else spec.min_samples,
        statistics=spec.statistics,
        nan=spec.nan,
        ddof=spec.ddof,
        ewma_alpha=ewma.alpha,
        ewma_adjust=ewma.adjust,
        bins=bins.count,
        low=bins.low,
        high=bins.high,
    )
