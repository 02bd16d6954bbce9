"""Kernels of rolling statistics over time series."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgekit._native._kernels import ffi, lib
from edgekit.errors import UsageError
from edgekit.kernels.machine import Scratch, aligned, check, isa_number

Samples: TypeAlias = NDArray[np.float32] | NDArray[np.float64]

KINDS: Mapping[str, int] = {
    "mean": lib.EK_ROLLING_MEAN,
    "variance": lib.EK_ROLLING_VARIANCE,
    "std": lib.EK_ROLLING_STD,
    "z_score": lib.EK_ROLLING_Z_SCORE,
    "slope": lib.EK_ROLLING_SLOPE,
    "min": lib.EK_ROLLING_MIN,
    "max": lib.EK_ROLLING_MAX,
    "entropy": lib.EK_ROLLING_ENTROPY,
    "ewma": lib.EK_ROLLING_EWMA,
}
_POLICIES = {
    "propagate": lib.EK_NAN_PROPAGATE,
    "ignore": lib.EK_NAN_IGNORE,
    "error": lib.EK_NAN_ERROR,
}
_SAMPLE_TYPES = {np.dtype(np.float32): lib.EK_FLOAT32, np.dtype(np.float64): lib.EK_FLOAT64}


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingSettings:
    """Everything a rolling kernel depends on; `ek_rolling_config`.

    Attributes:
        window: in samples.
        min_samples: fewer than these give NaN.
        statistics: one per row of the result: a name of `KINDS`, or a number for a quantile.
        nan: what a NaN does.
        ddof: 0 or 1, of variance, std and z-score.
        ewma_alpha: weight of the newest sample.
        ewma_adjust: whether the weights so far are divided by their sum.
        bins: of the entropy, equal ones.
        low: left edge of the first bin.
        high: right edge of the last.
    """

    window: int
    min_samples: int
    statistics: tuple[str | float, ...]
    nan: Literal["propagate", "ignore", "error"]
    ddof: int
    ewma_alpha: float
    ewma_adjust: bool
    bins: int
    low: float
    high: float


def _config(settings: RollingSettings) -> Any:
    config = ffi.new("ek_rolling_config *")
    for name in ("window", "min_samples", "ddof", "ewma_alpha", "ewma_adjust", "bins"):
        setattr(config, name, getattr(settings, name))
    config.low, config.high = settings.low, settings.high
    config.nan_policy = _POLICIES[settings.nan]
    config.row = [-1] * lib.EK_ROLLING_KINDS
    for row, wanted in enumerate(settings.statistics):
        if isinstance(wanted, str):
            config.row[KINDS[wanted]] = row
        else:
            config.quantile[config.quantile_count] = wanted
            config.quantile_row[config.quantile_count] = row
            config.quantile_count += 1
    return config


class RollingKernel:
    """Rolling statistics with their tables built once.

    Args:
        settings: the statistics.

    Raises:
        UsageError: the settings cannot be computed, such as a window of one sample.
    """

    def __init__(self, settings: RollingSettings) -> None:
        config = _config(settings)
        size_bytes = lib.ek_rolling_plan_bytes(config)
        if size_bytes == 0:
            raise UsageError("rolling statistics", f"{settings} is out of range", "check it")
        self._memory = aligned(size_bytes)
        plan = ffi.from_buffer(self._memory)
        check(lib.ek_rolling_plan_build(config, plan, size_bytes), "rolling plan")
        self._memory.flags.writeable = False
        self._plan = ffi.cast("const ek_rolling_plan *", plan)
        self._scratch_bytes = int(lib.ek_rolling_scratch_bytes(self._plan))
        self.state_bytes = int(lib.ek_rolling_state_bytes(self._plan))
        self.rows = len(settings.statistics)
        self._passing = Scratch(self.state_bytes)
        self._spare = Scratch(self._scratch_bytes)

    def scratch(self) -> NDArray[np.uint8]:
        """Memory for one call at a time."""
        return aligned(self._scratch_bytes)

    def start(self, series: int) -> NDArray[np.uint8]:
        """States of series that have no samples yet, shape (series, state_bytes)."""
        states = aligned(series * self.state_bytes).reshape(series, self.state_bytes)
        for state in states:
            check(lib.ek_rolling_start(self._plan, ffi.from_buffer(state)), "rolling start")
        return states

    def __call__(
        self,
        samples: Samples,
        out: Samples,
        *,
        states: NDArray[np.uint8] | None = None,
        scratch: NDArray[np.uint8] | None = None,
        isa: str | None = None,
    ) -> bool:
        """Statistics of the next samples; False when one is not finite and `nan` is "error".

        Args:
            samples: of shape (series, n), native float32 or float64, with any strides.
            out: of shape (series, rows, n), of the same dtype, contiguous.
            states: from `start`; None for series that begin and end here.
            scratch: from `scratch()`; None for the kernel's own.
            isa: one of `available_isas()`; None for the best.
        """
        series, count = samples.shape
        data = ffi.cast("const void *", samples.ctypes.data)
        of_series, of_sample = samples.strides
        kind = _SAMPLE_TYPES[samples.dtype]
        described = ffi.new("ek_series *", (data, of_sample, of_series, count, series, kind))
        passing = self._passing.take() if states is None else None  # it serves all series
        spare = self._spare.take() if scratch is None else None
        status = lib.ek_rolling(
            self._plan,
            isa_number(isa),
            passing or ffi.from_buffer(states),
            0 if states is None else self.state_bytes,
            described,
            ffi.from_buffer(out) if out.size else ffi.NULL,
            spare or ffi.from_buffer(scratch),
        )
        if passing:
            self._passing.give_back(passing)
        if spare:
            self._spare.give_back(spare)
        if status == lib.EK_BAD_SAMPLE:
            return False
        check(status, "rolling statistics")
        return True
