"""Statistics of each window by itself, in float64 NumPy, with what rounding may make of them."""

import numpy as np

OF_SUMS = ("mean", "variance", "std", "z_score", "slope")


def window_at(samples, settings, last):
    return samples[max(0, last + 1 - settings.window) : last + 1]


def is_missing(values, settings):
    nans = np.isnan(values)
    few = values.size - nans.sum() < settings.min_samples
    return few or (settings.nan == "propagate" and nans.any())


def slope_of(values):
    at = np.flatnonzero(~np.isnan(values)).astype(np.float64)
    at -= at.mean()
    spread = (at**2).sum()
    return (at * values[~np.isnan(values)]).sum() / spread if spread else np.nan


def entropy_of(values, settings):
    place = (values - settings.low) * (settings.bins / (settings.high - settings.low))
    counts = np.bincount(np.clip(place, 0, settings.bins - 1).astype(int))
    share = counts[counts > 0] / values.size
    return -(share * np.log(share)).sum()


def statistics_of(settings, values, newest, eps):
    """name -> (value, how far off it may be) of a window that is not missing."""
    known = values[~np.isnan(values)]
    found = {"min": (known.min(), 0), "max": (known.max(), 0)}
    found["entropy"] = entropy_of(known, settings), 1e-6
    if np.isinf(known).any():
        return dict.fromkeys(OF_SUMS, (np.nan, 0)) | found
    largest, n = np.abs(known).max(), known.size
    near = eps * (largest + 1e-300)
    variance = known.var() * n / (n - settings.ddof)
    about = eps * settings.window * (variance + near**2)
    std = np.sqrt(variance)
    quantiles = [s for s in settings.statistics if not isinstance(s, str)]
    values_at = np.quantile(known, quantiles)
    found |= {q: (value, 4 * near) for q, value in zip(quantiles, values_at, strict=True)}
    found["mean"] = known.mean(), 4 * near
    found["variance"], found["std"] = (variance, about), (std, settings.window**0.5 * near + about)
    # Where all deviation is rounding, its quotient is anything.
    loose = 1e6 * eps if variance > 1e-6 * largest**2 else np.inf
    found["z_score"] = ((newest - known.mean()) / std if std else 0.0) + 0 * newest, loose
    found["slope"] = slope_of(values), 8 * settings.window * near
    return found


@np.errstate(invalid="ignore")
def ewma_of(settings, samples):
    """With gaps the weights go on falling; unadjusted, the first one stands for all before."""
    share, total, weight, found = settings.ewma_alpha, 0.0, 0.0, []
    for sample in samples:
        total, weight = (1 - share) * total, (1 - share) * weight
        if settings.nan != "ignore" or not np.isnan(sample):
            first = 1.0 if settings.ewma_adjust or weight else 1 / share
            total, weight = total + first * sample, weight + first
        found.append(total / weight if weight else np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def rolling(settings, samples):
    """(rows, n) and how far off each may be; infinite where nothing is said."""
    eps = 1e-6 if samples.dtype == np.float32 else 1e-13
    samples = samples.astype(np.float64)
    rows, off = np.full((2, len(settings.statistics), samples.size), np.nan)
    off[:] = 0
    for last in range(samples.size):
        values = window_at(samples, settings, last)
        if is_missing(values, settings):
            continue
        found = statistics_of(settings, values, samples[last], eps)
        for row, name in enumerate(settings.statistics):
            if name != "ewma":
                rows[row, last], off[row, last] = found.get(name, (np.nan, np.inf))
    if "ewma" in settings.statistics:
        row = settings.statistics.index("ewma")
        rows[row] = ewma_of(settings, samples)
        so_far = np.fmax.accumulate(np.abs(np.where(np.isfinite(samples), samples, 0)))
        off[row] = 16 * eps * (so_far + 1e-300)
    return rows, off
